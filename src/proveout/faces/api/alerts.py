"""Alerts over HTTP: see what is wrong, take it, silence it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proveout.domain.alert import Rule  # noqa: TC001 - the model reads the annotation
from proveout.domain.duration import duration
from proveout.faces.alert_views import alert_v1, outlook, silence_v1
from proveout.faces.api.bodies import LASTING, read_json
from proveout.faces.api.call import Let, checked_id
from proveout.faces.api.problems import BadRequest
from proveout.faces.watching import watch_settings
from proveout.run.payload import say
from proveout.watch.answer import acknowledge, end_silence, silence

if TYPE_CHECKING:
    from datetime import timedelta

    from starlette.responses import Response

MOST = 500
"""Alerts of one answer."""


class AcknowledgeBody(BaseModel):
    """How long somebody takes an alert.

    Attributes:
        lasts: a time such as "2 h"; as the settings say where it is absent.
    """

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    lasts: str | None = Field(default=None, alias="for", pattern=LASTING)


class SilenceBody(BaseModel):
    """Which rule is silenced, why, and for how long.

    Attributes:
        rule: one of the rules; null for every rule.
        lasts: a time such as "2 h"; at most 30 days.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    rule: Rule | None
    reason: str = Field(min_length=1, max_length=2_000, pattern="^[^\x00]*$")
    lasts: str = Field(alias="for", pattern=LASTING)


async def listed(call: Let, every: Annotated[bool, Query(alias="all")] = False) -> Response:
    """List alerts and escalated reviews that are not over, or all, the newest first."""
    found = await outlook(call.doors.store, call.workflow)
    seen = found.seen if every else found.going
    return call.answer(
        {
            "schema": "alerts.v1",
            "alerts": [alert_v1(one) for one in seen[:MOST]],
            "silences": [silence_v1(one) for one in found.silences],
        }
    )


async def acknowledged(alert: str, call: Let) -> Response:
    """Take an alert, or an escalated review: nobody else is told meanwhile."""
    asked = _body(AcknowledgeBody, await read_json(call.request))
    name = checked_id(alert, "alert")
    lasts = _time(asked.lasts) if asked.lasts else watch_settings(call.doors.settings).lapse
    office = call.doors.access.office
    taken = await acknowledge(office, call.workflow, name, call.actor.name, lasts)
    return call.answer(
        {
            "schema": "acknowledgement.v1",
            "subject": taken.subject,
            "by": taken.by,
            "until": taken.until.isoformat(),
        }
    )


async def silenced(call: Let) -> Response:
    """Tell nobody of a rule, or of any, for a time."""
    asked = _body(SilenceBody, await read_json(call.request))
    office = call.doors.access.office
    made = await silence(office, asked.rule, call.actor.name, asked.reason, _time(asked.lasts))
    return call.answer(silence_v1(made), 201)


async def unsilenced(silence: str, call: Let) -> Response:
    """Have people told again of what a silence covered."""
    name = checked_id(silence, "silence")
    ended = await end_silence(call.doors.access.office, name, call.actor.name)
    return call.answer(silence_v1(ended))


def _time(text: str) -> timedelta:
    """Return a time of a body.

    Raises:
        BadRequest: it is none, or nothing.
    """
    try:
        found = duration(text)
    except ValueError as error:
        raise BadRequest(f"for {error}", fix=('{"for": "2 h"}',)) from None
    if not found:
        raise BadRequest("for must be more than nothing", fix=('{"for": "2 h"}',))
    return found


def _body(kind: type[Any], value: object) -> Any:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise BadRequest(say(error), fix=('{"for": "2 h"}',)) from None
