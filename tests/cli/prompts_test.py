"""Prompts: any text is text; what is not is refused (contract, fault case 25)."""

import os
import unittest

from support import ROOT, CommandTest

TINY = str(ROOT / "tests/fixtures/tiny-wan")


class PromptTest(CommandTest):
    def prompt_used(self, *arguments, **options):
        return self.settings("-m", TINY, "-o", "x.mkv", *arguments, **options)["prompt"]

    def write(self, data, name="prompt.txt"):
        (self.folder / name).write_bytes(data)
        return name

    def test_any_text_is_text(self):
        for prompt in ("{}", "%s%n", "$(touch pwned)", "../../x", "שלום عالم", "🦊 fox", "[a,b]", "a\nb", "-x marks it",
                       "--steps of a stair", "--", "=", "a" * 65536):  # fmt: skip
            with self.subTest(prompt=prompt[:20]):
                self.assertEqual(self.prompt_used("--prompt", prompt), prompt)
                self.assertEqual(self.prompt_used(f"-p={prompt}"), prompt)
        self.assertEqual(self.prompt_used("--prompt=--steps"), "--steps")

    def test_odd_prompts_render(self):
        for prompt in ("{}%s$(touch pwned)", "🦊" * 2000):
            result = self.run_t2v("-m", TINY, "-p", prompt, "-o", "x.mkv", "-y", "--size", "16x16", "--frames", "1",
                                  "--steps", "1")  # fmt: skip
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_files("x.mkv")

    def test_refused(self):
        for prompt in ("", " \t\n", b"a\xff", b"\xed\xa0\x80", "a" * 65537):
            with self.subTest(prompt=prompt[:20]):
                self.refused("-p", prompt, "-o", "x.mp4", parts=["--prompt"])
        self.refused("-p", "a", "-n", b"\xff", "-o", "x.mp4", parts=["--negative-prompt"])

    def test_file(self):
        for data, prompt in {
            b"a cat": "a cat",
            b"a cat\n": "a cat",
            b"\xef\xbb\xbfa cat\r\n": "a cat",
            b"a cat\non a mat\n\n": "a cat\non a mat",
            b"\xef\xbb\xbf" + b"a" * 65536 + b"\r\n": "a" * 65536,
        }.items():
            with self.subTest(data=data[:20]):
                self.assertEqual(self.prompt_used("--prompt-file", self.write(data)), prompt)

    def test_standard_input(self):
        name = self.write("ein Hündchen\n".encode())
        for arguments in (["--prompt-file", "-"], ["-p", "-"], ["--prompt=-"]):
            with open(self.folder / name, "rb") as file:
                self.assertEqual(self.prompt_used(*arguments, stdin=file), "ein Hündchen")

    def test_the_last_source_holds(self):
        name = self.write(b"a cat")
        self.assertEqual(self.prompt_used("--prompt-file", name, "-p", "a dog"), "a dog")
        self.assertEqual(self.prompt_used("-p", "a dog", "--prompt-file", name), "a cat")

    def test_files_that_are_refused(self):
        for data, said in {b"": "nothing", b"\n": "nothing", b" \n": "blanks", b"a\xff": "UTF-8", b"a" * 10**6: "65536"}.items():
            with self.subTest(said=said):
                name = self.write(data)
                self.refused("--prompt-file", name, "-o", "x.mp4", parts=["prompt.txt", said])
        self.refused("--prompt-file", "none.txt", "-o", "x.mp4", parts=["none.txt", "no such file"])
        self.refused("--prompt-file", ".", "-o", "x.mp4", parts=["from .:", "a folder"])
        self.refused("--prompt-file", "-", "-o", "x.mp4", parts=["standard input", "nothing"])
        self.refused("--prompt-file", "-", "-o", "x.mp4", parts=["standard input"], input=b"a" * 10**6)

    def test_closed_standard_input(self):
        self.refused("-p", "-", "-o", "x.mp4", parts=["standard input"], preexec_fn=lambda: os.close(0))


if __name__ == "__main__":
    unittest.main()
