"""Draws clips, or single frames, and keeps their latents, scenes and things' places in pieces, for the training of the transformer.

A piece is drawn from its own seed, so that more can be made at any time, also while the transformer trains on those that are there.
"""

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan

import fast
from draw import draw_one
from train_vae import CONFIG
from training import load, save
from world import OTHER_FORMS, PART

PIECES = {"clips": 500, "images": 2500}  # scenes in a piece
CELL = 4  # pixels of a cell of the kept covers


def cells(cover):
    """Covers uint8 [T',2,H/4,W/4] of covers [T,H,W]: the first and second half of the frames of each latent, T' = (T + 3) / 4."""
    cover = torch.from_numpy(cover).float()
    cover = torch.cat([cover[:1].repeat(4, 1, 1), cover[1:]])
    small = torch.nn.functional.avg_pool3d(cover[None], (2, CELL, CELL))[0]
    return small.unflatten(0, (-1, 2)).round().to(torch.uint8)


def encode(vae, x):
    """Mean and log-variance of the latents of a clip [1,3,T,H,W]."""
    with torch.no_grad(), torch.autocast(x.device.type, torch.bfloat16):
        return fast.encode(vae, x.contiguous(memory_format=torch.channels_last_3d))


def part_of(kind, number):
    """What a piece is drawn of: every fourth one has another size or length, in turn."""
    width, height, frames = OTHER_FORMS[number // 4 % len(OTHER_FORMS)] if number % 4 == 3 else (PART.width, PART.height, PART.frames)
    return replace(PART, width=width, height=height, frames=1 if kind == "images" else frames)


def piece(vae, kind, count, seed, device, first_frames):
    """Latents [N,z,T',H/8,W/8], covers and scenes of one piece, and the spread of the encoder's noise [z].

    With `first_frames` also the latents of each clip's first frame followed by grey ones, which an image-to-video transformer is given.
    """
    rng = np.random.default_rng([11 + (kind == "images"), seed])
    part = part_of(kind, seed)
    latents, conditions, covers, scenes, variance = [], [], [], [], 0.0
    while len(scenes) < count:
        scene, clip, cover = draw_one(rng, part=part)
        x = torch.from_numpy(clip).to(device).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        mean, log_variance = encode(vae, x)
        latents.append(mean[0].half().cpu())
        if first_frames:
            x[:, :, 1:] = 0
            conditions.append(encode(vae, x)[0][0].half().cpu())
        variance = variance + log_variance.exp().mean((0, 2, 3, 4)).cpu() / count
        covers.append(cells(cover))
        scenes.append(asdict(scene))
    kept = {"latents": torch.stack(latents), "covers": torch.stack(covers), "scenes": scenes}
    return (kept | {"conditions": torch.stack(conditions)} if first_frames else kept), variance


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--pieces", type=int, default=40, help="pieces that there are to be")
    parser.add_argument("--scenes", type=int, help=f"in a piece, else {PIECES}")
    parser.add_argument("--first", type=int, default=0, help="number of the first piece to make, where several processes share the work")
    parser.add_argument("--kind", choices=list(PIECES), default="clips")
    parser.add_argument("--first-frames", action="store_true", help="with clips: also keep what image-to-video transformers are given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    fast.whole_sequence_vae()
    vae = AutoencoderKLWan(**CONFIG).eval().to(args.device)
    fast.frame_by_frame(vae)
    load(torch.load(args.work / "vae.pt", map_location=args.device)["average"], vae)
    for number in range(args.first, args.pieces):
        path = args.work / args.kind / f"{number:04d}.pt"
        if path.exists() and (not args.first_frames or "conditions" in torch.load(path)):
            continue
        kept, variance = piece(vae, args.kind, args.scenes or PIECES[args.kind], number, args.device, args.first_frames)
        if not (args.work / "statistics.pt").exists():
            values = kept["latents"].float()
            mean, std = values.mean((0, 2, 3, 4)), (values.var((0, 2, 3, 4)) + variance).sqrt()
            print("mean", mean.numpy().round(2), "std", std.numpy().round(2), "noise", variance.sqrt().numpy().round(2))
            save({"mean": mean, "std": std}, args.work / "statistics.pt")
        save(kept, path)
        print(number + 1, "pieces", flush=True)


if __name__ == "__main__":
    main()
