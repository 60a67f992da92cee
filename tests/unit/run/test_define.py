"""Making workflows, steps and effects of plain functions."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import top
from proveout.domain.run import RunState
from proveout.domain.workflow import Care
from proveout.errors import Mistake
from proveout.run.ask import review, sleep
from proveout.run.define import effect, step, workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from doubles.shop import Shop

DECORATORS: list[Callable[[Any], Any]] = [
    workflow,
    step,
    effect,
    step(retries=1),
    effect(timeout=1),
]


class Desk:
    """A place for methods."""

    def __call__(self) -> None: ...

    def method(self) -> None: ...

    @staticmethod
    def static() -> None: ...


def plain(mail: str, *, loud: bool = False) -> str:
    """Return the mail's subject."""
    return mail.upper() if loud else mail


async def later(mail: str) -> str:
    return mail


@pytest.mark.parametrize("decorate", DECORATORS)
def test_only_a_function_at_the_top_of_a_module_is_taken(
    decorate: Callable[[Any], Any],
) -> None:
    """Anything else could not be found again by its name when a run resumes."""

    def nested() -> None: ...

    for function in (nested, Desk.method, Desk().method, Desk.static, lambda: None):
        with pytest.raises(Mistake, match="not"):
            decorate(function)
    for thing in (Desk, Desk(), partial(plain, "x"), len, "plain", None):
        with pytest.raises(Mistake, match="is not a function"):
            decorate(thing if thing is not None else 7)


@pytest.mark.parametrize("decorate", DECORATORS)
async def test_outside_a_run_it_is_the_plain_function(decorate: Callable[[Any], Any]) -> None:
    """Easy to test and to try: same arguments, same result, same colour."""
    assert decorate(plain)("late parcel", loud=True) == "LATE PARCEL"
    assert await decorate(later)("late parcel") == "late parcel"


@pytest.mark.parametrize("decorate", DECORATORS)
def test_it_shows_its_function_to_whoever_inspects_it(decorate: Callable[[Any], Any]) -> None:
    made = decorate(plain)

    assert (made.name, made.__name__, made.__doc__) == ("plain", "plain", plain.__doc__)
    assert inspect.signature(made) == inspect.signature(plain)
    assert (made.is_async, decorate(later).is_async) == (False, True)


def test_a_step_is_tried_as_it_declares() -> None:
    assert step(plain).care == Care()
    assert step(retries=3, timeout=20)(plain).care == Care(retries=3, timeout=20)
    assert effect(retries=1, in_trial="sent")(plain).in_trial == "sent"


@pytest.mark.parametrize(
    "care", [{"retries": -1}, {"timeout": 0}, {"timeout": -1}, {"timeout": float("inf")}]
)
def test_numbers_that_cannot_be_are_mistakes(care: dict[str, Any]) -> None:
    with pytest.raises(Mistake):
        step(**care)
    with pytest.raises(Mistake):
        effect(**care)


async def test_waiting_outside_a_run_is_a_mistake() -> None:
    """Nothing could resume there; the message says how to run the workflow."""
    with pytest.raises(Mistake, match="sleep was called outside a run"):
        sleep("1 h")
    with pytest.raises(Mistake, match="review was called outside a run") as no:
        review("a draft")

    assert "proveout run" in no.value.fix[0]


async def test_waiting_inside_a_step_is_a_mistake(shop: Shop) -> None:
    """A step is journaled whole; the run could not resume in its middle."""

    @step
    @top
    async def ask() -> None:
        await review("a draft")

    @step
    @top
    async def rest() -> None:
        await sleep("1 h")

    @workflow
    @top
    async def triage(waits: str) -> None:
        await (ask() if waits == "review" else rest())

    for waits in ("review", "sleep"):
        run = await shop.done(triage, waits)
        assert run.state == RunState.DEAD
        assert run.failure is not None
        assert run.failure.message == f"{waits} was called inside a step"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"within": "soon"}, "duration"),
        ({"on_expiry": "approve"}, 'on_expiry="approve" does not exist'),
    ],
)
async def test_a_review_asks_for_what_exists(
    options: dict[str, Any], problem: str, shop: Shop
) -> None:
    """No deadline without its unit, and never an approval by silence."""

    @workflow
    @top
    async def triage() -> None:
        await review("a draft", **options)

    run = await shop.done(triage)

    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert problem in run.failure.message


async def test_a_plain_step_on_the_loop_is_a_mistake(shop: Shop) -> None:
    """It would block every other run; the message names the way to a thread."""

    @step
    @top
    def read(mail: str) -> str:
        raise AssertionError(mail)

    @workflow
    @top
    async def triage(mail: str) -> str:
        return read(mail)

    run = await shop.done(triage, "late parcel")

    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure.type == "Mistake"
    assert run.failure.message == "the plain step read was called on the event loop"


async def test_an_async_step_from_plain_code_is_a_mistake(shop: Shop) -> None:
    """Plain code cannot await it, in a workflow or in a thread that one started."""

    @step
    @top
    async def read(mail: str) -> str:
        raise AssertionError(mail)

    @workflow
    @top
    def plainly(mail: str) -> None:
        read(mail)  # pyright: ignore[reportUnusedCoroutine] - the mistake under test

    @workflow
    @top
    async def threaded(mail: str) -> None:
        await asyncio.to_thread(read, mail)

    for triage in (plainly, threaded):
        run = await shop.done(triage, "late parcel")
        assert run.state == RunState.FAILED
        assert run.failure is not None
        assert run.failure.type == "Mistake"
        assert "asynchronous and was called from plain code" in run.failure.message


async def test_an_async_step_on_a_loop_of_its_own_is_a_mistake(shop: Shop) -> None:
    """The run lives on the worker's loop; another one cannot await its steps."""

    @step
    @top
    async def read(mail: str) -> str:
        raise AssertionError(mail)

    async def reading(mail: str) -> str:
        return await read(mail)

    @workflow
    @top
    def triage(mail: str) -> str:
        return asyncio.run(reading(mail))

    run = await shop.done(triage, "late parcel")

    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure.type == "Mistake"
    assert "asynchronous" in run.failure.message
