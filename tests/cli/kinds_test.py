"""Every kind of Wan model: the real binary on tiny checkpoints, and what does not suit a kind is told by its flag."""

import json
import math
import shutil
import struct
import unittest

from support import ROOT, CommandTest

FIXTURES = ROOT / "tests/fixtures"
CASES = FIXTURES / "pipelines"
KINDS = FIXTURES / "tiny-kinds"
TALL, WIDE = CASES / "tall.png", CASES / "wide.png"
CONTROL, MASK = CASES / "control.mkv", CASES / "mask.mkv"
# What the reference calls a setting, and the flag for it; files are beside the case.
FLAGS = {
    "negative_prompt": "--negative-prompt", "height": "--height", "width": "--width", "num_frames": "--frames",
    "num_inference_steps": "--steps", "guidance_scale": "--guidance-scale", "guidance_scale_2": "--guidance-scale-2",
    "seed": "--seed", "sampler": "--sampler", "conditioning_scale": "--conditioning-scale",
}  # fmt: skip
FILES = {
    "image": "--image", "last_image": "--end-image", "video": "--control-video", "mask": "--control-mask",
    "reference_images": "--reference-image",
}  # fmt: skip


def latents_of(path):
    """Shape and numbers of the tensor `latents` of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    entry = json.loads(data[8 : 8 + length])["latents"]
    begin, end = entry["data_offsets"]
    return entry["shape"], struct.unpack(f"<{(end - begin) // 4}f", data[8 + length + begin : 8 + length + end])


class KindTest(CommandTest):
    def arguments(self, case):
        words = ["--model", str(FIXTURES / case["checkpoint"]), "--prompt", case["prompt"], "-o", "clip.mkv"]
        for key, flag in FLAGS.items():
            if case.get(key) is not None:
                words += [flag, str(case[key])]
        for key, flag in FILES.items():
            for name in [case[key]] if isinstance(case.get(key), str) else case.get(key, []):
                words += [flag, str(CASES / name)]
        return words


class WholeClips(KindTest):
    def render(self, name):
        case = json.loads((CASES / f"{name}.json").read_text())
        result = self.run_t2v(*self.arguments(case), "--save-latents", "latents.safetensors", "--overwrite")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assert_whole_clip(self.folder / "clip.mkv", case["num_frames"])
        (shape, ours), (expected_shape, expected) = map(latents_of, (self.folder / "latents.safetensors",
                                                                     CASES / f"{name}.safetensors"))  # fmt: skip
        self.assertEqual(shape, expected_shape)
        difference = math.dist(ours, expected) / math.hypot(*expected)
        self.assertLess(difference, 1e-4)

    def test_every_kind(self):
        for name in ("guided", "lcm", "two_experts", "image", "first_and_last", "last_two_experts", "tokens_text",
                     "tokens_image", "control", "reference"):  # fmt: skip
            with self.subTest(name):
                self.render(name)

    def test_everything_is_recorded(self):
        case = json.loads((CASES / "control.json").read_text())
        settings = self.settings(*self.arguments(case), "--vae-tiling")
        expected = {"control_video": str(CONTROL), "control_mask": str(MASK), "conditioning_scale": 0.8, "vae_tiling": True,
                    "reference_image": [str(TALL), str(WIDE)]}  # fmt: skip
        self.assertEqual({key: settings.get(key) for key in expected}, expected)
        case = json.loads((CASES / "two_experts.json").read_text())
        settings = self.settings(*self.arguments(case), "--moe-boundary", "0.5", "--vae", str(FIXTURES / "tiny-wan/vae"))
        expected = {"guidance_scale": 4.0, "guidance_scale_2": 3.0, "boundary_ratio": 0.5,
                    "vae": str(FIXTURES / "tiny-wan/vae")}  # fmt: skip
        self.assertEqual({key: settings.get(key) for key in expected}, expected)

    def test_a_stretched_image_is_told(self):
        case = json.loads((CASES / "image.json").read_text())
        words = ["--steps", "1", "--overwrite"]
        stretched = self.run_t2v(*self.arguments({**case, "height": 48, "width": 80}), *words)  # a picture of 40x56
        self.assertIn(b"--image of 40x56 is stretched to 80x48; --size 48x64 is nearer", stretched.stderr)
        fitting = self.run_t2v(*self.arguments({**case, "height": 64, "width": 48}), *words)
        self.assertEqual((fitting.returncode, fitting.stderr.count(b"stretched")), (0, 0))

    def test_parts_from_elsewhere(self):
        """The parts of a checkpoint, named one by one, are the checkpoint."""
        model = FIXTURES / "tiny-wan"
        quick = ["--prompt", "snow", "--size", "32x32", "--frames", "5", "--steps", "2", "--seed", "3"]
        whole = self.run_t2v(*quick, "-m", str(model), "-o", "1.mkv", "--save-latents", "1.safetensors")
        self.assertEqual(whole.returncode, 0, whole.stderr.decode())
        parts = []
        for part in ("transformer", "vae", "text-encoder", "tokenizer"):
            parts += [f"--{part}", str(model / part.replace("-", "_"))]
        mixed = self.run_t2v(*quick, *parts, "--flow-shift", "3", "-o", "2.mkv", "--save-latents", "2.safetensors")
        self.assertEqual(mixed.returncode, 0, mixed.stderr.decode())
        self.assertEqual(latents_of(self.folder / "1.safetensors"), latents_of(self.folder / "2.safetensors"))


class WhatDoesNotSuit(KindTest):
    def refused_by(self, kind, *arguments, parts, code=2):
        result = self.run_t2v("-m", str(KINDS / kind if kind != "tiny-wan" else FIXTURES / kind), "-p", "snow", "-o", "x.mkv",
                              "--size", "64x64", "--frames", "5", *map(str, arguments))  # fmt: skip
        self.assert_error(result, code, *parts)
        self.assertNotIn(b"loading", result.stderr)
        self.assert_files()

    def test_images(self):
        self.refused_by("tiny-wan", "--image", TALL, parts=["--image: ", "text-to-video", "leave it out"])
        self.refused_by("2.2-t2v", "-i", TALL, parts=["--image: ", "text-to-video"])
        self.refused_by("2.1-i2v", parts=["--image: ", "nothing", "image-to-video"])
        self.refused_by("2.2-i2v", parts=["--image: ", "nothing"])
        self.refused_by("2.1-i2v", "--image", TALL, "--end-image", WIDE, parts=["--end-image: ", "FLF2V"])
        self.refused_by("2.1-flf2v", "--image", TALL, parts=["--end-image: ", "nothing", "first-and-last"])
        self.refused_by("2.2-ti2v", "--image", TALL, "--end-image", WIDE, parts=["--end-image: "])
        self.refused_by("2.1-vace", "--image", TALL, parts=["--image: ", "VACE"])
        self.refused_by("2.2-i2v", "--image", TALL, "--end-image", WIDE, "--frames", "1", parts=["--end-image: ", "one frame"])

    def test_control(self):
        for flag, value in (("--control-video", CONTROL), ("--control-mask", MASK), ("--reference-image", TALL),
                            ("--conditioning-scale", "0.5")):  # fmt: skip
            self.refused_by("tiny-wan", flag, value, parts=[f"{flag}: ", "VACE"])
        self.refused_by("2.1-vace", "--control-mask", MASK, parts=["--control-mask: ", "--control-video"])
        self.refused_by("2.1-vace", "--control-video", CONTROL, "--frames", "9", parts=["--control-video", "5 frames",
                                                                                       "--frames 5"])  # fmt: skip

    def test_experts(self):
        self.refused_by("tiny-wan", "--guidance-scale-2", "3", parts=["--guidance-scale-2: ", "two experts"])
        self.refused_by("2.1-vace", "--boundary-ratio", "0.5", parts=["--boundary-ratio: ", "two experts"])

    def test_files(self):
        self.refused_by("2.1-i2v", "--image", "missing.png", parts=["--image missing.png", "no such file, expected a picture;"], code=3)
        self.refused_by("2.1-i2v", "--image", KINDS, parts=["--image", "a folder"], code=3)
        self.refused_by("2.1-i2v", "--image", CASES / "image.json", parts=["image.json"], code=3)
        self.refused_by("2.1-vace", "--reference-image", "missing.png", parts=["missing.png"], code=3)
        self.refused_by("2.1-vace", "--control-video", TALL.with_suffix(".json"), parts=["--control-video"], code=3)
        self.refused_by("2.1-vace", "--control-video", CASES / "image.json", parts=["image.json"], code=3)

    def test_no_image_encoder(self):
        model = self.folder / "model"
        shutil.copytree(KINDS / "2.1-i2v", model)
        shutil.rmtree(model / "image_encoder")
        index = json.loads((model / "model_index.json").read_text())
        index["image_encoder"] = [None, None]
        (model / "model_index.json").write_text(json.dumps(index))
        result = self.run_t2v("-m", "model", "-p", "snow", "-o", "x.mkv", "--size", "64x64", "--frames", "5", "-i", str(TALL))
        self.assert_error(result, 3, "image_encoder")


if __name__ == "__main__":
    unittest.main()
