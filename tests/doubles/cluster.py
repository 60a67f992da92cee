"""PostgreSQL servers that are reached by address, and standbys that follow one."""

from __future__ import annotations

import secrets
import signal
from urllib.parse import urlsplit, urlunsplit

from doubles.postgres import OwnServer

DURABLE = ("fsync=on", "full_page_writes=on")
"""As a server is by default."""

PORT = 5432


class Addressed(OwnServer):
    """A server at an address of its own.

    Attributes:
        address: where it listens.
    """

    def __init__(self, *settings: str, address: str = "", welcome: str = "127.0.0.0/8") -> None:
        """Make a server that lets in whoever comes from `welcome`."""
        self.address = address or loopback()
        self._welcome = welcome
        super().__init__(*DURABLE, f"listen_addresses={self.address}", *settings)

    @property
    def folder(self) -> str:
        """Where its socket is."""
        return str(self._folder / "run")

    def kill(self) -> None:
        """End it as a machine ends that loses power: nobody is told, nothing is tidied up."""
        self._end(signal.SIGKILL)

    def crash(self) -> None:
        """End it at once, wherever it is, also in the middle of its recovery."""
        self._end(signal.SIGQUIT)

    def begin(self) -> None:
        """Start it, and do not wait until it answers."""
        self._launch()

    def promote(self) -> None:
        """Let a standby be the primary; return when it is."""
        self._run("pg_ctl", "promote", "-w", "-D", str(self._data))

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None
        if self._guard is not None:
            self._guard.communicate(b"stopped\n")
            self._guard = None

    def _initialise(self) -> None:
        super()._initialise()
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {self._welcome} trust\n")


class Standby(Addressed):
    """A server that follows a primary until it is promoted."""

    def __init__(self, primary: Addressed, *settings: str) -> None:
        """Make a copy of `primary`, which is to run."""
        super().__init__(*settings)
        self._primary = primary

    def _initialise(self) -> None:
        self._run(
            *("pg_basebackup", "-D", str(self._data), "-h", self._primary.folder),
            *("-U", "postgres", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
        )


def loopback() -> str:
    """Return an address of this machine's own that nobody else here has."""
    return f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def at(url: str, *servers: Addressed) -> str:
    """Return the URL of the same database, at whichever of the servers can be written to."""
    hosts = ",".join(f"{server.address}:{PORT}" for server in servers)
    options = "target_session_attrs=read-write" if len(servers) > 1 else ""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"postgres@{hosts}", query=options))
