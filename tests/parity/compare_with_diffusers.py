#!/usr/bin/env python3
"""Renders random checkpoints with diffusers' pipelines and with the t2v binary, and compares latents and frames.

Needs the reference (scripts/fixtures/requirements.txt), ffmpeg and a built t2v; it is not part of scripts/test, which
compares with golden files instead. Checkpoints, inputs, prompts, sizes and seeds are drawn anew from --seed, the kinds of
model in turn:

    python tests/parity/compare_with_diffusers.py --t2v build/release/bin/t2v --cases 20 --seed 1 [--kinds 2.1-i2v,2.2-t2v]

With --dtype bfloat16 the limit is the reference's own distance between bfloat16 and float32.
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
from diffusers import (DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler, FlowMatchLCMScheduler,
                       UniPCMultistepScheduler)
from PIL import Image
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts/fixtures"))
from make_pipelines import picture, write_video  # noqa: E402
from wan_kinds import KINDS, make_checkpoint, make_text_encoder, make_vae, run_reference  # noqa: E402

# Largest difference over largest value and relative L2 of the latents; frames in levels of 255.
LATENTS_LIMIT, FRAME_LIMIT, MEAN_LIMIT, PSNR_LIMIT = 1e-4, 2, 0.25, 50
CHINESE = "色调艳丽，过曝，静态，细节模糊不清，最差质量"
FLAGS = {"negative_prompt": "--negative-prompt", "width": "--width", "height": "--height", "num_frames": "--frames",
         "num_inference_steps": "--steps", "guidance_scale": "--guidance-scale", "guidance_scale_2": "--guidance-scale-2",
         "conditioning_scale": "--conditioning-scale", "seed": "--seed"}  # fmt: skip
FILES = {"image": "--image", "last_image": "--end-image", "video": "--control-video", "mask": "--control-mask",
         "reference_images": "--reference-image"}  # fmt: skip


def draw_scheduler(rng):
    unipc = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=rng.choice([1.0, 3.0, 5.0, 12.0]),
        solver_order=rng.choice([1, 2]), disable_corrector=rng.choice([[], [0], [0, 1]]))
    # Made from the other class's configuration, as users do: the file then holds flow_shift as well.
    euler = FlowMatchEulerDiscreteScheduler.from_config(unipc.config, shift=rng.choice([1.0, 3.0, 7.0]))
    lcm = FlowMatchLCMScheduler(shift=rng.choice([1.0, 5.0]))
    dpm = DPMSolverMultistepScheduler.from_config(unipc.config)
    return rng.choice([unipc, unipc, unipc, euler, euler, lcm, dpm])


def draw_checkpoint(kind, folder, rng):
    """A random checkpoint in the published layout: widths, depths, head splits, shards and scheduler vary."""
    heads, head_dim = rng.choice([(2, 12), (3, 16), (4, 20), (2, 32), (5, 22)])
    text_dim = rng.choice([24, 40, 64])
    seed = rng.randrange(2**31)
    torch.manual_seed(seed)
    make_checkpoint(
        kind, folder, seed, text_dim=text_dim,
        text_encoder=make_text_encoder(text_dim, d_kv=rng.choice([8, 12]), d_ff=rng.choice([48, 72]),
                                       num_layers=rng.choice([1, 2, 3]), num_heads=rng.choice([2, 4])),
        vae=make_vae(kind, base_dim=rng.choice([3, 6, 8]), decoder_base_dim=rng.choice([2, 3, 4]),
                     num_res_blocks=rng.choice([1, 2])),
        scheduler=draw_scheduler(rng),
        dtype=torch.bfloat16 if rng.random() < 0.3 else torch.float32,  # stored in half the bytes, computed in float32
        shard=rng.choice(["150KB", "10GB"]), heads=heads, head_dim=head_dim, ffn_dim=rng.choice([72, 120]),
        num_layers=rng.choice([1, 2, 4]), freq_dim=rng.choice([64, 256]), cross_attn_norm=rng.random() < 0.8)
    return folder


def draw_inputs(kind, case, folder, rng):
    """Pictures and clips of odd sizes, and what the kind calls them."""

    def draw_picture(name):
        pixels = picture(rng.randrange(20, 140), rng.randrange(20, 140), rng.random() * 6)
        Image.fromarray(pixels).save(folder / name)
        return name

    def draw_video(name, width, height, is_mask):
        frames = [picture(width, height, rng.random()) for _ in range(case["num_frames"])]
        if is_mask:
            frames = [np.where(frame[..., :1] > 150, 255, 0).astype(np.uint8).repeat(3, axis=-1) for frame in frames]
        write_video(folder / name, frames)
        return name

    if kind == "2.1-vace":
        case["conditioning_scale"] = rng.choice([0.5, 1.0, 1.3])
        if rng.random() < 0.7:
            width, height = case["width"] * rng.choice([1, 2, 3]), case["height"] * rng.choice([1, 2, 3])
            case["video"] = draw_video("video.mkv", width, height, False)
            if rng.random() < 0.6:
                case["mask"] = draw_video("mask.mkv", width, height, True)
        if rng.random() < 0.6:
            case["reference_images"] = [draw_picture(f"reference{i}.png") for i in range(rng.choice([1, 2]))]
    elif kind.endswith(("i2v", "flf2v")) and (kind != "2.2-ti2v" or rng.random() < 0.6):
        case["image"] = draw_picture("image.png")
        if kind == "2.1-flf2v" or (kind == "2.2-i2v" and rng.random() < 0.4):
            case["last_image"] = draw_picture("last.png")
            case["num_frames"] = max(case["num_frames"], 5)


def draw_case(kind, folder, rng):
    words = "a red ball moves to the right over green grass at night with small white stars".split()
    length = rng.choice([1, 6, 12, 30, 600])
    prompt = " ".join(rng.choice(words) for _ in range(length))
    if rng.random() < 0.3:
        prompt += rng.choice([" 一个红色的球，在草地上", " “quoted” ﬁne—print … &amp; caf\u0065\u0301", "  two   spaces\n", " 🎈 Ａ！"])
    sizes = [(64, 64), (96, 64), (32, 96)] if kind == "2.2-ti2v" else [(64, 64), (96, 64), (48, 80), (112, 64), (32, 96)]
    width, height = rng.choice(sizes)
    case = {
        "prompt": prompt, "negative_prompt": rng.choice([None, "", "blurred", CHINESE]),
        "width": width, "height": height, "num_frames": rng.choice([1, 5, 9, 13, 17]),
        "num_inference_steps": rng.choice([1, 2, 3, 5, 10]), "guidance_scale": rng.choice([1.0, 3.5, 6.0]),
        "seed": rng.choice([0, 42, 2**31 + 7, 2**40 + 3, 2**63 + 5]),
    }  # fmt: skip
    if rng.random() < 0.1:  # a tile is 256 pixels
        case.update(width=288, height=320, num_frames=5, num_inference_steps=1, vae_tiling=True)
    if KINDS[kind][1] == 2 and rng.random() < 0.6:
        case["guidance_scale_2"] = rng.choice([1.0, 2.5, 5.0])
    draw_inputs(kind, case, folder, rng)
    return case


def run_t2v(binary, model, case, folder, dtype):
    clip, latents = folder / "clip.mkv", folder / "latents.safetensors"
    command = [binary, "--prompt", case["prompt"], "-o", clip, "--model", model, "--quality", "lossless", "--overwrite",
               "--save-latents", latents, "--device", "cpu", "--dtype", dtype]
    command += ["--vae-tiling"] if case.get("vae_tiling") else []
    for key, flag in FLAGS.items():
        command += [flag, case[key]] if case.get(key) is not None else []
    for key, flag in FILES.items():
        names = case.get(key, [])
        for name in [names] if isinstance(names, str) else names:
            command += [flag, folder / name]
    done = subprocess.run([str(word) for word in command], capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{done.stderr.decode()}\n{json.dumps(case, ensure_ascii=False)}")
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True,
                         capture_output=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, case["height"], case["width"], 3)
    return load_file(latents)["latents"].numpy(), frames.astype(np.float64)


def differences(case, expected, actual):
    (latents, frames), (our_latents, our_frames) = expected, actual
    latents = latents.numpy()
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
    parser.add_argument("--cases", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    kinds = arguments.kinds.split(",")
    failures = 0
    for index in range(arguments.cases):
        rng = random.Random(f"{arguments.seed} {index}")
        kind = kinds[index % len(kinds)]
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            model = draw_checkpoint(kind, folder / "model", rng)
            case = draw_case(kind, folder, rng)
            reference = run_reference(model, case, folder)
            result = differences(case, reference, run_t2v(arguments.t2v, model, case, folder, arguments.dtype))
            if arguments.dtype == "bfloat16":
                latents, frames = run_reference(model, case, folder, dtype=torch.bfloat16)
                own = differences(case, reference, (latents.float().numpy(), np.round(frames)))
                result["reference_l2"] = own["latents_l2"]
        if arguments.dtype == "bfloat16":
            good = result["latents_l2"] <= result["reference_l2"]
        else:
            good = (max(result["latents_max"], result["latents_l2"]) <= LATENTS_LIMIT and result["frame_max"] <= FRAME_LIMIT
                    and result["frame_mean"] <= MEAN_LIMIT and result["psnr"] >= PSNR_LIMIT)
        failures += not good
        print(f"{index:3} {kind:8} {'ok  ' if good else 'FAIL'}", {key: float(f"{value:.3g}") for key, value in result.items()},
              "" if good else json.dumps(case, ensure_ascii=False), flush=True)
    print(f"{arguments.cases - failures} of {arguments.cases} within the limits")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
