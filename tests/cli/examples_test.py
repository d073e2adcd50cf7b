"""Every example of the README and of every command's --help, run as it stands on the bundled model.

T2V_STEPS and the like make them quick, and files that they read are made for them. What cannot be run is listed in NOT_RUN with the reason and the test that
covers it; an example that is neither run nor listed fails, and so does an entry that no text has any more.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import BINARY, PROMPT, ROOT, CommandTest, environment

NOT_RUN = {
    "scripts/test": "runs this test",
    "scripts/t2v pull wan2.1-t2v-1.3b": "29 GB; hub_test pulls from a server of its own",
    'scripts/t2v -m wan2.1-t2v-1.3b -p "two cats box on a stage" --dtype bfloat16 -o cats.mp4':
        "a model of 29 GB; hub_test renders a name in the cache",
    'scripts/t2v -m wan2.1-t2v-1.3b --lora style.safetensors:0.5 -p "two cats box on a stage" -o style.mp4':
        "a model of 29 GB; lora_test renders with LoRAs",
    "t2v plan --model Wan2.1-T2V-14B-Diffusers --device cuda --max-vram 12": "a GPU; plan_test has its memory",
    "scripts/t2v bench": "minutes; bench_test runs single cases",
    "t2v bench": "minutes; bench_test runs single cases",
    "t2v pull wan2.1-t2v-1.3b": "29 GB; hub_test pulls from a server of its own",
    "t2v pull Wan-AI/Wan2.2-TI2V-5B-Diffusers": "34 GB; as above",
    "t2v pull city96/Wan2.1-T2V-14B-gguf --include '*Q4_K_M.gguf'": "10 GB; as above",
    't2v --model wan2.1-t2v-1.3b -p "two cats box on a stage" -o cats.mp4': "29 GB; hub_test renders a name",
    "t2v models path wan2.1-t2v-1.3b": "a model of 29 GB; hub_test asks for the path of a small one",
    "t2v models verify Wan-AI/Wan2.1-T2V-1.3B-Diffusers": "a model of 29 GB; hub_test verifies a small one",
    "cmake --install build/release --prefix ~/.local": "install_test installs",
}  # fmt: skip
# What examples read: clips, latents and pictures; texts; what stands in for a model.
FILES = ["clip.mp4", "old.mp4", "new.mp4", "reference.mkv", "clip.mkv", "frames-%04d.png", "one.safetensors",
         "other.safetensors", "latents.safetensors", "clip.mp4.latents.safetensors"]  # fmt: skip
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

    def start_in_new_folder(self):
        """Examples of one text run in one folder, because some read what others wrote."""
        self.folder = Path(tempfile.mkdtemp(dir=self.base))
        (self.folder / "scripts").symlink_to(self.base / "bin")
        (self.folder / "models").symlink_to(ROOT / "models")

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
        elif name.endswith(".safetensors"):
            latents = self.base / "latents.safetensors"
            if not latents.exists():
                self.clip("with-latents.mp4", "--save-latents", str(latents))
            shutil.copy(latents, target)
        else:
            shutil.copy(self.clip("clip" + target.suffix), target)

    def run_all(self, examples):
        self.start_in_new_folder()
        variables = environment(
            PATH=f"{self.base / 'bin'}:{os.environ['PATH']}", HF_HOME=str(self.base / "cache"), T2V_STEPS="1",
            T2V_FRAMES="5", T2V_SIZE="64x64", T2V_THREADS="1", XDG_CACHE_HOME=str(self.base / "cache"),
        )  # fmt: skip
        for example in examples:
            if example in NOT_RUN:
                continue
            for name in [*FILES, *TEXTS, *LINKS]:
                read = re.search(r"(?<!-o )(?<![\w./-])" + re.escape(name) + r"(?![\w.-])", example)
                if read and not (self.folder / name).exists():
                    self.make(name)
            with self.subTest(example):
                result = subprocess.run(
                    ["bash", "--norc", "-c", example], cwd=self.folder, env=variables, stdin=subprocess.DEVNULL,
                    capture_output=True, text=True, timeout=300, check=False,
                )  # fmt: skip
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

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

    def test_help_of_every_command(self):
        for command, examples in self.helps().items():
            self.assertTrue(examples or command == "version", command)
            self.run_all(examples)

    def test_nothing_is_listed_in_vain(self):
        known = {*readme_examples(), *(line for examples in self.helps().values() for line in examples)}
        self.assertEqual(set(NOT_RUN) - known, set())


if __name__ == "__main__":
    unittest.main()
