"""A server that moves among hosts: whichever can be written to is found."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from doubles.cluster import Addressed, Standby, at
from proveout.adapters.postgres import wire
from proveout.adapters.postgres.hosts import Hosts
from proveout.adapters.postgres.wire import Server, part
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Generator

WRITES = {"target_session_attrs": "read-write"}


def ways(hosts: str, **options: str) -> list[dict[str, Any]]:
    """Return what the driver is told for each host of a URL."""
    found: list[dict[str, Any]] = []

    async def note(way: dict[str, Any]) -> None:
        found.append(way)
        raise OSError

    gone = Hosts.of(hosts, {name: [value] for name, value in options.items()}).first(
        note, lambda _: True
    )
    with pytest.raises(OSError):  # noqa: PT011 - it is ours
        gone.send(None)
    return found


def test_one_host_is_left_to_the_url() -> None:
    """The driver reads it as it stands."""
    assert ways("db:5433") == [{}]
    assert ways("/tmp/here") == [{}]  # noqa: S108 - a name only


def test_several_hosts_are_one_server_that_can_be_written_to() -> None:
    """Each with its own port, or the one for all; what the URL asks for goes before ours."""
    assert ways("a,b:5433,[::1]:5434") == [
        {"host": "a", "port": 5432, **WRITES},
        {"host": "b", "port": 5433, **WRITES},
        {"host": "::1", "port": 5434, **WRITES},
    ]
    assert ways("/one,/two", port="6000") == [
        {"host": "/one", "port": 6000, **WRITES},
        {"host": "/two", "port": 6000, **WRITES},
    ]
    assert ways("a,b", target_session_attrs="any", port="1,2") == [
        {"host": "a", "port": 1},
        {"host": "b", "port": 2},
    ]


@pytest.mark.parametrize("query", ["port=1,2,3", "port=x"])
def test_ports_that_do_not_fit_the_hosts_are_a_mistake(query: str) -> None:
    """The URL cannot be read, and is not shown."""
    with pytest.raises(Mistake, match="cannot be read"):
        Server.at(f"postgresql://me@a,b/db?{query}")


async def test_the_host_that_answered_is_asked_first_again() -> None:
    """The others are only tried where that can help."""
    asked: list[str] = []

    async def reach(way: dict[str, Any]) -> str:
        asked.append(way["host"])
        if way["host"] in dead:
            raise ConnectionRefusedError
        return way["host"]

    hosts = Hosts.of("a,b", {})
    dead = {"a"}
    assert await hosts.first(reach, lambda _: True) == "b"
    assert await hosts.first(reach, lambda _: True) == "b"
    dead = {"b"}
    assert await hosts.first(reach, lambda _: True) == "a"
    dead = {"a"}
    with pytest.raises(ConnectionRefusedError):
        await hosts.first(reach, lambda _: False)

    assert asked == ["a", "b", "b", "b", "a", "a"]


@pytest.fixture(scope="module")
def pair() -> Generator[tuple[Addressed, Standby]]:
    """Return a primary and a standby."""
    with Addressed() as primary, Standby(primary) as standby:
        yield primary, standby


async def test_a_standby_is_passed_by(pair: tuple[Addressed, Standby]) -> None:
    """Of two that answer, the one that can be written to is taken, wherever it stands."""
    primary, standby = pair
    for url in (at(primary.url, standby, primary), at(primary.url, primary, standby)):
        link = await Server.at(url.partition("?")[0]).connect("test")

        [row] = await link.fetch("SELECT pg_is_in_recovery() AS follows")

        assert not row["follows"]
        await part(link)


async def test_a_silent_host_leaves_time_for_the_others(
    pair: tuple[Addressed, Standby], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that lost its power answers nobody; the next one is asked all the same."""
    monkeypatch.setattr(wire, "CONNECTING", 2.0)
    primary, _ = pair
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://postgres@127.0.0.1:{port},{primary.address}/postgres"

        link = await Server.at(url).connect("test")

        assert await link.fetch("SELECT 1")
        await part(link)
