#!/usr/bin/env python3
"""Renders random checkpoints with diffusers' WanPipeline and with the t2v binary, and compares latents and frames.

Needs the reference (scripts/fixtures/requirements.txt), ffmpeg and a built t2v; it is not part of scripts/test, which
compares with golden files instead. Checkpoints, prompts, sizes and seeds are drawn anew from --seed:

    python tests/parity/compare_with_diffusers.py --t2v build/release/bin/t2v --cases 20 --seed 1
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers import (AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler, WanPipeline,
                       WanTransformer3DModel)
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast, T5TokenizerFast, UMT5Config, UMT5EncoderModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts/fixtures"))
from make_tiny_wan import VOCAB_SIZE, randomize, write_tokenizer  # noqa: E402

# Largest difference over largest value and relative L2 of the latents; frames in levels of 255.
LATENTS_LIMIT, FRAME_LIMIT, MEAN_LIMIT, PSNR_LIMIT = 1e-4, 2, 0.25, 50
CHINESE = "色调艳丽，过曝，静态，细节模糊不清，最差质量"


def make_checkpoint(folder, rng):
    """A random checkpoint in the published layout: widths, depths, head splits, shards and scheduler vary."""
    heads, head_dim = rng.choice([(2, 12), (3, 16), (4, 20), (2, 32), (5, 22)])
    text_dim = rng.choice([24, 40, 64])
    torch.manual_seed(rng.randrange(2**31))
    text_encoder = UMT5EncoderModel(UMT5Config(
        vocab_size=VOCAB_SIZE, d_model=text_dim, d_kv=rng.choice([8, 12]), d_ff=rng.choice([48, 72]),
        num_layers=rng.choice([1, 2, 3]), num_heads=rng.choice([2, 4]), feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=32, relative_attention_max_distance=128)).eval()
    transformer = WanTransformer3DModel(
        num_attention_heads=heads, attention_head_dim=head_dim, in_channels=16, out_channels=16, text_dim=text_dim,
        ffn_dim=rng.choice([72, 120]), num_layers=rng.choice([1, 2, 4]), freq_dim=rng.choice([64, 256]),
        cross_attn_norm=rng.random() < 0.8).eval()
    vae = AutoencoderKLWan(
        base_dim=rng.choice([3, 6, 8]), z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=rng.choice([1, 2]),
        temperal_downsample=[False, True, True]).eval()
    if rng.random() < 0.6:
        scheduler = UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=rng.choice([1.0, 3.0, 5.0]),
            solver_order=rng.choice([1, 2]), disable_corrector=rng.choice([[], [0], [0, 1]]))
    else:
        # Made from the other class's configuration, as users do: the file then holds flow_shift as well.
        unipc = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=2.0)
        scheduler = FlowMatchEulerDiscreteScheduler.from_config(unipc.config, shift=rng.choice([1.0, 3.0, 7.0]))
    for index, module in enumerate((text_encoder, transformer, vae)):
        randomize(module, rng.randrange(2**31) + index)
    if rng.random() < 0.3:  # stored in half the bytes, computed in float32
        text_encoder, transformer = text_encoder.bfloat16(), transformer.bfloat16()
    write_tokenizer(folder / "scratch")
    tokenizer = T5TokenizerFast.from_pretrained(folder / "scratch")
    WanPipeline(tokenizer=tokenizer, text_encoder=text_encoder, transformer=transformer, vae=vae,
                scheduler=scheduler).save_pretrained(folder / "model", max_shard_size=rng.choice(["150KB", "10GB"]))
    if rng.random() < 0.5:  # the published tokenizer's files, instead of what transformers 5 writes
        for path in (folder / "scratch").iterdir():
            path.replace(folder / "model/tokenizer" / path.name)
    return folder / "model"


def draw_case(rng):
    words = "a red ball moves to the right over green grass at night with small white stars".split()
    length = rng.choice([1, 6, 12, 30, 600])
    prompt = " ".join(rng.choice(words) for _ in range(length))
    if rng.random() < 0.3:
        prompt += rng.choice([" 一个红色的球，在草地上", " “quoted” ﬁne—print … &amp; caf\u0065\u0301", "  two   spaces\n", " 🎈 Ａ！"])
    width, height = rng.choice([(64, 64), (96, 64), (48, 80), (112, 64), (32, 96)])
    return {
        "prompt": prompt, "negative_prompt": rng.choice([None, "", "blurred", CHINESE]),
        "width": width, "height": height, "num_frames": rng.choice([1, 5, 9, 13, 17]),
        "num_inference_steps": rng.choice([1, 2, 3, 5, 10]), "guidance_scale": rng.choice([1.0, 3.5, 6.0]),
        "seed": rng.choice([0, 42, 2**31 + 7, 2**40 + 3, 2**63 + 5]),
    }


def run_reference(model, case):
    """(final latents, frames in [0, 255] before rounding) of diffusers in float32."""
    # tokenizer.json as the tokenizers package reads it: transformers 5 changes what its T5TokenizerFast makes of the file.
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(model / "tokenizer/tokenizer.json"), pad_token="<pad>",
                                        eos_token="</s>", unk_token="<unk>")
    pipeline = WanPipeline.from_pretrained(model, tokenizer=tokenizer, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    settings = {key: value for key, value in case.items() if key != "seed"}
    generator = torch.Generator("cpu").manual_seed(case["seed"])
    latents = pipeline(**settings, generator=generator, output_type="latent").frames
    generator = torch.Generator("cpu").manual_seed(case["seed"])
    frames = pipeline(**settings, generator=generator, output_type="np").frames[0]
    return latents.numpy(), frames * 255.0


def run_t2v(binary, model, case, folder):
    clip, latents = folder / "clip.mkv", folder / "latents.safetensors"
    command = [binary, "--prompt", case["prompt"], "-o", clip, "--model", model, "--quality", "lossless", "--overwrite",
               "--save-latents", latents, "--width", case["width"], "--height", case["height"],
               "--frames", case["num_frames"], "--steps", case["num_inference_steps"],
               "--guidance-scale", case["guidance_scale"], "--seed", case["seed"], "--device", "cpu"]
    if case["negative_prompt"] is not None:
        command += ["--negative-prompt", case["negative_prompt"]]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True,
                         capture_output=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, case["height"], case["width"], 3)
    return load_file(latents)["latents"].numpy(), frames.astype(np.float64)


def differences(case, expected, actual):
    (latents, frames), (our_latents, our_frames) = expected, actual
    if our_latents.shape != latents.shape or our_frames.shape != frames.shape:
        raise SystemExit(f"shapes differ: {our_latents.shape} {latents.shape}, {our_frames.shape} {frames.shape}: {case}")
    delta, rounded = our_latents - latents, np.round(frames)
    squared = np.mean((our_frames - rounded) ** 2)
    return {
        "latents_max": float(np.abs(delta).max() / np.abs(latents).max()),
        "latents_l2": float(np.linalg.norm(delta) / np.linalg.norm(latents)),
        "frame_max": float(np.abs(our_frames - rounded).max()),
        "frame_mean": float(np.abs(our_frames - rounded).mean()),
        "psnr": float(10 * np.log10(255**2 / squared)) if squared else float("inf"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--t2v", default="build/release/bin/t2v")
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    failures = 0
    for index in range(arguments.cases):
        with tempfile.TemporaryDirectory() as scratch:
            model = make_checkpoint(Path(scratch), rng)
            case = draw_case(rng)
            result = differences(case, run_reference(model, case), run_t2v(arguments.t2v, model, case, Path(scratch)))
        good = (max(result["latents_max"], result["latents_l2"]) <= LATENTS_LIMIT and result["frame_max"] <= FRAME_LIMIT
                and result["frame_mean"] <= MEAN_LIMIT and result["psnr"] >= PSNR_LIMIT)
        failures += not good
        print(f"{index:3} {'ok  ' if good else 'FAIL'}", {key: float(f"{value:.3g}") for key, value in result.items()},
              "" if good else json.dumps(case, ensure_ascii=False), flush=True)
    print(f"{arguments.cases - failures} of {arguments.cases} within the limits")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
