"""Makes the clips of a prompts file with diffusers' own pipeline in float32 and writes them as NumPy files 0000.npy, 0001.npy..."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import WanPipeline


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
    preset = json.loads(args.preset.read_text())
    pipeline = WanPipeline.from_pretrained(args.model, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in args.prompts.read_text().splitlines()]
    for start in range(0, len(rows), args.batch):
        part = rows[start : start + args.batch]
        frames = pipeline(
            prompt=[row["prompt"] for row in part],
            negative_prompt=[preset["negative_prompt"]] * len(part),
            height=preset["height"], width=preset["width"], num_frames=preset["num_frames"],
            num_inference_steps=args.steps or preset["num_inference_steps"],
            guidance_scale=args.guidance or preset["guidance_scale"],
            generator=[torch.Generator().manual_seed(row["seed"]) for row in part],
        ).frames
        for i, clip in enumerate(frames):
            np.save(args.out / f"{start + i:04d}.npy", (clip * 255).round().astype(np.uint8))


if __name__ == "__main__":
    main()
