"""Runs over HTTP: ask for one, read them, stop one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from doubles.given import entry, locked, want
from proveout.domain.access import Role
from proveout.domain.journal import EntryKind, Pending, Returned
from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Record, Settle, UnitId
from proveout.faces.api.bodies import LARGEST
from proveout.faces.api.shapes import JournalShape, RunShape, RunsShape, SignalShape
from proveout.ports.housekeeping import Aged

if TYPE_CHECKING:
    import httpx

    from doubles.doors import House
    from proveout.domain.journal import Entry

RUNS = "/api/v1/workflows/answers/runs"

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


async def ask(
    house: House, value: Any = 7, role: Role = Role.OPERATOR, key: str | None = None
) -> httpx.Response:
    """Ask for a run."""
    headers = {} if key is None else {"idempotency-key": key}
    async with await house.as_(role) as client:
        return await client.post(RUNS, json=value, headers=headers)


async def get(house: House, path: str, **headers: str) -> httpx.Response:
    """Read a path as a viewer."""
    async with await house.as_(Role.VIEWER) as client:
        return await client.get(path, headers=headers)


async def succeed(house: House, run: RunId, result: bytes = b"14") -> None:
    """Let a worker finish a run."""
    (claimed,) = await house.store.claim(want(workflows=("answers",)))
    settle = Settle(
        id=UnitId(house.doors.ids.new()),
        run=claimed.run.id,
        fence=claimed.run.fence,
        state=RunState.SUCCEEDED,
        elapsed=0.1,
        result=result,
    )
    assert claimed.run.id == run
    await house.store.write(settle)


async def test_an_acknowledged_run_is_in_the_store(house: House) -> None:
    """202 with its address; what stands there is the same run.v1."""
    answer = await ask(house)

    words = answer.json()
    assert answer.status_code == 202, answer.text
    TypeAdapter(RunShape).validate_python(words, extra="forbid")
    assert (words["state"], words["created"]) == ("QUEUED", True)
    run = await house.store.run(words["id"])
    assert run is not None
    assert run.value == b"7"
    shown = await get(house, answer.headers["location"])
    assert {**shown.json(), "created": True} == {**words, "updated_at": shown.json()["updated_at"]}


async def test_every_answer_says_which_stage_it_is(house: House) -> None:
    """In the body and in a header, problems included; it changes with the promotion."""

    async def stages() -> set[tuple[str, str]]:
        paths = (
            "runs",
            "reviews",
            "releases",
            "ledger",
            "evidence",
            "workflows/answers",
            "runs/no",
        )
        answers = [await get(house, f"/api/v1/{path}") for path in paths]
        answers.append(await ask(house))
        return {(one.headers["proveout-stage"], one.json()["stage"]) for one in answers}

    before = await stages()
    await house.into_production()
    after = await stages()

    assert before == {("proof-of-concept", "proof-of-concept")}
    assert after == {("production", "production")}


async def test_the_same_key_and_input_is_the_same_run(house: House) -> None:
    """Twenty at once make one; another input under the key is a conflict."""
    await house.key(Role.OPERATOR)
    answers = await asyncio.gather(*(ask(house, key="order 7") for _ in range(20)))
    other = await ask(house, 8, key="order 7")

    assert [answer.status_code for answer in answers] == [202] * 20
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert [answer.json()["created"] for answer in answers].count(True) == 1
    assert (other.status_code, other.json()["code"]) == (409, "key-conflict")
    assert await house.store.count() == {RunState.QUEUED: 1}


@ONE_STORE
@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_a_key_that_names_nothing_is_refused(house: House, key: str) -> None:
    """1 to 255 printable characters."""
    answer = await ask(house, key=key)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")


@ONE_STORE
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"NaN", 400),
        (b"[Infinity]", 400),
        (b"1e999", 400),
        (b'"\\ud800"', 400),
        (b'"\xff"', 400),
        (b"\x00", 400),
        (b'"\x00"', 400),
        (b"[" * 100_000, 400),
        (b"[" * 200 + b"]" * 200, 400),
        (b"1" * 5000, 400),
        (b'"seven"', 422),
        (b'{"m": 1}', 422),
        (b"null", 422),
        (b'"' + b"x" * LARGEST + b'"', 413),
    ],
)
async def test_a_body_that_is_no_input_is_told_so(house: House, body: bytes, status: int) -> None:
    """A problem of the 400s, never of the 500s; nothing is kept."""
    async with await house.as_(Role.OPERATOR) as client:
        answer = await client.post(RUNS, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await house.store.count() == {}


@ONE_STORE
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""],
)
async def test_a_body_of_another_kind_is_refused(house: House, kind: str) -> None:
    """415: a form of another site cannot ask for runs."""
    async with await house.as_(Role.OPERATOR) as client:
        answer = await client.post(RUNS, content=b"7", headers={"content-type": kind})

    assert (answer.status_code, answer.json()["code"]) == (415, "wrong-media-type")


async def test_an_unknown_workflow_or_run_is_nowhere(house: House) -> None:
    """404, also for an id that could not be one."""
    async with await house.as_(Role.OWNER) as client:
        answers = [
            await client.post("/api/v1/workflows/others/runs", json=7),
            await client.get("/api/v1/workflows/others"),
            await client.get("/api/v1/runs/none"),
            await client.get("/api/v1/runs/a%00b"),
            await client.get("/api/v1/runs/%F0%9F%99%82"),
            await client.get(f"/api/v1/runs/{'x' * 500}/journal"),
            await client.get("/api/v1/runs?cursor=a%00"),
        ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "not-found")] * 7


async def test_only_named_testers_may_ask_in_a_proof_of_concept(house: House) -> None:
    """A tester may, whatever the role; a viewer may not, and is told how to become one."""
    async with await house.as_(Role.VIEWER, "tess") as client:
        tester = await client.post(RUNS, json=7)
    viewer = await ask(house, role=Role.VIEWER)
    operator = await ask(house, role=Role.OPERATOR)

    assert [tester.status_code, operator.status_code] == [202, 202]
    assert (viewer.status_code, viewer.json()["code"]) == (403, "not-a-tester")


async def test_in_production_a_tester_has_the_right_of_the_role(house: House) -> None:
    """The list of testers is for the proof of concept alone."""
    await house.into_production()

    async with await house.as_(Role.VIEWER, "tess") as client:
        tester = await client.post(RUNS, json=7)

    assert (tester.status_code, tester.json()["code"]) == (403, "no-right")


async def test_past_the_time_box_nothing_is_taken(house: House) -> None:
    """Not from an owner either; in production, or with a new look, requests are taken again."""
    clock = house.doors.clock
    experiment = locked(name="answers", workflow="answers", locked=clock.now())
    await house.store.lock(experiment)
    before = await ask(house)
    clock.advance(timedelta(days=10))  # type: ignore[attr-defined]
    over = await ask(house, role=Role.OWNER)
    await house.into_production()
    promoted = await ask(house)

    assert [before.status_code, promoted.status_code] == [202, 202]
    assert (over.status_code, over.json()["code"]) == (403, "time-box-over")
    assert "until a person decides" in over.json()["why"]


async def test_a_run_has_a_tag_that_changes_with_it(house: House) -> None:
    """304 while nothing changed; a new tag with the result."""
    run = (await ask(house)).json()["id"]
    first = await get(house, f"/api/v1/runs/{run}")
    same = await get(house, f"/api/v1/runs/{run}", **{"if-none-match": first.headers["etag"]})
    await succeed(house, run)
    other = await get(house, f"/api/v1/runs/{run}", **{"if-none-match": first.headers["etag"]})

    assert (same.status_code, same.content) == (304, b"")
    assert other.status_code == 200
    assert (other.json()["state"], other.json()["result"]) == ("SUCCEEDED", 14)
    assert other.headers["etag"] != first.headers["etag"]


async def test_pages_of_runs_join_without_gaps(house: House) -> None:
    """Newest first; the last page names no next one."""
    made = [(await ask(house, n)).json()["id"] for n in range(5)]

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = (await get(house, f"/api/v1/runs?limit=2{more}")).json()
        TypeAdapter(RunsShape).validate_python(page, extra="forbid")
        seen += [run["id"] for run in page["runs"]]
        cursor = page["next"]

    assert seen == made[::-1]


async def test_runs_are_listed_by_the_query_of_the_console(house: House) -> None:
    """One text means one list; what cannot be read says where; the states of both must agree."""
    run = RunId((await ask(house, 1)).json()["id"])
    await succeed(house, run)
    await ask(house, 2)

    found = await get(house, "/api/v1/runs?q=state:succeeded since:1h")
    both = await get(house, "/api/v1/runs?q=state:succeeded,queued&state=QUEUED")
    odd = await get(house, "/api/v1/runs?q=state:succeeded colour:red")
    none = await get(house, "/api/v1/runs?q=state:succeeded&state=QUEUED")
    away = await get(house, "/api/v1/runs?q=release:r9")

    assert [one["id"] for one in found.json()["runs"]] == [run]
    assert [one["state"] for one in both.json()["runs"]] == ["QUEUED"]
    assert (odd.status_code, none.status_code, away.status_code) == (422, 422, 404)
    assert "at character 17" in odd.text


async def test_runs_are_listed_by_state(house: House) -> None:
    """Several states at once; an unknown one is a problem."""
    done = (await ask(house, 1)).json()["id"]
    await succeed(house, done)
    queued = (await ask(house, 2)).json()["id"]

    one = await get(house, "/api/v1/runs?state=QUEUED")
    both = await get(house, "/api/v1/runs?state=QUEUED&state=SUCCEEDED")
    none = await get(house, "/api/v1/runs?state=SLEEPING")

    assert [run["id"] for run in one.json()["runs"]] == [queued]
    assert len(both.json()["runs"]) == 2
    assert (none.status_code, none.json()["code"]) == (422, "bad-request")


async def test_the_journal_of_a_run_can_be_read(house: House) -> None:
    """Empty before its first step."""
    run = (await ask(house)).json()["id"]

    answer = await get(house, f"/api/v1/runs/{run}/journal")

    TypeAdapter(JournalShape).validate_python(answer.json(), extra="forbid")
    assert answer.json()["entries"] == []


async def test_a_cancelled_run_stays_cancelled(house: House) -> None:
    """Once, and the ledger tells who did it; a final run is a conflict."""
    run = (await ask(house)).json()["id"]

    async with await house.as_(Role.OPERATOR) as client:
        first = await client.post(f"/api/v1/runs/{run}/cancel")
        second = await client.post(f"/api/v1/runs/{run}/cancel")

    assert (first.status_code, first.json()["state"]) == (200, "CANCELLED")
    assert (second.status_code, second.json()["code"]) == (409, "not-possible")
    told = [one for one in await house.store.ledger() if one.act == "cancel run"]
    assert [(one.actor, one.subject) for one in told] == [("key-operator", run)]
    assert json.loads(told[0].facts) == {"workflow": "answers", "before": "QUEUED"}


async def test_a_signal_is_durable_when_it_is_answered(house: House) -> None:
    """A run that nobody has begun keeps it for its first wait."""
    run = (await ask(house)).json()["id"]

    async with await house.as_(Role.OPERATOR) as client:
        answer = await client.post(f"/api/v1/runs/{run}/signals/paid", json={"cents": 5})

    TypeAdapter(SignalShape).validate_python(answer.json(), extra="forbid")
    assert (answer.status_code, answer.json()["name"]) == (202, "paid")
    assert await taken(house, 2) == [b'{"cents":5}', None]


async def taken(house: House, waits: int) -> list[bytes | None]:
    """Return what the first waits of the one queued run for "paid" have taken."""
    (claimed,) = await house.store.claim(want(workflows=("answers",)))
    entries = tuple(listening(n) for n in range(waits))
    unit = Record(
        id=UnitId(house.doors.ids.new()),
        run=claimed.run.id,
        fence=claimed.run.fence,
        entries=entries,
    )
    await house.store.write(unit)
    outcomes = [entry.outcome for entry in await house.store.journal(claimed.run.id)]
    return [one.value if isinstance(one, Returned) else None for one in outcomes]


def listening(occurrence: int) -> Entry:
    """Return the entry of a wait for the signal "paid"."""
    waits = entry("signal paid", Pending(), occurrence)
    return replace(waits, kind=EntryKind.SIGNAL)


async def test_a_signal_with_a_key_is_sent_once(house: House) -> None:
    """The same key to the same run and name; another name is another signal."""
    run = (await ask(house)).json()["id"]
    keyed = {"idempotency-key": "evt_1"}

    async with await house.as_(Role.OPERATOR) as client:
        for value in (1, 2):
            path = f"/api/v1/runs/{run}/signals/paid"
            answer = await client.post(path, json=value, headers=keyed)
            assert answer.status_code == 202
        await client.post(f"/api/v1/runs/{run}/signals/refunded", json=3, headers=keyed)
        await client.post(f"/api/v1/runs/{run}/signals/paid", json=4)

    assert await taken(house, 3) == [b"1", b"4", None]


async def test_a_signal_that_cannot_be_sent_is_refused(house: House) -> None:
    """To no run, to one that is over, with a name that is no word, or with no JSON."""
    run = (await ask(house)).json()["id"]

    async with await house.as_(Role.OPERATOR) as client:
        answers = [
            await client.post("/api/v1/runs/none/signals/paid", json=1),
            await client.post(f"/api/v1/runs/{run}/signals/two%20words", json=1),
            await client.post(
                f"/api/v1/runs/{run}/signals/paid",
                content=b"{",
                headers={"content-type": "application/json"},
            ),
        ]
        await client.post(f"/api/v1/runs/{run}/cancel")
        answers.append(await client.post(f"/api/v1/runs/{run}/signals/paid", json=1))

    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(404, "not-found"), (400, "mistake"), (400, "bad-body"), (409, "run-over")]


async def end(house: House, state: RunState) -> RunId:
    """Return a run that has ended in that state."""
    run = RunId((await ask(house)).json()["id"])
    (claimed,) = await house.store.claim(want(workflows=("answers",)))
    unit = UnitId(house.doors.ids.new())
    fence = claimed.run.fence
    await house.store.write(Settle(id=unit, run=run, fence=fence, state=state, elapsed=0.1))
    return run


async def test_a_dead_run_is_replayed_once_at_a_time(house: House) -> None:
    """The answer names the new run; asked again it is the same one, and says so."""
    run = await end(house, RunState.DEAD)

    async with await house.as_(Role.OPERATOR) as client:
        first = await client.post(f"/api/v1/runs/{run}/replay", json={})
        again = await client.post(f"/api/v1/runs/{run}/replay", json={})
        other = await client.post(f"/api/v1/runs/{run}/replay", json={"input": 8})

    new = first.json()["id"]
    TypeAdapter(RunShape).validate_python(first.json())
    assert (first.status_code, first.headers["location"]) == (202, f"/api/v1/runs/{new}")
    assert (first.json()["created"], first.json()["replays"]) == (True, run)
    assert (again.status_code, again.json()["id"], again.json()["created"]) == (200, new, False)
    assert (other.status_code, other.json()["code"]) == (409, "already-replayed")
    kept = await house.store.run(RunId(new))
    assert kept is not None
    assert kept.origin == run


async def test_a_replay_takes_another_input_and_a_release(house: House) -> None:
    """The input must fit the workflow, and the release must serve."""
    run = await end(house, RunState.FAILED)
    path = f"/api/v1/runs/{run}/replay"

    async with await house.as_(Role.OPERATOR) as client:
        wrong = await client.post(path, json={"input": "eight"})
        unknown = await client.post(path, json={"release": "r9"})
        strange = await client.post(path, json={"inputs": 8})
        done = await client.post(path, json={"input": 8, "release": "draft"})

    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong-shape")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-release")
    assert strange.status_code == 422
    assert done.status_code == 202
    kept = await house.store.run(RunId(done.json()["id"]))
    assert kept is not None
    assert (kept.value, kept.release, kept.origin) == (b"8", "draft", None)


async def test_a_pruned_run_says_since_when(house: House) -> None:
    """Its shape is the same, and it cannot be run again."""
    run = await end(house, RunState.FAILED)
    now = house.doors.clock.now()
    aged = Aged(workflow="answers", sources=(), age=timedelta(0))
    assert await house.store.prune(aged) == 1

    shown = await get(house, f"/api/v1/runs/{run}")
    listed_ = await get(house, "/api/v1/runs")
    async with await house.as_(Role.OPERATOR) as client:
        refused = await client.post(f"/api/v1/runs/{run}/replay", json={})

    assert (shown.status_code, listed_.status_code) == (200, 200)
    assert (shown.json()["pruned_at"], shown.json()["result"]) == (now.isoformat(), None)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-replayable")
