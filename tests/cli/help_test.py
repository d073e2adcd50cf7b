"""--help, --version and what a mistyped command line is told."""

import re
import subprocess
import unittest

from support import BINARY, QUICK, CommandTest, environment


def loaded_libraries(folder, *arguments):
    result = subprocess.run(
        [BINARY, *arguments], cwd=folder, env=environment(LD_DEBUG="files"), capture_output=True, check=False
    )
    return result.stderr.decode(errors="replace")


class HelpTest(CommandTest):
    def help_lines(self, *command):
        result = self.run_t2v(*command, "--help")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout.decode().splitlines()

    def commands(self):
        lines = self.help_lines()
        begin = next(number for number, line in enumerate(lines) if line.startswith("Commands"))
        end = lines.index("", begin)
        self.assertLess(end, 32, "the list of commands is near the top")
        return [line.split()[0] for line in lines[begin + 1 : end]]

    def test_help_fits_80_columns(self):
        for command in self.commands():
            self.assertEqual([line for line in self.help_lines(command) if len(line) > 80], [], command)

    def test_every_command_has_its_own_help(self):
        commands = self.commands()
        self.assertLessEqual({"generate", "help", "version"}, set(commands))
        titles = {self.help_lines(command)[0] for command in commands}
        self.assertEqual(len(titles), len(commands))
        for command in commands:
            self.assertEqual(self.run_t2v("help", command).stdout, self.run_t2v(command, "--help").stdout)
        self.assertEqual(self.run_t2v("help").stdout, self.run_t2v("--help").stdout)

    def test_examples_come_first(self):
        for command in self.commands():
            lines = self.help_lines(command)
            self.assertTrue(lines[0].startswith("t2v"), lines[0])
            if command != "version":
                self.assertLess(lines.index("Examples"), min(4, lines.index("Usage")), command)
            self.assertLess(lines.index("Usage"), lines.index("General"), command)

    def test_where_values_come_from_is_explained(self):
        text = "\n".join(self.help_lines())
        for words in ("T2V_STEPS=20", "--config FILE", "t2v config", "preset"):
            self.assertIn(words, text)

    def test_exit_codes(self):
        lines = self.help_lines()
        table = lines[lines.index("Exit codes") + 1 :]
        codes = [line.split()[0].rstrip(",") for line in table if line[2:3].isdigit()]
        self.assertEqual(codes, [*map(str, range(9)), "129"])
        page = self.run_t2v("help", "--man").stdout.decode()
        self.assertIn("\n".join(table).strip(), page.partition(".SH EXIT STATUS")[2].replace("\\-", "-"))

    def test_every_spelling_of_help(self):
        text = self.run_t2v("--help").stdout
        for arguments in (["-h"], ["generate", "--help"], ["--steps", "5", "--help"], ["-qh"], ["--nonsense", "-h"]):
            self.assertEqual(self.run_t2v(*arguments).stdout, text, arguments)

    def test_every_flag_of_the_help_is_accepted(self):
        flags = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", "\n".join(self.help_lines())))
        self.assertGreater(len(flags), 40)
        for flag in flags - {"--help", "-h", "--version"}:
            self.assertNotIn("unknown flag", self.run_t2v(flag, "-m", "missing").stderr.decode(), flag)

    def test_version(self):
        for words in (["--version"], ["version"], ["help", "--version"], ["-p", "a", "--version"]):
            result = self.run_t2v(*words)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertRegex(result.stdout.decode(), r"^t2v \d+\.\d+\.\d+\n$")

    def test_answers_do_not_load_libtorch(self):
        for arguments in (["--help"], ["--version"], ["--steps", "0"], ["-p", "a", "-o", "clip.foo"]):
            self.assertNotIn("libtorch", loaded_libraries(self.folder, *arguments), arguments)
        # The check itself: who renders does load it.
        self.assertIn("libtorch", loaded_libraries(self.folder, *QUICK, "-o", "clip.mp4"))

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([BINARY, "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(result.returncode, 4)
        self.assertIn(b"standard output", result.stderr)


class DidYouMeanTest(CommandTest):
    def test_mistyped_flags(self):
        for typed, meant in {
            "--step": "--steps",
            "--promt": "--prompt",
            "--otput=x.mp4": "--output",
            "--guidance": "--guidance-scale",
            "--num_frame": "--num-frames",
            "--overwrit": "--overwrite",
        }.items():
            self.refused(typed, "1", parts=["unknown flag " + typed.split("=")[0], f"did you mean {meant}?"])

    def test_nothing_like_it(self):
        self.refused("--zyzzyva", parts=["unknown flag --zyzzyva", "--help"])
        self.refused("-z", parts=["unknown flag -z", "--help"])

    def test_commands(self):
        self.refused("genrate", "-p", "a", parts=['unknown command "genrate"', "did you mean generate?"])
        self.refused("versoin", parts=['unknown command "versoin"', "did you mean version?"])
        self.refused("help", "genrate", parts=['unknown command "genrate"', "did you mean generate?"])
        self.refused("frobnicate", parts=['unknown command "frobnicate"', "--help"])
        self.refused("a red ball", parts=["unknown command", "--prompt"])
        self.refused("-q", "version", parts=['"version"', "comes first: t2v version"])

    def test_what_a_command_does_not_take(self):
        self.refused("version", "--steps", "5", parts=["unknown flag --steps", "t2v version --help"])
        self.refused("version", "5", parts=['"5"', "t2v version takes"])

    def test_control_characters_are_escaped(self):
        self.refused("--\033[31mred", parts=["\\x1b[31mred"])

    def test_unquoted_prompt(self):
        self.refused("--prompt", "a", "red", "ball", "-o", "x.mp4", parts=['"red"', "quote"])


if __name__ == "__main__":
    unittest.main()
