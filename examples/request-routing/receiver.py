"""A service outside every worker: it counts each call it receives by its key."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CALLS: Counter[str] = Counter()
LOCK = threading.Lock()


class Service(BaseHTTPRequestHandler):
    """Takes a dispatched request; tells what it has counted."""

    def do_POST(self) -> None:
        """Count one call under its key."""
        self.rfile.read(int(self.headers["Content-Length"]))
        with LOCK:
            CALLS[self.headers["Idempotency-Key"]] += 1
        self._answer({})

    def do_GET(self) -> None:
        """Tell how often each key was seen."""
        with LOCK:
            self._answer(dict(CALLS))

    def _answer(self, words: object) -> None:
        body = json.dumps(words).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Stay quiet."""


class Crowded(ThreadingHTTPServer):
    """A server at which a crowd may knock at once; by default the sixth of them is reset."""

    request_queue_size = 1024


if __name__ == "__main__":
    server = Crowded(("127.0.0.1", 0), Service)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
