"""t2v compare: what it tells of two clips or two files of tensors."""

import json
import math
import os
import subprocess
import unittest

from support import CommandTest
from tensor_files import floats, write_tensors

LOSSLESS = ["-c:v", "ffv1", "-pix_fmt", "bgr0"]


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *arguments], check=True)


class CompareTest(CommandTest):
    def clip(self, name, *, frames=5, size="64x48", filters="null", encoder=LOSSLESS):
        """A moving test picture, changed by `filters`."""
        path = self.folder / name
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=8,{filters},format=rgb24", "-frames:v", str(frames),
               *encoder, str(path))  # fmt: skip
        return path

    def compare(self, *arguments, code=0):
        result = self.run_t2v("compare", *map(str, arguments), "--json")
        self.assertEqual(result.returncode, code, result.stderr.decode())
        return json.loads(result.stdout)

    def text(self, *arguments):
        result = self.run_t2v("compare", *map(str, arguments))
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout.decode()


class Clips(CompareTest):
    def test_equal(self):
        self.clip("a.mkv"), self.clip("b.mkv")
        expected = {"kind": "clips", "width": 64, "height": 48, "frames": [5, 5], "psnr": None, "worst_psnr": None,
                    "ssim": 1, "largest_difference": 0, "largest_frame": None, "first_difference": None}  # fmt: skip
        got = self.compare("a.mkv", "b.mkv")
        self.assertEqual({key: got[key] for key in expected}, expected)
        self.assertEqual(self.text("a.mkv", "b.mkv"), "5 frames of 64x48\nequal\n")

    def test_what_differs(self):
        """A grey box of 8x6 pixels from the third frame on, against what the frames' bytes say."""
        box = "drawbox=x=10:y=20:w=8:h=6:color=gray:t=fill:enable='gte(n,2)'"
        one, other = self.clip("a.mkv"), self.clip("b.mkv", filters=f"format=rgb24,{box}")
        frames = []
        for path in (one, other):
            raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                                 capture_output=True, check=True).stdout  # fmt: skip
            frames.append([raw[i : i + 64 * 48 * 3] for i in range(0, len(raw), 64 * 48 * 3)])
        errors = [[abs(a - b) for a, b in zip(*pair)] for pair in zip(*frames)]
        squares = [sum(error**2 for error in frame) / len(frame) for frame in errors]
        got = self.compare("a.mkv", "b.mkv")
        self.assertAlmostEqual(got["psnr"], 10 * math.log10(255**2 / (sum(squares) / 5)), places=6)
        self.assertAlmostEqual(got["worst_psnr"], 10 * math.log10(255**2 / max(squares)), places=6)
        self.assertEqual(got["worst_frame"], squares.index(max(squares)) + 1)
        self.assertEqual(got["largest_difference"], max(map(max, errors)))
        self.assertEqual(got["first_difference"], 3)

    def test_ssim_is_near_that_of_ffmpeg(self):
        """Which has windows of 8x8 without weights, and luma of BT.601."""
        one, other = self.clip("a.mkv"), self.clip("b.mkv", filters="gblur=sigma=1.5")
        report = subprocess.run(
            ["ffmpeg", "-nostdin", "-i", one, "-i", other, "-lavfi",
             "[0]format=yuv444p[a];[1]format=yuv444p[b];[a][b]ssim", "-f", "null", "-"],
            capture_output=True, check=True, text=True,
        ).stderr  # fmt: skip
        luma = float(report.split("SSIM Y:")[1].split()[0])
        self.assertLess(luma, 0.98)
        self.assertAlmostEqual(self.compare(one, other)["ssim"], luma, delta=0.03)

    def test_one_is_longer(self):
        self.clip("a.mkv", frames=5), self.clip("b.mkv", frames=9)
        got = self.compare("a.mkv", "b.mkv")
        self.assertEqual((got["frames"], got["psnr"], got["first_difference"]), ([5, 9], None, 6))
        self.assertIn("5 frames and 9", self.text("a.mkv", "b.mkv"))

    def test_pictures(self):
        self.clip("a.mkv")
        self.clip("a-%04d.png", encoder=[])
        self.clip("one.png", frames=1, encoder=[])
        for name in ("a-%04d.png", "a.png"):
            got = self.compare("a.mkv", name)
            self.assertEqual((got["frames"], got["first_difference"]), ([5, 5], None), name)
        self.assertEqual(self.compare("one.png", "a-0001.png")["first_difference"], None)
        self.assertEqual(self.compare("one.png", "a.png")["frames"], [1, 5])

    def test_a_picture_without_a_window(self):
        self.clip("a.mkv", size="64x8"), self.clip("b.mkv", size="64x8", filters="negate")
        self.assertIsNone(self.compare("a.mkv", "b.mkv")["ssim"])

    def test_memory_does_not_grow_with_length(self):
        def peak(frames):
            for name in ("a.mp4", "b.mp4"):
                self.clip(name, frames=frames, size="320x240", encoder=["-y"])
            process = self.start_t2v("compare", "a.mp4", "b.mp4", stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            return usage.ru_maxrss

        self.assertLessEqual(peak(120), 1.15 * peak(20))


class Tensors(CompareTest):
    def latents(self, name, *values, tensor="latents", shape=None):
        write_tensors(self.folder / name, {tensor: ("F32", shape or [len(values)], floats(*values))})

    def test_distance(self):
        self.latents("a.safetensors", 3, 4, 0)
        self.latents("b.safetensors", 3, 4, 0.5)
        expected = {"kind": "tensors", "numbers": 3, "relative_distance": 0.1, "snr": 20.0,
                    "largest_difference": 0.5, "largest_tensor": "latents"}  # fmt: skip
        self.assertEqual(self.compare("a.safetensors", "b.safetensors"), expected)
        equal = self.compare("a.safetensors", "a.safetensors")
        self.assertEqual((equal["relative_distance"], equal["snr"], equal["largest_tensor"]), (0, None, None))
        self.assertEqual(self.text("a.safetensors", "a.safetensors"), "3 numbers\nequal\n")

    def test_others(self):
        self.latents("a.safetensors", 1, 2)
        self.latents("name.safetensors", 1, 2, tensor="noise")
        self.latents("shape.safetensors", 1, 2, shape=[2, 1])
        self.latents("nan.safetensors", 1, math.nan)
        for name, code in (("name", 3), ("shape", 3), ("nan", 6)):
            with self.subTest(name):
                self.assert_error(self.run_t2v("compare", "a.safetensors", f"{name}.safetensors"), code)


class Failures(CompareTest):
    def test_gate(self):
        self.clip("a.mkv"), self.clip("b.mkv", filters="noise=alls=8:all_seed=1")
        psnr = self.compare("a.mkv", "b.mkv")["psnr"]
        self.compare("a.mkv", "b.mkv", "--fail-under", psnr - 0.1)
        self.compare("a.mkv", "a.mkv", "--fail-under", 1000)
        result = self.run_t2v("compare", "a.mkv", "b.mkv", "--fail-under", str(psnr + 0.1))
        self.assertEqual(result.returncode, 8)
        self.assertIn(b"PSNR", result.stdout)
        self.assertIn(b"t2v: error: --fail-under: ", result.stderr)
        self.clip("long.mkv", frames=6)
        self.compare("a.mkv", "long.mkv", "--fail-under", 30, code=8)

    def test_inputs(self):
        self.clip("a.mkv")
        self.clip("small.mkv", size="32x32")
        (self.folder / "text.mp4").write_text("hello" * 100)
        (self.folder / "cut.mkv").write_bytes((self.folder / "a.mkv").read_bytes()[:900])
        write_tensors(self.folder / "x.safetensors", {"latents": ("F32", [1], floats(0))})
        for other, part in (("small.mkv", "64x48 and 32x32"), ("missing.mp4", "missing.mp4"), ("text.mp4", "text.mp4"),
                            (".", ""), ("x.safetensors", "two of one kind"), ("cut.mkv", "cut.mkv")):  # fmt: skip
            with self.subTest(other):
                self.assert_error(self.run_t2v("compare", "a.mkv", other), 3, part)
        self.refused("compare", "a.mkv", parts=["B"])


if __name__ == "__main__":
    unittest.main()
