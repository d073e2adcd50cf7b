"""Makes 12 clips with the t2v command and lays them out as one animated picture.

    gallery.py T2V OUT.gif [MODEL]
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import prompts

COLUMNS, GAP = 4, 4


def render(t2v, model, prompt, seed, folder):
    """Frames of one clip."""
    command = [str(t2v), "--prompt", prompt, "--seed", str(seed), "--output", str(folder / "frame.png")]
    subprocess.run(command + (["--model", str(model)] if model else []), check=True, stdout=subprocess.DEVNULL)
    return [Image.open(path).convert("RGB") for path in sorted(folder.glob("frame-*.png"))]


def palette_of(film):
    """Picture with a palette of 256 colours: half for what there is most of, half for the tenth of the pixels that those show worst, as small things."""
    most = film.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    pixels = np.asarray(film).reshape(-1, 3)
    error = np.square(pixels.astype(int) - np.asarray(most.convert("RGB")).reshape(-1, 3)).sum(1)
    worst = pixels[np.argsort(error)[-len(error) // 10 :]]
    rest = Image.fromarray(worst[None]).quantize(128, method=Image.Quantize.MEDIANCUT)
    palette = Image.new("P", (1, 1))
    palette.putpalette(most.getpalette()[: 3 * 128] + rest.getpalette()[: 3 * 128])
    return palette


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("t2v", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--seed", type=int, default=25, help="of the choice of prompts; this one has many of the words")
    args = parser.parse_args()
    clips = []
    for row in prompts.rows([1, 2, 0], 12, seed=args.seed):
        print(row["prompt"], flush=True)
        with tempfile.TemporaryDirectory() as folder:
            clips.append(render(args.t2v, args.model, row["prompt"], row["seed"], Path(folder)))
    width, height = clips[0][0].size
    pages = []
    for frames in zip(*clips):
        page = Image.new("RGB", (COLUMNS * (width + GAP) - GAP, -(-len(clips) // COLUMNS) * (height + GAP) - GAP), "white")
        for i, frame in enumerate(frames):
            page.paste(frame, (i % COLUMNS * (width + GAP), i // COLUMNS * (height + GAP)))
        pages.append(page)
    film = Image.new("RGB", (pages[0].width, pages[0].height * len(pages)))
    for i, page in enumerate(pages):
        film.paste(page, (0, i * page.height))
    palette = palette_of(film)
    pages = [page.quantize(palette=palette, dither=Image.Dither.NONE) for page in pages]
    pages[0].save(args.out, save_all=True, append_images=pages[1:], duration=125, loop=0)


if __name__ == "__main__":
    main()
