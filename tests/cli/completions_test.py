"""Shell completions and the man page: made from the one table of commands and flags."""

import re
import shutil
import subprocess
import unittest

from support import CommandTest

# Calls the completion function as bash does; the words and which of them is being typed are the arguments.
TRY = r"""
source ./script || exit 9
complete -p t2v >/dev/null || exit 8
COMP_CWORD=$1; shift
COMP_WORDS=("$@")
_t2v t2v "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}" 2>&1
printf '%s\n' "${COMPREPLY[@]}"
"""


class BashTest(CommandTest):
    def setUp(self):
        super().setUp()
        (self.folder / "script").write_bytes(self.script("bash"))

    def script(self, shell):
        result = self.run_t2v("completions", shell)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout

    def complete(self, *words):
        """What is offered for the last of the words that follow t2v."""
        result = subprocess.run(
            ["bash", "--norc", "-uc", TRY, "bash", str(len(words)), "t2v", *words],
            cwd=self.folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.assertEqual(result.stderr, "")
        return [line for line in result.stdout.splitlines() if line]

    def flags(self, *command):
        text = self.run_t2v(*command, "--help").stdout.decode()
        return set(re.findall(r"(?m)^  (?:-., |    )(--[\w-]+)", text))

    def test_commands(self):
        text = self.run_t2v("--help").stdout.decode()
        listed = re.search(r"Commands.*?\n(.*?)\n\n", text, re.DOTALL).group(1)
        commands = re.findall(r"(?m)^  (\w+)", listed)
        self.assertEqual(self.complete(""), commands)
        self.assertEqual(self.complete("rer"), ["rerun"])
        self.assertEqual(self.complete("help", "ver"), ["version"])
        for command in commands:
            self.assertEqual(set(self.complete(command, "--")), self.flags(command), command)

    def test_flags(self):
        self.assertEqual(self.complete("--guid"), ["--guidance-scale", "--guidance-scale-2"])
        self.assertEqual(self.complete("-p", "a cat", "--ste"), ["--steps"])
        self.assertEqual(self.complete("generate", "--ste"), ["--steps"])
        self.assertEqual(self.complete("version", "--ste"), [])

    def test_words(self):
        self.assertEqual(self.complete("--sampler", ""), ["unipc", "euler", "lcm", "dpm++"])
        self.assertEqual(self.complete("--sample_solver", "eu"), ["euler"])
        self.assertEqual(self.complete("--sampler", "=", "eu"), ["euler"])
        self.assertEqual(self.complete("--sampler", "="), ["unipc", "euler", "lcm", "dpm++"])
        self.assertEqual(self.complete("--device", "c"), ["cpu", "cuda"])
        self.assertEqual(self.complete("completions", ""), ["bash", "zsh", "fish"])
        self.assertEqual(self.complete("rerun", "--quality", "l"), ["lossless"])

    def test_files(self):
        (self.folder / "a clip.mp4").touch()
        (self.folder / "models").mkdir()
        for words in (["-o", ""], ["--config", ""], ["--lora", ""], ["--model", ""], ["rerun", ""], ["inspect", ""]):
            self.assertEqual(sorted(self.complete(*words)), ["a clip.mp4", "models", "script"], words)
        self.assertEqual(self.complete("--embeds-cache", ""), ["models"])
        self.assertEqual(self.complete("rerun", "a"), ["a clip.mp4"])
        self.assertEqual(self.complete("--prompt", ""), [])

    def test_eval(self):
        result = subprocess.run(
            ["bash", "--norc", "-c", 'eval "$(cat script)" && complete -p t2v'], cwd=self.folder, capture_output=True, check=True
        )  # fmt: skip
        self.assertEqual(result.stdout, b"complete -F _t2v t2v\n")

    def check_syntax(self, shell, *flags):
        script = self.script(shell)
        for word in (b"--guidance-scale", b"rerun", b"euler") if shell == "zsh" else (b"-l guidance-scale", b"rerun"):
            self.assertIn(word, script)
        if shutil.which(shell) is None:
            self.skipTest(shell + " is not installed")
        (self.folder / "other").write_bytes(script)
        result = subprocess.run([shell, *flags, "other"], cwd=self.folder, capture_output=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_zsh(self):
        self.check_syntax("zsh", "-n")

    def test_fish(self):
        self.check_syntax("fish", "--no-execute")

    def test_refused(self):
        self.refused("completions", "fich", parts=['"fich"', "the nearest is fish"])
        self.refused("completions", parts=["SHELL", "nothing"])


class ManPageTest(CommandTest):
    def setUp(self):
        super().setUp()
        result = self.run_t2v("help", "--man")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.page = result.stdout.decode()
        (self.folder / "t2v.1").write_text(self.page)

    def test_structure(self):
        self.assertRegex(self.page, r'\A\.TH T2V 1 "" "t2v \d+\.\d+\.\d+"')
        sections = re.findall(r"(?m)^\.SH (.*)$", self.page)
        self.assertEqual(sections[:3], ["NAME", "SYNOPSIS", "DESCRIPTION"])
        self.assertIn("EXIT STATUS", sections)
        self.assertEqual(self.page.count("\n.EX\n"), self.page.count("\n.EE\n"))
        for line in self.page.splitlines():
            self.assertRegex(line, r"\A(\.(TH|SH|SS|TP|PP|EX|EE)\b|\\&|[^.'])|\A\Z")
        for flag in re.findall(r"(?m)^  (?:-., |    )(--[\w-]+)", self.run_t2v("--help").stdout.decode()):
            self.assertIn("\\fB", self.page)
            self.assertIn(flag.replace("-", "\\-") + "\\fR", self.page, flag)

    def test_groff(self):
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        result = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww", "-rLL=80n", "t2v.1"], cwd=self.folder, capture_output=True, check=False
        )  # fmt: skip
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        shown = re.sub("\033\\[[0-9;]*m|.\b", "", result.stdout.decode())
        self.assertIn("t2v rerun clip.mp4 --seed 5", shown)


if __name__ == "__main__":
    unittest.main()
