"""Letting a webhook in, together with the run that it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proveout.domain.delivery import Verified
from proveout.domain.run import RunState
from proveout.run.receive import Arrival, receive, run_key

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.ports.store import Store


def arrival(**changes: Any) -> Arrival:
    """Return an event of the shop that asks for a run on 7."""
    usual: dict[str, Any] = {
        "source": "shop",
        "said": Verified(event="evt_1", type="order.paid"),
        "headers": (("stripe-signature", "t=1,v1=ab"),),
        "body": b'{"n": 7}',
        "workflow": "answers",
        "value": b"7",
    }
    return Arrival(**{**usual, **changes})


async def test_what_arrived_is_kept_with_its_run(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """The very bytes, the headers and the run under the event's own key."""
    done = await receive(store, clock, ids, arrival())

    kept = await store.delivery("shop", "evt_1")
    run = await store.run_by_key("answers", run_key("shop", "evt_1"))
    assert kept is not None
    assert (kept.body, kept.headers) == (b'{"n": 7}', (("stripe-signature", "t=1,v1=ab"),))
    assert (kept.type, kept.received) == ("order.paid", clock.now())
    assert run is not None
    assert (run.value, run.state) == (b"7", RunState.QUEUED)
    assert (done.run, done.created) == (run.id, True)


async def test_what_arrives_again_changes_nothing(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """The same event is the same run, even if its body was written otherwise."""
    first = await receive(store, clock, ids, arrival())

    again = await receive(store, clock, ids, arrival(body=b'{"n":7}', value=b"8"))

    assert (again.run, again.created) == (first.run, False)
    assert await store.count() == {RunState.QUEUED: 1}


async def test_the_same_event_of_another_source_is_another_one(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """Two senders may number their events alike."""
    await receive(store, clock, ids, arrival())

    other = await receive(store, clock, ids, arrival(source="till"))

    assert other.created
    assert await store.count() == {RunState.QUEUED: 2}


async def test_what_asks_for_nothing_is_only_kept(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """A delivery without an input is durable and has no run."""
    done = await receive(store, clock, ids, arrival(value=None))

    assert (done.run, done.created) == (None, True)
    assert await store.delivery("shop", "evt_1") is not None
    assert await store.count() == {}


def test_an_arrival_does_not_print_what_a_customer_wrote() -> None:
    """Body, input and headers stay out of logs and tracebacks."""
    shown = repr(arrival(body=b"private", value=b'"private"', headers=(("x", "private"),)))

    assert "private" not in shown
