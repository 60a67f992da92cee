"""Replaying on the command line: one run, several, or all that match a filter."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.access import Right
from proveout.domain.duration import duration
from proveout.domain.release import DRAFT
from proveout.domain.run import RunState
from proveout.domain.unit import Enqueued
from proveout.errors import Mistake, ProveoutError, Refusal
from proveout.faces.cli.operate import parse_input, run_v1
from proveout.faces.cli.output import answer, answer_json, error_text, say, sign
from proveout.run.replay import REPLAYABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.run import Run
    from proveout.faces.project import Project
    from proveout.ports.store import RunFilter
    from proveout.run.enqueue import Request
    from proveout.run.replay import Replay

PAGE = 500
"""Runs that are read at once while those that match are looked for."""

STATES = sorted(REPLAYABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which runs are to be run again: those named, or those that match.

    Attributes:
        since: only runs that ended after it, as a moment or as a time ago; "" for all.
        error: text in the error's type or message.
        limit: most runs, where they are not named.
    """

    runs: tuple[str, ...] = ()
    state: str | None = None
    workflow: str | None = None
    since: str = ""
    error: str = ""
    limit: int = 100

    @property
    def is_filter(self) -> bool:
        """Whether anything but names was given."""
        return bool(self.state or self.workflow or self.since or self.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How they are run again, as it was typed."""

    release: str | None = None
    value: str | None = None
    again: bool = False
    dry: bool = False
    as_json: bool = False


@click.command("replay")
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option(
    "--state",
    type=click.Choice([one.value for one in STATES], case_sensitive=False),
    help="All runs that ended like this.",
)
@click.option("--workflow", metavar="NAME", help="All runs of this workflow; else the project's.")
@click.option("--since", default="", help='Only those that ended since: "2 h", or a moment.')
@click.option("--error", default="", metavar="TEXT", help="Only those whose error holds TEXT.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Most runs that a filter may take.",
)
@click.option("--release", metavar="REL", help='A release that serves, or "draft".')
@click.option("--input", "value", metavar="JSON", help="Another input, for one run.")
@click.option("--again", is_flag=True, help="Although a replay of it has succeeded.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one run.v1, or replay.v1, a line.")
def replay(
    *,
    runs: tuple[str, ...],
    state: str | None,
    workflow: str | None,
    since: str,
    error: str,
    limit: int,
    release: str | None,
    value: str | None,
    again: bool,
    dry: bool,
    as_json: bool,
) -> int:
    """Run again what ended without a result: each RUN, or all that match.

    On the same input its effects keep their keys; --input makes new ones. While a replay
    goes on, asking again gives that one; once it has succeeded, it is refused.
    """
    which = Which(runs=runs, state=state, workflow=workflow, since=since, error=error, limit=limit)
    return run_again(
        which, How(release=release, value=value, again=again, dry=dry, as_json=as_json)
    )


def run_again(which: Which, how: How) -> int:
    """Replay, or say what would be; return the exit code.

    Raises:
        Mistake: runs are neither named nor described, or both.
    """
    if bool(which.runs) == which.is_filter:
        raise Mistake(
            "give either runs or a filter",
            why="a filter is --state, --workflow, --since or --error",
            fix=("proveout runs replay RUN", "proveout runs replay --state DEAD --dry-run"),
        )
    if how.value is not None and len(which.runs) != 1:
        raise Mistake("--input is for one run", fix=("proveout runs replay RUN --input JSON",))
    return asyncio.run(_run_again(which, how))


async def _run_again(which: Which, how: How) -> int:
    from proveout.faces.operating import acting, operating

    async with operating() as project:
        await acting(project, Right.OPERATE)
        workflow = which.workflow or project.name
        wanted = await _wanted(project, workflow, how)
        found, more = await _found(project, workflow, which)
        refused = [
            error for run in found if (error := await _one(project, run, wanted, how)) is not None
        ]
    _sum_up(which, how, found, refused)
    if more:
        say(f"{sign('warn')} more match: this took {which.limit:,}, the newest; ask again")
    return 3 if refused and which.runs else 0


async def _wanted(project: Project, workflow: str, how: How) -> Replay:
    from proveout.faces.replaying import edited_input, release_to_replay_on
    from proveout.run.payload import signature
    from proveout.run.replay import Replay

    value = None
    if how.value is not None:
        value = edited_input(parse_input(how.value, None, "--input")[0])
        if how.release in {None, DRAFT}:
            signature(project.workflow().function).inputs(value)
    release = await release_to_replay_on(project.store, workflow, how.release)
    return Replay(value=value, release=release, again=how.again)


async def _found(project: Project, workflow: str, which: Which) -> tuple[list[Run], bool]:
    """Return the runs that are meant, and whether there are more than may be taken."""
    from proveout.run.replay import matching

    if which.runs:
        return [await project.run(run) for run in dict.fromkeys(which.runs)], False
    filter_ = _filter(workflow, which, project.bench.clock.now())
    found = await matching(project.store, filter_, which.error, which.limit + 1)
    return found[-which.limit :], len(found) > which.limit


def _filter(workflow: str, which: Which, now: datetime) -> RunFilter:
    from proveout.ports.store import RunFilter

    states = (RunState(which.state.upper()),) if which.state else tuple(STATES)
    since = _since(which.since, now) if which.since else None
    return RunFilter(states=states, workflow=workflow, since=since, limit=PAGE)


def _since(text: str, now: datetime) -> datetime:
    """Return the moment that `text` names.

    Raises:
        Mistake: it is neither a moment nor a time ago.
    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    try:
        return now - duration(text)
    except (Mistake, OverflowError) as error:
        raise Mistake(
            f'--since "{text}" is no moment and no time ago',
            fix=('--since "2 h"', "--since 2026-11-22T09:00"),
        ) from error


async def _one(project: Project, run: Run, wanted: Replay, how: How) -> ProveoutError | None:
    """Replay one run, or say what would be; return why it was not, where it was not."""
    from proveout.run.replay import foresee, replay

    bench = project.bench
    try:
        if how.dry:
            _foretell(run, await foresee(project.store, run, wanted), how)
        else:
            _tell(run, await replay(project.store, bench.clock, bench.ids, run, wanted), how)
    except Refusal as refusal:
        if how.as_json and how.dry:
            words = {"schema": "replay.v1", "run": run.id, "would": "refuse"}
            answer_json({**words, "why": refusal.message})
        else:
            say(error_text(refusal))
        return refusal
    return None


def _tell(run: Run, done: Enqueued, how: How) -> None:
    if how.as_json:
        answer_json({**run_v1(done.run), "created": done.created, "replays": run.id})
    elif done.created:
        answer(f"{sign('ok')} {done.run.id} replays {run.id}, {_keys(done.run.origin)}")
    else:
        answer(f"{sign('ok')} {done.run.id} replays {run.id} already, and is {done.run.state}")


def _foretell(run: Run, asked: Request | Enqueued, how: How) -> None:
    known = asked.run if isinstance(asked, Enqueued) else None
    target = asked.run if isinstance(asked, Enqueued) else asked
    if how.as_json:
        words: dict[str, Any] = {
            "schema": "replay.v1",
            "run": run.id,
            "would": "replay" if known is None else "give",
            "known": known and known.id,
            "keeps_keys": target.origin is not None,
            "release": target.release,
        }
        answer_json(words)
    elif known is not None:
        answer(f"  {run.id} is replayed by {known.id} already, which is {known.state}")
    else:
        where = "where the pointer sends it" if how.release is None else f"on {how.release}"
        answer(f"  {run.id} would be replayed {where}, {_keys(target.origin)}")


def _keys(origin: str | None) -> str:
    return "with new keys" if origin is None else "with the keys of its effects kept"


def _sum_up(which: Which, how: How, found: Sequence[Run], refused: Sequence[ProveoutError]) -> None:
    if how.as_json or which.runs:
        return
    if not found:
        say("nothing matches: proveout runs list shows what there is")
        return
    done = "would be replayed; nothing was written" if how.dry else "are replayed"
    answer(f"{sign('ok')} {len(found) - len(refused):,} of {len(found):,} runs {done}")
