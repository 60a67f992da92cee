"""Walking through every door of a project with every credential, and what is found open."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proveout.domain.access import RIGHTS, Right, Role
from proveout.faces.api.routes import ROUTES as OF_PROGRAMS
from proveout.faces.api.routes import Open
from proveout.faces.web.routes import ROUTES as OF_PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Message

CODE = re.compile(r"no-right|not-signed-in|not-a-tester")
"""What the doors say to who may not come in."""

PASSED_ON = {"x-forwarded-for": "192.0.2.7"}
"""A request that comes from elsewhere; from this machine figures need no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One method of one path, with the right that its table declares."""

    method: str
    path: str
    right: Right | Open
    is_for_people: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What each role shows at either kind of door, and what opens nothing at either.

    Attributes:
        bad: headers by what is wrong with them.
    """

    keys: Mapping[Role, str]
    cookies: Mapping[Role, str]
    bad: Mapping[str, Mapping[str, str]]

    def of(self, role: Role, door: Door) -> dict[str, str]:
        """Return the headers that somebody of that role sends to a door."""
        if door.is_for_people:
            return {"cookie": self.cookies[role]}
        return {"authorization": f"Bearer {self.keys[role]}"}

    def strangers(self, door: Door) -> dict[str, Mapping[str, str]]:
        """Return who must not come in anywhere, the owner's credential for other doors among them.

        A key is for programs and a session for people: neither opens the other's doors.
        """
        other = {"cookie": self.cookies[Role.OWNER]}
        if door.is_for_people:
            other = {"authorization": f"Bearer {self.keys[Role.OWNER]}"}
        return {"nobody": {}, "an owner at the wrong door": other, **self.bad}


def doors() -> list[Door]:
    """Return every door that the tables declare."""
    return [
        *(_door(one.method, one.path, one.right, is_for_people=False) for one in OF_PROGRAMS),
        *(_door(one.method, one.path, one.right, is_for_people=True) for one in OF_PEOPLE),
    ]


def _door(method: str, path: str, right: Right | Open, *, is_for_people: bool) -> Door:
    return Door(method=method, path=path, right=right, is_for_people=is_for_people)


async def walk(app: ASGIApp, declared: Iterable[Door], credentials: Credentials) -> list[str]:
    """Return every door that lets somebody in who may not, or keeps somebody out who may."""
    found: list[str] = []
    for door in declared:
        found += await _strangers(app, door, credentials)
        found += await _roles(app, door, credentials)
    return found


async def _strangers(app: ASGIApp, door: Door, credentials: Credentials) -> list[str]:
    """Return what is wrong with how a door turns strangers away: exactly one way is right."""
    if isinstance(door.right, Open) and door.right is not Open.LOCAL:
        return []
    turned = (303, "/login") if door.is_for_people and door.method == "GET" else (401, "")
    found: list[str] = []
    for who, headers in credentials.strangers(door).items():
        status, location, _ = await knock(app, door, headers)
        if (status, location.partition("?")[0]) != turned:
            found.append(f"{door} answers {who} with {status}")
    return found


async def _roles(app: ASGIApp, door: Door, credentials: Credentials) -> list[str]:
    found: list[str] = []
    right = Right.READ if door.right is Open.LOCAL else door.right
    for role in Role:
        headers = credentials.of(role, door)
        if (status := (await knock(app, door, headers))[0]) >= 500:
            found.append(f"{door} answers a {role} with {status}")
        is_in = await lets_in(app, door, headers)
        may = isinstance(right, Open) or right in RIGHTS[role]
        if is_in != may:
            found.append(
                f"{door} {'lets' if is_in else 'keeps'} a {role} {'in' if is_in else 'out'}"
            )
    return found


async def lets_in(app: ASGIApp, door: Door, headers: Mapping[str, str]) -> bool:
    """Whether a door lets a request past its guard, whatever it is told behind it."""
    status, location, body = await knock(app, door, headers)
    is_sent_away = status == 303 and location.partition("?")[0] == "/login"
    return not is_sent_away and not (status in {401, 403} and CODE.search(body))


async def knock(app: ASGIApp, door: Door, headers: Mapping[str, str]) -> tuple[int, str, str]:
    """Return status, `Location` and the beginning of the body; a stream is not read to its end."""
    path = re.sub(r"\{(\w+)\}", lambda blank: "answers" if blank[1] == "name" else "x", door.path)
    sent = {"host": "127.0.0.1:8484", "content-type": _media(door), **headers}
    if door.right is Open.LOCAL:
        sent |= PASSED_ON
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": door.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8484),
    }
    told: asyncio.Queue[Message] = asyncio.Queue()
    body: list[Message] = [{"type": "http.request", "body": b"{}" if door.method != "GET" else b""}]

    async def receive() -> Message:
        return body.pop() if body else {"type": "http.disconnect"}

    answering = asyncio.ensure_future(app(scope, receive, told.put))
    try:
        start = await told.get()
        part = await told.get()
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
    location = dict(start["headers"]).get(b"location", b"").decode()
    return start["status"], location, part.get("body", b"").decode(errors="replace")


def _media(door: Door) -> str:
    return "application/x-www-form-urlencoded" if door.is_for_people else "application/json"
