"""The command that shows on one screen what serves and what needs a person."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.alert import Severity
from proveout.domain.release import Stage
from proveout.domain.review import ReviewState
from proveout.domain.run import RunState
from proveout.faces.cli.output import answer, answer_json, clean, paint, sign, strong
from proveout.faces.cli.progress import roughly
from proveout.faces.cli.release import SHORT, serving_words, when

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.release import Halt, Pointer, Release
    from proveout.domain.review import Review
    from proveout.faces.alert_views import Seen
    from proveout.faces.project import Project
    from proveout.release.canary import Watched

DAY = timedelta(hours=24)
SOON = timedelta(minutes=30)
"""A review whose deadline is nearer is said to be urgent."""

MOST = 1_000
"""Reviews, and parked runs, that are counted."""

MOST_ALERTS = 5
"""Alerts that are shown; proveout alerts list shows all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What an operator looks at first.

    Attributes:
        ended: runs that ended within the last day, by their state.
        oldest: since when the run that waits longest could have begun.
        parked: runs that wait for an operator.
        dead: dead letters of the last day that nobody has run again.
        alerts: those that are not over, escalated reviews among them.
        receivers: what keeps people from being reached, a line each.
    """

    now: datetime
    workflow: str
    pointer: Pointer
    releases: tuple[Release, ...]
    states: dict[RunState, int]
    ended: dict[RunState, int]
    oldest: datetime | None
    parked: int
    dead: int
    reviews: tuple[Review, ...]
    halts: tuple[Halt, ...]
    watched: Watched | None
    alerts: tuple[Seen, ...] = ()
    receivers: tuple[str, ...] = ()

    @property
    def needs_a_person(self) -> bool:
        """Whether something here does not get better by itself."""
        bad_canary = self.watched is not None and (self.watched.is_worse or self.watched.overdue)
        alerts = any(one.needs_a_person for one in self.alerts)
        return bool(self.reviews or self.halts or self.parked or self.dead or bad_canary or alerts)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one status.v1.")
def status(as_json: bool) -> int:
    """Show what serves, what waits and what needs a person; exits 1 when something does."""
    screen = asyncio.run(_look())
    if as_json:
        answer_json(status_v1(screen))
    else:
        for line in lines_of(screen):
            answer(line)
    return 1 if screen.needs_a_person else 0


async def _look() -> Screen:
    from proveout.faces.alert_views import outlook
    from proveout.faces.cli.alerts import receiver_lines
    from proveout.faces.operating import operating
    from proveout.ports.store import RunFilter
    from proveout.release.canary import look

    async with operating() as project:
        store, name, now = project.store, project.name, project.bench.clock.now()
        parked = RunFilter(states=(RunState.PARKED,), workflow=name, limit=MOST)
        ended = await _ended(project, now)
        return Screen(
            now=now,
            workflow=name,
            pointer=await store.pointer(name),
            releases=tuple(await store.releases(name)),
            states=await store.count(),
            ended=ended,
            oldest=await store.oldest_queued(name),
            parked=sum(run.trial is None for run in await store.runs(parked)),
            dead=await _dead(project, now, ended.get(RunState.DEAD, 0)),
            reviews=tuple(await store.reviews(ReviewState.OPEN, limit=MOST)),
            halts=tuple(await store.halts(name)),
            watched=await look(project.office, name),
            alerts=(await outlook(store, name)).going,
            receivers=tuple(receiver_lines(project)),
        )


async def _dead(project: Project, now: datetime, all_: int) -> int:
    from proveout.faces.replaying import run_again
    from proveout.ports.store import RunFilter

    if not all_:
        return 0
    states = (RunState.DEAD,)
    which = RunFilter(states=states, workflow=project.name, since=now - DAY, limit=MOST)
    return max(0, all_ - await run_again(project.store, which))


async def _ended(project: Project, now: datetime) -> dict[RunState, int]:
    found: dict[RunState, int] = {}
    for (_, state), count in (await project.store.tally(project.name, now - DAY)).items():
        found[state] = found.get(state, 0) + count
    return found


def lines_of(screen: Screen) -> list[str]:
    """Return the screen in lines of at most 80 columns."""
    stage = screen.pointer.stage
    shown = paint(stage, "green" if stage is Stage.PRODUCTION else "yellow")
    serving = serving_words(screen.pointer, screen.releases)
    lines = [f"{strong(screen.workflow)} · {shown} · {serving}", _runs_line(screen)]
    lines += [line for line in (_dead_line(screen), _review_line(screen)) if line]
    lines += [_halt_line(one, screen) for one in screen.halts]
    lines += [_alert_line(one) for one in screen.alerts[:MOST_ALERTS]]
    lines += [f"  {line}" for line in screen.receivers]
    if screen.watched is not None:
        lines.append(_canary_line(screen.watched))
    if screen.needs_a_person:
        lines.append("exit 1: something needs a person")
    return lines


def _runs_line(screen: Screen) -> str:
    ended = sum(screen.ended.values())
    failed = screen.ended.get(RunState.FAILED, 0) + screen.ended.get(RunState.DEAD, 0)
    parts = [f"{ended:,} ended in 24 h"]
    if ended:
        parts.append(f"{failed / ended:.1%} failed")
    parts.append(f"{screen.states.get(RunState.RUNNING, 0):,} running")
    parts.append(f"{screen.states.get(RunState.QUEUED, 0):,} queued")
    if screen.oldest is not None and screen.oldest < screen.now:
        parts.append(f"oldest waits {roughly(screen.now - screen.oldest)}")
    return f"  {sign('ok')} runs      {' · '.join(parts)}"


def _dead_line(screen: Screen) -> str:
    if not screen.dead and not screen.parked:
        return ""
    parts = [f"{screen.dead:,} dead, not run again: proveout dead list"] if screen.dead else []
    parts += [f"{screen.parked:,} parked: proveout runs list --state PARKED"][: screen.parked]
    return f"  {sign('no')} stuck     {' · '.join(parts)}"


def _review_line(screen: Screen) -> str:
    if not screen.reviews:
        return ""
    deadlines = [one.deadline for one in screen.reviews if one.deadline is not None]
    nearest = min(deadlines, default=None)
    left = "" if nearest is None else f" · nearest deadline in {roughly(nearest - screen.now)}"
    kind = "no" if nearest is not None and nearest - screen.now < SOON else "warn"
    return f"  {sign(kind)} review    {len(screen.reviews):,} waiting{left}"


def _alert_line(one: Seen) -> str:
    taken = f" · taken by {clean(one.taken.by)}" if one.taken is not None else ""
    kind = "no" if one.needs_a_person and one.severity is Severity.PAGE else "warn"
    return f"  {sign(kind)} alert     {clean(one.summary)[:60]}{taken}"


def _halt_line(one: Halt, screen: Screen) -> str:
    names = {release.digest: release.name for release in screen.releases}
    kind, _, rest = one.scope.partition(":")
    what = f"{kind} {next((n for d, n in names.items() if d == rest), rest)}".strip()
    why = f": {clean(one.reason)[:30]}" if one.reason else ""
    return f"  {sign('no')} halted    {what} by {clean(one.by)}, {when(one.since)}{why}"


def _canary_line(seen: Watched) -> str:
    kind = "no" if seen.is_worse else "warn" if seen.overdue else "ok"
    late = " · past its hold" if seen.overdue else ""
    worse = " · WORSE than stable" if seen.is_worse else ""
    return (
        f"  {sign(kind)} canary    {seen.canary.share} · {seen.of_canary:,} of"
        f" {seen.requests:,} runs · {seen.canary_failures:,} of {seen.failures:,} failures"
        f"{late}{worse}"
    )


def status_v1(screen: Screen) -> dict[str, Any]:
    """Return the screen as the object that callers outside rely on."""
    canary = screen.pointer.canary
    names = {one.digest: one.name for one in screen.releases}
    stable = screen.pointer.stable
    return {
        "schema": "status.v1",
        "workflow": screen.workflow,
        "stage": screen.pointer.stage,
        "stable": None if stable is None else names.get(stable, stable[:SHORT]),
        "canary": None if canary is None else names.get(canary.release, canary.release[:SHORT]),
        "share": None if canary is None else canary.share.fraction,
        "runs": {str(state): count for state, count in screen.states.items()},
        "ended_in_24_h": {str(state): count for state, count in screen.ended.items()},
        "oldest_queued": None if screen.oldest is None else screen.oldest.isoformat(),
        "parked": screen.parked,
        "dead": screen.dead,
        "reviews_open": len(screen.reviews),
        "halted": [one.scope for one in screen.halts],
        "alerts": [one.id for one in screen.alerts],
        "needs_a_person": screen.needs_a_person,
    }
