"""Draws the clips that the VAE is trained on: frames and the things' coverage, uint8 [N,T,H,W,4]."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from draw import draw_one
from world import PART, WORLD

# The whole world, and more of what is hard to give back: two things, camera moves, small and large things.
WHOLE = replace(WORLD, two=0.12, camera=0.3, sized=0.25, least=PART.least)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1000)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    part = args.work / "clips0.part"
    out = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=(args.count, PART.frames, PART.height, PART.width, 4))
    for i in range(args.count):
        _, out[i, ..., :3], out[i, ..., 3] = draw_one(rng, part=WHOLE)
    part.rename(args.work / "clips0.npy")


if __name__ == "__main__":
    main()
