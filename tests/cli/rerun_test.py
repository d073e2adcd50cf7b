"""t2v rerun: the same frames from the settings in a clip, with flags changed, and what is said where that cannot be."""

import json
import shutil
import subprocess
import unittest

from support import PROMPT, QUICK, ROOT, CommandTest, environment
from tensor_files import floats, write_tensors

FIXTURES = ROOT / "tests/fixtures"
CASES = FIXTURES / "pipelines"
SMALL = ["--prompt", "a cat", "--size", "32x32", "--frames", "5", "--steps", "2", "--seed", "1"]


class RerunTest(CommandTest):
    def render(self, *arguments, **options):
        result = self.run_t2v(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def frames(self, name):
        """What the frames of a clip decode to."""
        return subprocess.run(
            ["ffmpeg", "-v", "error", "-i", name, "-map", "0:v", "-f", "framemd5", "-"],
            cwd=self.folder, capture_output=True, check=True,
        ).stdout  # fmt: skip

    def rerun(self, *arguments, **options):
        """The name of the new clip, and the warnings."""
        result = self.render("rerun", *arguments, **options)
        warnings = [line for line in result.stderr.decode().splitlines() if "frames may differ" in line]
        return result.stdout.decode().rstrip("\n"), warnings

    def settings_in(self, name):
        return json.loads(self.render("inspect", name, "--json").stdout)["settings"]


class SameClipTest(RerunTest):
    def test_same_frames_beside_the_clip(self):
        (self.folder / "clips").mkdir()
        self.render(*QUICK, "--negative-prompt", "a 'grey\" sea\n", "--fps", "6.5", "-o", "clips/clip.mkv")
        self.assertEqual(self.rerun("clips/clip.mkv"), ("clips/clip-rerun.mkv", []))
        # Whatever is in memory that nothing was written to.
        dirty = environment(MALLOC_PERTURB_="85")
        self.assertEqual(self.rerun("clips/clip.mkv", env=dirty), ("clips/clip-rerun-2.mkv", []))
        for again in ("clips/clip-rerun.mkv", "clips/clip-rerun-2.mkv"):
            self.assertEqual(self.frames(again), self.frames("clips/clip.mkv"))
        old, new = self.settings_in("clips/clip.mkv"), self.settings_in("clips/clip-rerun.mkv")
        self.assertEqual(new.pop("arguments"), ["rerun", "clips/clip.mkv"])
        del old["arguments"]
        self.assertEqual(new, old)

    def test_flags_replace(self):
        self.render(*QUICK, "--sigmas", "1,0.5", "-o", "clip.mp4")
        self.assertEqual(self.rerun("clip.mp4", "--seed", "5", "--steps", "3", "-o", "other.mkv"), ("other.mkv", []))
        settings = self.settings_in("other.mkv")
        self.assertEqual([settings[key] for key in ("seed", "num_inference_steps", "prompt")], ["5", 3, PROMPT])
        self.assertNotIn("sigmas", settings)
        self.assertNotEqual(self.frames("other.mkv"), self.frames("clip.mp4"))

    def test_a_word_before_the_clip_is_read(self):
        result = self.run_t2v("rerun", "missing.mkv")
        self.assertEqual(result.stderr.splitlines()[0], b"t2v: reading the settings of missing.mkv")

    def test_switches_are_turned_off(self):
        self.render(*QUICK, "--vae-tiling", "-o", "clip.mp4")
        self.assertEqual(self.settings_in(self.rerun("clip.mp4")[0])["vae_tiling"], True)
        self.assertNotIn("vae_tiling", self.settings_in(self.rerun("clip.mp4", "--vae-tiling=false")[0]))

    def test_the_environment_does_not_count(self):
        self.render(*QUICK, "-o", "clip.mkv")
        variables = environment(T2V_STEPS="5", T2V_VAE_TILING="1", T2V_PROMPT="a dog", T2V_CONFIG="missing.json")
        self.assertEqual(self.rerun("clip.mkv", env=variables), ("clip-rerun.mkv", []))
        self.assertEqual(self.frames("clip-rerun.mkv"), self.frames("clip.mkv"))
        self.refused("rerun", "clip.mkv", "--config", "x.json", parts=["unknown flag --config"])

    def test_never_over_the_clip(self):
        self.render(*QUICK, "-o", "clip.mp4")
        old = (self.folder / "clip.mp4").read_bytes()
        self.assert_error(self.run_t2v("rerun", "clip.mp4", "-o", "clip.mp4"), 2, "clip.mp4", "--overwrite")
        self.assertEqual((self.folder / "clip.mp4").read_bytes(), old)
        self.assertEqual(self.rerun("clip.mp4", "-o", "clip.mp4", "--overwrite")[0], "clip.mp4")
        self.assertNotEqual((self.folder / "clip.mp4").read_bytes(), old)  # its arguments are others

    def test_numbered_pictures(self):
        self.render(*QUICK, "-o", "star.png")
        names = [self.rerun(name)[0] for name in ("star.json", "star-0001.png", "star.png")]
        self.assertEqual(names, ["star-rerun-0001.png", "star-rerun-2-0001.png", "star-rerun-3-0001.png"])
        for number in range(1, 6):
            pictures = {
                (self.folder / f"star{rerun}-{number:04}.png").read_bytes() for rerun in ("", "-rerun", "-rerun-3")
            }
            self.assertEqual(len(pictures), 1, number)

    def test_every_container(self):
        for name in ("clip.webm", "clip.mov", "clip.gif"):
            with self.subTest(name):
                self.render(*QUICK, "-o", name)
                again = name.replace(".", "-rerun.")
                self.assertEqual(self.rerun(name), (again, []))
                self.assertEqual(self.frames(again), self.frames(name))

    def test_from_latents(self):
        self.render(*QUICK, "-o", "clip.mkv", "--save-latents", "latents.safetensors")
        self.assertEqual(self.rerun("latents.safetensors", "-o", "again.mkv")[0], "again.mkv")
        self.assertEqual(self.frames("again.mkv"), self.frames("clip.mkv"))

    def test_a_prompt_that_looks_like_standard_input(self):
        (self.folder / "prompt.txt").write_text("-")
        self.render(*QUICK, "--prompt-file", "prompt.txt", "-o", "clip.mkv")
        self.assertEqual(self.settings_in(self.rerun("clip.mkv")[0])["prompt"], "-")

    def test_inputs_are_found_from_another_folder(self):
        case = json.loads((CASES / "image.json").read_text())
        shutil.copy(CASES / case["image"], self.folder / "start.png")
        tensors = {"diffusion_model.head.head.diff_b": ("F32", [64], floats(*[0.5] * 64))}
        write_tensors(self.folder / "bias.safetensors", tensors)
        image_model = ["-m", str(FIXTURES / case["checkpoint"]), "--image", "start.png"]
        lora_model = ["-m", str(FIXTURES / "tiny-wan"), "--lora", "bias.safetensors:0.5"]
        for name, extra in (("image", image_model), ("lora", lora_model)):
            with self.subTest(name):
                self.render(*SMALL, *extra, "-o", f"{name}.mkv")
                here = self.folder
                self.folder = here / f"elsewhere-{name}"
                self.folder.mkdir()
                self.assertEqual(self.rerun(f"../{name}.mkv", "-o", "again.mkv"), ("again.mkv", []))
                again = self.frames("again.mkv")
                self.folder = here
                self.assertEqual(again, self.frames(f"{name}.mkv"))
        (self.folder / "start.png").unlink()
        (self.folder / "bias.safetensors").unlink()
        self.assert_error(self.run_t2v("rerun", "image.mkv"), 3, "image", str(self.folder / "start.png"))
        self.assert_error(self.run_t2v("rerun", "lora.mkv"), 3, str(self.folder / "bias.safetensors"))


class CannotPromiseTest(RerunTest):
    def recorded(self, **changes):
        """Numbered pictures whose settings were changed."""
        if not (self.folder / "clip.json").exists():
            self.render(*QUICK, "-o", "clip.png")
        file = self.folder / "clip.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
        return "clip.json"

    def test_another_version_or_device(self):
        clip = self.recorded(t2v="0.0.1", device="cuda:0")
        _, warnings = self.rerun(clip, "--device", "cpu")
        self.assertEqual(len(warnings), 2, warnings)
        self.assertIn("version of t2v was 0.0.1", warnings[0])
        self.assertIn("the device was cuda:0 and is cpu", warnings[1])
        self.assertEqual(self.rerun(clip, "--device", "cpu", "-q")[1], [])
        _, warnings = self.rerun(clip, "--device", "auto", "--seed", "3")
        self.assertEqual(len(warnings), 2, warnings)

    def test_another_device_of_the_same_kind(self):
        clip = self.recorded(device_name="A 386, 2 threads")
        _, warnings = self.rerun(clip)
        self.assertEqual(len(warnings), 1, warnings)
        self.assertRegex(warnings[0], "the device was A 386, 2 threads and is .*, [0-9]+ thread")

    def test_other_weights(self):
        model = self.folder / "model"
        shutil.copytree(FIXTURES / "tiny-wan", model)
        self.render(*SMALL, "-m", "model", "-o", "clip.mkv")
        self.assertEqual(self.rerun("clip.mkv")[1], [])
        weights = next((model / "vae").glob("*.safetensors"))
        data = bytearray(weights.read_bytes())
        data[-4] ^= 1
        weights.write_bytes(data)
        _, warnings = self.rerun("clip.mkv")
        self.assertEqual(len(warnings), 1, warnings)
        self.assertIn("the sha256 of the model was ", warnings[0])

    def test_a_model_that_is_gone(self):
        model = self.folder / "model"
        shutil.copytree(FIXTURES / "tiny-wan", model)
        self.render(*SMALL, "-m", "model", "-o", "clip.mkv")
        shutil.rmtree(model)
        self.assert_error(self.run_t2v("rerun", "clip.mkv"), 3, str(model))
        self.assert_files("clip.mkv")
        self.rerun("clip.mkv", "-m", str(FIXTURES / "tiny-wan"))

    def test_settings_that_are_no_flags(self):
        clip = self.recorded(frobnicate=3)
        self.assert_error(self.run_t2v("rerun", clip), 2, "settings of clip.json", "frobnicate")


class WithoutSettingsTest(RerunTest):
    def test_nothing_recorded(self):
        self.render(*QUICK, "-o", "clip.mp4", "--no-metadata")
        self.assert_error(self.run_t2v("rerun", "clip.mp4"), 3, "clip.mp4", "no settings")
        (self.folder / "text.mp4").write_text("no clip")
        self.assert_error(self.run_t2v("rerun", "text.mp4"), 3, "text.mp4")
        self.assert_error(self.run_t2v("rerun", "missing.mp4"), 3, "missing.mp4")
        self.assert_error(self.run_t2v("rerun", str(ROOT / "models/tiny-world")), 3, "a model", "recorded")
        self.refused("rerun", parts=["CLIP", "nothing"])


if __name__ == "__main__":
    unittest.main()
