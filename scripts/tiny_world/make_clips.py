"""Draws the clips that the VAE is trained on: frames and the things' coverage, uint8 [N,T,H,W,4]."""

import argparse
from dataclasses import replace
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from draw import draw_one
from world import PART, WORLD

RUN = 100  # clips that one seed is for
# The whole world, with more of the clips that the VAE tears: fast and turning things, two things, camera moves, small and large things.
FAST = ("bounces", "circles", "swings", "spins")
WHOLE = replace(WORLD, motions=WORLD.motions + FAST, two=0.15, camera=0.2, sized=0.3)


def draw_some(path, first, count, seed):
    """Draws a run of the clips of a file."""
    rng = np.random.default_rng([seed, first])
    out = np.load(path, mmap_mode="r+")
    for i in range(first, first + count):
        _, out[i, ..., :3], out[i, ..., 3] = draw_one(rng, part=WHOLE)
    out.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()
    part = args.work / "clips0.part"
    np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=(args.count, PART.frames, PART.height, PART.width, 4))
    runs = [(part, first, min(RUN, args.count - first), args.seed) for first in range(0, args.count, RUN)]
    with Pool(args.processes) as pool:
        pool.starmap(draw_some, runs, 1)
    part.rename(args.work / "clips0.npy")


if __name__ == "__main__":
    main()
