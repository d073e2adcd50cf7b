#!/usr/bin/env python3
"""Writes src/text/html_entities.inc: Python's HTML5 entities, and those that ftfy also reads in capitals.

usage: make_html_entities.py [REPOSITORY]
"""

import html
import pathlib
import sys
from html.entities import html5

COLUMNS = 110


def literal(text):
    """A C++ string literal of UTF-8: octal escapes, because a hexadecimal one would swallow the characters after it."""
    plain = "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}" for byte in text.encode())
    return f'"{plain}"'


def in_capitals(name):
    """What ftfy reads `name` in capitals as, or None if it does not."""
    if not name.endswith(";") or name != name.lower():
        return None
    capitals = "&" + name.upper()
    return html5[name].upper() if html.unescape(capitals) == capitals else None


def rows():
    for name in sorted(html5, key=str.encode):
        capitals = in_capitals(name)
        third = "" if capitals is None else ", " + ("kSame" if capitals == html5[name] else literal(capitals))
        yield f"{{{literal(name)}, {literal(html5[name])}{third}}},"


def main():
    lines = ["// Made by scripts/make_html_entities.py: name, value, value of the name in capitals. Sorted by name."]
    line = ""
    for row in rows():
        if len(line) + 1 + len(row) > COLUMNS:
            lines.append(line)
            line = ""
        line += " " * bool(line) + row
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    (root / "src/text/html_entities.inc").write_text("\n".join([*lines, line]) + "\n")


if __name__ == "__main__":
    main()
