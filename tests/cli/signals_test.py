"""Being stopped: SIGINT, SIGTERM, SIGHUP in every phase, twice, in a shell loop; a model that is cut short."""

import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from support import BINARY, PROMPT, QUICK, ROOT, CommandTest, environment

# Long enough that no phase ends before the signal arrives.
LONG = ["--prompt", PROMPT, "--steps", "1000", "-o", "clip.mp4", "--progress", "json"]
LONG_STEP = [*LONG, "--size", "768x768", "--frames", "33", "--threads", "1"]  # seconds a block
LONG_DECODE = ["--prompt", PROMPT, "--steps", "1", "--frames", "401", "-o", "clip.mp4", "--progress", "json"]


class SignalTest(CommandTest):
    def stop_in(self, phase, numbers, arguments, apart=0, **options):
        """Sends the signals when `phase` has begun, each after `apart` seconds; the events, all of them."""
        process = self.start_t2v(*arguments, **options)
        events = []
        for line in process.stderr:
            events.append(json.loads(line))
            if events[-1]["event"] == phase and numbers:
                for number in numbers:
                    time.sleep(apart)
                    process.send_signal(number)
                numbers = []
        process.wait(timeout=60)
        # A signal that comes too late for the clip ends the command after it.
        self.assertIn(process.stdout.read(), (b"", b"clip.mp4\n") if phase == "write" else (b"",))
        return process.returncode, events

    def test_each_signal(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                code, events = self.stop_in("step", [number], LONG)
                self.assertEqual(code, -number)
                notice = [i for i, event in enumerate(events) if "stopping" in event.get("message", "")]
                self.assertEqual(len(notice), 1)
                self.assertIn("elapsed", events[notice[0]])
                (error,) = [event for event in events if event["event"] == "error"]
                self.assertEqual((error["code"], error["message"]), (128 + number, "stopped; no clip was written"))
                # At most the step in progress and the one that the message raced with.
                self.assertLessEqual(sum(event["event"] == "step" for event in events[notice[0] :]), 2)
                self.assert_files()

    def test_in_each_phase(self):
        for phase, arguments in {
            "start": LONG, "load": LONG, "encode_text": LONG, "decode": LONG_DECODE, "write": LONG_DECODE,
        }.items():  # fmt: skip
            with self.subTest(phase=phase):
                code, _ = self.stop_in(phase, [signal.SIGINT], arguments)
                self.assertEqual(code, -signal.SIGINT)
                if phase != "write":  # the clip may be on its way when the signal arrives
                    self.assertFalse((self.folder / "clip.mp4").exists())

    def test_a_batch(self):
        prompts = ["a red ball", "a blue box"]
        (self.folder / "prompts.txt").write_text("\n".join(prompts))
        process = self.start_t2v("batch", "--prompts", "prompts.txt", "-o", "clips", "--steps", "400")
        said = []
        for line in process.stderr:
            said.append(line.decode())
            if b"sampling" in line and len(said) < 100:
                process.send_signal(signal.SIGTERM)
                said += ["..."] * 100
        self.assertEqual(process.wait(timeout=60), -signal.SIGTERM)
        said = "".join(said)
        for part in ("stopping at the next step", "stopped; the clips that are done stay", "0 written"):
            self.assertIn(part, said)
        self.assertFalse((self.folder / "clips").exists())

    def test_twice(self):
        code, events = self.stop_in("step", [signal.SIGINT, signal.SIGINT], LONG_STEP, apart=0.5)
        self.assertEqual(code, -signal.SIGINT)
        self.assertNotIn("summary", [event["event"] for event in events], "left before the step was done")
        self.assert_files()

    def test_two_at_once_are_one(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            code, events = self.stop_in("step", [number, number], LONG)
            self.assertEqual(code, -number)
            self.assertIn("summary", [event["event"] for event in events], "stopped in order")
            self.assert_files()

    def test_while_a_fifo_waits_for_its_reader(self):
        os.mkfifo(self.folder / "fifo")
        process = self.start_t2v(*QUICK, "-o", "fifo", "--progress", "json")
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] == "step" and event["done"] == event["total"]:
                break
        time.sleep(1)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertIn(b"no clip was written", process.stderr.read())
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT)
        self.assert_files("fifo")

    def test_old_clip_survives(self):
        (self.folder / "clip.mp4").write_bytes(b"old")
        code, _ = self.stop_in("step", [signal.SIGTERM], [*LONG, "-y"])
        self.assertEqual(code, -signal.SIGTERM)
        self.assertEqual((self.folder / "clip.mp4").read_bytes(), b"old")
        self.assert_files("clip.mp4")

    def test_ignored_signals_stay_ignored(self):
        ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
        code, _ = self.stop_in("step", [signal.SIGHUP, signal.SIGTERM], LONG, preexec_fn=ignore)
        self.assertEqual(code, -signal.SIGTERM)

    def test_shell_loop_stops(self):
        script = 'for i in 1 2 3; do echo "round $i"; "$@"; done; echo "after"'
        process = subprocess.Popen(
            ["bash", "-c", script, "loop", BINARY, *LONG], cwd=self.folder, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, env=environment()
        )  # fmt: skip
        for line in process.stderr:
            if json.loads(line)["event"] == "step":
                os.killpg(process.pid, signal.SIGINT)
                break
        output, _ = process.communicate(timeout=60)
        self.assertEqual(output, b"round 1\n")
        self.assertEqual(process.returncode, -signal.SIGINT)

    def test_model_cut_short_while_it_is_read(self):
        model = self.folder / "model"
        shutil.copytree(ROOT / "models/tiny-world", model)
        weights = next((model / "transformer").glob("*.safetensors"))
        whole = weights.stat().st_size
        process = self.start_t2v("-m", str(model), *QUICK, "-o", "clip.mp4", "--progress", "json")
        for line in process.stderr:
            event = json.loads(line) if line.startswith(b"{") else {}
            if event.get("event") == "encode_text":
                os.truncate(weights, whole // 2)
                break
        errors = process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=60), 3, errors)
        self.assertNotEqual(errors, "")
        self.assertFalse((self.folder / "clip.mp4").exists())


if __name__ == "__main__":
    unittest.main()
