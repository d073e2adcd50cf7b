"""What the tests of the command share: the real binary (T2V_BINARY) in a temporary folder."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BINARY = os.environ["T2V_BINARY"]
ROOT = Path(__file__).resolve().parents[2]
# What memory costs depends on the instrumentation of a build with sanitizers.
SANITIZED = b"__asan_init" in Path(BINARY).read_bytes()
PROMPT = "a red ball moves to the right over green grass"
# The bundled model, as small and as quick as it goes.
QUICK = ["--prompt", PROMPT, "--steps", "2", "--frames", "5", "--seed", "1"]


def environment(**changes):
    own = ("NO_COLOR", "TERM", "T2V_BINARY")
    variables = {name: value for name, value in os.environ.items() if name not in own}
    return {**variables, **changes}


class CommandTest(unittest.TestCase):
    """Each test runs in an empty folder of its own."""

    maxDiff = None

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="t2v-cli-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def run_t2v(self, *arguments, **options):
        options.setdefault("env", environment())
        options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
        return subprocess.run(
            [BINARY, *arguments], cwd=self.folder, capture_output=True, timeout=300, check=False, **options
        )

    def peak_memory(self, *arguments):
        """The largest resident set of a run, in bytes."""
        with subprocess.Popen([BINARY, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, env=environment(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:  # fmt: skip
            message = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, message.decode())
        return usage.ru_maxrss * 1024

    def start_t2v(self, *arguments, **options):
        options.setdefault("env", environment())
        process = subprocess.Popen(
            [BINARY, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            **options,
        )
        self.addCleanup(process.kill)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                self.addCleanup(stream.close)
        return process

    def settings(self, *arguments, **options):
        """What a run would render: its first line says so, and that is where it is ended."""
        reading, writing = os.pipe()
        options.setdefault("stdin", subprocess.DEVNULL)
        with subprocess.Popen(
            [BINARY, *arguments, "--progress", "json"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=writing,
            env=environment(), **options
        ) as process, open(reading, "rb") as lines:  # fmt: skip
            os.close(writing)
            event = json.loads(lines.readline())
            process.kill()
        self.assertEqual(event["event"], "start", event)
        return event["settings"]

    def assert_error(self, result, code, *parts):
        """One line on standard error that holds every part, nothing on standard output, nothing left behind."""
        message = result.stderr.decode()
        self.assertEqual(result.returncode, code, message)
        self.assertEqual(result.stdout, b"")
        lines = [line for line in message.splitlines() if line.startswith("t2v: error: ")]
        self.assertEqual(len(lines), 1, message)
        self.assertEqual(message.splitlines()[-1], lines[0])
        for part in parts:
            self.assertIn(part, lines[0])

    def refused(self, *arguments, parts=(), **options):
        """A usage error that leaves the folder as it was."""
        before = sorted(self.folder.iterdir())
        result = self.run_t2v(*arguments, **options)
        self.assert_error(result, 2, *parts)
        self.assertEqual(len(result.stderr.decode().splitlines()), 1)
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def events(self, result):
        """The lines of --progress json."""
        return [json.loads(line) for line in result.stderr.decode().splitlines()]

    def assert_whole_clip(self, path, frames=5):
        output = subprocess.run(
            ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
             "stream=nb_read_frames", "-of", "csv=p=0", path],
            capture_output=True, check=True, text=True,
        )  # fmt: skip
        self.assertEqual(output.stderr, "")
        self.assertEqual(output.stdout.strip().rstrip(","), str(frames))

    def assert_files(self, *names):
        self.assertEqual(sorted(entry.name for entry in self.folder.iterdir()), sorted(names))
