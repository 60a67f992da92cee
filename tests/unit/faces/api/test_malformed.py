"""Whatever arrives at a door, the answer is a problem of the sender, never one of ours."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doubles.clock import CountedIds, ManualClock
from doubles.doors import House, open_house, order, signed
from proveout.adapters.sqlite.store import SqliteStore
from proveout.domain.access import Role

if TYPE_CHECKING:
    from collections.abc import Generator

HEADER = st.binary(max_size=200).filter(lambda value: not set(value) & set(b"\r\n\x00"))
NAMES = st.sampled_from(
    [
        b"stripe-signature",
        b"webhook-id",
        b"webhook-timestamp",
        b"webhook-signature",
        b"svix-id",
        b"svix-signature",
        b"content-length",
        b"content-type",
        b"authorization",
        b"cookie",
    ]
)
NUMBER = st.one_of(st.binary(max_size=30), st.integers().map(lambda n: b"%d" % n))
SIGNATURE = st.one_of(
    HEADER,
    st.tuples(NUMBER, st.binary(max_size=80))
    .map(lambda both: b"t=%b,v1=%b" % both)
    .filter(lambda value: not set(value) & set(b"\r\n\x00")),
)
BODY = st.one_of(
    st.binary(max_size=300), st.text(max_size=100).map(lambda t: t.encode("utf-8", "replace"))
)


class Room:
    """A house on a loop of its own, so that examples can be tried one after another."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        clock = ManualClock()
        self.store = self.loop.run_until_complete(_open(folder / "store.db", clock))
        self.house = open_house(folder, self.store, clock, CountedIds())
        self.loop.run_until_complete(self.house.into_production())
        self.key = self.loop.run_until_complete(self.house.key(Role.OWNER))

    def send(
        self, path: str, headers: list[tuple[bytes, bytes]], body: bytes, method: str = "POST"
    ) -> tuple[int, dict[bytes, bytes]]:
        """Send raw bytes to the application, as a server would hand them over."""
        return self.loop.run_until_complete(_send(self.house, path, headers, body, method))

    def close(self) -> None:
        """Let go of everything."""
        self.house.access.close()
        self.loop.run_until_complete(self.store.close())
        self.loop.close()


async def _open(path: Path, clock: ManualClock) -> SqliteStore:
    return SqliteStore(path, clock)


async def _send(
    house: House, path: str, headers: list[tuple[bytes, bytes]], body: bytes, method: str
) -> tuple[int, dict[bytes, bytes]]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await house.app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


@pytest.fixture(scope="module")
def room() -> Generator[Room]:
    """Return a project in production, for all examples of this file."""
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder))
        yield room
        room.close()


PATIENT = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@PATIENT
@given(
    source=st.sampled_from(["shop", "bare"]),
    signature=SIGNATURE,
    more=st.lists(st.tuples(NAMES, HEADER), max_size=4),
    body=BODY,
)
def test_a_malformed_delivery_is_turned_away(
    room: Room, source: str, signature: bytes, more: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Bytes of any kind in headers and body: a problem of the 400s, and nothing is kept."""
    name = b"stripe-signature" if source == "shop" else b"webhook-signature"

    status, headers = room.send(f"/hooks/{source}", [(name, signature), *more], body)

    assert 400 <= status < 500
    assert headers[b"content-type"] == b"application/problem+json"
    assert room.loop.run_until_complete(room.store.deliveries()) == []


@PATIENT
@given(body=BODY)
def test_a_signed_body_of_any_kind_is_answered(room: Room, body: bytes) -> None:
    """Who has the secret may send what they like: it is taken, or a problem of theirs."""
    headers = signed(body, room.house.doors.clock.now())
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]

    status, _ = room.send("/hooks/shop", pairs, body)

    assert status in {200, 202, 400}


@PATIENT
@given(
    kind=st.one_of(st.just(b"application/json"), HEADER),
    key=HEADER,
    prefer=HEADER,
    body=st.one_of(BODY, st.integers(max_value=9).map(lambda n: b"%d" % n)),
)
def test_a_malformed_request_is_turned_away(
    room: Room, kind: bytes, key: bytes, prefer: bytes, body: bytes
) -> None:
    """Bytes of any kind where an input belongs."""
    headers = [
        (b"authorization", b"Bearer " + room.key.encode()),
        (b"content-type", kind),
        (b"idempotency-key", key),
        (b"prefer", prefer),
    ]

    status, _ = room.send("/api/v1/workflows/answers/runs", headers, body)

    assert status in {200, 202} or 400 <= status < 500


@PATIENT
@given(authorization=HEADER)
def test_a_malformed_key_is_no_key(room: Room, authorization: bytes) -> None:
    """401, whatever stands in the header."""
    status, _ = room.send("/api/v1/runs", [(b"authorization", authorization)], b"", "GET")

    assert status == 401


@PATIENT
@given(
    path=st.sampled_from(["runs/{}", "runs/{}/journal", "reviews/{}", "workflows/{}"]),
    part=st.text(min_size=1, max_size=40).filter(lambda text: "/" not in text and "?" not in text),
    query=st.text(alphabet="abc%0=&cursorlimitstate[]", max_size=40),
)
def test_a_malformed_address_is_nowhere(room: Room, path: str, part: str, query: str) -> None:
    """Any text as an id and as a query."""
    headers = [(b"authorization", b"Bearer " + room.key.encode())]
    where = path.format(part.encode("utf-8", "replace").decode())

    status, _ = room.send(f"/api/v1/{where}?{query}", headers, b"", "GET")
    listed, _ = room.send(f"/api/v1/runs?{query}", headers, b"", "GET")

    assert status == 404
    assert listed in {200, 404, 422}


def test_a_good_delivery_is_taken(room: Room) -> None:
    """The negative control: the same road with a good signature leads in."""
    body = order(7)
    headers = signed(body, room.house.doors.clock.now())
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]

    status, _ = room.send("/hooks/shop", pairs, body)

    assert status == 202
