"""Draws first frames of held-out scenes, has the t2v command continue them as the prompts tell, measures the clips, and prints a table as evaluate.py does."""

import argparse
import json
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

import measure
from draw import draw
from evaluate import by_word, head, held_out, lines, picture


def first_frame(row):
    """The first frame [H,W,3] of a drawing of a row's scene."""
    rng = np.random.default_rng([17, row["seed"]])
    while True:
        try:
            return draw(measure.scene_of(row), rng)[0][0]
        except ValueError:  # the things do not fit this time
            continue


def make(t2v, model, rows, out):
    """Writes the clips of rows as 0000.npy, 0001.npy... into the folder `out`, beside the pictures that they go on from."""
    out.mkdir(parents=True, exist_ok=True)
    jobs = out / "jobs.jsonl"
    with jobs.open("w") as file:
        for i, row in enumerate(rows):
            Image.fromarray(first_frame(row)).save(out / f"{i:04d}.png")
            job = {"prompt": row["prompt"], "seed": row["seed"], "image": str((out / f"{i:04d}.png").resolve()), "output": f"{i:04d}.mkv"}
            file.write(json.dumps(job) + "\n")
    subprocess.run([t2v, "batch", "--prompts", jobs, "--model", model, "--quality", "lossless", "--quiet", "-o", out], check=True, stdout=subprocess.DEVNULL)
    for i in range(len(rows)):
        np.save(out / f"{i:04d}.npy", measure.read_clip(out / f"{i:04d}.mkv"))


def kept(made):
    """Mean peak signal-to-noise ratio, in dB, of the clips' first frames against the pictures."""
    frames = [(np.load(one.clip)[0].astype(float), np.asarray(Image.open(one.clip.with_suffix(".png")))) for one in made]
    return np.mean([10 * np.log10(255**2 / np.square(frame - given).mean()) for frame, given in frames])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("t2v", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("work", type=Path, help="folder of the clips; those of the same model that are there are not made again")
    parser.add_argument("--count", type=int, default=200)
    args = parser.parse_args()
    head()
    made = lines("first frame given", held_out(args.count), args.work, partial(make, args.t2v.resolve(), args.model))
    print(f"First frames against the pictures: {kept(made):.1f} dB.")
    by_word(made)
    picture(made, args.work / "failures.png")


if __name__ == "__main__":
    main()
