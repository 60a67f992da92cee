"""Candidates that answer elsewhere, on the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.shop import Shop
from proveout.domain.case import Case
from proveout.domain.experiment import OWN, AnswersFile, Candidate
from proveout.domain.run import RunState
from proveout.ports.elsewhere import NoAnswer, NotAskable, TurnedAway
from proveout.prove.elsewhere import RETRIES, asking, put_to, ready

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.domain.case import Json
    from proveout.ports.store import Store

BUSY = TurnedAway("busy", {"retry-after": "7"})

LONG = timedelta(minutes=10)
"""A lease that outlasts every wait: the waits pass at once, and nobody renews it meanwhile."""


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


async def test_who_is_always_turned_away_gives_up(shop: Shop) -> None:
    """After a bounded number of tries it is one failed trial."""
    script = Script([BUSY] * 20)

    run = await shop.done(asking(script), 0, lease=LONG)

    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("TurnedAway", "busy")
    assert len(script.asked) == RETRIES + 1


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
