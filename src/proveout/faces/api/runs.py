"""Runs over HTTP: ask for one, read them, stop one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proveout.domain.duration import DURATION_PATTERN, duration
from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Cancel, Stale, UnitId
from proveout.faces.api.bodies import read_json
from proveout.faces.api.call import Let, checked_id
from proveout.faces.api.problems import BadRequest
from proveout.faces.api.stage import check_enqueue
from proveout.faces.cli.operate import NotPossible, entry_words, run_v1
from proveout.faces.entering import enter
from proveout.faces.project import NoSuch
from proveout.faces.queried import asked_for
from proveout.faces.replaying import release_to_replay_on
from proveout.run.crowd import check_desk
from proveout.run.enqueue import LONGEST_ORDERING, MOST_URGENT, Request, enqueue
from proveout.run.payload import say
from proveout.run.replay import Replay
from proveout.run.replay import replay as run_again
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


async def create(
    name: str,
    call: Let,
    priority: Annotated[
        int,
        Query(ge=-MOST_URGENT, le=MOST_URGENT, description="The highest is claimed first."),
    ] = 0,
    ordering: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=LONGEST_ORDERING,
            description="Runs with one ordering key go one at a time, in the order they came.",
        ),
    ] = None,
    delay: Annotated[
        str | None,
        Query(
            description='Begin no sooner than after this, such as "10 min".',
            json_schema_extra={"pattern": DURATION_PATTERN},
        ),
    ] = None,
) -> Response:
    """Ask for a run of a workflow, with its input as the body.

    The answer comes when the run is durable, or with `Prefer: wait=N` when it has ended,
    at the latest after N seconds. The same `Idempotency-Key` with the same input gives
    the same run. When as many runs wait for a worker as the settings allow, no more are
    taken: 429, and what was sent must be sent again later.
    """
    doors = call.doors
    key = _key(call)
    value = await read_json(call.request)
    canonical = doors.accept(name, json.dumps(value, ensure_ascii=False).encode())
    wanted = Request(
        workflow=name,
        value=canonical,
        key=key,
        priority=priority,
        ordering=ordering,
        delay=timedelta(0) if delay is None else duration(delay),
        intake=doors.settings.workflow.intake,
        asked_by=call.actor.name,
    )
    await check_desk(doors.store, doors.settings.queues, name, key)
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
    q: Annotated[
        str, Query(description="As on the console: state:failed since:2h error:timeout.")
    ] = "",
    state: Annotated[list[RunState] | None, Query(description="Only these; may repeat.")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List runs that are no trials, newest first.

    `q` may hold state:, workflow:, release:, since:, error:, id: and key:, each with a value.
    """
    store, now = call.doors.store, call.doors.clock.now()
    before = "" if cursor is None else checked_id(cursor, "page")
    which = await asked_for(store, q, call.workflow, now, before=before, limit=limit)
    if state:
        which = replace(which, states=_both(which.states, state))
    found = await store.runs(which)
    next_ = found[-1].id if len(found) == limit else None
    return call.answer({"schema": "runs.v1", "runs": [run_v1(run) for run in found], "next": next_})


def _both(asked: tuple[RunState, ...], also: list[RunState]) -> tuple[RunState, ...]:
    """Return the states that both a query and a parameter let through.

    Raises:
        BadRequest: there is none, so nothing could ever be found.
    """
    both = tuple(one for one in also if not asked or one in asked)
    if not both:
        raise BadRequest("q and state ask for different states", fix=("leave one of them out",))
    return both


async def shown(run: str, call: Let) -> Response:
    """Show a run with its result or its error."""
    return call.answer_tagged(run_v1(await _run(call, run)))


async def journal(run: str, call: Let) -> Response:
    """Show what a run has finished, step by step."""
    found = await _run(call, run)
    entries = await call.doors.store.journal(found.id)
    words = [entry_words(entry) for entry in entries]
    return call.answer_tagged({"schema": "journal.v1", "run": found.id, "entries": words})


async def cancel(run: str, call: Let) -> Response:
    """Stop a run; what it has in flight is stopped at its next step."""
    found = await _run(call, run)
    unit = Cancel(id=UnitId(call.doors.ids.new()), run=found.id)
    if isinstance(await call.doors.store.write(unit), Stale):
        now = await _run(call, run)
        raise NotPossible(f"run {run} is {now.state}", why="a final run stays as it is")
    await enter(call.doors.access.office, call.actor.name, "cancel run", found)
    return call.answer(run_v1(await _run(call, run)))


class ReplayBody(BaseModel):
    """How a run is run again; an empty object for the same input, where the pointer sends it.

    Attributes:
        input: another input; its effects get new keys.
        release: one that serves, or "draft".
        again: although a replay of it has succeeded.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    input: Any = None
    release: str | None = Field(default=None, max_length=128, pattern="^[A-Za-z0-9]+$")
    again: bool = False


async def replay(run: str, call: Let) -> Response:
    """Run again what ended without a result, as a new run or the replay that goes on."""
    doors = call.doors
    asked = await _replay_body(call)
    found = await _run(call, run)
    await check_enqueue(call.actor, call.stage, doors.settings, doors.store, doors.clock.now())
    edited = None
    if "input" in asked.model_fields_set:
        edited = doors.accept(found.workflow, json.dumps(asked.input, ensure_ascii=False).encode())
    release = await release_to_replay_on(doors.store, found.workflow, asked.release)
    how = Replay(value=edited, release=release, again=asked.again, by=call.actor.name)
    done = await run_again(doors.store, doors.clock, doors.ids, found, how)
    body = {**run_v1(done.run), "created": done.created, "replays": found.id}
    headers = {"Location": f"/api/v1/runs/{done.run.id}"}
    return call.answer(body, 202 if done.created else 200, headers)


async def _replay_body(call: Call) -> ReplayBody:
    try:
        return ReplayBody.model_validate(await read_json(call.request))
    except ValidationError as error:
        raise BadRequest(say(error), fix=('{"input": …, "release": "r3"}',)) from None


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
