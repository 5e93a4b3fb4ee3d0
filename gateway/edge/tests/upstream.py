"""A small real server to stand behind the edge. It tells what reached it; some paths behave badly on purpose."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Upstream(ThreadingHTTPServer):
    """Listens on a free port of the loopback at once; serves until `close`."""

    daemon_threads = True

    def __init__(self, name: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.name = name
        self.jwks: dict[str, Any] = {"keys": []}
        self.seen: Counter[str] = Counter()
        self.heard = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of these tests. Anything else is told, as the base class does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def handle_request(self) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen[path] += 1
        what = path.rpartition("/")[2]
        if what == "readyz":
            self.answer(b"ok", "text/plain")
        elif what == "jwks":
            self.answer(json.dumps(self.server.jwks).encode())
        elif what == "live":
            self.stream()
        elif what == "slow":
            time.sleep(60)
        elif (what == "dies-once" and self.server.seen[path] == 1) or what == "dies":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif what == "suicide":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "long":
            self.answer(json.dumps({"text": "praxis " * 2000}).encode(), headers={"etag": '"7"'})
        elif what == "strict":
            self.answer(
                b"<p>strict</p>", "text/html", {"content-security-policy": "default-src 'none'", "server": "gunicorn"}
            )
        else:
            self.answer(json.dumps(self.told(len(body))).encode())

    # The base class asks for these names.
    do_GET = do_HEAD = do_POST = do_PUT = handle_request  # noqa: N815
    do_PATCH = do_DELETE = do_OPTIONS = handle_request  # noqa: N815

    def told(self, size: int) -> dict[str, Any]:
        return {
            "server": self.server.name,
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "size": size,
            "times": self.server.seen[self.path.partition("?")[0]],
        }

    def answer(self, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(200)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def stream(self) -> None:
        """Two events, the second only when the client is said to hold the first."""
        self.send_response_only(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.end_headers()
        self.close_connection = True
        for number in (1, 2):
            self.wfile.write(f"data: {number}\n\n".encode())
            self.wfile.flush()
            self.server.heard.wait()

    def log_message(self, format: str, *args: Any) -> None:
        pass


if __name__ == "__main__":
    server = Upstream(sys.argv[1], int(sys.argv[2]))
    threading.Event().wait()
