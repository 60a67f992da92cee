"""The HTTP doors of a project on a real store, and who comes to them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from proveout.adapters.hooks.table import SCHEMES, SIGNERS, parse_secret
from proveout.adapters.keyfile import KeyFile
from proveout.domain.access import Actor, Role
from proveout.domain.delivery import Scheme, Stamp
from proveout.domain.ledger import Deed
from proveout.domain.release import Stage
from proveout.domain.unit import MovePointer
from proveout.faces import settings
from proveout.faces.access import Access
from proveout.faces.api.accept import accepts
from proveout.faces.api.app import api
from proveout.faces.api.doors import Doors, Hooks
from proveout.faces.sessions import Sessions
from proveout.release.decide import Office, amend
from proveout.run.define import workflow

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from fastapi import FastAPI

    from proveout.domain.workflow import Workflow
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import Store

OWNER = Actor(name="ana", role=Role.OWNER)
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="
VARIABLE = "SHOP_WEBHOOK_SECRET"
ENTRY = "app:answer"

SETTINGS = f"""
[workflow]
name = "answers"
entry = "{ENTRY}"
testers = ["tess"]

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = {{ calls = 3000 }}

[[prove.criteria]]
name = "right"
score = "exact"
floor = 0.85
target = 0.90

[sources.shop]
scheme = "stripe"
secret_env = "{VARIABLE}"
types = ["order.paid"]
input = "data.object"

[sources.bare]
scheme = "standard"
secret_env = ["{VARIABLE}", "{VARIABLE}_OLD"]

[sources.chat]
scheme = "slack"
secret_env = "{VARIABLE}"
"""


@workflow
def answer(n: int) -> int:
    """Return the double of `n`."""
    return n * 2


def _answer() -> Workflow[..., Any]:
    return answer


def write_project(folder: Path) -> settings.Settings:
    """Write the settings of a project and return them, read again."""
    (folder / "cases.jsonl").write_text('{"input": 1, "expected": 2}\n' * 3, "utf-8")
    (folder / "proveout.toml").write_text(SETTINGS, "utf-8")
    return settings.load(folder / "proveout.toml")


@dataclass
class House:
    """A project with its doors.

    Attributes:
        events: what was logged.
        environ: where the secrets of sources are.
    """

    office: Office
    access: Access
    sessions: Sessions
    doors: Doors
    app: FastAPI
    events: list[dict[str, Any]]
    environ: dict[str, str]
    secrets: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def store(self) -> Store:
        """The store behind the doors."""
        return self.office.store

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Return what sends requests to the doors, without a wire."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://127.0.0.1", headers=headers
        )

    async def key(self, role: Role, name: str = "") -> str:
        """Return the secret of a key with that role."""
        name = name or f"key-{role}"
        if name not in self.secrets:
            self.secrets[name] = (await self.access.create_key(OWNER, name, role)).secret
        return self.secrets[name]

    async def as_(self, role: Role, name: str = "") -> httpx.AsyncClient:
        """Return what sends requests with a key of that role."""
        return self.client(authorization=f"Bearer {await self.key(role, name)}")

    async def into_production(self) -> None:
        """Promote the workflow, as far as the doors can tell."""
        pointer = await self.store.pointer(self.doors.settings.workflow.name)
        moved = replace(pointer, version=pointer.version + 1, stage=Stage.PRODUCTION)
        deed = Deed(actor="ana", act="promote", subject="answers", facts={})
        await amend(self.office, deed, (MovePointer(pointer=moved),))


def open_house(folder: Path, store: Any, clock: Clock, ids: Ids, **changes: Any) -> House:
    """Return a project with its doors on `store`; `changes` replaces parts behind them."""
    signer = KeyFile(folder / "keys" / "key")
    office = Office(store=store, clock=clock, ids=ids, signer=signer)
    access = Access(office)
    events: list[dict[str, Any]] = []
    environ = {VARIABLE: SECRET}
    parts: dict[str, Any] = {
        "settings": write_project(folder),
        "store": store,
        "clock": clock,
        "ids": ids,
        "log": structlog.wrap_logger(
            structlog.PrintLogger(),
            processors=[_keep_in(events)],
            wrapper_class=structlog.BoundLogger,
        ),
        "access": access,
        "hooks": Hooks(verifiers=SCHEMES, parse_secret=parse_secret, environ=environ),
        "accept": accepts("answers", _answer),
    }
    doors = Doors(**{**parts, **changes})
    return House(
        office=office,
        access=access,
        sessions=Sessions(access),
        doors=doors,
        app=api(doors),
        events=events,
        environ=environ,
    )


def _keep_in(events: list[dict[str, Any]]) -> Any:
    def keep(_: object, level: str, event: dict[str, Any]) -> dict[str, Any]:
        events.append({"level": level, **event})
        raise structlog.DropEvent

    return keep


def order(number: int, *, type_: str = "order.paid", live: bool = True, part: Any = None) -> bytes:
    """Return the body of an event of the shop."""
    event = {
        "id": f"evt_{number}",
        "type": type_,
        "livemode": live,
        "data": {"object": number if part is None else part},
    }
    return json.dumps(event).encode()


def signed(
    body: bytes,
    at: datetime,
    *,
    scheme: Scheme = Scheme.STRIPE,
    secret: str = SECRET,
    event: str = "e1",
) -> dict[str, str]:
    """Return the headers that the sender would send with `body`."""
    stamp = Stamp(event=event, type="order.paid", at=at)
    headers = SIGNERS[scheme](body, parse_secret(scheme, secret), stamp)
    plain = {name.decode(): value.decode() for name, value in headers}
    return {"content-type": "application/json", **plain}
