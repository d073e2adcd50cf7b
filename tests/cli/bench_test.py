"""t2v bench: results, what is stored of them, the gate, and the page that scripts/bench_page.py makes."""

import itertools
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from support import ROOT, SANITIZED, CommandTest, environment


class BenchTest(CommandTest):
    def bench(self, *arguments):
        variables = environment(XDG_CACHE_HOME=str(self.folder / "cache"))
        result = self.run_t2v("bench", *arguments, "--threads", "1", "--progress", "none", env=variables)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def write(self, name, medians, fingerprint="f", device="a processor, 2 threads"):
        results = [{"name": case, "median": median, "fingerprint": fingerprint} for case, median in medians.items()]
        report = {"version": 1, "device": "cpu", "device_name": device, "threads": 2, "results": results}
        (self.folder / name).write_text(json.dumps(report))

    def test_a_case(self):
        report = json.loads(self.bench("dit.tiny.64p17", "--json", "--repeats", "3", "--price-per-hour", "3.6"))
        self.assertEqual(report["version"], 1)
        self.assertGreater(report["ceilings"]["float32"], 0)
        (result,) = report["results"]
        self.assertEqual(result["name"], "dit.tiny.64p17")
        self.assertEqual(result["tokens"], 80)
        self.assertGreaterEqual(len(result["seconds"]), 3)
        self.assertLessEqual(result["p10"], result["median"])
        self.assertLessEqual(result["median"], result["p90"])
        self.assertAlmostEqual(result["tflops"], result["tflop"] / result["median"])
        self.assertAlmostEqual(result["share"], result["tflops"] / result["ceiling"])
        self.assertEqual("faster than" in result["note"], result["share"] > 1)
        self.assertGreaterEqual(report["ceilings"]["float32"], result["ceiling"])
        self.assertAlmostEqual(result["price"], result["median"] * 3.6 / 3600)
        self.assertRegex(result["fingerprint"], "^[0-9a-f]{16}$")
        self.assertEqual(result["attention"], "flash")
        self.assertGreater(result["peak_bytes"], 50 << 20)
        self.assertIsNone(result["gpu_seconds"])  # it has none
        self.assertEqual(report["failed"], [])
        self.check_page(self.page(report))
        self.check_calibration(report["device_name"])

    def page(self, report):
        """The page that the script makes of a report."""
        command = [sys.executable, str(ROOT / "scripts/bench_page.py")]
        result = subprocess.run(command, input=json.dumps(report), capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def check_page(self, page):
        self.assertIn("dit.tiny.64p17", page)
        self.assertIn("the machine at 3.6 an hour, in that currency", page)
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

    def test_synthetic_models(self):
        """Whole clips and loading, on weights that nobody has trained."""
        report = json.loads(self.bench("e2e.tiny.64p17", "load.tiny", "--json", "--repeats", "1"))
        page = self.page(report)
        for plot in ("time by phase", "time against tokens"):
            self.assertIn(f'aria-label="{plot}"', page)
        load, clip = report["results"]
        self.assertEqual((load["name"], clip["name"]), ("load.tiny", "e2e.tiny.64p17"))
        self.assertGreater(load["bytes"], 3 << 20)
        self.assertEqual(set(clip["phases"]), {"load", "text", "sampling", "decoding"})
        self.assertEqual(clip["tokens"], 80)
        for result in (load, clip):
            self.assertEqual((result["share"], result["ceiling"]), (None, None))
        # The model that was written is gone, and what lives in memory says nothing of loading files.
        self.assertEqual(sorted(path.name for path in (self.folder / "cache/t2v").iterdir()),
                         ["calibration.json", "calibration.json.lock"])  # fmt: skip
        (rates,) = json.loads((self.folder / "cache/t2v/calibration.json").read_text())["devices"].values()
        self.assertEqual({rate["phase"] for rate in rates}, {"start", "text", "sampling", "decoding"})

    def test_shares_are_of_the_fastest_product(self):
        # Short clips of the VAE: much of the plain formula is of zeros, which are left out.
        report = json.loads(self.bench("vae.tiny.64p17", "gemm.1.3b.256p17", "--json", "--repeats", "1"))
        product, decoding = report["results"]
        self.assertGreater(decoding["share"], 0.02)
        # A product is about as fast as the fastest one; the processor has others to serve, and its clock changes.
        self.assertGreater(product["share"], 0.2)
        self.assertLess(product["share"], 1.3)
        # No case, however fast, is itself what it is compared with.
        self.assertEqual(report["ceilings"]["float32"], max(result["ceiling"] for result in report["results"]))

    def test_matrices_in_8_bits_are_other_work(self):
        (fp8,) = json.loads(self.bench("e2e.tiny.64p17", "--json", "--repeats", "1", "--dtype", "fp8"))["results"]
        (bf16,) = json.loads(self.bench("e2e.tiny.64p17", "--json", "--repeats", "1", "--dtype", "bfloat16"))["results"]
        self.assertEqual((fp8["dtype"], bf16["dtype"]), ("fp8", "bfloat16"))
        self.assertNotEqual(fp8["fingerprint"], bf16["fingerprint"])

    def read_until(self, stream, text):
        for line in stream:
            if text in line:
                return
        self.fail(f"{text} never came")

    def test_it_stops_when_asked(self):
        process = self.start_t2v("bench", "vae.tiny.256p17", "--threads", "1", "--progress", "json")
        self.read_until(process.stderr, b'"vae.tiny.256p17"')
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.assertEqual(process.stdout.read(), b"")

    def test_it_stops_while_a_model_is_written(self):
        process = self.start_t2v("bench", "load.14b", "--threads", "1", "--progress", "json",
                                 env=environment(XDG_CACHE_HOME=str(self.folder / "cache")))  # fmt: skip
        self.read_until(process.stderr, b'"load.14b"')
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(list((self.folder / "cache/t2v").glob("*")), [])

    def test_a_machine_without_a_folder_for_files(self):
        variables = environment(TMPDIR="/nowhere")
        for name in ("HOME", "XDG_CACHE_HOME"):
            variables.pop(name, None)
        result = self.run_t2v("bench", "gemm.1.3b", "load.tiny", "--dry-run", "--json", env=variables)
        self.assertEqual(result.returncode, 8, result.stderr)
        plan = json.loads(result.stdout)
        self.assertEqual((plan["folder"], plan["disk_free_bytes"]), ("", 0))
        refusals = {case["name"]: case["refusal"] for case in plan["cases"]}
        self.assertEqual([name for name, refusal in refusals.items() if refusal], ["load.tiny"])
        self.assertIn("TMPDIR", refusals["load.tiny"])

    def test_cases(self):
        cases = {case["name"]: case for case in json.loads(self.bench("--list", "--json"))}
        self.assertTrue(cases["e2e.model"]["on_cpu"])
        for name in ("dit.1.3b.480p81", "dit.14b.480p81", "dit.14b.720p81", "dit.5b.704p121", "vae.2.1.480p81",
                     "vae.2.2.704p121", "t5.512", "load.1.3b", "load.14b", "load.5b", "e2e.1.3b.480p81",
                     "e2e.14b.480p81", "e2e.5b.704p121"):  # fmt: skip
            self.assertFalse(cases[name]["on_cpu"])
        for kind in ("gemm", "attn", "block", "dit", "vae", "t5", "load", "e2e"):
            self.assertTrue(any(name.startswith(kind) and case["on_cpu"] for name, case in cases.items()), kind)
        self.refused("bench", "dit.tiny.64p71", parts=["dit.tiny.64p17"])

    @unittest.skipIf(SANITIZED, "a sanitizer makes all of them slow")
    def test_every_case_for_a_cpu_ends_within_a_minute(self):
        process = self.start_t2v("bench", "--device", "cpu", "--threads", "1", "--repeats", "1", "--progress", "json",
                                 stdout=subprocess.DEVNULL,
                                 env=environment(XDG_CACHE_HOME=str(self.folder / "cache")))  # fmt: skip
        begun = []  # what begins, and the processor time of all before it
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] in ("bench", "summary"):
                begun.append((event.get("detail"), self.processor_seconds(process)))
        self.assertEqual(process.wait(60), 0)
        self.assertGreater(len(begun), 15)
        for (case, begin), (_, end) in itertools.pairwise(begun):
            self.assertLess(end - begin, 60, case)

    @staticmethod
    def processor_seconds(process):
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @unittest.skipIf(SANITIZED, "a sanitizer needs the address space")
    def test_a_case_that_does_not_fit_is_told_and_the_others_are_timed(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))  # noqa: E731
        result = self.run_t2v("bench", "vae.2.2.704p121", "dit.tiny.64p17", "--json", "--threads", "1", "--repeats", "1", preexec_fn=limit,
                              env=environment(XDG_CACHE_HOME=str(self.folder / "cache")))  # fmt: skip
        self.assertEqual(result.returncode, 8, result.stderr)
        self.assertIn(b"1 case that was asked for did not fit", result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual([case["name"] for case in report["results"]], ["dit.tiny.64p17"])
        (failed,) = report["failed"]
        self.assertEqual(failed["name"], "vae.2.2.704p121")
        self.assertIn("GiB", failed["reason"])
        self.assertIn("vae.2.2.704p121", self.page(report))

    @unittest.skipIf(SANITIZED, "a sanitizer needs the address space")
    def test_a_case_that_nobody_named_is_skipped(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))  # noqa: E731
        result = self.run_t2v("bench", "vae.2.2.7", "--json", preexec_fn=limit,
                              env=environment(XDG_CACHE_HOME=str(self.folder / "cache")))  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"skipped: the case vae.2.2.704p121", result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual([case["name"] for case in report["skipped"]], ["vae.2.2.704p121"])
        self.assertEqual((report["failed"], report["results"]), ([], []))

    def dry_run(self, *arguments, **options):
        return self.run_t2v("bench", *arguments, "--dry-run", env=environment(XDG_CACHE_HOME=str(self.folder / "cache")), **options)

    def test_a_dry_run(self):
        result = self.dry_run("--json", "--threads", "1")
        self.assertEqual((result.returncode, result.stderr), (0, b"t2v: planning\n"))
        plan = json.loads(result.stdout)
        self.assertEqual((plan["device"], plan["dtype"], plan["threads"]), ("cpu", "float32", 1))
        listed = [case["name"] for case in json.loads(self.bench("--list", "--json")) if case["on_cpu"]]
        self.assertEqual([case["name"] for case in plan["cases"]], listed)
        cases = {case["name"]: case for case in plan["cases"]}
        for case in cases.values():
            self.assertGreater(case["memory_bytes"], 0, case)
            self.assertLess(case["memory_bytes"], 4 << 30, case)
        self.assertEqual(cases["dit.tiny.64p17"]["tokens"], 80)
        self.assertEqual(cases["t5.64"]["note"], "one block x 24")
        self.assertGreater(cases["load.1.3b-2"]["disk_bytes"], 150 << 20)
        self.assert_files()
        self.assertGreater(plan["disk_free_bytes"], 0)
        text = self.dry_run("load.14b").stdout.decode()
        self.assertIn("5 of 40 blocks", text)
        self.assertRegex(text, "load.14b +[0-9.]+ GiB +3.[0-9]+ GiB")

    def test_beginnings_are_of_the_device(self):
        def chosen(*words):
            return [case["name"] for case in json.loads(self.dry_run(*words, "--json").stdout)["cases"]]

        self.assertEqual(chosen("dit"), ["dit.tiny.64p17", "dit.tiny.256p17"])
        self.assertEqual(chosen("dit.14b"), ["dit.14b.480p81", "dit.14b.720p81"])  # there are no others
        self.assertEqual(chosen("e2e", "e2e.1.3b.480p81")[:2], ["e2e.model", "e2e.1.3b.480p81"])
        self.assertEqual(chosen("load.1.3b"), ["load.1.3b"])  # and not load.1.3b-2, which begins with it

    @unittest.skipIf(SANITIZED, "a sanitizer needs the address space")
    def test_a_dry_run_refuses_what_a_run_refuses(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))  # noqa: E731
        result = self.dry_run("vae.2.2.704p121", preexec_fn=limit)
        self.assertEqual(result.returncode, 8, result.stderr)
        self.assertIn(b"skipped: the case vae.2.2.704p121: got work that needs", result.stdout)
        self.refused("bench", "dit.tiny.64p71", "--dry-run", parts=["dit.tiny.64p17"])
        self.assert_error(self.dry_run("dit.tiny.64p17", "--device", "cuda:77"), 5)

    def test_prices_have_a_heading_and_a_unit(self):
        text = self.bench("gemm.1.3b.256p17", "--repeats", "1", "--price-per-hour", "2.5").decode()
        self.assertRegex(text, r"memory +price/run\n")
        self.assertIn("the machine at 2.5 an hour, in that currency", text)
        self.assertNotIn("price", self.bench("gemm.1.3b.256p17", "--repeats", "1").decode())

    def test_a_page_escapes_text(self):
        case = {"name": "<a>&", "dtype": "f", "note": "<script>", "phases": {"<b>": 1.0}, "attention": "'\"", "tokens": 3, "peak_bytes": 1,
                "median": 1.0, "p10": 1.0, "p90": 1.0, "tflops": 0, "share": None, "gpu_seconds": None, "joules": None, "price": None}  # fmt: skip
        page = self.page({"device_name": "<i>", "t2v": "0", "libtorch": "2", "driver": "<u>", "ceilings": {"<s>": 1.0}, "price_per_hour": None,
                          "results": [case], "failed": [{"name": "<q>", "reason": "<p>"}], "skipped": []})  # fmt: skip
        self.assertEqual(re.findall("<(?:a|script|b|i|u|s|q)>", page), [])
        self.assertIn("&lt;a&gt;&amp;", page)

    def test_a_page_of_another_file_is_refused(self):
        script = str(ROOT / "scripts/bench_page.py")
        for text in ("", "[]", '{"version": 1}'):
            result = subprocess.run([sys.executable, script], input=text, capture_output=True, text=True, check=False)
            self.assertEqual((result.returncode, result.stdout, len(result.stderr.splitlines())), (1, "", 1), result.stderr)

    def test_flags_that_would_do_nothing(self):
        for arguments in (["--fail-over", "3%"], ["--compare", "a", "b", "--price-per-hour", "1"], ["--list", "gemm"],
                          ["--list", "--compare", "a", "b"], ["--dry-run", "--price-per-hour", "1"]):  # fmt: skip
            result = self.run_t2v("bench", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, b""))
            self.assertIn(b"does nothing here", result.stderr)

    def test_the_gate(self):
        self.write("a.json", {"x": 1.0})
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

    def test_the_gate_asks_for_every_case(self):
        gate = ["bench", "--compare", "a.json", "b.json", "--fail-over", "3%"]
        self.write("a.json", {"x": 1.0, "y": 1.0})
        self.write("b.json", {"x": 1.0})
        missing = self.run_t2v(*gate)
        self.assertEqual(missing.returncode, 8)
        self.assertRegex(missing.stdout, b"y +1 s +- +-  missing")
        self.assertIn(b"1 case missing", missing.stderr)
        self.assertEqual(self.run_t2v(*gate[:-2]).returncode, 0)
        report = json.loads((self.folder / "b.json").read_text())
        report["results"].append({"name": "y", "median": 1.0, "fingerprint": "g"})
        (self.folder / "b.json").write_text(json.dumps(report))
        other = self.run_t2v(*gate)
        self.assertEqual(other.returncode, 8)
        self.assertIn(b"1 case other work", other.stderr)

    def test_the_gate_is_of_one_device(self):
        gate = ["bench", "--compare", "a.json", "b.json", "--fail-over", "3%"]
        self.write("a.json", {"x": 1.0})
        self.write("b.json", {"x": 1.0}, device="a processor, 4 threads")
        self.refused(*gate, parts=["2 threads", "4 threads"])
        compared = self.run_t2v(*gate[:-2])
        self.assertEqual(compared.returncode, 0)
        self.assertIn(b"B: a processor, 4 threads", compared.stdout)

    def test_a_comparison_as_json(self):
        self.write("a.json", {"x": 1.0, "y": 2.0})
        self.write("b.json", {"x": 1.25, "z": 2.0})
        result = self.run_t2v("bench", "--compare", "a.json", "b.json", "--fail-over", "3%", "--json")
        self.assertEqual(result.returncode, 8)
        comparison = json.loads(result.stdout)
        self.assertFalse(comparison["passed"])
        self.assertEqual(comparison["fail_over"], 3)
        self.assertEqual([list(case.values()) for case in comparison["cases"]],
                         [["x", 1.0, 1.25, 1.25, "slower"], ["y", 2.0, None, None, "missing"],
                          ["z", None, 2.0, None, "new"]])  # fmt: skip

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
