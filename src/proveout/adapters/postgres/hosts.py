"""The hosts among which a server moves: a primary that died, and the standby after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

T = TypeVar("T")

ATTRIBUTES = "target_session_attrs"


class Hosts:
    """Where a server may be, tried one after the other, the one that answered last first.

    The driver knows lists of hosts too, but gives all of them one time-out, so that a first
    one that is silent leaves none for the others; and it stops at one that is starting up.

    Attributes:
        count: how many there are, from 1.
    """

    def __init__(self, ways: Sequence[dict[str, Any]]) -> None:
        """Take what the driver is to be told for each host."""
        self._ways = list(ways)
        self.count = len(ways)

    @classmethod
    def of(cls, hosts: str, options: Mapping[str, Sequence[str]]) -> Self:
        """Return the hosts that a URL names.

        Several stand for one server that moves, and only one of them can be written to: that
        one is asked for unless the URL asks for something else.

        Raises:
            ValueError: a port is no number, or there are more or fewer ports than hosts.
        """
        several = hosts.split(",")
        if len(several) == 1:
            return cls([{}])
        asked = {} if ATTRIBUTES in options else {ATTRIBUTES: "read-write"}
        ports = options.get("port", ["5432"])[0].split(",")
        ports *= len(several) if len(ports) == 1 else 1
        places = zip(several, ports, strict=True)
        return cls([{**_place(one, port), **asked} for one, port in places])

    async def first(
        self,
        reach: Callable[[dict[str, Any]], Awaitable[T]],
        may_go_on: Callable[[Exception], bool],
    ) -> T:
        """Return what `reach` found at the first host that answers.

        The error of the last host comes out, or the first that another host cannot help.
        """
        for number, way in enumerate(tuple(self._ways), 1):
            try:
                found = await reach(way)
            except Exception as error:
                if number == self.count or not may_go_on(error):
                    raise
                continue
            self._ways = [way, *(one for one in self._ways if one is not way)]
            return found
        raise AssertionError


def _place(host: str, port: str) -> dict[str, Any]:
    """Return a host and its port as the driver wants them; a path is a folder of sockets."""
    if host.startswith("["):
        name, _, own = host[1:].partition("]")
        return {"host": name, "port": int(own.removeprefix(":") or port)}
    name, _, own = host.partition(":")
    return {"host": name or "localhost", "port": int(own or port)}
