"""--preview and --sheet: pictures of a clip while it is made, and when it is there."""

import base64
import json
import os
import pty
import re
import resource
import signal
import subprocess
import unittest

from support import PROMPT, QUICK, CommandTest, environment
from clip_test import ffprobe, pixels, psnr

STEPS = ["--prompt", PROMPT, "--frames", "9", "--seed", "1", "--steps", "6"]


def mean_colour(frame, width, rows):
    part = frame[3 * width * rows[0] : 3 * width * rows[1]]
    return [sum(part[channel::3]) * 3 / len(part) for channel in range(3)]


def halved(frame, width):
    """The mean of every two by two pixels."""
    rows = [frame[begin : begin + 3 * width] for begin in range(0, len(frame), 3 * width)]
    return bytes(
        sum(row[3 * x + channel] for row in rows[y : y + 2] for x in (column, column + 1)) // 4
        for y in range(0, len(rows), 2) for column in range(0, width, 2) for channel in range(3)
    )  # fmt: skip


class PreviewFile(CommandTest):
    def test_it_shows_the_clip_in_small(self):
        result = self.run_t2v(*STEPS, "-o", "clip.mkv", "--quality", "lossless", "--preview", "look.mp4")
        self.assertEqual((result.returncode, result.stdout), (0, b"clip.mkv\n"), result.stderr.decode())
        self.assert_files("clip.mkv", "look.mp4")
        clip, width, height = pixels(self.folder / "clip.mkv")
        look, small_width, small_height = pixels(self.folder / "look.mp4")
        self.assertEqual((small_width, small_height, len(look)), (width // 2, height // 2, 3))
        # In the colours that the clip will have: the sky, and the grass.
        for rows in ((0.02, 0.2), (0.8, 0.98)):
            wanted = mean_colour(clip[4], width, [int(share * height) for share in rows])
            got = mean_colour(look[1], small_width, [int(share * small_height) for share in rows])
            for channel in range(3):
                self.assertAlmostEqual(got[channel], wanted[channel], delta=25)
        # Of one frame, four and four.
        wanted = [halved(clip[number], width) for number in (0, 3, 7)]
        self.assertGreater(psnr(look, wanted), 20)  # of grey all over: 12
        self.assertLess(psnr([bytes([128]) * len(wanted[0])] * 3, wanted), 14)

    def test_it_lasts_as_long_as_the_clip(self):
        self.run_t2v(*STEPS, "-o", "clip.mp4", "--preview", "look.mkv", "--preview-interval", "3")
        (stream,) = ffprobe(self.folder / "look.mkv", "stream=r_frame_rate,nb_read_frames")["streams"]
        self.assertEqual((stream["r_frame_rate"], stream["nb_read_frames"]), ("8/3", "3"))

    def test_the_clip_is_the_same(self):
        for name, preview in (("a.mkv", ["--preview", "look.gif"]), ("b.mkv", [])):
            self.run_t2v(*QUICK, "-o", name, "--quality", "lossless", *preview)
        self.assertEqual(pixels(self.folder / "a.mkv")[0], pixels(self.folder / "b.mkv")[0])
        (stream,) = ffprobe(self.folder / "look.gif", "stream=nb_read_frames,width")["streams"]
        self.assertEqual((stream["nb_read_frames"], stream["width"]), ("2", 48))

    def test_one_of_two_steps_is_shown(self):
        self.run_t2v(*QUICK, "-o", "a.mp4", "--preview", "a.gif", "--preview-interval", "2")
        self.assert_files("a.mp4")  # after the last step comes the clip

    def test_a_preview_that_fails_is_told_once(self):
        (self.folder / "looks").mkdir()
        process = self.start_t2v(*STEPS, "-o", "clip.mp4", "--preview", "looks/look.gif")
        for line in process.stderr:
            if b"reading the prompt" in line:
                (self.folder / "looks").rmdir()
                break
        output, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, output), (0, b"clip.mp4\n"))
        self.assertEqual(errors.count(b"warning"), 1, errors)
        self.assertIn(b"no more previews are made", errors)
        self.assert_whole_clip(self.folder / "clip.mp4", frames=9)
        self.assert_files("clip.mp4")

    def test_of_many_clips(self):
        (self.folder / "rows.jsonl").write_text("".join(
            json.dumps({"prompt": PROMPT, "seed": seed, "preview": f"{seed}.gif"}) + "\n" for seed in (1, 2, 3)))  # fmt: skip
        result = self.run_t2v("batch", "--prompts", "rows.jsonl", "-o", "clips", "--steps", "2", "--frames", "5")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(len({(self.folder / f"{seed}.gif").read_bytes() for seed in (1, 2, 3)}), 3)

    def test_a_run_that_is_stopped_leaves_none(self):
        arguments = [*STEPS, "-o", "clip.mp4", "--preview", "look.gif"]
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                process = self.start_t2v(*arguments, "--steps", "400", "--progress", "json")
                for line in process.stderr:
                    if (self.folder / "look.gif").exists():
                        break
                self.assertTrue((self.folder / "look.gif").exists())
                process.send_signal(number)
                process.communicate(timeout=60)
                self.assertEqual(process.returncode, -number)
                self.assertEqual((self.folder / "look.gif").exists(), number == signal.SIGKILL)
        # One that was killed cannot remove it: the next run of the same clip knows it, that of another does not.
        self.refused(*arguments, "-o", "other.mp4", parts=["look.gif"])
        result = self.run_t2v(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.folder / "look.gif").exists())

    def test_a_clip_that_fails_leaves_none(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))  # noqa: E731
        result = self.run_t2v(*STEPS, "-o", "clip.mkv", "--quality", "lossless", "--preview", "look.gif", preexec_fn=limit)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assert_files("clip.mkv.latents.safetensors")

    def test_what_is_refused(self):
        (self.folder / "there.mp4").write_text("old")
        for preview, part in (("there.mp4", "there.mp4"), ("clip.mp4", "another output"), ("a.png", "numbered"),
                              ("-", "stream"), ("a.xyz", "--preview a.xyz"), ("none/a.gif", "none"), ("/dev/null", "stream")):  # fmt: skip
            with self.subTest(preview):
                self.refused(*QUICK, "-o", "clip.mp4", "--preview", preview, parts=[part])
        self.refused(*QUICK, "-o", "clip.mp4", "--preview-interval", "0", parts=["--preview-interval"])
        self.assertEqual((self.folder / "there.mp4").read_text(), "old")


class PreviewInTerminal(CommandTest):
    def shown(self, *flags, output=subprocess.DEVNULL, **variables):
        """What a terminal gets, which says of itself what `variables` say."""
        own, theirs = pty.openpty()
        with subprocess.Popen(
            [os.environ["T2V_BINARY"], *QUICK, "-o", "clip.mp4", "--preview", "terminal", *flags], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=output, stderr=theirs, env=environment(**variables),
        ) as process:  # fmt: skip
            os.close(theirs)
            text = b""
            try:
                while part := os.read(own, 65536):
                    text += part
            except OSError:
                pass  # the other end was closed
        os.close(own)
        return process.returncode, text

    def assert_picture(self, png):
        path = self.folder / "shown.png"
        path.write_bytes(base64.b64decode(png))
        (stream,) = ffprobe(path, "stream=width,height,codec_name")["streams"]
        self.assertEqual((stream["codec_name"], stream["width"], stream["height"]), ("png", 96, 48))

    def test_kitty(self):
        code, text = self.shown(TERM="xterm-kitty")
        self.assertEqual(code, 0)
        pieces = re.findall(rb"\033_G([^;]*);([^\033]*)\033\\", text)
        self.assertIn(b"a=T,f=100", pieces[0][0])
        self.assertTrue(pieces[-1][0].endswith(b"m=0"))
        self.assert_picture(b"".join(piece for _, piece in pieces))

    def test_iterm2(self):
        code, text = self.shown(TERM="xterm-256color", TERM_PROGRAM="iTerm.app")
        self.assertEqual(code, 0)
        self.assert_picture(re.search(rb"\033\]1337;File=inline=1;[^:]*:([^\a]*)\a", text)[1])

    def test_its_memory_is_planned(self):
        clip = ["--size", "256x256", "--frames", "1", "--dry-run", "--json"]

        def sampling(plan):
            return next(phase["host_bytes"] for phase in json.loads(plan)["phases"] if phase["name"] == "sampling")

        planned = []
        for flags in ([], ["--preview", "look.gif"]):  # the last of two wins
            with open(self.folder / "plan.json", "wb") as file:
                code, text = self.shown(*flags, *clip, output=file, TERM="xterm-kitty")
            self.assertEqual(code, 0, text)
            planned.append(sampling((self.folder / "plan.json").read_text()))
        self.assertAlmostEqual(*planned, delta=1 << 20)
        self.assertLess(sampling(self.run_t2v(*QUICK, "-o", "clip.mp4", *clip).stdout), planned[0] - (50 << 20))

    def test_others_are_refused(self):
        for variables in ({"TERM": "xterm-256color"}, {"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}):
            code, text = self.shown(**variables)
            self.assertEqual(code, 2)
            self.assertIn(b"--preview terminal", text)
        self.refused(*QUICK, "-o", "clip.mp4", "--preview", "terminal", parts=["--preview terminal"],
                     env=environment(TERM="xterm-kitty"))  # fmt: skip


class Sheet(CommandTest):
    def test_frames_of_a_clip(self):
        result = self.run_t2v(*STEPS, "-o", "clip.mkv", "--quality", "lossless", "--sheet", "sheet.png")
        self.assertEqual((result.returncode, result.stdout), (0, b"clip.mkv\n"), result.stderr.decode())
        self.assert_files("clip.mkv", "sheet.png")
        (sheet,), width, height = pixels(self.folder / "sheet.png")
        frames, side, _ = pixels(self.folder / "clip.mkv")
        # Nine pictures in rows of three, 4 pixels apart, each over its number.
        cell_height = (height - 4) // 3
        self.assertEqual((width, cell_height), (4 + 3 * (side + 4), side + 4 + 18))
        for number, frame in enumerate(frames):
            x, y = 4 + number % 3 * (side + 4), 4 + number // 3 * cell_height
            for row in range(side):
                begin = 3 * ((y + row) * width + x)
                self.assertEqual(sheet[begin : begin + 3 * side], frame[3 * side * row : 3 * side * (row + 1)])

    def test_numbered_pictures(self):
        result = self.run_t2v(*QUICK, "-o", "clip.png", "--sheet", "sheet.png")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertTrue((self.folder / "sheet.png").exists())

    def test_what_is_refused(self):
        (self.folder / "there.png").write_text("old")
        for sheet, part in (("there.png", "there.png"), ("a.jpg", ".png"), ("none/a.png", "none"), ("a-%d.png", "pattern")):
            with self.subTest(sheet):
                self.refused(*QUICK, "-o", "clip.mp4", "--sheet", sheet, parts=[part])
        self.refused(*QUICK, "-o", "-", "--sheet", "sheet.png", parts=["--sheet", "not kept"])
        self.assertEqual((self.folder / "there.png").read_text(), "old")
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "--sheet", "there.png", "-y")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(pixels(self.folder / "there.png")[0]), 1)
        for sheet in ("x.png", "x-0002.png", "./x-0003.png"):
            self.refused(*QUICK, "-o", "x.png", "--sheet", sheet, "-y", parts=["--sheet", "another file"])
        for latents in ("x-0001.png", "x.json"):
            self.refused(*QUICK, "-o", "x.png", "--save-latents", latents, "-y", parts=["--save-latents", "name of the clip"])
        self.refused(*QUICK, "-o", "x.mp4", "--save-latents", "y.png", "--sheet", "y.png", parts=["--sheet", "another file"])

    def test_a_sheet_of_a_clip_that_is_there(self):
        arguments = [*QUICK, "-o", "clip.mkv", "--sheet", "sheet.png", "--skip-existing"]
        self.assertEqual(self.run_t2v(*arguments).returncode, 0)
        data = [(self.folder / name).read_bytes() for name in ("clip.mkv", "sheet.png")]
        for left in (("clip.mkv", "sheet.png"), ("clip.mkv",)):
            with self.subTest(left):
                for name in {"clip.mkv", "sheet.png"} - set(left):
                    (self.folder / name).unlink()
                result = self.run_t2v(*arguments)
                self.assertEqual((result.returncode, result.stdout), (0, b"clip.mkv\n"), result.stderr)
                self.assertEqual([(self.folder / name).read_bytes() for name in ("clip.mkv", "sheet.png")], data)
        (self.folder / "clip.mkv").unlink()
        self.refused(*arguments, parts=["sheet.png", "--overwrite"])

    def test_a_sheet_that_cannot_be_written(self):
        process = self.start_t2v(*QUICK, "-o", "clip.mp4", "--sheet", "sheet.png", "--progress", "json")
        for line in process.stderr:
            if json.loads(line)["event"] == "start":
                (self.folder / "sheet.png").mkdir()
                break
        output, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, output), (2, b"clip.mp4\n"))
        *_, error, summary = [json.loads(line) for line in errors.splitlines()]
        self.assertEqual([error["event"], summary["event"], summary["ok"]], ["error", "summary", False])
        self.assertIn("clip.mp4 is written, but no contact sheet: ", error["message"])
        self.assertEqual(errors.count(b'"summary"'), 1)
        self.assert_whole_clip(self.folder / "clip.mp4")


if __name__ == "__main__":
    unittest.main()
