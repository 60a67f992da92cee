"""Every door of the API and the console, tried by every role, by nobody, and by bad credentials."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doubles.desk import PHRASE, open_desk
from doubles.doors import OWNER
from doubles.walk import Credentials, Door, doors, knock, walk
from proveout.domain.access import Right, Role
from proveout.faces.api import routes as api_routes
from proveout.faces.api.app import api
from proveout.faces.api.routes import Open
from proveout.faces.serving import House, application
from proveout.faces.web import routes as web_routes
from proveout.faces.web.app import console_app
from proveout.run.define import workflow

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from starlette.types import ASGIApp

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store

pytestmark = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


@pytest.fixture
def desk(tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds) -> Generator[Desk]:
    """Return a project with its API and its console."""
    desk = open_desk(tmp_path, store, clock, ids)
    yield desk
    desk.house.access.close()


@workflow
def doubled(n: int) -> int:
    """Return the double of `n`."""
    return n * 2


@pytest.fixture
def app(desk: Desk) -> ASGIApp:
    """Return all doors as `proveout serve` joins them."""
    parts = desk.house.doors
    return application(
        desk.console.project,
        House(access=desk.house.access, hooks=parts.hooks, load=lambda: doubled),
    )


@pytest.fixture
async def credentials(desk: Desk) -> Credentials:
    """Return a key and a session for each role, and some that are worth nothing."""
    house = desk.house
    users = {role: await house.access.add_user(OWNER, f"the-{role}", role, PHRASE) for role in Role}
    begun = {role: await house.sessions.begin(user) for role, user in users.items()}
    revoked = await house.access.create_key(OWNER, "revoked", Role.OWNER)
    await house.access.revoke_key(OWNER, "revoked")
    ended = await house.sessions.begin(users[Role.OWNER])
    await house.sessions.sign_out(ended.secret)
    return Credentials(
        keys={role: await house.key(role) for role in Role},
        cookies={role: f"proveout_session={one.secret}" for role, one in begun.items()},
        bad={
            "a revoked key": {"authorization": f"Bearer {revoked.secret}"},
            "a foreign key": {"authorization": "Bearer pk_" + "x" * 43},
            "another scheme": {"authorization": "Basic b3duZXI6b3duZXI="},
            "an ended session": {"cookie": f"proveout_session={ended.secret}"},
            "a foreign session": {"cookie": "proveout_session=" + "x" * 43},
        },
    )


@pytest.mark.parametrize("is_in_production", [False, True])
async def test_every_door_lets_in_whom_its_right_names_and_nobody_else(
    desk: Desk, app: ASGIApp, credentials: Credentials, is_in_production: bool
) -> None:
    """In both stages: four roles, nobody, keys and sessions that are worth nothing."""
    if is_in_production:
        await desk.house.into_production()

    found = await walk(app, doors(), credentials)

    assert found == []
    assert len(doors()) == len(api_routes.ROUTES) + len(web_routes.ROUTES)


@pytest.mark.parametrize("instead", [Open.PUBLIC, Right.READ])
async def test_a_door_that_lost_its_guard_is_found(
    desk: Desk, credentials: Credentials, instead: Right | Open
) -> None:
    """The negative control, for each door in turn: the right is dropped, or lowered."""
    of_programs = api(
        desk.house.doors, tuple(replace(one, right=instead) for one in api_routes.ROUTES)
    )
    of_people = console_app(
        desk.console, routes=tuple(replace(one, right=instead) for one in web_routes.ROUTES)
    )
    guarded = [one for one in doors() if isinstance(one.right, Right) and one.right is not instead]

    missed = [
        str(door)
        for door in guarded
        if not await walk(of_people if door.is_for_people else of_programs, [door], credentials)
    ]

    assert missed == []
    assert len(guarded) > 10


async def test_credentials_do_not_open_the_hooks(
    desk: Desk, app: ASGIApp, credentials: Credentials
) -> None:
    """A delivery is let in by its signature alone, whoever else signs in."""
    await desk.house.into_production()
    hook = Door(method="POST", path="/hooks/shop", right=Open.SIGNED, is_for_people=False)

    statuses = {(await knock(app, hook, credentials.of(role, hook)))[0] for role in Role}

    assert statuses == {400}
