"""t2v convert: the same tensors in other files."""

import json
import os
import resource
import shutil
import struct
import subprocess
import unittest

from support import BINARY, ROOT, CommandTest, environment
from tensor_files import read_folder, read_tensors, write_hollow

FIXTURES = ROOT / "tests/fixtures"
TINY = FIXTURES / "tiny-wan"
QUICK = ["--prompt", "a red ball", "--size", "32x32", "--frames", "5", "--steps", "2", "--seed", "1"]
COMPONENTS = ("transformer", "vae", "text_encoder")


def as_bfloat16(data):
    """float32 to bfloat16, rounded to the nearest, ties to even."""
    bits = [value + 0x7FFF + ((value >> 16) & 1) for value in struct.unpack(f"<{len(data) // 4}I", data)]
    return struct.pack(f"<{len(bits)}H", *(value >> 16 for value in bits))


class ConvertTest(CommandTest):
    def convert(self, source, name, *flags):
        result = self.run_t2v("convert", str(source), "-o", name, *flags)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(result.stdout.decode(), name + "\n")
        return self.folder / name

    def latents(self, model, name, *flags):
        result = self.run_t2v(*QUICK, "--model", str(model), "-o", f"{name}.mp4", "--save-latents", f"{name}.st", *flags)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return read_tensors(self.folder / f"{name}.st")["latents"]


class Layouts(ConvertTest):
    def test_there_and_back(self):
        comfy = self.convert(TINY, "comfy", "--layout", "comfy")
        self.assertIn("blocks.0.self_attn.q.weight", read_tensors(comfy / "transformer.safetensors"))
        self.assertIn("decoder.middle.0.residual.0.gamma", read_tensors(comfy / "vae.safetensors"))
        self.assertEqual(read_tensors(comfy / "text_encoder.safetensors")["spiece_model"][2],
                         (TINY / "tokenizer/spiece.model").read_bytes())  # fmt: skip
        back = self.convert(comfy, "back")
        for component in COMPONENTS:
            with self.subTest(component):
                self.assertEqual(read_folder(back / component), read_folder(TINY / component))

    def test_every_kind(self):
        for kind in ("2.1-flf2v", "2.1-vace", "2.2-t2v", "2.2-ti2v"):
            with self.subTest(kind):
                model = FIXTURES / "tiny-kinds" / kind
                back = self.convert(self.convert(model, f"{kind}-comfy", "--layout", "comfy"), f"{kind}-back")
                for folder in sorted(path.name for path in model.iterdir() if list(path.glob("*.safetensors"))):
                    expected = {name.removeprefix("vision_model."): tensor for name, tensor in read_folder(model / folder).items()}
                    found = {name.removeprefix("vision_model."): tensor for name, tensor in read_folder(back / folder).items()}
                    self.assertEqual(found, expected, folder)

    def test_configurations_survive(self):
        """The shift, the boundary and the sampler, which no tensor tells, come back as they were."""
        for kind in ("2.1-i2v", "2.2-t2v", "2.2-ti2v"):
            with self.subTest(kind):
                model = self.folder / kind
                shutil.copytree(FIXTURES / "tiny-kinds" / kind, model)
                self.change(model / "scheduler/scheduler_config.json", flow_shift=7.123456789012345, solver_order=1)
                if kind == "2.2-t2v":
                    self.change(model / "model_index.json", boundary_ratio=0.8125)
                back = self.convert(self.convert(model, f"{kind}-comfy", "--layout", "comfy"), f"{kind}-back")
                scheduler = "scheduler/scheduler_config.json"
                self.assertEqual(json.loads((back / scheduler).read_text()), json.loads((model / scheduler).read_text()))
                before, after = (json.loads((folder / "model_index.json").read_text()) for folder in (model, back))
                for key in ("_class_name", "boundary_ratio", "expand_timesteps"):
                    self.assertEqual(after.get(key) or None, before.get(key) or None, key)
                for part in ("transformer", "transformer_2", "vae", "text_encoder", "image_encoder"):
                    if (model / part).is_dir():
                        config = json.loads((model / part / "config.json").read_text())
                        found = json.loads((back / part / "config.json").read_text())
                        self.assertEqual({key: found.get(key) for key in config if not key.startswith("_")},
                                         {key: value for key, value in config.items() if not key.startswith("_")}, part)  # fmt: skip

    def change(self, path, **values):
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    def test_renders_the_same(self):
        copy = self.convert(TINY, "copy")
        self.assertEqual(self.latents(copy, "a"), self.latents(TINY, "b"))

    def test_other_formats(self):
        """The same values from safetensors, GGUF and a torch file."""
        expected = read_tensors(self.convert(FIXTURES / "checkpoints/transformer_original.safetensors", "a.safetensors"))
        found = read_tensors(self.convert(FIXTURES / "checkpoints/transformer_original.gguf", "b.safetensors", "--dtype", "float32"))
        self.assertEqual(found.keys(), expected.keys())
        self.assertIn("blocks.0.attn1.to_q.weight", found)
        vae = read_tensors(self.convert(FIXTURES / "checkpoints/vae_original.pth", "vae.safetensors"))
        self.assertEqual(len(vae), 194)
        self.assertIn("decoder.mid_block.resnets.0.norm1.gamma", vae)

    def test_json(self):
        result = self.run_t2v("convert", str(TINY), "-o", "copy", "--json")
        object = json.loads(result.stdout)
        self.assertEqual(object["output"], "copy")
        self.assertEqual(len(object["files"]), 3)
        self.assertTrue(all((self.folder / file).is_file() for file in object["files"]))


class Numbers(ConvertTest):
    def test_bfloat16(self):
        copy = self.convert(TINY, "copy", "--dtype", "bfloat16")
        before, after = read_folder(TINY / "transformer"), read_folder(copy / "transformer")
        name = "blocks.0.ffn.net.2.weight"
        self.assertEqual(after[name], ("BF16", before[name][1], as_bfloat16(before[name][2])))
        for name in ("blocks.0.norm2.weight", "scale_shift_table", "condition_embedder.time_embedder.linear_1.weight"):
            self.assertEqual(after[name], before[name])  # what is computed in float32 whatever the rest is
        self.assertEqual(read_folder(copy / "vae"), read_folder(TINY / "vae"))
        self.assertEqual(self.latents(copy, "a", "--dtype", "bfloat16"), self.latents(TINY, "b", "--dtype", "bfloat16"))

    def test_fp8(self):
        for layout in ("comfy", "diffusers"):
            with self.subTest(layout):
                name = f"{layout}.safetensors"
                model = self.convert(TINY / "transformer", name, "--dtype", "fp8", "--layout", layout)
                tensors = read_tensors(model)
                weights = [name for name, (dtype, _, _) in tensors.items() if dtype == "F8_E4M3"]
                self.assertEqual(len(weights), 3 * 10)
                for weight in weights:
                    self.assertIn(weight.removesuffix(".weight") + ".scale_weight", tensors)
                values = read_tensors(self.convert(model, f"{layout}-back.safetensors", "--dtype", "float32"))
                name = "blocks.1.attn2.to_v.weight"
                before = struct.unpack("<2304f", read_folder(TINY / "transformer")[name][2])
                after = struct.unpack("<2304f", values[name][2])
                largest = max(map(abs, before))
                # Four bits of precision for large numbers, steps of 2^-9 of 448 for small ones.
                for a, b in zip(before, after):
                    self.assertLessEqual(abs(a - b), abs(a) / 16 + largest / 448 / 512)

    def test_memory_does_not_grow_with_the_model(self):
        """A text encoder with 1.2 GB in one tensor; LibTorch itself takes about 250 MB."""
        shapes = {"shared.weight": [150000, 2048], "encoder.final_layer_norm.weight": [2048]}
        attention, dense = "encoder.block.0.layer.0.", "encoder.block.0.layer.1."
        shapes |= {f"{attention}SelfAttention.{name}.weight": [2048, 2048] for name in "qkvo"}
        shapes |= {f"{attention}SelfAttention.relative_attention_bias.weight": [32, 32],
                   f"{attention}layer_norm.weight": [2048], f"{dense}layer_norm.weight": [2048]}  # fmt: skip
        shapes |= {f"{dense}DenseReluDense.{name}.weight": [1024, 2048] for name in ("wi_0", "wi_1")}
        shapes[f"{dense}DenseReluDense.wo.weight"] = [2048, 1024]
        write_hollow(self.folder / "in.safetensors", shapes)
        process = subprocess.Popen([BINARY, "convert", "in.safetensors", "-o", "out.safetensors", "--dtype", "bfloat16"],
                                   cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL)  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        self.assertEqual(status, 0)
        self.assertLess(usage.ru_maxrss, 700_000)
        self.assertEqual(len(read_tensors(self.folder / "out.safetensors")), len(shapes))


class Refusals(ConvertTest):
    def assert_refused(self, code, *arguments, parts=(), left=(), **options):
        result = self.run_t2v("convert", *arguments, **options)
        self.assert_error(result, code, *parts)
        self.assert_files(*left)

    def test_usage(self):
        tiny = str(TINY)
        self.assert_refused(2, tiny, parts=["--output"])
        self.assert_refused(2, tiny, "-o", "x", "--dtype", "int3", parts=["int3"])
        self.assert_refused(2, tiny, "-o", "x", "--layout", "confy", parts=["comfy"])
        self.assert_refused(2, tiny, "-o", "x.safetensors", parts=["3 components", "folder"])
        self.assert_refused(2, tiny, "-o", "x.gguf", parts=["another format", ".safetensors"])
        self.assert_refused(2, tiny, "-o", "no/x", parts=["no folder"])
        (self.folder / "taken").mkdir()
        self.assert_refused(2, tiny, "-o", "taken", parts=["taken"], left=["taken"])

    def refused_at_once(self, code, *arguments):
        """With one line: nothing has taken long. That of what takes longer is tested in first_line_test."""
        result = self.run_t2v("convert", *arguments)
        self.assert_error(result, code)
        self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_input(self):
        self.assert_refused(3, "gone", "-o", "x", parts=["gone"])
        self.refused_at_once(3, "gone", "-o", "x")
        self.assert_refused(3, str(FIXTURES / "lora/comfy.safetensors"), "-o", "x")

    def test_nothing_is_left_when_the_disk_is_full(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # noqa: E731
        self.assert_refused(4, str(TINY), "-o", "x", parts=["x"], preexec_fn=limit)
        self.assert_refused(4, str(TINY / "vae"), "-o", "x.safetensors", preexec_fn=limit)


if __name__ == "__main__":
    unittest.main()
