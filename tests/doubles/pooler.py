"""A transaction pooler before a PostgreSQL server: pgbouncer, with few sessions to share."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from doubles.postgres import STARTING, NoServerError, someone_else
from proveout.adapters.postgres.silence import NOTICED

if TYPE_CHECKING:
    from collections.abc import Mapping

SESSIONS = 3
"""Sessions of the server that all clients share."""

SETTINGS = """
[databases]
* = {server}
[pgbouncer]
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 500
auth_type = trust
auth_file = {folder}/users
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
logfile = {folder}/log
pidfile = {folder}/pid
ignore_startup_parameters = {ignored}
"""

OURS = ",".join(
    (*NOTICED, "jit", "default_transaction_isolation", "plan_cache_mode", "synchronous_commit")
)
"""What we ask of a session of our own."""


class Pooler:
    """A pooler that gives each transaction whichever session is free."""

    def __init__(self, url: str, ignored: str = "") -> None:
        """Be ready to stand before the server at `url`, and say nothing of what is `ignored`."""
        self._ignored = ignored
        self._server = urlsplit(url)
        self._folder = Path(tempfile.mkdtemp(prefix="proveout-pooler-"))
        self._as = someone_else()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            shutil.rmtree(self._folder)
            raise NoServerError("pgbouncer is not installed")
        server = _where(self._server.hostname, self._server.port, parse_qs(self._server.query))
        words = SETTINGS.format(
            server=server, folder=self._folder, sessions=SESSIONS, ignored=self._ignored
        )
        (self._folder / "ini").write_text(words, "utf-8")
        (self._folder / "users").write_text(f'"{self._server.username}" ""\n', "utf-8")
        if self._as:
            os.chown(self._folder, self._as["user"], self._as["group"])
            for path in self._folder.iterdir():
                os.chown(path, self._as["user"], self._as["group"])
        self._process = subprocess.Popen[bytes](
            [program, "-q", str(self._folder / "ini")],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **self._as,
        )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder)

    def before(self, url: str) -> str:
        """Return the URL of the database at `url`, by way of the pooler."""
        options = {"host": self._folder, "port": 6432, "statement_cache_size": 0}
        user = self._server.username
        return urlunsplit(urlsplit(url)._replace(netloc=f"{user}@", query=urlencode(options)))

    def _wait(self) -> None:
        for _ in range(int(STARTING / 0.02)):
            if (self._folder / ".s.PGSQL.6432").exists():
                return
            if self._process is None or self._process.poll() is not None:
                break
            threading.Event().wait(0.02)
        raise NoServerError(f"pgbouncer did not start: {(self._folder / 'log').read_text()}")


def _where(host: str | None, port: int | None, options: Mapping[str, list[str]]) -> str:
    """Return where a server is, as pgbouncer writes it."""
    at = {"host": host or options.get("host", ["localhost"])[0], "port": port or 5432}
    return " ".join(f"{name}={value}" for name, value in at.items())
