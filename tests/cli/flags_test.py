"""Every flag: values that are taken, values that are refused, other names of it."""

import re
import unittest

from support import PROMPT, QUICK, ROOT, CommandTest

TINY = str(ROOT / "tests/fixtures/tiny-wan")

# flag: (values that are taken, {value that is refused: what the error says})
FLAGS = {
    "--width": (["16", "832"], {"0": "16", "-16": "16", "abc": "from 16", "99999": "16384", "": "from 16"}),
    "--height": (["16", "480"], {"0": "16", "1e9": "16384", "0x10": "from 16", " 16": "from 16"}),
    "--size": (
        ["832x480", "832*480", "16X16"],
        {"0x0": "16x16", "99999x99999": "16384x16384", "832": "WIDTHxHEIGHT", "832x": "WIDTHxHEIGHT", "axb": "WIDTH"},
    ),
    "--frames": (["1", "17", "81"], {"0": "the nearest is 1", "-1": "the nearest is 1", "1e9": "100001", "x": "from 1"}),
    "--fps": (["8", "23.976", "0.5"], {"0": "0.01", "-1": "0.01", "1001": "1000", "nan": "from 0.01", "fast": "from"}),
    "--steps": (["1", "1000"], {"0": "nearest is 1", "-3": "nearest is 1", "1e9": "1000", "abc": "from 1 to 1000",
                                "2.5": "whole", "inf": "1000"}),
    "--guidance-scale": (["0", "1", "7.5", "1e1"], {"nan": "from 0 to 1000", "-1": "is 0", "inf": "1000", "x": "0"}),
    "--guidance-scale-2": (["0", "3.5"], {"nan": "from 0 to 1000", "-1": "is 0"}),
    "--boundary-ratio": (["0", "0.875", "1"], {"1.5": "is 1", "-0.1": "is 0", "nan": "from 0 to 1", "high": "from 0"}),
    "--conditioning-scale": (["0", "0.5"], {"-1": "is 0", "nan": "from 0", "x": "from 0"}),
    "--image": (["x.png"], {"": "a path"}),
    "--end-image": (["x.png"], {"": "a path"}),
    "--control-video": (["x.mp4"], {"": "a path"}),
    "--control-mask": (["x.mp4"], {"": "a path"}),
    "--reference-image": (["x.png"], {"": "a path"}),
    "--flow-shift": (["0.5", "3", "8.0"], {"0": "0.01", "nan": "0.01", "5,0": "0.01"}),
    "--sampler": (["unipc", "euler", "lcm", "dpm++"], {"eulr": "the nearest is euler", "ddim": "lcm or dpm++", "": "unipc"}),
    "--sigmas": (["1,0.5,0.1", "0.9"], {"0.5,1": "numbers", "1,": "numbers", "": "numbers", "1,0": "above 0",
                                        "nan": "numbers", "1.5,1": "at most 1"}),
    "--seed": (["0", "-1", "-99999999999999999999", "4294967296", "18446744073709551615"],
               {"18446744073709551616": "18446744073709551615", "1.5": "whole", "": "whole", "-": "whole", "x": "whole"}),
    "--device": (["cpu", "auto", "cuda", "cuda:1"], {"gpu": "cpu, cuda, cuda:N or auto", "cuda:": "cuda:N",
                                                     "cuda:-1": "cuda:N", "": "cuda:N"}),
    "--dtype": (["float32", "bfloat16", "float16", "fp8"], {"float64": "float32, bfloat16, float16 or fp8"}),
    "--threads": (["1", "1024"], {"0": "nearest is 1", "1025": "1024", "all": "from 1"}),
    "--quality": (["draft", "good", "high", "lossless"], {"hig": "the nearest is high", "best": "draft"}),
    "--crf": (["0", "51"], {"64": "the nearest is 63", "-1": "the nearest is 0"}),
    "--duration": (["1.0", "5.0625"], {"0": "0.001", "nan": "from", "5s": "from"}),
    "--negative-prompt": (["blurry", "", "-x"], {}),
    "--save-latents": (["latents.safetensors"], {"": "a path"}),
    "--progress": (["auto", "bar", "plain", "none"], {"baar": "the nearest is bar", "yes": "plain"}),
    "--color": (["auto", "never"], {"colour": "always", "": "always"}),
    "--output": (["x.mkv"], {"": "a path"}),
    "--model": (["missing"], {"": "a path"}),
    "--prompt-file": ([], {"": "a path"}),
}  # fmt: skip
SWITCHES = ["--overwrite", "-y", "--no-metadata", "--no_metadata", "--quiet", "-q", "--verbose", "-v", "--json", "-qy", "--vae-tiling", "--vae_tiling"]
OTHER_NAMES = {
    "--save-file": "x.mp4", "--save_file": "x.mp4", "--output-path": "x.mp4", "-o": "x.mp4", "-W": "64", "-H": "64",
    "--num-frames": "5", "--video-frames": "5", "--frame_num": "5", "--frame-num": "5", "--num-inference-steps": "5",
    "--sample_steps": "5", "--cfg-scale": "5", "--sample_guide_scale": "5", "--shift": "5", "--sample_shift": "5",
    "--sampling-method": "euler", "--sample_solver": "euler", "-s": "5", "--base_seed": "5", "-m": "missing",
    "-i": "x.png", "--init-img": "x.png", "--end-img": "x.png", "--last_frame": "x.png", "--src_video": "x.mp4",
    "--src_mask": "x.mp4", "--src-ref-images": "x.png", "--moe-boundary": "0.5",
    "-n": "x", "-p": "a cat", "--guidance_scale": "5", "--flow_shift": "5", "--negative_prompt": "x",
}  # fmt: skip

# The names that other programs have for flags of ours. The list is complete: no new ones are added.
ALIASES = {
    "--output": ["--save-file", "--output-path"],
    "--image": ["--init-img"],
    "--end-image": ["--end-img", "--last-frame"],
    "--control-video": ["--src-video"],
    "--control-mask": ["--src-mask"],
    "--reference-image": ["--src-ref-images"],
    "--frames": ["--num-frames", "--video-frames", "--frame-num"],
    "--seed": ["--base-seed"],
    "--steps": ["--num-inference-steps", "--sample-steps"],
    "--guidance-scale": ["--cfg-scale", "--sample-guide-scale"],
    "--boundary-ratio": ["--moe-boundary"],
    "--flow-shift": ["--shift", "--sample-shift"],
    "--sampler": ["--sampling-method", "--sample-solver"],
}


class AliasTest(CommandTest):
    def test_the_list_is_complete(self):
        """The help of every command has no other alias."""
        page = self.run_t2v("help", "--man").stdout.decode().replace("\\-", "-")
        flags = re.findall(r"(?m)^\.TP\n\\fB(?:-., )?(--[\w-]+)\\fR.*\n(.*)$", page)
        self.assertGreater(len(flags), 80)
        found = {}
        for name, words in flags:
            if aliases := re.search(r"; also (--.*)$", words):
                found.setdefault(name, set()).update(aliases.group(1).split(", "))
        self.assertEqual(found, {name: set(aliases) for name, aliases in ALIASES.items()})


class ValueTest(CommandTest):
    def assert_taken(self, *arguments):
        # The model is looked at after the flags: this error means that they passed.
        result = self.run_t2v("-p", "a cat", "-o", "x.mp4", *arguments, "-m", "missing")
        self.assert_error(result, 3, "missing")

    def test_good_values(self):
        for flag, (good, _) in FLAGS.items():
            for value in good:
                with self.subTest(flag=flag, value=value):
                    self.assert_taken(flag, value)
                    self.assert_taken(f"{flag}={value}")

    def test_bad_values(self):
        for flag, (_, bad) in FLAGS.items():
            for value, said in bad.items():
                with self.subTest(flag=flag, value=value):
                    self.refused("-p", "a", "-o", "x.mp4", flag, value, parts=[flag + ": ", f'got "{value}"', said])

    def test_switches(self):
        for switch in SWITCHES:
            with self.subTest(switch=switch):
                self.assert_taken(switch)
                self.assert_taken(f"{switch}=false" if switch.startswith("--") else switch)
        self.refused("--overwrite=yes", parts=["--overwrite: ", '"yes"', "true or false"])

    def test_other_names(self):
        for name, value in OTHER_NAMES.items():
            with self.subTest(name=name):
                self.assert_taken(name, value)

    def test_values_that_the_model_cannot_make(self):
        for arguments, parts in {
            ("--frames", "80"): ["--frames", "77", "81"],
            ("--size", "833x481"): ["--size", "833x481", "832x480"],
            ("--width", "840", "--height", "480"): ["--width", "840x480", "848x480"],
            ("--size", "832x16383"): ["--height", "832x16384"],
            ("--duration", "5", "--fps", "16"): ["--duration", "77", "81"],
        }.items():
            self.refused("-p", "a", "-o", "x.mp4", *arguments, parts=parts)

    def test_a_forgotten_value(self):
        self.refused("--prompt", parts=["--prompt", "nothing after it"])
        self.refused("--prompt", "--steps", "5", parts=["--prompt", "the flag --steps", "--prompt=--steps"])
        self.refused("-o", "-p", "a", parts=["-o", "the flag -p"])

    def test_what_has_to_be_given(self):
        self.refused("-o", "x.mp4", parts=["--prompt"])
        self.refused("-p", "a cat", parts=["--output"])
        self.refused(parts=["--output"])


class SettingsTest(CommandTest):
    """Flags arrive: the settings of the run say so."""

    def settings_of(self, *arguments):
        return self.settings("-m", TINY, "-p", "a cat", "-o", "x.mkv", "--size", "16x16", *arguments)

    def test_every_setting(self):
        settings = self.settings_of(
            "--seed", "18446744073709551615", "--cfg_scale", "2.5", "--sample-shift", "4", "--sample_solver", "euler",
            "-n", "模糊", "--fps", "23.976", "-W", "32", "-H", "48", "--num_frames", "5", "--sample_steps", "2",
            "--quality", "lossless", "--dtype", "bfloat16", "--device", "cpu", "--threads", "1",
        )  # fmt: skip
        expected = {
            "seed": "18446744073709551615", "guidance_scale": 2.5, "flow_shift": 4.0, "sampler": "euler",
            "negative_prompt": "模糊", "fps": 23.976, "width": 32, "height": 48, "num_frames": 5,
            "num_inference_steps": 2, "quality": "lossless", "dtype": "bfloat16", "prompt": "a cat",
        }  # fmt: skip
        self.assertEqual({name: settings[name] for name in expected}, expected)

    def test_the_last_one_holds(self):
        settings = self.settings_of(
            "--width", "64", "--size", "32x48", "--height", "16", "--seed", "1", "--base-seed", "2",
            "--frames", "9", "--duration", "0.5", "--fps", "10", "--prompt", "a", "-p", "a dog",
        )  # fmt: skip
        self.assertEqual([settings[name] for name in ("width", "height", "seed", "num_frames", "prompt")],
                         [32, 16, "2", 5, "a dog"])  # fmt: skip

    def test_sigmas_are_the_steps(self):
        self.assertEqual(self.settings_of("--steps", "2", "--sigmas", "1.0,0.25")["sigmas"], [1.0, 0.25])

    def test_a_random_seed_is_told(self):
        seeds = {self.settings_of(*flags)["seed"] for flags in ([], ["--seed", "-1"])}
        self.assertEqual(len(seeds), 2)


if __name__ == "__main__":
    unittest.main()
