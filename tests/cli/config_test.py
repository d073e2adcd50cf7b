"""Values from elsewhere: --config, T2V_* variables, presets, and what t2v config says about them."""

import json
import unittest

from support import PROMPT, QUICK, ROOT, CommandTest, environment

CLIP = ["--prompt", PROMPT]


class ConfigTest(CommandTest):
    def write(self, text, name="my.json"):
        (self.folder / name).write_text(text if isinstance(text, str) else json.dumps(text))
        return name

    def values(self, *arguments, **variables):
        result = self.run_t2v("config", "--json", "-q", *arguments, env=environment(**variables))
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return json.loads(result.stdout)

    def value(self, name, *arguments, **variables):
        row = self.values(*arguments, **variables)["values"][name]
        return row["value"], row["from"]


class PrecedenceTest(ConfigTest):
    def test_flag_environment_config_preset(self):
        preset = self.values()["preset"]
        line = next(
            number
            for number, text in enumerate((ROOT / "configs/tiny-world.json").read_text().splitlines(), 1)
            if '"num_inference_steps"' in text
        )
        self.assertEqual(self.value("steps"), (12, f"{preset}:{line}"))
        config = self.write('{"fps": 4,\n "num_inference_steps": 3}')
        self.assertEqual(self.value("steps", "--config", config), (3, "my.json:2"))
        self.assertEqual(self.value("steps", "--config", config, T2V_STEPS="5"), (5, "T2V_STEPS"))
        self.assertEqual(self.value("steps", "--config", config, T2V_SAMPLE_STEPS="5"), (5, "T2V_SAMPLE_STEPS"))
        self.assertEqual(self.value("steps", "--steps", "7", "--config", config, T2V_STEPS="5"), (7, "--steps"))
        self.assertEqual(self.value("steps", T2V_STEPS=""), (12, f"{preset}:{line}"))

    def test_a_config_named_by_the_environment(self):
        self.assertEqual(self.value("steps", T2V_CONFIG=self.write({"steps": 3})), (3, "my.json:1"))

    def test_flags_that_say_the_same(self):
        config = self.write({"width": 32, "height": 48, "frames": 5, "sigmas": [1.0, 0.5], "crf": 3})
        self.assertEqual(self.value("width", "--config", config, "--size", "64x80"), (64, "--size"))
        self.assertEqual(self.value("height", "--config", config, "--width", "64"), (48, "my.json:1"))
        self.assertEqual(self.value("width", "--config", config, "--aspect", "1:1"), (96, "--aspect"))
        self.assertEqual(self.value("frames", "--config", config, "--duration", "3.125"), (25, "--duration"))
        self.assertEqual(self.value("steps", "--config", config), (2, "my.json:1"))
        self.assertNotIn("sigmas", self.values("--config", config, "--steps", "4")["values"])
        self.assertNotIn("crf", self.values("--config", config, "--quality", "high")["values"])

    def test_switches_are_turned_off(self):
        self.assertEqual(self.value("vae_tiling", T2V_VAE_TILING="1"), (True, "T2V_VAE_TILING"))
        self.assertEqual(self.value("vae_tiling", "--vae-tiling=false", T2V_VAE_TILING="1"), ("false", "--vae-tiling"))
        config = self.write({"vae_tiling": False, "overwrite": True})
        self.assertEqual(self.value("vae_tiling", "--vae_tiling", "--config", config), (True, "--vae-tiling"))
        (self.folder / "x.mp4").write_text("old")
        self.refused(*CLIP, "-o", "x.mp4", "--config", config, "--overwrite=false", parts=["x.mp4", "--overwrite"])

    def test_talking_flags(self):
        config = self.write({"progress": "none"})
        result = self.run_t2v("--nonsense", env=environment(T2V_PROGRESS="json"))
        self.assertEqual(result.returncode, 2)
        for arguments, variables in ((["--config", config], {}), ([], {"T2V_PROGRESS": "none"})):
            result = self.run_t2v(*QUICK, "-o", "clip.mp4", "-y", *arguments, env=environment(**variables))
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (0, 2), result.stderr)
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "-y", env=environment(T2V_QUIET="1"))
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_values_reach_the_clip(self):
        config = self.write({"prompt": PROMPT, "steps": 2, "frames": 5, "seed": "7", "width": 32, "output": "a.mkv"})
        result = self.run_t2v("--config", config, "--json", "-q", env=environment(T2V_HEIGHT="48"))
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        settings = json.loads(result.stdout)["settings"]
        self.assertEqual([settings[key] for key in ("prompt", "seed", "width", "height")], [PROMPT, "7", 32, 48])
        self.assert_files("a.mkv", "my.json")

    def test_the_settings_of_a_clip_are_a_config(self):
        settings = json.loads(self.run_t2v(*QUICK, "-o", "clip.mp4", "--json", "-q").stdout)["settings"]
        config = self.write(settings)
        result = self.run_t2v("--config", config, "-o", "again.mp4", "--json", "-q")
        self.assertEqual(result.returncode, 0, result.stderr)
        again = json.loads(result.stdout)["settings"]
        del settings["arguments"], again["arguments"]
        self.assertEqual(again, settings)

    def test_other_commands_do_not_read_them(self):
        result = self.run_t2v("version", env=environment(T2V_STEPS="x", T2V_CONFIG="missing"))
        self.assertEqual(result.returncode, 0, result.stderr)


class RefusalTest(ConfigTest):
    def test_the_line_of_what_is_wrong(self):
        for text, line, parts in (
            ('{"steps": 4,\n"stepz": 4}', 2, ['unknown key "stepz"', 'did you mean "steps"?']),
            ('{"steps": 4,\n"steps": 4}', 2, ["second time", "my.json:1"]),
            ('{"steps": 4,\n\n"num_inference_steps": 4}', 3, ["second time", "my.json:1"]),
            ('{\n"steps": 0}', 2, ['steps: got "0"', "from 1 to 1000"]),
            ('{\n"sampler": "eulr"}', 2, ["the nearest is euler"]),
            ('{"steps": 4,\n\n}', 3, ["not JSON"]),
            ('{"steps": 4', 1, ["not JSON"]),
            ("steps: 4", 1, ["not JSON"]),
            ("[1]", 1, ["no object"]),
            ("", 1, ["not JSON"]),
            ('{\n"lora": {"a": 1}}', 2, ["an object"]),
            ('{"overwrite":\n "perhaps"}', 1, ["true or false"]),
            ('{"config": "other.json"}', 1, ["on the command line"]),
            ('{"steps": 4,\n"negative_prompt": ["a", "b"]}', 2, ["negative_prompt: got a list of 2", "one value"]),
            ('{"steps": 4,\n"prompt_file": "-"}', 2, ['got "-"', "only the command line"]),
        ):
            with self.subTest(text):
                config = self.write(text)
                self.refused(*CLIP, "-o", "x.mp4", "--config", config, parts=[f"my.json:{line}: ", *parts])

    def test_files_that_cannot_be_read(self):
        self.refused(*CLIP, "-o", "x.mp4", "--config", "missing.json", parts=["missing.json", "no such file"])
        self.refused(*CLIP, "-o", "x.mp4", "--config", ".", parts=["a folder"])
        self.refused(*CLIP, "-o", "x.mp4", "--config", self.write(" " * (2 << 20)), parts=["1 MiB"])

    def test_variables(self):
        for name, value, said in (("T2V_STEPS", "x", "from 1 to 1000"), ("T2V_OVERWRITE", "maybe", "true or false")):
            self.refused(*CLIP, "-o", "x.mp4", env=environment(**{name: value}), parts=[name + ": got", said])
        both = environment(T2V_STEPS="3", T2V_NUM_INFERENCE_STEPS="4")
        self.refused(*CLIP, "-o", "x.mp4", env=both, parts=["T2V_STEPS", "T2V_NUM_INFERENCE_STEPS"])

    def test_a_flag_mends_what_the_environment_says(self):
        self.assertEqual(self.value("steps", "--steps", "3", T2V_STEPS="x"), (3, "--steps"))


class ShownTest(ConfigTest):
    def test_table(self):
        result = self.run_t2v("config", "--steps", "3", env=environment(T2V_FPS="4", T2V_STEPZ="5"))
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        lines = result.stdout.decode().splitlines()
        rows = [line.split() for line in lines]
        self.assertIn(["steps", "3", "--steps"], rows)
        self.assertIn(["fps", "4.0", "T2V_FPS"], rows)
        self.assertIn(["quality", "good", "default"], rows)
        self.assertRegex(result.stdout.decode(), r"(?m)^sampler +unipc +the model$")
        # Aligned: every value begins in one column, and so does every place.
        begins = {line.index(row[1], len(row[0])) for line, row in zip(lines, rows) if row[0] in ("steps", "fps", "quality")}
        self.assertEqual(len(begins), 1)
        self.assertEqual([line for line in lines if "T2V_STEPZ" in line], [lines[-1]])
        self.assertIn("not used", lines[-1])

    def test_every_flag_with_a_value_is_there(self):
        values = self.values()["values"]
        for name in ("model", "width", "height", "frames", "fps", "steps", "guidance_scale", "flow_shift", "sampler",
                     "device", "dtype", "offload", "threads", "quality", "seed"):  # fmt: skip
            self.assertIn(name, values)
            self.assertTrue(values[name]["from"])
        self.assertEqual(values["seed"], {"value": "random, and printed", "from": "default"})
        self.assertNotIn("prompt", values)
        self.assertEqual(self.value("prompt", "-p", "a cat"), ("a cat", "--prompt"))
        self.assertEqual(self.value("output", "-o", "x.mp4"), ("x.mp4", "--output"))

    def test_unused_variables(self):
        unused = self.values(T2V_STEPZ="1", T2V_STEPS="3")["unused"]
        self.assertIn("T2V_STEPZ", unused)
        self.assertNotIn("T2V_STEPS", unused)

    def test_commands_without_a_config_read_no_variables(self):
        variables = environment(T2V_FAIL_UNDER="50", T2V_JSON="1")
        result = self.run_t2v("compare", str(ROOT / "models/tiny-world/transformer/diffusion_pytorch_model.safetensors"),
                              str(ROOT / "models/tiny-world/transformer/diffusion_pytorch_model.safetensors"), env=variables)  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"T2V_FAIL_UNDER: t2v compare reads no variables", result.stderr)
        self.assertEqual(json.loads(result.stdout)["kind"], "tensors")  # how it talks, every command is told

    def test_unused_variables_are_warned_of(self):
        (self.folder / "rows.txt").write_text("a cat\n")
        variables = environment(T2V_STEP="4", T2V_ZZZZ="1", T2V_PROMPTS="")
        warnings = ["t2v: warning: T2V_STEP names no flag: not used; did you mean T2V_STEPS?",
                    "t2v: warning: T2V_ZZZZ names no flag: not used"]  # fmt: skip
        batch = ["batch", "--prompts", "rows.txt", "-o", "out", "--steps", "2"]
        for arguments in ([*QUICK, "-o", "x.mp4", "--dry-run"], [*batch, "--dry-run"], ["plan"]):
            with self.subTest(arguments):
                result = self.run_t2v(*arguments, env=variables)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual([line for line in result.stderr.decode().splitlines() if "warning" in line], warnings)
        for arguments in (["plan", "-q"], ["config"], ["version"], ["plan", "--help"]):
            self.assertNotIn(b"warning", self.run_t2v(*arguments, env=variables).stderr, arguments)
        self.assertIn(warnings[0].removeprefix("t2v: warning: "), self.run_t2v("config", env=variables).stdout.decode())

    def test_variables_of_other_commands_are_known(self):
        result = self.run_t2v(*QUICK, "-o", "x.mp4", "--dry-run", env=environment(T2V_PROMPTS="rows.txt", T2V_OUTPUT="x.mp4"))
        self.assertNotIn(b"warning", result.stderr)

    def test_nothing_is_rendered(self):
        (self.folder / "x.mp4").write_bytes(b"old")
        self.assertEqual(self.run_t2v("config", *QUICK, "-o", "x.mp4").returncode, 0)
        self.assert_files("x.mp4")

    def test_long_values_are_cut_in_the_table_alone(self):
        prompt = "猫" * 50
        table = self.run_t2v("config", "-p", prompt).stdout.decode()
        self.assertNotIn(prompt, table)
        self.assertIn("猫...", table)
        self.assertEqual(self.value("prompt", "-p", prompt)[0], prompt)

    def test_a_model_that_is_not_there(self):
        self.assert_error(self.run_t2v("config", "-m", "missing"), 3, "missing")


class AspectTest(ConfigTest):
    def size(self, *arguments):
        values = self.values(*arguments)["values"]
        return values["width"]["value"], values["height"]["value"]

    def test_with_one_side(self):
        self.assertEqual(self.size("--aspect", "4:3", "--width", "64"), (64, 48))
        self.assertEqual(self.size("--aspect", "4:3", "--height", "48"), (64, 48))
        self.assertEqual(self.size("--aspect", "0.75:1", "--width", "48"), (48, 64))
        self.refused(*QUICK, "-o", "x.mp4", "--aspect", "16:9", "--width", "832",
                     parts=["--aspect 16:9", "468", "832x464 or 832x480"])  # fmt: skip

    def test_alone(self):
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "--aspect", "4:3")
        self.assertEqual(result.returncode, 0, result.stderr)
        notes = [line for line in result.stderr.decode().splitlines() if "--aspect 4:3" in line]
        self.assertEqual(len(notes), 1)
        self.assertIn("112x80", notes[0])

    def test_refused(self):
        for value in ("16", "16:", ":9", "0:9", "16:-9", "nan:1", "a:b", "16:9:3", ""):
            self.refused(*QUICK, "-o", "x.mp4", "--aspect", value, parts=["--aspect: got", "such as 16:9"])
        self.refused(*QUICK, "-o", "x.mp4", "--aspect", "1:1", "--size", "64x64", parts=["--aspect", "at most one"])


if __name__ == "__main__":
    unittest.main()
