"""Writes a prompts file: canonical English prompts with the scenes they stand for, one JSON object a line.

Kinds: 1 and 2 combine what was never drawn together for training, by the two held-out rules; 0 may have been drawn.
"""

import argparse
import json
from dataclasses import asdict, replace

import numpy as np

import captions
from world import PART, random_scene

SEED = 2028  # of the choice of prompts; another one for each model that is measured, since the last one's failures shape the next one's training


def rows(kinds, count, only="single", language="english", seed=SEED, varied=False, other_words=0.0):
    """Prompts with their scenes and seeds, of the part of the world that the model is to follow; `varied` and `other_words` as in captions.py."""
    rng = np.random.default_rng(seed)
    part = replace(PART, two=float(only == "two"), camera=float(only == "camera"), sized=float(only == "sizes"), speed=float(only == "sizes"))
    out = []
    for i in range(count):
        kind = kinds[i % len(kinds)]
        while True:
            scene = random_scene(rng, kind, part)
            if only != "camera" or scene.camera != "still":
                break
        if language == "english":
            prompt = captions.english(scene, rng, varied, other_words)
        else:
            prompt = captions.chinese(scene, rng, varied, language == "traditional", other_words)
        out.append({"prompt": prompt, "kind": kind, "seed": i} | asdict(scene))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", type=int, nargs="+", default=[1, 2], help="kinds to take in turn")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--only", choices=["single", "camera", "two", "sizes"], default="single", help="one thing and a still camera, a camera move, two things, or a size and a speed word")
    parser.add_argument("--language", choices=["english", "simplified", "traditional"], default="english")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    for row in rows(args.kind, args.count, args.only, args.language, args.seed):
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
