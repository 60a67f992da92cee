"""From the store to the pages: where the workflow stands, what serves, what needs a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.duration import say_roughly
from proveout.domain.release import WORKFLOW_SCOPE, Stage
from proveout.domain.run import RunState
from proveout.domain.verdict import Verdict
from proveout.faces.report.figures import count_of
from proveout.faces.web import gather_alerts, gather_readiness, gather_traffic, replays
from proveout.faces.web.frame import Tone
from proveout.faces.web.gather import MOST, names_of, run_rows
from proveout.faces.web.gather_releases import moves_of, serving_card
from proveout.faces.web.moments import full_time
from proveout.faces.web.overview import Concern, Count, NextStep, Overview, PathStep
from proveout.ports.store import RunFilter
from proveout.release import canary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from proveout.domain.release import Halt
    from proveout.faces.project import Project
    from proveout.faces.readiness import Readiness
    from proveout.faces.web.gather import Standing
    from proveout.faces.web.gather_alerts import Open
    from proveout.faces.web.overview import ServingCard
    from proveout.faces.web.visit import Console
    from proveout.release.canary import Watched

LATEST = 6
"""Runs that the overview lists."""


async def overview(console: Console, found: Standing) -> Overview:
    """Return what a person wants to know first."""
    project, pointer = console.project, found.pointer
    store, name, now = project.store, project.name, project.bench.clock.now()
    ready = await gather_readiness.look_of_late(console, pointer.version)
    moves, _ = await moves_of(project)
    serving = await serving_card(project, pointer, moves)
    counted = await console.known.counts(store.count)
    recent = await store.runs(RunFilter(workflow=name, limit=LATEST))
    watched = await canary.look(console.access.office, name)
    queue_age = _age(await store.oldest_queued(name), now)
    hour = await gather_traffic.traffic(console, pointer, moves)
    return Overview(
        summary=_summary(console, found, serving),
        path=_path(project, ready, serving, found.alerts),
        next=_next(ready, found.alerts.waiting),
        serving=serving,
        counts=tuple(Count(state=state, number=counted.get(state, 0)) for state in RunState),
        queue_age=queue_age,
        concerns=(
            *await gather_alerts.concerns(project),
            *_of_reviews(found, now),
            *await _of_runs(project, counted),
            *_of_halts(found.halts, await names_of(project)),
            *_of_canary(watched, serving.canary),
        ),
        recent=await run_rows(project, recent),
        tiles=await gather_traffic.tiles(console, found, hour, queue_age),
        traffic=hour,
    )


def _age(since: datetime | None, now: datetime) -> timedelta | None:
    return None if since is None or since > now else now - since


def _summary(console: Console, found: Standing, serving: ServingCard) -> str:
    pointer = found.pointer
    if pointer.stage is Stage.PROOF_OF_CONCEPT or not serving.stable:
        return "A proof of concept: named testers only, effects are captured."
    since = "" if pointer.changed is None else f" since {full_time(pointer.changed, console.zone)}"
    if serving.canary:
        share = f"{100 * serving.share:.3g}%"
        return f"In production: {serving.stable} serves, and {serving.canary} gets {share}{since}."
    return f"In production: {serving.stable} serves everything{since}."


# The path


def _path(
    project: Project, ready: Readiness, serving: ServingCard, alerts: Open
) -> tuple[PathStep, ...]:
    production = project.settings.production
    is_live = ready.stage is Stage.PRODUCTION
    has_objective = production is not None and production.objective is not None
    return (
        _prove_step(ready),
        PathStep(
            name="Run",
            status="DONE" if is_live else "NOW",
            note="effects are live" if is_live else "on the draft, effects captured",
            href="/runs",
        ),
        _release_step(ready, serving),
        _watch_step(alerts, has_objective=has_objective, is_live=is_live),
        _ready_step(ready),
    )


def _watch_step(alerts: Open, *, has_objective: bool, is_live: bool) -> PathStep:
    href = "/alerts"
    if alerts.waiting:
        note = f"{count_of(alerts.waiting, 'alert')} open"
        return PathStep(name="Watch", status="BLOCKED", note=note, href=href)
    if alerts.taken:
        note = f"{count_of(alerts.taken, 'alert')} taken, not over"
        return PathStep(name="Watch", status="NOW", note=note, href=href)
    note = "an objective is declared" if has_objective else "no objective declared"
    if is_live and has_objective:
        return PathStep(name="Watch", status="DONE", note="nothing is wrong", href=href)
    return PathStep(name="Watch", status="AHEAD", note=note, href=href)


def _prove_step(ready: Readiness) -> PathStep:
    seen = ready.facts.verdict
    href = "/verdict"
    if seen is None:
        return PathStep(name="Prove", status="NOW", note="no verdict yet", href=href)
    status = {Verdict.GO: "DONE", Verdict.NO_GO: "BLOCKED"}.get(seen.verdict, "NOW")
    note = seen.verdict.value
    if ready.on_record is not None and seen.verdict is Verdict.GO:
        note = f"GO after {count_of(ready.on_record.cases, 'case')}"
    if not seen.is_fresh(ready.now):
        why = f"{' and '.join(seen.changed)} changed" if seen.changed else "it is old"
        return PathStep(name="Prove", status="NOW", note=f"{note}, but {why}", href=href)
    return PathStep(name="Prove", status=status, note=note, href=href)


def _release_step(ready: Readiness, serving: ServingCard) -> PathStep:
    href = "/releases"
    if serving.canary:
        note = f"{serving.canary} in canary at {100 * serving.share:.3g}%"
        return PathStep(name="Release", status="NOW", note=note, href=href)
    if serving.stable:
        return PathStep(name="Release", status="DONE", note=f"{serving.stable} serves", href=href)
    if ready.release is not None:
        note = f"{ready.release.name} is created"
        return PathStep(name="Release", status="NOW", note=note, href=href)
    return PathStep(name="Release", status="AHEAD", note="none yet", href=href)


def _ready_step(ready: Readiness) -> PathStep:
    passing = sum(not one.is_open for one in ready.standings)
    whole = len(ready.standings)
    status = "DONE" if passing == whole else "BLOCKED" if ready.release else "AHEAD"
    note = f"{passing} of {count_of(whole, 'claim')} pass"
    return PathStep(name="Ready", status=status, note=note, href="/readiness")


def _next(ready: Readiness, alerting: int) -> NextStep:
    if alerting and ready.stage is Stage.PRODUCTION:
        waits = "an alert waits" if alerting == 1 else f"{alerting:,} alerts wait"
        return NextStep(command="proveout alerts list", why=f"{waits} for somebody")
    claims = {one.claim.command: one for one in ready.standings}
    if ready.next in claims:
        claim = claims[ready.next].claim
        return NextStep(command=ready.next, why=f"{claim.title}; about {say_roughly(claim.takes)}")
    if ready.next.startswith("proveout promote"):
        return NextStep(command=ready.next, why="every claim passes; promoting is for a person")
    if ready.next.startswith("proveout release"):
        return NextStep(command=ready.next, why="fixes what was proven under one digest")
    return NextStep(command=ready.next, why="; ".join(ready.choice.reasons[:2]))


# What needs a person


def _of_reviews(found: Standing, now: datetime) -> list[Concern]:
    if not found.reviews:
        return []
    waiting = gather_traffic.waiting_of(found, now)
    count = f"{waiting.many}{' or more' if waiting.many == MOST else ''}"
    title = f"{count} reviews wait" if waiting.many > 1 else "1 review waits"
    return [Concern(title=title, note=waiting.note, href="/reviews", tone=waiting.tone)]


async def _of_runs(project: Project, counted: Mapping[RunState, int]) -> list[Concern]:
    dead, parked = counted.get(RunState.DEAD, 0), counted.get(RunState.PARKED, 0)
    if dead:
        dead -= await replays.replayed(project)
    found: list[Concern] = []
    if dead > 0:
        title = f"{count_of(dead, 'dead letter')} nobody has run again"
        note = "out of tries, or fatal to its worker"
        found.append(Concern(title=title, note=note, href="/dead", tone=Tone.NO))
    if parked:
        verb = "is" if parked == 1 else "are"
        title = f"{count_of(parked, 'run')} {verb} parked"
        note = "until somebody requeues or cancels"
        found.append(Concern(title=title, note=note, href="/runs?q=state:parked"))
    return found


def _of_halts(halts: tuple[Halt, ...], names: Mapping[str, str]) -> list[Concern]:
    """Return what is halted beside the whole workflow, of which every page tells."""
    found: list[Concern] = []
    for one in halts:
        kind, _, what = one.scope.partition(":")
        if one.scope != WORKFLOW_SCOPE:
            title = f"{kind} {names.get(what, what)} is halted"
            note = f"by {one.by}{f': {one.reason}' if one.reason else ''}"
            found.append(Concern(title=title, note=note, href="/releases", tone=Tone.NO))
    return found


def _of_canary(watched: Watched | None, name: str) -> list[Concern]:
    if watched is None or not (watched.is_worse or watched.overdue):
        return []
    if watched.is_worse:
        title, tone = f"{name or 'the canary'} is worse than stable", Tone.NO
    else:
        title, tone = f"{name or 'the canary'} is a canary for too long", Tone.WAIT
    note = f"{watched.canary_failures} of {watched.failures} failures are its own"
    return [Concern(title=title, note=note, href="/releases", tone=tone)]
