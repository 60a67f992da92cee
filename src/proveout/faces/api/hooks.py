"""Webhooks in: nothing is acknowledged before it is durable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request  # noqa: TC002 - the framework reads the annotations

from proveout.domain.delivery import BadDelivery
from proveout.errors import Mistake, Outage
from proveout.faces.api.bodies import parse, read_body
from proveout.faces.api.call import answer, doors_of, stage_of
from proveout.faces.api.problems import STAGE, BadBody
from proveout.faces.api.stage import check_hooks
from proveout.faces.project import NoSuch
from proveout.run.crowd import check_desk
from proveout.run.enqueue import IntakeFull
from proveout.run.payload import PayloadTooLarge, Unjournalable, WrongShape
from proveout.run.receive import Arrival, receive

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.domain.delivery import Verified
    from proveout.faces.api.doors import Doors
    from proveout.faces.api.metrics import Deliveries
    from proveout.faces.settings_sources import SourceSettings

UNKEPT = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Headers that may hold a secret of somebody else; no signature covers them."""


class SourceNotReady(Outage):
    """A source cannot take its deliveries now: no secret, or no workflow."""

    code = "source-not-ready"


async def take(request: Request) -> Response:
    """Take a delivery: keep it, ask for its run, and only then acknowledge it.

    A delivery that was kept and asks for no run is acknowledged as well: sending it again
    would change nothing. Why it asks for none is in the answer and in the log.
    """
    source: str = request.path_params["source"]
    doors = doors_of(request)
    counts: Deliveries = request.app.state.deliveries
    sender = next((one for one in doors.settings.sources if one.name == source), None)
    if sender is None:
        raise NoSuch("there is no such source", fix=("[sources.NAME] in proveout.toml",))
    stage = await stage_of(request)
    request.state.stage = stage.value
    check_hooks(stage, doors.settings.workflow.name)
    body = await read_body(request)
    try:
        said = _verify(doors, sender, request, body)
    except BadDelivery as error:
        counts.count(source, "refused")
        doors.log.warning("hook.refused", source=source, reason=error.reason.value)
        raise
    if said.challenge is not None:
        return answer({"challenge": said.challenge}, 200)
    value, kept = _value(doors, sender, said, body)
    arrival = Arrival(
        source=source,
        said=said,
        headers=_kept_headers(request),
        body=body,
        workflow=doors.settings.workflow.name,
        value=value,
        intake=doors.settings.workflow.intake,
    )
    try:
        await check_desk(doors.store, doors.settings.queues, arrival.workflow)
        done = await receive(doors.store, doors.clock, doors.ids, arrival)
    except IntakeFull:
        counts.count(source, "full")
        doors.log.warning("hook.refused", source=source, reason="an intake limit is reached")
        raise
    outcome = "known" if not done.created else "run" if value is not None else "kept"
    counts.count(source, outcome)
    doors.log.info(
        "hook.received", source=source, id=said.event, type=said.type, outcome=outcome, why=kept
    )
    words = {
        "schema": "delivery.v1",
        "source": source,
        "event": said.event,
        "run": done.run,
        "created": done.created,
        "kept_without_run": kept if done.run is None else None,
    }
    return answer(words, 202 if outcome == "run" else 200, {STAGE: stage.value})


def _verify(doors: Doors, source: SourceSettings, request: Request, body: bytes) -> Verified:
    """Return what a delivery says of itself, its signature checked.

    Raises:
        BadDelivery: it is not the sender's.
        SourceNotReady: there is no secret to check it with.
    """
    verifier = doors.hooks.verifiers[source.scheme]
    headers = tuple((name.lower(), value) for name, value in request.headers.raw)
    return verifier(headers, body, _secrets(doors, source), doors.clock.now())


def _secrets(doors: Doors, source: SourceSettings) -> list[bytes]:
    """Return the secrets of a source; while it is replaced, the ones that are there."""
    texts = {name: doors.hooks.environ.get(name, "") for name in source.secret_env}
    if not any(texts.values()):
        names = " and ".join(source.secret_env)
        raise SourceNotReady(
            f"{names} is not set, so no delivery of {source.name} can be checked",
            why="without its secret nobody can tell who sent it",
            fix=(f"set {names} where the server starts",),
        )
    try:
        return [doors.hooks.parse_secret(source.scheme, text) for text in texts.values() if text]
    except Mistake as error:
        names = " or ".join(name for name, text in texts.items() if text)
        raise SourceNotReady(
            f"the secret in {names} cannot be used: {error.message}", why=error.why, fix=error.fix
        ) from None


def _value(
    doors: Doors, source: SourceSettings, said: Verified, body: bytes
) -> tuple[bytes | None, str]:
    """Return the input of the run that a delivery asks for, or None with why it asks for none."""
    if said.is_test:
        return None, "it comes from the sender's test mode"
    if source.types and said.type not in source.types:
        return None, "its type is not listed"
    try:
        part = _part(parse(body), source.input)
        text = json.dumps(part, ensure_ascii=False, allow_nan=False).encode()
        return doors.accept(doors.settings.workflow.name, text), ""
    except KeyError:
        return None, f"its body has no {source.input}"
    except (BadBody, WrongShape, Unjournalable, PayloadTooLarge) as error:
        return None, f"its input does not fit: {error.message}"
    except Mistake as error:
        # Not the sender's fault: it must send this one again when the workflow is mended.
        raise SourceNotReady("the workflow takes no input now", why=error.message) from error


def _part(value: object, path: str) -> object:
    """Return what stands at a path of names, such as "data.object".

    Raises:
        KeyError: nothing does.
    """
    for name in path.split(".") if path else ():
        if not isinstance(value, dict):
            raise KeyError(name)
        value = cast("dict[str, Any]", value)[name]
    return value


def _kept_headers(request: Request) -> tuple[tuple[str, str], ...]:
    pairs = ((name.decode("latin-1").lower(), value) for name, value in request.headers.raw)
    return tuple((name, value.decode("latin-1")) for name, value in pairs if name not in UNKEPT)
