"""What memory flags change: where things wait, never the clip."""

import json
import shutil
import struct
import unittest

from support import QUICK, ROOT, CommandTest, environment

MIB = 1 << 20


def write_bfloat16(path, shapes):
    """A safetensors file of these tensors, every number 2^-10."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(0, end, 2 * MIB):
            file.write(b"\x80\x3a" * MIB)
        file.truncate(8 + len(text) + end)


def transformer_shapes(config):
    dim, ffn = config["num_attention_heads"] * config["attention_head_dim"], config["ffn_dim"]
    linears = {"patch_embedding": [dim, config["in_channels"], 1, 2, 2], "proj_out": [4 * config["out_channels"], dim],
               "condition_embedder.time_embedder.linear_1": [dim, config["freq_dim"]],
               "condition_embedder.time_embedder.linear_2": [dim, dim],
               "condition_embedder.text_embedder.linear_1": [dim, config["text_dim"]],
               "condition_embedder.text_embedder.linear_2": [dim, dim],
               "condition_embedder.time_proj": [6 * dim, dim]}  # fmt: skip
    shapes = {"scale_shift_table": [1, 2, dim]}
    for layer in range(config["num_layers"]):
        block = f"blocks.{layer}"
        shapes[f"{block}.scale_shift_table"] = [1, 6, dim]
        linears[f"{block}.norm2"] = [dim]
        linears[f"{block}.ffn.net.0.proj"], linears[f"{block}.ffn.net.2"] = [ffn, dim], [dim, ffn]
        for attention in ("attn1", "attn2"):
            for part in ("to_q", "to_k", "to_v", "to_out.0"):
                linears[f"{block}.{attention}.{part}"] = [dim, dim]
            shapes[f"{block}.{attention}.norm_q.weight"] = shapes[f"{block}.{attention}.norm_k.weight"] = [dim]
    for name, shape in linears.items():
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = shape, shape[:1]
    return shapes


class ProcessTest(CommandTest):
    def test_threads_that_wait_hardly_spin(self):
        """The command asks for what the library alone leaves: libgomp prints the variables that it has read."""
        variables = environment(OMP_DISPLAY_ENV="VERBOSE")
        for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
            variables.pop(name, None)
        result = self.run_t2v(*QUICK, "-o", "clip.mkv", env=variables)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(str(result.stderr), "GOMP_SPINCOUNT = '1000'")


class OffloadTest(CommandTest):
    def test_blocks_from_the_disk_take_less_memory(self):
        shutil.copytree(ROOT / "tests/fixtures/tiny-wan", self.folder / "model")
        transformer = self.folder / "model/transformer"
        config = json.loads((transformer / "config.json").read_text())
        config |= {"num_attention_heads": 8, "attention_head_dim": 128, "ffn_dim": 4096, "num_layers": 12}
        shutil.rmtree(transformer)
        transformer.mkdir()
        (transformer / "config.json").write_text(json.dumps(config))
        write_bfloat16(transformer / "diffusion_pytorch_model.safetensors", transformer_shapes(config))
        stored = (transformer / "diffusion_pytorch_model.safetensors").stat().st_size
        clip = ["--model", "model", "--prompt", "x", "--size", "32x32", "--frames", "5", "--steps", "1", "--seed", "1"]
        resident = self.peak_memory(*clip, "-o", "a.mkv", "--save-latents", "a.safetensors")
        streamed = self.peak_memory(*clip, "-o", "b.mkv", "--save-latents", "b.safetensors", "--offload", "disk")
        # In float32 the blocks take twice what they take in the file; at most one of the twelve is there at a time.
        self.assertLess(streamed, resident - 1.5 * stored)
        self.assertEqual(*((self.folder / name).read_bytes()[-1024:] for name in ("a.safetensors", "b.safetensors")))

    def test_the_same_clip(self):
        for name, flags in {"a": [], "b": ["--offload", "disk"], "c": ["--offload", "cpu"]}.items():
            result = self.run_t2v(*QUICK, "--quality", "lossless", "--no-metadata", "-o", f"{name}.mkv", *flags)
            self.assertEqual(result.returncode, 0, result.stderr)
        clips = {(self.folder / f"{name}.mkv").read_bytes() for name in "abc"}
        self.assertEqual(len(clips), 1)

    def test_max_vram_without_a_gpu(self):
        result = self.run_t2v(*QUICK, "-o", "a.mkv", "--device", "cpu", "--max-vram", "6")
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"--max-vram", result.stderr)
        self.refused(*QUICK, "-o", "b.mkv", "--max-vram", "0", parts=["--max-vram"])


class EmbedsCacheTest(CommandTest):
    def render(self, *arguments):
        result = self.run_t2v(*QUICK, "--quality", "lossless", "--no-metadata", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stderr

    def test_a_prompt_is_encoded_once(self):
        self.render("-o", "plain.mkv")
        self.assertIn(b"text_encoder", self.render("-o", "a.mkv", "--embeds-cache", "kept/embeds"))
        self.assertNotIn(b"text_encoder", self.render("-o", "b.mkv", "--embeds-cache", "kept/embeds"))
        self.assertIn(b"text_encoder", self.render("-o", "c.mkv", "--embeds-cache", "kept/embeds", "-n", "blue"))
        plain = (self.folder / "plain.mkv").read_bytes()
        for name in ("a.mkv", "b.mkv"):
            self.assertEqual((self.folder / name).read_bytes(), plain)

    def test_a_folder_that_cannot_be(self):
        (self.folder / "file").write_text("x")
        result = self.run_t2v(*QUICK, "-o", "a.mkv", "--embeds-cache", "file")
        self.assert_error(result, 4, "--embeds-cache")
        self.assertNotIn(b"loading", result.stderr)


if __name__ == "__main__":
    unittest.main()
