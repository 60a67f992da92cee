"""From the store to the pages: the release plan."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.duration import say_duration, say_roughly
from proveout.faces.readiness_facts import people_of
from proveout.faces.web.gather_readiness import look
from proveout.faces.web.plan import PlanPage, PlanRow
from proveout.ready.plan import Window, plan

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.faces.web.visit import Console
    from proveout.ready.plan import Item

DAY = timedelta(days=1)


async def plan_page(console: Console) -> PlanPage:
    """Return the plan of the newest release, made now."""
    project = console.project
    found = await look(console)
    name = found.release.name if found.release else "the working tree"
    production = project.settings.production
    window = Window(workflow=project.name, release=name)
    if production is not None:
        window = Window(workflow=project.name, release=name, length=production.window)
    made = plan(found.standings, people_of(project.settings), window, found.now)
    end = max(made.ends, made.done)
    return PlanPage(
        release=name,
        rows=tuple(_row(one, made.made, end) for one in made.items),
        kept=len(made.kept),
        made=made.made,
        ends=made.ends,
        done=made.done,
        window=(made.ends - made.made) / (end - made.made),
    )


def _row(one: Item, begins: datetime, ends: datetime) -> PlanRow:
    claim, whole = one.standing.claim, ends - begins
    return PlanRow(
        claim=claim.name,
        title=claim.title,
        status=one.standing.status.value,
        now=one.standing.why,
        owner=one.owner,
        command=claim.command,
        drill=say_roughly(claim.takes),
        needs=say_duration(one.needs if one.needs < DAY else one.needs // DAY * DAY),
        by=one.end,
        fits=one.fits,
        left=(one.start - begins) / whole,
        width=(one.end - one.start) / whole,
    )
