"""t2v plan and --dry-run: what is told about a run before it, against the run."""

import json
import unittest

from support import PROMPT, QUICK, ROOT, SANITIZED, CommandTest, environment

GIB = 1 << 30


class PlanTest(CommandTest):
    def plan(self, *arguments, **variables):
        cache = environment(XDG_CACHE_HOME=str(self.folder / "cache"), **variables)
        result = self.run_t2v("plan", *arguments, "--json", env=cache)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, b"")
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
        for part in (b"decoding", b"sampling", b"not calibrated", b"t2v bench", b"MiB"):
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
        sizes = [("48x48", "5", "float32"), ("64x64", "17", "float32"), ("64x64", "17", "bfloat16"),
                 ("128x128", "33", "float32"), ("256x256", "5", "float32")]  # fmt: skip
        for size, frames, dtype in sizes:
            shape = ["--size", size, "--frames", frames, "--dtype", dtype, "--threads", "1"]
            planned = self.plan(*shape)["host_peak_bytes"]
            measured = self.peak_memory(*shape, "--prompt", PROMPT, "--seed", "1", "--steps", "1", "-o", f"{size}{dtype}.mp4")
            with self.subTest(size=size, frames=frames, dtype=dtype, planned=planned >> 20, measured=measured >> 20):
                self.assertLess(abs(planned / measured - 1), 0.10)


if __name__ == "__main__":
    unittest.main()
