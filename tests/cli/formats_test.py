"""What a clip is written as: containers, codecs, layouts of numbers; and numbers that are computed in."""

import json
import re

from clip_test import ClipTest, ffprobe, pixels, psnr
from support import QUICK, ROOT
from tensor_files import read_tensors


def stream_of(path):
    probe = ffprobe(path, "stream=codec_name,pix_fmt,width,height,nb_read_frames,color_space,color_range:format_tags=comment")
    (stream,) = probe["streams"]
    return stream, probe["format"].get("tags", {})


class Formats(ClipTest):
    def expect(self, output, codec, pix_fmt, *arguments, smallest_psnr=34, space="bt709"):
        path = self.render(*QUICK, *arguments, output=output)
        stream, tags = stream_of(path)
        self.assertEqual((stream["codec_name"], stream["pix_fmt"]), (codec, pix_fmt))
        self.assertEqual((stream["width"], stream["height"], stream["nb_read_frames"]), (96, 96, "5"))
        self.assertEqual(stream.get("color_space"), space)
        comment = next(value for name, value in tags.items() if name.lower() == "comment")
        settings = json.loads(comment)
        self.assertEqual(settings["seed"], "1")
        self.assertGreaterEqual(psnr(self.exact, pixels(path)[0]), smallest_psnr, output)
        return settings

    def test_containers(self):
        self.exact = pixels(self.render(*QUICK, "--quality", "lossless", output="exact.mkv"))[0]
        self.expect("a.webm", "vp9", "yuv420p", smallest_psnr=32)
        self.expect("a.mov", "prores", "yuv422p10le")
        self.expect("a.gif", "gif", "bgra", space=None)
        settings = self.expect("b.mkv", "hevc", "yuv444p10le", "--codec", "h265", "--pix_fmt", "yuv444p10le")
        self.assertEqual((settings["codec"], settings["pix_fmt"]), ("h265", "yuv444p10le"))
        self.assertEqual(self.run_t2v(*QUICK, "--codec", "vp9", "-o", "-").stdout[:4], b"\x1a\x45\xdf\xa3")
        self.assert_files("exact.mkv", "a.webm", "a.mov", "a.gif", "b.mkv")

    def test_refused(self):
        self.refused(*QUICK, "-o", "a.avi", parts=["extension .avi", ".mp4, .mkv, .webm, .mov, .gif or .png"])
        self.refused(*QUICK, "-o", "a.mp4", "--codec", "prores", parts=["--codec prores", "h264 or h265 in .mp4", "a.mov"])
        self.refused(*QUICK, "-o", "a.mov", "--pix-fmt", "yuv420p", parts=["--pix-fmt yuv420p", "yuv422p10le or yuv444p10le"])
        self.refused(*QUICK, "-o", "a.webm", "--quality", "lossless", parts=["--quality lossless", ".mkv or .png", "a.mkv"])
        self.refused(*QUICK, "-o", "a.mp4", "--crf", "52", parts=["--crf 52", "0 to 51"])
        self.refused(*QUICK, "-o", "a.gif", "--fps", "60", parts=["--fps 60", "at most 50"])

    def test_verbose_shows_no_statistics_of_the_encoder(self):
        result = self.run_t2v(*QUICK, "-v", "-o", "a.mp4")
        lines = result.stderr.decode()
        self.assertEqual(result.returncode, 0, lines)
        self.assertIn("writing a.mp4 with libx264 as yuv420p, crf 16", lines)
        self.assertNotIn("libx264 @", lines)


class Numbers(ClipTest):
    def distance(self, *arguments):
        path = self.render(*QUICK, "--quality", "lossless", "--overwrite", *arguments)
        return psnr(self.exact, pixels(path)[0])

    def test_dtypes(self):
        self.exact = pixels(self.render(*QUICK, "--quality", "lossless", output="exact.mkv"))[0]
        distances = {dtype: self.distance("--dtype", dtype) for dtype in ("float16", "bfloat16", "fp8")}
        self.assertGreater(distances["float16"], 50, distances)
        self.assertGreater(distances["bfloat16"], 34, distances)
        self.assertGreater(distances["fp8"], 20, distances)
        self.assertLess(distances["fp8"], distances["float16"], distances)


class Names(ClipTest):
    """Every word of a flag that chooses how steps are made: none of them silently means another one."""

    SMALL = ["-m", str(ROOT / "tests/fixtures/tiny-wan"), "--prompt", "snow", "--size", "32x32", "--frames", "5", "--steps", "12",
             "--seed", "3", "-o", "clip.mkv", "--overwrite", "--save-latents", "latents.safetensors"]  # fmt: skip
    CACHES = {
        "none": [],
        "teacache": ["coefficients=0,0,0,0,0.01", "threshold=0.5"],
        "magcache": ["ratios=1", "first=3"],
        "easycache": ["first=3", "threshold=1000"],
    }

    def words_of(self, flag):
        """The words that --help lists for a flag."""
        text = " ".join(self.run_t2v("--help").stdout.decode().split())
        return re.split(", | or ", re.search(rf" {flag} WORD [^()]*\(([^()]*)\)", text)[1])

    def assert_apart(self, flag, options):
        """Renders a clip with each word; no two have the same latents."""
        latents = {}
        for word in self.words_of(flag):
            extra = [part for option in options.get(word, []) for part in ("--cache-option", option)]
            result = self.run_t2v(*self.SMALL, flag, word, *extra)
            self.assertEqual(result.returncode, 0, result.stderr.decode())
            content = read_tensors(self.folder / "latents.safetensors")["latents"]
            self.assertNotIn(content, latents.values(), word)
            latents[word] = content
        self.assertGreater(len(latents), 1)

    def test_samplers(self):
        self.assert_apart("--sampler", {})

    def test_cache_modes(self):
        self.assert_apart("--cache-mode", self.CACHES)


class StepCaches(ClipTest):
    MANY = [*QUICK, "--steps", "16"]

    def run_cached(self, *arguments):
        result = self.run_t2v(*self.MANY, "-o", "clip.mkv", "--overwrite", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        skipped = re.search(r"skipped (\d+) of 16 steps", result.stderr.decode())
        settings = json.loads(ffprobe(self.folder / "clip.mkv", "format_tags")["format"]["tags"]["COMMENT"])
        self.assertEqual(settings.get("skipped_steps"), None if skipped is None else int(skipped[1]))
        return result.stderr.decode(), settings

    def test_off_unless_asked(self):
        _, settings = self.run_cached()
        self.assertNotIn("cache_mode", settings)

    def test_easycache(self):
        options = ["--cache-option", "threshold=1000", "--cache_option", "first=4"]
        _, settings = self.run_cached("--cache-mode", "easycache", *options)
        # The first four and the last are computed.
        self.assertEqual((settings["cache_mode"], settings["skipped_steps"]), ("easycache", 11))
        self.assertEqual(settings["cache_option"], ["threshold=1000", "first=4"])

    def test_magcache_measures_what_it_needs(self):
        message, settings = self.run_cached("--cache-mode", "magcache", "--cache-option", "calibrate=yes")
        self.assertEqual(settings["skipped_steps"], 0)
        ratios = re.search(r"--cache-option (ratios=[-0-9.,e]+)", message)[1]
        self.assertEqual(ratios.count(","), 15)
        _, settings = self.run_cached("--cache-mode", "magcache", "--cache-option", ratios,
                                      "--cache-option", "threshold=1000")  # fmt: skip
        self.assertGreater(settings["skipped_steps"], 5)

    def test_refused(self):
        self.refused(*QUICK, "-o", "a.mp4", "--cache-mode", "teacache", parts=["--cache-mode teacache", "coefficients="])
        self.refused(*QUICK, "-o", "a.mp4", "--cache-mode", "magcache", parts=["--cache-mode magcache", "calibrate=yes"])
        self.refused(*QUICK, "-o", "a.mp4", "--cache-mode", "easycash", parts=["the nearest is easycache"])
        self.refused(*QUICK, "-o", "a.mp4", "--cache-mode", "easycache", "--cache-option", "theshold=1",
                     parts=["--cache-option theshold=1", "did you mean threshold?"])  # fmt: skip
        self.refused(*QUICK, "-o", "a.mp4", "--cache-option", "threshold=1", parts=["--cache-option", "no --cache-mode"])
