"""Writes a prompts file: canonical English prompts with the scenes they stand for, one JSON object a line.

Kinds: 1 and 2 combine what was never drawn together for training, by the two held-out rules; 0 may have been drawn.
"""

import argparse
import json
from dataclasses import asdict

import numpy as np

import captions
from world import random_scene


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", type=int, nargs="+", default=[1, 2], help="kinds to take in turn")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--only", choices=["single", "camera", "two"], default="single", help="one thing and a still camera, a camera move, or two things")
    parser.add_argument("--language", choices=["english", "simplified", "traditional"], default="english")
    parser.add_argument("--seed", type=int, default=2026)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    for i in range(args.count):
        kind = args.kind[i % len(args.kind)]
        while True:
            scene = random_scene(rng, kind, two=float(args.only == "two"), camera=float(args.only == "camera"), sized=0, speed=0)
            if args.only != "camera" or scene.camera != "still":
                break
        prompt = captions.english(scene) if args.language == "english" else captions.chinese(scene, traditional=args.language == "traditional")
        print(json.dumps({"prompt": prompt, "kind": kind, "seed": i} | asdict(scene), ensure_ascii=False))


if __name__ == "__main__":
    main()
