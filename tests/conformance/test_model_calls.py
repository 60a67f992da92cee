"""Calls of models are kept once, to the last fraction of a cent, whatever became of their run."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from doubles.given import want
from doubles.models import calls_of, usage_by_run
from doubles.stores import SQLITE, open_url
from proveout.adapters.postgres.wire import Server, part
from proveout.domain.experiment import ExperimentId
from proveout.domain.journal import Place
from proveout.domain.model_answer import ModelAnswer, Recording
from proveout.domain.model_call import Caller, Tokens, Usage, usage_of
from proveout.domain.money import Usd
from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Done
from proveout.ports.store import TrialCount

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.domain.model_call import ModelCall
    from proveout.ports.store import Store

EXPERIMENT = ExperimentId("experiment-1")
GONE = RunId("a run that no store knows")


async def test_a_call_is_read_as_it_was_made(given: Given, store: Store) -> None:
    """Every field comes back, of calls in steps, outside them, and without an answer."""
    run = (await given.claimed()).run.id
    calls = (
        given.model_call(run, caller=Caller(run=run, fence=2, place=Place("0.1", "Schritt", 3))),
        given.model_call(run, caller=Caller(run=run, fence=1, place=None), provider="anthropic"),
        given.model_call(run, answered="", status=0, tokens=None, cost=None),
        given.model_call(run, cost=None),
        given.model_call(run, tokens=Tokens(read=0, cached=0, written=0), cost=Usd(0)),
        given.model_call(
            run, tokens=Tokens(read=2**31 - 1, cached=2**31 - 1, written=2**31 - 1), cost=Usd(10**6)
        ),
        given.model_call(
            run, tokens=Tokens(read=9, cached=1, written=2, stored=2**31 - 1, stored_hour=3)
        ),
    )

    answer = await store.write(given.charge(*calls))

    assert answer == Done()
    assert await calls_of(store, run) == list(calls)
    assert await usage_by_run(store, [run]) == {run: usage_of(calls)}


async def test_an_answer_is_read_as_it_came(given: Given, store: Store, reopen: Open) -> None:
    """Byte for byte, once, and only by who asks for its run."""
    run, other = (await given.claimed()).run.id, RunId("another")
    call, strange = given.model_call(run), given.model_call(other)
    headers = (("content-type", "text/plain; charset=ü"), ("request-id", "1"))
    answer = ModelAnswer(status=404, headers=headers, body=bytes(range(256)))
    empty = ModelAnswer(status=200, headers=(), body=b"")
    mine = Recording(call=call.id, run=run, digest="d1", answer=answer)
    others = Recording(call=strange.id, run=other, digest="d1", answer=empty)
    again = replace(mine, answer=empty)

    await asyncio.gather(
        store.write(replace(given.charge(call), recordings=(mine, again))),
        store.write(replace(given.charge(strange), recordings=(others,))),
    )
    await (await reopen()).write(replace(given.charge(call), recordings=(again,)))

    assert await store.model_answers(run) == [mine]
    assert await store.model_answers(other, GONE) == [others]
    assert await store.model_answers() == []


async def test_calls_come_in_the_order_in_which_they_started(given: Given, store: Store) -> None:
    """They are handed in as they end."""
    run = (await given.claimed()).run.id
    starts = [given.clock.now() + timedelta(seconds=second) for second in (2, 0, 1)]
    late, early, between = (given.model_call(run, started=start) for start in starts)

    await store.write(given.charge(late))
    await store.write(given.charge(early, between))

    assert await calls_of(store, run) == [early, between, late]


async def test_a_call_is_kept_once(given: Given, store: Store, reopen: Open) -> None:
    """In one unit, in two of a group and later through another store: the first one stands."""
    run = (await given.claimed()).run.id
    call = given.model_call(run)
    again = replace(call, cost=Usd(7), asked="another")
    other = given.model_call(run)

    answers = await asyncio.gather(
        store.write(given.charge(call, again)), store.write(given.charge(again, other))
    )
    elsewhere = await (await reopen()).write(given.charge(again))

    assert [*answers, elsewhere] == [Done()] * 3
    assert await calls_of(store, run) == [call, other]


async def test_two_stores_that_keep_the_same_calls_keep_each_once(
    given: Given, store: Store, reopen: Open
) -> None:
    """Processes that send the same ids at once, each in its own order, do not stop each other."""
    run = (await given.claimed()).run.id
    calls = [given.model_call(run, id=f"call-{number:03}") for number in range(100)]
    other = await reopen()

    answers = await asyncio.gather(
        *(store.write(given.charge(one)) for one in calls),
        *(other.write(given.charge(one)) for one in reversed(calls)),
    )

    assert answers == [Done()] * 200
    assert await calls_of(store, run) == calls


@pytest.mark.parametrize(
    "state", [RunState.SUCCEEDED, RunState.DEAD, RunState.CANCELLED, RunState.PARKED]
)
async def test_a_call_is_kept_whatever_became_of_its_run(
    given: Given, store: Store, state: RunState
) -> None:
    """What it cost was spent; nothing else about the run changes."""
    claimed = await given.in_state(state)
    before = await given.known(claimed.run.id)

    answer = await store.write(given.charge(given.model_call(claimed.run.id)))

    assert answer == Done()
    assert len(await calls_of(store, claimed.run.id)) == 1
    assert await given.known(claimed.run.id) == before


async def test_a_call_under_an_old_fence_is_kept(given: Given, store: Store) -> None:
    """An attempt that lost its run to another still paid for its calls."""
    first = await given.claimed()
    given.clock.advance(want().lease * 2)
    await store.tend()
    [second] = await store.claim(want())
    calls = [
        given.model_call(first.run.id, caller=Caller(run=first.run.id, fence=fence, place=None))
        for fence in (second.run.fence, first.run.fence)
    ]

    assert await store.write(given.charge(*calls)) == Done()

    assert second.run.fence == first.run.fence + 1
    assert await calls_of(store, first.run.id) == calls


async def test_a_call_of_an_unknown_run_is_kept(given: Given, store: Store) -> None:
    """It is no run's for all that the store knows, but money all the same."""
    call = given.model_call(GONE)

    answer = await store.write(given.charge(call))

    assert answer == Done()
    assert await store.run(GONE) is None
    assert await calls_of(store, GONE) == [call]


async def test_a_unit_without_calls_changes_nothing(given: Given, store: Store) -> None:
    """It is done at once."""
    assert await store.write(given.charge()) == Done()
    assert await usage_by_run(store, [GONE]) == {}
    assert await calls_of(store, GONE) == []


async def test_calls_and_the_end_of_their_run_share_a_group(given: Given, store: Store) -> None:
    """Whichever is handed in first, both are written."""
    one, other = [await given.claimed() for _ in range(2)]

    answers = await asyncio.gather(
        store.write(given.settle(one, RunState.SUCCEEDED)),
        store.write(given.charge(*(given.model_call(each.run.id) for each in (one, other)))),
        store.write(given.cancel(other.run.id)),
    )

    assert answers == [Done()] * 3
    assert await given.states([one.run.id, other.run.id]) == [
        RunState.SUCCEEDED,
        RunState.CANCELLED,
    ]
    assert set(await usage_by_run(store, [one.run.id, other.run.id])) == {one.run.id, other.run.id}


async def test_a_unit_may_hold_a_thousand_calls(given: Given, store: Store) -> None:
    """Of one run or of many, in one commit."""
    runs = [RunId(f"run-{number}") for number in range(10)]
    calls = [given.model_call(runs[number % 10]) for number in range(1000)]

    assert await store.write(given.charge(*calls)) == Done()

    assert await usage_by_run(store, runs) == {
        run: usage_of(call for call in calls if call.caller.run == run) for run in runs
    }


async def test_sums_are_exact(given: Given, store: Store) -> None:
    """Fractions of a micro-dollar neither vanish beside dollars nor turn into floats."""
    costs = [
        *[Usd("0.1")] * 30,
        *[Usd("0.00000003")] * 300,
        *[Usd("0.000000000001")] * 7,
        Usd("999999.999999999999"),
        None,
        None,
    ]
    calls = [given.model_call(GONE, cost=cost) for cost in costs]

    await store.write(given.charge(*calls))

    usage = (await usage_by_run(store, [GONE]))[GONE]
    assert usage.cost == Usd("1000003.000009000006")
    assert (usage.calls, usage.unpriced) == (len(costs), 2)
    assert usage == usage_of(calls)


async def test_a_sum_has_room_for_more_than_one_number(given: Given, store: Store) -> None:
    """Money past what 64 bits hold as picodollars, and tokens past 32, are summed all the same."""
    most = Tokens(read=2**31 - 1, cached=0, written=2**31 - 1)
    calls = [given.model_call(GONE, cost=Usd(10**6), tokens=most) for _ in range(40)]

    await store.write(given.charge(*calls))

    assert await usage_by_run(store, [GONE]) == {GONE: usage_of(calls)}


async def test_what_is_finer_than_a_picodollar_is_rounded(given: Given, store: Store) -> None:
    """Half to even, in every store alike."""
    fine = ["0.0000000000005", "0.0000000000015", "0.00000000000051", f"{Decimal(1) / 3}"]

    await store.write(given.charge(*(given.model_call(GONE, cost=Usd(cost)) for cost in fine)))

    assert [call.cost for call in await calls_of(store, GONE)] == [
        Usd(0),
        Usd("0.000000000002"),
        Usd("0.000000000001"),
        Usd("0.333333333333"),
    ]


async def test_usage_is_told_of_the_runs_that_are_asked_for(given: Given, store: Store) -> None:
    """Those without a call are left out, and there may be many."""
    runs = [RunId(f'run "{number}"') for number in range(3)]
    calls = [given.model_call(run) for run in runs]
    await store.write(given.charge(*calls))

    many = [RunId(f"other-{number}") for number in range(40_000)]
    told = await usage_by_run(store, [*many, *runs[:2], runs[0]])

    assert told == {run: usage_of([call]) for run, call in zip(runs[:2], calls, strict=False)}
    assert await usage_by_run(store, []) == {}


async def test_an_experiment_uses_what_its_trials_used(given: Given, store: Store) -> None:
    """Calls of every attempt of its trials, of all its candidates or one; nobody else's."""
    assert await store.used(EXPERIMENT) == TrialCount(calls=0, repeated=0, trials=0, usage=Usage())
    trials = [given.trial(0), given.trial(1), given.trial(0, candidate="vendor")]
    others = [given.trial(0, experiment=ExperimentId("experiment-2")), given.run()]
    for run in (*trials, *others):
        await given.enqueue(run)
    [claimed] = await store.claim(want(experiment=EXPERIMENT, limit=1))
    calls = [given.model_call(run.id, cost=Usd("0.0125")) for run in (*trials, *trials, *others)]
    calls[1] = replace(calls[1], cost=None)
    await store.write(given.charge(*calls))
    await store.write(given.charge(given.model_call(GONE)))

    used = await store.used(EXPERIMENT)
    vendor = await store.used(EXPERIMENT, "vendor")

    assert claimed.run.id == trials[0].id
    assert used == TrialCount(calls=1, repeated=0, trials=3, usage=usage_of(calls[:6]), unpriced=1)
    assert used.usage == Usage(calls=6, read=7200, written=204, cost=Usd("0.0625"), unpriced=1)
    assert vendor == TrialCount(calls=0, repeated=0, trials=1, usage=usage_of([calls[2], calls[5]]))


async def test_a_store_that_knew_no_calls_learns_to_keep_them(
    given: Given, store: Store, manual_url: str, clock: WatchedClock
) -> None:
    """A store of schema 3 keeps what it had, and calls of its runs from then on."""
    done = await given.in_state(RunState.SUCCEEDED)
    trial = given.trial(0)
    await given.enqueue(trial)
    await store.close()
    await _back_to_schema_3(manual_url)

    migrated = await open_url(manual_url, clock)
    calls = [given.model_call(done.run.id), given.model_call(trial.id)]
    answer = await migrated.write(given.charge(*calls))
    known = await migrated.run(done.run.id)
    usage = await usage_by_run(migrated, [done.run.id, trial.id])
    used = await migrated.used(EXPERIMENT)
    await migrated.close()

    assert answer == Done()
    assert known is not None
    assert known.state is RunState.SUCCEEDED
    assert usage == {done.run.id: usage_of(calls[:1]), trial.id: usage_of(calls[1:])}
    assert (used.trials, used.usage) == (1, usage_of(calls[1:]))


LATER_INDEXES = (
    *("reviews_queue", "reviews_of_queue", "reviews_claimed", "reviews_due", "reviews_past"),
    *("reviews_ended", "runs_by_release"),
)
LATER_COLUMNS = (
    *("terms", "findings", "original", "edited_by", "claimed_by", "claimed_until"),
    *("snoozed_until", "assigned_to", "escalated", "escalated_by", "escalated_why"),
    *("approved_by", "takes_effect", "decided_by", "outcome"),
)

BACK = (
    "DROP TABLE {}model_calls",
    "DROP TABLE {}model_answers",
    "ALTER TABLE {}runs DROP COLUMN asked_by",
    *(f"DROP INDEX {{}}{name}" for name in LATER_INDEXES),
    *(f"ALTER TABLE {{}}reviews DROP COLUMN {name}" for name in LATER_COLUMNS),
    "DELETE FROM {}migrations WHERE number > 3",
)


async def _back_to_schema_3(url: str) -> None:
    if url.startswith(SQLITE):
        connection = sqlite3.connect(url.removeprefix(SQLITE), isolation_level=None)
        for statement in BACK:
            connection.execute(statement.format(""))
        connection.close()
        return
    link = await Server.at(url).connect("test")
    for statement in BACK:
        await link.execute(statement.format("proveout."))
    await part(link)


def test_calls_are_added_up_like_their_store_does() -> None:
    """The noun alone: nothing is nothing, and usages add."""
    nothing: list[ModelCall] = []

    assert usage_of(nothing) == Usage()
    assert Usage(calls=1, read=2, written=3, cost=Usd("0.1")) + Usage(
        calls=1, read=1, written=1, cost=Usd("0.2"), unpriced=1
    ) == Usage(calls=2, read=3, written=4, cost=Usd("0.3"), unpriced=1)
