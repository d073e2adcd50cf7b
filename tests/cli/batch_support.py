"""What the tests of t2v batch share."""

import json

from support import ROOT, CommandTest
from tensor_files import floats, write_tensors

TINY = ROOT / "tests/fixtures/tiny-wan"
# The quickest clip there is.
SMALL = ["-m", str(TINY), "--size", "16x16", "--frames", "1", "--steps", "1", "--threads", "1"]


class BatchTest(CommandTest):
    def write(self, text, name="prompts.txt"):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def batch(self, prompts, *arguments, **options):
        return self.run_t2v("batch", *SMALL, "--prompts", prompts, "-o", "out", *arguments, **options)

    def planned(self, prompts, *arguments, **options):
        """The clips that a batch would make: name -> settings, in its order."""
        result = self.batch(prompts, *arguments, "--dry-run", "--json", **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        *lines, outlook = [json.loads(line) for line in result.stdout.decode().rstrip("\n").split("\n")]
        self.assertEqual(outlook["clips_to_do"], len(lines))
        self.assertEqual({line["there"] for line in lines}, {False})
        self.assertFalse((self.folder / "out").exists(), "a dry run leaves nothing behind")
        return {line["output"].removeprefix("out/"): line["settings"] for line in lines}

    def refused_batch(self, prompts, *arguments, parts=(), **options):
        self.refused("batch", *SMALL, "--prompts", prompts, "-o", "out", *arguments, parts=parts, **options)

    def refused_rows(self, prompts, *arguments, code=2):
        """What a batch, and its dry run alike, says is wrong with rows, before anything is rendered or written."""
        before = sorted(self.folder.rglob("*"))
        results = [self.batch(prompts, *arguments, *more) for more in ([], ["--dry-run"])]
        for result in results:
            self.assertEqual((result.returncode, result.stdout), (code, b""), result.stderr)
            self.assertEqual(sorted(self.folder.rglob("*")), before)
        said = [line for line in results[0].stderr.decode().splitlines() if line.startswith("t2v: error: ")]
        self.assertEqual(said, [line for line in results[1].stderr.decode().splitlines() if line.startswith("t2v: error: ")])
        return [line.removeprefix("t2v: error: ") for line in said]

    def done(self, prompts, *arguments, code=0, **options):
        """The paths that a batch tells it has written."""
        result = self.batch(prompts, *arguments, **options)
        self.assertEqual(result.returncode, code, result.stderr.decode())
        return result.stdout.decode().splitlines()

    def lines(self, name):
        """The objects of a .jsonl in the output folder."""
        return [json.loads(line) for line in (self.folder / "out" / name).read_text().splitlines()]

    def clips(self):
        """The names in the output folder, without the batch's own."""
        own = {"results.jsonl", "failed.jsonl", "index.html", "posters"}
        return sorted(entry.name for entry in (self.folder / "out").iterdir() if entry.name not in own)

    def lora(self, value, name="lora.safetensors"):
        """Adds to every number of the last bias; with NaN the clip fails while it is rendered."""
        tensors = {"diffusion_model.head.head.diff_b": ("F32", [64], floats(*[value] * 64))}
        write_tensors(self.folder / name, tensors)
        return name
