"""A small Hugging Face Hub on this machine, which can be told to misbehave."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from support import environment

COMMIT = "a1" * 20


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def git_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(path):
    return path.endswith((".safetensors", ".gguf", ".pth"))


def blob_name(path, content):
    return sha256(content) if is_large(path) else git_id(content)


class Hub:
    """Repositories by name, each a dictionary of path and content. `answers` holds functions that may answer a request
    in place of the Hub: answer(handler) returns True if it did."""

    def __init__(self, repositories=None, host="127.0.0.1"):
        self.repositories = repositories or {}
        self.answers = []
        self.requests = []  # (path, headers)
        self.listing = lambda repository: {
            "id": repository,
            "sha": COMMIT,
            "siblings": [self.entry(path, content) for path, content in self.repositories[repository].items()],
        }

        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                hub.requests.append((self.path, dict(self.headers)))
                for answer in list(hub.answers):
                    if answer(self):
                        return
                hub.answer(self)

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that went away

        self.server = Server((host, 0), Handler)
        self.url = f"http://{host}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def environment(self, home, **changes):
        """Variables of a command that has its home, and the cache in it, in a folder, and knows this Hub alone."""
        names = ("HF_HOME", "XDG_CACHE_HOME", "HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
        variables = {name: value for name, value in environment().items()
                     if name not in names and not name.lower().endswith("_proxy")}  # fmt: skip
        return {**variables, "HOME": str(home), "HF_ENDPOINT": self.url, "HF_HUB_CACHE": str(home / "cache"), **changes}

    @staticmethod
    def entry(path, content):
        entry = {"rfilename": path, "size": len(content), "blobId": git_id(content)}
        if is_large(path):
            entry["lfs"] = {"sha256": sha256(content), "size": len(content), "pointerSize": 134}
        return entry

    def content(self, path):
        """The bytes at /org/repo/resolve/COMMIT/path; None if there is no such file."""
        parts = unquote(path).strip("/").split("/")
        if len(parts) < 5 or parts[2:4] != ["resolve", COMMIT]:
            return None
        return self.repositories.get("/".join(parts[:2]), {}).get("/".join(parts[4:]))

    def answer(self, handler):
        path = handler.path.partition("?")[0]
        if path.startswith("/api/models/"):
            parts = path.split("/")
            repository = "/".join(parts[3:5])
            if repository not in self.repositories or parts[5] != "revision":
                return self.send(handler, 404)
            return self.send(handler, 200, json.dumps(self.listing(repository)).encode())
        content = self.content(path)
        if content is None:
            return self.send(handler, 404)
        begin = self.range_of(handler)
        if begin == 0:
            return self.send(handler, 200, content)
        if begin >= len(content):
            return self.send(handler, 416)
        return self.send(handler, 206, content[begin:],
                         {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"})  # fmt: skip

    @staticmethod
    def range_of(handler):
        text = handler.headers.get("Range", "bytes=0-")
        return int(text.removeprefix("bytes=").rstrip("-"))

    @staticmethod
    def send(handler, status, body=b"", headers=None, length=None, sent=None):
        """`length`: what the head says, if it lies; `sent`: how much of the body is sent before the line is cut."""
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body if sent is None else body[:sent])
        if sent is not None:
            handler.wfile.flush()
            handler.close_connection = True

    def downloads(self, ending=""):
        """Paths of the files that were asked for, in order."""
        return [path for path, _ in self.requests if "/resolve/" in path and path.endswith(ending)]
