"""Runs over HTTP: ask for one, read them, stop one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

from fastapi import Query

from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Cancel, Stale, UnitId
from proveout.faces.api.bodies import read_json
from proveout.faces.api.call import Let, checked_id
from proveout.faces.api.problems import BadRequest
from proveout.faces.cli.operate import NotPossible, entry_words, run_v1
from proveout.faces.project import NoSuch
from proveout.ports.store import RunFilter
from proveout.run.enqueue import Request, enqueue
from proveout.run.send import send

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.domain.run import Run
    from proveout.faces.api.call import Call

LONGEST_WAIT = 60
"""Seconds that one request may wait for its run."""

MOST = 100
"""Entries of one page."""

LONGEST_KEY = 255
WAIT = re.compile(r"(?:^|[,;\s])wait=([0-9]{1,6})(?:$|[,;\s])")


async def create(name: str, call: Let) -> Response:
    """Ask for a run of a workflow, with its input as the body.

    The answer comes when the run is durable, or with `Prefer: wait=N` when it has ended,
    at the latest after N seconds. The same `Idempotency-Key` with the same input gives
    the same run.
    """
    doors = call.doors
    key = _key(call)
    value = await read_json(call.request)
    canonical = doors.accept(name, json.dumps(value, ensure_ascii=False).encode())
    wanted = Request(workflow=name, value=canonical, key=key)
    done = await enqueue(doors.store, doors.clock, doors.ids, wanted)
    headers = {"Location": f"/api/v1/runs/{done.run.id}"}
    run, seconds = done.run, _wait(call)
    if seconds:
        run = await _settled(call, run, seconds)
        headers["Preference-Applied"] = f"wait={seconds}"
    status = 200 if seconds and _has_settled(run) else 202
    return call.answer({**run_v1(run), "created": done.created}, status, headers)


def _key(call: Call) -> str | None:
    """Return the caller's own name for the request.

    Raises:
        BadRequest: it is empty, too long, or no printable ASCII.
    """
    keys = call.request.headers.getlist("idempotency-key")
    if not keys:
        return None
    key = keys[0]
    if (
        len(keys) > 1
        or not 1 <= len(key) <= LONGEST_KEY
        or not (key.isascii() and key.isprintable())
    ):
        raise BadRequest(
            f"Idempotency-Key must be there once, with 1 to {LONGEST_KEY} printable characters",
            why="one key stands for one request",
        )
    return key


def _wait(call: Call) -> int:
    """Return how many seconds the caller would wait; 0 where it did not say."""
    found = WAIT.search(call.request.headers.get("prefer", ""))
    return 0 if found is None else min(LONGEST_WAIT, int(found[1]))


async def _settled(call: Call, run: Run, seconds: int) -> Run:
    """Return the run as it stands when it has ended, or after so many seconds."""
    doors = call.doors
    end = doors.clock.monotonic() + seconds
    while True:
        run = await doors.store.run(run.id) or run
        left = end - doors.clock.monotonic()
        gone = doors.is_draining() or await call.request.is_disconnected()
        if _has_settled(run) or left <= 0 or gone:
            return run
        await doors.store.changed(min(1.0, left))


def _has_settled(run: Run) -> bool:
    return run.state.is_final or run.state is RunState.PARKED


async def listed(
    call: Let,
    state: Annotated[list[RunState] | None, Query(description="Only these; may repeat.")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List runs that are no trials, newest first."""
    which = RunFilter(
        states=tuple(state or ()),
        workflow=call.workflow,
        before=None if cursor is None else RunId(checked_id(cursor, "page")),
        limit=limit,
    )
    found = await call.doors.store.runs(which)
    next_ = found[-1].id if len(found) == limit else None
    return call.answer({"schema": "runs.v1", "runs": [run_v1(run) for run in found], "next": next_})


async def shown(run: str, call: Let) -> Response:
    """Show a run with its result or its error."""
    return call.answer_tagged(run_v1(await _run(call, run)))


async def journal(run: str, call: Let) -> Response:
    """Show what a run has finished, step by step."""
    found = await _run(call, run)
    entries = await call.doors.store.journal(found.id)
    words = [entry_words(entry) for entry in entries]
    return call.answer({"schema": "journal.v1", "run": found.id, "entries": words})


async def cancel(run: str, call: Let) -> Response:
    """Stop a run; what it has in flight is stopped at its next step."""
    found = await _run(call, run)
    unit = Cancel(id=UnitId(call.doors.ids.new()), run=found.id)
    if isinstance(await call.doors.store.write(unit), Stale):
        now = await _run(call, run)
        raise NotPossible(f"run {run} is {now.state}", why="a final run stays as it is")
    return call.answer(run_v1(await _run(call, run)))


async def signal(run: str, name: str, call: Let) -> Response:
    """Send a run a signal with the body as its value, whether it waits for it yet or not.

    The answer comes when the signal is durable. The same `Idempotency-Key` to the same run
    and name is sent once.
    """
    found = await _run(call, run)
    value = await read_json(call.request)
    doors = call.doors
    await send(doors.store, doors.ids, found, name, value, key=_key(call))
    return call.answer({"schema": "signal.v1", "run": found.id, "name": name}, 202)


async def _run(call: Call, run: str) -> Run:
    found = await call.doors.store.run(RunId(checked_id(run, "run")))
    if found is None:
        raise NoSuch(f"there is no run {run}", fix=("GET /api/v1/runs",))
    return found
