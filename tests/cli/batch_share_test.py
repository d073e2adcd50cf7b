"""Several t2v batch at once on one folder, and what is left by those that were killed (contract, fault case 18)."""

import json
import os
import signal
import subprocess
import unittest

from batch_support import SMALL, BatchTest
from support import BINARY, ROOT, environment

# Stand-ins for the schedulers' commands, as far as the examples use them.
SBATCH = """#!/usr/bin/env python3
import os, re, subprocess, sys
first, last = map(int, re.search(r"^#SBATCH --array=(\\d+)-(\\d+)$", open(sys.argv[1]).read(), re.M).groups())
tasks = [subprocess.Popen(["bash", *sys.argv[1:]], env={**os.environ, "SLURM_ARRAY_TASK_ID": str(task)})
         for task in range(first, last + 1)]
sys.exit(max([task.wait() for task in tasks]))
"""
SRUN = """#!/bin/sh
[ -n "$SLURM_ARRAY_TASK_ID" ] && echo "task $SLURM_ARRAY_TASK_ID" >> tasks && exec "$@"
"""
PARALLEL = """#!/usr/bin/env python3
import subprocess, sys
words = sys.argv[1:]
assert words[0] == "--quote" and words[3] == "--line-buffer" and words[4] == "-I" and words[6] == "-N1", words
items = sys.stdin.read().split()
assert len(items) == int(words[2]), items
jobs = [subprocess.Popen([word.replace(words[5], item) for word in words[7:]], stdin=subprocess.DEVNULL) for item in items]
sys.exit(sum(job.wait() != 0 for job in jobs))
"""


class ShareTest(BatchTest):
    def rows(self, count, **extra):
        """A file of prompts; of the row of each number in `extra`, what it gives as well."""
        rows = [{"prompt": f"clip {n}", **extra.get(f"row{n}", {})} for n in range(count)]
        return self.write("".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl")

    def start(self, prompts, *arguments):
        return self.start_t2v("batch", *SMALL, "--prompts", prompts, "-o", "out", "--seed", "1",
                              "--name-template", "{prompt}.mp4", *arguments)  # fmt: skip

    def finish(self, workers, code=0):
        """The paths that each worker told."""
        told = []
        for worker in workers:
            output, errors = worker.communicate(timeout=120)
            self.assertEqual(worker.returncode, code, errors.decode())
            told.append(output.decode().splitlines())
        return told

    def wait_for(self, worker, event):
        for line in worker.stderr:
            if json.loads(line)["event"] == event:
                return
        self.fail(f"no {event}")

    def test_four_processes_make_each_clip_once(self):
        prompts = self.rows(12)
        told = self.finish([self.start(prompts, "--steps", "20", "--gallery") for _ in range(4)])
        names = sorted(f"clip {n}.mp4" for n in range(12))
        self.assertEqual(sorted(path for paths in told for path in paths), [f"out/{name}" for name in names])
        self.assertGreater(sum(bool(paths) for paths in told), 1, "one process did it all")
        self.assertEqual(self.clips(), names)
        self.assertEqual(sorted(line["output"] for line in self.lines("results.jsonl")), names)
        self.assertEqual((self.folder / "out/index.html").read_text().count("<video"), 12)

    def start_and_halt(self, prompts):
        """One that is in the middle of its first clip and stays there, and another that has made the rest."""
        first = self.start(prompts, "--steps", "400", "--progress", "json")
        self.wait_for(first, "step")
        first.send_signal(signal.SIGSTOP)
        second = self.start(prompts, "--steps", "400")
        self.assertTrue(any(b"waiting for 1 clip" in line for line in second.stderr))
        return first, second

    def test_what_a_killed_one_was_making_another_makes(self):
        first, second = self.start_and_halt(self.rows(4))
        self.assertEqual(len([name for name in self.clips() if name.endswith(".mp4")]), 3)
        first.kill()
        (told,) = self.finish([second])
        self.assertEqual(len(told), 4)
        self.assertEqual(self.clips(), [f"clip {n}.mp4" for n in range(4)])

    def test_a_waiting_one_can_be_stopped(self):
        _, second = self.start_and_halt(self.rows(1))
        second.send_signal(signal.SIGINT)
        self.assertEqual(second.wait(timeout=30), -signal.SIGINT)

    def test_all_draw_the_same_random_seeds(self):
        prompts = self.rows(6)
        told = self.finish([self.start(prompts, "--steps", "20", "--seed", "-1", "--name-template", "{prompt}-{seed}.mp4")
                            for _ in range(3)])  # fmt: skip
        self.assertEqual(sum(map(len, told)), 6)
        self.assertEqual(len([name for name in self.clips() if name.endswith(".mp4")]), 6)

    def test_a_failed_row_is_tried_once(self):
        self.lora(float("nan"))
        prompts = self.rows(9, row4={"lora": "lora.safetensors"})
        # It fails while the first, which started all others, still lives.
        told = self.finish([self.start(prompts, "--steps", "10", "--gallery") for _ in range(3)], code=8)
        self.assertEqual(sum(map(len, told)), 8)
        (failed,) = self.lines("failed.jsonl")
        self.assertEqual(failed["output"], "clip 4.mp4")
        self.assertEqual((self.folder / "out/index.html").read_text().count('class="failed"'), 1)
        self.lora(0.5)
        (told,) = self.finish([self.start(prompts, "--steps", "10")])
        self.assertEqual(told, ["out/clip 4.mp4"])

    def test_what_killed_ones_left_is_removed(self):
        prompts = self.rows(2)
        worker = self.start(prompts, "--steps", "400", "--progress", "json")
        self.wait_for(worker, "step")
        worker.kill()
        worker.wait()
        hidden = self.folder / "out/.t2v"
        self.assertTrue(hidden.exists())
        (hidden / "clip 1.mp4.claim").write_text('{"error": {"message": "of an earlier run"}}')
        (self.folder / "out/.t2v-1.part").write_bytes(b"half a clip")
        (self.folder / "out/clip 0.mp4.latents.safetensors").write_bytes(b"kept")
        (told,) = self.finish([self.start(prompts, "--steps", "400")])
        self.assertEqual(told, ["out/clip 0.mp4", "out/clip 1.mp4"])
        self.assertEqual(self.clips(), ["clip 0.mp4", "clip 1.mp4"])

    def test_a_preview_of_a_killed_one_is_made_again(self):
        prompts = self.rows(2, row0={"preview": "look.gif"})
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                worker = self.start(prompts, "--steps", "400", "--frames", "5", "--progress", "json")
                for _ in worker.stderr:
                    if (self.folder / "look.gif").exists():
                        break
                worker.send_signal(number)
                worker.communicate(timeout=60)
                self.assertEqual((self.folder / "look.gif").exists(), number == signal.SIGKILL)
        (told,) = self.finish([self.start(prompts, "--steps", "40", "--frames", "5")])
        self.assertEqual(told, ["out/clip 0.mp4", "out/clip 1.mp4"])
        self.assertTrue((self.folder / "look.gif").exists())

    def test_a_preview_of_nobody_stays(self):
        (self.folder / "look.gif").write_bytes(b"mine")
        prompts = self.rows(1, row0={"preview": "look.gif"})
        self.finish([self.start(prompts)], code=8)
        self.assertEqual((self.folder / "look.gif").read_bytes(), b"mine")

    def test_a_filesystem_without_room_for_claims(self):
        (self.folder / "out").mkdir()
        (self.folder / "out/.t2v").write_bytes(b"not a folder")
        _, errors = self.start(self.rows(1)).communicate(timeout=60)
        self.assertIn(b"t2v: error: writing out/.t2v", errors)
        self.assertIn(b"expected a folder that files can be written in; look at its permissions", errors)

    def test_claims_of_something_else(self):
        prompts = self.rows(3)
        first = self.start(prompts, "--steps", "400", "--progress", "json")
        self.wait_for(first, "step")
        first.send_signal(signal.SIGSTOP)
        for n, text in enumerate(('{"error": "x"}', '{"error": {"message": 3}}')):
            (self.folder / f"out/.t2v/clip {n + 1}.mp4.claim").write_text(text)
        second = self.start(prompts, "--steps", "400")
        self.assertTrue(any(b"waiting for 1 clip that others" in line for line in second.stderr))
        first.send_signal(signal.SIGCONT)
        first_told, second_told = self.finish([first, second], code=8)
        self.assertEqual(first_told + second_told, ["out/clip 0.mp4"])
        self.assertFalse((self.folder / "out/.t2v").exists())


class SchedulerTest(BatchTest):
    """The examples for schedulers, with stand-ins for these."""

    def run_example(self, script, *words, tools, **variables):
        tools_folder = self.folder / "tools"
        tools_folder.mkdir()
        for name, text in tools.items():
            (tools_folder / name).write_text(text)
            (tools_folder / name).chmod(0o755)
        path = f"{tools_folder}{os.pathsep}{os.environ['PATH']}"
        command = [*words, str(ROOT / "scripts/examples" / script), self.write("a cat\na dog\na fox\n"), "out", *SMALL]
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment(PATH=path, T2V=BINARY, **variables), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )  # fmt: skip
        output, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, errors.decode())
        return output.decode().splitlines()

    def test_slurm_array(self):
        told = self.run_example("slurm-array.sh", "sbatch", tools={"sbatch": SBATCH, "srun": SRUN})
        self.assertEqual(len(told), 3)
        self.assertEqual(len(self.clips()), 3)
        self.assertEqual(sorted((self.folder / "tasks").read_text().split("\n")[:4]), [f"task {n}" for n in range(4)])

    def test_parallel(self):
        told = self.run_example("parallel.sh", tools={"parallel": PARALLEL}, WORKERS="3")
        self.assertEqual(sorted(told), sorted(f"out/{name}" for name in self.clips()))
        self.assertEqual(len(told), 3)

    def test_parallel_with_gpus(self):
        gpus = '#!/bin/sh\necho "GPU 0: x"\necho "GPU 1: x"\n'
        told = self.run_example("parallel.sh", tools={"parallel": PARALLEL, "nvidia-smi": gpus})
        self.assertEqual(len(told), 3)


if __name__ == "__main__":
    unittest.main()
