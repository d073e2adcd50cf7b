"""Draws first frames of held-out scenes, has the t2v command continue them as the prompts tell, measures the clips, and prints a table as evaluate.py does."""

import argparse
import json
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

import measure
import sample
from draw import draw
from evaluate import by_word, head, held_out, lines, picture


def first_frame(row, still):
    """The first frame [H,W,3] of a drawing of a row's scene, or of the same with its thing `still`, which need not leave room for the motion to come."""
    rng = np.random.default_rng([17, row["seed"]])
    scene = measure.scene_of(row)
    if still:
        scene.things = [replace(thing, motion="still") for thing in scene.things]
    while True:
        try:
            return draw(scene, rng)[0][0]
        except ValueError:  # the things do not fit this time
            continue


def make(t2v, model, rows, out, still):
    """Writes the clips of rows as 0000.npy, 0001.npy... into the folder `out`, beside the pictures that they go on from."""
    sample.begin(out, sample.digest(model, rows, still).hexdigest())
    jobs = out / "jobs.jsonl"
    with jobs.open("w") as file:
        for i, row in enumerate(rows):
            Image.fromarray(first_frame(row, still)).save(out / f"{i:04d}.png")
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
    parser.add_argument("work", type=Path, help="folder of the clips; those of the same model that are there are kept")
    parser.add_argument("--count", type=int, default=200)
    args = parser.parse_args()
    head()
    continued = partial(make, args.t2v.resolve(), args.model)
    made = lines("first frame of the motion", held_out(args.count), args.work / "moving", partial(continued, still=False))
    lines("first frame of a still thing", held_out(args.count // 2), args.work / "still", partial(continued, still=True))
    print(f"First frames against the pictures: {kept(made):.1f} dB.")
    by_word(made)
    picture(made, args.work / "failures.png")


if __name__ == "__main__":
    main()
