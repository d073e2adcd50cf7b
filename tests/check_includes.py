#!/usr/bin/env python3
"""Checks who includes whom, and who links whom, in src/ and include/.

    check_includes.py [ROOT]      first tries itself on small trees that break each rule, then checks the tree at ROOT

Prints one line for each violation; exit code 1 if there is one.
"""

import re
import sys
import tempfile
from pathlib import Path

MODEL_PARTS = "core weights layers distributed"
MAY_USE = {folder: set(others.split()) for folder, others in {
    "core": "",
    "text": "core",
    "hub": "core",
    "media": "core",
    "checkpoints": "core",
    "weights": "core checkpoints",
    "kernels": "core",
    "distributed": "core",
    "schedulers": "core",
    "guidance": "core",
    "caching": "core",
    "quantization": "core weights kernels",
    "layers": "core weights kernels quantization distributed",
    "text_encoders": MODEL_PARTS,
    "autoencoders": MODEL_PARTS,
    "transformers": MODEL_PARTS + " caching",
    "pipelines": "core checkpoints weights text text_encoders transformers schedulers guidance caching autoencoders distributed",
    "api": "core checkpoints hub media weights schedulers caching pipelines quantization",
    "cli": "",
}.items()}
WITHOUT_LIBTORCH = {"text", "checkpoints", "hub", "media", "cli"}
LIBTORCH = re.compile(r"(ATen|c10|caffe2|torch)/")
# Headers and link targets that only the named folders may touch.
OWNED_HEADERS = {
    re.compile(r"lib(av\w*|sw\w+)/"): {"media"},
    re.compile(r"CLI/"): {"cli"},
    re.compile(r"spdlog/"): {"core"},
    re.compile(r"(curl|openssl)/"): {"hub"},
    re.compile(r"sentencepiece|utf8proc"): {"text"},
    re.compile(r"torch/csrc/distributed/"): {"distributed"},
}
OWNED_TARGETS = {
    "PkgConfig::LIBAV": "media",
    "CLI11::CLI11": "cli",
    "spdlog::spdlog": "core",
    "PkgConfig::LIBCURL": "hub",
    "PkgConfig::LIBCRYPTO": "hub",
    "PkgConfig::SENTENCEPIECE": "text",
    "PkgConfig::UTF8PROC": "text",
}
SOURCE_SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)"|(.*))', re.MULTILINE)
COMMAND = re.compile(r"(\w+)\s*\(([^()]*)\)")


class Target:
    """A CMake target as far as the rules are about it."""

    def __init__(self, folder):
        self.folder = folder
        self.sources = []
        self.links = []
        self.libtorch = False


class Tree:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.files = {}  # path -> its includes, as paths of ours or as the names of headers of others
        for path in sorted([*(root / "src").rglob("*"), *(root / "include").rglob("*")]):
            if path.suffix in SOURCE_SUFFIXES:
                self.files[path] = self.read_includes(path)
        self.targets = {}
        for path in sorted((root / "src").glob("*/CMakeLists.txt")):
            self.read_targets(path)

    def problem(self, path, message):
        self.problems.append(f"{path.relative_to(self.root)}: {message}")

    def folder(self, path):
        """The folder of src/ that a file is in; None for the public headers."""
        parts = path.relative_to(self.root).parts
        return parts[1] if parts[0] == "src" else None

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
                target = self.targets[name] = Target(path.parent.name)
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
        folder = self.folder(path)
        if folder is not None and folder not in MAY_USE:
            self.problem(path, f"src/{folder} is not a folder of the design")
            return
        for include in self.files[path]:
            if isinstance(include, str):
                self.check_header_of_others(path, folder, include)
            else:
                used = self.folder(include)
                if used not in (None, folder) and used not in MAY_USE.get(folder, ()):
                    self.problem(path, f"{folder or 'include'} may not include {include.relative_to(self.root)}")
        if folder in WITHOUT_LIBTORCH:
            self.check_without_libtorch(path, f"src/{folder}")

    def check_header_of_others(self, path, folder, header):
        if folder is None and not re.fullmatch(r"[a-z_]+", header):
            self.problem(path, f"<{header}>: a public header includes the standard library alone")
        if header == "torch/torch.h":
            self.problem(path, "<torch/torch.h> takes half a minute a file: include core/tensor.h")
        if header == "nlohmann/json.hpp" and path.suffix == ".h":
            self.problem(path, "<nlohmann/json.hpp> in a header: <nlohmann/json_fwd.hpp> is enough")
        if folder == "cli" and "/" in header and not re.match(r"(CLI|nlohmann|sys)/", header):
            self.problem(path, f"<{header}>: cli sees t2v/, CLI11 and json alone")
        for pattern, owners in OWNED_HEADERS.items():
            if pattern.match(header) and folder not in owners:
                self.problem(path, f"<{header}> belongs to src/{' and src/'.join(sorted(owners))}")

    def check_without_libtorch(self, path, who):
        chain = self.libtorch_path(path, set())
        if chain:
            self.problem(path, f"{who} compiles without LibTorch, but this includes {chain}")

    def check_target(self, name, target):
        makefile = self.root / "src" / target.folder / "CMakeLists.txt"
        allowed = {"cli", "api"} if target.folder == "cli" else MAY_USE.get(target.folder, set()) | {target.folder}
        for link in target.links:
            ours = link in self.targets and self.targets[link].folder not in allowed
            if ours or OWNED_TARGETS.get(link, target.folder) != target.folder:
                self.problem(makefile, f"{name} may not link {link}")
            if link.startswith("t2v_") and link not in self.targets and link != "t2v_options":
                self.problem(makefile, f"{name} links {link}, which no folder of src/ defines")
        if not target.libtorch and target.folder not in WITHOUT_LIBTORCH:
            for source in target.sources:
                self.check_without_libtorch(source, name)

    def check(self):
        for path in self.files:
            self.check_file(path)
        for name, target in self.targets.items():
            self.check_target(name, target)
        return self.problems


GOOD = {
    "include/t2v/error.h": "#include <string>\n",
    "src/core/tensor.h": '#include <ATen/ATen.h>\n#include "t2v/error.h"\n',
    "src/core/config.h": "#include <nlohmann/json_fwd.hpp>\n",
    "src/core/config.cpp": '#include "core/config.h"\n#include <nlohmann/json.hpp>\n',
    "src/core/CMakeLists.txt": "add_library(t2v_core SHARED config.cpp)\ntarget_link_libraries(t2v_core PRIVATE spdlog::spdlog)\n",
    "src/media/libav.h": "extern \"C\" {\n#include <libavutil/frame.h>\n}\n",
    "src/media/a.cpp": '#include "core/config.h"\n#include "media/libav.h"\n',
    "src/media/CMakeLists.txt": "t2v_library(t2v_media SOURCES a.cpp LINKS t2v_core)\n",
    "src/schedulers/a.cpp": '#include "core/tensor.h"\n',
    "src/schedulers/CMakeLists.txt": "t2v_library(t2v_schedulers SOURCES a.cpp LINKS t2v_core TENSORS)\n",
    "src/api/check.cpp": '#include "core/config.h"\n',
    "src/api/CMakeLists.txt": "add_library(t2v_api SHARED check.cpp)\n",
    "src/cli/flags.h": '#include <sys/stat.h>\n#include "t2v/error.h"\n',
    "src/cli/main.cpp": '#include <CLI/CLI.hpp>\n#include "flags.h"\n',
    "src/cli/CMakeLists.txt": "add_executable(t2v main.cpp)\ntarget_link_libraries(t2v PRIVATE t2v_api CLI11::CLI11)\n",
}
# A file that breaks a rule, in place of the good one, and a part of what has to be said about it.
BAD = [
    ("src/schedulers/a.cpp", '#include "media/libav.h"', "schedulers may not include src/media/libav.h"),
    ("src/core/config.cpp", '#include "media/libav.h"', "core may not include"),
    ("src/cli/main.cpp", '#include "core/config.h"', "cli may not include"),
    ("src/cli/main.cpp", "#include <spdlog/spdlog.h>", "cli sees t2v/, CLI11 and json alone"),
    ("src/media/a.cpp", "#include <ATen/ATen.h>", "src/media compiles without LibTorch"),
    ("src/media/libav.h", '#include "core/tensor.h"', "src/core/tensor.h -> <ATen/ATen.h>"),
    ("src/core/config.cpp", '#include "core/tensor.h"', "t2v_core compiles without LibTorch"),
    ("src/api/check.cpp", '  #  include "core/tensor.h"', "t2v_api compiles without LibTorch"),
    ("include/t2v/error.h", "#include <nlohmann/json_fwd.hpp>", "standard library alone"),
    ("include/t2v/error.h", "#include <unistd.h>", "standard library alone"),
    ("include/t2v/error.h", '#include "core/config.h"', "include may not include"),
    ("src/core/config.h", "#include <nlohmann/json.hpp>", "json_fwd"),
    ("src/core/tensor.h", "#include <torch/torch.h>", "torch/torch.h"),
    ("src/api/check.cpp", "#include <libavformat/avformat.h>", "belongs to src/media"),
    ("src/schedulers/a.cpp", "#include <CLI/CLI.hpp>", "belongs to src/cli"),
    ("src/media/a.cpp", '#include "nowhere.h"', '"nowhere.h" is not a file of ours'),
    ("src/media/a.cpp", "#include HEADER", "a macro hides"),
    ("src/samplers/a.cpp", "", "src/samplers is not a folder of the design"),
    ("src/media/CMakeLists.txt", "t2v_library(t2v_media SOURCES a.cpp LINKS t2v_schedulers)", "t2v_media may not link"),
    ("src/cli/CMakeLists.txt", "add_executable(t2v main.cpp)\ntarget_link_libraries(t2v PRIVATE t2v_core)", "t2v may not link"),
    ("src/api/CMakeLists.txt", "add_library(t2v_api SHARED check.cpp)\ntarget_link_libraries(t2v_api PRIVATE PkgConfig::LIBAV)",
     "t2v_api may not link PkgConfig::LIBAV"),
    ("src/media/CMakeLists.txt", "t2v_library(t2v_media SOURCES a.cpp LINKS t2v_kore)", "which no folder of src/ defines"),
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
