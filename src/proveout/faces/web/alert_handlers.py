"""What the console answers about alerts: pages, and the forms that take and silence."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from proveout.domain.alert import Notice, Rule
from proveout.domain.duration import duration
from proveout.domain.record import Kind, decode
from proveout.errors import Mistake
from proveout.faces.api.problems import BadRequest
from proveout.faces.links import BadLink, linked
from proveout.faces.watching import watch_settings
from proveout.faces.web import gather, gather_alerts
from proveout.faces.web.acts import reason_of
from proveout.faces.web.alerts import AcknowledgePage
from proveout.watch.answer import NothingToTake, acknowledge, end_silence, silence

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from starlette.responses import Response

    from proveout.faces.web.frame import Page
    from proveout.faces.web.visit import Visit

EVERY = "all"
"""What a form calls every rule."""


async def _shown(visit: Visit, page: Page) -> Response:
    found = await gather.standing(visit.console.project)
    return visit.page(page, gather.frame(visit, found))


async def alerts(visit: Visit) -> Response:
    """List what is wrong, and who has it."""
    every = bool(visit.asked("all"))
    return await _shown(visit, await gather_alerts.alerts_page(visit.console.project, every=every))


async def alert(visit: Visit) -> Response:
    """Show an alert with its escalation."""
    name = visit.part("alert")
    return await _shown(visit, await gather_alerts.alert_page(visit.console.project, name))


async def take(visit: Visit) -> Response:
    """Take an alert, or an escalated review."""
    project, name = visit.console.project, visit.part("alert")
    office = visit.console.access.office
    await acknowledge(office, project.name, name, visit.actor.name, _time(visit, _lapse(visit)))
    return visit.done(f"/alerts/{quote(name, safe='')}", "taken")


def _lapse(visit: Visit) -> timedelta:
    """Return how long an acknowledgement lasts, as the settings say."""
    return watch_settings(visit.console.project.settings).lapse


async def silenced(visit: Visit) -> Response:
    """Tell nobody of a rule, or of any, for a time."""
    rule = visit.sent("rule")
    known = {one.value: one for one in Rule}
    if rule != EVERY and rule not in known:
        raise BadRequest("the form names no rule", fix=("load the page again",))
    office = visit.console.access.office
    lasts = _time(visit, _lapse(visit))
    await silence(office, known.get(rule), visit.actor.name, reason_of(visit), lasts)
    return visit.done("/alerts", "silenced")


async def unsilenced(visit: Visit) -> Response:
    """Have people told again of what a silence covered."""
    await end_silence(visit.console.access.office, visit.part("silence"), visit.actor.name)
    return visit.done("/alerts", "unsilenced")


def _time(visit: Visit, usual: timedelta) -> timedelta:
    """Return the time that a form asks for; the usual one where it asks for none.

    Raises:
        BadRequest: it is no time.
    """
    text = visit.sent("for")
    if not text:
        return usual
    try:
        return duration(text)
    except Mistake as error:
        raise BadRequest(f"the form asks for no time: {error.message}") from None


# Outside the door: the link in a notice


async def shown_link(visit: Visit) -> Response:
    """Show what a link in a notice is about; looking takes nothing."""
    notice, _ = await _of_link(visit)
    page = _page(visit, notice)
    return visit.page(page, await gather.door_frame(visit))


async def take_by_link(visit: Visit) -> Response:
    """Take everything that a notice told of, in the name of whom it was sent to."""
    notice, until = await _of_link(visit)
    console = visit.console
    office, name = console.access.office, console.project.name
    ends: datetime = until
    left = 0
    for subject in notice.subjects:
        try:
            taken = await acknowledge(
                office, name, subject, f"{notice.to}, by a link", _lapse(visit)
            )
        except NothingToTake:
            continue
        ends, left = taken.until, left + 1
    if not left:
        raise NothingToTake("there is nothing left to take", why="it is over, or was answered")
    page = _page(visit, notice, taken=True, until=ends)
    return visit.page(page, await gather.door_frame(visit))


async def _of_link(visit: Visit) -> tuple[Notice, datetime]:
    """Return the notice that a link is about.

    Raises:
        BadLink: the link is not ours, too old, or its notice was forgotten.
    """
    console = visit.console
    now = console.project.bench.clock.now()
    found = linked(console.access.office.signer, visit.part("token"), now)
    store = console.project.store
    body = await store.record(Kind.NOTICE, found.notice)
    if body is None:
        kept = (await store.records(Kind.OUTGOING)).items()
        body = next((b for name, b in kept if name.partition(".")[0] == found.notice), None)
    if body is None:
        raise BadLink("the notice of this link is no longer known", fix=("open the console",))
    return decode(Notice, body), found.until


def _page(
    visit: Visit, notice: Notice, *, taken: bool = False, until: datetime | None = None
) -> AcknowledgePage:
    return AcknowledgePage(
        token=visit.part("token"),
        summary=notice.title,
        body=notice.body,
        to=notice.to,
        taken=taken,
        until=until,
    )
