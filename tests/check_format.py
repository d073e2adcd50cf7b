#!/usr/bin/env python3
"""Checks that clang-format would change nothing in src/, include/ and tests/. Exit code 77: there is no clang-format here."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = 77


def main():
    tool = shutil.which("clang-format")
    if tool is None:
        print("skipped: clang-format is not installed")
        return SKIPPED
    files = sorted(str(path) for folder in ("src", "include", "tests") for path in (ROOT / folder).rglob("*")
                   if path.suffix in {".h", ".cpp", ".cu", ".cuh"})
    return subprocess.run([tool, "--dry-run", "-Werror", "--style=file", *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
