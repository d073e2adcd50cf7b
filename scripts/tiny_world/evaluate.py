"""Makes the clips of held-out and other prompts, measures them, and prints the tables of the model card.

The prompts are of the part of the world that the model is trained on. An evaluation that was stopped goes on with the clips that are in the work folder.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import measure
import prompts
import sample
from world import OTHER_FORMS, PART

COLUMNS = ("background", "colour", "object", "motion", "camera", "one thing") + (("two things", "two colours", "two objects", "relation") if PART.two else ())


def held_out(count, language="english"):
    """Titles and prompts of combinations that were never drawn for training: `count` in all, a fifth each of camera moves and of two things, if there are any."""
    fifth = count // 5
    special = []
    if PART.camera:
        special.append(("camera moves", prompts.rows([1, 2], fifth, "camera", language, seed=6)))
    if PART.two:
        special.append(("two things", prompts.rows([1, 2], fifth, "two", language, seed=7)))
    single = (count - fifth * len(special)) // 2
    return [(f"kind {kind}", prompts.rows([kind], single, language=language)) for kind in (1, 2)] + special


def others(count):
    """Titles and prompts of the rows that held-out English prompts are compared with."""
    out = [("neither kind", prompts.rows([0], count, seed=5))]
    for language in ("simplified", "traditional"):
        out += [(f"{language} Chinese, {title}", rows) for title, rows in held_out(count, language)]
    return out


def judged(rows, folder):
    """What the measurement confirms of each clip of a folder, and the clips' mean flicker."""
    seen = [measure.measure(np.load(folder / f"{i:04d}.npy")) for i in range(len(rows))]
    return [measure.compare(measure.scene_of(row), one) for row, one in zip(rows, seen)], [one["flicker"] for one in seen]


def line(title, results, flicker):
    sums = measure.table(results)
    cells = [f"{100 * sums[c][0] / sums[c][1]:.0f} %" if c in sums else "" for c in COLUMNS]
    print(f"| {title} | {len(results)} | {' | '.join(cells)} | {np.mean(flicker):.2f} |", flush=True)


def lines(title, all_sets, folder, make):
    """A line for each set of prompts and one for all of them, with the clips that `make(rows, folder)` makes; returns what is wrong with which clip."""
    results, flicker, wrong = [], [], []
    for number, (name, rows) in enumerate(all_sets):
        place = folder / str(number)
        make(rows, place)
        one, two = judged(rows, place)
        line(f"{title}, {name}" if title else name, one, two)
        results += one
        flicker += two
        wrong += [(row["prompt"], [n for n, right in seen.items() if not right], place / f"{i:04d}.npy") for i, (row, seen) in enumerate(zip(rows, one))]
    if title:
        line(f"{title}, all", results, flicker)
    return [item for item in wrong if item[1]]


def picture(wrong, path, count=8):
    """Writes five frames of some of the clips that something is wrong with, two clips a row, and prints what."""
    chosen = [wrong[i] for i in np.linspace(0, len(wrong) - 1, min(count, len(wrong))).astype(int)]
    strips = []
    for prompt, names, clip in chosen:
        print(f"- {prompt} ({', '.join(names)})")
        frames = np.load(clip)
        strips.append(np.concatenate(list(frames[:: (len(frames) - 1) // 4]), 1))
    gap = np.full((len(strips[0]), 8, 3), 255, np.uint8)
    rows = [np.concatenate([a, gap, b], 1) for a, b in zip(strips[::2], strips[1::2])]
    Image.fromarray(np.concatenate(rows)).quantize(256).save(path, optimize=True)


def spread(model, preset, work, prompt):
    """Prints how far clips of one prompt are from each other: other seeds, the same seed, a negative prompt."""
    sample.make(model, preset, [{"prompt": prompt, "seed": seed} for seed in (1, 2, 3, 4, 1)], work / "seeds")
    sample.make(model, preset, [{"prompt": prompt, "seed": 1}], work / "negative", negative="a ball on a black background")
    *clips, again = (np.load(path).astype(float) for path in sorted((work / "seeds").glob("0*.npy")))
    apart = np.mean([np.abs(a - b).mean() for i, a in enumerate(clips) for b in clips[:i]])
    other = np.abs(np.load(work / "negative" / "0000.npy") - clips[0]).mean()
    print(f"Mean difference of clips of one prompt, of 255: other seeds {apart:.1f}, same seed {np.abs(clips[0] - again).mean():.2f}, negative prompt {other:.1f}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("preset", type=Path)
    parser.add_argument("work", type=Path, help="folder of the clips")
    parser.add_argument("--count", type=int, default=500, help="held-out English prompts; the other rows have a fifth as many, the LoRA's two fifths")
    parser.add_argument("--lora", type=Path, nargs=2, metavar=("LORA", "PRESET"), help="also measure the model with a LoRA and its preset")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"| prompts | clips | {' | '.join(COLUMNS)} | flicker |\n|{'---|' * (len(COLUMNS) + 3)}")
    model, preset, work = args.model, args.preset, args.work
    wrong = lines("held out", held_out(args.count), work / "held-out", partial(sample.make, model, preset))
    if args.lora:
        lora, its_preset = args.lora
        lines("held out, LoRA", held_out(args.count * 2 // 5), work / "lora", partial(sample.make, model, its_preset, lora=lora))
    lines("", others(args.count // 5), work / "others", partial(sample.make, model, preset))
    for width, height, frames in OTHER_FORMS:
        name = f"{width}x{height}, {frames} frames"
        lines(name, held_out(args.count // 5), work / name, partial(sample.make, model, preset, form=(width, height, frames)))
    lines("without guidance", held_out(args.count // 10), work / "unguided", partial(sample.make, model, preset, guidance=1.0))
    spread(model, preset, work, held_out(args.count)[0][1][0]["prompt"])
    if len(wrong) > 1:
        picture(wrong, work / "failures.png")


if __name__ == "__main__":
    main()
