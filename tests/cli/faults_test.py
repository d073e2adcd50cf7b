"""Hostile files, kill -9 at any time, and machines that lack something: nothing crashes, nothing is lost."""

import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import threading
import time
import unittest

from support import BINARY, PROMPT, QUICK, CommandTest, environment
from clip_test import pixels
from models_test import VAE, ModelTest
from models_test import QUICK as QUICK_TINY


def safetensors(header, data=b"", length=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


class HostileFilesTest(ModelTest):
    """Contract, part 7, cases 2 to 5, 10 and 11."""

    def assert_damage(self, name, content, *parts):
        path = self.model / name
        path.write_bytes(content)
        with subprocess.Popen(
            [BINARY, *QUICK_TINY, "--model", str(self.model)], cwd=self.folder, env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            output, errors = process.stdout.read(), process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assert_error(subprocess.CompletedProcess([], process.returncode, output, errors), 3, path.name, *parts)
        self.assertNotIn(b"sampling", errors)
        return usage

    def test_lengths_of_the_header(self):
        for content in (
            b"", b"\0" * 7, safetensors(b"{}", length=2**63), safetensors(b"{}", length=100_000_001), safetensors(b"{}", length=3),
        ):  # fmt: skip
            with self.subTest(content):
                usage = self.assert_damage(VAE, content)
                self.assertLess(usage.ru_utime + usage.ru_stime, 1)
                self.assertLess(usage.ru_maxrss, 100_000)  # KiB

    def test_headers(self):
        four = b"\0" * 4
        for header in (
            b"\xff\xfe", b"{", b"[]", b"null", {"a": {}}, {"a": 1}, {"a": entry(dtype=1)}, {"a": entry(shape=[-1])},
            {"a": entry(shape=[1.5])}, {"a": entry(offsets=[0])}, {"a": entry(offsets=[-4, 0])}, {"a": entry(offsets=[0, 4.5])},
            {"a": entry(offsets=[0, 2**64])}, b'{"a":%b,"a":%b}' % ((json.dumps(entry()).encode(),) * 2),
            {"a": entry(), "b": entry(offsets=[2, 6])}, {"a": entry(), "b": entry(offsets=[8, 12])}, {"a": entry(offsets=[4, 8])},
            {"a": entry(shape=[2**40, 2**40])}, {"a": entry(shape=[2])}, {"a": entry(dtype="F4")}, {"a": entry(dtype="\x1b[31m")},
            {"a": {**entry(), "b": 1}}, b'{"a":' * 100_000,
        ):  # fmt: skip
            with self.subTest(str(header)[:80]):
                self.assert_damage(VAE, safetensors(header, four))

    def test_bytes_behind_the_last_tensor(self):
        content = (self.model / VAE).read_bytes()
        self.assert_damage(VAE, content + b"\0" * 4)
        (length,) = struct.unpack("<Q", content[:8])
        self.assert_damage(VAE, content[: 8 + length])

    def test_tokenizers(self):
        path = self.model / "tokenizer/tokenizer.json"
        content = path.read_bytes()
        for damaged in (content[: len(content) // 2], b"junk", b"", b"[]", b'{"model": {"type": "Unigram", "vocab": 1}}'):
            with self.subTest(damaged[:20]):
                self.assert_damage("tokenizer/tokenizer.json", damaged)

    def test_what_is_no_file(self):
        for name in (VAE, "tokenizer/tokenizer.json", "vae/config.json", "model_index.json"):
            path = self.model / name
            content = path.read_bytes()
            for make, undo in ((os.mkdir, os.rmdir), (os.mkfifo, os.unlink)):
                with self.subTest(name, make=make.__name__):
                    path.unlink()
                    make(path)
                    result = self.render()
                    self.assert_error(result, 3, path.name)
                    undo(path)
                    path.write_bytes(content)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_no_permission(self):
        (self.model / VAE).chmod(0)
        self.assert_refused("ermission")


class KilledTest(CommandTest):
    """Case 17."""

    TIMES = 40

    def test_at_any_time(self):
        command = [*QUICK, "--steps", "1", "--threads", "1", "-o", "clip.mkv", "-y"]
        begin = time.monotonic()
        self.assertEqual(self.run_t2v(*command).returncode, 0)
        longest = time.monotonic() - begin
        old = pixels(self.folder / "clip.mkv")
        (self.folder / "clip.mkv").unlink()
        moments = random.Random(17)
        for round_ in range(self.TIMES):
            before = {path.name for path in self.folder.iterdir()}
            process = self.start_t2v(*command, stderr=subprocess.DEVNULL)
            time.sleep(moments.uniform(0, longest))
            process.kill()
            process.wait()
            # Absent, or whole.
            if (self.folder / "clip.mkv").exists():
                self.assertEqual(pixels(self.folder / "clip.mkv"), old, round_)
            elif "clip.mkv" in before:
                self.fail(f"round {round_}: the old clip is gone")
        self.assertEqual(self.run_t2v(*command).returncode, 0)
        self.assertEqual(pixels(self.folder / "clip.mkv"), old)
        self.assert_files("clip.mkv")


class PoorMachinesTest(CommandTest):
    """Cases 20 and 22."""

    def test_without_what_others_have(self):
        self.assertEqual(self.run_t2v(*QUICK, "-o", "clip.mkv").returncode, 0)
        clip = pixels(self.folder / "clip.mkv")
        homeless = {name: value for name, value in environment(TMPDIR="/nowhere").items() if name not in ("HOME", "XDG_CACHE_HOME")}
        files = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))  # noqa: E731
        for options in ({"env": homeless}, {"preexec_fn": files}):
            with self.subTest(list(options)):
                result = self.run_t2v(*QUICK, "-o", "clip.mkv", "-y", **options)
                self.assertEqual((result.returncode, result.stdout), (0, b"clip.mkv\n"), result.stderr.decode())
                self.assertEqual(pixels(self.folder / "clip.mkv"), clip)

    def test_a_storm_of_signals(self):
        self.assertEqual(self.run_t2v(*QUICK, "-o", "clip.mkv").returncode, 0)
        process = self.start_t2v(*QUICK, "-o", "stormy.mkv")
        while process.poll() is None:
            for number in (signal.SIGWINCH, signal.SIGCHLD, signal.SIGURG, signal.SIGSTOP, signal.SIGCONT):
                process.send_signal(number)
            time.sleep(0.002)
        output, errors = process.communicate()
        self.assertEqual((process.returncode, output), (0, b"stormy.mkv\n"), errors)
        self.assertEqual(pixels(self.folder / "stormy.mkv"), pixels(self.folder / "clip.mkv"))

    def test_memory_that_does_not_do_for_the_engine(self):
        for mebibytes in (50, 200, 400, 700):
            with self.subTest(mebibytes):
                limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20,) * 2)  # noqa: B023, E731
                self.assert_error(self.run_t2v(*QUICK, "-o", "clip.mp4", preexec_fn=limit), 5)
                self.assert_files()

    def limited_at(self, is_time, *arguments):
        """What becomes of a run that gets no more memory from an event on."""
        process = self.start_t2v(*arguments, "-o", "clip.mp4", "--progress", "json")
        for line in process.stderr:
            if is_time(json.loads(line)):
                with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
                    taken = int(statm.read().split()[0]) * resource.getpagesize()
                resource.prlimit(process.pid, resource.RLIMIT_AS, (taken + (8 << 20),) * 2)
                break
        output, errors = process.communicate(timeout=120)
        self.assertEqual((process.returncode, output), (5, b""), errors)
        self.assertIn(b'"error"', errors)

    def test_memory_that_ends_while_loading(self):
        self.limited_at(lambda event: event.get("detail") == "transformer", *QUICK, "--size", "512x512")
        self.assert_files()

    def test_memory_that_ends_while_decoding(self):
        command = ["--prompt", PROMPT, "--steps", "1", "--frames", "5", "--seed", "1", "--size", "512x512"]
        self.limited_at(lambda event: event["event"] == "decode", *command)
        self.assert_files("clip.mp4.latents.safetensors")
        result = self.run_t2v("decode", "clip.mp4.latents.safetensors", "-o", "clip.mp4")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assert_whole_clip(self.folder / "clip.mp4")


class FullDiskTest(CommandTest):
    """Case 13, on a disk of that many KiB; the old clip takes four of them."""

    SCRIPT = 'mkdir -p disk && mount -t tmpfs -o size=$1k none disk && cd disk && printf old >clip.mkv && shift || exit 77; "$@"; '
    SCRIPT += 'code=$?; ls -A; cat clip.mkv; exit $code'

    def test_what_does_not_fit(self):
        for kibibytes, left in ((16, ["clip.mkv"]), (32, ["clip.mkv", "clip.mkv.latents.safetensors"])):
            with self.subTest(kibibytes):
                result = subprocess.run(
                    ["unshare", "-rm", "bash", "-c", self.SCRIPT, "bash", str(kibibytes), BINARY, *QUICK, "--quality", "lossless",
                     "-o", "clip.mkv", "-y"], cwd=self.folder, env=environment(), capture_output=True, timeout=300, check=False,
                )  # fmt: skip
                if result.returncode in (1, 77):
                    self.skipTest("needs the right to mount a tmpfs: " + result.stderr.decode())
                self.assertEqual(result.returncode, 4, result.stderr.decode())
                self.assertEqual(b"sampling" in result.stderr, len(left) > 1, "what cannot fit is refused before the work")
                self.assertEqual(result.stdout.decode().splitlines(), [*left, "old"], result.stderr.decode())


class PipeTest(CommandTest):
    """Of case 21."""

    def test_stopped_into_tee(self):
        script = '"$@" 2>&1 | tee log >/dev/null; echo "${PIPESTATUS[0]}"'
        with subprocess.Popen(
            ["bash", "-c", f"trap : INT; {script}", "bash", BINARY, *QUICK, "--steps", "1000", "-o", "clip.mp4"],
            cwd=self.folder, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True, env=environment(),
        ) as process:  # fmt: skip
            log = self.folder / "log"
            while not (log.exists() and b"sampling" in log.read_bytes()):
                self.assertIsNone(process.poll())
                time.sleep(0.05)
            os.killpg(process.pid, signal.SIGINT)
            self.assertEqual(process.stdout.read(), b"130\n")
        self.assert_files("log")


if __name__ == "__main__":
    unittest.main()
