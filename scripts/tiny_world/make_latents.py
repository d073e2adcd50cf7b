"""Draws clips and keeps their latents, scenes and things' places, for the training of the transformer."""

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan

import fast
from draw import draw
from export import load
from training import save
from train_vae import CONFIG
from world import random_scene


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--two", type=float, default=0.04, help="share of scenes with two things")
    parser.add_argument("--camera", type=float, default=0.04, help="share of scenes with a camera move")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    fast.whole_sequence_vae()
    vae = AutoencoderKLWan(**CONFIG).eval().to(args.device)
    fast.frame_by_frame(vae)
    load(vae, torch.load(args.work / "vae.pt", map_location=args.device)["average"])
    rng = np.random.default_rng(args.seed)
    latents = torch.empty(args.count, 16, 5, 8, 8, dtype=torch.float16)
    covers = torch.empty(args.count, 5, 8, 8, dtype=torch.uint8)
    scenes, clips = [], []
    while len(scenes) < args.count:
        scene = random_scene(rng, two=args.two, camera=args.camera, sized=0.1, speed=0.1)
        try:
            clip, cover = draw(scene, rng)
        except ValueError:
            continue
        cover = torch.from_numpy(cover).float()
        cover = torch.cat([cover[:1].repeat(4, 1, 1), cover[1:]])
        covers[len(scenes)] = torch.nn.functional.avg_pool3d(cover[None], (4, 8, 8))[0].round().to(torch.uint8)
        clips.append(clip)
        scenes.append(asdict(scene))
        if len(clips) == 8 or len(scenes) == args.count:
            x = torch.from_numpy(np.stack(clips)).to(args.device).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
            with torch.no_grad(), torch.autocast(args.device, torch.bfloat16):
                mean, _ = fast.encode(vae, x.contiguous(memory_format=torch.channels_last_3d))
            latents[len(scenes) - len(clips) : len(scenes)] = mean.half().cpu()
            clips = []
        if len(scenes) % 1000 == 0:
            print(len(scenes), "clips", flush=True)
    mean, std = latents.float().mean((0, 2, 3, 4)), latents.float().std((0, 2, 3, 4))
    print("mean", mean.numpy().round(2), "std", std.numpy().round(2))
    save({"latents": latents, "covers": covers, "scenes": scenes, "mean": mean, "std": std}, args.work / "latents.pt")


if __name__ == "__main__":
    main()
