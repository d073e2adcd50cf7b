"""t2v in shell scripts: loops that read, xargs, timeout, nohup, set -e, pipes, and Ctrl-C on a terminal."""

import os
import pty
import shlex
import shutil
import signal
import subprocess
import unittest

from support import BINARY, QUICK, CommandTest, environment

T2V = " ".join(shlex.quote(word) for word in [BINARY, *QUICK])
LONG = " ".join(shlex.quote(word) for word in [BINARY, *QUICK, "--steps", "1000"])


class ShellTest(CommandTest):
    def bash(self, script, stdin=""):
        return subprocess.run(
            ["bash", "--norc", "-c", script], cwd=self.folder, env=environment(), input=stdin, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip

    def test_a_loop_that_reads(self):
        script = f'while read -r name; do {T2V} -q -o "$name.mp4"; done'
        result = self.bash(script, stdin="one\ntwo\n")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "one.mp4\ntwo.mp4\n", ""))

    def test_prompts_from_a_loop(self):
        result = self.bash(f'while read -r p; do echo "$p" | {T2V} -q -p - -o "${{p// /-}}.mp4"; done', stdin="a cat\na dog\n")
        self.assertEqual((result.returncode, result.stdout), (0, "a-cat.mp4\na-dog.mp4\n"), result.stderr)

    def test_xargs(self):
        result = self.bash(f"xargs -P 2 -I {{}} {T2V} --threads 1 -q -o {{}}.mp4", stdin="a\nb\nc\n")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sorted(result.stdout.split()), ["a.mp4", "b.mp4", "c.mp4"])
        for name in "abc":
            self.assert_whole_clip(self.folder / f"{name}.mp4")
        result = self.bash(f"xargs -P 2 -I {{}} {T2V} --threads 1 -q -o {{}}.mp4", stdin="a\nb\n")
        self.assertEqual(result.returncode, 123, "xargs says that some failed: both clips exist")

    def test_timeout(self):
        result = self.bash(f"timeout 3 {LONG} -o clip.mp4")
        self.assertEqual((result.returncode, result.stdout), (124, ""), result.stderr)
        self.assertIn("no clip was written", result.stderr)
        self.assert_files()

    def test_nohup(self):
        start = f"nohup {T2V} --steps 40 -o clip.mp4 >log 2>&1"
        result = self.bash(start + " & until grep -qs sampling log; do sleep 0.1; done; kill -HUP $! && wait $!")
        self.assertEqual(result.returncode, 0, (self.folder / "log").read_text())
        self.assert_whole_clip(self.folder / "clip.mp4")
        self.assertIn("clip.mp4\n", (self.folder / "log").read_text())

    def test_errexit(self):
        result = self.bash(f"set -e; {T2V} --steps 0 -o clip.mp4; echo after")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        result = self.bash(f"set -e; clip=$({T2V} -o clip.mp4); echo \"made $clip\"")
        self.assertEqual((result.returncode, result.stdout), (0, "made clip.mp4\n"), result.stderr)

    def test_quiet_without_standard_error(self):
        result = self.bash(f"{T2V} -v -o clip.mp4 2>/dev/null")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "clip.mp4\n", ""))
        result = self.bash(f"{T2V} -o clip.mp4 2>/dev/null")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (2, "", ""))

    def test_into_ffmpeg(self):
        result = self.bash(f"set -o pipefail; {T2V} -q -o - | ffmpeg -v error -i - -c:v ffv1 out.mkv")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assert_whole_clip(self.folder / "out.mkv")

    @unittest.skipUnless(shutil.which("mpv"), "mpv is not installed")
    def test_into_mpv(self):
        player = "mpv --no-config --vo=null --ao=null --msg-level=all=error"
        result = self.bash(f"set -o pipefail; {T2V} -q -o - | {player} --untimed -")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        # It leaves after the first frame, which was all there was to write.
        result = self.bash(f"{T2V} -q -o - | {player} --frames=1 -; echo ${{PIPESTATUS[@]}}")
        self.assertIn(result.stdout, ("0 0\n", "141 0\n"), result.stderr)

    def test_clips_of_other_commands_into_a_pipe(self):
        self.assertEqual(self.bash(f"{T2V} -q -o clip.mkv --save-latents a.safetensors").returncode, 0)
        for words in ("decode a.safetensors", "rerun clip.mkv"):
            with self.subTest(words):
                command = f"{shlex.quote(BINARY)} {words} -q -o -"
                result = self.bash(f"set -o pipefail; {command} | ffmpeg -v error -y -i - -c:v ffv1 out.mkv")
                self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
                self.assert_whole_clip(self.folder / "out.mkv")
                result = self.bash(f"{command} | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}")
                self.assertIn(result.stdout.split(), (["10", "0"], ["10", "141"]), result.stderr)
        self.assert_files("a.safetensors", "clip.mkv", "out.mkv")

    def test_control_c_ends_the_loop(self):
        """What a person types at a terminal reaches the loop and the command in it."""
        script = f"for i in 1 2 3; do echo round $i; {LONG} --progress plain -o clip.mp4; done; echo after"
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            ["setsid", "--ctty", "--wait", "bash", "--norc", "-c", script], cwd=self.folder, env=environment(TERM="xterm"),
            stdin=theirs, stdout=theirs, stderr=theirs,
        ) as process:  # fmt: skip
            os.close(theirs)
            shown, typed = b"", 0
            while True:
                try:
                    data = os.read(ours, 4096)
                except OSError:  # the other end is closed
                    break
                shown += data
                if b"sampling" in shown and not typed:
                    typed = os.write(ours, b"\x03")
        os.close(ours)
        self.assertEqual(shown.count(b"round "), 1, shown)
        self.assertNotIn(b"after", shown)
        self.assertIn(b"no clip was written", shown)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assert_files()


if __name__ == "__main__":
    unittest.main()
