"""Where a receiver may stand: at an address that is written plainly, on this machine or allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from proveout.domain.duration import shown
from proveout.ports.receiver import BadAddress, HostNotAllowed, ReceiverNotReachable

if TYPE_CHECKING:
    from collections.abc import Collection

    from proveout.adapters.candidates.network import Resolve

PORTS = {"http": 80, "https": 443}

_PLAIN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where something answers HTTP."""

    url: str
    is_secure: bool
    host: str
    port: int


def parse_address(text: str) -> Address:
    """Return the address that a URL names.

    Raises:
        BadAddress: it is not written as one, or holds a name and a password.
    """
    parts = _split(text)
    if parts.scheme not in PORTS:
        raise BadAddress(
            f"{shown(text)} is no address of a receiver",
            why="receivers of webhooks are reached over http:// or https://",
            fix=("http://127.0.0.1:8000/webhook",),
        )
    if "@" in parts.netloc:
        raise BadAddress(
            "the address holds a name or a password before its host",
            why="no provider sends one, and it would stand in the history of the shell",
            fix=(f"{parts.scheme}://{parts.hostname}{parts.path}",),
        )
    return Address(
        url=parts._replace(fragment="").geturl(),
        is_secure=parts.scheme == "https",
        host=parts.hostname or "",
        port=parts.port or PORTS[parts.scheme],
    )


def _split(text: str) -> SplitResult:
    if not _PLAIN.fullmatch(text):
        raise BadAddress(
            f"{shown(text)} is no address as it travels",
            why="blanks, controls and letters beyond ASCII are written otherwise in an address",
            fix=(_travelling(text),),
        )
    try:
        parts = urlsplit(text)
        if parts.hostname and parts.port != 0:
            return parts
        trouble = "it names no host" if not parts.hostname else "port 0 is none"
    except ValueError as error:
        trouble = str(error)
    raise BadAddress(
        f"{shown(text)} is no address: {trouble}", fix=("http://127.0.0.1:8000/webhook",)
    )


def _travelling(text: str) -> str:
    """Return how a host beyond ASCII is written, where that is what is wrong."""
    try:
        host = urlsplit(text).hostname or ""
        written = host.encode("idna").decode()
    except (ValueError, UnicodeError):
        return "http://127.0.0.1:8000/webhook"
    return f"write {written} for its host" if written != host else "percent-encode the path"


async def places(address: Address, allowed: Collection[str], resolve: Resolve) -> tuple[str, ...]:
    """Return the addresses of the network at which a host may be connected to.

    Raises:
        HostNotAllowed: it has none on this machine, and was not allowed by name.
        ReceiverNotReachable: it has none at all, or nobody can say now.
    """
    try:
        found = await resolve(address.host, address.port)
    except OSError as error:
        raise ReceiverNotReachable(
            f"{address.host} cannot be found", why=str(error), fix=("check the host's name",)
        ) from None
    if address.host.casefold() in {one.strip("[]").casefold() for one in allowed}:
        return tuple(found)
    if own := tuple(one for one in found if is_loopback(one)):
        return own
    raise HostNotAllowed(
        f"{address.host} stands at {', '.join(found)}, which is not this machine",
        why="probes are forged, broken and repeated deliveries; they belong to whoever runs the "
        "receiver",
        fix=(f"--allow-host {address.host}", "probe it on this machine: http://127.0.0.1:8000/…"),
    )


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own, whatever it is wrapped in.

    >>> is_loopback("127.0.0.2"), is_loopback("::ffff:127.0.0.1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    where = ip_address(address)
    if isinstance(where, IPv6Address) and where.ipv4_mapped is not None:
        return where.ipv4_mapped.is_loopback
    return where.is_loopback
