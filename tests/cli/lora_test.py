"""--lora: what it does to a clip, what it says, what it refuses."""

import shutil
import struct
import unittest

from support import ROOT, CommandTest
from tensor_files import floats, read_folder, read_tensors, write_tensors

TINY = ROOT / "tests/fixtures/tiny-wan"
EXPERTS = ROOT / "tests/fixtures/tiny-kinds/2.2-t2v"
QUICK = ["--prompt", "a red ball", "--size", "32x32", "--frames", "5", "--steps", "2", "--seed", "1"]


class LoraTest(CommandTest):
    def latents(self, name, *flags, model=TINY):
        """The final latents of a clip, and the run."""
        result = self.run_t2v(*QUICK, "--model", str(model), "-o", f"{name}.mp4", "--save-latents", name, *flags)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return read_tensors(self.folder / name)["latents"][2], result

    def lora(self, name, tensors):
        write_tensors(self.folder / name, tensors)
        return str(self.folder / name)

    def bias_lora(self, name="bias.safetensors", value=0.5, key="diffusion_model.head.head.diff_b"):
        """Adds to every number of proj_out.bias, of which there are 64."""
        return self.lora(name, {key: ("F32", [64], floats(*[value] * 64))})

    def refused_lora(self, code, *parts, flag="--lora", path=None, model=TINY):
        result = self.run_t2v(*QUICK, "--model", str(model), "-o", "clip.mp4", flag, str(path))
        self.assert_error(result, code, *parts)
        self.assertFalse((self.folder / "clip.mp4").exists())

    def test_as_if_it_were_in_the_weights(self):
        model = self.folder / "model"
        shutil.copytree(TINY, model)
        tensors = read_folder(model / "transformer")
        dtype, shape, data = tensors["proj_out.bias"]
        values = [value + 0.25 for value in struct.unpack(f"<{len(data) // 4}f", data)]
        tensors["proj_out.bias"] = (dtype, shape, floats(*values))
        for path in (model / "transformer").glob("diffusion*"):
            path.unlink()
        write_tensors(model / "transformer/diffusion_pytorch_model.safetensors", tensors)
        merged, _ = self.latents("merged", model=model)
        changed, _ = self.latents("changed", "--lora", self.bias_lora() + ":0.5")
        plain, _ = self.latents("plain")
        self.assertEqual(changed, merged)
        self.assertNotEqual(changed, plain)

    def test_several_add_up(self):
        one = self.bias_lora("one.safetensors", 0.5)
        two = self.bias_lora("two.safetensors", 0.25)
        together, _ = self.latents("together", "--lora", one, "--lora", two)
        at_once, _ = self.latents("at_once", "--lora", self.bias_lora("sum.safetensors", 0.75))
        numbers = zip(struct.unpack(f"<{len(together) // 4}f", together), struct.unpack(f"<{len(at_once) // 4}f", at_once))
        self.assertLess(max(abs(a - b) for a, b in numbers), 1e-4)  # two roundings instead of one

    def test_one_for_each_expert(self):
        lora = self.bias_lora()
        plain, _ = self.latents("plain", model=EXPERTS)
        first, _ = self.latents("first", "--lora", lora, model=EXPERTS)
        second, _ = self.latents("second", "--lora-2", lora, model=EXPERTS)
        self.assertEqual(len({plain, first, second}), 3)

    def test_says_what_it_ignores(self):
        lora = {"diffusion_model.head.head.diff_b": ("F32", [64], floats(*[0] * 64)),
                "diffusion_model.blocks.9.self_attn.q.diff_b": ("F32", [48], floats(*[0] * 48))}  # fmt: skip
        _, result = self.latents("a", "--lora", self.lora("lora.safetensors", lora))
        self.assertIn("1 of 2 keys matched, 1 ignored: diffusion_model.blocks.9.self_attn.q.diff_b",
                      result.stderr.decode())  # fmt: skip
        _, result = self.latents("b", "--lora", self.bias_lora())
        self.assertNotIn("matched", result.stderr.decode())
        _, result = self.latents("c", "--verbose", "--lora", self.bias_lora())
        self.assertIn("1 of 1 keys matched", result.stderr.decode())

    def test_is_recorded(self):
        path = self.bias_lora()
        settings = self.settings(*QUICK, "--model", str(TINY), "-o", "clip.mp4", "--lora", path + ":-0.5", "--lora", path)
        self.assertEqual(settings["lora"], [path + ":-0.5", path + ":1.0"])

    def test_of_another_model(self):
        self.refused_lora(3, "width 12", path=ROOT / "tests/fixtures/lora/comfy.safetensors")
        flux = {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": ("F32", [1, 1], floats(0))}
        self.refused_lora(3, "no key of a Wan transformer", "Flux", path=self.lora("flux.safetensors", flux))
        self.refused_lora(3, "no key", path=TINY / "vae/diffusion_pytorch_model.safetensors")

    def test_for_the_other_expert(self):
        """By its name: the keys are the same."""
        high = self.bias_lora("Wan2.2-Lightning_T2V-A14B-4steps-lora_HIGH_fp16.safetensors")
        low = self.bias_lora("low_noise_model.safetensors")
        self.refused_lora(3, "low-noise expert", "name it with --lora-2", path=low, model=EXPERTS)
        self.refused_lora(3, "high-noise expert", "name it with --lora", flag="--lora-2", path=high, model=EXPERTS)
        self.latents("right", "--lora", high, "--lora-2", low, model=EXPERTS)
        self.latents("one_transformer", "--lora", low)

    def test_keys_for_both_experts(self):
        bias = ("F32", [64], floats(*[0.5] * 64))
        both = self.lora("both.safetensors", {"transformer.proj_out.diff_b": bias, "transformer_2.proj_out.diff_b": bias})
        _, result = self.latents("a", "--lora", both, model=EXPERTS)
        self.assertIn("has keys for both experts: name it with --lora-2 too", result.stderr.decode())
        _, result = self.latents("b", "--lora", both, "--lora-2", both, model=EXPERTS)
        self.assertNotIn("both experts", result.stderr.decode())

    def test_dora(self):
        key = "diffusion_model.blocks.0.self_attn.q.dora_scale"
        self.refused_lora(3, "dora_scale", "DoRA", path=self.lora("x.safetensors", {key: ("F32", [48], floats(*[0] * 48))}))

    def test_bad_values(self):
        path = self.bias_lora()
        self.refused_lora(3, "no such file", path=self.folder / "gone.safetensors")
        self.refused_lora(2, "--lora", "strong", path=path + ":strong")
        self.refused_lora(2, "--lora", "from -100 to 100", path=path + ":1e9")
        self.refused_lora(2, "--lora", path=":1")
        self.refused_lora(2, "--lora-2", "one transformer", flag="--lora-2", path=path)


if __name__ == "__main__":
    unittest.main()
