"""`cmake --install`: what it leaves in a folder runs from PATH, in an empty environment, with nothing of the build."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

BUILD = Path(os.environ["T2V_BINARY"]).parents[1]
NEEDED_BYTES = 2 << 30
PROMPT = "a red ball moves to the right over green grass"


@unittest.skipIf(shutil.disk_usage(tempfile.gettempdir()).free < NEEDED_BYTES, "less than 2 GB free to install into")
class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="t2v install ")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name).resolve()
        cls.prefix = cls.folder / "installed here"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)

    def run_t2v(self, *arguments, path=None):
        result = subprocess.run(
            ["/usr/bin/env", "-i", f"PATH={path or self.prefix / 'bin'}", "t2v", *arguments],
            cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def libraries(self):
        return sorted((self.prefix / "lib/t2v").glob("*.so"))

    def test_version(self):
        self.assertRegex(self.run_t2v("--version").stdout, r"^t2v \d+\.\d+\.\d+\n$")

    def test_man_page_and_completions(self):
        for file, begins in {
            "man/man1/t2v.1": ".TH T2V 1 ", "bash-completion/completions/t2v": "# Completion of t2v in bash",
            "zsh/site-functions/_t2v": "#compdef t2v\n", "fish/vendor_completions.d/t2v.fish": "# Completion of t2v in fish",
        }.items():  # fmt: skip
            text = (self.prefix / "share" / file).read_text()
            self.assertEqual(text[: len(begins)], begins)
            self.assertIn("rerun", text)

    def test_render_with_the_bundled_model(self):
        result = self.run_t2v("-p", PROMPT, "--frames", "5", "--steps", "1", "-o", "clip.mp4", "--progress", "json")
        self.assertEqual(result.stdout, "clip.mp4\n")
        self.assertGreater((self.folder / "clip.mp4").stat().st_size, 500)
        settings = json.loads(result.stderr.splitlines()[0])["settings"]
        self.assertEqual(Path(settings["model"]).parent, self.prefix / "share/t2v/models")

    def test_a_program_of_others_uses_the_library(self):
        """Builds tests/cli/consumer against the installation, whose folder is another one by then."""
        moved = self.folder / "moved"
        self.prefix.rename(moved)
        self.addCleanup(moved.rename, self.prefix)
        source, build = Path(__file__).parent / "consumer", self.folder / "consumer build"
        for step in (["-S", source, "-B", build, f"-Dt2v_ROOT={moved}"], ["--build", build]):
            result = subprocess.run(["cmake", *step], capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        clip = self.folder / "of the library.mp4"
        result = subprocess.run([build / "consumer", PROMPT, clip], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, f"{clip}\n"), result.stderr)
        self.assertGreater(clip.stat().st_size, 500)

    def test_through_a_link(self):
        bin_folder = self.folder / "my bin"
        bin_folder.mkdir()
        (bin_folder / "t2v").symlink_to(self.prefix / "bin/t2v")
        self.run_t2v("-p", PROMPT, "--frames", "1", "--steps", "1", "-o", "linked.mp4", path=bin_folder)

    def test_no_path_of_this_machine(self):
        self.assertLessEqual({"libt2v.so", "libt2v_core.so", "libt2v_engine.so"}, {path.name for path in self.libraries()})
        for file in [self.prefix / "bin/t2v", *self.libraries()]:
            with self.subTest(file=file.name):
                output = subprocess.run(["readelf", "-dW", file], check=True, capture_output=True, text=True).stdout
                found = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", output)
                self.assertEqual(len(found), 1, output)
                for entry in found[0].split(":"):
                    self.assertRegex(entry, r"^\$ORIGIN(/|$)")

    def test_libraries_come_from_the_installation_or_the_system(self):
        engine = self.prefix / "lib/t2v/libt2v_engine.so"
        output = subprocess.run(["ldd", engine], check=True, capture_output=True, text=True)
        found = dict(re.findall(r"^\s*(\S+) => (.*?)(?: \(0x\w+\))?$", output.stdout, re.M))
        self.assertNotIn("not found", found.values())
        for name in ("libtorch_cpu.so", "libc10.so", "libt2v_core.so", "libcudart.so.13"):
            self.assertTrue(found[name].startswith(f"{self.prefix}/"), found[name])
        self.assertEqual([path for path in found.values() if path.startswith(f"{BUILD}/") or "/.venv/" in path], [])


if __name__ == "__main__":
    unittest.main()
