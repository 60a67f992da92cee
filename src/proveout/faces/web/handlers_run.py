"""What the console answers about runs that ended badly, and about what arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from proveout.errors import Mistake, Refusal
from proveout.faces.api.problems import status_of
from proveout.faces.web import replays
from proveout.faces.web.gather_deliveries import deliveries_page, delivery_page
from proveout.faces.web.handlers import shown

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.faces.web.visit import Visit


async def dead(visit: Visit) -> Response:
    """List dead letters, the newest first."""
    return await shown(visit, await replays.dead_page(visit.console.project, visit.asked("before")))


async def replay_dead(visit: Visit) -> Response:
    """Run again every dead letter that was chosen, and tell of each what came of it."""
    dry = bool(visit.sent("dry"))
    told = await replays.replay_several(visit, dry=dry)
    project, before = visit.console.project, visit.sent("before")
    return await shown(visit, await replays.dead_page(project, before, told, was_dry=dry))


async def replay_form(visit: Visit) -> Response:
    """Show where one run is run again, on the same input or another."""
    return await shown(visit, await replays.replay_page(visit))


async def replay(visit: Visit) -> Response:
    """Make a new run of one that ended without a result, or tell what would be."""
    dry = bool(visit.sent("dry"))
    try:
        told = await replays.replay_one(visit, dry=dry)
    except (Mistake, Refusal) as error:
        if "input" not in visit.form:
            raise
        said = f"{error.message}; {error.why}" if error.why else error.message
        page = await replays.replay_page(visit, problem=f"{said}.")
        return await shown(visit, page, status_of(type(error)))
    if dry:
        return await shown(visit, await replays.replay_page(visit, told))
    flash = "replayed-edited" if told.is_edited else "replayed"
    return visit.done(f"/runs/{quote(told.new, safe='')}", flash)


async def deliveries(visit: Visit) -> Response:
    """List what arrived, the newest first."""
    before, of = visit.asked("before"), visit.asked("of")
    after = (of, before) if of and before else ()
    project = visit.console.project
    return await shown(visit, await deliveries_page(project, visit.asked("source"), after))


async def delivery(visit: Visit) -> Response:
    """Show one delivery as it was received."""
    project, event = visit.console.project, visit.asked("event")
    return await shown(visit, await delivery_page(project, visit.asked("source"), event))
