"""`t2v pull` and `t2v models` against a Hub on this machine that drops, truncates, redirects and lies."""

import json
import os
import random
import resource
import shutil
import signal
import threading
import time
import unittest
from pathlib import Path

from hub_server import COMMIT, Hub, blob_name
from support import CommandTest

NAME = "test-org/tiny"
WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
TOKEN = "hf_secretsecretsecret"


def noise(size, seed=0):
    return random.Random(seed).randbytes(size)


def checkpoint(size=300_000):
    """A diffusers repository with the things beside it that are not needed."""
    return {
        ".gitattributes": b"*.safetensors lfs\n",
        "README.md": b"# tiny\n",
        "assets/clip.mp4": noise(50),
        "model_index.json": b'{"_class_name": "WanPipeline"}',
        "scheduler/scheduler_config.json": b"{}",
        "tokenizer/spiece.model": noise(200, 1),
        "transformer/config.json": b'{"a": 1}',
        "transformer/diffusion_pytorch_model.bin": noise(100),
        "transformer/diffusion_pytorch_model.fp16.safetensors": noise(1000, 2),
        WEIGHTS: noise(size, 3),
        "vae/config.json": b'{"a": 1}',
        "vae/diffusion_pytorch_model.safetensors": noise(2000, 4),
    }


NEEDED = [
    "model_index.json", "scheduler/scheduler_config.json", "tokenizer/spiece.model", "transformer/config.json", WEIGHTS,
    "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
]  # fmt: skip


def once(answer):
    """An answer that is given the first time only, even if it takes long."""
    given = []

    def wrapped(handler):
        if given:
            return False
        given.append(handler)
        if answer(handler):
            return True
        given.remove(handler)
        return False

    return wrapped


def for_weights(act):
    """An answer for the large file: act(handler, content, begin of the range)."""

    def answer(handler):
        if not handler.path.endswith(WEIGHTS):
            return False
        act(handler, checkpoint()[WEIGHTS], Hub.range_of(handler))
        return True

    return answer


class HubTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.hub = self.start_hub(Hub({NAME: checkpoint()}))
        self.cache = self.folder / "cache"
        self.repository = self.cache / "models--test-org--tiny"
        self.snapshot = self.repository / "snapshots" / COMMIT

    def start_hub(self, hub):
        self.addCleanup(hub.close)
        return hub

    def environment(self, **changes):
        return self.hub.environment(self.folder, **{"HF_HUB_DOWNLOAD_TIMEOUT": "2", **changes})

    def pull(self, *arguments, name=NAME, env=None, **options):
        return self.run_t2v("pull", name, *arguments, env=env or self.environment(), **options)

    def models(self, *arguments, **options):
        return self.run_t2v("models", *arguments, env=self.environment(), **options)

    def assert_pulled(self, result):
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(result.stdout.decode(), f"{self.snapshot}\n")
        self.assert_whole()

    def assert_whole(self):
        content = checkpoint()
        files = sorted(str(path.relative_to(self.snapshot)) for path in self.snapshot.rglob("*") if path.is_file())
        self.assertEqual(files, NEEDED)
        for name in files:
            self.assertEqual((self.snapshot / name).read_bytes(), content[name], name)
        self.assertEqual(list(self.cache.rglob("*.incomplete")), [])

    def assert_failed(self, result, code, *parts):
        self.assert_error(result, code, *parts)
        self.assertFalse((self.repository / "snapshots").exists())
        self.assertFalse((self.repository / "refs").exists())

    def ranges(self):
        """What was asked for of the large file."""
        return [headers.get("Range") for path, headers in self.hub.requests if path.endswith(WEIGHTS)]

    def partial(self):
        return self.repository / "blobs" / (blob_name(WEIGHTS, checkpoint()[WEIGHTS]) + ".incomplete")


class PullTest(HubTest):
    def test_layout(self):
        self.assert_pulled(self.pull())
        self.assertEqual((self.repository / "refs/main").read_text(), COMMIT)
        blobs = {path.name for path in (self.repository / "blobs").iterdir()}
        self.assertEqual(blobs, {blob_name(path, checkpoint()[path]) for path in NEEDED})
        for path in NEEDED:
            target = Path(os.readlink(self.snapshot / path))
            self.assertFalse(target.is_absolute())
            self.assertEqual(target.name, blob_name(path, checkpoint()[path]))
        # Two files with the same content are one blob, downloaded once.
        self.assertEqual(len(self.hub.downloads("config.json")), 2)

    def test_again(self):
        self.pull()
        del self.hub.requests[:]
        self.assert_pulled(self.pull())
        self.assertEqual([path for path, _ in self.hub.requests], [f"/api/models/{NAME}/revision/main?blobs=true"])

    def test_a_new_commit(self):
        self.pull()
        files = self.hub.repositories[NAME]
        files["model_index.json"] = b'{"_class_name": "WanPipeline", "new": 1}'
        commit = "b2" * 20
        listing = self.hub.listing(NAME)
        self.hub.listing = lambda repository: {**listing, "sha": commit,
                                               "siblings": [Hub.entry(*item) for item in files.items()]}  # fmt: skip
        self.hub.answers.append(lambda handler: bool(setattr(handler, "path", handler.path.replace(commit, COMMIT))))
        del self.hub.requests[:]
        result = self.pull()
        self.assertEqual(result.stdout.decode().strip(), str(self.snapshot.parent / commit), result.stderr)
        self.assertEqual(len(self.hub.requests), 2)
        self.assertEqual((self.repository / "refs/main").read_text(), commit)
        self.assert_whole()  # the old one is still there

    def test_json_and_progress(self):
        result = self.pull("--json", "--progress", "json")
        answer = json.loads(result.stdout)
        total = sum(len(checkpoint()[path]) for path in NEEDED) - len(checkpoint()["vae/config.json"])
        self.assertEqual(answer, {"path": str(self.snapshot), "repository": NAME, "commit": COMMIT, "downloaded": total})
        events = [event for event in self.events(result) if event["event"] == "download"]
        self.assertEqual((events[0]["done"], events[0]["total"]), (0, 0))  # before the Hub answers
        self.assertEqual((events[1]["done"], events[-1]["done"]), (0, total))
        self.assertEqual({event["total"] for event in events[1:]}, {total})
        done = [event["done"] for event in events]
        self.assertEqual(done, sorted(done))
        self.assertEqual(self.events(result)[-1]["event"], "summary")

    def test_plain_progress(self):
        message = self.pull().stderr.decode()
        self.assertIn(f"t2v: downloading {NAME}: 6 of 7 files, 0.30 MB into {self.cache}", message)
        self.assertRegex(message, r"0\.3\d of 0\.3\d MB, \d+\.\d MB/s")
        self.assertEqual(self.pull("-q", "--include", "README.md").stderr, b"")

    def test_variant(self):
        self.pull("--variant", "fp16")
        weights = sorted(path.name for path in (self.snapshot / "transformer").iterdir())
        self.assertEqual(weights, ["config.json", "diffusion_pytorch_model.fp16.safetensors"])
        self.assertTrue((self.snapshot / "vae/diffusion_pytorch_model.safetensors").exists())

    def test_include(self):
        self.pull("--include", "*.md", "--include", "assets/*")
        files = sorted(path.name for path in self.snapshot.rglob("*") if path.is_file())
        self.assertEqual(files, ["README.md", "clip.mp4"])
        self.assert_error(self.pull("--include", "*.gguf"), 2, "no file that matches")

    def test_a_collection(self):
        self.hub.repositories["test-org/gguf"] = {"a-Q4_K.gguf": noise(10), "a-Q8_0.gguf": noise(20)}
        self.assert_error(self.pull(name="test-org/gguf"), 2, "a collection of 2 files", "--include")
        result = self.pull("--include", "*Q4_K*", name="test-org/gguf")
        self.assertEqual([path.name for path in Path(result.stdout.decode().strip()).iterdir()], ["a-Q4_K.gguf"])

    def test_an_original_repository(self):
        files = {"config.json": b"{}", "Wan2.1_VAE.pth": noise(9), "google/umt5-xxl/spiece.model": noise(8),
                 "diffusion_pytorch_model.safetensors": noise(7), "assets/a.png": b"x"}  # fmt: skip
        self.hub.repositories["test-org/original"] = files
        folder = Path(self.pull(name="test-org/original").stdout.decode().strip())
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        self.assertEqual(found, set(files) - {"assets/a.png"})

    def test_a_revision(self):
        result = self.pull(name=f"{NAME}@refs/pr/1")
        self.assert_pulled(result)
        self.assertIn("/revision/refs%2Fpr%2F1?", self.hub.requests[0][0])
        self.assertEqual((self.repository / "refs/refs/pr/1").read_text(), COMMIT)
        self.assertEqual(self.models("path", f"{NAME}@refs/pr/1").stdout, result.stdout)
        self.assertEqual(self.models("path", f"{NAME}@{COMMIT}").stdout, result.stdout)
        self.assert_error(self.models("path", NAME), 3, f"t2v pull {NAME}")

    def test_names(self):
        for name in ("", "a/b/c", "../x", "a/..", "a//b", "/a", "a/b@", "a/b@../../x", "a/b@-x", "a b/c", "a/b--c", "-a/b"):
            result = self.pull(name=name) if not name.startswith("-") else self.pull(name="./" + name)
            self.assert_error(result, 2)
        self.assert_error(self.pull(name="wan2.1-t2v-1.3c"), 2, "did you mean wan2.1-t2v-1.3b?")
        self.assertEqual(self.hub.requests, [])

    def test_a_short_name(self):
        self.hub.repositories["Wan-AI/Wan2.1-T2V-1.3B-Diffusers"] = checkpoint()
        result = self.pull(name="wan2.1-t2v-1.3b")
        folder = self.cache / "models--Wan-AI--Wan2.1-T2V-1.3B-Diffusers/snapshots" / COMMIT
        self.assertEqual(result.stdout.decode(), f"{folder}\n", result.stderr)


class CacheTest(HubTest):
    def test_offline(self):
        for env in (self.environment(HF_HUB_OFFLINE="1"), self.environment(TRANSFORMERS_OFFLINE="yes")):
            self.assert_error(self.pull(env=env), 7, "HF_HUB_OFFLINE")
        self.assert_error(self.pull("--offline"), 7, "--offline")
        self.assertEqual(self.hub.requests, [])
        self.pull()
        del self.hub.requests[:]
        self.assert_pulled(self.pull("--offline"))
        self.assertEqual(self.hub.requests, [])

    def test_half_of_it_offline(self):
        files = self.hub.repositories[NAME]
        files["transformer/diffusion_pytorch_model.safetensors.index.json"] = json.dumps(
            {"weight_map": {"a": "diffusion_pytorch_model.safetensors", "b": "another.safetensors"}}
        ).encode()
        self.pull()
        self.assert_error(self.pull("--offline"), 7, "not wholly")

    def test_what_is_here_is_used_without_the_network(self):
        self.pull()
        self.hub.close()
        result = self.pull()
        self.assert_pulled(result)
        self.assertIn("what is in the cache is used", result.stderr.decode())

    def test_the_cache_of_huggingface_hub(self):
        """One that its client made, with a blob that no snapshot has yet."""
        content = checkpoint()
        blobs = self.repository / "blobs"
        blobs.mkdir(parents=True)
        for path in NEEDED:
            (blobs / blob_name(path, content[path])).write_bytes(content[path])
        self.assert_pulled(self.pull())
        self.assertEqual(self.hub.downloads(), [])

    def test_a_blob_of_the_wrong_size(self):
        self.pull()
        blob = self.repository / "blobs" / blob_name(WEIGHTS, checkpoint()[WEIGHTS])
        blob.write_bytes(b"short")
        self.assert_pulled(self.pull())

    def test_where_the_cache_is(self):
        folder = self.folder
        for variables, cache in (
            ({}, ".cache/huggingface/hub"),
            ({"XDG_CACHE_HOME": f"{folder}/xdg"}, "xdg/huggingface/hub"),
            ({"HF_HOME": "~/home"}, "home/hub"),
            ({"HF_HOME": f"{folder}/home", "HUGGINGFACE_HUB_CACHE": f"{folder}/old"}, "old"),
        ):
            env = {name: value for name, value in self.environment(**variables).items() if name != "HF_HUB_CACHE"}
            result = self.pull("--include", "*.md", env=env)
            self.assertTrue(result.stdout.decode().startswith(f"{folder}/{cache}/models--"), (variables, result))

    def test_models(self):
        self.pull()
        self.pull("--include", "*.md", name=NAME + "@other")
        lines = self.models().stdout.decode().splitlines()
        self.assertEqual([line.split()[0] for line in lines[:3]], ["tiny-world", "tiny-world-i2v", "wan2.1-t2v-1.3b"])
        self.assertRegex("\n".join(lines), rf"(?m)^{NAME} .* here .*{NAME}$")
        entries = {entry["name"]: entry for entry in json.loads(self.models("list", "--json").stdout)}
        self.assertEqual(entries[NAME]["path"], str(self.snapshot))
        self.assertTrue(entries[NAME]["whole"])
        self.assertIsNone(entries["wan2.2-ti2v-5b"]["path"])
        (self.repository / "blobs" / blob_name(WEIGHTS, checkpoint()[WEIGHTS])).unlink()
        self.assertIn("not whole", self.models().stdout.decode())
        self.assert_error(self.models("list", NAME), 2, "t2v models path")
        self.assert_error(self.models("path"), 2, "no name")
        self.assert_error(self.models("pth", NAME), 2, "the nearest is path")

    def test_verify(self):
        self.pull()
        result = self.models("verify", NAME)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"7 files", result.stdout)
        for path in (WEIGHTS, "scheduler/scheduler_config.json"):
            blob = (self.snapshot / path).resolve()
            content = bytearray(blob.read_bytes())
            content[len(content) // 2] ^= 1
            blob.write_bytes(content)
            self.assert_error(self.models("verify", NAME), 7, "1 of 7 files", path, str(blob))
            blob.unlink()
            self.assert_error(self.models("verify", NAME), 7, "1 of 7 files", path)
            self.assert_pulled(self.pull())
        self.assertEqual(self.models("verify", NAME).returncode, 0)

    def test_verify_what_has_no_hash(self):
        self.pull()
        (self.snapshot / "notes.txt").write_text("mine")
        result = json.loads(self.models("verify", NAME, "--json").stdout)
        self.assertEqual((result["files"], result["unverified"]), (7, ["notes.txt"]))


class TokenTest(HubTest):
    def tokens(self, hub):
        return {headers.get("Authorization") for _, headers in hub.requests}

    def test_only_the_endpoint_sees_it(self):
        """Files are on another server: another port, and another host."""
        for host in ("127.0.0.1", "localhost"):
            shutil.rmtree(self.cache, ignore_errors=True)
            storage = self.start_hub(Hub({NAME: checkpoint()}, host))
            del self.hub.requests[:]
            self.hub.answers[:] = [
                lambda handler, storage=storage: "/resolve/" in handler.path and not Hub.send(
                    handler, 302, b"moved", {"Location": storage.url + handler.path + "?signature=key"})
            ]  # fmt: skip
            result = self.pull("-v", env=self.environment(HF_TOKEN=f" {TOKEN}\n"))
            self.assert_pulled(result)
            self.assertEqual(self.tokens(self.hub), {f"Bearer {TOKEN}"})
            self.assertEqual(self.tokens(storage), {None})
            self.assertNotIn(TOKEN, result.stderr.decode())

    def test_a_redirect_that_stays(self):
        self.hub.answers.append(
            lambda handler: "/old/" in handler.path
            and not Hub.send(handler, 307, b"", {"Location": handler.path.replace("/old/", "/test-org/")})
        )
        result = self.pull(name="old/tiny", env=self.environment(HF_TOKEN=TOKEN))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.tokens(self.hub), {f"Bearer {TOKEN}"})

    def test_the_file_that_hf_auth_login_writes(self):
        (self.folder / "token").write_text(TOKEN + "\n")
        self.pull(env=self.environment(HF_HOME=str(self.folder)))
        self.assertEqual(self.tokens(self.hub), {f"Bearer {TOKEN}"})
        del self.hub.requests[:]
        self.pull(env=self.environment(HF_HOME=str(self.folder), HF_HUB_DISABLE_IMPLICIT_TOKEN="1"))
        self.assertEqual(self.tokens(self.hub), {None})

    def test_a_token_that_would_be_a_header(self):
        result = self.pull(env=self.environment(HF_TOKEN=f"{TOKEN}\r\nX-Other: 1"))
        self.assert_error(result, 2, "HF_TOKEN", "not shown")
        self.assertNotIn(TOKEN, result.stderr.decode())
        self.assertEqual(self.hub.requests, [])

    def test_no_access(self):
        for status in (401, 403):
            del self.hub.requests[:]
            self.hub.answers[:] = [lambda handler, status=status: not Hub.send(handler, status)]
            self.assert_failed(self.pull(), 7, f"status {status}", "HF_TOKEN", "licence")
            self.assertEqual(len(self.hub.requests), 1)

    def test_gated_files(self):
        self.hub.answers.append(for_weights(lambda handler, content, begin: Hub.send(handler, 403)))
        self.assert_failed(self.pull(), 7, "status 403", WEIGHTS)


class BrokenTransferTest(HubTest):
    def test_the_connection_is_cut(self):
        """Four times, each time a little later: only what is missing is asked for."""
        step = 70_000
        self.hub.answers.append(for_weights(lambda handler, content, begin: Hub.send(
            handler, 206 if begin else 200, content[begin:], sent=step,
            headers={"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if begin else None)))  # fmt: skip
        self.assert_pulled(self.pull())
        self.assertEqual(self.ranges(), [None] + [f"bytes={step * count}-" for count in range(1, 5)])

    def test_the_end_is_missing(self):
        """Without Content-Length a cut looks like the end."""

        def cut(handler, content, begin):
            handler.send_response(200)
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.wfile.write(content[:1000])
            handler.close_connection = True

        self.hub.answers.append(once(for_weights(cut)))
        self.assert_pulled(self.pull())
        self.assertEqual(len(self.hub.downloads(WEIGHTS)), 2)

    def test_nothing_listens(self):
        self.hub.close()
        began = time.monotonic()
        self.assert_error(self.pull(), 7, "asking for " + NAME, "3 times")
        self.assertLess(time.monotonic() - began, 10)

    def test_a_server_without_ranges(self):
        self.hub.answers += [
            once(for_weights(lambda handler, content, begin: Hub.send(handler, 200, content, sent=100_000))),
            for_weights(lambda handler, content, begin: Hub.send(handler, 200, content)),
        ]
        self.assert_pulled(self.pull())
        self.assertEqual(self.ranges(), [None, "bytes=100000-"])

    def test_ranges_that_lie(self):
        size = len(checkpoint()[WEIGHTS])
        for content_range in (f"bytes 0-{size - 1}/{size}", f"bytes 100001-{size - 1}/{size}", "bytes 100000-1/2", "x", None):
            shutil.rmtree(self.cache, ignore_errors=True)
            headers = {"Content-Range": content_range} if content_range else {}
            self.hub.answers[:] = [
                once(for_weights(lambda handler, content, begin: Hub.send(handler, 200, content, sent=100_000))),
                once(for_weights(lambda handler, content, begin, headers=headers: Hub.send(
                    handler, 206, b"?" * (len(content) - begin), headers))),
            ]  # fmt: skip
            self.assert_pulled(self.pull())

    def test_a_part_that_nobody_asked_for(self):
        self.hub.answers.append(once(for_weights(lambda handler, content, begin: Hub.send(
            handler, 206, content[5:], {"Content-Range": f"bytes 5-{len(content) - 1}/{len(content)}"}))))  # fmt: skip
        self.assert_pulled(self.pull())

    def test_lengths_that_lie(self):
        for length in (5, 10**15):
            self.hub.answers[:] = [once(for_weights(lambda handler, content, begin, length=length: Hub.send(
                handler, 200, content, length=length, sent=len(content))))]  # fmt: skip
            shutil.rmtree(self.cache, ignore_errors=True)
            self.assert_pulled(self.pull())

    def test_more_than_the_list_says(self):
        def endless(handler, content, begin):
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(content + b"more" * 1000)
            handler.close_connection = True

        self.hub.answers.append(for_weights(endless))
        self.assert_failed(self.pull(), 7, "more bytes", "5 times", WEIGHTS)
        self.assertEqual(self.partial().stat().st_size, 0)

    def test_other_bytes(self):
        self.hub.answers.append(for_weights(lambda handler, content, begin: Hub.send(handler, 200, b"x" * len(content))))
        self.assert_failed(self.pull(), 7, "hash", blob_name(WEIGHTS, checkpoint()[WEIGHTS]))
        self.assertEqual(len(self.hub.downloads(WEIGHTS)), 1)
        self.assertFalse(self.partial().with_suffix("").exists())
        del self.hub.answers[:]
        self.assert_pulled(self.pull())

    def test_other_bytes_of_a_small_file(self):
        self.hub.answers.append(lambda handler: handler.path.endswith("spiece.model")
                                and not Hub.send(handler, 200, b"y" * 200))  # fmt: skip
        self.assert_failed(self.pull(), 7, "spiece.model", "hash")

    def test_a_partial_file_that_is_damaged(self):
        self.partial().parent.mkdir(parents=True)
        for left in (b"z" * 1000, b"z" * 400_000, b"z" * len(checkpoint()[WEIGHTS])):
            self.partial().write_bytes(left)
            self.assert_pulled(self.pull())
            shutil.rmtree(self.repository)
            self.partial().parent.mkdir(parents=True)

    def test_a_partial_file_is_continued(self):
        content = checkpoint()[WEIGHTS]
        self.partial().parent.mkdir(parents=True)
        self.partial().write_bytes(content[:123_456])
        self.assert_pulled(self.pull())
        self.assertEqual(self.ranges(), ["bytes=123456-"])

    def test_statuses_that_pass(self):
        for status, headers in ((429, {"Retry-After": "1"}), (500, {}), (503, {}), (408, {})):
            shutil.rmtree(self.cache, ignore_errors=True)
            self.hub.answers[:] = [
                once(lambda handler, status=status, headers=headers: not Hub.send(handler, status, b"busy", headers)),
                once(for_weights(lambda handler, content, begin, status=status: Hub.send(handler, status))),
            ]
            began = time.monotonic()
            self.assert_pulled(self.pull())
            if "Retry-After" in headers:
                self.assertGreater(time.monotonic() - began, 1)

    def test_statuses_that_stay(self):
        self.hub.answers.append(for_weights(lambda handler, content, begin: Hub.send(handler, 500)))
        self.assert_failed(self.pull(), 7, "status 500 (5 times)", WEIGHTS)
        self.assertEqual(len(self.hub.downloads(WEIGHTS)), 5)
        self.assert_failed(self.pull(name="test-org/none"), 7, "status 404")

    def test_a_server_that_hangs(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.hub.answers.append(once(for_weights(lambda handler, content, begin: release.wait(30))))
        self.assert_pulled(self.pull(env=self.environment(HF_HUB_DOWNLOAD_TIMEOUT="1")))

    def test_a_slow_server(self):
        """Slower than the timeout all in all, but never silent for as long."""

        def trickle(handler, content, begin):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            for at in range(0, len(content), 20_000):
                handler.wfile.write(content[at : at + 20_000])
                time.sleep(0.15)

        self.hub.answers.append(for_weights(trickle))
        self.assert_pulled(self.pull(env=self.environment(HF_HUB_DOWNLOAD_TIMEOUT="1")))
        self.assertEqual(len(self.hub.downloads(WEIGHTS)), 1)

    def test_redirects(self):
        for location in ("/api/models/x/revision/main", None, "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"):
            headers = {"Location": location} if location else {}
            self.hub.answers[:] = [lambda handler, headers=headers: not Hub.send(handler, 302, b"", headers)]
            expected = ["an address of another kind"] if location and ":" in location else []
            self.assert_failed(self.pull(), 7, *expected)


class StopTest(HubTest):
    def slow(self, handler, content, begin):
        Hub.send(handler, 206 if begin else 200, content[begin:][:100_000], length=len(content) - begin,
                 headers={"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if begin else None)  # fmt: skip
        handler.wfile.flush()
        self.sending.set()
        time.sleep(20)

    def stopped(self, number):
        self.sending = threading.Event()
        process = self.start_t2v("pull", NAME, env=self.environment(HF_HUB_DOWNLOAD_TIMEOUT="30"))
        self.assertTrue(self.sending.wait(20))
        time.sleep(0.3)
        process.send_signal(number)
        _, message = process.communicate(timeout=10)
        self.assertEqual(process.returncode, -number)
        return message.decode()

    def test_what_came_is_kept(self):
        self.hub.answers.append(for_weights(self.slow))
        message = self.stopped(signal.SIGINT)
        self.assertIn("what came so far is kept", message)
        self.assertEqual(self.partial().stat().st_size, 100_000)
        self.stopped(signal.SIGTERM)
        self.assertEqual(self.partial().stat().st_size, 200_000)
        del self.hub.answers[:]
        self.assert_pulled(self.pull())
        self.assertEqual(self.ranges(), [None, "bytes=100000-", "bytes=200000-"])

    def test_killed(self):
        self.hub.answers.append(for_weights(self.slow))
        self.stopped(signal.SIGKILL)
        del self.hub.answers[:]
        self.assert_pulled(self.pull())

    def test_two_at_once(self):
        self.hub.answers.append(lambda handler: bool(time.sleep(0.05)))
        processes = [self.start_t2v("pull", NAME, env=self.environment()) for _ in range(3)]
        for process in processes:
            output, message = process.communicate(timeout=60)
            self.assertEqual((process.returncode, output.decode()), (0, f"{self.snapshot}\n"), message)
        self.assert_whole()
        self.assertEqual(len(self.hub.downloads()), len(set(self.hub.downloads())))


class DiskTest(HubTest):
    def test_no_room(self):
        listing = self.hub.listing(NAME)
        for entry in listing["siblings"]:
            if entry["rfilename"] == WEIGHTS:
                entry["lfs"]["size"] = 1 << 45
        self.hub.listing = lambda repository: listing
        self.assert_failed(self.pull(), 4, "B free", "35184.", "HF_HOME")
        self.assertEqual(self.hub.downloads(), [])

    def test_a_limit_on_files(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # noqa: E731
        self.assert_failed(self.pull(preexec_fn=limit), 4, "File too large")
        self.assertEqual(self.partial().stat().st_size, 100_000)
        self.assert_pulled(self.pull())

    def test_a_cache_that_cannot_be(self):
        self.cache.write_text("a file")
        self.assert_error(self.pull(), 4, str(self.cache))


class HostileListTest(HubTest):
    def assert_list_refused(self, *parts):
        before = {path for path in self.folder.rglob("*")}
        self.assert_error(self.pull(), 7, *parts)
        self.assertEqual({path for path in self.folder.rglob("*")}, before)
        self.assertEqual(self.hub.downloads(), [])

    def test_file_names(self):
        for name in ("../x.json", "/etc/x.json", "a/../../x.json", "a//x.json", ".", "..", "", "a\\x.json", "a\nx.json",
                     "./x.json", "x/", "\ud800.json", "a" * 2000):  # fmt: skip
            listing = {"sha": COMMIT, "siblings": [{"rfilename": name, "size": 1, "blobId": "c" * 40}]}
            self.hub.listing = lambda repository, listing=listing: listing
            with self.subTest(name):
                self.assert_list_refused("list")

    def test_hashes_and_sizes(self):
        good = {"rfilename": "model_index.json", "size": 1, "blobId": "c" * 40}
        for change in ({"blobId": "../../x"}, {"blobId": "C" * 40}, {"blobId": 7}, {"blobId": None}, {"size": -1},
                       {"size": 1.5}, {"size": "1"}, {"size": 2**63}, {"size": None}, {"rfilename": 5},
                       {"lfs": {"sha256": "d" * 63, "size": 1}}, {"lfs": {"sha256": "d" * 64}}):  # fmt: skip
            listing = {"sha": COMMIT, "siblings": [{**good, **change}]}
            self.hub.listing = lambda repository, listing=listing: listing
            with self.subTest(change):
                self.assert_list_refused("model_index.json" if "rfilename" not in change else "list")

    def test_other_answers(self):
        entry = {"rfilename": "model_index.json", "size": 1, "blobId": "c" * 40}
        for answer in (b"", b"<html>", b"[]", b"null", b"{}", b'{"sha": "main", "siblings": []}', b"\xff", b"[" * 100_000,
                       json.dumps({"sha": "../" + "a" * 37, "siblings": []}).encode(),
                       json.dumps({"sha": COMMIT, "siblings": {}}).encode(),
                       json.dumps({"sha": COMMIT, "siblings": [5]}).encode(),
                       json.dumps({"sha": COMMIT, "siblings": [entry, entry]}).encode()):  # fmt: skip
            self.hub.answers[:] = [lambda handler, answer=answer: not Hub.send(handler, 200, answer)]
            with self.subTest(answer[:40]):
                self.assert_list_refused("list")

    def test_a_list_without_end(self):
        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            while True:
                handler.wfile.write(b" " * (1 << 20))

        self.hub.answers.append(endless)
        self.assert_list_refused("bytes")


class GenerateTest(HubTest):
    def generate(self, model, **options):
        return self.run_t2v("-p", "a cat", "-o", "x.mkv", "--model", model, env=self.environment(), **options)

    def test_a_model_that_is_not_here(self):
        for name in (NAME, "wan2.1-t2v-1.3b"):
            self.assert_error(self.generate(name), 3, f"t2v pull {name}", "no such folder")
        self.assert_error(self.generate("wan2.1-t2v-1.3c"), 3, "did you mean wan2.1-t2v-1.3b?")
        self.assertEqual(self.hub.requests, [])


if __name__ == "__main__":
    unittest.main()
