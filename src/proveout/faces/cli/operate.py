"""Commands of the chapter `run`: enqueue, runs."""

from __future__ import annotations

import asyncio
import json
from itertools import islice
from pathlib import Path
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
    next_step,
    say,
    sign,
    strong,
    table,
)
from proveout.faces.cli.signal import resolve_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.domain.journal import Entry
    from proveout.domain.run import Run

BATCH = 500
"""Runs that are handed to the store at once."""

SHOWN = 60
"""Characters of a payload in a list."""


class BadInput(Mistake):
    """An input is no JSON, or lacks its key."""

    code = "bad-input"


class NotPossible(Refusal):
    """The run is in a state that does not allow it."""

    code = "not-possible"


@click.command()
@click.argument("workflow")
@click.option("--input", "value", metavar="JSON", help="The input of one run.")
@click.option("--file", type=click.Path(path_type=Path), help="JSON Lines: one input a line.")
@click.option("--key", metavar="FIELD", help="Field of the input that names the request.")
@click.option("--json", "as_json", is_flag=True, help="Print one run.v1 a line.")
def enqueue(
    workflow: str, value: str | None, file: Path | None, key: str | None, as_json: bool
) -> None:
    """Make runs of WORKFLOW durable; returns when they are.

    With --key, the same key with the same input gives the same run, and with another
    input it is refused.
    """
    if (value is None) == (file is None):
        raise Mistake("give either --input JSON or --file FILE")
    asyncio.run(_enqueue(workflow, value, file, key, as_json=as_json))


async def _enqueue(
    workflow: str, value: str | None, file: Path | None, key: str | None, *, as_json: bool
) -> None:
    from proveout.faces.project import Project

    new = known = 0
    async with Project.open() as project:
        inputs = (
            _lines(file, key)
            if file is not None
            else iter([parse_input(value or "", key, "--input")])
        )
        while batch := list(islice(inputs, BATCH)):
            done = await asyncio.gather(
                *(project.enqueue_json(workflow, data, name) for data, name in batch),
                return_exceptions=True,
            )
            for one in done:
                if isinstance(one, BaseException):
                    continue
                new, known = new + one.created, known + (not one.created)
                if as_json:
                    answer_json({**run_v1(one.run), "created": one.created})
                elif file is None:
                    answer(one.run.id)
            for one in done:
                if isinstance(one, BaseException):
                    raise one
    if not as_json and file is not None:
        answer(f"{sign('ok')} {new:,} runs of {workflow} are durable" + _known(known))
    if not as_json:
        next_step("proveout work --until-idle", "works on the draft, effects captured")


def _known(count: int) -> str:
    return f", {count:,} were known by their key" if count else ""


def _lines(file: Path, key: str | None) -> Iterator[tuple[bytes, str | None]]:
    """Yield the inputs of a file of JSON Lines, each with its key."""
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield parse_input(line.decode("utf-8"), key, f"{file}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}") from error


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
    if key is None:
        return text.encode("utf-8", "surrogatepass"), None
    if not isinstance(value, dict) or key not in value:
        raise BadInput(f'{where}: the input has no field "{key}"', why="--key names a field")
    name: Any = value[key]  # pyright: ignore[reportUnknownVariableType] - checked next
    if not isinstance(name, str | int) or isinstance(name, bool) or name == "":
        raise BadInput(f'{where}: "{key}" is no text or whole number')
    return text.encode("utf-8", "surrogatepass"), str(name)


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
    }


@click.group()
def runs() -> None:
    """List, show and cancel runs."""


runs.add_command(resolve_run)


@runs.command("list")
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
def list_runs(state: str | None, limit: int, before: str | None, as_json: bool) -> None:
    """List runs, newest first."""
    from proveout.ports.store import RunFilter

    which = RunFilter(
        states=(RunState(state.upper()),) if state else (),
        before=RunId(before) if before else None,
        limit=limit,
    )
    found = asyncio.run(_list_runs(which))
    if as_json:
        for run in found:
            answer_json(run_v1(run))
    elif not found:
        say("no runs here yet: proveout enqueue makes one")
    else:
        table(
            [
                (run.id, run.state, f"{run.created.astimezone():%Y-%m-%d %H:%M:%S}", _short(run))
                for run in found
            ],
            ("run", "state", f"created ({_zone(found[0])})", "input"),
        )


def _zone(run: Run) -> str:
    return run.created.astimezone().tzname() or "local"


def _short(run: Run) -> str:
    text = run.value.decode()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


async def _list_runs(which: Any) -> list[Run]:
    from proveout.faces.project import Project

    async with Project.open() as project:
        return await project.store.runs(which)


@runs.command("show")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print a run.v1 with its journal.")
def show_run(run: str, as_json: bool) -> None:
    """Show a run and its journal."""
    found, entries = asyncio.run(_show_run(run))
    if as_json:
        answer_json(
            {
                **run_v1(found),
                "input": json.loads(found.value),
                "journal": [entry_words(e) for e in entries],
            }
        )
        return
    answer(f"{strong(found.id)}  {found.workflow} · {found.state} · attempt {found.fence}")
    answer(f"  input   {clean(found.value.decode())}")
    if found.result is not None:
        answer(f"  result  {clean(found.result.decode())}")
    if found.failure is not None:
        answer(f"  error   {clean(f'{found.failure.type}: {found.failure.message}')}")
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
            return {**words, "value": json.loads(value)}
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
    asyncio.run(_move(run, Cancel))
    answer(f"{sign('ok')} {run} is cancelled")


@runs.command("replay")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print run.v1.")
def replay_run(run: str, as_json: bool) -> None:
    """Run the input of a run that FAILED or is DEAD again, as a new run."""
    again = asyncio.run(_replay(run))
    if as_json:
        answer_json({**run_v1(again), "created": True})
    else:
        answer(f"{sign('ok')} {again.id} repeats {run}")


async def _replay(run: str) -> Run:
    from proveout.domain.access import Right
    from proveout.faces.operating import acting, operating
    from proveout.run.replay import replay

    async with operating() as project:
        await acting(project, Right.OPERATE)
        bench = project.bench
        return await replay(project.store, bench.clock, bench.ids, await project.run(run))


@runs.command("requeue")
@click.argument("run")
def requeue_run(run: str) -> None:
    """Let a parked run go on from its journal."""
    asyncio.run(_move(run, Requeue))
    answer(f"{sign('ok')} {run} is queued again")


async def _move(run: str, unit: type[Cancel | Requeue]) -> None:
    from proveout.domain.access import Right
    from proveout.faces.operating import acting, operating

    async with operating() as project:
        await acting(project, Right.OPERATE)
        found = await project.run(run)
        done = await project.store.write(unit(id=UnitId(project.bench.ids.new()), run=found.id))
        if isinstance(done, Stale):
            raise NotPossible(
                f"run {run} is {found.state}",
                why="a final run stays as it is, and only a parked one can be requeued",
                fix=(f"proveout runs show {run}",),
            )
