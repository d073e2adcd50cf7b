"""Makes the clips of held-out and other prompts, measures them, and prints the tables of the model card.

The prompts are of the part of the world that the model is to follow (PART). An evaluation that was stopped goes on with the clips of the same model that are in
the work folder.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

import measure
import prompts
import sample
from world import OTHER_FORMS, PART

COLUMNS = ("background", "colour", "object", "motion", "camera", "one thing")
COLUMNS += (("size", "speed") if PART.sized else ()) + (("both", "two motions", "relation") if PART.two else ())


def held_out(count, language="english"):
    """Titles and prompts of combinations that were never drawn for training: `count` in all, a fifth each of camera moves, two things, and sizes and speeds, if there are any."""
    fifth = count // 5
    special = []
    if PART.camera:
        special.append(("camera moves", prompts.rows([1, 2], fifth, "camera", language, seed=6)))
    if PART.two:
        special.append(("two things", prompts.rows([1, 2], fifth, "two", language, seed=7)))
    if PART.sized:
        special.append(("sizes and speeds", prompts.rows([1, 2], fifth, "sizes", language, seed=8)))
    single = (count - fifth * len(special)) // 2
    return [(f"kind {kind}", prompts.rows([kind], single, language=language)) for kind in (1, 2)] + special


def others(count):
    """Titles and prompts of the rows that held-out English prompts are compared with."""
    out = [("neither kind", prompts.rows([0], count, seed=5))]
    for language in ("simplified", "traditional"):
        out += [(f"{language} Chinese, {title}", rows) for title, rows in held_out(count, language)]
    for name, language in (("English", "english"), ("simplified Chinese", "simplified"), ("traditional Chinese", "traditional")):
        out.append((f"held out, synonyms, {name}", prompts.rows([1, 2], count // 2, language=language, other_words=1.0)))
        out.append((f"held out, free wording, {name}", prompts.rows([1, 2], count // 2, language=language, varied=True, other_words=0.3)))
    return out


class Made(NamedTuple):
    """A clip of a row, what the measurement confirms of it, and its flicker."""

    row: dict
    clip: Path
    right: dict[str, bool]
    flicker: float


def judged(rows, folder):
    """The clips of rows in a folder, measured."""
    made = []
    for i, row in enumerate(rows):
        clip = folder / f"{i:04d}.npy"
        seen = measure.measure(np.load(clip))
        made.append(Made(row, clip, measure.compare(measure.scene_of(row), seen), seen["flicker"]))
    return made


def head():
    print(f"| prompts | clips | {' | '.join(COLUMNS)} | flicker |\n|{'---|' * (len(COLUMNS) + 3)}")


def share(right, asked):
    """A share in percent with its 95 % interval."""
    low, high = measure.interval(right, asked)
    return f"{100 * right / asked:.0f} % ({low:.0f}-{high:.0f})"


def line(title, made):
    sums = measure.table([one.right for one in made])
    cells = [share(*sums[c]) if c in sums else "" for c in COLUMNS]
    print(f"| {title} | {len(made)} | {' | '.join(cells)} | {np.mean([one.flicker for one in made]):.2f} |", flush=True)


def lines(title, all_sets, folder, make):
    """A line for each set of prompts and one for all of them, with the clips that `make(rows, folder)` makes, which are returned."""
    made = []
    for number, (name, rows) in enumerate(all_sets):
        make(rows, folder / str(number))
        made += judged(rows, folder / str(number))
        line(f"{title}, {name}" if title else name, made[-len(rows) :])
    if title:
        line(f"{title}, all", made)
    return made


def same_prompts(title, made, others):
    """A line for each kind, and one for all, of those clips of `made` whose prompts and seeds others were made of."""
    asked = [one.row for one in others]
    same = [one for one in made if one.row in asked]
    for kind in sorted({one.row["kind"] for one in same}):
        line(f"{title}, kind {kind}", [one for one in same if one.row["kind"] == kind])
    line(f"{title}, all", same)


def by_word(made):
    """Prints of how many clips of one thing the thing and the motion are right, for each motion, thing and colour."""
    for word in ("motion", "shape", "colour"):
        rights = {}
        for one in made:
            if len(one.row["things"]) == 1:
                rights.setdefault(one.row["things"][0][word], []).append(one.right)
        for name, some in rights.items():
            measure.show(name, {key: sums for key, sums in measure.table(some).items() if key in ("object", "motion")})


def picture(made, path, count=8):
    """Writes five frames of some of the clips that something is wrong with, two clips a row, and prints what."""
    wrong = [one for one in made if not all(one.right.values())]
    if len(wrong) < 2:
        return
    strips = []
    for i in np.linspace(0, len(wrong) - 1, min(count, len(wrong))).astype(int):
        print(f"- {wrong[i].row['prompt']} ({', '.join(name for name, right in wrong[i].right.items() if not right)})")
        frames = np.load(wrong[i].clip)
        strips.append(np.concatenate(list(frames[:: (len(frames) - 1) // 4]), 1))
    gap = np.full((len(strips[0]), 8, 3), 255, np.uint8)
    rows = [np.concatenate([a, gap, b], 1) for a, b in zip(strips[::2], strips[1::2])]
    Image.fromarray(np.concatenate(rows)).save(path, optimize=True)


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
    parser.add_argument("--count", type=int, default=500, help="held-out English prompts; the other rows have a fifth or a tenth as many, the LoRA's two fifths")
    parser.add_argument("--lora", type=Path, nargs=2, metavar=("LORA", "PRESET"), help="also measure the model with a LoRA and its preset")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    head()
    model, preset, work = args.model, args.preset, args.work
    made = lines("held out", held_out(args.count), work / "held-out", partial(sample.make, model, preset))
    if args.lora:
        lora, its_preset = args.lora
        fewer = lines("held out, four steps with the LoRA", held_out(args.count * 2 // 5), work / "lora", partial(sample.make, model, its_preset, lora=lora))
        same_prompts("the same prompts without the LoRA", made, fewer)
    lines("", others(args.count // 5), work / "others", partial(sample.make, model, preset))
    for width, height, frames in OTHER_FORMS:
        name = f"{width}x{height}, {frames} frames"
        lines(name, held_out(args.count // 5), work / name, partial(sample.make, model, preset, form=(width, height, frames)))
    unguided = lines("without guidance", held_out(args.count // 10), work / "unguided", partial(sample.make, model, preset, guidance=1.0))
    same_prompts("the same prompts with guidance", made, unguided)
    spread(model, preset, work, held_out(args.count)[0][1][0]["prompt"])
    by_word(made)
    picture(made, work / "failures.png")


if __name__ == "__main__":
    main()
