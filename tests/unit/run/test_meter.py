"""The meter: what a run may spend on models, and what is known of it afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.models import ANSWER, TOKENS, ListedPrices, calls_of
from proveout.adapters.models.prices import Price, Prices
from proveout.domain.journal import Place
from proveout.domain.model_call import JUDGES, Caller
from proveout.domain.model_fault import Fault, FaultKind, Faults
from proveout.domain.money import Usd
from proveout.domain.run import RunId
from proveout.errors import Outage
from proveout.ports.meter import Asked, Begun, Denied, Said
from proveout.run.caller import current_caller, judging
from proveout.run.faults import Injected
from proveout.run.meter import UNANSWERED, ModelMeter

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.domain.model_call import ModelCall
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.store import Store

RUN = RunId("r1")
CALLER = Caller(run=RUN, fence=1, place=ANSWER)
ELSEWHERE = Caller(run=RUN, fence=1, place=Place("0.1", "answer", 0))
SMALL = Asked(provider="openai", model="small", size=4_000, most=500)  # 1,500 tokens
GOOD = Said(model="small-2026", status=200, tokens=TOKENS)
PRICES = ListedPrices({"small": "10", "large": "1000"})  # 1.5 cents, and $1.50


@pytest.fixture
def meter(store: Store, clock: WatchedClock, ids: CountedIds) -> ModelMeter:
    """Return a meter that lets a run spend four cents."""
    return ModelMeter(store, clock, ids, PRICES, cap=Usd("0.04"))


def begin(meter: ModelMeter, asked: Asked = SMALL, caller: Caller | None = CALLER) -> str:
    """Begin a call that must be let through."""
    begun = meter.begin(caller, asked)
    assert isinstance(begun, Begun), begun
    return begun.id


async def test_a_call_is_durable_once_its_step_is_charged(
    meter: ModelMeter, store: Store, clock: WatchedClock
) -> None:
    """Who called, which model was asked, which answered, what it took and cost, and how long."""
    id_ = begin(meter)
    clock.advance(timedelta(seconds=2))
    meter.end(id_, GOOD)
    assert await calls_of(store, RUN) == []

    await meter.charge(RUN, ANSWER)

    [call] = await calls_of(store, RUN)
    assert (call.caller, call.asked, call.answered) == (CALLER, "small", "small-2026")
    assert (call.tokens, call.cost, call.elapsed) == (TOKENS, Usd("0.015"), 2.0)


async def test_a_run_is_denied_what_would_take_it_past_its_cap(
    meter: ModelMeter, store: Store
) -> None:
    """Open calls count as what they may cost, ended ones as what they did."""
    first, _ = begin(meter), begin(meter)
    denied = meter.begin(CALLER, SMALL)
    assert isinstance(denied, Denied)
    assert denied.code == "cap-reached"
    assert "$0.03" in denied.message
    other = meter.begin(Caller(run=RunId("r2"), fence=1, place=ANSWER), SMALL)
    assert isinstance(other, Begun)

    meter.end(first, Said(model="", status=429, tokens=None))  # which nobody bills

    begin(meter)
    await meter.charge(RUN)
    assert [call.status for call in await calls_of(store, RUN)] == [429, 0, 0]


async def test_a_call_that_nobody_can_price_is_denied_under_a_cap(
    meter: ModelMeter, store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """Without a cap it is let through, and its cost is not known."""
    strange = Asked(provider="openai", model="strange", size=10, most=None)
    denied = meter.begin(CALLER, strange)
    assert isinstance(denied, Denied)
    assert denied.code == "unknown-price"
    assert 'model = "strange"' in denied.message
    free = ModelMeter(store, clock, ids, PRICES)

    free.end(begin(free, strange), Said(model="stranger", status=200, tokens=TOKENS))
    await free.charge(RUN)

    [call] = await calls_of(store, RUN)
    assert call.cost is None


async def test_a_run_that_goes_on_has_spent_what_its_ended_steps_did(
    meter: ModelMeter, store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """In whatever process; a lost step spends anew, or our crash would fail it."""
    for caller in (CALLER, ELSEWHERE, replace(CALLER, place=None)):
        meter.end(begin(meter, caller=caller), GOOD)
        await meter.charge(RUN)
    other = ModelMeter(store, clock, ids, PRICES, cap=Usd("0.04"))

    await other.recall(RUN, {ANSWER})

    begin(other, caller=replace(ELSEWHERE, fence=2))
    denied = other.begin(replace(ELSEWHERE, fence=2), SMALL)
    assert isinstance(denied, Denied)
    assert "$0.03" in denied.message


async def test_what_a_judge_calls_is_let_through_and_counted_nowhere(
    meter: ModelMeter, store: Store
) -> None:
    """However dear: an opinion is no cost of an answer."""
    with judging():
        caller = current_caller()
    dear = Asked(provider="openai", model="large", size=4_000, most=500_000)

    meter.end(begin(meter, dear, caller), GOOD)
    await meter.charge_rest()

    assert await calls_of(store, JUDGES.run) == []
    assert current_caller() is None


async def test_what_nobody_charges_is_charged_at_the_end(meter: ModelMeter, store: Store) -> None:
    """A thread may outlive its run, and call models still."""
    await meter.charge(RUN)
    meter.end(begin(meter), GOOD)

    await meter.charge_rest()

    assert len(await calls_of(store, RUN)) == 1


def test_a_call_of_nobody_is_denied(meter: ModelMeter) -> None:
    """What cannot be counted for a run is not made, in words that say how it can be."""
    denied = meter.begin(None, SMALL)

    assert isinstance(denied, Denied)
    assert denied.code == "unknown-caller"
    assert "caller_headers" in denied.message


async def test_a_call_that_its_step_has_given_up_is_counted_once(
    meter: ModelMeter, store: Store
) -> None:
    """It may be billed, nobody knows for how much; what comes of it later changes nothing."""
    given_up = begin(meter)
    beside = begin(meter, caller=ELSEWHERE)

    await meter.charge(RUN, ANSWER)
    meter.end(given_up, GOOD)
    await meter.charge(RUN, ANSWER)

    [call] = await calls_of(store, RUN)
    assert (call.id, call.status, call.cost) == (given_up, 0, None)
    meter.end(beside, GOOD)
    await meter.charge(RUN)
    assert [one.status for one in await calls_of(store, RUN)] == [0, 200]


async def test_nothing_is_lost_where_the_store_was_out_of_reach(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """What could not be written is written with the next charge."""
    mortal = Mortal(store)
    meter = ModelMeter(mortal, clock, ids, PRICES)
    meter.end(begin(meter), GOOD)
    with pytest.raises(Outage):
        await meter.charge(RUN, ANSWER)
    mortal.is_away = False

    await meter.charge(RUN, ANSWER)

    assert len(await calls_of(store, RUN)) == 1


class Mortal:
    """A store that cannot be reached at first."""

    async def model_calls(self, *runs: RunId) -> dict[RunId, list[ModelCall]]:
        """Return what is in the store behind."""
        return await self._store.model_calls(*runs)

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_away = True

    async def write(self, unit: Unit) -> Answered:
        """Write to the store behind, once it is there."""
        if self.is_away:
            raise Outage("the store is away")
        return await self._store.write(unit)


async def test_it_tells_how_each_call_ended_while_somebody_listens(
    meter: ModelMeter, clock: WatchedClock
) -> None:
    """Once each: who made it, when it began, and its status."""
    told: list[tuple[RunId, float, int]] = []

    def tell(run: RunId, began: float, status: int) -> None:
        told.append((run, began, status))

    unheard = begin(meter)
    with meter.telling(tell):
        first = begin(meter)
        clock.advance(timedelta(seconds=2))
        meter.end(first, Said(model="", status=429, tokens=None))
        meter.end(first, GOOD)
        second = begin(meter)
        meter.end(second, GOOD)
    meter.end(unheard, GOOD)

    assert [(run, status) for run, _, status in told] == [(RUN, 429), (RUN, 200)]
    assert told[1][1] - told[0][1] == 2.0


async def test_what_reached_no_vendor_costs_nothing(meter: ModelMeter, store: Store) -> None:
    """What was reserved for it is given back; where it may have arrived, it stays taken."""
    meter.end(begin(meter), replace(UNANSWERED, is_sent=False))
    meter.end(begin(meter), UNANSWERED)

    begin(meter)
    assert isinstance(meter.begin(CALLER, SMALL), Denied)  # two of 1.5 cents are taken, of four
    await meter.charge(RUN)
    assert [call.cost for call in await calls_of(store, RUN)] == [Usd(0), None, None]


async def test_a_fault_is_given_to_calls_that_may_be_made(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """A call that is denied meets none; a judge's is nobody's business."""
    fault = Fault(kind=FaultKind.ERROR)
    injected = Injected(Faults(fault=fault, calls=1))
    meter = ModelMeter(store, clock, ids, PRICES, cap=Usd("0.02"), substitute=injected)

    too_much = meter.begin(CALLER, replace(SMALL, most=5_000))
    judged = meter.begin(JUDGES, SMALL)
    first = meter.begin(CALLER, SMALL)
    assert isinstance(first, Begun)
    meter.end(first.id, Said(model="", status=500, tokens=None, is_sent=False))
    second = meter.begin(CALLER, SMALL)

    assert isinstance(too_much, Denied)
    assert judged == Begun("")
    assert first.instead == fault
    assert isinstance(second, Begun)
    assert second.instead is None


def test_a_call_that_fills_a_cache_reserves_what_that_costs(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """A vendor may ask for more than for reading: a call that fits without does not fit with it."""
    price = Price(read=Usd(1), written=Usd(0), stored=Usd(2))
    asked = Asked(provider="anthropic", model="small", size=4_000_000, most=1)  # $1 to read
    meter = ModelMeter(store, clock, ids, Prices({"small": price}), cap=Usd("1.50"))

    plain = meter.begin(CALLER, asked)
    filling = meter.begin(Caller(run=RunId("r2"), fence=1, place=None), replace(asked, stores=True))

    assert isinstance(plain, Begun)
    assert isinstance(filling, Denied)


async def test_a_vendor_that_was_never_reached_is_told_from_one_that_is_gone(
    meter: ModelMeter,
) -> None:
    """Of runs that called a model, and only until a call has reached its vendor."""
    silent = RunId("r2")
    before = meter.unreached(RUN)
    meter.end(begin(meter), replace(UNANSWERED, is_sent=False))

    unwired = meter.unreached(RUN)
    other = meter.unreached(silent)
    meter.end(begin(meter), Said(model="", status=500, tokens=None))
    gone = meter.unreached(RUN)

    assert (before, other, gone) == (None, None, None)
    assert unwired is not None
    assert unwired.code == "no-vendor"
