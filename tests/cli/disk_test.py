"""A disk that refuses to sync, close or rename (contract, fault cases 13 and 16): every such call of a run fails once, in a run of its own."""

import atexit
import itertools
import os
import shutil
import tempfile
import unittest
from pathlib import Path

from batch_support import SMALL, BatchTest
from support import BINARY, SANITIZED, environment

FAULTY_CALLS = Path(BINARY).parent.parent / "lib/t2v/libfaulty_calls.so"
CALLS = ("fsync", "close", "rename")
MOST = 40  # calls of a kind in a run


@unittest.skipIf(SANITIZED, "a sanitizer has to be loaded first")
class DiskTest(BatchTest):
    def setUp(self):
        super().setUp()
        self.cache = self.folder.with_suffix(".cache")  # of all runs: what the first keeps, the others only read
        self.addCleanup(shutil.rmtree, self.cache, ignore_errors=True)

    def run_faulty(self, call, number, path, *arguments):
        """Runs t2v with a call that fails: the path that it was about, "" if there was none, and the result."""
        log = self.folder.with_suffix(".log")
        faults = {"FAULTY_CALL": call, "FAULTY_NUMBER": str(number), "FAULTY_PATH": path, "FAULTY_LOG": str(log)}
        # LD_PRELOAD takes no path with a blank in it.
        library = Path(tempfile.gettempdir()) / f"t2v-faulty-calls-{os.getpid()}.so"
        if not library.exists():
            shutil.copy(FAULTY_CALLS, library)
            atexit.register(library.unlink)
        variables = environment(LD_PRELOAD=str(library), XDG_CACHE_HOME=str(self.cache), **faults)
        result = self.run_t2v(*arguments, env=variables)
        return log.read_text() if log.exists() else "", result

    def at_each_fault(self, check, *arguments, prepared=None):
        """Calls check(path, result) for every call that a run makes, run in a folder of its own where that call fails."""
        top = self.folder
        for call in CALLS:
            for number in range(1, MOST):
                self.folder = top / f"{call}-{number}"
                shutil.copytree(prepared, self.folder) if prepared else self.folder.mkdir()
                path, result = self.run_faulty(call, number, "", *arguments)
                if path == "":
                    break
                with self.subTest(call=call, path=path, number=number):
                    check(path, result)
            self.assertEqual((path, result.returncode), ("", 0), result.stderr)
            self.assertGreater(number, 1, f"no {call}")
        self.folder = top

    def prepare(self):
        prepared = self.folder / "prepared"
        prepared.mkdir()
        return prepared

    def test_a_clip_that_is_replaced(self):
        prepared = self.prepare()
        files = ["--save-latents", "latents.safetensors", "-o", "clip.mp4"]
        self.assertEqual(self.run_t2v(*SMALL, "-p", "old", "--seed", "1", *files).returncode, 0)
        for name in ("clip.mp4", "latents.safetensors"):
            (self.folder / name).rename(prepared / name)
        old = (prepared / "clip.mp4").read_bytes()
        failed = set()

        def check(path, result):
            self.assertIn(b"Input/output error", result.stderr)
            self.assert_files("clip.mp4", "latents.safetensors")
            self.assert_whole_clip(self.folder / "clip.mp4", frames=1)
            if result.returncode == 0:
                self.assertTrue(Path(path).is_dir(), path)  # what has its name stays there
                self.assertNotEqual((self.folder / "clip.mp4").read_bytes(), old)
            else:
                failed.add(Path(path).name)
                self.assert_error(result, 4)
                self.assertEqual((self.folder / "clip.mp4").read_bytes(), old)
            latents = self.run_t2v("inspect", "latents.safetensors", "--json")
            self.assertEqual(latents.returncode, 0, latents.stderr)

        self.at_each_fault(check, *SMALL, "-p", "new", "--seed", "1", *files, "-y", prepared=prepared)
        self.assertLessEqual({"clip.mp4", "latents.safetensors"}, failed)

    def test_a_new_clip(self):
        def check(path, result):
            self.assertIn(b"Input/output error", result.stderr)
            if result.returncode == 0:
                self.assertTrue(Path(path).is_dir(), path)
                self.assert_files("clip.mp4")
                self.assert_whole_clip(self.folder / "clip.mp4", frames=1)
                return
            self.assert_error(result, 4)
            kept = [entry.name for entry in self.folder.iterdir()]
            self.assertIn(kept, ([], ["clip.mp4.latents.safetensors"]))
            self.assertEqual(b"t2v decode clip.mp4.latents.safetensors" in result.stderr, bool(kept))

        self.at_each_fault(check, *SMALL, "-p", "new", "--seed", "1", "-o", "clip.mp4")

    def test_what_a_batch_settles(self):
        prepared = self.prepare()
        self.done(self.write("a cat\n"), "--seed", "1", "--gallery")
        shutil.rmtree(self.folder / "out/posters")
        old = {"results.jsonl": '{"outp', "failed.jsonl": '{"prompt": "a fox", "output": "fox.mp4"}\n{"output": "0000-a-cat-1.mp4"}\n',
               "index.html": (self.folder / "out/index.html").read_text() + "<!-- old -->"}  # fmt: skip
        for name, text in old.items():
            (self.folder / "out" / name).write_text(text)
        (self.folder / "out").rename(prepared / "out")
        (self.folder / "prompts.txt").rename(prepared / "prompts.txt")
        arguments = ["batch", *SMALL, "--prompts", "prompts.txt", "-o", "out", "--seed", "1", "--gallery"]
        stayed = set()

        def check(path, result):
            nonlocal stayed
            if "/posters/" in path:
                self.assertEqual((result.returncode, result.stdout), (0, b""), result.stderr)
                return  # nothing is lost with a picture
            said = result.stderr.decode()
            self.assertTrue("t2v: " in said and "Input/output error" in said, said)
            names = {entry.name for entry in (self.folder / "out").iterdir()}
            self.assertEqual(names, {"0000-a-cat-1.mp4", "posters", *old})
            self.assertLessEqual({entry.name for entry in (self.folder / "out/posters").iterdir()}, {"0000-a-cat-1.mp4.png"})
            same = {name for name, text in old.items() if (self.folder / "out" / name).read_text() == text}
            self.assertLessEqual(len(same), 1)
            self.assertEqual((result.returncode, result.stdout), (4 if "index.html" in same else 0, b""), said)
            for name in same:
                self.assertIn(f"t2v: {'error' if result.returncode else 'warning'}: writing out/{name}: ", said)
            stayed |= same
            # The same command mends it.
            again = self.run_t2v(*arguments)
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual([line["output"] for line in self.lines("results.jsonl")], ["0000-a-cat-1.mp4"])
            self.assertEqual([line["output"] for line in self.lines("failed.jsonl")], ["fox.mp4"])
            self.assertIn('poster="./posters/', (self.folder / "out/index.html").read_text())

        self.at_each_fault(check, *arguments, prepared=prepared)
        self.assertEqual(stayed, set(old))

    def test_lines_of_a_batch(self):
        prepared = self.prepare()
        self.lora(float("nan"), "prepared/lora.safetensors")
        rows = '{"prompt": "a", "output": "a.mp4"}\n{"prompt": "b", "output": "b.mp4", "lora": "lora.safetensors"}\n'
        (prepared / "rows.jsonl").write_text(rows)
        arguments = ["batch", *SMALL, "--prompts", "rows.jsonl", "-o", "out", "--seed", "1"]
        top = self.folder
        for name, call in itertools.product(("results.jsonl", "failed.jsonl"), ("fsync", "close")):
            with self.subTest(name=name, call=call):
                self.folder = top / f"{name[0]}-{call}"
                shutil.copytree(prepared, self.folder)
                _, result = self.run_faulty(call, 1, name, *arguments)
                self.assertEqual((result.returncode, result.stdout), (8, b"out/a.mp4\n"), result.stderr)
                self.assertIn(f'writing out/{name}: got "Input/output error"', result.stderr.decode())
                self.assertEqual(self.clips(), ["a.mp4"])
                self.assertEqual([line["output"] for line in self.lines("failed.jsonl")], ["b.mp4"])
                self.assertEqual(self.run_t2v(*arguments).returncode, 8)
                self.assertEqual([line["output"] for line in self.lines("results.jsonl")], ["a.mp4"])
        self.folder = top


if __name__ == "__main__":
    unittest.main()
