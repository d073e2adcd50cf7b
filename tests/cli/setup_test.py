"""scripts/setup, scripts/t2v and scripts/test, in a checkout whose path has spaces, with every command that installs or
builds replaced by one that writes down how it was called."""

import contextlib
import fcntl
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPLACED = "apt-get cmake ctest df dpkg dpkg-query id ninja python3 uname".split()
# What the commands do instead. $STATE is a folder: the list of installed packages, calls, and wishes of the test.
STUB = r"""#!/bin/sh
name=${0##*/}
case $name in dpkg-query | id | df | uname) ;; *) printf '%s %s\n' "$name" "$*" >>"$STATE/calls" ;; esac
wish() { [ -e "$STATE/$1" ]; }
case $name in
uname) if wish uname; then echo Darwin; else /usr/bin/uname "$@"; fi ;;
id) if [ "$1" = -u ]; then cat "$STATE/uid"; else echo somebody; fi ;;
df) printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 9 9 %s 9%% /\n' "$(cat "$STATE/free")" ;;
dpkg-query) case $2 in "-f=\${Package} \${db:Status-Status}"*) cat "$STATE/packages" ;; esac; exit 1 ;;
apt-get)
  for word; do
    case $word in -* | DPkg* | update | install) ;; *) echo "$word installed" >>"$STATE/packages" ;; esac
  done ;;
python3)
  for folder; do :; done
  case $* in
  *venv*) mkdir -p "$folder/bin"; rm -rf "$folder/lib" "$folder/t2v-requirements"; cp "$0" "$folder/bin/python" ;;
  esac ;;
python)
  ! wish "no network" || { echo "ERROR: no matching distribution"; exit 1; }
  lib=${0%/bin/python}/lib/python3.11/site-packages/torch/lib
  mkdir -p "$lib" "$TMPDIR/download"
  ! wish "hang in pip" || { touch "$STATE/hangs"; exec sleep 60; }
  : >"$lib/libtorch_cpu.so" ;;
cmake)
  for last; do :; done
  mkdir -p build/release
  printf '%s\n' "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "T2V_BUILD_TESTS:BOOL=${last#*=}" >build/release/CMakeCache.txt
  ! wish "hang in cmake" || { touch "$STATE/hangs"; exec sleep 60; }
  : >build/release/build.ninja ;;
ninja)
  cat # would take what the program is to read
  [ -e build/release/build.ninja ] || exit 1
  ! wish "bad code" || { printf '[1/9] Building CXX object a.o\nFAILED: a.o\na.cpp:1: error: %%s \\n\n'; exit 1; }
  if [ -e build/release/bin/t2v ]; then echo "ninja: no work to do."; exit; fi
  echo "[1/1] Building CXX object a.o"
  mkdir build/release/bin
  cp "$STATE/program" build/release/bin/t2v ;;
esac
"""
PROGRAM = r"""#!/bin/sh
printf '%s\n' "$PWD" "$#" "$@"
cat
"""


class Checkout(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="t2v set up ")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name).resolve()
        self.folder.chmod(0o755)
        self.root = self.folder / "check out"
        self.state = self.folder / "state"
        stubs = self.folder / "stubs"
        for path in (self.root, self.state, stubs):
            path.mkdir()
        self.write("program", PROGRAM).chmod(0o755)
        self.write("uid", "0\n")
        self.write("free", "99999999\n")
        self.write("packages", "")
        for name in REPLACED:
            (stubs / name).write_text(STUB)
            (stubs / name).chmod(0o755)
        shutil.copytree(ROOT / "scripts", self.root / "scripts", ignore=shutil.ignore_patterns("tiny_world", "fixtures"))
        setup = self.root / "scripts/setup"
        text = setup.read_text()
        places = {"/usr/bin/python3": stubs / "python3", "/proc/driver/nvidia/version": self.state / "gpu"}
        for path, replacement in places.items():
            self.assertEqual(text.count(path), 1)
            text = text.replace(path, f"'{replacement}'")
        setup.write_text(text)
        self.environment = {"PATH": f"{stubs}:/usr/bin:/bin", "STATE": str(self.state), "TMPDIR": "/nowhere"}

    def write(self, name, text=""):
        (self.state / name).write_text(text)
        return self.state / name

    def run_script(self, *command, **options):
        command = command or [self.root / "scripts/t2v"]
        options = {"env": self.environment, "cwd": self.folder, "input": "", "text": True, **options}
        return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)

    def calls(self):
        """What was called since the last time, without the options that only say how."""
        path = self.state / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        details = r" (-o DPkg\S+|-I|--disable\S+|--no-cache-dir|--progress-bar off|-C|-j \d+)(?= )"
        return [re.sub(details, "", line).replace(f"{self.root}/", "") for line in lines]

    def assert_ready(self, result=None):
        result = result or self.run_script()
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.calls()

    def assert_stopped(self, code, result=None):
        result = result or self.run_script()
        self.assertEqual((result.returncode, result.stdout), (code, ""), result.stderr)
        return result.stderr

    def kill_when(self, wish):
        """Runs set-up and kills it, all of it at once, where it does what is wished for."""
        marks = [self.write(wish), self.state / "hangs"]
        process = subprocess.Popen([self.root / "scripts/setup"], env=self.environment, start_new_session=True,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        deadline = time.monotonic() + 30
        while not marks[1].exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for mark in marks:
            mark.unlink()
        return self.calls()


INSTALL = "apt-get install -y --fix-broken --no-install-recommends"
BUILD = "ninja build/release t2v t2v_engine"
PIP = "python -m pip install --no-deps --require-hashes -r scripts/requirements-cpu.txt"
VENV = "python3 -m venv --clear .venv"
CONFIGURE = "cmake --preset release -DT2V_BUILD_TESTS=OFF"


class MachineTest(Checkout):
    def test_root_gets_everything(self):
        result = self.run_script()
        calls = self.assert_ready(result)
        self.assertEqual(calls[:2], ["dpkg --configure -a", "apt-get update"])
        self.assertRegex(calls[2], "^" + re.escape(INSTALL) + r" g\+\+ cmake .*libutf8proc-dev .*libssl-dev$")
        self.assertNotIn("libgtest-dev", calls[2])
        self.assertEqual(calls[3:], [VENV, PIP, CONFIGURE, BUILD])
        self.assertEqual(result.stdout, f"{self.folder}\n0\n")
        self.assertEqual([line[:16] for line in result.stderr.splitlines()],
                         ["t2v: setup: inst", "t2v: setup: fetc", "t2v: setup: conf", "t2v: setup: buil"])  # fmt: skip
        self.assertEqual(list((self.root / "build").glob("tmp")), [])

    def test_others_are_told_what_to_install(self):
        self.write("uid", "1000\n")
        self.write("packages", "g++ installed\ncmake half-configured\nninja-build installed\npkg-config installed\n")
        message = self.assert_stopped(2)
        lines = [line.split() for line in message.splitlines() if "sudo" in line]
        self.assertEqual(len(lines), 1, message)
        self.assertEqual(lines[0][:5], ["sudo", "apt-get", "install", "--no-install-recommends", "cmake"])
        self.assertIn("libutf8proc-dev", lines[0])
        self.assertTrue({"g++", "ninja-build", "pkg-config", "libgtest-dev"}.isdisjoint(lines[0]))
        self.assertEqual(self.calls(), [])
        self.assertFalse((self.root / "build").exists())
        installed = lines[0][4:] + ["g++", "ninja-build", "pkg-config"]
        self.write("packages", "".join(f"{package} installed\n" for package in installed))
        self.assertEqual(self.assert_ready(), [VENV, PIP, CONFIGURE, BUILD])

    def test_all_problems_at_once(self):
        self.write("uid", "1000\n")
        self.write("free", "10240\n")
        self.write("uname")
        message = self.assert_stopped(2)
        for part in ("Darwin", "sudo apt-get install", "10 MB free", "3000 MB"):
            self.assertIn(part, message)
        self.assertEqual(len(re.findall(r"^  - ", message, re.M)), 3)

    def test_gpu(self):
        driver = self.write("gpu")
        cuda = PIP.replace("cpu", "cuda")
        self.assertIn(cuda, self.assert_ready())
        driver.unlink()
        self.assertEqual(self.assert_ready(), [BUILD])

    def test_gpu_that_comes_later(self):
        self.assert_ready()
        self.write("gpu")
        self.assertEqual(self.assert_ready(), [VENV, PIP.replace("cpu", "cuda"), CONFIGURE, BUILD])

    def test_no_network(self):
        self.write("no network")
        message = self.assert_stopped(2)
        self.assertIn("ERROR: no matching distribution", message)
        self.assertIn("is the network there?", message.splitlines()[-1])
        self.calls()
        (self.state / "no network").unlink()
        self.assertEqual(self.assert_ready(), [VENV, PIP, CONFIGURE, BUILD])

    def test_a_folder_that_cannot_be_written_to(self):
        account = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        self.root.chmod(0o555)
        self.addCleanup(self.root.chmod, 0o755)  # or it could not be removed
        self.assertIn("cannot be written to", self.assert_stopped(2, self.run_script(**account)))
        self.root.chmod(0o755)
        self.assert_ready()
        self.root.chmod(0o555)
        self.assertEqual(self.assert_ready(self.run_script(**account)), [])


class AgainTest(Checkout):
    def setUp(self):
        super().setUp()
        self.first = self.assert_ready()

    def test_nothing_is_missing(self):
        result = self.run_script()
        self.assertEqual(self.assert_ready(result), [BUILD])
        self.assertEqual(result.stderr, "")

    def test_libtorch_is_lost(self):
        shutil.rmtree(self.root / ".venv/lib")
        self.assertEqual(self.assert_ready(), [VENV, PIP, CONFIGURE, BUILD])

    def test_other_requirements(self):
        with (self.root / "scripts/requirements-cpu.txt").open("a") as file:
            file.write("# changed\n")
        self.assertEqual(self.assert_ready(), [VENV, PIP, CONFIGURE, BUILD])

    def test_a_lost_package(self):
        packages = (self.state / "packages").read_text()
        self.write("packages", packages.replace("cmake installed", "cmake config-files"))
        self.assertEqual(self.assert_ready()[2], INSTALL + " cmake")

    def test_a_moved_folder(self):
        (self.root / "build/release/old").touch()
        self.root = self.root.rename(self.folder / "another place")
        self.assertEqual(self.assert_ready(), [CONFIGURE, BUILD])
        self.assertFalse((self.root / "build/release/old").exists())

    def test_bad_code(self):
        (self.root / "build/release/bin/t2v").unlink()
        self.write("bad code")
        message = self.assert_stopped(1)
        self.assertIn("a.cpp:1: error: %s \\n\n", message)
        self.assertIn("build/setup.log", message.splitlines()[-1])

    def test_tests(self):
        (self.root / "build/release/kept").touch()
        script = self.root / "scripts/test"
        calls = self.assert_ready(self.run_script(script, "-R", "two words"))
        self.assertEqual(calls, [
            "dpkg --configure -a",
            "apt-get update",
            INSTALL + " libgtest-dev libgmock-dev ffmpeg",
            CONFIGURE.replace("OFF", "ON"),
            "ninja build/release all",
            "ctest --test-dir build/release --output-on-failure --parallel 2 -R two words",
        ])  # fmt: skip
        self.assertTrue((self.root / "build/release/kept").exists())
        self.assertEqual(self.assert_ready(), [BUILD])
        self.assertEqual(len(self.assert_ready(self.run_script(script))), 2)

    def test_two_at_once(self):
        with open(self.root / "build/setup.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = subprocess.Popen([self.root / "scripts/setup"], env=self.environment, stderr=subprocess.PIPE,
                                       text=True)  # fmt: skip
            self.assertIn("waiting", process.stderr.readline())
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(1)
            self.assertEqual(self.calls(), [])
        self.assertEqual(process.communicate(timeout=30)[1], "")
        self.assertEqual((process.returncode, self.calls()), (0, [BUILD]))


class KilledTest(Checkout):
    def test_in_pip(self):
        self.assertEqual(self.kill_when("hang in pip")[-1], PIP)
        self.assertEqual(self.assert_ready(), [VENV, PIP, CONFIGURE, BUILD])
        self.assertEqual(self.assert_ready(), [BUILD])
        self.assertFalse((self.root / "build/tmp").exists())

    def test_in_cmake(self):
        self.assertEqual(self.kill_when("hang in cmake")[-1], CONFIGURE)
        self.assertEqual(self.assert_ready(), [CONFIGURE, BUILD])


class CallerTest(Checkout):
    def setUp(self):
        super().setUp()
        self.assert_ready()

    def test_arguments_arrive_as_they_are(self):
        arguments = ["--prompt", "a 'red'  ball\n\"$(id)\" \\n * %s", "", "-o", "../my clips/清.mp4", "--", "-x"]
        caller = self.folder / "where I am"
        caller.mkdir()
        result = self.run_script("../check out/scripts/t2v", *arguments, cwd=caller, input="standard input")
        self.assertEqual(result.stdout, "\n".join([str(caller), str(len(arguments)), *arguments, "standard input"]))

    def test_through_a_link_and_with_cdpath(self):
        link = self.folder / "t2v"
        link.symlink_to("check out/scripts/t2v")
        path = f"{self.folder}:{self.environment['PATH']}"
        environment = {**self.environment, "CDPATH": f"{self.folder}:.", "PATH": path}
        for command in ("./t2v", "t2v"):
            self.assertEqual(self.run_script(command, env=environment).stdout, f"{self.folder}\n0\n")
        result = self.run_script("scripts/t2v", env=environment, cwd=self.root)
        self.assertEqual(result.stdout, f"{self.root}\n0\n", result.stderr)

    def test_code_of_the_program(self):
        (self.root / "build/release/bin/t2v").write_text("#!/bin/sh\nexit 7\n")
        self.assertEqual(self.run_script().returncode, 7)

    def test_a_wrong_goal(self):
        self.assertIn("usage", self.assert_stopped(2, self.run_script(self.root / "scripts/setup", "everything")))

    def test_a_terminal_shows_the_last_line(self):
        (self.root / "build/release/bin/t2v").unlink()
        ours, theirs = pty.openpty()
        subprocess.run([self.root / "scripts/setup"], env=self.environment, stderr=theirs, check=True)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(ours, 4096):
                shown += part
        os.close(ours)
        self.assertIn(b"\r\033[K[1/1] Building CXX object a.o\r\033[K", shown)


class FilesTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shellcheck(self):
        scripts = [path for folder in ("scripts", ".ci") for path in (ROOT / folder).rglob("*")
                   if path.is_file() and re.match(rb"#!.*\b(ba|da)?sh\b", path.read_bytes()[:40])]  # fmt: skip
        self.assertGreaterEqual({path.name for path in scripts}, {"setup", "t2v", "test", "run"})
        result = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
        self.assertEqual(result.stdout + result.stderr, "")

    def test_every_requirement_is_pinned_with_hashes(self):
        for name in ("cpu", "cuda"):
            text = (ROOT / f"scripts/requirements-{name}.txt").read_text()
            lines = text.replace("\\\n", " ").splitlines()
            requirements = [line for line in lines if line and not line.startswith("#")]
            self.assertGreaterEqual(len(requirements), 3)
            for line in requirements:
                self.assertRegex(line, r"^[a-z0-9-]+==[0-9.]+( +--hash=sha256:[0-9a-f]{64})+$")


if __name__ == "__main__":
    unittest.main()
