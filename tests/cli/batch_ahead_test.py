"""t2v batch before its first clip: what cannot be done is refused there, and by the dry run alike."""

import json
import re
import resource
import shutil
import unittest

from batch_support import SMALL, BatchTest
from support import ROOT, SANITIZED, environment

I2V = ROOT / "tests/fixtures/tiny-kinds/2.1-i2v"
PICTURE = ROOT / "tests/fixtures/pipelines/tall.png"


class AheadTest(BatchTest):
    def rows(self, *rows):
        return self.write("".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl")

    def refused_alike(self, code, *arguments, parts=(), **options):
        """The batch and its dry run end in the same error, before anything is rendered or written."""
        before = sorted(self.folder.rglob("*"))
        said = []
        for more in ([], ["--dry-run"]):
            result = self.run_t2v("batch", *arguments, *more, **options)
            self.assert_error(result, code, *parts)
            said.append(re.sub(r"[\d.]+ GiB", "", result.stderr.decode().splitlines()[-1]))
            self.assertEqual(sorted(self.folder.rglob("*")), before)
        self.assertEqual(said[0], said[1])

    def test_a_device_that_is_not_there(self):
        rows = self.rows({"prompt": "a"}, {"prompt": "b", "device": "cuda:77"})
        self.refused_alike(5, *SMALL, "--prompts", rows, "-o", "out", parts=["rows.jsonl:2: ", "77"])
        self.refused_alike(5, *SMALL, "-p", "a", "--seeds", "1..3", "-o", "out", "--device", "cuda:77", parts=["77"])

    def test_a_picture_that_is_none(self):
        shutil.copy(PICTURE, self.folder / "good.png")
        (self.folder / "bad.png").write_bytes(b"no picture")
        images = ["good.png", "good.png", "bad.png"]
        rows = self.rows(*({"prompt": f"clip {n}", "image": image} for n, image in enumerate(images)))
        small = ["-m", str(I2V), *SMALL[2:], "--size", "32x32", "--frames", "5", "--prompts", rows, "-o", "out"]
        self.refused_alike(3, *small, parts=["rows.jsonl:3: ", "bad.png"])
        shutil.copy(PICTURE, self.folder / "bad.png")
        result = self.run_t2v("batch", *small)
        self.assertEqual((result.returncode, len(result.stdout.splitlines())), (0, 3), result.stderr)
        # What is done needs its picture no more.
        (self.folder / "good.png").write_bytes(b"no picture")
        self.assertEqual(self.run_t2v("batch", *small, "--skip-existing").returncode, 0)

    def test_a_sheet_that_is_there(self):
        (self.folder / "sheet.png").write_bytes(b"old")
        self.refused_alike(2, *SMALL, "-p", "a", "-o", "out", "--sheet", "sheet.png", parts=["sheet.png"])

    @unittest.skipIf(SANITIZED, "a sanitizer needs the address space")
    def test_a_clip_that_is_too_large(self):
        rows = self.rows({"prompt": "a", "size": "64x64"}, {"prompt": "b", "size": "16384x16384"})
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))  # noqa: E731
        self.refused_alike(5, "--prompts", rows, "-o", "out", "--frames", "5", "--steps", "1", "--threads", "1",
                           preexec_fn=limit, parts=["rows.jsonl:2: planning sampling: got a clip that needs about "])  # fmt: skip

    def test_bytes_of_each_quality(self):
        rows = self.rows({"prompt": "a", "quality": "draft"}, {"prompt": "b", "output": "b.mkv", "quality": "lossless"}, {"prompt": "c", "quality": "draft"})
        flags = [*SMALL, "--size", "256x256", "--frames", "17"]
        cache = environment(XDG_CACHE_HOME=str(self.folder / "cache"))
        result = self.run_t2v("batch", *flags, "--prompts", rows, "-o", "out", "--dry-run", "--json", env=cache)
        outlook = json.loads(result.stdout.splitlines()[-1])
        draft, lossless = (json.loads(self.run_t2v("plan", *flags, "--quality", quality, "-o", "x.mkv", "--json", env=cache).stdout)["output_bytes"]
                       for quality in ("draft", "lossless"))  # fmt: skip
        self.assertGreater(lossless, draft)
        self.assertEqual(outlook["output_bytes"], 2 * draft + lossless)


if __name__ == "__main__":
    unittest.main()
