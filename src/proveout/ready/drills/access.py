"""access: each role tries what it may not, and bad credentials try everything; all is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proveout.domain.access import RIGHTS, Role
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.sandbox import Knock, Protection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.ready.sandbox import Answered, Guarded, Sandbox

REFUSED = frozenset({401, 403})
"""How the doors refuse who is not known, or may not."""

SENT_AWAY = 303
"""How the console sends who is not signed in to where one signs in."""

BAD_SIGNATURE = frozenset({400, 401, 403})


async def perform(sandbox: Sandbox) -> Performance:
    """Knock at every guarded door with every key that must not open it."""
    await sandbox.start_doors()
    await sandbox.sign_in(*Role)
    routes = sandbox.routes()
    if not routes:
        raise NotSteady("no door declares a right")
    opened = [await _is_open_to_its_own(sandbox, route) for route in routes]
    if not all(opened):
        raise NotSteady("a door is closed even to those who may enter")
    faults: list[str] = []
    let_in = {"keys": 0, "cookies": 0}
    tried = 0
    for route in routes:
        for who, key in _wrong_keys(sandbox, route):
            answered = await sandbox.knock(_at(route, key))
            tried += 1
            if not _is_refused(answered):
                status = "nothing" if answered is None else answered.status
                faults.append(f"{route.method} {route.path} answered {status} to {who}")
                let_in["cookies" if route.by_cookie else "keys"] += 1
    recorded = await _recorded(sandbox)
    if recorded < tried - len(faults) - _sent_to_sign_in(routes):
        faults.append(f"{tried} requests were refused, and {recorded} of them recorded")
    forged = await _forge(sandbox)
    sandbox.note(f"{tried} forbidden requests and {forged[0]} bad signatures, {len(faults)} let in")
    faults += forged[1]
    return Performance(
        figures={
            "doors": len(routes),
            "forbidden_requests": tried,
            "bad_signatures": forged[0],
            "recorded": recorded,
            "let_in": len(faults),
            "let_in_by_keys": let_in["keys"],
            "let_in_by_cookies": let_in["cookies"],
            "let_in_by_signatures": len(forged[1]),
        },
        faults=tuple(faults),
    )


def _is_refused(answered: Answered | None) -> bool:
    if answered is None:
        return False
    is_away = answered.headers.get("location", "").startswith("/login")
    return answered.status in REFUSED or (answered.status == SENT_AWAY and is_away)


def _at(route: Guarded, credential: str | None) -> Knock:
    if route.by_cookie:
        return Knock(method=route.method, path=route.path, cookie=credential)
    return Knock(
        method=route.method,
        path=route.path,
        body=b"" if route.method == "GET" else b"{}",
        headers={"content-type": "application/json"},
        key=credential,
    )


async def _is_open_to_its_own(sandbox: Sandbox, route: Guarded) -> bool:
    """Whether a role that has the right gets past the guard, whatever it is told then.

    A form of the console is passed over: it is refused to everyone who was not shown it.
    """
    if route.by_cookie and route.method != "GET":
        return True
    role = next(role for role in Role if route.right in RIGHTS[role])
    credential = sandbox.cookie_of(role) if route.by_cookie else sandbox.key_of(role)
    answered = await sandbox.knock(_at(route, credential))
    return answered is not None and not _is_refused(answered)


def _wrong_keys(sandbox: Sandbox, route: Guarded) -> list[tuple[str, str | None]]:
    """Return who must not get in here, each with the key they show."""
    lesser = [role for role in Role if route.right not in RIGHTS[role]]
    shown = sandbox.cookie_of if route.by_cookie else sandbox.key_of
    bad = sandbox.bad_cookies() if route.by_cookie else sandbox.bad_keys()
    return [("nobody", None), *((f"a {role}", shown(role)) for role in lesser), *bad.items()]


def _sent_to_sign_in(routes: Sequence[Guarded]) -> int:
    """Return how many requests are sent to where one signs in, which is no refusal."""
    return sum(3 for route in routes if route.by_cookie and route.method == "GET")


async def _recorded(sandbox: Sandbox) -> int:
    """Return how many refusals the figures count that alerts are made from."""
    told = await sandbox.knock(
        Knock(method="GET", path="/metrics", key=sandbox.key_of(Role.OPERATOR))
    )
    text = "" if told is None else str(told.body)
    found = re.findall(r"^proveout_refused_requests_total\{[^}]*\} ([0-9]+)", text, re.MULTILINE)
    return sum(map(int, found))


async def _forge(sandbox: Sandbox) -> tuple[int, list[str]]:
    """Send webhooks with a signature that is not their source's; return how many, and faults."""
    faults: list[str] = []
    tried = 0
    for webhook in sandbox.webhooks(sandbox.loads[0], "evt_forged"):
        body = webhook.knock.body.replace(b"{", b"{ ", 1)
        knock = Knock(
            method="POST",
            path=webhook.knock.path,
            body=body,
            headers=webhook.knock.headers,
        )
        answered = await sandbox.knock(knock)
        tried += 1
        if answered is None or answered.status not in BAD_SIGNATURE:
            status = "nothing" if answered is None else answered.status
            faults.append(f"a changed body at {webhook.source} was answered {status}")
    return tried, faults


DRILL = Drill(
    name="access",
    without=Protection.ACCESS,
    perform=perform,
    shown=("let_in", "forbidden requests let in"),
)
