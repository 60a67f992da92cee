"""Connecting to public addresses only: the address that was checked is the one connected to."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, TypeAlias, cast

import httpcore

from proveout.ports.elsewhere import PrivateAddress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

Resolve: TypeAlias = "Callable[[str, int], Awaitable[list[str]]]"
"""Gives the addresses of a host; raises OSError where it has none."""

_TRANSLATED = 0x0064FF9B << 96
"""The prefix under which IPv6 carries addresses of IPv4 (RFC 6052)."""

_LOW = 0xFFFFFFFF


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, the preferred one first.

    Raises:
        OSError: it has none, or nobody can say now.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host!r} is no name of a host") from error
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


def is_public(address: str) -> bool:
    """Whether an address belongs to the public network, whatever it is wrapped in.

    >>> is_public("192.0.2.1"), is_public("::ffff:127.0.0.1"), is_public("1.1.1.1")
    (False, False, True)

    Source:
        The special-purpose address registries of IANA; RFC 4291, 3056, 4380 and 6052.
    """
    where = ip_address(address)
    if where.is_multicast or (isinstance(where, IPv6Address) and where.is_site_local):
        return False
    return all(one.is_global for one in (where, *_within(where)))


def _within(where: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return the addresses of IPv4 that an address of IPv6 leads to."""
    if isinstance(where, IPv4Address):
        return []
    number = int(where)
    translated = IPv4Address(number & _LOW) if number & ~_LOW == _TRANSLATED else None
    found = (where.ipv4_mapped, where.sixtofour, *(where.teredo or ()), translated)
    return [one for one in found if one is not None]


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """The network, without hosts at addresses that are not public, unless allowed by name."""

    def __init__(self, allowed: Collection[str], resolve: Resolve = resolve) -> None:
        self._allowed = {host.casefold() for host in allowed}
        self._resolve = resolve
        self._network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return where a host may be connected to.

        Raises:
            PrivateAddress: it has no address where it may.
            OSError: it has no address, or nobody can say now.
        """
        found = await self._resolve(host, port)
        if host.casefold() in self._allowed:
            return found
        if public := [one for one in found if is_public(one)]:
            return public
        raise PrivateAddress(
            f"{host} stands at {', '.join(found)}, which is not public",
            why="an address in proveout.toml, or in somebody's DNS, could reach what only this "
            "machine and its neighbours may",
            fix=(f'allow_private = ["{host}"] in the candidate\'s table',),
        )

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - part of the contract
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of `host` that answers; names are resolved once."""
        try:
            addresses = await self.addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} cannot be found: {error}") from None
        trouble = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                trouble = error
        raise trouble

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await self._network.sleep(seconds)
