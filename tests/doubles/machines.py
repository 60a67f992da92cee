"""Several machines with links that can be cut: network namespaces, or wires in between.

Where the system lets us, each machine is a network namespace with a link of its own to a
bridge. Elsewhere it is this one, and a wire that can be cut leads from each to the server.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, Self

from doubles.cluster import PORT, loopback

if TYPE_CHECKING:
    from collections.abc import Generator


class Machine(Protocol):
    """Where a worker runs.

    Attributes:
        prefix: what a command begins with that is to run there.
    """

    prefix: tuple[str, ...]

    def server(self, address: str) -> str:
        """Return where the server at `address` is, seen from there."""
        ...

    def cut(self) -> None:
        """Let nothing through, either way, without a word to either end."""
        ...

    def mend(self) -> None:
        """Let everything through again."""
        ...


class Machines:
    """Some machines and the address at which they reach this one."""

    def __init__(self, address: str, subnet: str, machines: list[Machine]) -> None:
        self.address = address
        self.subnet = subnet
        self.machines = machines


@contextmanager
def machines(count: int) -> Generator[Machines]:
    """Make that many machines for as long as the block lasts."""
    with ExitStack() as made:
        try:
            found = made.enter_context(_namespaces(count))
        except (OSError, subprocess.CalledProcessError):
            wires: list[Machine] = [made.enter_context(Wire()) for _ in range(count)]
            found = Machines(loopback(), "127.0.0.0/8", wires)
        yield found


class Namespace:
    """A network namespace of its own, and its link to the bridge."""

    def __init__(self, name: str) -> None:
        self.prefix: tuple[str, ...] = (_ip(), "netns", "exec", name)
        self._name = name

    def server(self, address: str) -> str:
        return address

    def cut(self) -> None:
        _do("link", "set", self._name, "down")

    def mend(self) -> None:
        _do("link", "set", self._name, "up")


@contextmanager
def _namespaces(count: int) -> Generator[Machines]:
    tag = f"pv{secrets.token_hex(3)}"
    net = f"10.{100 + secrets.randbelow(100)}.{secrets.randbelow(256)}"
    with ExitStack() as made:
        _do("link", "add", tag, "type", "bridge")
        made.callback(_do, "link", "delete", tag)
        _do("address", "add", f"{net}.1/24", "dev", tag)
        _do("link", "set", tag, "up")
        found: list[Machine] = []
        for number in range(count):
            name = f"{tag}-{number}"
            _do("netns", "add", name)
            made.callback(_do, "netns", "delete", name)
            _do("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            made.callback(_do, "link", "delete", name)
            _do("link", "set", name, "master", tag, "up")
            _do("-n", name, "address", "add", f"{net}.{number + 2}/24", "dev", "eth0")
            _do("-n", name, "link", "set", "eth0", "up")
            found.append(Namespace(name))
        yield Machines(f"{net}.1", f"{net}.0/24", found)


def _ip() -> str:
    return shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin") or "ip"


def _do(*words: str) -> None:
    subprocess.run([_ip(), *words], check=True, capture_output=True)


class Wire:
    """A wire to the server: what comes while it is cut waits, as it would in a network."""

    def __init__(self) -> None:
        self.prefix: tuple[str, ...] = ()
        self._whole = threading.Event()
        self._whole.set()
        self._here = loopback()
        self._to = ""
        self._listening = socket.create_server((self._here, PORT))
        self._open: list[socket.socket] = [self._listening]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._whole.set()
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def server(self, address: str) -> str:
        self._to = address
        return self._here

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._whole.wait()
                far = socket.create_connection((self._to, PORT))
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while said := one.recv(2**16):
                self._whole.wait()
                other.sendall(said)
            other.shutdown(socket.SHUT_WR)
