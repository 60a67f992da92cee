"""From the store to the overview: what production did of late, in figures and in one chart."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.release import Stage
from proveout.faces.report.figures import about, count_of, percent
from proveout.faces.report.page import rough_time
from proveout.faces.watching import rules_of
from proveout.faces.web.frame import Tone
from proveout.faces.web.gather import MOST, name_in, names_of
from proveout.faces.web.moments import time_left
from proveout.faces.web.traffic import MINUTE, MINUTES, Hour, Tile, begun, spark, traffic_of
from proveout.release.route import CANARY, ROLL_BACK
from proveout.watch.measure import DAY, MONTH, NEVER_LATE
from proveout.watch.worth import LEAST_REVIEWED, live_worth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from proveout.domain.criterion import Worth
    from proveout.domain.release import Pointer
    from proveout.faces.web.gather import Standing
    from proveout.faces.web.gather_alerts import Open
    from proveout.faces.web.traffic import Traffic
    from proveout.faces.web.visit import Console
    from proveout.ports.measure import Judged, Minute, Spent
    from proveout.release.route import PointerMove


class Waiting(NamedTuple):
    """Reviews that wait for a person: how many, up to `MOST`, and how urgent they are."""

    many: int
    note: str
    tone: Tone


SETTLED = 2 * MINUTE
"""A minute that began so long ago is counted for good: what was under way is written by then."""


async def traffic(
    console: Console, pointer: Pointer, moves: Sequence[PointerMove]
) -> Traffic | None:
    """Return the last hour; None before production, and while it is counted the first time."""
    if pointer.stage is not Stage.PRODUCTION:
        return None
    hour = await console.known.hour.look(partial(_count, console))
    if hour is None:
        return None
    names = await names_of(console.project)
    told = [(move.at, _moved(move, names)) for move in moves]
    return traffic_of(hour, pointer, names, told)


async def _count(console: Console) -> Hour:
    """Count the hour that ends now, but for the minutes of it that are counted for good."""
    store, name, known = console.project.store, console.project.name, console.known.hour.value
    now = (await store.ticked(name)).now
    since = first = begun(now) - (MINUTES - 1) * MINUTE
    kept: list[Minute] = []
    if known is not None:
        since = max(first, begun(known.now) - SETTLED)
        kept = [one for one in known.minutes if first <= one.start < since]
    return Hour(now, (*kept, *await store.by_minute(name, since)))


def _moved(move: PointerMove, names: Mapping[str, str]) -> str:
    if move.act == CANARY:
        return f"{name_in(names, move.canary)} canary, {move.share}"
    stable = name_in(names, move.stable)
    return f"back to {stable}" if move.act == ROLL_BACK else f"{stable} serves"


async def tiles(
    console: Console, found: Standing, seen: Traffic | None, waits: timedelta | None
) -> tuple[Tile, ...]:
    """Return the current figures; none before production.

    Args:
        console: of the project.
        found: what every page knows.
        seen: the traffic of the last hour; None where it is not counted yet.
        waits: how long the oldest queued run has waited; None where none is due.
    """
    if found.pointer.stage is not Stage.PRODUCTION:
        return ()
    project = console.project
    now = project.bench.clock.now()
    spent = await console.known.spent.look(lambda: project.store.spent(project.name, now - DAY))
    rules = rules_of(project.settings)
    if rules.worth is None:
        last = _of_alerts(found.alerts)
    else:
        last = _of_worth(rules.worth, await _judged(console, now), spent)
    return (
        *_of_runs(seen),
        _of_queue(waits, rules.within),
        _of_money(spent),
        _of_reviews(found, now),
        last,
    )


async def _judged(console: Console, now: datetime) -> Judged | None:
    project = console.project
    ask = partial(project.store.judged, project.name, now - MONTH)
    return await console.known.judged.look(ask)


def _counting(name: str) -> Tile:
    return Tile(name=name, figure="…", note="being counted")


def _of_runs(seen: Traffic | None) -> tuple[Tile, Tile]:
    if seen is None:
        return _counting("Runs per minute"), _counting("Failed")
    often, share = seen.ended / MINUTES, 100 * seen.failed / max(seen.ended, 1)
    return (
        Tile(
            name="Runs per minute",
            figure=f"{often:,.0f}" if often >= 100 else f"{often:.{2 + (often >= 1)}g}",  # noqa: PLR2004 - digits
            note=f"{seen.ended:,} in the last hour",
            line=spark([one.ended for one in seen.bars]),
            href="/runs",
        ),
        Tile(
            name="Failed",
            figure=f"{share:.2g}" if share < 10 else f"{share:.0f}",  # noqa: PLR2004 - digits
            unit="%",
            note=f"{count_of(seen.failed, 'run')} in the last hour",
            line=spark([one.failed for one in seen.bars]),
            href="/runs?q=state:failed,dead",
        ),
    )


def _of_queue(waits: timedelta | None, within: timedelta) -> Tile:
    wished = f"objective: done in {rough_time(within)}" if within < NEVER_LATE else ""
    return Tile(
        name="Oldest in the queue",
        figure="0" if waits is None else rough_time(waits),
        unit="s" if waits is None else "",
        note=wished or ("nothing is queued" if waits is None else "no objective declared"),
        tone=Tone.WAIT if waits is not None and waits > within else Tone.PLAIN,
        href="/runs?q=state:queued",
    )


def _of_money(spent: Spent | None) -> Tile:
    name = "Models, last 24 h"
    if spent is None:
        return _counting(name)
    cost = float(spent.cost)
    a_run = f"{about(cost / spent.priced)} a run" if spent.priced else "no call with a known price"
    return Tile(name=name, figure=about(cost), note=a_run)


def _of_reviews(found: Standing, now: datetime) -> Tile:
    waiting = waiting_of(found, now)
    return Tile(
        name="Waiting for review",
        figure=f"{waiting.many}{'+' if waiting.many == MOST else ''}",
        note=waiting.note,
        tone=waiting.tone,
        href="/reviews",
    )


def waiting_of(found: Standing, now: datetime) -> Waiting:
    """Return how many reviews wait, and how urgent the most urgent is."""
    if not found.reviews:
        return Waiting(0, "nothing waits for a person", Tone.PLAIN)
    nearest = min((one.deadline for one in found.reviews if one.deadline), default=None)
    note = "without a deadline" if nearest is None else f"the next: {time_left(nearest, now)}"
    is_late = nearest is not None and nearest < now
    return Waiting(len(found.reviews), note, Tone.NO if is_late else Tone.WAIT)


def _of_worth(worth: Worth, judged: Judged | None, spent: Spent | None) -> Tile:
    name = "Worth of a run, 30 d"
    if judged is None or spent is None:
        return _counting(name)
    live = live_worth(worth, judged, spent)
    if live.net is None:
        few = f"{live.reviews} of the {LEAST_REVIEWED} decisions needed"
        return Tile(name=name, figure="–", note=few, href="/reviews")  # noqa: RUF001 - no figure
    return Tile(
        name=name,
        figure=about(live.net),
        note=f"{percent(live.success)} taken to be right; {count_of(live.reviews, 'decision')}",
        tone=Tone.NO if live.net < 0 else Tone.PLAIN,
        href="/verdict",
    )


def _of_alerts(alerts: Open) -> Tile:
    taken = f"{alerts.taken:,} taken, not over" if alerts.taken else "none waits"
    return Tile(
        name="Alerts",
        figure=f"{alerts.waiting:,}",
        note="wait for somebody" if alerts.waiting else taken,
        tone=Tone.NO if alerts.waiting else Tone.PLAIN,
        href="/alerts",
    )
