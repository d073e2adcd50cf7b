"""Every example of the README, of t2v in the models' cards and of every command's --help, run as it stands on the bundled model.

T2V_STEPS and the like make them quick, files that they read are made for them, and a Hub on this machine has small models under
the names of published ones. What cannot be run is listed in NOT_RUN with the reason; an example that is neither run nor listed
fails, and so does an entry that no text has any more.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from hub_server import Hub
from support import BINARY, PROMPT, ROOT, CommandTest
from tensor_files import floats, write_tensors

NOT_RUN = {
    "scripts/test": "runs this test",
}
BUILD = Path(BINARY).parents[1]
TINY = {str(file.relative_to(ROOT / "tests/fixtures/tiny-wan")): file.read_bytes()
        for file in (ROOT / "tests/fixtures/tiny-wan").rglob("*.*")}  # fmt: skip
# What the Hub on this machine has.
REPOSITORIES = {
    "Wan-AI/Wan2.1-T2V-1.3B-Diffusers": TINY,
    "Wan-AI/Wan2.2-TI2V-5B-Diffusers": TINY,
    "city96/Wan2.1-T2V-14B-gguf": {
        f"wan2.1-t2v-14b-{kind}.gguf": (ROOT / "tests/fixtures/checkpoints/transformer_original.gguf").read_bytes()
        for kind in ("Q4_K_M", "Q8_0")
    },
}
# Variables that make everything quick.
QUICK = {"T2V_STEPS": "1", "T2V_FRAMES": "5", "T2V_SIZE": "64x64", "T2V_THREADS": "1"}
# What examples read: clips, latents and pictures; texts; what stands in for a model.
FILES = ["clip.mp4", "old.mp4", "new.mp4", "reference.mkv", "clip.mkv", "frames-%04d.png", "one.safetensors",
         "other.safetensors", "latents.safetensors", "clip.mp4.latents.safetensors", "style.safetensors"]  # fmt: skip
TIMES = """{"version": 1, "device": "cpu", "device_name": "a processor, 2 threads", "threads": 2,
            "results": [{"name": "dit.tiny.64p17", "fingerprint": "f", "median": 0.01}]}"""
TEXTS = {
    "one.json": TIMES,
    "other.json": TIMES,
    "prompts.txt": "a red ball on the snow\na blue box in the sea\n",
    "jobs.csv": "prompt,seed\na red ball on the snow,3\n",
    "clips/failed.jsonl": '{"prompt": "a red ball on the snow", "seed": "4"}\n',
}
LINKS = {
    "Wan2.1-T2V-1.3B-Diffusers": "tests/fixtures/tiny-wan",
    "Wan2.1-T2V-1.3B": "tests/fixtures/tiny-wan",
    "Wan2.1-T2V-14B-Diffusers": "tests/fixtures/tiny-wan",
    "wan2.1_t2v_1.3B_fp16.safetensors": "tests/fixtures/checkpoints/transformer_original.safetensors",
    "wan2.1_t2v_14B_fp8_scaled.safetensors": "tests/fixtures/checkpoints/transformer_original.safetensors",
    "wan2.1_14B-Q8_0.gguf": "tests/fixtures/checkpoints/transformer_original.gguf",
    "style_lora.safetensors": "tests/fixtures/lora/comfy.safetensors",
}


def readme_examples():
    """Indented lines of the README, without what comments say."""
    lines = re.findall(r"(?m)^    (\S.*)$", (ROOT / "README.md").read_text())
    examples = [re.sub(r" {2,}# .*$", "", line) for line in lines if not line.startswith("#")]
    return examples + re.findall(r"`(cmake --install [^`]*)`", (ROOT / "README.md").read_text())


def card_examples():
    """The commands of t2v in the bundled models' cards."""
    return [line for card in sorted(ROOT.glob("models/*/README.md")) for line in re.findall(r"(?m)^    (scripts/t2v .*)$", card.read_text())]


def help_examples(text):
    """The lines under "Examples" of what --help says."""
    section = re.search(r"(?m)^Examples\n((?:  .*\n)+)", text)
    joined = re.sub(r" *\\\n +", " ", section.group(1)) if section else ""
    return [line.strip() for line in joined.splitlines()]


class ExamplesTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.base = self.folder
        (self.base / "bin").mkdir()
        (self.base / "bin/t2v").symlink_to(BINARY)
        self.made = {}
        hub = Hub(REPOSITORIES)
        self.addCleanup(hub.close)
        self.variables = hub.environment(self.base, PATH=f"{self.base / 'bin'}:{os.environ['PATH']}", **QUICK)

    def start_in_new_folder(self):
        """Examples of one text run in one folder, because some read what others wrote."""
        self.folder = Path(tempfile.mkdtemp(dir=self.base))
        (self.folder / "scripts").symlink_to(self.base / "bin")
        (self.folder / "models").symlink_to(ROOT / "models")
        (self.folder / "build").mkdir()
        (self.folder / "build/release").symlink_to(BUILD)

    def clip(self, name, *arguments):
        """A clip that is rendered once for all who want it."""
        if name not in self.made:
            self.made[name] = self.base / "made" / name
            self.made[name].parent.mkdir(exist_ok=True)
            options = ["-p", PROMPT, "--steps", "1", "--frames", "5", "--seed", "1", "-o", str(self.made[name])]
            result = self.run_t2v(*options, *arguments)
            self.assertEqual(result.returncode, 0, result.stderr)
        return self.made[name]

    def make(self, name):
        target = self.folder / name
        target.parent.mkdir(exist_ok=True)
        if name in TEXTS:
            target.write_text(TEXTS[name])
        elif name in LINKS:
            target.symlink_to(ROOT / LINKS[name])
        elif name.endswith(".png"):
            for picture in self.clip("frames.png").parent.glob("frames-*.png"):
                shutil.copy(picture, self.folder)
        elif name == "style.safetensors":
            write_tensors(target, {"diffusion_model.head.head.diff_b": ("F32", [64], floats(*[0.5] * 64))})
        elif name.endswith(".safetensors"):
            latents = self.base / "latents.safetensors"
            if not latents.exists():
                self.clip("with-latents.mp4", "--save-latents", str(latents))
            shutil.copy(latents, target)
        else:
            shutil.copy(self.clip("clip" + target.suffix), target)

    def make_what_is_read(self, example):
        for name in [*FILES, *TEXTS, *LINKS]:
            read = re.search(r"(?<!-o )(?<![\w./-])" + re.escape(name) + r"(?![\w.-])", example)
            if read and not (self.folder / name).exists():
                self.make(name)
        if re.search(r"(?i)wan2\.1-t2v-1\.3b", example) and " pull " not in example:
            self.run_in_shell("t2v pull wan2.1-t2v-1.3b")

    def run_in_shell(self, line):
        result = subprocess.run(
            ["bash", "--norc", "-c", line], cwd=self.folder, env=self.variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def run_all(self, examples):
        self.start_in_new_folder()
        for example in examples:
            if example not in NOT_RUN:
                with self.subTest(example):
                    self.make_what_is_read(example)
                    self.run_in_shell(example)

    def helps(self):
        """Examples by command."""
        text = self.run_t2v("--help").stdout.decode()
        listed = re.search(r"Commands.*?\n(.*?)\n\n", text, re.DOTALL).group(1)
        commands = re.findall(r"(?m)^  (\w+)", listed)
        return {name: help_examples(self.run_t2v(name, "--help").stdout.decode()) for name in commands}

    def test_readme(self):
        examples = readme_examples()
        self.assertGreater(len(examples), 10)
        self.run_all(examples)

    def test_cards(self):
        examples = card_examples()
        self.assertGreater(len(examples), 2)
        self.run_all(examples)

    def test_help_of_every_command(self):
        for command, examples in self.helps().items():
            self.assertTrue(examples or command == "version", command)
            self.run_all(examples)

    def test_nothing_is_listed_in_vain(self):
        known = {*readme_examples(), *card_examples(), *(line for examples in self.helps().values() for line in examples)}
        self.assertEqual(set(NOT_RUN) - known, set())


if __name__ == "__main__":
    unittest.main()
