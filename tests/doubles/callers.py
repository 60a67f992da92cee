"""A server of the doors in a process of its own, and who calls it over a real wire."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from doubles.doors import SECRET, SETTINGS, VARIABLE, order, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

TESTS = Path(__file__).parents[1]
PATIENCE = 60

APP = """
def answer(n: int) -> int:
    return n * 2
"""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Server:
    """A process whose doors are open.

    Attributes:
        port: on 127.0.0.1.
    """

    process: subprocess.Popen[str]
    port: int

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            text = response.read()
            got = {name.lower(): value for name, value in response.getheaders()}
            is_json = "json" in got.get("content-type", "")
            return Answer(response.status, got, json.loads(text) if is_json else text)
        finally:
            connection.close()

    def deliver(self, number: int) -> Answer | None:
        """Send an event of the shop, signed now; None where the server died over it."""
        body = order(number)
        try:
            return self.call("POST", "/hooks/shop", body, **signed(body, datetime.now(UTC)))  # noqa: TID251 - the server's clock is the real one
        except (OSError, http.client.HTTPException):
            return None

    def kill(self) -> None:
        """End the process as a power failure would."""
        self.process.kill()
        self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()


@dataclass
class Shop:
    """A project in production, with a source of webhooks."""

    folder: Path
    environment: Mapping[str, str]
    servers: list[Server] = field(default_factory=list[Server])

    def serve(self, fate: str = "whole", number: int = 0) -> Server:
        """Start a server; returns when its doors are open."""
        with (self.folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "doubles.server", fate, str(number)],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.strip().isdigit(), (self.folder / "server.log").read_text("utf-8")
        server = Server(process, int(line))
        self.servers.append(server)
        return server

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "proveout", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def close(self) -> None:
        """End whatever still runs."""
        for server in self.servers:
            server.kill()


def open_shop(folder: Path, store_url: str) -> Shop:
    """Write a project and return it; nothing is started yet."""
    (folder / "app.py").write_text(APP, "utf-8")
    (folder / "cases.jsonl").write_text('{"input": 1, "expected": 2}\n' * 3, "utf-8")
    (folder / "proveout.toml").write_text(SETTINGS, "utf-8")
    return Shop(
        folder,
        {
            **os.environ,
            "PROVEOUT_STORE": store_url,
            "PROVEOUT_KEY_FILE": str(folder / "keys" / "key"),
            "PYTHONPATH": str(TESTS),
            VARIABLE: SECRET,
        },
    )
