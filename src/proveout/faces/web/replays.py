"""Running again, from the console: one run on an input of its own, or several as they were."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proveout.domain.release import DRAFT
from proveout.domain.run import RunState
from proveout.domain.unit import Enqueued
from proveout.errors import Mistake, Refusal
from proveout.faces import replaying
from proveout.faces.api.call import checked_id
from proveout.faces.api.stage import check_enqueue
from proveout.faces.cli.operate import parse_input, pruned_words
from proveout.faces.replaying import edited_input, release_to_replay_on
from proveout.faces.web.dead import DeadPage, DeadRow, ReplayPage, Told
from proveout.faces.web.gather import MOST, find_run, name_in, names_of, start_of
from proveout.ports.store import RunFilter
from proveout.run.replay import Replay, foresee, last_replays
from proveout.run.replay import replay as run_again

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.domain.run import Run, RunId
    from proveout.faces.project import Project
    from proveout.faces.web.visit import Visit
    from proveout.run.enqueue import Request

INDENT = 2


async def dead_page(
    project: Project, before: str, told: tuple[Told, ...] = (), *, was_dry: bool = False
) -> DeadPage:
    """Return a page of the workflow's dead letters, the newest of them."""
    cursor: RunId | None = None
    if before:
        cursor = (await find_run(project, before)).id
    which = RunFilter(states=(RunState.DEAD,), workflow=project.name, before=cursor, limit=MOST + 1)
    found = await project.store.runs(which)
    names = await names_of(project)
    replays = await last_replays(project.store, found[:MOST])
    rows = (_row(run, names, replays.get(run.id)) for run in found[:MOST])
    return DeadPage(
        rows=tuple(sorted(rows, key=lambda one: bool(one.replay))),
        told=told,
        was_dry=was_dry,
        before=before,
        older=found[MOST - 1].id if len(found) > MOST else "",
    )


async def replayed(project: Project) -> int:
    """Return how many of the newest `MOST` dead letters somebody has run again."""
    which = RunFilter(states=(RunState.DEAD,), workflow=project.name, limit=MOST)
    return await replaying.run_again(project.store, which)


def _row(run: Run, names: Mapping[str, str], last: Run | None) -> DeadRow:
    if last is not None and last.id == run.id:
        last = None  # a replay that died is a dead letter itself: it may be the last of its kind
    return DeadRow(
        id=run.id,
        error=error_of(run),
        step="" if run.failure is None else run.failure.step,
        start=start_of(run.value) if run.pruned is None else pruned_words(run.pruned),
        release=name_in(names, run.release),
        attempts=run.fence,
        ended=run.updated,
        is_pruned=run.pruned is not None,
        replay="" if last is None else last.id,
        replayed=None if last is None else last.state,
    )


def error_of(run: Run) -> str:
    """Return what a run ended with, in one line; "" where it did not fail."""
    if run.failure is None:
        return ""
    return " ".join(f"{run.failure.type}: {run.failure.message}".rstrip(": ").split())


async def replay_page(visit: Visit, told: Told | None = None, problem: str = "") -> ReplayPage:
    """Return where a run is run again, as it was or with what was just sent.

    Raises:
        NoSuch: there is no such run.
        NotReplayable: its input is gone, or it is a trial.
    """
    project = visit.console.project
    run = await find_run(project, visit.part("run"))
    if run.pruned is not None or run.trial is not None:
        await foresee(project.store, run)
    value = _readable(run.value)
    return ReplayPage(
        id=run.id,
        state=run.state,
        error=error_of(run),
        value=value,
        typed=visit.sent("input") or value,
        releases=await _releases(project),
        release=visit.sent("release"),
        is_again=bool(visit.sent("again")),
        told=told,
        problem=problem,
    )


def _readable(value: bytes) -> str:
    return json.dumps(json.loads(value), ensure_ascii=False, indent=INDENT)


async def _releases(project: Project) -> tuple[str, ...]:
    live = (await project.store.pointer(project.name)).live
    known = await project.store.releases(project.name)
    return (*(one.name for one in known if one.digest in live), DRAFT)


async def replay_one(visit: Visit, *, dry: bool) -> Told:
    """Run a run again as the form says, or tell what would be.

    Raises:
        Mistake: the input is no JSON, or none of this workflow.
        Refusal: it cannot be run again, or not by who asks.
    """
    run = await find_run(visit.console.project, visit.part("run"))
    how = await _how(visit, run)
    return await _replayed(visit, run, how, dry=dry)


async def _how(visit: Visit, run: Run) -> Replay:
    project = visit.console.project
    typed, release = visit.sent("input").strip(), visit.sent("release") or None
    value = None
    if typed and run.pruned is None:
        given = edited_input(parse_input(typed, None, "the input")[0])
        if given != edited_input(run.value):
            value = visit.console.accept(run.workflow, given)
    pinned = await release_to_replay_on(project.store, run.workflow, release)
    by = "" if value is None else visit.actor.name  # who wrote an input does not approve its draft
    return Replay(value=value, release=pinned, again=bool(visit.sent("again")), by=by)


async def replay_several(visit: Visit, *, dry: bool) -> tuple[Told, ...]:
    """Run again every run that the form names, as it was, or tell what would be.

    One that is refused stops none of the others.
    """
    project = visit.console.project
    named = dict.fromkeys(checked_id(one, "run") for one in visit.form.get("run", []))
    told: list[Told] = []
    for run in named:
        try:
            told.append(await _replayed(visit, await find_run(project, run), Replay(), dry=dry))
        except (Refusal, Mistake) as error:
            said = f"{error.message}; {error.why}" if error.why else error.message
            told.append(Told(run=run, said=said, is_refused=True))
    return tuple(told)


async def _replayed(visit: Visit, run: Run, how: Replay, *, dry: bool) -> Told:
    project = visit.console.project
    store, bench = project.store, project.bench
    stage = (await store.pointer(project.name)).stage
    await check_enqueue(visit.actor, stage, project.settings, store, bench.clock.now())
    if dry:
        return _foretold(run, await foresee(store, run, how))
    done = await run_again(store, bench.clock, bench.ids, run, how)
    if not done.created:
        said = f"is replayed already, by a run that is {done.run.state.lower()}"
        return Told(run=run.id, said=said, new=done.run.id)
    return Told(
        run=run.id,
        said=f"is replayed, {_keys(done.run.origin)}",
        new=done.run.id,
        is_edited=how.value is not None,
    )


def _foretold(run: Run, asked: Request | Enqueued) -> Told:
    if isinstance(asked, Enqueued):
        said = f"is replayed already, by a run that is {asked.run.state.lower()}"
        return Told(run=run.id, said=said, new=asked.run.id)
    return Told(run=run.id, said=f"would be replayed, {_keys(asked.origin)}")


def _keys(origin: str | None) -> str:
    return "with new keys" if origin is None else "with the keys of its effects kept"
