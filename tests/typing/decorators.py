"""Checked, not run: decorators keep what a function takes and gives.

A wrong call must be an error: each one below is ignored by its rule, and an ignore that
is not needed is an error itself.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_type

from proveout import Case, effect, prove, review, score, sleep, step, workflow
from proveout.domain.criterion import Criterion
from proveout.prove.account import Account


@dataclass
class Label:
    """What a mail is about."""

    team: str


@step(retries=3, timeout=20)
async def classify(mail: str) -> Label:
    """An asynchronous step."""
    return Label(mail)


@step
def count(mail: str, *, upto: int = 3) -> int:
    """A plain step."""
    return min(len(mail), upto)


@effect(in_trial=7)
async def send(reply: str, *, idempotency_key: str = "") -> int:
    """An effect that returns something."""
    return len(reply) + len(idempotency_key)


@score
def routed(result: str, case: Case) -> bool:
    """A score."""
    return result == case.expected


@workflow
async def triage(mail: str) -> Label:
    """An asynchronous workflow."""
    label = assert_type(await classify(mail), Label)
    decision = await review(label, queue="support", within="4 h")
    assert_type(decision.value, Label)
    assert_type(await send("thanks"), int)
    await sleep("2 days")
    return decision.value


@workflow
def plain(mail: str) -> int:
    """A plain workflow waits by the same calls."""
    assert_type(review(mail).value, str)
    sleep("2 days")
    return assert_type(count(mail, upto=2), int)


async def called_outside_a_run() -> None:
    """Each is the function it was made from."""
    assert_type(await triage("late parcel"), Label)
    assert_type(plain("late parcel"), int)
    assert_type(routed("a", Case(id="1", value=None)), bool)
    assert_type(score("exact", floor=0.8, target=0.9), Criterion)
    assert_type(await prove(plain, [], []), Account)


async def wrongly_called() -> None:
    """What the function does not take, the step does not take either."""
    await classify(7)  # pyright: ignore[reportArgumentType]
    count("late", 3)  # pyright: ignore[reportCallIssue]
    await send()  # pyright: ignore[reportCallIssue]
    await triage()  # pyright: ignore[reportCallIssue]
