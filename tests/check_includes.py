#!/usr/bin/env python3
"""Checks who includes whom, who links whom and who names a model family, in src/ and include/.

    check_includes.py [ROOT]      first tries itself on small trees that break each rule, then checks the tree at ROOT

Prints one line for each violation; exit code 1 if there is one.
"""

import re
import sys
import tempfile
from pathlib import Path

# The wings of src/, and what each may use: wings, or rooms of them.
WING_MAY_USE = {
    "core": "",
    "media": "core",
    "text": "core",
    "families": "core",
    "files": "core families",
    "tensors": "core families files",
    "networks": "core families files tensors",
    "sampling": "core tensors",
    "engine": "core media text families files tensors networks sampling",
    "api": "core media text families files sampling/names engine/interface",
    "cli": "core media/images media/formats",
}
# The rooms inside a wing, and what each may use in that wing; "." is the wing's own folder.
ROOM_MAY_USE = {wing: {room: set(others.split()) for room, others in rooms.items()} for wing, rooms in {
    "core": {".": ""},
    "media": {"images": "", "formats": "", ".": "images formats"},
    "text": {".": ""},
    "families": {".": "FAMILY", "FAMILY": "."},  # the folder of each family
    "files": {"formats": "", "checkpoints": "formats", "hub": ""},
    "tensors": {".": "", "kernels": ".", "quantization": ". kernels", "weights": ". quantization", "distributed": "."},
    "networks": {"layers": "", "text_encoders": "layers", "transformers": "layers", "autoencoders": "layers"},
    "sampling": {"names": "", "schedulers": "names", "guidance": "", "caching": "names"},
    "engine": {"interface": "", "pipelines": "interface", "clips": "interface pipelines",
               "planning": "interface pipelines clips", "bench": "interface pipelines clips planning",
               "conversion": "interface pipelines clips planning",
               ".": "interface pipelines clips planning bench conversion"},
    "api": {".": ""},
    "cli": {"screen": "", "flags": "screen", "batch": "screen flags", "bench": "screen flags",
            ".": "screen flags batch bench"},
}.items()}
# Rooms that stand lower than their wing.
LOW_ROOMS = {"sampling/names": "core families", "engine/interface": "core media families files sampling/names"}
WITHOUT_LIBTORCH = {"core", "media", "text", "families", "files", "sampling/names", "engine/interface", "api", "cli"}
# The command and the engine use the library by its public headers alone, and link it.
LINKS_LIBRARY = {("cli", "api"), ("engine", "api")}
# Public headers that every room may use; the others are those of api, cli and engine.
# log.h and process.h are settings of the process that any room reads.
VOCABULARY = {"error.h", "run.h", "limits.h", "log.h", "process.h"}
LIBTORCH = re.compile(r"(ATen|c10|caffe2|torch)/")
# Headers and link targets that only the named folders may touch.
OWNED_HEADERS = {
    re.compile(r"lib(av\w*|sw\w+)/"): {"media"},
    re.compile(r"(curl|openssl)/"): {"files/hub"},
    re.compile(r"sentencepiece|utf8proc"): {"text"},
    re.compile(r"torch/csrc/distributed/"): {"tensors/distributed"},
}
OWNED_TARGETS = {
    "PkgConfig::LIBAV": "media",
    "PkgConfig::LIBCURL": "files/hub",
    "PkgConfig::LIBCRYPTO": "files/hub",
    "PkgConfig::SENTENCEPIECE": "text",
    "PkgConfig::UTF8PROC": "text",
}
SOURCE_SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}
# A family's name stands in its own folder, in files that have it in their own name, here, and in help texts of cli.
FAMILY_REGISTRIES = {"src/families/registry.cpp", "src/engine/pipelines/registry.cpp"}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # "AutoencoderKLWan" -> Autoencoder, KL, Wan
LITERAL = re.compile(r'R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:[^"\\\n]|\\.)*"', re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)"|(.*))', re.MULTILINE)
COMMAND = re.compile(r"(\w+)\s*\(([^()]*)\)")


def wing_of(room):
    return room.split("/")[0]


def entry_of(wing, inside):
    """The entry of ROOM_MAY_USE for a folder of a wing."""
    return "FAMILY" if wing == "families" and inside and "/" not in inside else inside or "."


def is_room(room):
    wing, _, inside = room.partition("/")
    return entry_of(wing, inside) in ROOM_MAY_USE.get(wing, ())


def may_use(user, used, header=""):
    """Whether a room may use another one, or one of the public headers, which are the room None."""
    if user == used:
        return True
    if used is None:
        return wing_of(user) in ("api", "cli", "engine") or header in VOCABULARY
    if user is None:
        return False
    wing, _, inside = user.partition("/")
    other_wing, _, other_inside = used.partition("/")
    if wing == other_wing:
        return entry_of(wing, other_inside) in ROOM_MAY_USE[wing].get(entry_of(wing, inside), ())
    allowed = LOW_ROOMS.get(user, WING_MAY_USE.get(wing, "")).split()
    return other_wing in allowed or used in allowed


def words_of(text):
    return {word.lower() for word in WORD.findall(text)}


def is_without_libtorch(room):
    return room is not None and (room in WITHOUT_LIBTORCH or wing_of(room) in WITHOUT_LIBTORCH)


class Target:
    """A CMake target as far as the rules are about it."""

    def __init__(self, folder):
        self.folder = folder  # "files/formats"
        self.sources = []
        self.links = []
        self.libtorch = False


class Tree:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.families = {path.name for path in (root / "src/families").glob("*") if path.is_dir()}
        self.files = {}  # path -> its includes, as paths of ours or as the names of headers of others
        for path in sorted([*(root / "src").rglob("*"), *(root / "include").rglob("*")]):
            if path.suffix in SOURCE_SUFFIXES:
                self.files[path] = self.read_includes(path)
        self.targets = {}
        for path in sorted((root / "src").rglob("CMakeLists.txt")):
            self.read_targets(path)

    def problem(self, path, message):
        self.problems.append(f"{path.relative_to(self.root)}: {message}")

    def room(self, path):
        """The room of src/ that a file is in: "core", "files/formats"; None for the public headers."""
        parts = path.relative_to(self.root).parts
        return "/".join(parts[1:-1]) if parts[0] == "src" else None

    def read_includes(self, path):
        includes = []
        for others, ours, macro in INCLUDE.findall(path.read_text()):
            if macro:
                self.problem(path, f"#include {macro.strip()}: a macro hides what is included")
            elif others:
                includes.append(others)
            else:
                places = (path.parent / ours, self.root / "src" / ours, self.root / "include" / ours)
                found = next((place for place in places if place.is_file()), None)
                if found is None:
                    self.problem(path, f'"{ours}" is not a file of ours')
                else:
                    includes.append(found.resolve())
        return includes

    def read_targets(self, path):
        text = re.sub(r"#.*", "", path.read_text())
        for command, arguments in COMMAND.findall(text):
            name, *words = arguments.split() or [""]
            if command in ("t2v_library", "add_library", "add_executable"):
                target = self.targets[name] = Target(self.room(path))
                target.libtorch = "TENSORS" in words
                target.sources = [path.parent / word for word in words if Path(word).suffix in SOURCE_SUFFIXES]
                if "LINKS" in words:
                    target.links = words[words.index("LINKS") + 1:]
            elif command == "target_link_libraries" and name in self.targets:
                self.targets[name].links += words
                self.targets[name].libtorch |= "libtorch" in words
            elif command == "target_precompile_headers" and name in self.targets:
                self.targets[name].libtorch |= "t2v_tensor_pch" in words

    def libtorch_path(self, path, seen):
        """How a file comes to include LibTorch: the chain of headers; None if it does not."""
        seen.add(path)
        for include in self.files.get(path, []):
            if isinstance(include, str):
                if LIBTORCH.match(include):
                    return f"<{include}>"
            elif include not in seen:
                rest = self.libtorch_path(include, seen)
                if rest:
                    return f"{include.relative_to(self.root)} -> {rest}"
        return None

    def check_file(self, path):
        room = self.room(path)
        if room is not None and not is_room(room):
            self.problem(path, f"src/{room} is not a room of the design")
            return
        for include in self.files[path]:
            if isinstance(include, str):
                self.check_header_of_others(path, room, include)
            elif not may_use(room, self.room(include), include.name):
                self.problem(path, f"{room or 'include'} may not include {include.relative_to(self.root)}")
        if is_without_libtorch(room):
            self.check_without_libtorch(path, f"src/{room}")

    def check_header_of_others(self, path, room, header):
        if room is None and not re.fullmatch(r"[a-z_]+", header):
            self.problem(path, f"<{header}>: a public header includes the standard library alone")
        if header == "torch/torch.h":
            self.problem(path, "<torch/torch.h> takes half a minute a file: include tensors/tensor.h")
        if header == "nlohmann/json.hpp" and path.suffix == ".h":
            self.problem(path, "<nlohmann/json.hpp> in a header: <nlohmann/json_fwd.hpp> is enough")
        if room is not None and wing_of(room) == "cli" and "/" in header and not re.match(r"(nlohmann|sys)/", header):
            self.problem(path, f"<{header}>: cli sees the standard library and json alone")
        for pattern, owners in OWNED_HEADERS.items():
            if pattern.match(header) and room not in owners:
                self.problem(path, f"<{header}> belongs to src/{' and src/'.join(sorted(owners))}")

    def check_without_libtorch(self, path, who):
        chain = self.libtorch_path(path, set())
        if chain:
            self.problem(path, f"{who} compiles without LibTorch, but this includes {chain}")

    def check_family_names(self, path):
        name = str(path.relative_to(self.root))
        if name in FAMILY_REGISTRIES:
            return
        text = path.read_text()
        if name.startswith("src/cli/"):
            text = LITERAL.sub(lambda literal: "\n" * literal[0].count("\n"), text)
        for number, line in enumerate(text.split("\n"), start=1):
            for family in sorted(words_of(line) & self.families - words_of(name)):
                self.problem(path, f"line {number} names the family {family}: only the family's own files may")

    def check_target(self, name, target):
        makefile = self.root / "src" / target.folder / "CMakeLists.txt"
        for link in target.links:
            of_ours = self.targets.get(link)
            upward = of_ours and not may_use(target.folder, of_ours.folder) and (wing_of(target.folder), of_ours.folder) not in LINKS_LIBRARY
            if upward or OWNED_TARGETS.get(link, target.folder) != target.folder:
                self.problem(makefile, f"{name} may not link {link}")
            if link.startswith("t2v_") and not of_ours and link != "t2v_options":
                self.problem(makefile, f"{name} links {link}, which no room of src/ defines")
        if not target.libtorch and not is_without_libtorch(target.folder):
            for source in target.sources:
                self.check_without_libtorch(source, name)

    def check(self):
        for path in self.files:
            self.check_file(path)
            self.check_family_names(path)
        for name, target in self.targets.items():
            self.check_target(name, target)
        return self.problems


GOOD = {
    "include/t2v/error.h": "#include <string>\n",
    "include/t2v/generate.h": "#include <string>\n",
    "src/tensors/tensor.h": '#include <ATen/ATen.h>\n#include "t2v/error.h"\n',
    "src/core/config.h": "#include <nlohmann/json_fwd.hpp>\n",
    "src/core/config.cpp": '#include "core/config.h"\n#include <nlohmann/json.hpp>\n',
    "src/core/CMakeLists.txt": "add_library(t2v_core SHARED config.cpp)\ntarget_link_libraries(t2v_core PRIVATE dl)\n",
    "src/families/family.h": "// a swan is no family\n",
    "src/families/wan/names.cpp": "// Wan2.1\n",
    "src/families/registry.cpp": '#include "families/wan/names.cpp"\n',
    "src/families/CMakeLists.txt": "t2v_library(t2v_families SOURCES registry.cpp wan/names.cpp LINKS t2v_core)\n",
    "src/networks/layers/wan_blocks.h": "class WanBlock;\n",
    "src/media/libav.h": "extern \"C\" {\n#include <libavutil/frame.h>\n}\n",
    "src/media/a.cpp": '#include "core/config.h"\n#include "media/libav.h"\n',
    "src/media/CMakeLists.txt": "t2v_library(t2v_media SOURCES a.cpp LINKS t2v_core)\n",
    "src/sampling/schedulers/a.cpp": '#include "tensors/tensor.h"\n',
    "src/sampling/schedulers/CMakeLists.txt": "t2v_library(t2v_schedulers SOURCES a.cpp LINKS t2v_core TENSORS)\n",
    "src/api/check.cpp": '#include "core/config.h"\n',
    "src/api/CMakeLists.txt": "add_library(t2v_api SHARED check.cpp)\n",
    "src/cli/screen/streams.h": '#include <sys/stat.h>\n#include "t2v/error.h"\n',
    "src/cli/flags/flags.h": '#include "cli/screen/streams.h"\n',
    "src/cli/main.cpp": '#include "cli/flags/flags.h"\n#include "core/config.h"\nconst char* help = R"(\n  t2v pull wan2.1\n)", *one = "Wan";\n',
    "src/cli/CMakeLists.txt": "add_executable(t2v main.cpp)\ntarget_link_libraries(t2v PRIVATE t2v_api)\n",
}
# A file that breaks a rule, in place of the good one, and a part of what has to be said about it.
BAD = [
    ("src/sampling/schedulers/a.cpp", '#include "media/libav.h"', "sampling/schedulers may not include src/media/libav.h"),
    ("src/core/config.cpp", '#include "media/libav.h"', "core may not include"),
    ("src/cli/main.cpp", '#include "media/libav.h"', "cli may not include"),
    ("src/cli/main.cpp", "#include <spdlog/spdlog.h>", "cli sees the standard library and json alone"),
    ("src/cli/screen/streams.h", '#include "cli/flags/flags.h"', "cli/screen may not include src/cli/flags/flags.h"),
    ("src/media/a.cpp", "#include <ATen/ATen.h>", "src/media compiles without LibTorch"),
    ("src/media/libav.h", '#include "tensors/tensor.h"', "src/tensors/tensor.h -> <ATen/ATen.h>"),
    ("src/core/config.cpp", '#include "tensors/tensor.h"', "src/core compiles without LibTorch"),
    ("src/api/check.cpp", '  #  include "tensors/tensor.h"', "src/api compiles without LibTorch"),
    ("include/t2v/error.h", "#include <nlohmann/json_fwd.hpp>", "standard library alone"),
    ("include/t2v/error.h", "#include <unistd.h>", "standard library alone"),
    ("include/t2v/error.h", '#include "core/config.h"', "include may not include"),
    ("src/core/config.h", "#include <nlohmann/json.hpp>", "json_fwd"),
    ("src/tensors/tensor.h", "#include <torch/torch.h>", "torch/torch.h"),
    ("src/api/check.cpp", "#include <libavformat/avformat.h>", "belongs to src/media"),
    ("src/sampling/schedulers/a.cpp", "#include <curl/curl.h>", "belongs to src/files/hub"),
    ("src/core/config.cpp", '#include "t2v/generate.h"', "core may not include include/t2v/generate.h"),
    ("src/media/a.cpp", '#include "nowhere.h"', '"nowhere.h" is not a file of ours'),
    ("src/media/a.cpp", "#include HEADER", "a macro hides"),
    ("src/samplers/a.cpp", "", "src/samplers is not a room of the design"),
    ("src/media/a.cpp", "// as\n// AutoencoderKLWan", "line 2 names the family wan"),
    ("src/families/family.h", "int wan_parts;", "names the family wan"),
    ("src/cli/main.cpp", "// of Wan", "names the family wan"),
    ("src/media/CMakeLists.txt", "t2v_library(t2v_media SOURCES a.cpp LINKS t2v_schedulers)", "t2v_media may not link"),
    ("src/cli/CMakeLists.txt", "add_executable(t2v main.cpp)\ntarget_link_libraries(t2v PRIVATE t2v_media)", "t2v may not link"),
    ("src/api/CMakeLists.txt", "add_library(t2v_api SHARED check.cpp)\ntarget_link_libraries(t2v_api PRIVATE PkgConfig::LIBAV)",
     "t2v_api may not link PkgConfig::LIBAV"),
    ("src/media/CMakeLists.txt", "t2v_library(t2v_media SOURCES a.cpp LINKS t2v_kore)", "which no room of src/ defines"),
]


def problems_of(files):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Tree(root).check()


def self_test():
    failures = [f"a clean tree: {problem}" for problem in problems_of(GOOD)]
    for name, text, expected in BAD:
        found = problems_of(GOOD | {name: text + "\n"})
        if not any(problem.startswith(name) and expected in problem for problem in found):
            failures.append(f"{name} with {text!r}: expected {expected!r}, got {found}")
    return failures


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    failures = [f"self-test: {failure}" for failure in self_test()]
    tree = Tree(root)
    failures += tree.check()
    for failure in failures:
        print(failure)
    print(f"{len(tree.files)} files, {len(tree.targets)} targets, {len(failures)} problems")
    return 1 if failures or not tree.files or not tree.targets else 0


if __name__ == "__main__":
    sys.exit(main())
