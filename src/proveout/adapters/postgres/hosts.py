"""What a store's URL says: in which schema it is, and among which hosts its server moves.

One host may be a primary that dies, and another the standby that is promoted after it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

T = TypeVar("T")

ATTRIBUTES = "target_session_attrs"

SCHEMA = "proveout"
"""The schema in which everything lives, and its name in our statements."""

SCHEMA_OPTION = "proveout_schema"
"""The parameter of a URL that names another one, for a sandbox."""

HOST = r"([^@:,/?#\[\]]*|\[[\da-fA-F:]+\])(:\d*)?"

URL = re.compile(rf"postgres(ql)?://([^@/?#]*@)?{HOST}(,{HOST})*([/?][^@]*)?")
"""Whatever else stands where host and port belong may be a part of a password."""


def unreadable() -> Mistake:
    """Return what is wrong with a URL, without showing it."""
    return Mistake(
        "the store's URL cannot be read as one of PostgreSQL",
        why="it is not shown here because it may hold a password",
        fix=(
            "set PROVEOUT_STORE=postgresql://USER:PASSWORD@HOST:5432/DATABASE",
            "write @ : / ? # in a password as %40 %3A %2F %3F %23",
        ),
    )


def schema_of(options: dict[str, list[str]]) -> str:
    """Return the schema in which everything lives.

    Raises:
        Mistake: a URL names more than one, or none that can be.
    """
    [schema, *more] = options.get(SCHEMA_OPTION, [SCHEMA])
    if more or not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", schema):
        raise unreadable()
    return schema


def without_our_options(url: str) -> str:
    """Return `url` without the parameters that only we read."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    left = [pair for pair in pairs if pair[0] not in {"statement_cache_size", SCHEMA_OPTION}]
    return url if left == pairs else urlunsplit(parts._replace(query=urlencode(left)))


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
