"""Commands of the chapter `run`: runs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.journal import EntryKind, Pending, Raised, Returned
from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Cancel, Requeue, Stale, UnitId
from proveout.errors import Mistake, Refusal
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    say,
    sign,
    strong,
    table,
)
from proveout.faces.cli.signal import resolve_run

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.journal import Entry
    from proveout.domain.run import Run

SHOWN = 60
"""Characters of a payload in a list."""


class BadInput(Mistake):
    """An input is no JSON, or lacks its key."""

    code = "bad-input"


class NotPossible(Refusal):
    """The run is in a state that does not allow it."""

    code = "not-possible"


def parse_input(text: str, key: str | None, where: str) -> tuple[bytes, str | None]:
    """Return an input as JSON with its key.

    Raises:
        BadInput: it is no JSON, or lacks the key.
    """
    try:
        value: Any = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{where}: not valid JSON: {error}",
            why="an input travels as JSON",
            fix=("quote it for the shell: --input '{\"n\": 1}'",),
        ) from error
    name = None if key is None else named_field(value, key, "--key", where)
    return text.encode("utf-8", "surrogatepass"), name


def named_field(value: Any, field: str, option: str, where: str) -> str:
    """Return the text or number that a field of an input holds."""
    if not isinstance(value, dict) or field not in value:
        raise BadInput(f'{where}: the input has no field "{field}"', why=f"{option} names a field")
    name: Any = value[field]  # pyright: ignore[reportUnknownVariableType] - checked next
    if not isinstance(name, str | int) or isinstance(name, bool) or name == "":
        raise BadInput(f'{where}: "{field}" is no text or whole number')
    return str(name)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def run_v1(run: Run) -> dict[str, Any]:
    """Return a run as the object that callers outside rely on."""
    failure = run.failure
    return {
        "schema": "run.v1",
        "id": run.id,
        "workflow": run.workflow,
        "state": run.state,
        "key": run.key,
        "created_at": run.created.isoformat(),
        "updated_at": None if run.updated is None else run.updated.isoformat(),
        "attempts": run.fence,
        "result": None if run.result is None else json.loads(run.result),
        "error": None
        if failure is None
        else {"type": failure.type, "message": failure.message, "step": failure.step or None},
        "note": run.note or None,
        "pruned_at": None if run.pruned is None else run.pruned.isoformat(),
    }


@click.group()
def runs() -> None:
    """List, show and cancel runs."""


runs.add_command(resolve_run)


@runs.command("list")
@click.argument("query", nargs=-1)
@click.option(
    "--state",
    type=click.Choice([s.value for s in RunState], case_sensitive=False),
    help="Only runs that stand here.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Most runs to list.",
)
@click.option("--before", metavar="RUN", help="Go on after the last run of a page.")
@click.option("--json", "as_json", is_flag=True, help="Print one run.v1 a line.")
def list_runs(
    query: tuple[str, ...], state: str | None, limit: int, before: str | None, as_json: bool
) -> None:
    """List runs, newest first; QUERY is as on the console: state:failed since:2h error:timeout.

    It may hold state:, workflow:, release:, since:, error:, id: and key:.
    """
    text = " ".join((*query, *(() if state is None else (f"state:{state}",))))
    list_found(text, limit, before, as_json=as_json)


def list_found(query: str, limit: int, before: str | None, *, as_json: bool) -> None:
    """Print a page of runs, or that there are none."""
    found = asyncio.run(_list_runs(query, limit, before or ""))
    if as_json:
        for run in found:
            answer_json(run_v1(run))
    elif not found:
        say(f"no run is {query}" if query else "no runs here yet: proveout enqueue makes one")
    else:
        table(
            [
                (run.id, run.state, f"{run.created.astimezone():%Y-%m-%d %H:%M:%S}", *_tell(run))
                for run in found
            ],
            ("run", "state", f"created ({_zone(found[0])})", "input", "error"),
        )


def _zone(run: Run) -> str:
    return run.created.astimezone().tzname() or "local"


def _tell(run: Run) -> tuple[str, str]:
    """Return the beginning of the input and of the error."""
    failure = run.failure
    error = "" if failure is None else clean(f"{failure.type}: {failure.message}")
    return _short(run), error[:SHOWN]


def _short(run: Run) -> str:
    if run.pruned is not None:
        return pruned_words(run.pruned)
    text = run.value.decode()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def pruned_words(moment: datetime) -> str:
    """Return what stands in the place of a payload that is gone."""
    return f"pruned on {moment:%Y-%m-%d}"


async def _list_runs(query: str, limit: int, before: str) -> list[Run]:
    from proveout.faces.project import Project
    from proveout.faces.queried import asked_for

    async with Project.open() as project:
        now = project.bench.clock.now()
        which = await asked_for(project.store, query, None, now, before=before, limit=limit)
        return await project.store.runs(which)


@runs.command("show")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print a run.v1 with its journal.")
def show_run(run: str, as_json: bool) -> None:
    """Show a run and its journal."""
    print_run(run, as_json=as_json)


def print_run(run: str, *, as_json: bool) -> None:
    """Print a run and its journal."""
    found, entries = asyncio.run(_show_run(run))
    if as_json:
        answer_json(
            {
                **run_v1(found),
                "input": None if found.pruned is not None else json.loads(found.value),
                "journal": [entry_words(e) for e in entries],
            }
        )
        return
    answer(f"{strong(found.id)}  {found.workflow} · {found.state} · attempt {found.fence}")
    if found.pruned is not None:
        answer(f"  payload {pruned_words(found.pruned)}; its input had the digest {found.input}")
    else:
        answer(f"  input   {clean(found.value.decode())}")
    if found.result is not None:
        answer(f"  result  {clean(found.result.decode())}")
    if found.failure is not None:
        answer(f"  error   {clean(f'{found.failure.type}: {found.failure.message}')}")
    if found.trial is not None and found.origin is not None:
        answer(f"  reuses  the answer of {found.origin}")
    if found.note:
        answer(f"  note    {clean(found.note)}")
    if entries:
        answer()
        table(
            [
                (
                    f"{e.started.astimezone():%H:%M:%S}",
                    e.kind,
                    str(e.place),
                    _outcome(e),
                    f"{e.elapsed:.3f} s",
                    clean(e.arguments)[:SHOWN],
                )
                for e in entries
            ],
            ("started", "kind", "what", "outcome", "took", "arguments"),
        )


def _outcome(entry: Entry) -> str:
    match entry.outcome:
        case Returned():
            return "returned"
        case Raised(failure):
            return f"raised {failure.type}"
        case Pending():
            return "begun" if entry.kind is EntryKind.EFFECT else "waits"


def entry_words(entry: Entry) -> dict[str, Any]:
    """Return an entry of a journal as plain data."""
    words: dict[str, Any] = {
        "path": entry.place.path,
        "name": entry.place.name,
        "occurrence": entry.place.occurrence,
        "kind": entry.kind,
        "arguments": entry.arguments,
        "digest": entry.digest,
        "outcome": _outcome(entry).split()[0],
        "tries": entry.tries,
        "started_at": entry.started.isoformat(),
        "seconds": entry.elapsed,
    }
    match entry.outcome:
        case Returned(value):
            return {**words, "value": json.loads(value) if value else None}
        case Raised(failure):
            return {**words, "error": {"type": failure.type, "message": failure.message}}
        case Pending(due):
            return {**words, "due": None if due is None else due.isoformat()}


async def _show_run(run: str) -> tuple[Run, list[Entry]]:
    from proveout.faces.project import Project

    async with Project.open() as project:
        return await project.run(run), await project.store.journal(RunId(run))


@runs.command("cancel")
@click.argument("run")
def cancel_run(run: str) -> None:
    """Cancel a run; what it has in flight is stopped at its next step."""
    asyncio.run(_move(run, Cancel, "cancel run"))
    answer(f"{sign('ok')} {run} is cancelled")


@runs.command("requeue")
@click.argument("run")
def requeue_run(run: str) -> None:
    """Let a parked run go on from its journal."""
    asyncio.run(_move(run, Requeue, "requeue run"))
    answer(f"{sign('ok')} {run} is queued again")


async def _move(run: str, unit: type[Cancel | Requeue], act: str) -> None:
    from proveout.domain.access import Right
    from proveout.faces.entering import enter
    from proveout.faces.operating import acting, operating

    async with operating() as project:
        actor = await acting(project, Right.OPERATE)
        found = await project.run(run)
        done = await project.store.write(unit(id=UnitId(project.bench.ids.new()), run=found.id))
        if isinstance(done, Stale):
            raise NotPossible(
                f"run {run} is {found.state}",
                why="a final run stays as it is, and only a parked one can be requeued",
                fix=(f"proveout runs show {run}",),
            )
        await enter(project.office, actor.name, act, found)
