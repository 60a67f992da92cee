"""Candidates that answer elsewhere, on the engine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import PATIENCE as PATIENCE_OF_TESTS
from doubles.shop import Shop
from proveout.domain.case import Case
from proveout.domain.experiment import OWN, AnswersFile, Candidate, ExperimentId
from proveout.domain.run import RunState, Trial
from proveout.domain.workflow import Care, Step, Workflow
from proveout.ports.elsewhere import NoAnswer, NotAskable, TurnedAway
from proveout.prove.elsewhere import RETRIES, asking, put_to, ready
from proveout.prove.pace import Pace
from proveout.prove.turns import PacedTurns
from proveout.run.enqueue import Request, enqueue
from proveout.run.turn import PATIENCE

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.domain.case import Json
    from proveout.domain.run import Run, RunId
    from proveout.ports.elsewhere import Respondent
    from proveout.ports.store import Store

BUSY = TurnedAway("busy", {"retry-after": "7"})


@pytest.fixture
def shop(store: Store, clock: ManualClock, ids: CountedIds) -> Shop:
    """Return a shop on an empty store, by the manual clock."""
    return Shop(store, clock, ids)


@dataclass
class Script:
    """Answers by a script: what is an error is raised."""

    answers: list[Json | Exception] = field(default_factory=list["Json | Exception"])
    asked: list[Json] = field(default_factory=list["Json"])
    done: list[str] = field(default_factory=list[str])
    trouble: Exception | None = None

    async def ready(self) -> None:
        self.done.append("ready")
        if self.trouble is not None:
            raise self.trouble

    async def answer(self, value: Json) -> Json:
        self.asked.append(value)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.done.append("close")


async def test_the_answer_is_the_result_of_one_step(shop: Shop) -> None:
    script = Script([{"team": "billing"}])
    workflow = asking(script)

    run = await shop.done(workflow, {"mail": "Hi"})

    assert await shop.result(run.id) == {"team": "billing"}
    assert script.asked == [{"mail": "Hi"}]
    assert (await shop.entry(run.id, "ask")).tries == 1


async def test_who_is_turned_away_comes_again_when_told(shop: Shop) -> None:
    """The wait is what the header says, and the engine's own backoff on top."""
    script = Script([BUSY, BUSY, 1])

    run = await shop.done(asking(script), 0)

    assert run.state is RunState.SUCCEEDED
    assert len(script.asked) == 3
    assert all(7 <= wait < 8 for wait in shop.slept)
    assert len(shop.slept) == 2


async def trials(
    shop: Shop, respondent: Respondent, count: int, *, own: bool = False, paced: bool = True
) -> list[Run]:
    """Return trials that have ended, up to 32 at once, at a pace if `paced`.

    A step of the user's without retries asks if it is `own`, else the step of a candidate.
    """
    workflow = with_own_step(respondent) if own else asking(respondent)
    experiment = ExperimentId("experiment-1")
    runs: list[RunId] = []
    for position in range(count):
        trial = Trial(experiment=experiment, candidate="vendor", position=position, case="c")
        request = Request(workflow=workflow.name, value=b"%d" % position, trial=trial)
        runs.append((await enqueue(shop.store, shop.clock, shop.ids, request)).run.id)
    manner: dict[str, Any] = {"concurrency": 32, "lease": timedelta(days=1)}  # time flies
    worker = shop.worker(workflow, experiment=experiment, captures=True, **manner)
    worker.turns = {workflow.name: PacedTurns(Pace(32), shop.clock)} if paced else {}
    async with asyncio.timeout(PATIENCE_OF_TESTS):
        work = asyncio.create_task(worker.work(until_idle=True))
        while not work.done():
            await asyncio.wait({work}, timeout=0.001)
            shop.clock.advance(timedelta(seconds=0.05))  # also while nobody sleeps
        await work
    return [await shop.run(run) for run in runs]


def with_own_step(respondent: Respondent) -> Workflow[..., Any]:
    async def call_model(value: Any) -> Any:
        return await respondent.answer(value)

    step = Step(call_model, Care(retry_on=(KeyError,)))

    async def answer(value: Any) -> Any:
        return await step(value)

    return Workflow(answer)


class RateLimit(Exception):
    """What the client of a vendor raises."""

    status_code = 429


@dataclass(kw_only=True)
class Down(Script):
    """Turns everybody away until a moment, and answers from then on.

    Attributes:
        until: seconds of the clock.
    """

    clock: ManualClock
    until: float
    refusal: Exception = BUSY

    async def answer(self, value: Json) -> Json:
        self.asked.append(value)
        if self.clock.monotonic() < self.until:
            raise self.refusal
        return value


@pytest.mark.parametrize("headers", [{}, {"retry-after": "1"}, {"retry-after": "20"}])
async def test_a_minute_of_being_turned_away_loses_nothing(
    shop: Shop, headers: dict[str, str]
) -> None:
    """Every trial has its answer in the end, of its own case, and few were turned away."""
    vendor = Down(clock=shop.clock, until=60.0, refusal=TurnedAway("busy", headers))

    runs = await trials(shop, vendor, 60)

    assert [run.result for run in runs] == [b"%d" % position for position in range(60)]
    assert len(vendor.asked) < 60 + 90


async def test_a_step_without_retries_is_asked_again_too(shop: Shop) -> None:
    """A vendor's 429 says nothing of the case, whatever the workflow declares."""
    vendor = Down(clock=shop.clock, until=60.0, refusal=RateLimit("slow down"))

    runs = await trials(shop, vendor, 60, own=True)

    assert [run.result for run in runs] == [b"%d" % position for position in range(60)]
    assert len(vendor.asked) < 60 + 90


async def test_outside_of_an_experiment_a_step_is_tried_as_it_declares(shop: Shop) -> None:
    """Negative control: without turns the first refusal is the run's failure."""
    vendor = Down(clock=shop.clock, until=60.0, refusal=RateLimit("slow down"))

    runs = await trials(shop, vendor, 4, own=True, paced=False)

    assert [run.failure.type for run in runs if run.failure] == ["RateLimit"] * 4
    assert len(vendor.asked) == 4


async def test_who_is_always_turned_away_gives_up(shop: Shop) -> None:
    """After at least five tries in two minutes it is one failed trial, as it is for a user."""
    vendor = Down(clock=shop.clock, until=float("inf"))

    [run] = await trials(shop, vendor, 1)

    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("TurnedAway", "busy")
    assert len(vendor.asked) > RETRIES
    assert PATIENCE <= shop.clock.monotonic() < 2 * PATIENCE


async def test_a_step_that_is_always_turned_away_gives_up(shop: Shop) -> None:
    """With the failure of its last try, after two minutes."""
    vendor = Down(clock=shop.clock, until=float("inf"), refusal=RateLimit("slow down"))

    [run] = await trials(shop, vendor, 1, own=True)

    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("RateLimit", "slow down")
    assert PATIENCE <= shop.clock.monotonic() < 2 * PATIENCE


async def test_where_nobody_is_answered_for_two_minutes_nobody_waits_as_long_again(
    shop: Shop,
) -> None:
    """Trials that begin after that are asked five times each."""
    vendor = Down(clock=shop.clock, until=float("inf"), refusal=TurnedAway("busy", {}))

    runs = await trials(shop, vendor, 4)

    tries = [vendor.asked.count(position) for position in range(4)]
    assert {run.state for run in runs} == {RunState.DEAD}
    assert tries[0] + tries[1] > 2 * (RETRIES + 1)
    assert tries[2:] == [RETRIES + 1] * 2


async def test_no_answer_is_not_asked_for_again(shop: Shop) -> None:
    """A candidate that fails at a case has failed at it."""
    script = Script([NoAnswer('status 502, then "<html>"'), 1])

    run = await shop.done(asking(script), 0)

    assert run.failure is not None
    assert run.failure.message == 'status 502, then "<html>"'
    assert len(script.asked) == 1


def test_a_file_is_asked_by_the_id_of_a_case_and_others_by_its_input() -> None:
    case = Case(id="a-17", value={"mail": "Hi"})
    file = Candidate(name="old", entry=AnswersFile(file="answers.jsonl"))
    own = Candidate(name=OWN, entry="app:answer")

    assert put_to(file, case) == "a-17"
    assert put_to(own, case) == {"mail": "Hi"}


async def test_whatever_ends_the_block_nothing_is_left_behind() -> None:
    first, second = Script(trouble=NotAskable("its key is not set")), Script()

    with pytest.raises(NotAskable):
        async with ready([second, first]):
            raise AssertionError("nobody is asked before all can be")
    with pytest.raises(KeyError):
        async with ready([second]):
            raise KeyError

    assert first.done == ["ready", "close"]
    assert second.done == ["ready", "close"] * 2
