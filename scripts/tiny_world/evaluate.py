"""Makes the clips of held-out and other prompts, measures them, and prints the tables of the model card.

The prompts are of the part of the world that the model is trained on. Clips that are in the work folder already are not made again, so an
evaluation that was stopped goes on; empty the folder for a new model.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import measure
import prompts
import sample
from world import PART

COLUMNS = ("background", "colour", "object", "motion", "camera", "one thing") + (("two things", "two colours", "two objects", "relation") if PART.two else ())


def sets(count):
    """Title and prompts of each row of the table."""
    few = max(1, count // 4)
    out = [
        ("held out, kind 1", prompts.rows([1], count // 2)),
        ("held out, kind 2", prompts.rows([2], count // 2)),
        ("neither", prompts.rows([0], count // 2, seed=5)),
        ("held out, simplified Chinese", prompts.rows([1, 2], count // 2, language="simplified")),
        ("held out, traditional Chinese", prompts.rows([1, 2], count // 2, language="traditional")),
    ]
    if PART.camera:
        out.append(("camera moves", prompts.rows([0], few, "camera", seed=6)))
    if PART.two:
        out.append(("two things", prompts.rows([0], few, "two", seed=7)))
    return out


def figures(rows, folder):
    """Shares of right answers by attribute and the mean flicker of the clips of a folder."""
    results, flicker = [], []
    for i, row in enumerate(rows):
        seen = measure.measure(np.load(folder / f"{i:04d}.npy"))
        results.append(measure.compare(measure.scene_of(row), seen))
        flicker.append(seen["flicker"])
    return measure.table(results), np.mean(flicker)


def line(title, rows, folder):
    sums, flicker = figures(rows, folder)
    cells = [f"{100 * sums[c][0] / sums[c][1]:.0f} %" if c in sums else "" for c in COLUMNS]
    print(f"| {title} | {len(rows)} | {' | '.join(cells)} | {flicker:.2f} |", flush=True)


def spread(model, preset, work, prompt):
    """Prints how far clips of one prompt are from each other: other seeds, the same seed, a negative prompt."""
    sample.make(model, preset, [{"prompt": prompt, "seed": seed} for seed in (1, 2, 3, 4, 1)], work / "seeds")
    sample.make(model, preset, [{"prompt": prompt, "seed": 1}], work / "negative", negative="a ball on a black background")
    *clips, again = (np.load(path).astype(float) for path in sorted((work / "seeds").glob("*.npy")))
    apart = np.mean([np.abs(a - b).mean() for i, a in enumerate(clips) for b in clips[:i]])
    other = np.abs(np.load(work / "negative" / "0000.npy") - clips[0]).mean()
    print(f"Mean difference of clips of one prompt, of 255: other seeds {apart:.1f}, same seed {np.abs(clips[0] - again).mean():.2f}, negative prompt {other:.1f}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("preset", type=Path)
    parser.add_argument("work", type=Path, help="folder of the clips")
    parser.add_argument("--count", type=int, default=100, help="held-out English prompts; the other rows follow")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"| prompts | clips | {' | '.join(COLUMNS)} | flicker |\n|{'---|' * (len(COLUMNS) + 3)}")
    all_sets = sets(args.count)
    for number, (title, rows) in enumerate(all_sets):
        sample.make(args.model, args.preset, rows, args.work / str(number))
        line(title, rows, args.work / str(number))
    title, rows = all_sets[0]
    rows = rows[: max(1, args.count // 4)]
    sample.make(args.model, args.preset, rows, args.work / "unguided", guidance=1.0)
    line(f"{title}, without guidance", rows, args.work / "unguided")
    spread(args.model, args.preset, args.work, rows[0]["prompt"])


if __name__ == "__main__":
    main()
