"""Waiting for a person, and for time to pass."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict

from doubles.shop import top, until
from proveout.domain.guardrail import Finding
from proveout.domain.journal import EntryKind
from proveout.domain.review import OnExpiry, ReviewState
from proveout.domain.review_queue import Queue, WhenFull
from proveout.domain.run import RunState
from proveout.errors import Mistake
from proveout.run import attempt
from proveout.run.ask import Rejected, review, sleep
from proveout.run.crowd import check_desk
from proveout.run.define import step, workflow
from proveout.run.enqueue import IntakeFull

if TYPE_CHECKING:
    from doubles.shop import Shop
    from proveout.domain.workflow import Workflow

HOUR = timedelta(hours=1)


@dataclass
class Reply:
    """A draft that a person may edit."""

    text: str
    sure: float = 0.5
    tags: frozenset[int] = frozenset()


class Strict(BaseModel):
    """A draft that takes no more than it knows."""

    model_config = ConfigDict(extra="forbid")

    text: str


@workflow
async def asks(text: str) -> str:
    """Return what a person made of a draft, and what they said about it."""
    decision = await review(Reply(text), queue="support", within="4 h", on_expiry="reject")
    if not decision.approved and decision.reason == "handled by phone":
        return f"{decision.by} {decision.reason}"
    return f"{decision.value.text} {decision.value.sure} by {decision.by}"


@workflow
def asks_plainly(text: str) -> str:
    """Do the same in plain code."""
    decision = review(Reply(text), queue="support", within=4 * HOUR, on_expiry="reject")
    if not decision.approved and decision.reason == "handled by phone":
        return f"{decision.by} {decision.reason}"
    return f"{decision.value.text} {decision.value.sure} by {decision.by}"


BOTH = pytest.mark.parametrize("triage", [asks, asks_plainly], ids=["async", "plain"])


@BOTH
async def test_a_review_waits_for_a_person(shop: Shop, triage: Workflow[..., str]) -> None:
    """The run waits; the store shows the draft, the queue, and the deadline."""
    run = await shop.done(triage, "Dear customer")
    [asked] = await shop.reviews()
    entry = await shop.entry(run.id, "review")

    assert (run.state, run.due) == (RunState.WAITING, None)
    assert json.loads(asked.content) == {"text": "Dear customer", "sure": 0.5, "tags": []}
    assert (asked.run, asked.queue, asked.place) == (run.id, "support", entry.place)
    assert asked.deadline == asked.opened + 4 * HOUR
    assert asked.on_expiry is OnExpiry.REJECT
    assert entry.kind is EntryKind.REVIEW


@BOTH
async def test_an_approved_draft_goes_on(shop: Shop, triage: Workflow[..., str]) -> None:
    run = await shop.done(triage, "Dear customer")
    [asked] = await shop.reviews()
    await shop.answer(asked)
    run = await shop.again(triage, run.id)

    assert (run.state, await shop.result(run.id)) == (
        RunState.SUCCEEDED,
        "Dear customer 0.5 by ada",
    )


@BOTH
async def test_an_edited_draft_goes_on_as_edited(shop: Shop, triage: Workflow[..., str]) -> None:
    """The person's edit has the draft's type."""
    run = await shop.done(triage, "Dear customer")
    [asked] = await shop.reviews()
    await shop.answer(asked, content=b'{"text": "Dear Mr. Ng", "sure": 1}')
    await shop.work(triage)

    assert await shop.result(run.id) == "Dear Mr. Ng 1.0 by ada"


@BOTH
async def test_a_rejected_draft_has_no_value(shop: Shop, triage: Workflow[..., str]) -> None:
    """Asking for the value raises Rejected, which fails a workflow that does not handle it."""
    run = await shop.done(triage, "Dear customer")
    [asked] = await shop.reviews()
    await shop.answer(asked, approved=False, reason="rude")
    run = await shop.again(triage, run.id)

    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("Rejected", "rejected by ada")


@BOTH
async def test_a_rejection_can_be_handled(shop: Shop, triage: Workflow[..., str]) -> None:
    run = await shop.done(triage, "Dear customer")
    [asked] = await shop.reviews()
    await shop.answer(asked, approved=False, reason="handled by phone")
    await shop.work(triage)

    assert await shop.result(run.id) == "ada handled by phone"


@BOTH
async def test_a_draft_nobody_judged_in_time_is_rejected(
    shop: Shop, triage: Workflow[..., str]
) -> None:
    """Silence is never an approval."""
    run = await shop.done(triage, "Dear customer")
    shop.clock.advance(4 * HOUR - timedelta(seconds=1))
    early = await shop.again(triage, run.id)
    shop.clock.advance(timedelta(seconds=2))
    late = await shop.again(triage, run.id)
    [asked] = await shop.store.reviews(ReviewState.EXPIRED)

    assert (early.state, late.state) == (RunState.WAITING, RunState.FAILED)
    assert late.failure is not None
    assert (late.failure.type, late.failure.message) == ("Rejected", "nobody answered in time")
    assert asked.answer is not None
    assert asked.answer.expired


async def test_a_draft_nobody_judged_in_time_can_park_its_run(shop: Shop) -> None:
    """An operator looks, and may let it ask once more."""

    @workflow
    @top
    async def triage() -> str:
        return (await review("a draft", within="4 h")).value

    run = await shop.done(triage)
    shop.clock.advance(5 * HOUR)
    run = await shop.again(triage, run.id)

    assert (run.state, run.note) == (RunState.PARKED, "nobody answered its review in time")


async def test_an_edit_that_does_not_fit_parks_the_run(shop: Shop) -> None:
    """A person's slip is for a person to mend; the run is not guessed on."""
    run = await shop.done(asks, "Dear customer")
    [asked] = await shop.reviews()
    await shop.answer(asked, content=b'{"text": 7, "\\u0000": 1}')
    run = await shop.again(asks, run.id)

    assert run.state == RunState.PARKED
    assert "an edit cannot be used" in run.note


async def test_any_note_can_be_kept(shop: Shop) -> None:
    """What an edit says never keeps its run from being parked."""

    @workflow
    @top
    async def triage() -> str:
        return (await review(Strict(text="x"))).value.text

    run = await shop.done(triage)
    [asked] = await shop.reviews()
    await shop.answer(asked, content=b'{"text": "x", "\\u0000": 1}')
    run = await shop.again(triage, run.id)

    assert run.state is RunState.PARKED
    assert "\\x00: Extra inputs are not permitted" in run.note


async def test_an_approved_draft_keeps_its_type_within_lists(shop: Shop) -> None:
    """A draft that was approved as it stands is the draft itself, to the last member."""

    @workflow
    @top
    async def triage() -> str:
        drafts = (await review([Reply("one"), Reply("two")])).value
        return " ".join(draft.text for draft in drafts)

    run = await shop.done(triage)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    run = await shop.again(triage, run.id)

    assert (run.state, await shop.result(run.id)) == (RunState.SUCCEEDED, "one two")


async def test_a_draft_that_is_no_json_is_refused(shop: Shop) -> None:
    """The question is not put; the workflow learns why."""

    @workflow
    @top
    async def triage() -> None:
        await review(Reply("x", sure=float("nan")))

    run = await shop.done(triage)

    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert "the draft of a review cannot be kept as JSON" in run.failure.message
    assert await shop.reviews() == []


async def test_an_answer_during_the_attempt_is_not_missed(shop: Shop) -> None:
    """The person may be quicker than the other branch; the run goes on without a pause."""
    answered = asyncio.Event()

    @step
    @top
    async def read() -> str:
        await answered.wait()
        return "read"

    async def ask() -> str:
        return (await review("a draft")).value

    @workflow
    @top
    async def triage() -> list[str]:
        return list(await asyncio.gather(ask(), read()))

    run = await shop.enqueue(triage)
    working = asyncio.create_task(shop.work(triage))
    [asked] = await until(shop.reviews)
    await shop.answer(asked)
    answered.set()
    await working

    assert await shop.result(run) == ["a draft", "read"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_two_reviews_are_answered_in_either_order(shop: Shop, order: tuple[int, int]) -> None:
    """Each branch goes on with its own answer; the run waits until both have one."""
    went_on: list[str] = []

    @step
    @top
    async def reply(text: str) -> str:
        went_on.append(text)
        return text

    async def ask(text: str) -> str:
        return await reply((await review(text)).value)

    @workflow
    @top
    async def triage() -> list[str]:
        return list(await asyncio.gather(ask("one"), ask("two")))

    run = await shop.done(triage)
    asked = await shop.reviews()
    await shop.answer(asked[order[0]], content=b'"first answer"')
    between = await shop.again(triage, run.id)
    steps_between = list(went_on)
    await shop.answer(asked[order[1]], content=b'"second answer"')
    await shop.work(triage)

    expected = ["first answer", "second answer"]
    assert between.state == RunState.WAITING
    assert steps_between == ["first answer"]
    assert await shop.result(run.id) == (expected if order == (0, 1) else expected[::-1])
    assert went_on == expected


async def test_a_semaphore_around_reviews_does_not_hold_the_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch that waits for another branch that waits for a person: both wait."""
    monkeypatch.setattr(attempt, "STILL", 0.02)

    async def ask(one: asyncio.Semaphore, text: str) -> str:
        async with one:
            return (await review(text)).value

    @workflow
    @top
    async def triage() -> list[str]:
        one = asyncio.Semaphore(1)
        return list(await asyncio.gather(ask(one, "a"), ask(one, "b")))

    run = await shop.done(triage)
    states = [run.state]
    for _ in range(2):
        [asked] = await shop.reviews()
        await shop.answer(asked)
        states.append((await shop.again(triage, run.id)).state)

    assert states == [RunState.WAITING, RunState.WAITING, RunState.SUCCEEDED]
    assert await shop.result(run.id) == ["a", "b"]


async def test_a_set_in_a_draft_does_not_park_its_run(shop: Shop) -> None:
    """A resumed run puts the same question, whatever order a set has in that process."""
    drafts = [Reply("x", tags=frozenset(order)) for order in ((0, 8), (8, 0))]

    @workflow
    @top
    async def triage() -> str:
        return (await review(drafts.pop())).value.text

    run = await shop.done(triage)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    run = await shop.again(triage, run.id)

    assert [*frozenset((0, 8))] != [*frozenset((8, 0))]
    assert (run.state, run.note) == (RunState.SUCCEEDED, "")


async def test_a_decision_must_be_awaited(shop: Shop) -> None:
    """Reading it too soon is a mistake, not a guess."""

    @workflow
    @top
    async def triage() -> bool:
        return review("a draft").approved

    run = await shop.done(triage)

    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure.message == "the review was not awaited"


@workflow
async def rests() -> str:
    """Sleep for two days, in an asynchronous way."""
    await sleep("2 days")
    return "rested"


@workflow
def rests_plainly() -> str:
    """Sleep for two days, in a plain way."""
    sleep(timedelta(days=2))
    return "rested"


@pytest.mark.parametrize("triage", [rests, rests_plainly], ids=["async", "plain"])
async def test_a_sleep_holds_nothing_until_it_is_over(
    shop: Shop, triage: Workflow[..., str]
) -> None:
    """The run waits in the store, and wakes at its moment, not before."""
    run = await shop.done(triage)
    shop.clock.advance(timedelta(days=2) - timedelta(seconds=2))
    early = await shop.again(triage, run.id)
    shop.clock.advance(timedelta(seconds=2))
    late = await shop.again(triage, run.id)

    assert (run.state, early.state, late.state) == (
        RunState.WAITING,
        RunState.WAITING,
        RunState.SUCCEEDED,
    )
    assert run.due == run.created + timedelta(days=2)
    assert late.fence == 2


async def test_the_earliest_timer_wakes_the_run(shop: Shop) -> None:
    """Sleeps in branches end each at its own time, also beside a review."""
    woken: list[str] = []

    @step
    @top
    async def note(what: str) -> None:
        woken.append(what)

    async def rest(length: str) -> None:
        await sleep(length)
        await note(length)

    async def ask() -> None:
        await review("a draft")
        await note("answered")

    @workflow
    @top
    async def triage() -> None:
        await asyncio.gather(rest("2 h"), rest("1 h"), ask())

    run = await shop.done(triage)
    seen: list[list[str]] = []
    for _ in range(2):
        shop.clock.advance(HOUR)
        await shop.work(triage)
        seen.append(list(woken))
    [asked] = await shop.reviews()
    await shop.answer(asked)
    run = await shop.again(triage, run.id)

    assert seen == [["1 h"], ["1 h", "2 h"]]
    assert woken == ["1 h", "2 h", "answered"]
    assert run.state == RunState.SUCCEEDED


async def test_a_short_sleep_beside_a_long_step_does_not_suspend(shop: Shop) -> None:
    """While a step is in flight the attempt stays; the sleeping branch goes on in it."""
    rested = asyncio.Event()

    @step
    @top
    async def read() -> str:
        await rested.wait()
        return "read"

    async def rest() -> str:
        await sleep("10 ms")
        rested.set()
        return "rested"

    @workflow
    @top
    async def triage() -> list[str]:
        return list(await asyncio.gather(read(), rest()))

    run = await shop.enqueue(triage)
    working = asyncio.create_task(shop.work(triage))
    await until(lambda: shop.store.journal(run))
    shop.clock.advance(timedelta(milliseconds=10))
    await until(rested.is_set)
    await working

    assert await shop.result(run) == ["read", "rested"]
    assert (await shop.run(run)).fence == 1


def test_a_rejection_is_a_refusal() -> None:
    """It asks for another decision, not for mended code."""
    assert not issubclass(Rejected, Mistake)
    assert replace(Reply("x"), text="y") == Reply("y")


PARTLY = Queue(
    name="partly",
    people=("leads",),
    four_eyes=True,
    within=HOUR,
    on_expiry=OnExpiry.REJECT,
    sample=0.5,
)


async def test_a_queue_says_what_the_workflow_leaves_open(shop: Shop) -> None:
    """People, eyes, deadline and end come from its rules, and findings from the workflow."""
    finding = Finding(title="promise", start=0, end=1, blocking=True)

    @workflow
    @top
    async def asks_there(text: str) -> str:
        return (await review(text, queue="partly", sample=1, findings=[finding])).value

    await shop.enqueue(asks_there, "draft")
    await shop.work(asks_there, queues=(PARTLY,))

    [asked] = await shop.reviews()
    assert asked.deadline == asked.opened + HOUR
    assert asked.on_expiry is OnExpiry.REJECT
    assert (asked.groups, asked.terms.four_eyes) == (("leads",), True)
    assert asked.findings == (finding,)


async def test_a_sample_puts_a_share_to_people_and_says_so(shop: Shop) -> None:
    """The rest passes as it is, in nobody's name, and the workflow can tell."""

    @workflow
    @top
    async def samples(number: int) -> list[object]:
        decision = await review(number, queue="partly")
        return [decision.value, decision.reviewed, decision.by]

    runs = [await shop.enqueue(samples, n) for n in range(40)]
    await shop.work(samples, queues=(PARTLY,))

    asked = {one.run for one in await shop.reviews()}
    passed = [run for run in runs if run not in asked]
    assert 8 <= len(asked) <= 32
    assert [await shop.result(run) for run in passed] == [
        [n, False, "sampling"] for n, run in enumerate(runs) if run in passed
    ]


@pytest.mark.parametrize(
    ("when", "state"), [(WhenFull.PARK, RunState.PARKED), (WhenFull.REJECT, RunState.FAILED)]
)
async def test_a_full_queue_answers_as_if_nobody_had(
    shop: Shop, when: WhenFull, state: RunState
) -> None:
    """Never with an approval; the run says why."""
    full = Queue(name="full", most_open=1, when_full=when)

    @workflow
    @top
    async def crowds(text: str) -> str:
        return (await review(text, queue="full")).value

    first = await shop.enqueue(crowds, "one")
    await shop.work(crowds, queues=(full,))
    second = await shop.enqueue(crowds, "two")
    await shop.work(crowds, queues=(full,))

    assert [one.run for one in await shop.reviews()] == [first]
    run = await shop.run(second)
    assert run.state is state
    why = run.note if run.failure is None else f"{run.failure.type}: {run.failure.message}"
    assert ("1 reviews wait" in why) or ("Rejected" in why)


async def test_a_queue_that_slows_asks_all_the_same(shop: Shop) -> None:
    """What was let in is not turned away; the doors let less in."""
    slow = Queue(name="slow", most_open=1)

    @workflow
    @top
    async def asks_on(text: str) -> str:
        return (await review(text, queue="slow")).value

    for text in ("one", "two"):
        await shop.enqueue(asks_on, text)
    await shop.work(asks_on, queues=(slow,))

    assert len(await shop.reviews()) == 2
    with pytest.raises(IntakeFull):
        await check_desk(shop.store, (slow,), "asks_on")
    await check_desk(shop.store, (replace(slow, most_open=3),), "asks_on")


@pytest.mark.parametrize("wrong", [{"sample": 1.5}, {"confidence": float("nan")}])
async def test_a_share_that_is_none_is_refused(shop: Shop, wrong: dict[str, float]) -> None:
    """At the call, before anybody is asked."""

    @workflow
    @top
    async def asks_wrongly(text: str) -> str:
        return (await review(text, **wrong)).value  # pyright: ignore[reportArgumentType] - on purpose

    run = await shop.done(asks_wrongly, "draft")

    assert run.failure is not None
    assert "lies between 0 and 1" in run.failure.message or "is no share" in run.failure.message
