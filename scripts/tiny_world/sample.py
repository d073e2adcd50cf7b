"""Makes the clips of a prompts file with diffusers' pipeline in float32 and writes them as NumPy files 0000.npy, 0001.npy...

A clip that is there already, of the same model, preset and prompts, is kept. The transformer and the VAE compute in the shortened forms of fast.py, three times as fast and equal up to rounding.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, WanPipeline

import fast


class EulerAt(FlowMatchEulerDiscreteScheduler):
    """Euler steps at the noise levels of a preset, before its shift, whatever the number of steps."""

    levels: list[float]

    def set_timesteps(self, num_inference_steps=None, device=None, **_):
        super().set_timesteps(sigmas=self.levels, device=device)


def shorten(pipeline):
    """Makes a pipeline's transformer and VAE compute in their shortened forms."""
    transformer, vae = pipeline.transformer, pipeline.vae
    fast.whole_sequence_vae()
    fast.frame_by_frame(vae)

    def forward(hidden_states, timestep, encoder_hidden_states, **_):
        rows = int(encoder_hidden_states.ne(0).any(-1).sum(1).max())
        empty = torch.tensor([float(encoder_hidden_states.shape[1] - rows)])
        tables = fast.rope_tables(transformer, hidden_states)
        return (fast.transformer(transformer, hidden_states, timestep, encoder_hidden_states[:, :rows], tables, empty),)

    transformer.forward = forward
    vae.decode = lambda z, **_: (fast.decode(vae, z).clamp(-1, 1),)


def open_pipeline(model, preset, lora=None):
    """The model in float32, with a preset's noise levels if it has any, and changed by a LoRA if one is given."""
    pipeline = WanPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if "sigmas" in preset:
        pipeline.scheduler = EulerAt(shift=preset["flow_shift"])
        pipeline.scheduler.levels = preset["sigmas"]
    if lora:
        pipeline.load_lora_weights(lora.parent, weight_name=lora.name)
        pipeline.fuse_lora()
        pipeline.unload_lora_weights()
    shorten(pipeline)
    return pipeline


def digest(model, *asked):
    """What tells clips of a model folder (without its LoRAs and card) and of what was asked of it from others."""
    told = hashlib.sha256(json.dumps(asked).encode())
    for path in sorted(model.rglob("*")):
        if path.is_file() and path.parent.name != "loras" and path.suffix not in (".md", ".png"):
            told.update(path.read_bytes())
    return told


def begin(out, stamp):
    """Makes a folder for clips 0000.npy, 0001.npy...; those made of something else than the stamp says go, but not if none says of what."""
    out.mkdir(parents=True, exist_ok=True)
    made_of, clips = out / "made-of", list(out.glob("[0-9][0-9][0-9][0-9].*"))
    if made_of.exists() and made_of.read_text() == stamp:
        return
    if clips and not made_of.exists():
        raise SystemExit(f"{out} has clips that were not made here: they stay")
    for path in clips:
        path.unlink()
    made_of.write_text(stamp)


def make(model, preset, rows, out, steps=None, guidance=None, negative=None, lora=None, form=None, batch=10):
    """Writes the clip of each row, of the preset's or another `form` (width, height, frames), into the folder `out`, whose clips of others go."""
    preset = json.loads(preset.read_text())
    width, height, num_frames = form or (preset["width"], preset["height"], preset["num_frames"])
    stamp = digest(model, preset, rows, steps, guidance, negative, form)
    if lora:
        stamp.update(lora.read_bytes())
    begin(out, stamp.hexdigest())
    missing = [i for i in range(len(rows)) if not (out / f"{i:04d}.npy").exists()]
    if not missing:
        return
    pipeline = open_pipeline(model, preset, lora)
    for start in range(0, len(missing), batch):
        part = missing[start : start + batch]
        frames = pipeline(
            prompt=[rows[i]["prompt"] for i in part],
            negative_prompt=[preset["negative_prompt"] if negative is None else negative] * len(part),
            height=height, width=width, num_frames=num_frames,
            num_inference_steps=steps or preset["num_inference_steps"],
            guidance_scale=guidance or preset["guidance_scale"],
            generator=[torch.Generator().manual_seed(rows[i]["seed"]) for i in part],
        ).frames
        for i, clip in zip(part, frames):
            np.save(out / "new.npy", (clip * 255).round().astype(np.uint8))
            (out / "new.npy").rename(out / f"{i:04d}.npy")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("preset", type=Path)
    parser.add_argument("prompts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--lora", type=Path)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = [json.loads(line) for line in args.prompts.read_text().splitlines()]
    make(args.model, args.preset, rows, args.out, args.steps, args.guidance, lora=args.lora, batch=args.batch)


if __name__ == "__main__":
    main()
