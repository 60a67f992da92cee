"""The console of a project on a real store, and the browsers of those who come to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

import httpx

from doubles.doors import OWNER, open_house
from proveout.domain.access import Role
from proveout.faces.project import Project
from proveout.faces.web.app import console_app
from proveout.faces.web.hints import Hints
from proveout.faces.web.known import Known
from proveout.faces.web.visit import Console
from proveout.run.work import Bench

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from doubles.doors import House
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import Store

PHRASE = "four words quite unrelated"
HERE = "http://127.0.0.1:8484"
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Desk:
    """The console of a project in this process, and browsers before it.

    Attributes:
        house: the other doors of the same project.
    """

    house: House
    console: Console
    app: ASGIApp
    secrets: dict[Role, str] = field(default_factory=dict[Role, str])

    @property
    def store(self) -> Store:
        """The store behind the console."""
        return self.house.store

    def browser(self, app: ASGIApp | None = None, **cookies: str) -> httpx.AsyncClient:
        """Return a browser with these cookies, which follows nothing by itself."""
        transport = httpx.ASGITransport(app or self.app)
        return httpx.AsyncClient(transport=transport, base_url=HERE, cookies=cookies)

    async def as_(self, role: Role) -> httpx.AsyncClient:
        """Return the browser of a person with that role, who is signed in."""
        if role not in self.secrets:
            name = f"the-{role}"
            await self.house.access.add_user(OWNER, name, role, PHRASE)
            begun = await self.house.sessions.sign_in(name, PHRASE, "192.0.2.1")
            self.secrets[role] = begun.secret
        return self.browser(proveout_session=self.secrets[role])


async def token(browser: httpx.AsyncClient, path: str = "/ledger") -> str:
    """Return what the forms of a page send back."""
    found = TOKEN.search((await browser.get(path)).text)
    assert found is not None
    return found[1]


async def send(browser: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    """Send a form of ours, with its token."""
    return await browser.post(path, data={"csrf": await token(browser), **fields})


def open_desk(folder: Path, store: Store, clock: Clock, ids: Ids, **changes: Any) -> Desk:
    """Return the console of a project in its proof of concept; whoever asks closes its access."""
    house = open_house(folder, store, clock, ids, **changes)
    doors = house.doors
    project = Project(doors.settings, doors.store, doors.log)
    dice = project.bench.dice
    project.bench = Bench(store=store, clock=clock, ids=ids, dice=dice, log=doors.log)
    project.office = house.office
    console = Console(
        project=project,
        access=house.access,
        sessions=house.sessions,
        zone=UTC,
        known=Known(clock),
        hints=Hints(store=store, clock=clock, is_draining=lambda: True),
        accept=doors.accept,
    )
    return Desk(house, console, console_app(console))
