"""What goes to standard output and what to standard error, and outputs that are no ordinary file."""

import json
import os
import pty
import re
import stat
import subprocess
import threading
import unittest

from support import BINARY, PROMPT, QUICK, CommandTest, environment

PHASES = ["load", "encode_text", "step", "decode", "write"]


class StreamTest(CommandTest):
    def on_terminal(self, *arguments, **variables):
        """Standard error of a run on a terminal."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [BINARY, *QUICK, "-o", "clip.mp4", "-y", *arguments], cwd=self.folder, stderr=theirs,
            stdout=subprocess.DEVNULL, env=environment(TERM="xterm", **variables)
        ) as process:  # fmt: skip
            os.close(theirs)
            shown = b""
            while True:
                try:
                    data = os.read(ours, 4096)
                except OSError:  # the other end is closed
                    break
                if not data:
                    break
                shown += data
        os.close(ours)
        self.assertEqual(process.returncode, 0, shown)
        return shown.decode()

    def test_path_and_plain_lines(self):
        result = self.run_t2v(*QUICK, "-o", "clip.mp4")
        self.assertEqual((result.returncode, result.stdout), (0, b"clip.mp4\n"), result.stderr)
        lines = result.stderr.decode().splitlines()
        self.assertEqual([line for line in lines if not line.startswith("t2v: ")], [])
        self.assertNotRegex(result.stderr.decode(), "[\r\033]")
        self.assertIn("seed 1", lines[0])
        self.assertIn("wrote clip.mp4", lines[-1])
        for words in ("loading", "reading the prompt", "sampling 2 of 2", "decoding", "writing clip.mp4"):
            self.assertTrue(any(words in line for line in lines), words)
        self.assert_whole_clip(self.folder / "clip.mp4")
        self.assert_files("clip.mp4")

    def test_json_result(self):
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "--json", "-q")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        answer = json.loads(result.stdout)
        self.assertEqual(answer["output"], "clip.mp4")
        self.assertEqual((answer["settings"]["prompt"], answer["settings"]["seed"]), (PROMPT, "1"))
        self.assertGreater(answer["seconds"], 0)

    def test_version(self):
        text = self.run_t2v("version").stdout.decode()
        for arguments in (["version", "--json"], ["--version", "--json"]):
            result = self.run_t2v(*arguments)
            self.assertEqual((f"t2v {json.loads(result.stdout)['version']}\n", result.stderr), (text, b""))

    def test_json_progress(self):
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "--progress", "json", "-v")
        events = self.events(result)
        self.assertEqual({event["version"] for event in events}, {1})
        times = [event["elapsed"] for event in events]
        self.assertEqual(times, sorted(times))
        names = [event["event"] for event in events if event["event"] != "log"]
        self.assertEqual(names[0], "start")
        self.assertEqual(names[-2:], ["done", "summary"])
        self.assertEqual(sorted(set(names)), sorted(["start", *PHASES, "done", "summary"]))
        self.assertEqual(sorted(events[-1]["seconds"]), sorted(["start", *PHASES]))
        self.assertTrue(events[-1]["ok"])
        steps = [event for event in events if event["event"] == "step"]
        self.assertEqual([(step["done"], step["total"]) for step in steps], [(0, 2), (1, 2), (2, 2)])
        self.assertEqual([step["left"] for step in steps], [None, None, 0])
        self.assertTrue(any(event["event"] == "log" for event in events), "-v says nothing")

    def test_json_error(self):
        for arguments in (["--steps", "0"], ["--nonsense"], ["--frames", "80"]):
            result = self.run_t2v(*QUICK, "-o", "clip.mp4", *arguments, "--progress", "json")
            self.assertEqual(result.returncode, 2)
            (error,) = self.events(result)
            self.assertEqual((error["event"], error["code"]), ("error", 2))
            self.assertIn(arguments[0], error["message"])

    def test_quiet(self):
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "-q")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"clip.mp4\n", b""))
        self.refused(*QUICK, "-o", "clip.mp4", "-q", parts=["clip.mp4"])

    def test_quiet_tells_a_seed_that_was_drawn(self):
        clip = ["--prompt", PROMPT, "--steps", "2", "--frames", "5", "-q", "-y", "-o", "clip.mp4"]
        for drawn in ([], ["--seed", "-1"]):
            result = self.run_t2v(*clip, *drawn)
            self.assertEqual((result.returncode, result.stdout), (0, b"clip.mp4\n"), result.stderr)
            seed = json.loads(self.run_t2v("inspect", "clip.mp4").stdout)["seed"]
            self.assertEqual(result.stderr.decode(), f"t2v: seed {seed}\n")
        result = self.run_t2v(*clip, "--json")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertTrue(json.loads(result.stdout)["settings"]["seed"])

    def test_progress_none_tells_the_seed(self):
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "--progress", "none")
        self.assertEqual(len(result.stderr.splitlines()), 2)
        self.assertIn(b"seed 1", result.stderr)

    def test_bar_on_a_terminal(self):
        shown = self.on_terminal()
        self.assertRegex(shown, r"sampling +\[#{24}\] 2 of 2")
        self.assertIn("\r\033[K", shown)
        self.assertIn("\033[32m", shown)
        self.assertRegex(shown.splitlines()[-1], r"^.*wrote clip.mp4 in .*seed 1$")

    def test_terminal_without_colour(self):
        for shown in (self.on_terminal(NO_COLOR="1"), self.on_terminal("--color", "never")):
            self.assertRegex(shown, r"sampling +\[#{24}\] 2 of 2")
            self.assertNotRegex(shown, "\033\\[[0-9;]*m")
        self.assertNotRegex(self.on_terminal("--progress", "plain", "--color", "never"), "\033")

    def test_colour_in_a_pipe_only_if_asked(self):
        self.assertNotIn(b"\033", self.run_t2v("--steps", "0").stderr)
        self.assertIn(b"\033[1;31merror:\033[0m", self.run_t2v("--steps", "0", "--color", "always").stderr)

    def test_closed_streams(self):
        for closed in ([0], [1], [2], [0, 1, 2]):
            result = self.run_t2v(*QUICK, "-o", "clip.mp4", "-y", preexec_fn=lambda: [os.close(n) for n in closed])
            self.assertEqual(result.returncode, 0, closed)
            self.assert_whole_clip(self.folder / "clip.mp4")

    def test_standard_output_that_takes_nothing(self):
        with open("/dev/full", "wb") as full:
            process = self.start_t2v(*QUICK, "-o", "clip.mp4", stdout=full)
            errors = process.communicate()[1]
        # The clip is there, which is what the exit code tells.
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"standard output", errors)
        self.assert_whole_clip(self.folder / "clip.mp4")

    def test_reader_that_leaves(self):
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start_t2v(*QUICK, "-o", "clip.mp4", stdout=writing, stderr=writing)
        os.close(writing)
        self.assertEqual(process.wait(timeout=300), 0)
        self.assert_whole_clip(self.folder / "clip.mp4")


class OutputTest(CommandTest):
    def test_names_that_are_refused(self):
        (self.folder / "folder").mkdir()
        (self.folder / "there.mp4").write_bytes(b"old")
        for output, said in {
            "folder": "folder", "clip": "extension", "clip.foo": ".foo", "none/clip.mp4": "none",
            "there.mp4/clip.mp4": "there.mp4", "there.mp4": "there.mp4",
        }.items():  # fmt: skip
            with self.subTest(output=output):
                self.refused(*QUICK, "-o", output, parts=[output.split("/")[-1], said])
        self.assertEqual((self.folder / "there.mp4").read_bytes(), b"old")

    def test_folder_that_takes_no_file(self):
        # /proc is a folder that nobody can create a file in, root included.
        self.assert_error(self.run_t2v(*QUICK, "-o", "/proc/clip.mp4"), 4, "/proc")

    def test_overwrite(self):
        (self.folder / "clip.mp4").write_bytes(b"old")
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "--overwrite")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_whole_clip(self.folder / "clip.mp4")

    def test_dev_null(self):
        result = self.run_t2v(*QUICK, "-o", "/dev/null")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_dev_full(self):
        self.assert_error(self.run_t2v(*QUICK, "-o", "/dev/full"), 4, "/dev/full")

    def test_fifo(self):
        fifo = self.folder / "clip.mkv"
        os.mkfifo(fifo)
        received = []
        reader = threading.Thread(target=lambda: received.append(fifo.read_bytes()))
        reader.start()
        result = self.run_t2v(*QUICK, "-o", "clip.mkv")
        self.assertEqual(result.returncode, 0, result.stderr)
        reader.join(timeout=60)
        (self.folder / "received.mkv").write_bytes(received[0])
        self.assert_whole_clip(self.folder / "received.mkv")

    def test_symlink_to_a_file(self):
        (self.folder / "real.mp4").write_bytes(b"old")
        (self.folder / "clip.mp4").symlink_to("real.mp4")
        self.refused(*QUICK, "-o", "clip.mp4", parts=["clip.mp4"])
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "-y")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_whole_clip(self.folder / "clip.mp4")

    def test_two_processes_one_output(self):
        processes = [self.start_t2v(*QUICK, "-o", "clip.mp4") for _ in range(2)]
        errors = [process.communicate()[1] for process in processes]
        codes = sorted(process.returncode for process in processes)
        self.assertEqual(codes, [0, 2], errors)
        self.assert_whole_clip(self.folder / "clip.mp4")
        # Who came second has sampled, too; what it has is kept, and it says so.
        names = {entry.name for entry in self.folder.iterdir()} - {"clip.mp4"}
        for name in names:
            self.assertIn(name.encode(), b"".join(errors))

    def test_standard_output(self):
        result = self.run_t2v(*QUICK, "-o", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        (self.folder / "piped.mkv").write_bytes(result.stdout)
        self.assert_whole_clip(self.folder / "piped.mkv")
        self.assertFalse(result.stdout.endswith(b"-\n"))
        self.refused(*QUICK, "-o", "-", "--json", parts=["--json"])

    def test_reader_of_the_clip_leaves(self):
        shell = subprocess.run(
            ["bash", "-c", '"$@" | head -c 10 >/dev/null; echo "${PIPESTATUS[0]}"', "bash", BINARY, *QUICK, "-o", "-"],
            cwd=self.folder, env=environment(), capture_output=True, timeout=300, check=True,
        )  # fmt: skip
        self.assertIn(int(shell.stdout), (0, 141))

    def test_latents_of_another_run_are_not_touched(self):
        kept = self.folder / "clip.mp4.latents.safetensors"
        kept.write_bytes(b"of an earlier run")
        self.assertEqual(self.run_t2v(*QUICK, "-o", "clip.mp4").returncode, 0)
        self.assertEqual(kept.read_bytes(), b"of an earlier run")
        self.assert_files("clip.mp4", kept.name)
        saved = self.run_t2v(*QUICK, "-o", "clip.mp4", "-y", "--save-latents", kept.name)
        self.assertEqual(saved.returncode, 0, saved.stderr)
        self.assertGreater(kept.stat().st_size, 1000)
        self.assert_files("clip.mp4", kept.name)

    def test_latents_that_cannot_be_written(self):
        (self.folder / "folder").mkdir()
        for name in ("folder", "none/latents", "clip.mp4", "x" * 300):
            with self.subTest(name):
                self.refused(*QUICK, "-o", "clip.mp4", "-y", "--save-latents", name, parts=["--save-latents"])

    def test_long_names(self):
        for extension in ("mp4", "png"):
            self.refused(*QUICK, "-o", "x" * 252 + "." + extension, parts=["too long"])
        name = "é" * 124 + ".mkv"  # 252 bytes: one that a filesystem takes
        result = self.run_t2v(*QUICK, "-o", name)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_files(name)

    def test_file_size_limit(self):
        import resource  # noqa: PLC0415

        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # noqa: E731
        (self.folder / "clip.mp4").write_bytes(b"old")
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "-y", preexec_fn=limit)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertEqual((self.folder / "clip.mp4").read_bytes(), b"old")


if __name__ == "__main__":
    unittest.main()
