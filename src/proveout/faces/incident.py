"""Gathering what the store keeps of one run, or of everything since a moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from proveout.domain.duration import duration
from proveout.domain.record import Kind
from proveout.domain.release import ReleaseDigest
from proveout.errors import Mistake
from proveout.ports.store import RunFilter
from proveout.ready.envelope import filed
from proveout.ready.incident import explain_run, explain_since
from proveout.ready.lesson import HARMED
from proveout.ready.moments import MOVES_TRAFFIC, moments_of_alert
from proveout.ready.story import Span, Story
from proveout.run.replay import last_replay
from proveout.watch.tick import alerts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.delivery import Delivery
    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.run import Run
    from proveout.faces.project import Project
    from proveout.ready.incident import Incident

BEFORE = timedelta(hours=1)
"""How long before a run was asked for its incident begins."""

MOST_RUNS = 1_000
"""Runs that are looked at; where more ended badly, the newest are."""

MOST_DEEDS = 1_000
"""Entries of the ledger that are looked through, the newest."""

AT_ONCE = 100
"""Runs that are read side by side."""


class BadMoment(Mistake):
    """A moment is neither a date and time, nor a time before now."""

    code = "bad-moment"


def moment_of(text: str, now: datetime) -> datetime:
    """Return the moment that a person wrote: "2 h" ago, or an ISO 8601 date and time.

    A date and time without a zone is that of this machine.

    Raises:
        BadMoment: it is neither, or lies ahead.
    """
    try:
        found = now - duration(text)
    except Mistake:
        try:
            found = datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            raise _no_moment(text) from None
    if found > now:
        raise _no_moment(text)
    return found


def _no_moment(text: str) -> BadMoment:
    return BadMoment(
        f"{text[:60]!r} is no moment to look back to",
        why="it is a time before now, or a date and time that has passed",
        fix=('proveout audit since "2 h"', "proveout audit since 2026-11-29T09:00"),
    )


async def about_run(project: Project, run: Run) -> Incident:
    """Return what happened to one run."""
    [story] = await _stories(project, [run])
    until = run.updated if run.updated and run.state.is_final else project.bench.clock.now()
    return explain_run(story, await _span(project, run.created - BEFORE, until))


async def about_time(project: Project, since: datetime) -> Incident:
    """Return what went wrong since a moment."""
    which = RunFilter(states=tuple(HARMED), workflow=project.name, since=since, limit=MOST_RUNS)
    runs = [run for run in await project.store.runs(which) if run.trial is None]
    span = await _span(project, since, project.bench.clock.now())
    return explain_since(await _stories(project, runs), span)


async def _stories(project: Project, runs: Sequence[Run]) -> list[Story]:
    store = project.store
    names = {one.digest: one.name for one in await store.releases(project.name)}
    ids = [run.id for run in runs]
    calls, reviews = await store.model_calls(*ids), await store.reviews_of(*ids)

    async def story(run: Run) -> Story:
        return Story(
            run=run,
            release=names.get(ReleaseDigest(run.release or ""), run.release or ""),
            entries=await store.journal(run.id),
            calls=calls.get(run.id, ()),
            reviews=reviews.get(run.id, ()),
            delivery=await _delivery(project, run),
            replay=None if run.trial else (await last_replay(store, run))[1],
        )

    return [
        one
        for first in range(0, len(runs), AT_ONCE)
        for one in await asyncio.gather(*map(story, runs[first : first + AT_ONCE]))
    ]


async def _delivery(project: Project, run: Run) -> Delivery | None:
    """Return the webhook that asked for a run: its key is that of the event."""
    source, _, event = (run.key or "").partition(":")
    if not event or run.is_replay or source not in {one.name for one in project.settings.sources}:
        return None
    return await project.store.delivery(source, event)


async def _span(project: Project, since: datetime, until: datetime) -> Span:
    deeds = await _deeds(project, since, until)
    evidence, _ = filed(await project.store.records(Kind.EVIDENCE), project.office.signer)
    return Span(
        workflow=project.name,
        since=since,
        now=until,
        deeds=deeds,
        evidence=[one.evidence for one in evidence],
        other=[
            moment
            for alert in (await alerts_of(project.store, project.name)).values()
            for moment in moments_of_alert(alert)
            if since <= moment.at <= until
        ],
    )


async def _deeds(project: Project, since: datetime, until: datetime) -> list[LedgerEntry]:
    """Return what people did in that time, and the last that moved traffic before it."""
    entries = [one for one in await project.store.ledger(limit=MOST_DEEDS) if one.at <= until]
    within = [one for one in entries if one.at >= since]
    before = next((one for one in entries if one.at < since and one.act in MOVES_TRAFFIC), None)
    return within if before is None else [before, *within]
