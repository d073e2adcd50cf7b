"""What a batch saves: ten clips of the bundled model against ten commands, in processor time, which other programs hardly change."""

import resource
import unittest

from support import CommandTest

MOST = 0.72
ATTEMPTS = 3
THINGS = ["red ball", "blue box", "green star", "white heart", "blue ball", "green box", "red star", "blue heart", "green ball", "red box"]


class CostTest(CommandTest):
    def processor_time(self, *commands):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for command in commands:
            result = self.run_t2v(*command, "--threads", "1", "-q", "-y")
            self.assertEqual(result.returncode, 0, result.stderr.decode())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def test_ten_clips(self):
        prompts = [f"a {thing} moves up in the desert" for thing in THINGS]
        (self.folder / "prompts.txt").write_text("\n".join(prompts))
        alone = [["-p", prompt, "--seed", str(n), "-o", f"{n}.mp4"] for n, prompt in enumerate(prompts)]
        separate, together = [], []
        for attempt in range(ATTEMPTS):
            separate.append(self.processor_time(*alone))
            together.append(self.processor_time(["batch", "--prompts", "prompts.txt", "--seed-base", "0", "-o", f"out-{attempt}"]))
            if min(together) <= MOST * min(separate):
                break
        self.assertLessEqual(min(together), MOST * min(separate), f"batch {together} s, separate {separate} s")


if __name__ == "__main__":
    unittest.main()
