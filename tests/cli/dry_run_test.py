"""--dry-run of the commands that make no clip: what is told before, against what is done."""

import json
import unittest

from hub_test import NAME, NEEDED, WEIGHTS, HubTest, checkpoint
from support import ROOT, CommandTest

TINY = ROOT / "tests/fixtures/tiny-wan"


class ConvertTest(CommandTest):
    def told_and_done(self, *arguments):
        """What the dry run tells of files, and what the run leaves of them: {path: bytes}."""
        dry = self.run_t2v("convert", *arguments, "--dry-run", "--json")
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assert_files()
        plan = json.loads(dry.stdout)
        run = self.run_t2v("convert", *arguments, "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        result = json.loads(run.stdout)
        self.assertEqual(result["files"], [file["path"] for file in plan["files"] if file["tensors"]])
        self.assertEqual(result["bytes"], sum(file["bytes"] for file in plan["files"] if file["tensors"]))
        self.assertEqual(plan["bytes"], sum(file["bytes"] for file in plan["files"]))
        self.assertGreater(plan["disk_free_bytes"], 0)
        there = {str(path.relative_to(self.folder)): path.stat().st_size for path in self.folder.rglob("*") if path.is_file()}
        return plan["files"], there

    def test_a_folder(self):
        files, there = self.told_and_done(str(TINY), "-o", "out", "--dtype", "fp8")
        self.assertEqual(sorted(file["path"] for file in files), sorted(there))
        for file in files:
            header = 20000 if file["tensors"] else 0
            self.assertLessEqual(file["bytes"], there[file["path"]])
            self.assertLessEqual(there[file["path"]] - file["bytes"], header, file)

    def test_other_layouts(self):
        for name, arguments in (("comfy", [str(TINY), "-o", "out", "--layout", "comfy"]),
                                ("file", [str(TINY / "transformer"), "-o", "one.safetensors"])):  # fmt: skip
            with self.subTest(name):
                files, there = self.told_and_done(*arguments)
                self.assertEqual(sorted(file["path"] for file in files), sorted(there))
                for path in there:
                    (self.folder / path).unlink()
                if name == "comfy":
                    (self.folder / "out").rmdir()

    def test_in_words(self):
        result = self.run_t2v("convert", str(TINY), "-o", "out", "--dry-run")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout.decode(), r"iB +\d+ tensors +out/vae/diffusion_pytorch_model.safetensors\n")
        self.assertRegex(result.stdout.decode().splitlines()[-1], "iB  in all; .*iB are free")
        self.assert_files()

    def test_refuses_what_a_run_refuses(self):
        (self.folder / "there").mkdir()
        for code, *arguments in (
            (2, str(TINY)), (2, str(TINY), "-o", "there"), (2, str(TINY), "-o", "none/out"), (2, str(TINY), "-o", "a.gguf"),
            (2, str(TINY), "-o", "a.safetensors"), (3, "nothing", "-o", "out"), (2, str(TINY), "-o", "out", "--dtype", "int3"),
        ):  # fmt: skip
            with self.subTest(arguments):
                run, dry = (self.run_t2v("convert", *arguments, *more) for more in ([], ["--dry-run"]))
                self.assert_error(dry, code)
                self.assertEqual((dry.returncode, dry.stderr), (run.returncode, run.stderr))
                self.assertEqual(len(dry.stderr.splitlines()), 1)
        self.assert_files("there")


class UnchangingTest(CommandTest):
    def test_commands_that_change_nothing_have_no_dry_run(self):
        for words in (["inspect", "tiny-world"], ["compare", "a", "b"], ["models"], ["plan"], ["config"], ["completions", "bash"], ["help"],
                      ["version"]):  # fmt: skip
            self.refused(*words, "--dry-run", parts=["unknown flag --dry-run"])

    def test_the_doctor_renders_nothing(self):
        findings = [json.loads(self.run_t2v("doctor", "--device", "cpu", "--json", *more).stdout)["findings"] for more in ([], ["--dry-run"])]
        names = [[finding["name"] for finding in found] for found in findings]
        self.assertEqual(names[0], [*names[1], "self-test"])


class PullTest(HubTest):
    def plan(self, *arguments, **options):
        result = self.pull(*arguments, "--dry-run", "--json", **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_from_the_listing_alone(self):
        plan = self.plan()
        content = checkpoint()
        self.assertEqual({file["path"]: file["bytes"] for file in plan["files"]}, {path: len(content[path]) for path in NEEDED})
        self.assertEqual({file["here"] for file in plan["files"]}, {0})
        # Two files of the same content are one download.
        self.assertEqual(plan["to_download"], sum(map(len, {content[path] for path in NEEDED})))
        self.assertEqual(plan["folder"], str(self.repository))
        self.assertGreater(plan["disk_free_bytes"], 0)
        self.assertEqual(self.hub.downloads(), [])
        self.assertFalse(self.cache.exists())

    def test_what_is_here(self):
        self.partial().parent.mkdir(parents=True)
        self.partial().write_bytes(checkpoint()[WEIGHTS][:1000])
        here = {file["path"]: file["here"] for file in self.plan()["files"]}
        self.assertEqual(here, {path: 1000 if path == WEIGHTS else 0 for path in NEEDED})
        self.pull()
        plan = self.plan()
        self.assertEqual((plan["to_download"], plan["commit"]), (0, self.snapshot.name))
        self.assertTrue(all(file["here"] == file["bytes"] for file in plan["files"]))
        text = self.pull("--dry-run").stdout.decode()
        self.assertRegex(text, f"KiB +there +{WEIGHTS}\n")
        self.assertIn("to download into", text)
        offline = self.plan("--offline")
        self.assertEqual((offline["files"], offline["folder"]), ([], str(self.snapshot)))

    def test_refuses_what_a_run_refuses(self):
        for code, *arguments in ((7, NAME, "--offline"), (2, "wan2.1-t2v-1.4b"), (2, NAME, "--include", "*.gguf"), (7, "test-org/none")):
            with self.subTest(arguments):
                run, dry = (self.run_t2v("pull", *arguments, *more, env=self.environment()) for more in ([], ["--dry-run"]))
                self.assert_error(dry, code)
                self.assertEqual((dry.returncode, dry.stderr), (run.returncode, run.stderr))
        self.assertFalse(self.cache.exists())


if __name__ == "__main__":
    unittest.main()
