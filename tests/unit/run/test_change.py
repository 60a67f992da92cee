"""Code that is changed while runs wait: each run decides once which code is its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import top
from proveout.domain.journal import EntryKind, Returned
from proveout.domain.run import RunState
from proveout.errors import Mistake
from proveout.run.ask import review
from proveout.run.change import changed
from proveout.run.define import step, workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from doubles.shop import Shop
    from proveout.domain.run import Run


@step
async def read(mail: str) -> str:
    return mail


@step
async def label(mail: str) -> str:
    return mail.upper()


@step
def fetch(mail: str) -> str:
    return mail


async def resumed(shop: Shop, *bodies: Callable[[], Any], plain: bool = False) -> Run:
    """Return a run whose code changes at each wait for a person: one body an attempt."""
    left = list(bodies)

    async def triage() -> Any:
        return await left.pop(0)()

    def plainly() -> Any:
        return left.pop(0)()

    chosen = workflow(top(plainly if plain else triage))
    run = await shop.done(chosen)
    while left:
        [asked] = await shop.reviews()
        await shop.answer(asked)
        run = await shop.again(chosen, run.id)
    return run


async def before() -> str:
    await read("x")
    await review("a draft")
    return "old"


async def after() -> str:
    tone = "old"
    await read("x")
    if changed("new-tone"):
        tone = await label("new")
    await review("a draft")
    return tone


async def test_a_new_run_takes_the_new_code(shop: Shop) -> None:
    """Also when it resumes: the journal keeps the answer beside what depends on it."""
    run = await resumed(shop, after, after)
    entry = await shop.entry(run.id, "changed new-tone")

    assert (run.state, run.result) == (RunState.SUCCEEDED, b'"NEW"')
    assert (entry.kind, entry.outcome) == (EntryKind.CHANGED, Returned(b"true"))


async def test_a_run_that_came_past_keeps_the_old_code(shop: Shop) -> None:
    """Without the question it would be parked: the code asks for another step."""
    run = await resumed(shop, before, after)

    assert (run.state, run.note, run.result) == (RunState.SUCCEEDED, "", b'"old"')


async def test_without_the_question_the_run_is_parked(shop: Shop) -> None:
    """Negative control: the same change, made plainly."""

    async def rash() -> str:
        await read("x")
        return await label("new")

    run = await resumed(shop, before, rash)

    assert run.state is RunState.PARKED


async def test_a_run_that_waits_before_the_change_takes_it(shop: Shop) -> None:
    """It comes there for the first time."""

    async def later() -> str:
        await read("x")
        await review("a draft")
        return await label("new") if changed("new-tone") else "old"

    run = await resumed(shop, before, later)

    assert run.result == b'"NEW"'


async def test_one_answer_stands_for_the_whole_run(shop: Shop) -> None:
    """A loop that began with the old code ends with it, beyond its old journal too."""

    async def plainly() -> str:
        for mail in "ab":
            await read(mail)
            await review("a draft")
        return ""

    async def asks() -> str:
        answers: list[bool] = []
        for mail in "ab":
            answers.append(changed("new-tone"))
            await read(mail)
            await review("a draft")
        answers.append(changed("new-tone"))
        return " ".join(map(str, answers))

    run = await resumed(shop, plainly, asks, asks)

    assert run.result == b'"False False False"'


async def test_what_a_branch_has_done_counts_for_the_one_that_makes_it(shop: Shop) -> None:
    """The journal goes on in branches that the code has yet to make."""

    async def gathered() -> str:
        await asyncio.gather(before())
        return "old"

    async def asks() -> str:
        tone = "NEW" if changed("new-tone") else "old"
        await asyncio.gather(before())
        return tone

    run = await resumed(shop, gathered, asks)

    assert run.result == b'"old"'


async def test_a_question_that_is_gone_parks_nobody(shop: Shop) -> None:
    """Once no run takes the old code, the question may be removed."""

    async def settled() -> str:
        await read("x")
        tone = await label("new")
        await review("a draft")
        return tone

    run = await resumed(shop, after, settled)

    assert (run.state, run.result) == (RunState.SUCCEEDED, b'"NEW"')


async def test_plain_code_asks_by_the_same_call(shop: Shop) -> None:
    def old() -> str:
        fetch("x")
        review("a draft")
        return "old"

    def new() -> str:
        fetch("x")
        tone = fetch("new") if changed("new-tone") else "old"
        review("a draft")
        return tone

    kept = await resumed(shop, old, new, plain=True)
    taken = await resumed(shop, new, new, plain=True)

    assert (kept.result, taken.result) == (b'"old"', b'"new"')


@pytest.mark.parametrize("name", ["", "two words"])
async def test_a_change_has_a_name(name: str) -> None:
    with pytest.raises(Mistake, match="no change can be called"):
        changed(name)


def test_a_question_outside_a_run_is_a_mistake() -> None:
    with pytest.raises(Mistake, match="changed was called outside a run"):
        changed("new-tone")


async def test_a_question_inside_a_step_is_a_mistake(shop: Shop) -> None:
    @step
    @top
    async def asks() -> bool:
        return changed("new-tone")

    @workflow
    @top
    async def triage() -> bool:
        return await asks()

    run = await shop.done(triage)

    assert run.failure is not None
    assert "changed was called inside a step" in run.failure.message
