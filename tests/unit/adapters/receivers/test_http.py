"""Receivers that do what no receiver should, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from proveout.adapters.receivers import http
from proveout.adapters.receivers.address import is_loopback, parse_address, places
from proveout.adapters.receivers.http import HttpReceiver, Wire
from proveout.ports.receiver import (
    LONGEST_KEPT,
    BadAddress,
    HostNotAllowed,
    Letter,
    ReceiverNotReachable,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

BODY = b'{"id": "evt_1"}'
HTTP = "http://"
NO_PLACES = (
    *("/x", "[::1/", "shop:port/", "shop:70000/", "shop:0/", "ana@shop/", "ana:hush@shop/"),
    *("sh op/", "shop/\r\nHost: x", "shop/\x00"),
)
LETTER = Letter(headers=((b"x-signature", b"abc"),), body=BODY)
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


@asynccontextmanager
async def receiver(talk: Talk, path: str = "/webhook") -> AsyncGenerator[HttpReceiver]:
    """Open a receiver on this machine that talks so, and a wire to it."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = await Wire.to(parse_address(f"http://localhost:{port}{path}"), ())
    try:
        yield HttpReceiver(wire)
    finally:
        await wire.close()
        server.close()


async def heard(reader: asyncio.StreamReader) -> bytes:
    """Return a request once it is whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(len(BODY)) if b"POST" in head else head


def answering(said: bytes) -> Talk:
    """Return what answers every request with these bytes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        writer.write(said)
        await writer.drain()
        writer.close()

    return talk


async def test_a_letter_arrives_as_it_was_written() -> None:
    """Its headers and bytes are untouched, and nothing of the environment is added."""
    requests: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await heard(reader))
        writer.write(FINE)
        writer.close()

    async with receiver(talk, "/a/webhook?x=1") as one:
        answer = await one.send(LETTER)

    assert (answer.status, answer.body) == (200, b"fine")
    [request] = requests
    assert request.startswith(b"POST /a/webhook?x=1 HTTP/1.1\r\n")
    assert b"x-signature: abc\r\n" in request
    assert request.endswith(b"\r\n\r\n" + BODY)


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    """Even to where the receiver itself stands."""
    said = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/other\r\nContent-Length: 0\r\n\r\n"

    async with receiver(answering(said)) as one:
        answer = await one.send(LETTER)

    assert (answer.status, answer.headers["location"]) == (302, "http://127.0.0.1/other")


async def test_an_endless_answer_is_read_to_a_limit() -> None:
    """A receiver that answers half a gigabyte costs 64 kB."""
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await heard(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500000000\r\n\r\n")
        try:
            while sent < 500_000_000:
                writer.write(b"x" * 100_000)
                await writer.drain()
                sent += 100_000
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with receiver(talk) as one:
        answer = await one.send(LETTER)

    assert (answer.status, len(answer.body)) == (200, LONGEST_KEPT)
    assert sent < 100_000_000


@pytest.mark.parametrize(
    "said", [b"", b"hello\r\n\r\n", b"HTTP/1.1 nine\r\n\r\n", b"\x00\xff" * 50, b"HTTP/1.1 200"]
)
async def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    async with receiver(answering(said)) as one:
        answer = await one.send(LETTER)

    assert answer.status is None
    assert answer.trouble
    assert not answer.is_closed


async def test_a_connection_that_is_reset_is_no_answer() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        writer.transport.abort()

    async with receiver(talk) as one:
        answer = await one.send(LETTER)

    assert (answer.status, answer.is_closed) == (None, False)


async def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before the answer nor within it, once its head has come."""
    monkeypatch.setattr(http, "PATIENCE", 0.3)
    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        await ended.wait()
        writer.close()

    async def halting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfi")
        await ended.wait()
        writer.close()

    async with receiver(silent) as one, receiver(halting) as other:
        nothing, half = await asyncio.gather(one.send(LETTER), other.send(LETTER))
        ended.set()

    assert (nothing.status, nothing.trouble) == (None, "nothing within 0 s")
    assert half.status == 200


async def test_nobody_and_bad_tls_take_no_connection() -> None:
    """A port that is shut, and a server that speaks no TLS, or none that we trust."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    shut = HttpReceiver(await Wire.to(parse_address(f"http://127.0.0.1:{port}/"), ()))

    async def hasty(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(FINE)
        writer.close()

    server = await asyncio.start_server(hasty, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    plain = HttpReceiver(await Wire.to(parse_address(f"https://127.0.0.1:{port}/"), ()))

    answers = [await shut.send(LETTER), await plain.send(LETTER)]

    server.close()
    assert [one.is_closed for one in answers] == [True, True]
    assert all(one.trouble for one in answers)


async def test_last_bytes_are_sent_once_all_others_were() -> None:
    """No copy is whole before every copy is there but for its last byte."""
    parts: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        got = await reader.readexactly(len(BODY) - 1)
        parts.append(len(got))
        await reader.readexactly(1)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{len(parts)}".encode())
        writer.close()

    async with receiver(talk) as one:
        held = await one.send_together([LETTER] * 4, same_moment=True)

    assert [answer.body for answer in held] == [b"4"] * 4


async def test_a_caller_that_hangs_up_has_sent_its_letter_whole() -> None:
    got: list[bytes] = []
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await heard(reader))
        got.append(await reader.read())
        gone.set()
        writer.close()

    async with receiver(talk) as one:
        await one.hang_up(LETTER, 0.0)
        await asyncio.wait_for(gone.wait(), 5)

    assert got[0].endswith(BODY)
    assert got[1] == b""


async def test_a_server_is_asked_for_what_is_not_there() -> None:
    """So that it says in its own words what it is written with."""
    said = b"HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\nCannot GET /webhook"

    async with receiver(answering(said)) as one:
        answer = await one.visit()

    assert answer.status == 404


# Where it may stand


async def _at(*found: str) -> list[str]:
    return list(found)


@pytest.mark.parametrize(
    ("found", "allowed", "places_"),
    [
        (["127.0.0.1", "::1"], (), ("127.0.0.1", "::1")),
        (["203.0.113.5", "127.0.0.1"], (), ("127.0.0.1",)),
        (["203.0.113.5"], ("shop.example",), ("203.0.113.5",)),
        (["203.0.113.5"], ("SHOP.Example",), ("203.0.113.5",)),
    ],
)
async def test_only_this_machine_is_connected_to_unless_its_name_is_allowed(
    found: list[str], allowed: tuple[str, ...], places_: tuple[str, ...]
) -> None:
    address = parse_address("https://shop.example/webhook")

    assert await places(address, allowed, lambda _host, _port: _at(*found)) == places_


@pytest.mark.parametrize(
    "there",
    ["203.0.113.5", "10.0.0.1", "0.0.0.0", "169.254.169.254", "fe80::1"],  # noqa: S104 - refused
)
async def test_another_machine_is_refused(there: str) -> None:
    """Also one that an allowed name does not stand for."""
    address = parse_address("https://shop.example/webhook")

    with pytest.raises(HostNotAllowed, match="not this machine") as no:
        await places(address, ("other.example",), lambda _host, _port: _at(there))

    assert no.value.fix[0] == "--allow-host shop.example"


async def test_a_host_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that stands elsewhere a moment later leads nowhere else."""
    asked: list[str] = []
    server = await asyncio.start_server(answering(FINE), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["203.0.113.5"]

    monkeypatch.setattr(http, "resolve", resolve)
    one = HttpReceiver(await Wire.to(parse_address(f"http://shop.example:{port}/"), ()))

    answers = [await one.send(LETTER) for _ in range(3)]

    server.close()
    assert [answer.status for answer in answers] == [200] * 3
    assert asked == ["shop.example"]


async def test_a_name_that_nobody_knows_is_not_reachable() -> None:
    async def unknown(host: str, _port: int) -> list[str]:
        raise OSError(f"{host} is not known")

    with pytest.raises(ReceiverNotReachable):
        await places(parse_address("http://shop.example/"), (), unknown)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("http://127.0.0.1/webhook", "127.0.0.1", 80),
        ("https://Shop.Example:8443/a?b=c#d", "shop.example", 8443),
        ("http://[::1]:8000/", "::1", 8000),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int) -> None:
    found = parse_address(text)

    assert (found.host, found.port) == (host, port)
    assert "#" not in found.url


@pytest.mark.parametrize(
    "text",
    [
        *("", "shop", "//shop/webhook", "ftp://shop/", "file:///etc/passwd", HTTP),
        *(f"{HTTP}{rest}" for rest in NO_PLACES),
        *("http://b\u00fccher.example/", "http://shop.example/\u2028"),
    ],
)
def test_what_is_no_address_is_a_mistake(text: str) -> None:
    with pytest.raises(BadAddress) as no:
        parse_address(text)

    assert "hush" not in no.value.message + no.value.why + "".join(no.value.fix)


def test_a_host_beyond_ascii_is_told_how_it_is_written() -> None:
    with pytest.raises(BadAddress) as no:
        parse_address("http://b\u00fccher.example/")

    assert no.value.fix == ("write xn--bcher-kva.example for its host",)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True)),
        *(("0.0.0.0", False), ("::", False), ("::ffff:10.0.0.1", False), ("10.0.0.1", False)),  # noqa: S104 - refused
    ],
)
def test_this_machine_is_told_from_others(address: str, own: bool) -> None:
    assert is_loopback(address) is own
