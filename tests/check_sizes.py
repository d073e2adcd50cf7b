#!/usr/bin/env python3
"""Checks that functions, files, classes and structs in src/ and include/ stay small.

    check_sizes.py [ROOT]      first tries itself on small sources that break each limit, then checks the tree at ROOT

Reads the source as text in our clang-formatted style; macros and conditional compilation are not evaluated. A generated table has
the suffix .inc and no limit. Prints one line for each violation; exit code 1 if there is one.
"""

import re
import sys
from pathlib import Path

LINES_OF_FUNCTION = 40  # from the first line of its head to its last brace
LINES_OF_FILE = 400
METHODS = 20  # of a class or struct, public and private, without deleted ones
FIELDS = 15  # of a struct
SOURCE_SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}

SKIPPED = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | ^[ \t]*\#(?:[^\n\\]|\\.)* | R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)" | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)+'""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
TOKEN = re.compile(r"operator *(?:\(\)|\[\]|[^\w\s(]+)|::|->|[A-Za-z_]\w*|\d(?:[\w.']|[eE][+-])*|\S")
OPENING, CLOSING = "([{", ")]}"


class Token(str):
    """A word or a sign of the source, and its line."""

    line = 0


def tokens_of(text):
    """The tokens of a source; a comment or preprocessor line is none, a literal is one."""

    def blank(match):
        literal = match[0].lstrip()[0] in "\"'R"
        return ("0" if literal else " ") + "\n" * match[0].count("\n")

    tokens = []
    for number, line in enumerate(SKIPPED.sub(blank, text).split("\n"), start=1):
        for word in TOKEN.findall(line):
            token = Token(word)
            token.line = number
            tokens.append(token)
    return tokens


def matching(tokens, start):
    """The position of the bracket that closes the one at `start`."""
    depth = 0
    for position in range(start, len(tokens)):
        depth += (tokens[position] in OPENING) - (tokens[position] in CLOSING)
        if depth == 0:
            return position
    return len(tokens) - 1


def without_templates(statement):
    """The statement without the lists in angle brackets that stand before its "="."""
    kept, depth = [], 0
    for position, token in enumerate(statement):
        if token == "=" and depth == 0:
            return kept + statement[position:]
        if token == "<":
            depth += 1
        elif token == ">" and depth > 0:
            depth -= 1
        elif depth == 0:
            kept.append(token)
    return kept


def outermost(statement):
    """The tokens of a statement that stand in no round or square brackets; these are kept themselves."""
    kept, depth = [], 0
    for token in statement:
        depth -= token in CLOSING
        if depth == 0:
            kept.append(token)
        depth += token in OPENING
    return kept


def count_fields(statement):
    """The fields that one statement in a class declares; 0 if it declares something else."""
    words = without_templates(statement)
    if not words or words[0] in ("using", "typedef", "friend", "static", "static_assert", "template", "enum"):
        return 0
    if words[0] in ("class", "struct", "union") and len(words) == 2:
        return 0  # only declares it
    names = outermost(words)
    initial = names.index("=") if "=" in names else len(names)
    if "(" in names[:initial] and "*" not in words[words.index("(") : words.index("(") + 2]:
        return 0
    return 1 + names.count(",")


def is_method(statement):
    """Whether a statement that ends in ";" declares a method that is not deleted."""
    words = without_templates(statement)
    if not words or words[0] in ("using", "typedef", "friend", "static_assert") or "(" not in words:
        return False
    first = words.index("(")
    is_pointer = words[first + 1 : first + 2] == ["*"]
    return not is_pointer and "=" not in outermost(words[:first]) and words[-1] != "delete"


class Source:
    def __init__(self, text):
        self.tokens = tokens_of(text)
        self.problems = []  # (line, message)
        lines = text.count("\n")
        if lines > LINES_OF_FILE:
            self.problem(1, "file", lines, "lines", LINES_OF_FILE)
        self.read_scope(0, None)

    def problem(self, line, what, got, unit, limit):
        if got > limit:
            self.problems.append((line, f"{what} has {got} {unit}, expected at most {limit}"))

    def read_scope(self, position, owner):
        """Reads declarations up to the end of a namespace or of the class `owner`; returns the position of its brace."""
        statement = []
        while position < len(self.tokens):
            token = self.tokens[position]
            if token == "}":
                return position
            if token == ";":
                if owner is not None:
                    owner.add(statement)
                statement = []
            elif token == ":" and statement and statement[-1] in ("public", "private", "protected"):
                statement = []
            elif token in "([":
                end = matching(self.tokens, position)
                statement += self.tokens[position : end + 1]
                position = end
            elif token == "{":
                position, statement = self.read_braces(position, statement, owner)
            else:
                statement.append(token)
            position += 1
        return position

    def read_braces(self, position, statement, owner):
        """Reads what stands in braces; returns the position of the last one and what the statement still is."""
        end = matching(self.tokens, position)
        words = without_templates(statement)
        outer = outermost(words)
        assigns = "=" in outer
        if not assigns and ("namespace" in outer or outer[:1] == ["extern"] and len(outer) == 2):
            return self.read_scope(position + 1, None), []
        if not assigns and "(" not in outer and "enum" in outer:
            return end, []
        if not assigns and "(" not in outer and {"class", "struct", "union"} & set(outer):
            self.read_class(position, outer)
            return end, ["type"]  # up to the next ";", of a variable or of nothing
        if assigns or not self.is_body(outer):
            return end, [*statement, "{", "}"]
        first, name = statement[0].line, outer[outer.index("(") - 1]
        self.problem(first, f"function {name}", self.tokens[end].line - first + 1, "lines", LINES_OF_FUNCTION)
        if owner is not None and outer[0] != "friend":
            owner.methods += 1
        return end, []

    @staticmethod
    def is_body(outer):
        """Whether braces after these words hold a function's body, and not a value."""
        if "(" not in outer:
            return False
        head = outer.index("(") + 1
        in_initializers = ":" in outer[head:]
        return not in_initializers or outer[-1] in CLOSING

    def read_class(self, position, outer):
        start = next(i for i, word in enumerate(outer) if word in ("class", "struct", "union"))
        owner = Class(outer[start], next((word for word in outer[start + 1 :] if word.isidentifier()), "without a name"))
        self.read_scope(position + 1, owner)
        line = self.tokens[position].line
        self.problem(line, f"{owner.kind} {owner.name}", owner.methods, "methods", METHODS)
        if owner.kind == "struct":
            self.problem(line, f"{owner.kind} {owner.name}", owner.fields, "fields", FIELDS)


class Class:
    def __init__(self, kind, name):
        self.kind, self.name = kind, name
        self.methods = self.fields = 0

    def add(self, statement):
        """Counts what a statement that ends in ";" declares."""
        if statement == ["type"]:
            return
        self.methods += is_method(statement)
        self.fields += count_fields(statement)


def function(head, lines):
    """A function of so many lines."""
    return "\n".join([head + " {", *["  work();"] * (lines - 2), "}"]) + "\n"


def record(kind, members):
    return f"namespace t2v {{\n{kind} A {{\n" + "".join(f"  {member}\n" for member in members) + "};\n}\n"


FIELD_EXAMPLES = [
    "int a;", "std::map<int, std::pair<int, int>> b = {};", "std::function<void(int, int)> c;", "Plan (*d)(int, const A&);",
    "double e = 0, f = g(1, 2);", "const char* h = nullptr;  // , i", "std::array<int, 3> j{1, 2, 3};", "struct { int k; } l;",
]  # fmt: skip
NO_FIELDS = [
    "using B = int;", "static constexpr int kC = 1;", "struct D;", "bool operator==(const A&) const = default;", "enum class E { kF, kG };",
    "int h() const;", "std::vector<int> i(int a = 1) { return {a}; }", "template <typename T> T j(T a);",
]  # fmt: skip
METHOD_EXAMPLES = ["A(int a);", "~A() = default;", "A& operator=(const A&);", "int b() const { return 1; }", "static int c(std::function<int()> d);"]
NO_METHODS = ["A(const A&) = delete;", "int a = b(1);", "std::function<int(int)> c;", "int (*d)(int);", "using E = int(int);", "friend int f(A);"]
# A source that breaks no limit.
GOOD = [
    "#include <a>\n" * LINES_OF_FILE,
    function("void a()", LINES_OF_FUNCTION),
    function("A::A(int b) : b_{b}, c_(b)", LINES_OF_FUNCTION),
    "const std::vector<A> kTable = {\n" + '    {"}", [](int a) { return a; }},\n' * 80 + "};\n",
    'const char* kText = R"(\n' + "}{\n" * 80 + ')";\n' + function("void a()", LINES_OF_FUNCTION),
    record("struct", [f"int a{i};" for i in range(FIELDS)] + NO_FIELDS),
    record("class", [f"int a{i}();" for i in range(METHODS)] + NO_METHODS),
    record("class", [f"int a{i};" for i in range(80)]),
]
# A source that breaks a limit, and a part of what has to be said about it.
BAD = [
    ("#include <a>\n" * (LINES_OF_FILE + 1), f"file has {LINES_OF_FILE + 1} lines"),
    (function("void a()", LINES_OF_FUNCTION + 1), f"function a has {LINES_OF_FUNCTION + 1} lines"),
    (function("int A::b(int c,\n         int d) const noexcept", LINES_OF_FUNCTION), "function b has 41 lines"),
    (function("A::A(int b)\n    : b_{b}, c_(b)", LINES_OF_FUNCTION), "function A has 41 lines"),
    (function("auto a() -> std::vector<int>", LINES_OF_FUNCTION + 1), "function a has 41 lines"),
    ("namespace {\n" + function('extern "C" int a(char b = \'{\')', LINES_OF_FUNCTION + 1) + "}\n", "function a has 41 lines"),
    (record("class", [function("bool operator==(const A& a) const", LINES_OF_FUNCTION + 1)]), "function operator== has 41 lines"),
    *[(record("struct", [f"int x{i};" for i in range(FIELDS)] + [member]), "struct A has") for member in FIELD_EXAMPLES],
    *[(record("class", [f"int x{i}();" for i in range(METHODS)] + [member]), "class A has 21 methods") for member in METHOD_EXAMPLES],
    (record("class", ["struct A {"] + [f"int x{i};" for i in range(FIELDS + 1)] + ["};"]), "struct A has 16 fields"),
]


def self_test():
    failures = [f"{text[:60]!r}: {problem}" for text in GOOD for problem in Source(text).problems]
    for text, expected in BAD:
        found = [message for _, message in Source(text).problems]
        if len(found) != 1 or expected not in found[0]:
            failures.append(f"{text[-200:]!r}: expected {expected!r}, got {found}")
    return failures


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    failures = [f"self-test: {failure}" for failure in self_test()]
    files = sorted(path for part in ("src", "include") for path in (root / part).rglob("*") if path.suffix in SOURCE_SUFFIXES)
    for path in files:
        failures += [f"{path.relative_to(root)}:{line}: {message}" for line, message in Source(path.read_text()).problems]
    for failure in failures:
        print(failure)
    print(f"{len(files)} files, {len(failures)} problems")
    return 1 if failures or not files else 0


if __name__ == "__main__":
    sys.exit(main())
