#!/usr/bin/env python3
"""The same clip by diffusers: what t2v is timed against, whole process against whole process.

Needs scripts/fixtures/requirements.txt and ffmpeg. With hyperfine, for example, in one run:

    hyperfine "build/release/bin/t2v -p 'a red ball' --seed 1 -y -o t2v.mp4" \\
              "python tests/bench/diffusers_clip.py --prompt 'a red ball' --seed 1 --output diffusers.mp4"
"""

import argparse
import json
import subprocess
from pathlib import Path

import torch
from diffusers import WanPipeline
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "models/tiny-world")
    parser.add_argument("--preset", type=Path, default=ROOT / "configs/tiny-world.json")
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    preset = json.loads(arguments.preset.read_text())

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(arguments.model / "tokenizer/tokenizer.json"),
                                        pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    pipeline = WanPipeline.from_pretrained(arguments.model, tokenizer=tokenizer, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    keys = ("height", "width", "num_frames", "num_inference_steps", "guidance_scale", "negative_prompt")
    frames = pipeline(prompt=arguments.prompt, generator=torch.Generator("cpu").manual_seed(arguments.seed),
                      output_type="pt", **{key: preset[key] for key in keys}).frames[0]
    rgb = (frames * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    encoder = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
               f"{preset['width']}x{preset['height']}", "-r", str(preset["fps"]), "-i", "-", "-c:v", "libx264", "-crf", "16",
               "-pix_fmt", "yuv420p", arguments.output]
    subprocess.run(encoder, input=rgb.tobytes(), check=True)


if __name__ == "__main__":
    main()
