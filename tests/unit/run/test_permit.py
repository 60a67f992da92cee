"""Permits: no effect begins once it is halted, and none where nobody can say."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import FIRST, SECOND, Deeds, halted
from doubles.given import Given
from doubles.shop import Shop, top, until
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.journal import EntryKind
from proveout.domain.release import DRAFT, WORKFLOW_SCOPE, effect_scope, release_scope
from proveout.domain.run import RunState
from proveout.domain.unit import EndHalt, StartHalt
from proveout.run.define import effect, step, workflow
from proveout.run.ending import HALTED
from proveout.run.permit import LASTS, Permits, keep_asking

if TYPE_CHECKING:
    from proveout.domain.run import RunId
    from proveout.domain.workflow import Workflow

SHORT = timedelta(seconds=LASTS)
LATER = SHORT + timedelta(milliseconds=1)


@pytest.fixture
def deeds(shop: Shop) -> Deeds:
    """Return what halts and resumes in the shop's store."""
    return Deeds(Given(shop.store, shop.clock, shop.ids))


@pytest.fixture
def permits(shop: Shop) -> Permits:
    """Return what a worker of the first release knows of triage."""
    return Permits(shop.store, shop.clock, "triage", FIRST)


async def test_nothing_is_allowed_before_the_store_was_asked(permits: Permits) -> None:
    before = permits.allow("send")

    got = await permits.get("send")

    assert (before, got, permits.allow("send")) == (False, True, True)


async def test_a_permit_lasts_a_second(shop: Shop, permits: Permits) -> None:
    """From the moment it was asked for; after that the store is asked again."""
    await permits.ask()
    shop.clock.advance(SHORT)
    still = permits.allow("send")
    shop.clock.advance(LATER - SHORT)

    assert (still, permits.allow("send")) == (True, False)
    assert await permits.get("send")
    assert permits.allow("send")


@pytest.mark.parametrize("scope", [WORKFLOW_SCOPE, release_scope(FIRST), effect_scope("send")])
async def test_a_halt_keeps_an_effect_from_beginning(
    shop: Shop, deeds: Deeds, permits: Permits, scope: str
) -> None:
    """A second later at most, whatever was halted; resuming lets it begin again."""
    await permits.ask()
    await deeds.halt(scope)
    known_before = permits.allow("send")
    shop.clock.advance(LATER)
    halted = await permits.get("send")
    await deeds.resume(scope)
    shop.clock.advance(LATER)

    assert (known_before, halted) == (True, False)
    assert await permits.get("send")


@pytest.mark.parametrize(
    "scope",
    [release_scope(SECOND), release_scope(DRAFT), effect_scope("sent"), effect_scope("workflow")],
)
async def test_other_halts_keep_nothing_from_beginning(
    deeds: Deeds, permits: Permits, scope: str
) -> None:
    """Negative control: those of other releases and effects, also of another workflow."""
    await deeds.halt(scope)
    await deeds.do(halted(WORKFLOW_SCOPE, "refunds"))

    assert await permits.get("send")


async def test_an_outage_fails_closed(
    shop: Shop, permits: Permits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was known runs out; then nothing begins until the store answers again."""
    await permits.ask()
    with monkeypatch.context() as broken:
        broken.setattr(shop.store, "halts", out_of_reach)
        within = await permits.get("send")
        shop.clock.advance(LATER)
        after = await permits.get("send")

    assert (within, after, permits.allow("send")) == (True, False, False)
    assert await permits.get("send")


async def out_of_reach(*_: Any) -> Any:
    raise StoreUnavailable("gone")


async def test_many_effects_ask_once(
    shop: Shop, permits: Permits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred that begin together share one reading of the store."""
    asked: list[str] = []
    halts = shop.store.halts

    async def count(name: str) -> Any:
        asked.append(name)
        return await halts(name)

    monkeypatch.setattr(shop.store, "halts", count)

    got = await asyncio.gather(*(permits.get("send") for _ in range(100)))

    assert (asked, got) == (["triage"], [True] * 100)


async def test_a_worker_keeps_asking(permits: Permits, deeds: Deeds) -> None:
    """Code that cannot wait finds a reading that is fresh, and the halts in it."""
    asking = asyncio.create_task(keep_asking([permits]))
    try:
        await until(lambda: permits.allow("send"))
        await deeds.halt(effect_scope("send"))
        await until(lambda: not permits.allow("send"))
    finally:
        asking.cancel()


async def test_a_worker_asks_before_it_claims(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the answer is, code that cannot wait finds it there."""
    sent.clear()
    order: list[str] = []
    overtaken = asyncio.Event()
    halts, claim = shop.store.halts, shop.store.claim

    async def slowly(name: str) -> Any:
        with suppress(TimeoutError):
            await asyncio.wait_for(overtaken.wait(), 0.2)
        order.append("answered")
        return await halts(name)

    async def claimed(want: Any) -> Any:
        order.append("claimed")
        overtaken.set()
        return await claim(want)

    monkeypatch.setattr(shop.store, "halts", slowly)
    monkeypatch.setattr(shop.store, "claim", claimed)
    run = await shop.enqueue(plainly_in_an_asynchronous_step, "late parcel")

    await shop.work(plainly_in_an_asynchronous_step)

    assert order[0] == "answered"
    assert (await state(shop, run), sent) == (RunState.SUCCEEDED, ["late parcel"])


sent: list[str] = []


@effect
async def send(mail: str) -> None:
    sent.append(mail)


@effect
def post(mail: str) -> None:
    sent.append(mail)


@step
async def sends(mail: str) -> None:
    await send(mail)


@step
async def posts_at_once(mail: str) -> None:
    post(mail)


@step
def posts(mail: str) -> None:
    assert threading.current_thread() is not threading.main_thread()
    post(mail)


@step
async def posts_in_a_thread(mail: str) -> None:
    await asyncio.to_thread(post, mail)


@workflow
async def by_itself(mail: str) -> None:
    await send(mail)


@workflow
def by_itself_plainly(mail: str) -> None:
    post(mail)


@workflow
async def in_a_step(mail: str) -> None:
    await sends(mail)


@workflow
async def plainly_in_a_step(mail: str) -> None:
    await asyncio.to_thread(posts, mail)


@workflow
async def plainly_in_an_asynchronous_step(mail: str) -> None:
    await posts_at_once(mail)


@workflow
async def in_a_thread_of_a_step(mail: str) -> None:
    await posts_in_a_thread(mail)


PLACES: tuple[Workflow[..., Any], ...] = (
    by_itself,
    by_itself_plainly,
    in_a_step,
    plainly_in_a_step,
    plainly_in_an_asynchronous_step,
    in_a_thread_of_a_step,
)


async def state(shop: Shop, run: RunId) -> RunState:
    return (await shop.run(run)).state


def changed(triage: Workflow[..., Any], change: type[StartHalt | EndHalt]) -> Any:
    """Return the change that halts, or resumes, both effects of `triage`."""
    names = (effect_scope("send"), effect_scope("post"))
    if change is StartHalt:
        return [halted(scope, triage.name) for scope in names]
    return [EndHalt(workflow=triage.name, scope=scope) for scope in names]


@pytest.mark.parametrize("triage", PLACES, ids=lambda one: one.name)
async def test_a_halted_effect_rests_its_run(
    shop: Shop, deeds: Deeds, triage: Workflow[..., Any]
) -> None:
    """Wherever it is called, it does not begin; resumed, the run carries it out once."""
    sent.clear()
    await deeds.do(*changed(triage, StartHalt))
    run = await shop.enqueue(triage, "late parcel")

    await shop.work(triage)
    rested, before = await shop.run(run), list(sent)
    await deeds.do(*changed(triage, EndHalt))
    shop.clock.advance(HALTED)
    await shop.work(triage)

    assert (rested.state, before) == (RunState.WAITING, [])
    assert (await state(shop, run), sent) == (RunState.SUCCEEDED, ["late parcel"])


@pytest.mark.parametrize("triage", PLACES, ids=lambda one: one.name)
async def test_a_captured_effect_needs_no_permit(
    shop: Shop, deeds: Deeds, triage: Workflow[..., Any]
) -> None:
    """Negative control: where nothing is carried out, nothing is held back."""
    sent.clear()
    await deeds.do(*changed(triage, StartHalt))
    run = await shop.enqueue(triage, "late parcel")

    await shop.work(triage, captures=True)

    assert (await state(shop, run), sent) == (RunState.SUCCEEDED, [])
    kinds = {entry.kind for entry in await shop.store.journal(run)}
    assert EntryKind.CAPTURED in kinds


async def test_no_effect_begins_while_the_store_is_out_of_reach(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run rests, and goes on when somebody can say that it may."""
    sent.clear()
    run = await shop.enqueue(by_itself, "late parcel")
    with monkeypatch.context() as broken:
        broken.setattr(shop.store, "halts", out_of_reach)
        await shop.work(by_itself)
        rested, before = await state(shop, run), list(sent)

    shop.clock.advance(HALTED)
    await shop.work(by_itself)

    assert (rested, before) == (RunState.WAITING, [])
    assert sent == ["late parcel"]


async def test_steps_before_a_halted_effect_are_not_repeated(shop: Shop, deeds: Deeds) -> None:
    """What the journal holds stays; only what was held back is called later."""
    sent.clear()
    calls: list[str] = []

    @step
    @top
    async def read(mail: str) -> str:
        calls.append(mail)
        return mail

    @workflow
    @top
    async def triage(mail: str) -> None:
        await send(await read(mail))

    await deeds.halt(effect_scope("send"))
    run = await shop.done(triage, "late parcel")
    await deeds.resume(effect_scope("send"))
    shop.clock.advance(HALTED)
    await shop.work(triage)

    assert run.state == RunState.WAITING
    assert (calls, sent) == (["late parcel"], ["late parcel"])
