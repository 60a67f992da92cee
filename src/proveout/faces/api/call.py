"""Calls: a request at a door, with who asks and in which stage the workflow is."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

from fastapi import Depends
from starlette.requests import Request  # noqa: TC002 - the framework reads the annotations
from starlette.responses import Response

from proveout.domain.access import NotSignedIn, Right
from proveout.faces.api.problems import STAGE
from proveout.faces.api.stage import check_enqueue
from proveout.faces.project import NoSuch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proveout.domain.access import Actor
    from proveout.domain.release import Pointer, Stage
    from proveout.faces.api.doors import Doors
    from proveout.faces.api.rates import Rates
    from proveout.faces.api.together import Together

ID = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}")
"""What an id of ours can look like; nothing else reaches the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that may come in.

    Attributes:
        actor: who asks; they have the right that the route declares.
        stage: that of the workflow.
    """

    request: Request
    doors: Doors
    actor: Actor
    stage: Stage

    @property
    def workflow(self) -> str:
        """The name of the project's workflow."""
        return self.doors.settings.workflow.name

    def answer(
        self, body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
    ) -> Response:
        """Return an answer that says which stage the workflow is in."""
        marked = {**body, "stage": self.stage.value}
        return answer(marked, status, {STAGE: self.stage.value, **(headers or {})})

    def answer_tagged(self, body: dict[str, Any]) -> Response:
        """Return an answer with an ETag, or 304 where the caller has it already."""
        marked = written({**body, "stage": self.stage.value})
        tag = f'"{hashlib.sha256(marked).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", STAGE: self.stage.value}
        known = self.request.headers.get("if-none-match", "")
        if tag in {one.strip().removeprefix("W/") for one in known.split(",")}:
            return Response(status_code=304, headers=headers)
        return Response(marked, 200, headers, "application/json")


def answer(
    body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return a JSON answer that no cache keeps."""
    return Response(
        written(body), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json"
    )


def written(body: dict[str, Any]) -> bytes:
    """Return `body` as bytes of JSON."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def doors_of(request: Request) -> Doors:
    """Return the parts behind the door that a request came to."""
    return cast("Doors", request.app.state.doors)


async def stage_of(request: Request) -> Stage:
    """Return the stage of the project's workflow; it is not one of before the request."""
    pointer: Together[Pointer] = request.app.state.pointer
    return (await pointer.get()).stage


def needs(right: Right) -> Callable[[Request], Awaitable[None]]:
    """Return what lets a request in only if who asks has `right`."""

    async def check(request: Request) -> None:
        doors = doors_of(request)
        actor = await signed_in(request, doors)
        _count(request, actor)
        stage = await stage_of(request)
        request.state.stage = stage.value
        if right is Right.ENQUEUE:
            await check_enqueue(actor, stage, doors.settings, doors.store, doors.clock.now())
        else:
            actor.check(right)
        request.state.call = Call(request=request, doors=doors, actor=actor, stage=stage)

    return check


def _count(request: Request, actor: Actor) -> None:
    """Count a request of the actor; what is left of their rate is told with every answer."""
    rates: Rates = request.app.state.rates
    standing = rates.count(actor.name)
    request.state.standing = standing
    rates.check(actor.name, standing)


async def signed_in(request: Request, doors: Doors) -> Actor:
    """Return who has the key that the request carries.

    Raises:
        NotSignedIn: it carries none, or one that is not valid.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotSignedIn(
            "the request carries no key",
            why="every path of the API needs one",
            fix=("Authorization: Bearer KEY", "proveout key create NAME --role ROLE"),
        )
    return await doors.access.program(secret.strip())


def _call(request: Request) -> Call:
    return cast("Call", request.state.call)


Let: TypeAlias = Annotated[Call, Depends(_call)]
"""The parameter of a handler: the call that its route's right let in."""


def checked_id(text: str, what: str) -> str:
    """Return `text` if it can be an id.

    Raises:
        NoSuch: nothing is called that.
    """
    if not ID.fullmatch(text):
        raise NoSuch(f"there is no such {what}")
    return text
