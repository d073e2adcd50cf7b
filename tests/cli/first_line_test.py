"""The first line of work that takes longer."""

import contextlib
import os
import subprocess
import time
import unittest
from pathlib import Path

from support import QUICK, ROOT, CommandTest


class FirstLineTest(CommandTest):
    """Work that takes longer says what is being done before LibTorch is loaded, which takes 0.3 s and more."""

    def libraries_at_the_first_line(self, *arguments):
        """What the process has loaded when it writes its first line, into a pipe that is full."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(4096))
        os.set_blocking(writing, True)
        process = self.start_t2v(*arguments, stderr=writing, stdout=subprocess.DEVNULL)
        os.close(writing)
        spent, quiet = None, 0
        while quiet < 5:  # it waits
            time.sleep(0.05)
            self.assertIsNone(process.poll(), "it has ended")
            fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            state, now = fields[0], fields[11:13]
            quiet = quiet + 1 if state == "S" and now == spent else 0
            spent = now
        libraries = Path(f"/proc/{process.pid}/maps").read_text()
        process.kill()
        return libraries

    def test_before_the_engine_is_loaded(self):
        result = self.run_t2v(*QUICK, "--size", "32x32", "-o", "there.mp4", "--save-latents", "a.safetensors")
        self.assertEqual(result.returncode, 0, result.stderr)
        (self.folder / "rows.txt").write_text("a cat\n")
        batch = ["batch", "--prompts", "rows.txt", "-o", "out", "--steps", "2"]
        decode = ["decode", "a.safetensors", "-o", "b.mp4"]
        model = str(ROOT / "tests/fixtures/tiny-wan")
        for arguments in (
            [*QUICK, "-o", "a.mp4"], [*QUICK, "-o", "a.mp4", "--dry-run"], ["plan"], batch, [*batch, "--dry-run"], decode,
            [*decode, "--dry-run"], ["rerun", "there.mp4", "--dry-run"], ["convert", model, "-o", "out"],
            ["convert", model, "-o", "out", "--dry-run"], ["bench", "gemm.1.3b.256p17"], ["bench", "--dry-run"],
        ):  # fmt: skip
            with self.subTest(arguments):
                libraries = self.libraries_at_the_first_line(*arguments)
                self.assertIn("libt2v.so", libraries)
                self.assertNotIn("libtorch", libraries)


if __name__ == "__main__":
    unittest.main()
