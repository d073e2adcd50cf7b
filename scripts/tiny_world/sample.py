"""Makes the clips of a prompts file with diffusers' own pipeline in float32 and writes them as NumPy files 0000.npy, 0001.npy..."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import WanPipeline


def make(model, preset, rows, out, steps=None, guidance=None, negative=None, batch=10):
    """Writes the clip of each row; one that is there already is kept."""
    preset = json.loads(preset.read_text())
    out.mkdir(parents=True, exist_ok=True)
    missing = [i for i in range(len(rows)) if not (out / f"{i:04d}.npy").exists()]
    if not missing:
        return
    pipeline = WanPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    for start in range(0, len(missing), batch):
        part = missing[start : start + batch]
        frames = pipeline(
            prompt=[rows[i]["prompt"] for i in part],
            negative_prompt=[preset["negative_prompt"] if negative is None else negative] * len(part),
            height=preset["height"], width=preset["width"], num_frames=preset["num_frames"],
            num_inference_steps=steps or preset["num_inference_steps"],
            guidance_scale=guidance or preset["guidance_scale"],
            generator=[torch.Generator().manual_seed(rows[i]["seed"]) for i in part],
        ).frames
        for i, clip in zip(part, frames):
            np.save(out / f"{i:04d}.npy", (clip * 255).round().astype(np.uint8))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("preset", type=Path)
    parser.add_argument("prompts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = [json.loads(line) for line in args.prompts.read_text().splitlines()]
    make(args.model, args.preset, rows, args.out, args.steps, args.guidance, batch=args.batch)


if __name__ == "__main__":
    main()
