"""A transformer in ggml's K-quants, end to end: it renders what it renders with the numbers of the gguf package."""

import random
import struct
import unittest

from support import ROOT, CommandTest
from tensor_files import floats, read_tensors, write_tensors

FIXTURES = ROOT / "tests/fixtures"
TINY = FIXTURES / "tiny-wan"
QUICK = ["--prompt", "a red ball", "--size", "32x32", "--frames", "5", "--steps", "2", "--seed", "1"]
TYPES = {"F32": 0, "Q8_0": 8, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14, "IQ2_XS": 17}
WIDTH, TEXT = 256, 40  # K-quants come in rows of 256
ALIGNMENT = 32


def shapes():
    """name -> shape, of one block in the original names."""
    named = {"patch_embedding": [WIDTH, 64], "text_embedding.0": [WIDTH, TEXT], "text_embedding.2": [WIDTH, WIDTH],
             "time_embedding.0": [WIDTH, 256], "time_embedding.2": [WIDTH, WIDTH],
             "time_projection.1": [6 * WIDTH, WIDTH], "head.head": [64, WIDTH]}  # fmt: skip
    block = "blocks.0."
    for part in ("self_attn", "cross_attn"):
        named |= {f"{block}{part}.{name}": [WIDTH, WIDTH] for name in "qkvo"}
    named |= {f"{block}ffn.0": [WIDTH, WIDTH], f"{block}ffn.2": [WIDTH, WIDTH]}
    result = {}
    for name, (rows, columns) in named.items():
        result |= {f"{name}.weight": [rows, columns], f"{name}.bias": [rows]}
    result |= {f"{block}{part}.norm_{name}.weight": [WIDTH] for part in ("self_attn", "cross_attn") for name in "qk"}
    result |= {f"{block}norm3.{name}": [WIDTH] for name in ("weight", "bias")}
    return result | {f"{block}modulation": [1, 6, WIDTH], "head.modulation": [1, 2, WIDTH]}


def write_gguf(path, tensors):
    """name -> (type, shape, bytes)"""
    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 1) + text("general.architecture") + struct.pack("<I", 8) + text("wan")
    data = b""
    for name, (kind, shape, content) in tensors.items():
        header += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
        header += struct.pack("<IQ", TYPES[kind], len(data))
        data += content + bytes(-len(content) % ALIGNMENT)
    path.write_bytes(header + bytes(-len(header) % ALIGNMENT) + data)


class KQuants(CommandTest):
    def setUp(self):
        super().setUp()
        self.fixture = read_tensors(FIXTURES / "checkpoints/k_quants.safetensors")
        generator = random.Random(5)
        self.quantised, self.plain = {}, {}
        kinds = ["Q4_K", "Q5_K", "Q6_K", "Q8_0"]
        for i, (name, shape) in enumerate(shapes().items()):
            count = 1
            for side in shape:
                count *= side
            if name.startswith("blocks.") and len(shape) == 2:
                kind = kinds[i // 2 % 4]
                data, numbers = (self.tiled(kind, part, count) for part in ("blocks", "numbers"))
            else:
                mean = 1 if ".norm" in name and name.endswith("weight") else 0
                kind, data = "F32", floats(*(generator.gauss(mean, 0.05) for _ in range(count)))
                numbers = data
            self.quantised[name], self.plain[name] = (kind, shape, data), ("F32", shape, numbers)

    def tiled(self, kind, part, count):
        content = self.fixture[f"{kind}.{part}"][2]
        numbers = len(self.fixture[f"{kind}.numbers"][2]) // 4
        return content * (count // numbers)

    def latents(self, transformer):
        result = self.run_t2v(*QUICK, "--model", str(TINY), "--transformer", transformer, "-o", f"{transformer}.mp4",
                              "--save-latents", f"{transformer}.latents")  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return read_tensors(self.folder / f"{transformer}.latents")["latents"]

    def test_renders_as_the_numbers_do(self):
        self.assertEqual({kind for kind, _, _ in self.quantised.values()}, {"F32", "Q4_K", "Q5_K", "Q6_K", "Q8_0"})
        write_gguf(self.folder / "k.gguf", self.quantised)
        write_tensors(self.folder / "plain.safetensors", self.plain)
        expected = self.latents("plain.safetensors")
        self.assertEqual(self.latents("k.gguf"), expected)
        kind, shape, data = self.plain["blocks.0.ffn.2.weight"]
        self.plain["blocks.0.ffn.2.weight"] = (kind, shape, bytes(len(data)))
        write_tensors(self.folder / "other.safetensors", self.plain)
        self.assertNotEqual(self.latents("other.safetensors"), expected)

    def test_types_that_are_not_read_are_named(self):
        kind, shape, data = self.quantised["blocks.0.ffn.2.weight"]
        self.quantised["blocks.0.ffn.2.weight"] = ("IQ2_XS", shape, bytes(74 * 256))
        write_gguf(self.folder / "iq.gguf", self.quantised)
        result = self.run_t2v("inspect", "iq.gguf")
        self.assert_error(result, 3, "blocks.0.ffn.2.weight", "IQ2_XS", "Q4_K_M")


if __name__ == "__main__":
    unittest.main()
