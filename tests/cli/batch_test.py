"""t2v batch before anything is rendered: rows of every format, names, seeds, and what is refused."""

import json
import os
import threading
import time
import unittest

from batch_support import SMALL, BatchTest


class RowTest(BatchTest):
    def prompts(self, *arguments, **options):
        return [settings["prompt"] for settings in self.planned(*arguments, **options).values()]

    def test_text(self):
        for data, prompts in {
            "a cat\na dog\n": ["a cat", "a dog"],
            "a cat\na dog": ["a cat", "a dog"],
            b"\xef\xbb\xbfa cat\r\n\r\n# not this\r\n  a dog \r\n": ["a cat", "a dog"],
            '{"prompt": 1}\n-\n%s\n../../x\n': ['{"prompt": 1}', "-", "%s", "../../x"],
            "ein Hündchen\n🦊\n": ["ein Hündchen", "🦊"],
        }.items():
            with self.subTest(data=data):
                self.assertEqual(self.prompts(self.write(data)), prompts)

    def test_json_lines(self):
        rows = [{"prompt": "a cat", "steps": 3, "sigmas": [1, 0.5, 0.25]}, {"prompt": "a dog", "num_frames": 5},
                {"prompt": "a fox", "lora": None, "error": {"code": 1}, "overwrite": False}]  # fmt: skip
        text = "\n\n".join(json.dumps(row) for row in rows)
        cat, fox, dog = self.planned(self.write(text, "rows.jsonl")).values()
        self.assertEqual((cat["prompt"], cat["num_inference_steps"], cat["sigmas"]), ("a cat", 3, [1, 0.5, 0.25]))
        self.assertEqual((dog["num_frames"], dog["num_inference_steps"]), (5, 1))
        self.assertEqual(fox["prompt"], "a fox")

    def test_table(self):
        text = '\ufeffprompt,steps,negative-prompt\r\n"a ""red"" ball,\r\non grass",2,\r\na cat,,"a dog"\r\n\r\n'
        ball, cat = self.planned(self.write(text, "rows.csv")).values()
        self.assertEqual((ball["prompt"], ball["num_inference_steps"]), ('a "red" ball,\r\non grass', 2))
        self.assertEqual((cat["num_inference_steps"], cat["negative_prompt"]), (1, "a dog"))

    def test_standard_input(self):
        text = b'a cat\n{"prompt": "a dog", "steps": 2}\n# no\n'
        for prompts, options in (("-", {"input": text}), ("/dev/stdin", {"input": text})):
            cat, dog = self.planned(prompts, **options).values()
            self.assertEqual((cat["prompt"], dog["prompt"], dog["num_inference_steps"]), ("a cat", "a dog", 2))

    def test_fifo(self):
        os.mkfifo(self.folder / "fifo")
        writer = threading.Thread(target=lambda: (self.folder / "fifo").write_text("a cat\n"))
        writer.start()
        self.assertEqual(self.prompts("fifo"), ["a cat"])
        writer.join()

    def test_flags_that_every_row_gives_itself_are_told(self):
        rows = self.write('{"prompt": "a", "width": 32, "cfg_scale": 3}\n{"prompt": "b", "guidance-scale": 2}\n', "rows.jsonl")
        result = self.batch(rows, "-p", "all", "-W", "64", "--guidance-scale", "1", "--crf", "9", "--dry-run")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.unused(result), ["--guidance-scale", "--prompt"])
        rows = self.write('{"prompt": "a", "size": "32x16", "seed": 3, "output": "a.mp4"}\n', "rows.jsonl")
        (self.folder / "p.txt").write_text("x")
        for flags in (["--prompt-file", "p.txt", "--width", "64"], ["--seeds", "1..3"], ["--seed-base", "4"],
                      ["--n-per-prompt", "2", "--name-template", "{n}.mp4"]):  # fmt: skip
            result = self.batch(rows, *flags, "--dry-run")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(self.unused(result), sorted([*(flag for flag in flags if flag.startswith("--")), "--size"]))

    @staticmethod
    def unused(result):
        """The flags that a batch says count for nothing."""
        return sorted(line.split()[2] for line in result.stderr.decode().splitlines() if "counts for nothing" in line)

    def test_a_row_shows_no_previews_in_a_terminal(self):
        said = self.refused_rows(self.write('{"prompt": "a", "preview": "terminal"}\n', "rows.jsonl"))
        self.assertEqual(len(said), 1)
        self.assertIn("rows.jsonl:1: --preview", said[0])

    def test_what_a_row_gives_holds_before_the_command_line(self):
        rows = '{"prompt": "a", "width": 32, "lora": "b.safetensors"}\n{"prompt": "b", "crf": 3}\n'
        for name in ("a.safetensors", "b.safetensors"):
            self.lora(0.5, name)
        first, second = self.planned(
            self.write(rows, "rows.jsonl"), "--lora", "a.safetensors", "--quality", "draft", "--seed", "5"
        ).values()
        self.assertEqual((first["width"], first["height"]), (32, 16))
        self.assertEqual([item.split("/")[-1].split(":")[0] for item in first["lora"]], ["b.safetensors"])
        self.assertEqual([item.split("/")[-1].split(":")[0] for item in second["lora"]], ["a.safetensors"])
        self.assertEqual((second["crf"], second["seed"]), (3, "5"))

    def test_a_bad_row_is_named(self):
        for text, name, parts in [
            ("a\n" + "b" * 70000 + "\n", "p.txt", ["p.txt:2", "--prompt", "65536"]),
            (b"a\nb\n\xff\n", "p.txt", ["p.txt:3", "UTF-8"]),
            (b"\xff\xfea\x00\n\x00", "p.txt", ["p.txt:1", "UTF-8"]),
            ("", "p.txt", ["p.txt", "no prompt"]),
            ("\n# none\n", "p.txt", ["p.txt", "no prompt"]),
            ('{"prompt": "a"}\nnonsense\n', "p.jsonl", ["p.jsonl:2", "JSON"]),
            ('{"prompt": "a"}\n["b"]\n', "p.jsonl", ["p.jsonl:2", "no object"]),
            ('{"prompt": "a"}\n\n{"prompt": "b", "stepz": 3}\n', "p.jsonl", ["p.jsonl:3", "stepz", 'did you mean "steps"']),
            ('{"prompt": "a", "lora": null}\n{"prompt": "b", "stepz": null}\n', "p.jsonl", ["p.jsonl:2", "stepz", 'did you mean "steps"']),
            ('{"prompt": "a"}\n{"prompt": "b", "steps": 0}\n', "p.jsonl", ["p.jsonl:2", "steps", "from 1 to 1000"]),
            ('{"prompt": "a"}\n{"prompt": "b", "num_frames": 80}\n', "p.jsonl", ["p.jsonl:2", "--frames", "77 or 81"]),
            ('{"prompt": "a"}\n{"prompt": "b", "size": {}}\n', "p.jsonl", ["p.jsonl:2", "size", "object"]),
            ('{"prompt": "a"}\n{"seed": 1}\n', "p.jsonl", ["p.jsonl:2", "--prompt"]),
            ('{"prompt": "a"}\n{"prompt": " "}\n', "p.jsonl", ["p.jsonl:2", "blanks"]),
            ('{"prompt": "a", "no_metadata": true}\n', "p.jsonl", ["p.jsonl:1", "no_metadata"]),
            ('{"prompt": "a"}\n{"prompt": "a", "prompt": "b"}\n', "p.jsonl", ["p.jsonl:2", "prompt", "a second time"]),
            ('{"prompt": "a", "t2v": "0.1.0"}\n', "p.jsonl", ["p.jsonl:1", "t2v", "recorded"]),
            ('{"prompt": "a"}\n{"prompt": "b", "encoder": {}}\n', "p.jsonl", ["p.jsonl:2", "encoder", "recorded"]),
            ('{"prompt": "a"}\n{"prompt": ["a", "b"]}\n', "p.jsonl", ["p.jsonl:2", "prompt", "a list of 2"]),
            ('{"prompt_file": "-"}\n', "p.jsonl", ["p.jsonl:1", "prompt_file", '"-"']),
            ("prompt_file\n-\n", "p.csv", ["p.csv:2", "prompt_file", '"-"']),
            ('{"prompt": "a", "output": "../b.mp4"}\n', "p.jsonl", ["p.jsonl:1", "output", "without folders"]),
            ('{"prompt": "a", "sheet": "a.png"}\n', "p.jsonl", ["p.jsonl:1", "sheet"]),
            ("prompt,steps\na\n", "p.csv", ["p.csv:2", "1 fields"]),
            ("prompt,steps\na,2\n\"b\nc\",2,3\n", "p.csv", ["p.csv:3", "3 fields"]),
            ('prompt,steps\n"a,2\n', "p.csv", ["p.csv:2", "quote"]),
            ('prompt,steps\na"b,2\n', "p.csv", ["p.csv:2", "quote"]),
            ('prompt,steps\n"a"b,2\n', "p.csv", ["p.csv:2", "quotes"]),
            ("prompt,stepz\na,2\n", "p.csv", ["p.csv:1", '"stepz"', 'did you mean "steps"']),
            ("prompt,t2v\na,2\nb,3\n", "p.csv", ["p.csv:1", '"t2v"']),
            ("prompt,seed,base-seed\na,2,3\n", "p.csv", ["p.csv:1", "base-seed", "a second time", "see seed"]),
            ("a red ball,3\n", "p.csv", ["p.csv", "a first line with names of flags"]),
            ("a red ball,3\na blue box,4\n", "p.csv", ["p.csv:1", "no header", "prompt,seed"]),
            ("\n\na red ball,3\na blue box,4\n", "p.csv", ["p.csv:3", "no header"]),
            ("prompt\n", "p.csv", ["p.csv", "no prompt", "a row a clip"]),
            ("prompt,\na,b\n", "p.csv", ["p.csv:2", '""']),
            ("prompt,config\na,b.json\n", "p.csv", ["p.csv:2", "config", "on the command line"]),
            ("prompt,steps\na,2\nb,two\n", "p.csv", ["p.csv:3", "steps"]),
        ]:  # fmt: skip
            with self.subTest(text=text[:60]):
                self.refused_batch(self.write(text, name), parts=parts)
        self.refused_batch("none.txt", parts=["none.txt", "no such file"])
        self.refused_batch(".", parts=["folder"])
        self.refused_batch(self.write("a", "p.json"), parts=[".json", ".jsonl"])
        self.refused_batch("-", parts=["standard input", "no prompt"])

    def test_every_bad_row_is_told(self):
        rows = [b'{"prompt": "a"}', b'{"prompt": "b", "steps": 0}', b"nonsense", b'{"prompt": "c"}', b'{"prompt": "d", "frames": 80}',
                b'{"prompt": "e", "frames": 80}', b"\xff", b'{"prompt": "f", "lora": "none.safetensors"}',
                b'{"prompt_file": "none.txt"}']  # fmt: skip
        said = self.refused_rows(self.write(b"\n".join(rows), "p.jsonl"))
        parts = {2: "steps", 3: "not JSON", 5: "77 or 81", 6: "77 or 81", 7: "UTF-8", 8: "none.safetensors", 9: "none.txt"}
        self.assertEqual([line.split(": ")[0] for line in said], [f"p.jsonl:{number}" for number in parts])
        for line, part in zip(said, parts.values()):
            self.assertIn(part, line)

    def test_every_bad_row_of_a_table_is_told(self):
        text = 'prompt,steps\na,two\nb,2\n"c\nd",3,4\ne,0\n"f",5\n"g,6\nh,7\n'
        said = self.refused_rows(self.write(text, "p.csv"))
        self.assertEqual([line.split(": ")[0] for line in said], [f"p.csv:{number}" for number in (2, 4, 6, 8)])
        self.assertIn("a quote that is not closed", said[-1])

    def test_two_files_of_one_name_are_told(self):
        name = ["--name-template", "{prompt}.mp4"]
        said = self.refused_rows(self.write("a\nb\na\na\n", "p.txt"), *name)
        self.assertEqual([line.split(" has, ")[0] for line in said],
                         [f"p.txt:{number}: the clip a.mp4: got a name that p.txt:1" for number in (3, 4)])  # fmt: skip
        for flag, file in (("save_latents", "x.safetensors"), ("preview", "x.gif")):
            rows = [{"prompt": "a", flag: file}, {"prompt": "b", flag: "./" + file}, {"prompt": "c", flag: f"../{self.folder.name}/{file}"}]
            said = self.refused_rows(self.write("".join(json.dumps(row) + "\n" for row in rows), "p.jsonl"), *name)
            self.assertEqual([line.split(": ")[0] for line in said], ["p.jsonl:2", "p.jsonl:3"])
        said = self.refused_rows(self.write('{"prompt": "a"}\n{"prompt": "b", "preview": "./out/a.mp4"}\n', "p.jsonl"), *name)
        self.assertEqual(len(said), 1)
        self.assertTrue(said[0].startswith("p.jsonl:2: --preview ") and "the name of a clip" in said[0], said)
        said = self.refused_rows(self.write('{"prompt": "a", "save_latents": "x.safetensors"}\n', "p.jsonl"), "--n-per-prompt", "2")
        self.assertTrue(len(said) == 1 and said[0].startswith("p.jsonl:1: --save-latents x.safetensors"), said)

    def test_files_about_all_clips_have_names_of_their_own(self):
        name = ["--name-template", "{prompt}.mp4"]
        for row, flags, part in (
            ({"output": "s.png"}, ["--sheet", "out/s.png", "-y"], "--sheet "),
            ({"output": "s.png", "frames": 5}, ["--sheet", "out/s-0003.png"], "--sheet "),
            ({"preview": "./s.png"}, ["--sheet", "s.png"], "p.jsonl:1: --preview "),
            ({"save_latents": "out/results.jsonl"}, [], "p.jsonl:1: --save-latents "),
            ({"save_latents": "out/failed.jsonl"}, ["-y"], "p.jsonl:1: --save-latents "),
            ({"preview": "out/index.html"}, [], "p.jsonl:1: --preview "),
        ):  # fmt: skip
            with self.subTest(row=row):
                (said,) = self.refused_rows(self.write(json.dumps({"prompt": "a", **row}) + "\n", "p.jsonl"), *name, *flags)
                self.assertTrue(said.startswith(part), said)
        rows = [{"output": "a.png", "frames": 5}, {"output": "a-0002.png"}, {"output": "a-0006.png"}, {"output": "a-0003.png", "frames": 5},
                {"save_latents": "out/a-0004.png"}, {"save_latents": "out/a.json"}]  # fmt: skip
        said = self.refused_rows(self.write("".join(json.dumps({"prompt": f"b{n}", **row}) + "\n" for n, row in enumerate(rows)), "p.jsonl"), *name)
        self.assertEqual(sorted(line.split(": ")[0] for line in said), ["p.jsonl:2", "p.jsonl:5", "p.jsonl:6"])

    def test_rows_of_a_file_with_an_odd_name(self):
        said = self.refused_rows(self.write('{"prompt": "a", "steps": 0}\n' * 2, "p\n\t.jsonl"))
        self.assertEqual(len(said), 2)

    def test_no_more_than_twenty_bad_rows_are_told(self):
        said = self.refused_rows(self.write('{"prompt": "a", "steps": 0}\n' * 20, "p.jsonl"))
        self.assertEqual([line.split(": ")[0] for line in said], [f"p.jsonl:{number}" for number in range(1, 21)])
        prompts = self.write('{"prompt": "a", "steps": 0}\n' * 33, "p.jsonl")
        self.assertEqual(self.refused_rows(prompts), [*said, "and 13 more"])
        events = self.events(self.batch(prompts, "--progress", "json"))
        self.assertEqual([event["event"] for event in events], ["error"] * 21)
        self.assertEqual({event["code"] for event in events}, {2})

    def test_what_all_rows_are_refused_for_is_told_once(self):
        prompts = self.write("a\nb\n")
        (said,) = self.refused_rows(prompts, "--frames", "80")
        self.assertTrue(said.startswith("--frames: got 80"), said)
        (said,) = self.refused_rows(prompts, "--lora", "none.safetensors", code=3)
        self.assertNotIn("prompts.txt", said)
        # A row that gives it itself is told of its own.
        mixed = self.write('{"prompt": "a", "frames": 82}\n{"prompt": "b"}\n', "p.jsonl")
        said = self.refused_rows(mixed, "--frames", "80")
        self.assertEqual([line.split(": got ")[0] for line in said], ["p.jsonl:1: --frames", "--frames"])
        rows = [{"frames": 80}, {}, {"steps": 0}, {"steps": 2}, {"num_frames": 80}]
        mixed = self.write("".join(json.dumps({"prompt": "a", **row}) + "\n" for row in rows), "p.jsonl")
        said = self.refused_rows(mixed, "--frames", "80")
        self.assertEqual([line.split(": got ")[0] for line in said],
                         ["p.jsonl:1: --frames", "--frames", "p.jsonl:3: steps", "p.jsonl:5: --frames"])  # fmt: skip

    def test_many_rows_are_checked_in_little_time(self):
        count = 20000
        prompts = self.write("".join(f"a red ball number {n}\n" for n in range(count)))
        began = time.monotonic()
        result = self.batch(prompts, "--dry-run")
        self.assertEqual(len(result.stdout.splitlines()), count)
        self.assertLess(time.monotonic() - began, 60)

    def test_a_bad_row_behind_many(self):
        rows = "".join('{"prompt": "%d"}\n' % n for n in range(20000)) + '{"prompt": "a", "steps": "x"}\n'
        result = self.batch(self.write(rows, "p.jsonl"))
        self.assert_error(result, 2, "p.jsonl:20001", "steps")
        self.assertEqual(result.stderr.decode().splitlines()[0], "t2v: checking 20001 rows")

    def test_images_and_models_that_are_missing(self):
        rows = '{"prompt": "a"}\n' + '{"prompt": "b", "lora": "none.safetensors"}\n' * 2
        said = self.refused_rows(self.write(rows, "p.jsonl"), code=3)
        self.assertEqual([line.split(": ")[0] for line in said], ["p.jsonl:2", "p.jsonl:3"])
        self.assertIn("none.safetensors", said[0])
        self.assert_files("p.jsonl")


class NameTest(BatchTest):
    def names(self, text, *arguments, name="p.txt"):
        return list(self.planned(self.write(text, name), *arguments))

    def named(self, prompt, template="{prompt}.mp4"):
        (name,) = self.names(json.dumps({"prompt": prompt}), "--name-template", template, name="p.jsonl")
        return name

    def test_default(self):
        cat, dog = self.names("a cat, sitting\n$(rm -rf *) 'Fuchs' für \"ü\"; 🦊 ...\n")
        self.assertRegex(cat, r"^0000-a-cat-sitting-\d+\.mp4$")
        self.assertRegex(dog, r"^0001-rm-rf-Fuchs-für-ü-🦊-\d+\.mp4$")

    def test_words(self):
        self.assertEqual(self.named("?!", "{words}.mp4"), "_.mp4")
        self.assertEqual(self.named("-- a\n\t..b/../c\u0085 ", "{words}.mp4"), "a-b-c_.mp4")
        self.assertEqual(self.named("%d %d", "{words}.png"), "d-d.png")
        self.assertEqual(self.named("abc " * 60, "{words}.mp4"), "-".join(["abc"] * 44) + ".mp4")

    def test_fields(self):
        names = self.names("a\nb\n", "--name-template", "{{{index:3}}}_{n:2}_{seed}_{width}x{height}_{prompt}.mkv",
                           "--n-per-prompt", "2", "--seed", "7")  # fmt: skip
        self.assertEqual(names, ["{000}_00_7_16x16_a.mkv", "{000}_01_8_16x16_a.mkv", "{001}_00_7_16x16_b.mkv",
                                 "{001}_01_8_16x16_b.mkv"])  # fmt: skip

    def test_vbench(self):
        names = self.names("a cat, sitting\na dog\n", "--name-template", "{prompt}-{n}.mp4", "--n-per-prompt", "2")
        self.assertEqual(names, ["a cat, sitting-0.mp4", "a cat, sitting-1.mp4", "a dog-0.mp4", "a dog-1.mp4"])

    def test_prompts_are_no_paths(self):
        self.assertEqual(self.named("../../x"), "_._.._x.mp4")
        self.assertEqual(self.named("/etc/passwd"), "_etc_passwd.mp4")
        self.assertEqual(self.named("-rf *"), "_rf *.mp4")
        self.assertEqual(self.named(".hidden"), "_hidden.mp4")
        self.assertEqual(self.named("a\nb\tc\u0085d\u007f"), "a_b_c_d_.mp4")
        self.assertEqual(self.named("{prompt} {0} %s $(x)"), "{prompt} {0} %s $(x).mp4")
        self.assertEqual(self.named("%d frames", "{prompt}.png"), "_d frames.png")

    def test_long_prompts_are_cut_at_a_character(self):
        for prompt in ("a" * 1000, "ü" * 500, "🦊" * 500, "a" + "語" * 300):
            name = self.named(prompt, "{prompt}-{seed}.mp4")
            self.assertRegex(name, r"-\d+\.mp4$")
            self.assertLessEqual(len(name.encode()), 180)
            self.assertGreater(len(name.encode()), 176)
        self.assertEqual(self.named("a" * 175 + "-" * 10), "a" * 175 + "-.mp4")
        self.assertEqual(self.named("a" * 175 + "-" * 10, "{words}.mp4"), "a" * 175 + ".mp4")
        self.assertEqual(self.named(" a", "x" * 175 + "{prompt}.mp4"), "x" * 175 + "_.mp4")

    def test_refused(self):
        prompts = self.write("a\nb\n")
        for template, part in {
            "{prompt}": "ends in .mp4", "clip": "ends in .mp4", "{prompt.mp4": "braces", "}.mp4": "braces", "{}.mp4": "field",
            "{index:x}.mp4": "field", "{index:99}.mp4": "field", "{nonsense}-{index}.mp4": "{nonsense}",
            "a/{prompt}.mp4": "without folders", "{index}.avi": ".avi", "{index}" + "x" * 180 + ".mp4": "180",
        }.items():  # fmt: skip
            with self.subTest(template=template[:20]):
                self.refused_batch(prompts, "--name-template", template, parts=[part])
        self.refused_batch(prompts, "--name-template", "clip.mp4", parts=["prompts.txt:2", "clip.mp4", "prompts.txt:1"])
        self.refused_batch(self.write("a\n", "one.txt"), "--name-template", "{prompt}.mp4", "--n-per-prompt", "2", parts=["one.txt:1", "a.mp4"])
        self.refused_batch(prompts, "--save-latents", "x.safetensors", parts=["prompts.txt:2", "--save-latents"])

    def test_rows_that_name_their_clip(self):
        rows = '{"prompt": "a", "output": "x.mkv"}\n{"prompt": "b", "output": "y-{n}.mp4"}\n{"prompt": "c"}\n'
        names = self.names(rows, "--n-per-prompt", "2", "--name-template", "{prompt}{n}.mp4", name="p.jsonl")
        self.assertEqual(names, ["x.mkv", "y-0.mp4", "y-1.mp4", "c0.mp4", "c1.mp4"])


class SeedTest(BatchTest):
    def seeds(self, text, *arguments, name="p.txt"):
        return [int(settings["seed"]) for settings in self.planned(self.write(text, name), *arguments).values()]

    def test_from_the_command_line(self):
        self.assertEqual(self.seeds("a\nb\n", "--seed", "7"), [7, 7])
        self.assertEqual(self.seeds("a\nb\n", "--seed", "7", "--n-per-prompt", "2"), [7, 8, 7, 8])
        self.assertEqual(self.seeds("a\nb\n", "--seed-base", "7", "--n-per-prompt", "2"), [7, 8, 9, 10])
        self.assertEqual(self.seeds("a\nb\n", "--seeds", "1..3,9"), [1, 2, 3, 9, 1, 2, 3, 9])
        self.assertEqual(self.seeds("a\n", "--seeds", str(2**64 - 1)), [2**64 - 1])
        self.refused_batch(self.write("a\n"), "--seeds", "1..3,2", parts=["--seeds", "not 2 again"])

    def test_of_a_row(self):
        rows = '{"prompt": "a", "seed": 100}\n{"prompt": "b"}\n'
        self.assertEqual(self.seeds(rows, "--seed-base", "7", name="p.jsonl"), [100, 8])
        self.assertEqual(self.seeds(rows, "--seeds", "1,2", name="p.jsonl"), [100, 1, 2])
        self.assertEqual(self.seeds(rows, "--seed", "7", "--n-per-prompt", "2", name="p.jsonl"), [100, 101, 7, 8])

    def test_random_ones_stay(self):
        first = self.seeds("a cat\na dog\na cat\n", "--n-per-prompt", "2")
        self.assertEqual(len(set(first)), 6)
        self.assertEqual(self.seeds("a cat\na dog\na cat\n", "--n-per-prompt", "2"), first)
        self.assertEqual(self.seeds("a fox\na cat\na dog\n", "--n-per-prompt", "2")[2:], first[:4])
        self.assertNotEqual(self.seeds('{"prompt": "a cat", "seed": -1}\n', name="p.jsonl"), first[:1])

    def test_one_prompt_on_the_command_line(self):
        arguments = ["batch", *SMALL, "-p", "a cat", "--seeds", "1..3", "-o", "out", "--dry-run"]
        result = self.run_t2v(*arguments)
        self.assertEqual(result.stdout.decode().splitlines(), [f"to do  out/0000-a-cat-{seed}.mp4" for seed in (1, 2, 3)])

    def test_refused(self):
        prompts = self.write("a\n")
        for seeds in ("", "a", "1..", "3..1", "1,,2", "-1", str(2**64), "1.5", "1..1000000", "1...3"):
            self.refused_batch(prompts, "--seeds", seeds, parts=["--seeds"])
        self.refused_batch(prompts, "--seed-base", "-1", parts=["--seed-base", "-1"])
        for flags in (["--seeds", "1", "--seed", "1"], ["--seeds", "1", "--seed-base", "1"], ["--seed-base", "1", "--seed", "2"],
                      ["--seeds", "1", "--n-per-prompt", "2"]):  # fmt: skip
            self.refused_batch(prompts, *flags, parts=[flags[0], flags[2]])
        last = str(2**64 - 1)
        self.refused_batch(prompts, "--seed", last, "--n-per-prompt", "2", parts=["prompts.txt:1: --seed " + last, "begin with a lower"])
        self.refused_batch(self.write("a\nb\n", "two.txt"), "--seed-base", last, parts=["two.txt:2: --seed-base " + last])
        row = self.write('{"prompt": "a", "seed": %s}\n' % last, "row.jsonl")
        self.refused_batch(row, "--n-per-prompt", "2", parts=["row.jsonl:1: --seed"])
        self.assertEqual(self.seeds("a\nb\n", "--seed-base", str(2**64 - 2)), [2**64 - 2, 2**64 - 1])
        self.refused("batch", "--prompts", prompts, "-o", "-", parts=["--output -", "a folder"])
        self.refused("batch", "--prompts", prompts, parts=["--output"])
        self.refused("batch", "-o", "out", parts=["--prompts"])
        self.refused("batch", "--prompts", prompts, "-o", prompts, parts=["prompts.txt", "folder"])
        self.refused("batch", "--prompts", prompts, "-o", "none/out", parts=["none/out"])


if __name__ == "__main__":
    unittest.main()
