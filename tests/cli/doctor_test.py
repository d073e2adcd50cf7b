"""t2v doctor: what it finds on a machine that works, and on one where something is broken."""

import json
import os
import shutil
import unittest
from pathlib import Path

from support import BINARY, ROOT, CommandTest, environment

NAMES = ["t2v", "data", "memory", "cache", "models", "engine", "device", "encoders", "self-test"]


class DoctorTest(CommandTest):
    def doctor(self, code=0, **options):
        result = self.run_t2v("doctor", "--json", **options)
        self.assertEqual(result.returncode, code, result.stderr.decode() + result.stdout.decode())
        report = json.loads(result.stdout)
        self.assertEqual(report["ok"], code == 0)
        return {finding["name"]: finding for finding in report["findings"]}

    def installation(self):
        """Libraries and data in a folder of their own, where they can be broken; the environment that uses them."""
        build = Path(BINARY).resolve().parents[1]
        (self.folder / "lib/t2v").mkdir(parents=True)
        for library in (build / "lib/t2v").glob("*.so"):
            shutil.copy(library, self.folder / "lib/t2v")
        (self.folder / "share/t2v").mkdir(parents=True)
        (self.folder / "share/t2v/configs").symlink_to(ROOT / "configs")
        shutil.copytree(ROOT / "models", self.folder / "share/t2v/models")
        return environment(LD_LIBRARY_PATH=str(self.folder / "lib/t2v"))


class AllIsWell(DoctorTest):
    def test_every_line(self):
        findings = self.doctor()
        self.assertEqual(list(findings), NAMES)
        for name, finding in findings.items():
            self.assertIn(finding["state"], ("ok", "warning"), finding)
            self.assertTrue(finding["detail"], name)
        self.assertIn("LibTorch 2.", findings["engine"]["detail"])
        self.assertIn("libavcodec ", findings["engine"]["detail"])
        self.assertIn("5 frames", findings["self-test"]["detail"])
        self.assert_files()

    def test_text(self):
        result = self.run_t2v("doctor", env=environment(HF_HUB_CACHE=str(self.folder / "hub")))
        self.assertEqual(result.returncode, 0)
        lines = [line for line in result.stdout.decode().splitlines() if not line.startswith("         ")]
        self.assertEqual([line.split(":")[0].split()[-1] for line in lines], NAMES)
        self.assertIn(f"{self.folder / 'hub'}, not there yet", result.stdout.decode())

    def test_without_a_home(self):
        variables = environment()
        for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
            variables.pop(name, None)
        self.doctor(env=variables)


class OnADevice(DoctorTest):
    def doctor_on(self, device, code):
        result = self.run_t2v("doctor", "--device", device, "--json")
        self.assertEqual(result.returncode, code, result.stderr)
        return {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}

    def test_the_processor(self):
        findings = self.doctor_on("cpu", 0)
        self.assertTrue(findings["device"]["detail"].startswith("cpu: "), findings["device"])
        self.assertEqual(findings["self-test"]["state"], "ok")

    def test_one_that_is_not_there(self):
        findings = self.doctor_on("cuda:16", 5)
        self.assertEqual(findings["device"]["state"], "failed")
        self.assertIn("cuda:16", findings["device"]["detail"])
        self.assertNotIn("self-test", findings)

    def test_none(self):
        self.assert_error(self.run_t2v("doctor", "--device", "gpu"), 2, "--device", "gpu")


class SomethingIsBroken(DoctorTest):
    def test_no_temporary_folder(self):
        findings = self.doctor(code=4, env=environment(TMPDIR="/nowhere"))
        self.assertEqual(findings["self-test"]["state"], "failed")
        self.assertIn("/nowhere", findings["self-test"]["detail"])

    def test_a_cache_that_cannot_be_made(self):
        (self.folder / "file").write_text("")
        findings = self.doctor(env=environment(HF_HUB_CACHE=str(self.folder / "file/hub")))
        self.assertEqual(findings["cache"]["state"], "warning")
        self.assertIn("HF_HUB_CACHE", findings["cache"]["advice"])

    def test_no_bundled_model(self):
        variables = self.installation()
        shutil.rmtree(self.folder / "share/t2v/models/tiny-world/vae")
        findings = self.doctor(code=3, env=variables)
        self.assertEqual(findings["data"]["state"], "failed")
        self.assertEqual(findings["encoders"]["state"], "ok")
        self.assertNotIn("self-test", findings)

    def test_no_engine(self):
        variables = self.installation()
        os.remove(self.folder / "lib/t2v/libt2v_engine.so")
        findings = self.doctor(code=1, env=variables)
        self.assertEqual((findings["engine"]["state"], findings["data"]["state"]), ("failed", "ok"))
        self.assertIn("install t2v again", findings["engine"]["advice"])

    def test_engine_of_another_build(self):
        variables = self.installation()
        engine = self.folder / "lib/t2v/libt2v_engine.so"
        shutil.copy(Path(BINARY).resolve().parents[1] / "lib/t2v/libother_engine.so", engine)
        finding = self.doctor(code=1, env=variables)["engine"]
        self.assertEqual(finding["state"], "failed")
        self.assertIn("the engine of another build", finding["detail"])
        self.assertIn("install t2v again", finding["advice"])


if __name__ == "__main__":
    unittest.main()
