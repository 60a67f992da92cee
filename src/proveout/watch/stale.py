"""Staleness: nothing happens although it should."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.alert import Breach, Rule, Severity
from proveout.domain.duration import say_duration, say_roughly
from proveout.domain.run import RunState
from proveout.run.schedule import due_ticks

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.run import Run
    from proveout.domain.schedule import Schedule

LONGEST_QUEUE = timedelta(minutes=5)
"""A run that waits longer for a worker, and longer than a run may take, waits too long."""

BACK = timedelta(days=8)
"""How far back the last moment of a schedule is looked for: further than a week of weekdays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """When something must have arrived.

    Attributes:
        at: at each tick of it something must have,
        within: in the time before.
    """

    at: Schedule
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """A schedule whose runs must succeed, as a sign that everything works.

    Attributes:
        within: after the moment that it was asked for.
    """

    schedule: Schedule
    within: timedelta


def last_tick(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the last moment of a schedule; None where there was none in eight days."""
    found = due_ticks(schedule, now - BACK, now)
    return found.upto if found.upto > now - BACK else None


def nothing_arrives(
    expected: Arrivals, newest: datetime | None, now: datetime, since: datetime | None = None
) -> Breach | None:
    """Return that nothing arrived that should have; None where something did.

    Args:
        expected: when it should.
        newest: when something arrived last; None for never.
        now: the moment.
        since: when what serves began to; before it nothing was expected. None for ever.
    """
    moment = last_tick(expected.at, now)
    if moment is None or (since is not None and moment < since):
        return None
    if newest is not None and newest > moment - expected.within:
        return None
    how_long = "ever" if newest is None else f"for {say_roughly(now - newest)}"
    return Breach(
        rule=Rule.ARRIVALS,
        severity=Severity.PAGE,
        summary=f"nothing has arrived {how_long}",
        detail=f"Something should within {say_duration(expected.within)} before"
        f" {moment:%Y-%m-%d %H:%M} UTC. Whoever sends it may be down.",
    )


def does_not_pass(
    synthetic: Synthetic, tick: datetime, run: Run | None, now: datetime
) -> Breach | None:
    """Return that a synthetic item did not come through in time; None where it did, or may yet.

    Args:
        synthetic: what was asked for.
        tick: when.
        run: what became of it; None where nobody asked for it.
        now: the moment.
    """
    if run is not None and run.state is RunState.SUCCEEDED:
        took = (run.updated or now) - tick
        if took <= synthetic.within:
            return None
        said = f"took {say_roughly(took)}"
    elif run is not None and run.state.is_final:
        said = f"is {run.state}"
    elif now - tick <= synthetic.within:
        return None
    else:
        said = "was not even asked for" if run is None else f"is still {run.state}"
    return Breach(
        rule=Rule.SYNTHETIC,
        severity=Severity.PAGE,
        summary=f"the synthetic item of {tick:%H:%M} UTC {said}",
        detail=f"It should succeed within {say_duration(synthetic.within)}."
        + ("" if run is None else f" proveout runs show {run.id}"),
    )


def nobody_works(oldest: datetime | None, within: timedelta, now: datetime) -> Breach | None:
    """Return that runs wait too long for a worker; None while they do not.

    Args:
        oldest: since when the run could have begun that waits longest.
        within: the time in which a run should be done.
        now: the moment.
    """
    limit = max(LONGEST_QUEUE, within)
    if oldest is None or now - oldest <= limit:
        return None
    return Breach(
        rule=Rule.QUEUE,
        severity=Severity.PAGE,
        summary=f"a run has waited {say_roughly(now - oldest)} for a worker",
        detail=f"More than {say_duration(limit)} is too long: no worker runs, or too few do.",
    )
