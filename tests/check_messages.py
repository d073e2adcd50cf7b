#!/usr/bin/env python3
"""Checks that messages of the library speak of settings in backquotes, and only the command of flags.

    check_messages.py [ROOT]      first tries itself on small sources, then checks the tree at ROOT

No string outside src/cli holds "--" before a letter, and each name in backquotes or in setting("...") is the name of a
flag there, so that the command can show the flag. Prints one line for each violation; exit code 1 if there is one.
"""

import re
import sys
from pathlib import Path

SKIPPED = re.compile(r"""//[^\n]*|/\*.*?\*/|'(?:[^'\\\n]|\\.)'|(R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:[^"\\\n]|\\.)*")""", re.DOTALL)
FLAG = re.compile(r"--[A-Za-z]")
FLAG_NAME = re.compile(r'"--([a-z0-9-]+)"')
SETTING = re.compile(r"`(\w+)`")
SETTING_CALL = re.compile(r'\bsetting\("(\w+)"')


def strings_of(text):
    """The string literals of a source, each with its line."""
    return [(text.count("\n", 0, found.start()) + 1, found[1]) for found in SKIPPED.finditer(text) if found[1]]


def problems_of(text, flags):
    problems = []
    names = [(text.count("\n", 0, found.start()) + 1, found[1]) for found in SETTING_CALL.finditer(text)]
    for line, string in strings_of(text):
        if FLAG.search(string):
            problems.append((line, f"{string} speaks of a flag: write the name of the setting in backquotes"))
        names += [(line, name) for name in SETTING.findall(string)]
    return problems + [(line, f"`{name}` is the name of no flag") for line, name in names if name not in flags]


def flags_in(root):
    """The names of all flags, as settings are written."""
    text = "".join(path.read_text() for path in sorted((root / "src/cli").rglob("*.cpp")))
    return {name.replace("-", "_") for name in FLAG_NAME.findall(text)}


def self_test():
    good = ['x = "use `crf` 3";  // or --crf', "--count;", 'y = R"(a - b)"; char c = \'"\'; --left;', '/* "--crf" */', 'setting("crf", z)']
    bad = ['x = "use --crf 3";', 'y = R"(use\n--crf)";', 'x = "use `crv` 3";', 'setting("crv")', 'c = \'"\'; x = "--crf";']
    failures = [f"self-test: {text!r} is refused" for text in good if problems_of(text, {"crf"})]
    return failures + [f"self-test: {text!r} passes" for text in bad if len(problems_of(text, {"crf"})) != 1]


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    failures, flags, count = self_test(), flags_in(root), 0
    for path in sorted([*(root / "src").rglob("*"), *(root / "include").rglob("*")]):
        if path.suffix not in {".h", ".cpp", ".cu", ".cuh"} or root / "src/cli" in path.parents:
            continue
        count += 1
        failures += [f"{path.relative_to(root)}:{line}: {problem}" for line, problem in problems_of(path.read_text(), flags)]
    for failure in failures:
        print(failure)
    print(f"{count} files, {len(flags)} flags, {len(failures)} problems")
    return 1 if failures or not count or not flags else 0


if __name__ == "__main__":
    sys.exit(main())
