"""Draws the clips that the VAE is trained on: frames and the things' coverage, uint8 [N,T,H,W,4]."""

import argparse
from pathlib import Path

import numpy as np

from draw import draw
from world import PART, random_scene


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1000)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    part = args.work / "clips0.part"
    out = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=(args.count, PART.frames, PART.height, PART.width, 4))
    done = 0
    while done < args.count:
        try:
            frames, cover = draw(random_scene(rng), rng)
        except ValueError:
            continue
        out[done, ..., :3], out[done, ..., 3] = frames, cover
        done += 1
    part.rename(args.work / "clips0.npy")


if __name__ == "__main__":
    main()
