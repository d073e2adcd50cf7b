"""t2v plan and --dry-run: what is told about a run before it, against the run."""

import json
import re
import shutil
import unittest

from support import PROMPT, QUICK, ROOT, SANITIZED, CommandTest, environment

GIB = 1 << 30


class PlanTest(CommandTest):
    def plan(self, *arguments, **variables):
        cache = environment(XDG_CACHE_HOME=str(self.folder / "cache"), **variables)
        result = self.run_t2v("plan", *arguments, "--json", env=cache)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, b"t2v: planning\n")
        return json.loads(result.stdout)

    def test_shapes_files_and_outputs(self):
        plan = self.plan("--size", "96x64", "--frames", "17", "--steps", "3", "-o", "clip-%03d.png")
        self.assertEqual(plan["latents"], [16, 5, 8, 12])
        self.assertEqual(plan["tokens"], 5 * 4 * 6)
        self.assertEqual(plan["forwards"], 6)
        self.assertEqual(plan["outputs"], ["clip-001.png", "clip-017.png"])
        self.assertEqual([phase["name"] for phase in plan["phases"]], ["start", "load", "text", "sampling", "decoding"])
        sizes = {file["component"]: file["bytes"] for file in plan["files"]}
        stored = ROOT / "models/tiny-world/transformer/diffusion_pytorch_model.safetensors"
        self.assertEqual(sizes["transformer"], stored.stat().st_size)
        self.assertEqual(plan["latents_bytes"], 4 * 16 * 5 * 8 * 12)
        self.assert_files()  # nothing was written

    def test_a_table_and_no_times(self):
        result = self.run_t2v("plan", "--size", "64x64", env=environment(XDG_CACHE_HOME=str(self.folder / "cache")))
        self.assertEqual(result.returncode, 0, result.stderr)
        for part in (b"decoding", b"sampling", b"not measured", b"t2v bench", b"MiB"):
            self.assertIn(part, result.stdout)
        self.assertLessEqual(max(map(len, result.stdout.decode().split("\nfiles")[0].splitlines())), 80)

    def test_a_dry_run_is_a_plan(self):
        dry = self.run_t2v(*QUICK, "-o", "a.mp4", "--dry-run", "--json")
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertEqual(json.loads(dry.stdout)["num_frames"], 5)
        self.assert_files()
        self.refused(*QUICK, "-o", "a.avi", "--dry-run", parts=[".avi"])

    def test_what_cannot_be_is_refused_before_it_is_loaded(self):
        plan = self.plan("--size", "16384x16384", "--frames", "81")
        self.assertGreater(plan["host_peak_bytes"], 200 * GIB)
        result = self.run_t2v(*QUICK, "--size", "16384x16384", "--frames", "81", "-o", "a.mp4")
        self.assert_error(result, 5, "GiB of memory")
        self.assertNotIn(b"loading", result.stderr)
        self.assert_files()

    def test_a_plan_says_what_a_run_would_be_refused_for(self):
        self.assertIsNone(self.plan("--size", "64x64")["refusal"])
        self.assertIn("GiB of memory", self.plan("--size", "16384x16384", "--frames", "81")["refusal"])
        result = self.run_t2v("plan", "--size", "16384x16384", "--frames", "81")
        self.assertIn(b"refused   planning", result.stdout)

    def test_max_vram_without_a_gpu(self):
        result = self.run_t2v("plan", "--device", "cpu", "--max-vram", "6")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr.count(b"--max-vram does not count"), 1)

    def test_a_gpu_that_is_not_there(self):
        small = ["--device", "cuda", "--size", "832x480", "--frames", "81"]
        plan = self.plan(*small)
        self.assertEqual(plan["resident_blocks"], plan["blocks"])
        needed = plan["gpu_peak_bytes"] / GIB
        self.assertEqual(self.plan(*small, "--max-vram", str(needed + 0.1))["needed_flags"], "")
        tiled = self.plan(*small, "--max-vram", str(needed - 0.05))
        self.assertEqual(tiled["needed_flags"], "--vae-tiling")
        self.assertLess(tiled["gpu_peak_bytes"] / GIB, needed - 0.05)
        result = self.run_t2v("plan", *small, "--max-vram", "0.5")
        self.assert_error(result, 5, "--max-vram", "GiB")

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not a clip's")
    def test_memory_is_what_a_run_takes(self):
        sizes = [("48x48", "5", "float32"), ("64x64", "17", "bfloat16"), ("96x96", "17", "float32"),
                 ("128x128", "33", "float32"), ("256x256", "5", "float32"), ("512x512", "5", "float32")]  # fmt: skip
        for size, frames, dtype in sizes:
            shape = ["--size", size, "--frames", frames, "--dtype", dtype, "--threads", "1"]
            planned = self.plan(*shape)["host_peak_bytes"]
            measured = self.peak_memory(*shape, "--prompt", PROMPT, "--seed", "1", "--steps", "1", "-o", f"{size}{dtype}.mp4")
            with self.subTest(size=size, frames=frames, dtype=dtype, planned=planned >> 20, measured=measured >> 20):
                self.assertLess(abs(planned / measured - 1), 0.10)


class DryRunTest(CommandTest):
    """--dry-run is the command up to where it would load a model."""

    def refused_alike(self, code, *arguments):
        """The command and its dry run fail in the same way, and nothing is left."""
        before = sorted(self.folder.rglob("*"))
        run, dry = (self.run_t2v(*arguments, *more) for more in ([], ["--dry-run"]))
        self.assert_error(run, code)
        self.assert_error(dry, code)
        said = [re.sub(r"[\d.]+ GiB", "", result.stderr.decode().splitlines()[-1]) for result in (run, dry)]
        self.assertEqual(said[0], said[1])
        self.assertEqual(sorted(self.folder.rglob("*")), before)

    def test_refuses_what_a_run_refuses(self):
        (self.folder / "there.mp4").write_bytes(b"old")
        shutil.copytree(ROOT / "tests/fixtures/tiny-wan", self.folder / "model")
        for tokenizer in (self.folder / "model/tokenizer").iterdir():
            if tokenizer.name in ("tokenizer.json", "spiece.model"):
                tokenizer.write_bytes(tokenizer.read_bytes()[:100])
        for code, *arguments in (
            (2, "-o", "a.mp4"), (2, "--prompt", " ", "-o", "a.mp4"), (2, "--prompt", "x"),
            (2, *QUICK, "-o", "there.mp4"), (2, *QUICK, "-o", "none/a.mp4"), (2, *QUICK, "-o", "-", "--json"),
            (2, *QUICK, "-o", "a.mp4", "--sheet", "a.txt"), (2, *QUICK, "-o", "a.mp4", "--sheet", "a.mp4"),
            (2, *QUICK, "-o", "a.mp4", "--preview", "terminal"), (2, *QUICK, "-o", "a.mp4", "--image", "x.png"),
            (5, *QUICK, "-o", "a.mp4", "--size", "16384x16384"), (5, *QUICK, "-o", "a.mp4", "--device", "cuda:77"),
            (3, *QUICK, "-o", "a.mp4", "--size", "32x32", "--model", "model"),
        ):  # fmt: skip
            with self.subTest(arguments):
                self.refused_alike(code, *arguments)

    def test_a_clip_that_is_there(self):
        self.assertEqual(self.run_t2v(*QUICK, "-o", "a.mp4").returncode, 0)
        dry = [*QUICK, "-o", "a.mp4", "--skip-existing", "--dry-run"]
        self.assertEqual(self.run_t2v(*dry).stdout, b"there  a.mp4\n")
        told = json.loads(self.run_t2v(*dry, "--json").stdout)
        self.assertEqual((told["output"], told["there"], told["settings"]["prompt"]), ("a.mp4", True, PROMPT))
        (self.folder / "a.mp4").unlink()
        self.assertEqual(json.loads(self.run_t2v(*dry, "--json").stdout)["outputs"], ["a.mp4"])
        self.assert_files()

    def test_rerun_and_decode(self):
        made = self.run_t2v(*QUICK, "--size", "64x64", "-o", "a.mp4", "--save-latents", "a.safetensors")
        self.assertEqual(made.returncode, 0, made.stderr)
        again = json.loads(self.run_t2v("rerun", "a.mp4", "--frames", "9", "--dry-run", "--json").stdout)
        self.assertEqual((again["outputs"], again["num_frames"], again["forwards"]), (["a-rerun.mp4"], 9, 4))
        decoded = json.loads(self.run_t2v("decode", "a.safetensors", "-o", "b.mp4", "--dry-run", "--json").stdout)
        self.assertEqual([phase["name"] for phase in decoded["phases"]], ["start", "load", "decoding"])
        self.assertEqual({file["component"] for file in decoded["files"]}, {"vae", "latents"})
        self.assertEqual((decoded["width"], decoded["num_frames"], decoded["forwards"]), (64, 5, 0))
        self.assertEqual(self.run_t2v("decode", "a.safetensors", "-o", "b.mp4", "--dry-run").returncode, 0)
        self.refused_alike(2, "rerun", "a.mp4", "-o", "a.mp4")
        self.refused_alike(2, "decode", "a.safetensors", "-o", "a.mp4")
        self.refused_alike(2, "decode", "a.safetensors", "-o", "-", "--json")
        self.refused_alike(2, "decode", "a.safetensors")
        self.refused_alike(5, "decode", "a.safetensors", "-o", "b.mp4", "--device", "cuda:77")
        self.assert_files("a.mp4", "a.safetensors")

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not a clip's")
    def test_decoding_takes_what_is_planned(self):
        made = self.run_t2v(*QUICK, "--size", "256x256", "-o", "a.mp4", "--save-latents", "a.safetensors")
        self.assertEqual(made.returncode, 0, made.stderr)
        decode = ["decode", "a.safetensors", "--threads", "1", "-o", "b.mp4"]
        planned = json.loads(self.run_t2v(*decode, "--dry-run", "--json").stdout)["host_peak_bytes"]
        self.assertLess(abs(planned / self.peak_memory(*decode) - 1), 0.10)

    def test_what_a_batch_takes(self):
        device = json.loads(self.run_t2v("plan", "--json", "--threads", "1").stdout)["device_name"]
        rates = [{"phase": name, "dtype": dtype, "width": 1, "length": 1, "per_second": rate} for name, dtype, rate in
                 (("start", "", 1), ("load", "", 1e6), ("text", "float32", 1e9), ("sampling", "float32", 1e9),
                  ("decoding", "float32", 1e9))]  # fmt: skip
        (self.folder / "cache/t2v").mkdir(parents=True)
        calibration = {"version": 1, "devices": {device: rates}}
        (self.folder / "cache/t2v/calibration.json").write_text(json.dumps(calibration))
        cache = environment(XDG_CACHE_HOME=str(self.folder / "cache"))
        rows = [{"prompt": "a"}, {"prompt": "b", "steps": 4}, {"prompt": "c", "size": "128x128"}]
        (self.folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        common = ["--steps", "2", "--frames", "5", "--size", "64x64", "--threads", "1", "--json"]
        batch = self.run_t2v("batch", "--prompts", "rows.jsonl", "-o", "out", *common, "--dry-run", env=cache)
        self.assertEqual(batch.returncode, 0, batch.stderr)
        *clips, outlook = map(json.loads, batch.stdout.decode().splitlines())
        self.assertEqual([clip["there"] for clip in clips], [False] * 3)
        self.assertEqual(outlook["clips_to_do"], 3)
        self.assertIn(b"3 clips to do; about ", batch.stderr)
        plans = [json.loads(self.run_t2v("plan", *common, *flags, env=cache).stdout)
                 for flags in ([], ["--steps", "4"], ["--size", "128x128"])]  # fmt: skip
        for key, told in (("output_bytes", sum), ("latents_bytes", max)):
            self.assertEqual(outlook[key], told(plan[key] for plan in plans))
        peak = max(plan["host_peak_bytes"] for plan in plans)
        self.assertLess(abs(outlook["host_peak_bytes"] / peak - 1), 0.05)
        seconds = {phase["name"]: phase["seconds"] for phase in plans[0]["phases"]}
        expected = sum(plan["seconds"] for plan in plans) - 2 * (seconds["start"] + seconds["load"])
        self.assertAlmostEqual(outlook["seconds"], expected, delta=0.01 * expected)


if __name__ == "__main__":
    unittest.main()
