"""t2v batch at work: what it writes and says, failures, continuing, the gallery (contract, fault case 27)."""

import html.parser
import json
import os
import pty
import re
import resource
import signal
import subprocess
import unittest
import urllib.parse

from batch_support import SMALL, BatchTest
from support import BINARY, SANITIZED, environment


class Page(html.parser.HTMLParser):
    """The links of a page, its text, and the tags it has."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.text = [], set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "poster")]

    def handle_data(self, data):
        self.text += data


class RunTest(BatchTest):
    def test_clips_and_what_is_said(self):
        prompts = self.write("a cat\na dog\n")
        result = self.batch(prompts, "--seed", "1")
        paths = ["out/0000-a-cat-1.mp4", "out/0001-a-dog-1.mp4"]
        self.assertEqual((result.returncode, result.stdout.decode().splitlines()), (0, paths), result.stderr)
        for path in paths:
            self.assert_whole_clip(self.folder / path, frames=1)
        self.assertEqual(self.clips(), [path.removeprefix("out/") for path in paths])
        said = result.stderr.decode().splitlines()
        self.assertEqual([line for line in said if not line.startswith("t2v: ")], [])
        self.assertIn("[1/2]", next(line for line in said if line != "t2v: planning"))
        self.assertTrue(any("[2/2]" in line and "left of all" in line for line in said), said)
        self.assertRegex(said[-1], "^t2v: 2 clips: 2 written, 0 were there, 0 failed; ")
        results = self.lines("results.jsonl")
        self.assertEqual([line["output"] for line in results], self.clips())
        self.assertEqual(results[1]["settings"]["prompt"], "a dog")
        self.assertGreater(results[1]["seconds"], 0)

    def test_the_clips_of_separate_commands(self):
        self.done(self.write("a cat\na dog\n"), "--seed", "3", "--steps", "2", "--name-template", "{index}.mkv")
        arguments = [*SMALL, "--seed", "3", "--steps", "2", "-p", "a dog", "-o", "alone.mkv"]
        self.assertEqual(self.run_t2v(*arguments).returncode, 0)
        hashes = [
            subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "framehash", "-"], cwd=self.folder,
                           capture_output=True, check=True).stdout
            for path in ("alone.mkv", "out/1.mkv", "out/0.mkv")
        ]  # fmt: skip
        self.assertEqual(hashes[0], hashes[1])
        self.assertNotEqual(hashes[0], hashes[2])

    def test_json(self):
        result = self.batch(self.write("a cat\na dog\n"), "--json", "--progress", "json", "--seed", "1")
        lines = [json.loads(line) for line in result.stdout.decode().splitlines()]
        self.assertEqual([line["output"] for line in lines], ["out/0000-a-cat-1.mp4", "out/0001-a-dog-1.mp4"])
        self.assertEqual([line["settings"]["prompt"] for line in lines], ["a cat", "a dog"])
        events = self.events(result)
        done = [event for event in events if event["event"] == "done"]
        self.assertEqual([event["clip"]["number"] for event in done], [1, 2])
        self.assertEqual(done[0]["clip"]["count"], 2)
        starts = [event for event in events if event["event"] == "start"]
        self.assertEqual(starts[0]["clip"]["left"], None)
        self.assertGreater(starts[1]["clip"]["left"], 0)
        self.assertEqual((events[-1]["event"], events[-1]["ok"]), ("summary", True))
        self.assertEqual(events[-1]["clips"], {"all": 2, "written": 2, "there": 0, "failed": 0})

    def test_one_load_of_each_model(self):
        rows = [{"prompt": f"clip {n}", "size": size} for n, size in enumerate(["16x16", "32x16", "16x16", "32x16"])]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        result = self.batch(self.write(text, "rows.jsonl"), "--name-template", "{index}.mp4", "--progress", "json")
        loads = [event["detail"] for event in self.events(result) if event["event"] == "load" and event["done"] == 0]
        self.assertEqual(sorted(loads), ["text_encoder", "transformer", "vae"])
        # Those of one size follow each other; names are as in the file.
        self.assertEqual(result.stdout.decode().split(), [f"out/{n}.mp4" for n in (0, 2, 1, 3)])

    def test_prompts_are_encoded_together(self):
        prompts = self.write("".join(f"a red ball number {n}\n" for n in range(600)))
        process = self.start_t2v("batch", *SMALL, "--prompts", prompts, "-o", "out", "--progress", "json")
        event = next(event for event in map(json.loads, process.stderr) if event["event"] == "encode_text")
        self.assertGreaterEqual(event["total"], 600)
        process.kill()
        process.wait()

    @unittest.skipIf(SANITIZED, "a sanitizer needs the address space")
    def test_fewer_prompts_are_encoded_together_where_memory_is_scarce(self):
        prompts = self.write("".join(f"{n}" + " a red ball" * 100 + "\n" for n in range(200)))
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))  # noqa: E731
        totals = []
        for preexec in (None, limit):
            process = self.start_t2v("batch", *SMALL, "--prompts", prompts, "-o", "out", "--name-template", "{index}.mp4",
                                     "--progress", "json", preexec_fn=preexec)  # fmt: skip
            events = map(json.loads, process.stderr)
            totals.append(next(event for event in events if event["event"] == "encode_text")["total"])
            process.kill()
            process.wait()
        # 8 MiB each: a quarter of less than 3 GiB.
        self.assertLess(totals[1], 96)
        self.assertGreater(totals[0], totals[1])

    def test_quiet_and_a_reader_that_leaves(self):
        result = self.batch(self.write("a cat\n"), "-q")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start_t2v("batch", *SMALL, "-p", "a dog", "-o", "other", stdout=writing)
        os.close(writing)
        self.assertEqual(process.wait(timeout=60), 0, process.stderr.read())

    def test_bar_on_a_terminal(self):
        ours, theirs = pty.openpty()
        with subprocess.Popen([BINARY, "batch", *SMALL, "-p", "a cat", "--seeds", "1..2", "-o", "out"], cwd=self.folder,
                              stderr=theirs, stdout=subprocess.DEVNULL, env=environment(TERM="xterm")) as process:  # fmt: skip
            os.close(theirs)
            shown = b""
            try:
                while data := os.read(ours, 4096):
                    shown += data
            except OSError:  # the other end is closed
                pass
        os.close(ours)
        self.assertEqual(process.returncode, 0, shown)
        self.assertRegex(shown.decode(), r"2/2 sampling +\[#{24}\] 1 of 1.*left of all")

    def test_sequences_of_pictures_and_lossless(self):
        rows = '{"prompt": "a", "output": "a.png", "num_frames": 5}\n{"prompt": "b", "output": "b.mkv", "quality": "lossless"}\n'
        prompts = self.write(rows, "rows.jsonl")
        self.assertEqual(self.done(prompts), ["out/a-0001.png", "out/b.mkv"])
        self.assertEqual(self.done(prompts), [])
        self.assertEqual([line["output"] for line in self.lines("results.jsonl")], ["a.png", "b.mkv"])

    def test_a_sheet_to_choose_a_seed(self):
        arguments = ["batch", *SMALL, "-p", "a cat", "--seeds", "1..4", "-o", "out", "--sheet", "sheet.png"]
        self.assertEqual(self.run_t2v(*arguments).returncode, 0)
        self.assertTrue((self.folder / "sheet.png").read_bytes().startswith(b"\x89PNG"))
        self.assertEqual(self.run_t2v(*arguments).returncode, 0)
        self.assert_error(self.run_t2v(*arguments, "--seeds", "1..5"), 2, "sheet.png")
        self.assertEqual(self.run_t2v(*arguments, "--skip-existing").returncode, 0)

    def test_a_sheet_that_cannot_be_written(self):
        arguments = ["batch", *SMALL, "-p", "a cat", "--seeds", "1..2", "-o", "out", "--name-template", "{seed}.mp4"]
        process = self.start_t2v(*arguments, "--sheet", "sheet.png", "--progress", "json")
        for line in process.stderr:
            if json.loads(line)["event"] == "start":
                (self.folder / "sheet.png").mkdir()
                break
        output, errors = process.communicate(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual(output, b"out/1.mp4\nout/2.mp4\n")
        (error,) = [event for event in map(json.loads, errors.splitlines()) if event["event"] == "error"]
        self.assertIn("the clips are written, but no contact sheet: ", error["message"])

    def test_a_sheet_that_is_not_made_is_told(self):
        arguments = ["batch", *SMALL, "-p", "a cat", "--seeds", "1..2", "-o", "out", "--sheet", "sheet.png"]
        self.assertEqual(self.run_t2v(*arguments).returncode, 0)
        sheet = (self.folder / "sheet.png").read_bytes()
        (self.folder / "sheet.png").write_bytes(b"old")
        said = b"t2v: sheet.png is there already and stays as it is; --overwrite makes it again\n"
        self.assertEqual(self.run_t2v(*arguments).stderr.count(said), 1)
        self.assertEqual(self.run_t2v(*arguments, "-q").stderr, b"")
        self.assertEqual((self.folder / "sheet.png").read_bytes(), b"old")
        result = self.run_t2v(*arguments, "--overwrite")
        self.assertEqual((result.returncode, result.stdout), (0, b""))
        self.assertEqual((self.folder / "sheet.png").read_bytes(), sheet)
        (self.folder / "sheet.png").unlink()
        rows = '{"prompt": "a cat"}\n{"prompt": "a dog", "lora": "%s"}\n' % self.lora(float("nan"))
        result = self.batch(self.write(rows, "rows.jsonl"), "--sheet", "sheet.png")
        self.assertEqual(result.returncode, 8)
        self.assertEqual(result.stderr.count(b"t2v: sheet.png is not made, because 1 clip failed\n"), 1)
        self.assertFalse((self.folder / "sheet.png").exists())

    def test_a_page_that_cannot_be_written(self):
        arguments = ["batch", *SMALL, "-p", "a cat", "--seed", "1", "-o", "out", "--name-template", "{seed}.mp4", "--gallery"]
        process = self.start_t2v(*arguments, "--progress", "json")
        for line in process.stderr:
            if json.loads(line)["event"] == "start":
                (self.folder / "out/index.html").mkdir()
                break
        output, errors = process.communicate(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual(output, b"out/1.mp4\n")
        (error,) = [event for event in map(json.loads, errors.splitlines()) if event["event"] == "error"]
        self.assertIn("--gallery: out/index.html", error["message"])

    def test_errors_leave_no_folder(self):
        self.refused_batch(self.write("a\n"), "--steps", "0", parts=["--steps"])
        self.refused_batch(self.write("\xff\n"), "--sampler", "none", parts=["--sampler"])
        self.assert_files("prompts.txt")


class FailureTest(BatchTest):
    def five(self, third='"lora": "lora.safetensors"'):
        extra = ["", "", ", " + third, "", ""]
        rows = "".join('{"prompt": "clip %d"%s}\n' % (n, extra[n]) for n in range(5))
        return [self.write(rows, "rows.jsonl"), "--name-template", "{prompt}.mp4", "--seed", "1"]

    def test_the_third_of_five_fails(self):
        self.lora(float("nan"))
        rows = self.five()
        result = self.batch(*rows)
        self.assertEqual(result.returncode, 8)
        done = [f"out/clip {n}.mp4" for n in (0, 1, 3, 4)]
        self.assertEqual(sorted(result.stdout.decode().splitlines()), done)
        said = result.stderr.decode()
        self.assertEqual(said.count("t2v: error: rows.jsonl:3: clip 2.mp4: "), 1, said)
        self.assertIn("t2v: failed: rows.jsonl:3: clip 2.mp4\n", said)
        self.assertEqual(said.count("NaN"), 1, said)
        self.assertIn("5 clips: 4 written, 0 were there, 1 failed", said.splitlines()[-1])
        self.assertEqual(self.clips(), [path.removeprefix("out/") for path in done])
        (failed,) = self.lines("failed.jsonl")
        self.assertEqual((failed["error"]["code"], failed["output"], failed["seed"]), (6, "clip 2.mp4", "1"))

        # The same again, once it can work: only the third is rendered.
        before = {name: (self.folder / "out" / name).stat().st_mtime_ns for name in self.clips()}
        self.lora(0.5)
        self.assertEqual(self.done(*rows), ["out/clip 2.mp4"])
        self.assertEqual({name: (self.folder / "out" / name).stat().st_mtime_ns for name in before}, before)
        self.assertFalse((self.folder / "out/failed.jsonl").exists())
        self.assertEqual(sorted(line["output"] for line in self.lines("results.jsonl")), self.clips())
        self.assertEqual(self.done(*rows), [])

    def test_an_empty_file_of_failures_goes(self):
        (self.folder / "out").mkdir()
        (self.folder / "out/failed.jsonl").touch()  # as a full disk leaves it
        self.assertEqual(self.done(self.write("a cat\n"), "--seed", "1"), ["out/0000-a-cat-1.mp4"])
        self.assertFalse((self.folder / "out/failed.jsonl").exists())

    def test_failed_rows_run_again_on_their_own(self):
        self.lora(float("nan"))
        rows = self.five('"lora": ["lora.safetensors:0.5"], "save_latents": "x", "sigmas": [1], "width": 32, "codec": null, "base_seed": 8')
        self.done(*rows, "--guidance-scale", "2", code=8)
        (failed,) = self.lines("failed.jsonl")
        del failed["error"]
        folder = str(self.folder) + "/"
        self.assertEqual(failed, {"prompt": "clip 2", "lora": [folder + "lora.safetensors:0.5"], "save_latents": folder + "x",
                                  "sigmas": [1], "width": 32, "codec": None, "seed": "8", "output": "clip 2.mp4"})  # fmt: skip
        # With the flags of before: the same clip, wherever one is.
        self.lora(0.5)
        (self.folder / "elsewhere").mkdir()
        command = [BINARY, "batch", *SMALL, "--prompts", "../out/failed.jsonl", "-o", "../out", "--guidance-scale", "2"]
        result = subprocess.run(command, cwd=self.folder / "elsewhere", capture_output=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, b"../out/clip 2.mp4\n"), result.stderr)
        self.assertTrue((self.folder / "x").exists())
        self.assertFalse((self.folder / "out/failed.jsonl").exists())
        self.assertEqual(self.done(*rows, "--guidance-scale", "2"), [])

    def test_flags_mend_failed_rows(self):
        self.lora(float("nan"), "bad.safetensors")
        self.lora(0.5, "good.safetensors")
        prompts = self.write("a {cat}\na dog\n")
        flags = ["--n-per-prompt", "2", "--seed-base", "5", "--name-template", "{prompt}-{n}.mp4"]
        self.done(prompts, *flags, "--lora", "bad.safetensors", code=8)
        rows = [{key: value for key, value in row.items() if key != "error"} for row in self.lines("failed.jsonl")]
        self.assertEqual(rows[0], {"prompt": "a {cat}", "seed": "5", "output": "a {{cat}}-0.mp4"})
        names = ["a {cat}-0.mp4", "a {cat}-1.mp4", "a dog-0.mp4", "a dog-1.mp4"]
        done = self.done("out/failed.jsonl", *flags, "--lora", "good.safetensors", "--dtype", "bfloat16")
        self.assertEqual(done, [f"out/{name}" for name in names])
        self.assertEqual(self.clips(), sorted(names))
        settings = {line["output"]: line["settings"] for line in self.lines("results.jsonl")}
        self.assertEqual([settings[name]["seed"] for name in names], ["5", "6", "7", "8"])
        self.assertEqual({settings[name]["dtype"] for name in names}, {"bfloat16"})
        self.assertEqual(self.done(prompts, *flags, "--lora", "good.safetensors", "--dtype", "bfloat16"), [])

    def test_failed_rows_without_a_file(self):
        self.lora(float("nan"), "bad.safetensors")
        self.write("a cat\n", "cat.txt")
        for prompt in (["-p", "a cat"], ["--prompt-file", "cat.txt"]):
            result = self.run_t2v("batch", *SMALL, *prompt, "--seeds", "1..2", "-o", "out", "--lora", "bad.safetensors")
            self.assertEqual(result.returncode, 8, result.stderr)
            rows = [{key: value for key, value in row.items() if key != "error"} for row in self.lines("failed.jsonl")]
            self.assertEqual(rows, [{"prompt": "a cat", "seed": str(n), "output": f"0000-a-cat-{n}.mp4"} for n in (1, 2)])
        self.assertEqual(self.done("out/failed.jsonl"), ["out/0000-a-cat-1.mp4", "out/0000-a-cat-2.mp4"])

    def test_failed_rows_of_a_table(self):
        self.lora(float("nan"))
        (self.folder / "in").mkdir()
        self.write("prompt,lora,model,error\na cat,lora.safetensors,,none\na dog,,,\n", "in/rows.csv")
        self.done("in/rows.csv", "--seed", "1", "--name-template", "{prompt}.mp4", code=8)
        (failed,) = self.lines("failed.jsonl")
        self.assertEqual(failed["error"]["code"], 6)
        del failed["error"]
        self.assertEqual(failed, {"prompt": "a cat", "lora": f"{self.folder}/lora.safetensors", "seed": "1", "output": "a cat.mp4"})

    def test_failed_rows_of_another_file_stay(self):
        self.lora(float("nan"))
        rows = self.five()
        self.done(*rows, code=8)
        other = self.write('{"prompt": "a fox", "lora": "lora.safetensors"}\n{"prompt": "a dog"}\n', "other.jsonl")
        self.done(other, "--name-template", "{prompt}.mp4", code=8)
        self.assertEqual([row["output"] for row in self.lines("failed.jsonl")], ["clip 2.mp4", "a fox.mp4"])
        self.lora(0.5)
        self.assertEqual(self.done(*rows), ["out/clip 2.mp4"])
        self.assertEqual([row["output"] for row in self.lines("failed.jsonl")], ["a fox.mp4"])
        self.assertEqual(self.done("out/failed.jsonl"), ["out/a fox.mp4"])
        self.assertFalse((self.folder / "out/failed.jsonl").exists())

    def test_what_a_row_needs_is_gone_when_its_turn_comes(self):
        self.lora(0.5)
        rows = "".join(json.dumps({"prompt": f"clip {n}", **({"lora": "lora.safetensors", "size": "32x16"} if n == 1 else {})}) + "\n"
                       for n in range(3))  # fmt: skip
        process = self.start_t2v("batch", *SMALL, "--prompts", self.write(rows, "rows.jsonl"), "-o", "out", "--steps", "200",
                                 "--name-template", "{prompt}.mp4", "--seed", "1", "--progress", "json")  # fmt: skip
        for line in process.stderr:
            if json.loads(line)["event"] == "start":
                (self.folder / "lora.safetensors").unlink()
                break
        output, errors = process.communicate(timeout=120)
        self.assertEqual((process.returncode, output), (8, b"out/clip 0.mp4\nout/clip 2.mp4\n"), errors)
        (failed,) = self.lines("failed.jsonl")
        self.assertEqual((failed["prompt"], failed["error"]["code"], failed["output"]), ("clip 1", 3, "clip 1.mp4"))
        self.assertEqual(errors.count(b"rows.jsonl:2: "), 2, errors)  # its error, and the end of the batch
        self.lora(0.5)
        self.assertEqual(self.done("out/failed.jsonl", "--steps", "200"), ["out/clip 1.mp4"])
        settings = {line["output"]: line["settings"] for line in self.lines("results.jsonl")}["clip 1.mp4"]
        self.assertEqual((settings["width"], settings["num_inference_steps"], settings["seed"]), (32, 200, "1"))

    def test_a_failed_row_whose_claim_is_lost(self):
        self.lora(float("nan"))
        rows = '{"prompt": "a", "lora": "lora.safetensors", "steps": 1}\n{"prompt": "b", "steps": 300}\n'
        process = self.start_t2v("batch", *SMALL, "--prompts", self.write(rows, "rows.jsonl"), "-o", "out",
                                 "--name-template", "{prompt}.mp4", "--progress", "json")  # fmt: skip
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] == "step" and event["total"] == 300:
                (self.folder / "out/.t2v/a.mp4.claim").unlink()
                break
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, 8)
        self.assertEqual([row["output"] for row in self.lines("failed.jsonl")], ["a.mp4"])

    def test_fail_fast(self):
        self.lora(float("nan"))
        result = self.batch(*self.five('"lora": "lora.safetensors", "size": "16x16"'), "--fail-fast", "--lora", "lora.safetensors")
        self.assertEqual((result.returncode, result.stdout), (8, b""))
        self.assertEqual(len(self.lines("failed.jsonl")), 1)

    def test_a_full_disk_is_a_failed_row(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))  # noqa: E731
        result = self.batch(self.write("a\n"), preexec_fn=limit)
        self.assertEqual(result.returncode, 8, result.stderr)
        self.assertNotIn(".mp4\n", " ".join(self.clips()))


class ContinueTest(BatchTest):
    def test_clips_with_other_settings(self):
        prompts = self.write("a cat\na dog\n")
        name = ["--name-template", "{prompt}.mp4", "--seed", "1"]
        self.done(prompts, *name)
        data = (self.folder / "out/a dog.mp4").read_bytes()
        said = self.refused_rows(prompts, *name, "--guidance-scale", "2")
        for line, start in zip(said, ("prompts.txt:1: out/a cat.mp4: ", "prompts.txt:2: out/a dog.mp4: "), strict=True):
            self.assertTrue(line.startswith(start), line)
            for part in ("made with --guidance-scale 5.0, not 2.0", "--overwrite"):
                self.assertIn(part, line)
        self.assertEqual((self.folder / "out/a dog.mp4").read_bytes(), data)
        # What the frames do not depend on does not count.
        self.assertEqual(self.done(prompts, *name, "--threads", "2", "-q", "--device", "cpu"), [])
        self.assertEqual(self.done(prompts, *name, "--guidance-scale", "2", "--skip-existing"), [])
        self.assertEqual(len(self.done(prompts, *name, "--guidance-scale", "2", "-y")), 2)
        self.assertEqual(len(self.done(prompts, *name, "--guidance-scale", "2", "-y")), 0)
        (self.folder / "out/a cat.mp4").write_bytes(b"no clip")
        self.assert_error(self.batch(prompts, *name, "--guidance-scale", "2"), 2, "a cat.mp4")
        (self.folder / "out/a cat.mp4").unlink()
        (self.folder / "out/a cat.mp4").mkdir()
        self.assertEqual(self.batch(prompts, *name, "-y").returncode, 2)

    def test_latents_without_their_clip_are_made_again(self):
        prompts = self.write('{"prompt": "a cat", "seed": 1, "save_latents": "a.safetensors"}\n', "rows.jsonl")
        (clip,) = self.done(prompts)
        latents = (self.folder / "a.safetensors").read_bytes()
        (self.folder / clip).unlink()
        self.assertEqual(self.done(prompts), [clip])
        self.assertEqual((self.folder / "a.safetensors").read_bytes(), latents)
        # The old ones stay where the new ones do not come about.
        (self.folder / clip).unlink()
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))  # noqa: E731
        self.assertEqual(self.batch(prompts, preexec_fn=limit).returncode, 8)
        self.assertEqual((self.folder / "a.safetensors").read_bytes(), latents)
        # Those of another clip stay.
        self.assertEqual(self.batch(prompts, "--guidance-scale", "2").returncode, 8)
        self.assertEqual((self.folder / "a.safetensors").read_bytes(), latents)

    def test_a_damaged_clip_is_made_again(self):
        clip = ["batch", *SMALL, "--frames", "5", "-p", "a cat", "-o", "out", "--seeds", "1..2"]
        for kind, more in (("mp4", []), ("mp4", ["-y"]), ("mkv", ["--skip-existing"]), ("mov", [])):
            with self.subTest((kind, more)):
                arguments = [*clip, "--name-template", "{seed}." + kind]
                self.assertEqual(self.run_t2v(*arguments).returncode, 0)
                path = self.folder / f"out/1.{kind}"
                whole = path.read_bytes()
                path.write_bytes(whole[: len(whole) * 3 // 4] if kind == "mkv" else whole[:-1])
                dry = self.run_t2v(*arguments, *more, "--dry-run")
                self.assertIn(f"to do  out/1.{kind}\nthere  out/2.{kind}\n".encode(), dry.stdout)
                result = self.run_t2v(*arguments, *more)
                self.assertEqual((result.returncode, result.stdout), (0, f"out/1.{kind}\n".encode()), result.stderr)
                for said in (dry, result):
                    (line,) = [line for line in said.stderr.decode().splitlines() if "warning" in line]
                    self.assertIn(f"out/1.{kind} is damaged", line)
                self.assert_whole_clip(path)
                self.assertEqual(self.run_t2v(*arguments, *more).stdout, b"")
        path.write_bytes(whole[:-1])
        other = self.run_t2v(*arguments, "--guidance-scale", "2")
        self.assertEqual(other.returncode, 2)
        self.assertIn(b"out/1.mov: got a clip that was made with --guidance-scale", other.stderr)
        self.assertEqual(path.read_bytes(), whole[:-1])

    def test_pictures_with_a_hole_are_made_again(self):
        arguments = ["batch", *SMALL, "--frames", "5", "-p", "a cat", "--seeds", "1..2", "-o", "out",
                     "--name-template", "{seed}.png"]  # fmt: skip
        self.assertEqual(self.run_t2v(*arguments).returncode, 0)
        picture = self.folder / "out/2-0003.png"
        whole = picture.read_bytes()
        for left in (None, whole[:-1], b""):
            with self.subTest(left):
                picture.unlink()
                if left is not None:
                    picture.write_bytes(left)
                result = self.run_t2v(*arguments)
                self.assertEqual((result.returncode, result.stdout), (0, b"out/2-0001.png\n"), result.stderr)
                self.assertEqual(result.stderr.count(b"out/2.png is damaged"), 1)
                self.assertEqual(picture.read_bytes(), whole)

    def test_what_a_damaged_clip_has_beside_it(self):
        rows = {"prompt": "a cat", "seed": 1, "output": "a.mp4", "save_latents": "a.safetensors", "preview": "a.gif"}
        prompts = self.write(json.dumps(rows) + "\n", "rows.jsonl")
        more = ["--frames", "5", "--steps", "3"]
        self.done(prompts, *more)
        whole = {name: (self.folder / name).read_bytes() for name in ("out/a.mp4", "a.safetensors", "a.gif")}
        cut = whole["out/a.mp4"][:-1]
        for taken in ("a.safetensors", "a.gif"):
            with self.subTest(taken):
                (self.folder / "out/a.mp4").write_bytes(cut)
                (self.folder / taken).write_bytes(b"somebody else's")
                result = self.batch(prompts, *more)
                self.assertEqual(result.returncode, 8, result.stderr)
                self.assertIn(taken.encode() + b": got a name that is taken", result.stderr)
                self.assertEqual((self.folder / taken).read_bytes(), b"somebody else's")
                self.assertEqual((self.folder / "out/a.mp4").read_bytes(), cut)
                (self.folder / taken).write_bytes(whole[taken])
        self.assertEqual(self.done(prompts, *more), ["out/a.mp4"])
        for name, data in whole.items():
            self.assertEqual((self.folder / name).read_bytes(), data)

    def test_latents_of_clips_that_are_there(self):
        rows = [{"prompt": "a cat", "seed": seed, "output": f"{seed}.mp4"} for seed in (1, 2)]
        self.done(self.write("".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl"))
        rows = [{**row, "save_latents": f"{row['seed']}.safetensors"} for row in rows]
        prompts = self.write("".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl")
        result = self.batch(prompts)
        self.assertEqual((result.returncode, result.stdout), (0, b""), result.stderr)
        (said,) = [line for line in result.stderr.decode().splitlines() if "warning" in line]
        for part in ("--save-latents 1.safetensors is not written", "those of 1 clip more", "out/1.mp4 is there already"):
            self.assertIn(part, said)
        (self.folder / "out/1.mp4").unlink()
        (self.folder / "out/2.mp4").unlink()
        self.done(prompts)
        self.assertNotIn(b"warning", self.batch(prompts).stderr)

    def test_dry_run_tells_what_is_there(self):
        prompts = self.write("a cat\n")
        self.done(prompts, "--seed", "1")
        self.write("a cat\na dog\n")
        result = self.batch(prompts, "--seed", "1", "--dry-run")
        self.assertEqual(result.stdout, b"there  out/0000-a-cat-1.mp4\nto do  out/0001-a-dog-1.mp4\n")

    def test_stopped_and_continued(self):
        prompts = self.write("".join(f"clip {n}\n" for n in range(6)))
        arguments = ["batch", *SMALL, "--prompts", prompts, "-o", "out", "--steps", "40", "--progress", "json"]
        process = self.start_t2v(*arguments)
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] == "step" and event.get("clip", {}).get("number") == 3:
                process.send_signal(signal.SIGINT)
                break
        said = process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT, said)
        self.assertIn("the same command continues", said)
        clips = [name for name in self.clips() if name.endswith(".mp4")]
        self.assertIn(len(clips), (2, 3))
        self.assertEqual(self.clips(), clips, "nothing but clips is left")
        result = self.run_t2v(*arguments)
        self.assertEqual((result.returncode, len(result.stdout.splitlines())), (0, 6 - len(clips)), result.stderr)

    def test_a_line_of_results_that_was_lost(self):
        prompts = self.write("a cat\na dog\n")
        self.done(prompts)
        whole = self.lines("results.jsonl")
        (self.folder / "out/results.jsonl").write_text(json.dumps(whole[0]) + '\n{"output": "0001-a')
        self.done(prompts)
        self.assertEqual([line["output"] for line in self.lines("results.jsonl")], [line["output"] for line in whole])

    def test_lines_of_results_that_are_none(self):
        prompts = self.write("a cat\na dog\na fox\n")
        self.done(prompts, "--seed", "1")
        whole = self.lines("results.jsonl")
        for damage in ([], 7, {"prompt": ["a cat"]}):
            with self.subTest(damage):
                first = {"output": whole[0]["output"], "seconds": 1, "settings": damage}
                lines = [first, {"output": 3}, "text", *whole[1:]]
                (self.folder / "out/results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
                self.assertEqual(self.done(prompts, "--seed", "1", "--gallery"), [])
                settings = {line["output"]: line["settings"] for line in self.lines("results.jsonl")}
                self.assertEqual(settings, {line["output"]: line["settings"] for line in whole})
                self.assertEqual((self.folder / "out/index.html").read_text().count("<video"), 3)
                self.assertFalse((self.folder / "out/.t2v").exists())

    def test_one_line_of_results_for_each_clip(self):
        prompts = self.write("a cat\na dog\n")
        name = ["--name-template", "{prompt}.mp4", "--seed", "1"]
        self.done(prompts, *name)
        self.done(prompts, *name, "--guidance-scale", "2", "-y")
        results = self.lines("results.jsonl")
        self.assertEqual([line["output"] for line in results], ["a cat.mp4", "a dog.mp4"])
        self.assertEqual([line["settings"]["guidance_scale"] for line in results], [2, 2])

    def test_other_weights_under_the_same_name(self):
        prompts = self.write('{"prompt": "a cat", "lora": "lora.safetensors"}\n', "rows.jsonl")
        name = ["--name-template", "{prompt}.mp4", "--seed", "1"]
        self.lora(0.5)
        self.assertEqual(len(self.done(prompts, *name)), 1)
        self.assertEqual(self.done(prompts, *name), [])
        self.lora(0.25)
        self.assert_error(self.batch(prompts, *name), 2, "rows.jsonl:1", "a cat.mp4", "weights", "--overwrite")
        self.assertEqual(len(self.done(prompts, *name, "-y")), 1)
        self.assertEqual(self.done(prompts, *name), [])

    def test_random_seeds(self):
        prompts = self.write('{"prompt": "a cat"}\n{"prompt": "a cat", "seed": 7}\n{"prompt": "a cat", "seed": -1}\n', "p.jsonl")
        arguments = [prompts, "--n-per-prompt", "2", "--name-template", "{index}-{n}-{seed}.mp4"]
        first = self.done(*arguments)
        seeds = [name.split("-")[-1].removesuffix(".mp4") for name in first]
        self.assertEqual(len(set(seeds)), 6)
        self.assertEqual(seeds[2:4], ["7", "8"])
        self.assertEqual(self.done(*arguments), [])
        (self.folder / first[5]).unlink()
        self.assertEqual(self.done(*arguments), first[5:])
        # In another folder they are others, those of no seed and of 7 are not.
        (self.folder / "out").rename(self.folder / "out-1")
        again = self.done(*arguments)
        self.assertEqual(again[:4], first[:4])
        self.assertFalse(set(again[4:]) & set(first[4:]))
        (self.folder / "out").rename(self.folder / "out-2")
        common = self.done(prompts, "--seed", "-1", "--name-template", "{index}-{seed}.mp4")
        self.assertNotIn(common[0].split("-")[-1], {name.split("-")[-1] for name in first})
        self.refused_batch(self.write('{"prompt": "a", "seed": -1}\n{"prompt": " "}\n', "q.jsonl"), "-o", "new", parts=["q.jsonl:2"])

    def test_a_clip_without_settings(self):
        prompts = self.write("a cat\na dog\n")
        arguments = [prompts, "--name-template", "{prompt}.mp4", "--seed", "1", "--gallery", "--skip-existing"]
        (self.folder / "out").mkdir()
        bare = self.run_t2v(*SMALL, "-p", "a cat", "--seed", "3", "--no-metadata", "-o", "out/a cat.mp4")
        self.assertEqual(bare.returncode, 0, bare.stderr)
        result = self.batch(*arguments)
        self.assertEqual((result.returncode, result.stdout), (0, b"out/a dog.mp4\n"), result.stderr)
        said = [line for line in result.stderr.decode().splitlines() if "warning" in line]
        self.assertEqual(len(said), 1, said)
        self.assertIn("1 clip without settings, such as a cat.mp4", said[0])
        self.assertEqual([line["output"] for line in self.lines("results.jsonl")], ["a dog.mp4"])
        self.assertEqual((self.folder / "out/index.html").read_text().count("<video"), 2)


class GalleryTest(BatchTest):
    def test_page(self):
        rows = [{"prompt": "<script>alert('x')</script> & \"more\"", "output": "100% #1?.mp4"}, {"prompt": "a dog"},
                {"prompt": "a fox", "lora": "lora.safetensors"}]  # fmt: skip
        self.lora(float("nan"))
        prompts = self.write("".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl")
        self.done(prompts, "--gallery", "--seed", "1", code=8)
        text = (self.folder / "out/index.html").read_text()
        page = Page(text)
        self.assertNotIn("script", page.tags)
        for words in (rows[0]["prompt"], "a dog", "a fox", "100% #1?.mp4", "guidance_scale"):
            self.assertIn(words, page.text)
        self.assertNotIn("://", text)
        self.assertEqual(text.count("<video"), 2)
        self.assertEqual(len([link for link in page.links if link.startswith("./posters/")]), 2)
        for link in page.links:
            path = urllib.parse.unquote(urllib.parse.urlsplit(link).path)
            self.assertTrue((self.folder / "out" / path).exists(), link)
        (failed,) = self.lines("failed.jsonl")
        self.assertIn(failed["error"]["message"][:40], page.text)
        # When it works the page is made anew.
        self.lora(0.5)
        self.done(prompts, "--gallery", "--seed", "1")
        self.assertEqual((self.folder / "out/index.html").read_text().count("<video"), 3)

    def videos(self):
        text = (self.folder / "out/index.html").read_text()
        return [urllib.parse.unquote(name) for name in re.findall('<video[^>]* src="./([^"]*)"', text)]

    def test_every_clip_of_the_folder(self):
        name = ["--name-template", "{index}-{seed}.mp4", "--gallery"]
        self.done(self.write("a cat\n"), "--seeds", "1,2,10", *name)
        self.assertEqual(self.videos(), ["0-1.mp4", "0-2.mp4", "0-10.mp4"])
        other = self.run_t2v(*SMALL, "-p", "a <fox>", "--size", "32x16", "-o", "out/0-9.mp4")
        self.assertEqual(other.returncode, 0, other.stderr)
        pictures = self.run_t2v(*SMALL, "-p", "a bear", "--frames", "5", "-o", "out/b.png")
        self.assertEqual(pictures.returncode, 0, pictures.stderr)
        foreign = subprocess.run(["ffmpeg", "-v", "error", "-i", "out/0-9.mp4", "-map_metadata", "-1", "out/foreign.mp4"],
                                 cwd=self.folder, check=True)  # fmt: skip
        self.assertEqual(foreign.returncode, 0)
        for name_of, text in (("notes.json", "{}"), ("t2v.json", '{"t2v": 1, "prompt": 2}'), ("cut.mp4", "....ftyp")):
            (self.folder / "out" / name_of).write_text(text)
        os.mkfifo(self.folder / "out/fifo.mp4")
        pages = []
        for rows, seeds in (("a dog\n", "3"), ("a cat\n", "1,2,10")):
            self.done(self.write(rows), "--seeds", seeds, *name, "--skip-existing")
            self.assertEqual(self.videos(), ["0-1.mp4", "0-2.mp4", "0-3.mp4", "0-9.mp4", "0-10.mp4"])
            pages.append((self.folder / "out/index.html").read_text())
        self.assertEqual(pages[0], pages[1])
        page = Page(pages[0])
        for words in ("a cat", "a dog", "a <fox>", "a bear", "6 clips"):
            self.assertIn(words, page.text)
        self.assertIn("./posters/b.png.png", page.links)
        self.assertIn("./b-0001.png", page.links)
        self.assertEqual(pages[0].count("aspect-ratio: 16 / 16"), 5)
        self.assertEqual(pages[0].count("aspect-ratio: 32 / 16"), 1)

    def test_a_page_of_somebody_else_stays(self):
        prompts = self.write("a cat\n")
        page = self.folder / "out/index.html"
        (self.folder / "out").mkdir()
        for make in (lambda: page.write_text("<html>mine"), lambda: page.write_bytes(b""), lambda: page.symlink_to("none"), page.mkdir, lambda: os.mkfifo(page)):
            make()
            (said,) = self.refused_rows(prompts, "--gallery")
            self.assertTrue(said.startswith("--gallery: out/index.html: "), said)
            page.rmdir() if page.is_dir() else page.unlink()
        page.write_text("<html>mine")
        self.assertEqual(len(self.done(prompts)), 1)
        self.assertEqual(page.read_text(), "<html>mine")

    def test_an_old_clip_whose_replacement_failed(self):
        row = self.write('{"prompt": "a cat", "output": "a.mp4", "lora": "lora.safetensors"}\n', "rows.jsonl")
        self.lora(0.5)
        self.done(row, "--gallery")
        self.lora(float("nan"))
        self.done(row, "--gallery", "-y", code=8)
        text = (self.folder / "out/index.html").read_text()
        self.assertEqual((text.count("<video"), text.count('class="failed"')), (0, 1))
        self.assertIn("./a.mp4", Page(text).links)

    def test_posters_of_every_container(self):
        rows = [{"prompt": f"clip {n}", "output": name, "frames": 5, "size": "32x16"}
                for n, name in enumerate(("a.mp4", "a.webm", "a.mkv", "a.mov", "a.gif", "a.png", "%d.mkv"))]  # fmt: skip
        prompts = self.write("".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl")
        self.done(prompts, "--gallery", "--seed", "1")
        posters = {path.name: path.read_bytes() for path in (self.folder / "out/posters").iterdir()}
        self.assertEqual(set(posters), {row["output"] + ".png" for row in rows})
        for name, data in posters.items():
            self.assertEqual((data[:8], data[16:24]), (b"\x89PNG\r\n\x1a\n", bytes((0, 0, 0, 32, 0, 0, 0, 16))), name)
        links = Page((self.folder / "out/index.html").read_text()).links
        for name in posters:
            self.assertIn("./posters/" + urllib.parse.quote(name), links)
        # One of an earlier clip is made anew, and one that is missing.
        poster = self.folder / "out/posters/a.mkv.png"
        poster.write_bytes(b"old")
        os.utime(poster, (1, 1))
        (self.folder / "out/posters/a.gif.png").unlink()
        self.done(prompts, "--gallery", "--seed", "1")
        self.assertEqual({path.name: path.read_bytes() for path in (self.folder / "out/posters").iterdir()}, posters)


if __name__ == "__main__":
    unittest.main()
