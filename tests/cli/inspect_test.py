"""t2v inspect: what it tells of checkpoints, LoRA files and clips."""

import json
import os
import resource
import shutil
import unittest

from support import QUICK, ROOT, CommandTest
from tensor_files import floats, write_hollow, write_tensors

FIXTURES = ROOT / "tests/fixtures"
KINDS = {"2.1-i2v": ("Wan2.1", "I2V"), "2.1-flf2v": ("Wan2.1", "FLF2V"), "2.1-vace": ("Wan2.1", "VACE"),
         "2.2-t2v": ("Wan2.2", "T2V"), "2.2-ti2v": ("Wan2.2", "TI2V")}  # fmt: skip


def published(name):
    """Names and shapes of a published model's tensors."""
    model = json.loads((FIXTURES / "published_models.json").read_text())[name]
    shapes = {}
    for tensor, shape in model["tensors"].items():
        layers = range(model["config"]["num_layers"]) if ".N." in tensor else [""]
        for layer in layers:
            shapes[tensor.replace(".N.", f".{layer}.")] = shape
    return model["config"], shapes


class InspectTest(CommandTest):
    def inspect(self, path):
        result = self.run_t2v("inspect", str(path), "--json")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return json.loads(result.stdout)

    def text(self, path):
        result = self.run_t2v("inspect", str(path))
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout.decode()

    def component(self, path, name):
        return next(part for part in self.inspect(path)["components"] if part["name"] == name)


class Checkpoints(InspectTest):
    def assert_whole(self, inspection):
        self.assertEqual(inspection["absent"], [])
        for component in inspection["components"]:
            for problem in ("missing", "unknown", "misshaped"):
                self.assertEqual(component[problem], [], component["name"])

    def test_the_bundled_model(self):
        inspection = self.inspect(ROOT / "models/tiny-world")
        self.assertEqual((inspection["kind"], inspection["layout"], inspection["pipeline"]),
                         ("checkpoint", "diffusers folder", "WanPipeline"))  # fmt: skip
        self.assert_whole(inspection)
        transformer = self.component(ROOT / "models/tiny-world", "transformer")
        self.assertEqual(sum(transformer["number_formats"].values()), transformer["parameters"])

    def test_every_kind(self):
        for folder, (family, task) in KINDS.items():
            with self.subTest(folder):
                inspection = self.inspect(FIXTURES / "tiny-kinds" / folder)
                self.assertEqual(inspection["family"], family)
                self.assertTrue(inspection["variant"].startswith(task + " of width"), inspection["variant"])
                self.assert_whole(inspection)

    def test_a_published_model_is_called_by_name(self):
        """Its true size, in holes; in less than a second of work."""
        config, shapes = published("Wan2.1-T2V-14B")
        (self.folder / "config.json").write_text(json.dumps({"_class_name": "WanTransformer3DModel", **config}))
        shards, index = [dict(list(shapes.items())[i::12]) for i in range(12)], {}
        for i, shard in enumerate(shards):
            file = f"diffusion_pytorch_model-{i + 1:05}-of-00012.safetensors"
            write_hollow(self.folder / file, shard)
            index.update(dict.fromkeys(shard, file))
        text = json.dumps({"metadata": {}, "weight_map": index})
        (self.folder / "diffusion_pytorch_model.safetensors.index.json").write_text(text)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        inspection = self.inspect(self.folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1)
        self.assertEqual((inspection["family"], inspection["variant"]), ("Wan2.1", "T2V-14B"))
        (transformer,) = inspection["components"]
        self.assertEqual((transformer["missing"], transformer["unknown"], transformer["misshaped"]), ([], [], []))
        self.assertEqual((transformer["parameters"], transformer["tensors"], len(transformer["files"])),
                         (14288491584, 1095, 12))  # fmt: skip

    def test_a_single_file_says_what_is_absent(self):
        inspection = self.inspect(FIXTURES / "checkpoints/transformer_original.gguf")
        self.assertEqual(inspection["layout"], "single file")
        self.assertEqual([part["name"] for part in inspection["components"]], ["transformer"])
        self.assertEqual((inspection["components"][0]["format"], inspection["components"][0]["naming"]),
                         ("GGUF", "original"))  # fmt: skip
        absent = {part["name"]: part["advice"] for part in inspection["absent"]}
        self.assertEqual(set(absent), {"vae", "text_encoder", "tokenizer", "image_encoder"})
        self.assertIn("--vae: Wan2.1_VAE.pth", absent["vae"])

    def test_the_published_repository_has_what_is_absent(self):
        config, shapes = published("Wan2.1-T2V-1.3B")
        write_hollow(self.folder / "x.safetensors", shapes)
        inspection = self.inspect(self.folder / "x.safetensors")
        self.assertEqual(inspection["variant"], "T2V-1.3B")
        self.assertIn("t2v pull Wan-AI/Wan2.1-T2V-1.3B-Diffusers", inspection["absent"][0]["advice"])

    def test_tensors_that_are_not_as_the_class_has_them(self):
        folder = self.folder / "model"
        shutil.copytree(FIXTURES / "tiny-wan", folder)
        path = folder / "vae/diffusion_pytorch_model.safetensors"
        path.write_bytes(path.read_bytes().replace(b'"quant_conv.bias"', b'"quant_conv.bios"'))
        config = folder / "transformer/config.json"
        config.write_text(config.read_text().replace('"ffn_dim": 120', '"ffn_dim": 121'))
        vae, transformer = self.component(folder, "vae"), self.component(folder, "transformer")
        self.assertEqual((vae["missing"], vae["unknown"]), (["quant_conv.bias"], ["quant_conv.bios"]))
        self.assertEqual(len(transformer["misshaped"]), 9)
        self.assertIn("expected [121", transformer["misshaped"][0])
        self.assertIn("1 missing: quant_conv.bias", self.text(folder))


class Loras(InspectTest):
    def test_the_namings(self):
        expected = {"peft": ("diffusers", [1, 4], 48), "comfy": ("original", [1, 3], 107), "kohya": ("kohya", [2, 2], 72)}
        for name, (naming, ranks, tensors) in expected.items():
            with self.subTest(name):
                lora = self.inspect(FIXTURES / f"lora/{name}.safetensors")
                self.assertEqual((lora["kind"], lora["naming"], lora["ranks"], lora["tensors"], lora["unknown"]),
                                 ("lora", naming, ranks, tensors, []))  # fmt: skip
                self.assertIn("width 12 with 2 blocks", lora["made_for"])
        self.assertIn("rank 1 to 3", self.text(FIXTURES / "lora/comfy.safetensors"))

    def test_of_another_family(self):
        path = self.folder / "flux.safetensors"
        write_tensors(path, {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": ("F32", [1, 1], floats(0))})
        self.assert_error(self.run_t2v("inspect", str(path)), 3, "Flux")


class Clips(InspectTest):
    def test_settings(self):
        result = self.run_t2v(*QUICK, "-o", "clip.mp4", "--save-latents", "latents.safetensors")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        for name, kind in (("clip.mp4", "clip"), ("latents.safetensors", "latents")):
            with self.subTest(name):
                inspection = self.inspect(self.folder / name)
                self.assertEqual((inspection["kind"], inspection["settings"]["seed"]), (kind, "1"))
                self.assertEqual(json.loads(self.text(self.folder / name)), inspection["settings"])

    def test_numbered_pictures(self):
        for output, names in (("clip.png", ("clip.png", "clip-0001.png", "clip-%04d.png", "clip.json")),
                              ("%03d.png", ("%03d.png", "002.png", "settings.json"))):  # fmt: skip
            result = self.run_t2v(*QUICK, "-o", output)
            self.assertEqual(result.returncode, 0, result.stderr.decode())
            for name in names:
                with self.subTest(name):
                    inspection = self.inspect(self.folder / name)
                    self.assertEqual((inspection["kind"], inspection["settings"]["seed"]), ("clip", "1"))
        (self.folder / "clip.json").unlink()
        self.assert_error(self.run_t2v("inspect", "clip-0001.png"), 3, "clip-0001.png", "no settings of t2v")
        self.assert_error(self.run_t2v("inspect", "clip-0009.png"), 3, "clip-0009.png")

    def test_a_clip_of_another_program(self):
        path = FIXTURES / "pipelines/control.mkv"
        self.assert_error(self.run_t2v("inspect", str(path)), 3, "no settings of t2v")

    def test_settings_that_are_no_json(self):
        path = self.folder / "latents.safetensors"
        for text in ('{"t2v": NaN}', '{"t2v": "1"', '["t2v"]'):
            with self.subTest(text):
                write_tensors(path, {"latents": ("F32", [1], floats(0))}, {"t2v": text})
                self.assert_error(self.run_t2v("inspect", str(path)), 3)


class Others(InspectTest):
    def test_nothing_known(self):
        (self.folder / "empty").write_bytes(b"")
        (self.folder / "text").write_text("hello\n" * 9)
        (self.folder / "other.json").write_text('{"a": 1}')
        (self.folder / "folder").mkdir()
        os.mkfifo(self.folder / "fifo")
        for name in ("gone", "empty", "text", "other.json", "folder", "fifo"):
            with self.subTest(name):
                self.assert_error(self.run_t2v("inspect", str(self.folder / name)), 3, name)

    def test_no_path(self):
        self.assert_error(self.run_t2v("inspect"), 2, "PATH")


if __name__ == "__main__":
    unittest.main()
