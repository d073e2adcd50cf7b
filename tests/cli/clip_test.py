"""The main job: the real binary, the bundled model, and what is in the file that it wrote."""

import json
import math
import os
import resource
import subprocess
import unittest

from support import PROMPT, QUICK, ROOT, CommandTest


def ffprobe(path, entries):
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", entries, "-of", "json", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def pixels(path):
    """Every frame as bytes of RGB, and the width and height."""
    stream = ffprobe(path, "stream=width,height")["streams"][0]
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    size = stream["width"] * stream["height"] * 3
    return [data[begin : begin + size] for begin in range(0, len(data), size)], stream["width"], stream["height"]


def psnr(one, other):
    squared = sum((a - b) ** 2 for a, b in zip(b"".join(one), b"".join(other)))
    return math.inf if squared == 0 else 10 * math.log10(255**2 * sum(map(len, one)) / squared)


class ClipTest(CommandTest):
    def render(self, *arguments, output="clip.mkv"):
        result = self.run_t2v(*arguments, "-o", output)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(result.stdout.decode().strip(), output)
        return self.folder / output


class WhatTheFileIs(ClipTest):
    def test_mp4(self):
        path = self.render("--prompt", PROMPT, "--seed", str(2**63 + 5), "--frames", "9", output="clip.mp4")
        probe = ffprobe(path, "stream:format_tags=comment")
        (stream,) = probe["streams"]
        expected = {"codec_name": "h264", "profile": "High", "pix_fmt": "yuv420p", "color_range": "tv",
                    "color_space": "bt709", "color_primaries": "bt709", "color_transfer": "bt709", "width": 96,
                    "height": 96, "nb_read_frames": "9", "r_frame_rate": "8/1"}  # fmt: skip
        self.assertEqual({key: stream.get(key) for key in expected}, expected)
        settings = json.loads(probe["format"]["tags"]["comment"])
        self.assertEqual((settings["prompt"], settings["seed"]), (PROMPT, str(2**63 + 5)))

    def test_no_metadata(self):
        path = self.render(*QUICK, "--no-metadata", output="clip.mp4")
        self.assertNotIn("comment", ffprobe(path, "format_tags=comment").get("format", {}).get("tags", {}))

    def test_lossless_equals_png(self):
        lossless, _, _ = pixels(self.render(*QUICK, "--quality", "lossless"))
        sequence = self.folder / "clip-%04d.png"
        result = self.run_t2v(*QUICK, "-o", "clip.png")
        self.assertEqual(result.stdout, b"clip-0001.png\n")
        self.assertEqual(lossless, pixels(sequence)[0])

    def test_nothing_else_is_left(self):
        path = self.render(*QUICK)
        self.assertEqual(list(self.folder.iterdir()), [path])

    def test_fps_and_length(self):
        path = self.render(*QUICK[:-4], "--duration", "0.375", "--fps", "24")
        stream = ffprobe(path, "stream=r_frame_rate,nb_read_frames")["streams"][0]
        self.assertEqual((stream["r_frame_rate"], stream["nb_read_frames"]), ("24/1", "9"))


class WhatItRepeats(ClipTest):
    def test_same_seed_same_frames(self):
        lossless = ["--prompt", PROMPT, "--seed", "7", "--frames", "5", "--steps", "3", "--quality", "lossless"]
        first, _, _ = pixels(self.render(*lossless, output="1.mkv"))
        self.assertEqual(first, pixels(self.render(*lossless, output="2.mkv"))[0])
        other = pixels(self.render(*lossless, "--seed", "8", output="3.mkv"))[0]
        self.assertLess(psnr(first, other), 40)

    def test_threads(self):
        one = pixels(self.render(*QUICK, "--quality", "lossless", "--threads", "1", output="1.mkv"))[0]
        two = pixels(self.render(*QUICK, "--quality", "lossless", "--threads", "2", output="2.mkv"))[0]
        self.assertGreaterEqual(psnr(one, two), 60)

    def test_latents(self):
        self.render(*QUICK, "--save-latents", "latents.safetensors")
        data = (self.folder / "latents.safetensors").read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        self.assertEqual((header["latents"]["dtype"], header["latents"]["shape"]), ("F32", [1, 16, 2, 12, 12]))

    def test_latents_that_are_kept_are_told_when_quiet_too(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))  # noqa: E731
        result = self.run_t2v(*QUICK, "-q", "--quality", "lossless", "-o", "clip.mkv", preexec_fn=limit)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn(b"t2v decode clip.mkv.latents.safetensors -o clip.mkv\n", result.stderr)
        self.assertTrue((self.folder / "clip.mkv.latents.safetensors").exists())

    def test_latents_of_a_clip_that_is_there(self):
        self.render(*QUICK)
        words = [*QUICK, "-o", "clip.mkv", "--skip-existing", "--save-latents", "a.safetensors"]
        result = self.run_t2v(*words)
        self.assertEqual((result.returncode, result.stdout), (0, b"clip.mkv\n"), result.stderr)
        self.assertEqual(result.stderr.count(b"warning: --save-latents a.safetensors is not written"), 1, result.stderr)
        self.assertEqual(self.run_t2v(*words, "-q").stderr, b"")
        (self.folder / "clip.mkv").unlink()
        self.assertEqual(self.run_t2v(*words).returncode, 0)
        self.assertNotIn(b"warning", self.run_t2v(*words).stderr)


class HowMuchItTakes(ClipTest):
    def peak(self, frames):
        """Peak resident memory in KiB of a run that mostly decodes."""
        process = self.start_t2v("--prompt", PROMPT, "--seed", "1", "--steps", "1", "--size", "96x96", "--frames", frames,
                                 "-o", f"{frames}.mp4", "-q", stdout=subprocess.DEVNULL)  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        return usage.ru_maxrss

    def test_memory_does_not_grow_with_length(self):
        self.assertLessEqual(self.peak("161"), 1.15 * self.peak("33"))


class WhatItShows(ClipTest):
    """Background by the rows at the bottom and the top, colour by how many pixels have it."""

    def shown(self, prompt):
        frames, width, height = pixels(self.render("--prompt", prompt, "--seed", "11", "--quality", "lossless"))
        rows = width * 3
        bottom = [frame[(height - 6) * rows :] for frame in frames]
        top = [frame[: 6 * rows] for frame in frames]

        def mean(parts):
            return [sum(sum(part[channel::3]) for part in parts) / sum(len(part) // 3 for part in parts)
                    for channel in range(3)]  # fmt: skip

        def share(is_colour):
            return sum(is_colour(frame[i], frame[i + 1], frame[i + 2]) for frame in frames
                       for i in range(0, len(frame), 3)) / sum(len(frame) // 3 for frame in frames)  # fmt: skip

        return mean(top), mean(bottom), share

    def test_a_red_ball_over_green_grass(self):
        top, bottom, share = self.shown("a red ball moves to the right over green grass")
        self.assertGreater(bottom[1], max(bottom[0], bottom[2]) + 20, "the ground is not green")
        self.assertGreater(top[2], top[0] + 20, "the sky is not blue")
        self.assertGreater(share(lambda r, g, b: r > 140 and g < 110 and b < 110), 0.01, "nothing is red")

    def test_a_blue_box_on_a_white_background(self):
        top, bottom, share = self.shown("a blue box stays still on a white background")
        self.assertGreater(min(top + bottom), 210, "the background is not white")
        self.assertGreater(share(lambda r, g, b: b > 130 and r < 120 and g < 150), 0.01, "nothing is blue")

    def test_a_red_car_in_the_snow(self):
        top, bottom, share = self.shown("a red car moves left on the snow")
        self.assertGreater(min(bottom), 220, "the ground is not white")
        self.assertLess(max(top), 200, "the sky is not grey")
        self.assertGreater(share(lambda r, g, b: r > 140 and g < 110 and b < 110), 0.01, "nothing is red")

    def test_a_green_diamond_at_sunset(self):
        top, bottom, share = self.shown("a green diamond stays still at sunset")
        self.assertGreater(min(top[0], top[2]), top[1] + 15, "the sky is not purple")
        self.assertLess(max(bottom), 80, "the ground is not dark")
        self.assertGreater(share(lambda r, g, b: g > 100 and r < 110 and b < 120), 0.01, "nothing is green")

    def test_chinese(self):
        top, bottom, share = self.shown("一个黄色的球在黑色背景上向右移动")
        self.assertLess(max(top + bottom), 50, "the background is not black")
        self.assertGreater(share(lambda r, g, b: r > 150 and g > 120 and b < 120), 0.01, "nothing is yellow")

    def test_synonyms(self):
        for prompt, other in (
            ("a pink boat moves left on the sea", "a pink ship sails left on the sea"),
            ("一个绿色的三角形在白色背景上静止不动", "一块绿色的三角形在白色的背景前保持静止"),
            ("一個紅色的月亮在雪地上彈跳", "一個紅色的彎月在雪地裡跳躍"),
        ):
            with self.subTest(other):
                one, another = (pixels(self.render("--prompt", text, "--seed", "3", "--quality", "lossless", "-y")) for text in (prompt, other))
                self.assertEqual(one, another)


def places_of(video, is_colour):
    """The places (x, y) of the pixels of a colour in each frame, and the frames' width and height; y runs downwards."""
    frames, width, height = pixels(video)
    places = [[(i % width, i // width) for i, colour in enumerate(zip(frame[::3], frame[1::3], frame[2::3])) if is_colour(*colour)] for frame in frames]
    assert min(map(len, places)) > 0.005 * width * height, "nothing has the colour"
    return places, width, height


def path_of(video, is_colour):
    """Where the pixels of a colour are on the average in each frame: (x, y) in shares of the frame."""
    places, width, height = places_of(video, is_colour)
    return [(sum(x for x, _ in one) / len(one) / width, sum(y for _, y in one) / len(one) / height) for one in places]


def filled(places):
    """Share of the rectangle around some places that they fill."""
    x, y = zip(*places)
    return len(places) / (max(x) - min(x) + 1) / (max(y) - min(y) + 1)


def turns(values):
    """How often values change their direction; steps of less than 0.01 are not counted."""
    steps = [b - a for a, b in zip(values, values[1:]) if abs(b - a) >= 0.01]
    return sum((a > 0) != (b > 0) for a, b in zip(steps, steps[1:]))


class HowItMoves(ClipTest):
    def clip(self, prompt):
        return self.render("--prompt", prompt, "--seed", "11", "--quality", "lossless")

    def test_bounces(self):
        x, y = zip(*path_of(self.clip("a blue ball bounces on a white background"), lambda r, g, b: b > 120 and r < 110 and g < 130))
        self.assertGreater(max(y) - min(y), 0.2)
        self.assertLess(max(x) - min(x), 0.5 * (max(y) - min(y)))
        self.assertGreaterEqual(turns(y), 2)

    def test_swings(self):
        x, y = zip(*path_of(self.clip("a pink heart swings in the night sky"), lambda r, g, b: r > 160 and b > 100 and g < 160))
        self.assertGreater(max(x) - min(x), 0.25)
        self.assertGreaterEqual(turns(x), 2)

    def test_grows(self):
        places, _, _ = places_of(self.clip("a red box grows on a white background"), lambda r, g, b: r > 140 and g < 110 and b < 110)
        self.assertGreater(len(places[-1]), 1.5 * len(places[0]))
        self.assertGreater(filled(places[8]), 0.75, "it is not a box")

    def test_rises(self):
        clip, green = self.clip("a green diamond moves up at sunset"), lambda r, g, b: g > 100 and r < 110 and b < 120
        x, y = zip(*path_of(clip, green))
        self.assertGreater(y[0] - y[-1], 0.28)
        self.assertLess(max(x) - min(x), 0.15)
        places = places_of(clip, green)[0][8]
        top, bottom = min(y for _, y in places), max(y for _, y in places)
        widths = [sum(place[1] == row for place in places) for row in range(top, bottom + 1)]
        self.assertLess(max(widths), 0.9 * len(widths), "it is not a diamond")
        self.assertGreater(widths[len(widths) // 2], 0.8 * max(widths), "it is not a diamond")
        for end in (len(widths) // 6, 5 * len(widths) // 6):
            self.assertLess(widths[end], 0.6 * max(widths), "it is not a diamond")


class WhatItContinues(ClipTest):
    """The bundled image-to-video model: one picture, and what different prompts make of it."""

    def setUp(self):
        super().setUp()
        self.render("-p", "a blue box on green grass", "--seed", "1", "--frames", "1", output="first.png")

    def blue(self, motion):
        """The places of a blue box's pixels in each frame of a clip that begins with the picture."""
        path = self.render("-m", "tiny-world-i2v", "-i", "first.png", "-p", f"a blue box {motion} on green grass", "--seed", "2", "--quality", "lossless", "-y")
        self.assertGreater(psnr(pixels(path)[0][:1], pixels(self.folder / "first.png")[0]), 24, "it does not begin with the picture")
        return places_of(path, lambda r, g, b: b > 120 and r < 100 and g < 120)[0]

    def test_settings(self):
        settings = self.settings("-m", "tiny-world-i2v", "-i", "first.png", "-p", PROMPT, "-o", "clip.mkv")
        expected = {"height": 96, "width": 96, "num_frames": 17, "num_inference_steps": 12, "guidance_scale": 2.5, "boundary_ratio": 0.875}
        self.assertEqual({key: settings[key] for key in expected}, expected)

    def test_up(self):
        heights = [sum(y for _, y in places) / len(places) / 96 for places in self.blue("moves up")]
        self.assertGreater(heights[0] - heights[-1], 0.24)

    def test_left_and_right(self):
        for motion, way in (("moves left", -1), ("moves right", 1)):
            with self.subTest(motion):
                across = [sum(x for x, _ in places) / len(places) / 96 for places in self.blue(motion)]
                self.assertGreater(way * (across[-1] - across[0]), 0.15)  # to the right there is room for 0.22

    def test_grows(self):
        places = self.blue("grows")
        self.assertGreater(len(places[-1]), 1.4 * len(places[0]))

    def test_shrinks(self):
        places = self.blue("shrinks")
        self.assertLess(len(places[-1]), len(places[0]) / 1.4)


class WhatFourStepsShow(ClipTest):
    """The bundled LoRA for four steps without guidance, whose preset is found by its name."""

    LORA = str(ROOT / "models/tiny-world/loras/tiny-world-4step.safetensors")

    def test_settings(self):
        settings = self.settings("--prompt", PROMPT, "--lora", self.LORA, "-o", "clip.mkv")
        expected = {"num_inference_steps": 4, "guidance_scale": 1.0, "sampler": "euler", "flow_shift": 3.0,
                    "sigmas": [1.0, 0.75, 0.5, 0.25]}  # fmt: skip
        self.assertEqual({key: settings[key] for key in expected}, expected)

    def test_a_green_box_moves_left(self):
        arguments = ["--prompt", "a green box moves left on a black background", "--seed", "3", "--lora", self.LORA]
        result = self.run_t2v(*arguments, "--quality", "lossless", "-o", "clip.mkv")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertNotIn("ignored", result.stderr.decode())
        places = [x for x, _ in path_of(self.folder / "clip.mkv", lambda r, g, b: g > 90 and r < 100 and b < 120)]
        self.assertLess(places[-1], places[0] - 0.24, "it does not go left")
        self.assertEqual(places, sorted(places, reverse=True), "it turns back")
        frames, width, _ = pixels(self.folder / "clip.mkv")
        self.assertLess(max(max(frame[: 6 * 3 * width]) for frame in frames), 80, "the background is not black")


if __name__ == "__main__":
    unittest.main()
