"""t2v decode: the clip of latents that a run kept."""

import json
import os
import resource
import shlex
import shutil
import struct
import unittest

from kinds_test import CASES, FIXTURES, KINDS, KindTest
from support import QUICK, CommandTest
from tensor_files import floats, read_tensors, write_tensors

LOSSLESS = [*QUICK, "--size", "64x64", "--quality", "lossless", "-o", "clip.mkv"]


class DecodeTest(CommandTest):
    def render(self, *arguments, **options):
        result = self.run_t2v(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def latents(self, *arguments):
        """Renders clip.mkv, keeps latents.safetensors, and returns the clip's bytes."""
        self.render(*arguments, "--save-latents", "latents.safetensors")
        return (self.folder / "clip.mkv").read_bytes()

    def comment(self, name):
        result = self.render("inspect", name, "--json")
        return json.loads(result.stdout)["settings"]


class WhatItMakes(DecodeTest):
    def test_the_clip_that_the_run_made(self):
        clip = self.latents(*LOSSLESS)
        result = self.render("decode", "latents.safetensors", "-o", "again.mkv")
        self.assertEqual((self.folder / "again.mkv").read_bytes(), clip)
        self.assertEqual(result.stdout, b"again.mkv\n")
        self.assert_files("again.mkv", "clip.mkv", "latents.safetensors")

    def test_only_the_vae_is_loaded(self):
        self.latents(*LOSSLESS)
        result = self.render("decode", "latents.safetensors", "-o", "again.mkv", "--progress", "json")
        events = self.events(result)
        self.assertEqual([event["detail"] for event in events if event["event"] == "load"], ["vae"])
        self.assertNotIn("step", [event["event"] for event in events])

    def test_flags_hold_over_what_is_recorded(self):
        self.latents(*LOSSLESS)
        self.render("decode", "latents.safetensors", "-o", "slow.mp4", "--fps", "4", "--quality", "draft", "--crf", "30")
        settings = self.comment("slow.mp4")
        self.assertEqual([settings[key] for key in ("fps", "quality", "crf", "seed", "num_inference_steps")],
                         [4, "draft", 30, "1", 2])  # fmt: skip
        self.assertEqual(settings["encoder"], {"codec": "h264", "pix_fmt": "yuv420p", "crf": 30})
        self.render("decode", "latents.safetensors", "-o", "bare.mkv", "--no-metadata")
        self.assert_error(self.run_t2v("inspect", "bare.mkv"), 3, "no settings of t2v")

    def test_what_was_without_settings_stays_so(self):
        clip = self.latents(*LOSSLESS, "--no-metadata")
        self.render("decode", "latents.safetensors", "-o", "again.mkv")
        self.assertEqual((self.folder / "again.mkv").read_bytes(), clip)

    def test_a_vae_of_its_own(self):
        model = self.folder / "model"
        shutil.copytree(FIXTURES / "tiny-wan", model)
        words = ["-m", "model", "--size", "32x32", "-o", "clip.mkv", *QUICK]
        clip = self.latents(*words)
        shutil.move(model / "vae", self.folder / "vae")
        shutil.rmtree(model)
        self.assert_error(self.run_t2v("decode", "latents.safetensors", "-o", "x.mkv"), 3, "model")
        self.render("decode", "latents.safetensors", "-o", "again.mkv", "--vae", "vae")
        settings = self.comment("again.mkv")
        self.assertEqual(settings["vae"], str(self.folder.resolve() / "vae"))
        self.assertNotIn("model_sha256", settings)
        self.render("decode", "latents.safetensors", "-o", "bare.mkv", "--vae", "vae", "--no-metadata")
        self.assertLess(abs(len(clip) - (self.folder / "again.mkv").stat().st_size), 600)

    def test_an_output_that_is_there(self):
        clip = self.latents(*LOSSLESS)
        self.refused("decode", "latents.safetensors", "-o", "clip.mkv", parts=["clip.mkv"])
        self.refused("decode", "latents.safetensors", parts=["--output"])
        self.render("decode", "latents.safetensors", "-o", "clip.mkv", "-y")
        self.assertEqual((self.folder / "clip.mkv").read_bytes(), clip)


class EveryKind(KindTest):
    def test_reference_images_are_left_out(self):
        case = json.loads((CASES / "reference.json").read_text())
        result = self.run_t2v(*self.arguments(case), "--quality", "lossless", "--save-latents", "latents.safetensors")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        result = self.run_t2v("decode", "latents.safetensors", "-o", "again.mkv")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assert_whole_clip(self.folder / "again.mkv", case["num_frames"])
        self.assertEqual((self.folder / "again.mkv").read_bytes(), (self.folder / "clip.mkv").read_bytes())


class AfterAFailure(DecodeTest):
    def test_what_was_kept_makes_the_clip(self):
        self.render(*LOSSLESS)
        clip = (self.folder / "clip.mkv").read_bytes()
        (self.folder / "clip.mkv").unlink()
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))  # noqa: E731
        self.assertGreater(len(clip), 16_000)
        result = self.run_t2v(*LOSSLESS, preexec_fn=limit)
        self.assertEqual(result.returncode, 4, result.stderr.decode())
        self.assert_files("clip.mkv.latents.safetensors")
        (told,) = [line for line in result.stderr.decode().splitlines() if "kept in" in line]
        command = shlex.split(told.partition("to make the clip of them: ")[2])
        self.assertEqual(command, ["t2v", "decode", "clip.mkv.latents.safetensors", "-o", "clip.mkv"])

        # The decoding may fail too: nothing is lost by it.
        failed = self.run_t2v(*command[1:], preexec_fn=limit)
        self.assertEqual(failed.returncode, 4, failed.stderr.decode())
        self.assert_files("clip.mkv.latents.safetensors")
        self.render(*command[1:])
        self.assertEqual((self.folder / "clip.mkv").read_bytes(), clip)

    def test_names_are_quoted(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))  # noqa: E731
        output = "it's $(me).mkv"
        result = self.run_t2v(*LOSSLESS, "-o", output, preexec_fn=limit)
        self.assertEqual(result.returncode, 4, result.stderr.decode())
        (told,) = [line for line in result.stderr.decode().splitlines() if "kept in" in line]
        command = shlex.split(told.partition("to make the clip of them: ")[2])
        self.assertEqual(command, ["t2v", "decode", f"{output}.latents.safetensors", "-o", output])


class WhatIsNoLatents(DecodeTest):
    SHAPE = [1, 16, 2, 8, 8]

    def setUp(self):
        super().setUp()
        self.latents(*LOSSLESS)
        data = (self.folder / "latents.safetensors").read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        self.settings_text = json.loads(data[8 : 8 + length])["__metadata__"]["t2v"]
        self.values = read_tensors(self.folder / "latents.safetensors")["latents"][2]

    def bad(self, code, *parts, shape=None, dtype="F32", values=None, name="latents", settings=None, flags=()):
        path = self.folder / "bad.safetensors"
        write_tensors(path, {name: (dtype, shape or self.SHAPE, self.values if values is None else values)},
                      {"t2v": self.settings_text if settings is None else settings})  # fmt: skip
        before = sorted(self.folder.iterdir())
        result = self.run_t2v("decode", "bad.safetensors", "-o", "bad.mkv", "-q", *flags)
        self.assert_error(result, code, "bad.safetensors", *parts)
        self.assertEqual(len(result.stderr.decode().splitlines()), 1)
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def test_damaged(self):
        path = self.folder / "latents.safetensors"
        whole = path.read_bytes()
        for name, data in {"cut": whole[:-1], "header": whole[:100], "empty": b"", "more": whole + b"1234"}.items():
            with self.subTest(name):
                path.write_bytes(data)
                self.assert_error(self.run_t2v("decode", "latents.safetensors", "-o", "x.mkv"), 3, "latents.safetensors")

    def test_not_latents_of_ours(self):
        self.bad(3, "no settings of t2v", settings='{"a": 1}')
        self.bad(3, settings="[]")
        self.bad(3, settings="not JSON")
        self.bad(3, name="noise")
        missing = self.run_t2v("decode", "missing.safetensors", "-o", "x.mkv")
        self.assert_error(missing, 3, "missing.safetensors")
        self.assert_error(self.run_t2v("decode", "clip.mkv", "-o", "x.mkv"), 3, "clip.mkv")
        self.assert_error(self.run_t2v("decode", ".", "-o", "x.mkv"), 3)
        os.mkfifo(self.folder / "fifo")
        self.assert_error(self.run_t2v("decode", "fifo", "-o", "x.mkv"), 3, "fifo")

    def test_of_another_shape(self):
        self.bad(3, "8 channels", "--vae", shape=[1, 8, 4, 8, 8])
        self.bad(3, "32x128", shape=[1, 16, 2, 16, 4])
        self.bad(3, "9 frames", shape=[1, 16, 3, 8, 8], values=self.values + self.values[: len(self.values) // 2])
        self.bad(3, "float32", shape=[16, 2, 8, 8])
        self.bad(3, "float32", shape=[1, 16, 0, 8, 8], values=b"")
        self.bad(3, "float32", dtype="F64", shape=[1, 16, 1, 8, 8])
        self.bad(3, "--vae", flags=["--model", str(KINDS / "2.2-ti2v")])

    def test_of_nan(self):
        self.bad(6, "NaN", values=floats(float("nan")) + self.values[4:])
        self.bad(6, "infinite", values=self.values[:-4] + floats(float("inf")))

    def test_settings_that_no_flag_takes(self):
        settings = json.loads(self.settings_text)
        self.bad(2, "unknown key", settings=json.dumps({**settings, "colour": "red"}))
        self.bad(2, "fps", settings=json.dumps({**settings, "fps": "fast"}))
        self.bad(2, "--fps", settings=json.dumps({key: value for key, value in settings.items() if key != "fps"}))


class SkipExisting(DecodeTest):
    def test_what_is_there_is_left(self):
        self.render(*LOSSLESS)
        before = (self.folder / "clip.mkv").stat().st_mtime_ns
        result = self.render(*LOSSLESS, "--skip-existing")
        self.assertEqual(result.stdout, b"clip.mkv\n")
        self.assertEqual(result.stderr, b"t2v: looking at clip.mkv\nt2v: clip.mkv is there already\n")
        self.assertEqual((self.folder / "clip.mkv").stat().st_mtime_ns, before)
        result = self.render(*LOSSLESS, "--skip-existing", "-q", "--json")
        self.assertEqual(json.loads(result.stdout)["settings"]["seed"], "1")
        self.assertEqual(result.stderr, b"")

    def test_what_is_not_there_is_rendered(self):
        self.render(*LOSSLESS, "--skip-existing")
        self.assert_whole_clip(self.folder / "clip.mkv")

    def test_what_is_damaged_is_not_taken_for_it(self):
        self.render(*LOSSLESS)
        path = self.folder / "clip.mkv"
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        self.assert_error(self.run_t2v(*LOSSLESS, "--skip-existing", "-q"), 2, "clip.mkv")
        self.render(*LOSSLESS, "--skip-existing", "-y")
        self.assert_whole_clip(path)
        self.assert_error(self.run_t2v(*LOSSLESS, "--skip-existing", "--frames", "9", "-q"), 2, "clip.mkv")

    def test_pictures(self):
        words = [*QUICK, "-o", "clip.png", "--skip-existing"]
        self.render(*words)
        said = b"t2v: looking at clip-0001.png\nt2v: clip-0001.png is there already\n"
        self.assertEqual(self.render(*words).stderr, said)
        (self.folder / "clip-0003.png").unlink()
        self.assert_error(self.run_t2v(*words, "-q"), 2, "clip")


if __name__ == "__main__":
    unittest.main()
