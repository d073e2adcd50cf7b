"""Checkpoints that are missing, damaged or not for t2v: told in one line, before anything is sampled."""

import json
import shutil
import struct
import unittest
from pathlib import Path

from support import ROOT, CommandTest

TINY = ROOT / "tests/fixtures/tiny-wan"
VAE = "vae/diffusion_pytorch_model.safetensors"
SHARD = "transformer/diffusion_pytorch_model-00002-of-00002.safetensors"
QUICK = ["--prompt", "a red ball", "--size", "32x32", "--frames", "5", "--steps", "2", "--seed", "1", "-o", "clip.mp4"]


def change_json(path, **changes):
    values = json.loads(path.read_text())
    values.update(changes)
    path.write_text(json.dumps(values))


def change_tensor(path, name, change):
    """Replaces the bytes of one tensor of a safetensors file."""
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    begin, end = json.loads(data[8 : 8 + length])[name]["data_offsets"]
    begin, end = begin + 8 + length, end + 8 + length
    data[begin:end] = change(bytes(data[begin:end]))
    path.write_bytes(data)


class ModelTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        shutil.copytree(TINY, self.model)

    def render(self, **options):
        return self.run_t2v(*QUICK, "--model", str(self.model), **options)

    def assert_refused(self, *parts, code=3, left=()):
        self.assert_error(self.render(), code, *parts)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), sorted(["model", *left]))


class WholeModels(ModelTest):
    def test_renders(self):
        result = self.render()
        self.assertEqual(result.returncode, 0, result.stderr.decode())

    def test_a_link_to_a_checkpoint(self):
        """Hugging Face's cache is made of links."""
        (self.folder / "blobs").mkdir()
        for index, path in enumerate(sorted(self.model.rglob("*.safetensors"))):
            blob = self.folder / "blobs" / str(index)
            path.rename(blob)
            path.symlink_to(blob)
        self.assertEqual(self.render().returncode, 0)


class TheBundledModel(CommandTest):
    def test_it_is_listed(self):
        for bundled, name in zip(json.loads(self.run_t2v("models", "--json").stdout), ("tiny-world", "tiny-world-i2v")):
            self.assertEqual((bundled["name"], bundled["repository"], bundled["whole"]), (name, None, True))
            self.assertTrue((Path(bundled["path"]) / "model_index.json").is_file())
        first, second = self.run_t2v("models").stdout.decode().splitlines()[:2]
        self.assertRegex(first, r"^tiny-world +\d+ MiB +here +comes with t2v$")
        self.assertRegex(second, r"^tiny-world-i2v +\d+ MiB +here +comes with t2v: image to video, two experts$")

    def test_its_name(self):
        for name in ("tiny-world", "tiny-world-i2v"):
            path = self.run_t2v("models", "path", name).stdout.decode()
            self.assertTrue(path.endswith(f"models/{name}\n"), path)
            self.assertEqual(self.run_t2v("pull", name).stdout.decode(), path)
        result = self.run_t2v("plan", "-m", "tiny-world")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_error(self.run_t2v("plan", "-m", "tiny-wrld"), 3, "did you mean tiny-world?")


class MissingParts(ModelTest):
    def test_no_such_folder(self):
        shutil.rmtree(self.model)
        self.assert_error(self.render(), 3, "no such folder")

    def test_a_file(self):
        shutil.rmtree(self.model)
        self.model.write_text("weights")
        self.assert_error(self.render(), 3, "a file")

    def test_missing_files(self):
        for name in ("model_index.json", "scheduler/scheduler_config.json", "transformer/config.json", "vae/config.json",
                     "text_encoder/config.json", VAE, SHARD):  # fmt: skip
            with self.subTest(name):
                path = self.model / name
                content = path.read_bytes()
                path.unlink()
                try:
                    self.assert_refused(Path(name).name.split(".safetensors")[0])
                finally:
                    path.write_bytes(content)

    def test_no_tokenizer(self):
        shutil.rmtree(self.model / "tokenizer")
        self.assert_refused("tokenizer")

    def test_a_dangling_link(self):
        path = self.model / VAE
        path.unlink()
        path.symlink_to(self.folder / "gone")
        self.assert_refused("diffusion_pytorch_model")


class OtherModels(ModelTest):
    def test_another_pipeline(self):
        change_json(self.model / "model_index.json", _class_name="WanAnimatePipeline")
        self.assert_refused("WanAnimatePipeline")

    def test_a_vae_of_another_model(self):
        change_json(self.model / "vae/config.json", z_dim=48)
        self.assert_refused("in_channels", "48")

    def test_whole_numbers_as_weights(self):
        path = self.model / SHARD
        path.write_bytes(path.read_bytes().replace(b'"dtype":"F32"', b'"dtype":"I32"'))
        self.assert_refused("floating-point")

    def test_two_experts(self):
        change_json(self.model / "model_index.json", transformer_2=["diffusers", "WanTransformer3DModel"])
        self.assert_refused("transformer_2")

    def test_absurd_configs(self):
        changes = [{"num_layers": -1}, {"num_layers": 10**9}, {"num_layers": "3"}, {"num_attention_heads": 10**6},
                   {"patch_size": [0, 0, 0]}, {"patch_size": "x"}]  # fmt: skip
        path = self.model / "transformer/config.json"
        content = path.read_text()
        for change in changes:
            with self.subTest(change):
                change_json(path, **change)
                self.assert_refused()
                path.write_text(content)

    def test_too_many_layers(self):
        change_json(self.model / "transformer/config.json", num_layers=4)
        self.assert_refused("blocks.3.")

    def test_too_few_layers(self):
        change_json(self.model / "transformer/config.json", num_layers=2)
        self.assert_refused("blocks.2.", "more")

    def test_another_width(self):
        change_json(self.model / "transformer/config.json", ffn_dim=64)
        self.assert_refused("ffn")

    def test_not_json(self):
        for text in ("", "[]", "{", "\xff", "null"):
            with self.subTest(text):
                (self.model / "vae/config.json").write_text(text, encoding="latin-1")
                self.assert_refused("vae/config.json")


class DamagedFiles(ModelTest):
    def test_cut_short(self):
        for name in (VAE, SHARD, "text_encoder/model-00001-of-00002.safetensors"):
            content = (self.model / name).read_bytes()
            for length in (0, 7, 9, len(content) // 2, len(content) - 1):
                with self.subTest(f"{name} {length}"):
                    (self.model / name).write_bytes(content[:length])
                    result = self.render()
                    self.assert_error(result, 3, Path(name).name)
                    self.assertNotIn(b"sampling", result.stderr)
            (self.model / name).write_bytes(content)

    def test_a_pickle_is_not_run(self):
        path = self.model / VAE
        # os.system("touch RAN"), as pickle writes it.
        path.write_bytes(b"\x80\x04cposix\nsystem\n(S'touch RAN'\ntR.")
        self.assert_refused("pickle")
        self.assertFalse((self.folder / "RAN").exists())

    def test_not_a_number(self):
        change_tensor(self.model / SHARD, "proj_out.bias", lambda data: b"\xff" * len(data))
        self.assert_refused("NaN", code=6)

    def test_not_a_number_in_the_vae_keeps_the_latents(self):
        change_tensor(self.model / VAE, "decoder.conv_out.bias", lambda data: b"\xff" * len(data))
        self.assert_refused("NaN", code=6, left=["clip.mp4.latents.safetensors"])

    def test_an_index_that_leads_outside(self):
        path = self.model / "transformer/diffusion_pytorch_model.safetensors.index.json"
        index = json.loads(path.read_text())
        for target in ("../vae/diffusion_pytorch_model.safetensors", "/etc/passwd"):
            with self.subTest(target):
                index["weight_map"]["proj_out.bias"] = target
                path.write_text(json.dumps(index))
                self.assert_refused("index")

    def test_no_gpu(self):
        """Where there is no GPU; where there is one, the seventeenth."""
        result = self.run_t2v(*QUICK, "--model", str(self.model), "--device", "cuda:16")
        self.assert_error(result, 5, "cuda:16")


if __name__ == "__main__":
    unittest.main()
