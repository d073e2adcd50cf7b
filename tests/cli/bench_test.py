"""t2v bench: results, what is stored of them, the gate and the page."""

import json
import re
import signal
import unittest

from support import CommandTest, environment


class BenchTest(CommandTest):
    def bench(self, *arguments):
        variables = environment(XDG_CACHE_HOME=str(self.folder / "cache"))
        result = self.run_t2v("bench", *arguments, "--threads", "1", "--progress", "none", env=variables)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def write(self, name, medians, fingerprint="f"):
        results = [{"name": case, "median": median, "fingerprint": fingerprint} for case, median in medians.items()]
        (self.folder / name).write_text(json.dumps({"version": 1, "results": results}))

    def test_a_case(self):
        report = json.loads(self.bench("dit.tiny.64p17", "--json", "--repeats", "3", "--price-per-hour", "3.6",
                                       "--report", "page.html"))  # fmt: skip
        self.assertEqual(report["version"], 1)
        self.assertGreater(report["ceilings"]["float32"], 0)
        (result,) = report["results"]
        self.assertEqual(result["name"], "dit.tiny.64p17")
        self.assertEqual(result["tokens"], 80)
        self.assertGreaterEqual(len(result["seconds"]), 3)
        self.assertLessEqual(result["p10"], result["median"])
        self.assertLessEqual(result["median"], result["p90"])
        self.assertAlmostEqual(result["tflops"], result["tflop"] / result["median"])
        self.assertAlmostEqual(result["price"], result["median"] * 3.6 / 3600)
        self.assertRegex(result["fingerprint"], "^[0-9a-f]{16}$")
        self.assertEqual(result["attention"], "flash")
        self.assertGreater(result["peak_bytes"], 50 << 20)
        self.check_page()
        self.check_calibration(report["device_name"])

    def check_page(self):
        page = (self.folder / "page.html").read_text()
        self.assertIn("dit.tiny.64p17", page)
        self.assertIn("<svg", page)
        self.assertEqual(re.findall(r"(?:https?:)?//|<script|<link|<img|url\(|@import|src=|href=", page), [])

    def check_calibration(self, device):
        stored = json.loads((self.folder / "cache/t2v/calibration.json").read_text())
        phases = {rate["phase"] for rate in stored["devices"][device]}
        self.assertEqual(phases, {"start", "sampling"})

    def test_a_clip_gives_a_plan_its_times(self):
        report = json.loads(self.bench("e2e.model", "--json", "--repeats", "1"))
        (result,) = report["results"]
        self.assertEqual(set(result["phases"]), {"load", "text", "sampling", "decoding"})
        self.assertLess(abs(sum(result["phases"].values()) / result["median"] - 1), 0.5)
        variables = environment(XDG_CACHE_HOME=str(self.folder / "cache"))
        plan = json.loads(self.run_t2v("plan", "--json", "--threads", "1", env=variables).stdout)
        self.assertTrue(plan["calibrated"])
        self.assertGreater(plan["seconds"], 0)

    def test_it_stops_when_asked(self):
        process = self.start_t2v("bench", "vae.tiny.256p17", "--threads", "1", "--progress", "json")
        self.assertIn(b"vae.tiny.256p17", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.assertEqual(process.stdout.read(), b"")

    def test_cases(self):
        cases = {case["name"]: case for case in json.loads(self.bench("--list", "--json"))}
        self.assertTrue(cases["e2e.model"]["on_cpu"])
        for name in ("dit.1.3b.480p81", "dit.14b.480p81", "dit.14b.720p81", "dit.5b.704p121", "vae.2.1.480p81",
                     "vae.2.2.704p121", "t5.512"):  # fmt: skip
            self.assertFalse(cases[name]["on_cpu"])
        self.refused("bench", "dit.tiny.64p71", parts=["dit.tiny.64p17"])

    def test_the_gate(self):
        self.write("a.json", {"x": 1.0, "only.a": 1.0})
        self.write("b.json", {"x": 1.02, "only.b": 1.0})
        gate = ["bench", "--compare", "a.json", "b.json", "--fail-over", "3%"]
        passed = self.run_t2v(*gate)
        self.assertEqual(passed.returncode, 0, passed.stderr)
        self.assertIn(b"1.020", passed.stdout)
        self.write("b.json", {"x": 1.04})
        failed = self.run_t2v(*gate)
        self.assertEqual(failed.returncode, 8)
        self.assertIn(b"slower", failed.stdout)
        self.assertIn(b"--fail-over", failed.stderr)
        self.assertEqual(self.run_t2v(*gate[:-2]).returncode, 0)

    def test_files_that_cannot_be_compared(self):
        self.write("a.json", {"x": 1.0})
        self.write("b.json", {"x": 1.0}, fingerprint="g")
        self.assert_error(self.run_t2v("bench", "--compare", "a.json", "b.json"), 3, "no case")
        for content in ("", "[]", '{"version": 1}', '{"version": 1, "results": [{}]}', '{"version": 2, "results": []}'):
            (self.folder / "b.json").write_text(content)
            self.assert_error(self.run_t2v("bench", "--compare", "a.json", "b.json"), 3, "b.json")
        self.assert_error(self.run_t2v("bench", "--compare", "a.json", "none.json"), 3, "none.json")
        self.refused("bench", "--compare", "a.json", parts=["--compare"])


if __name__ == "__main__":
    unittest.main()
