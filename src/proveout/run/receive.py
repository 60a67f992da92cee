"""Letting a webhook in, together with the run that it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proveout.domain.delivery import Delivery
from proveout.domain.run import Run, RunId
from proveout.domain.unit import Receive, Received, UnitId

if TYPE_CHECKING:
    from proveout.domain.delivery import Verified
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A delivery at the door, its signature good.

    Attributes:
        source: name of the source in the settings.
        said: what the delivery says of itself.
        headers: names in lower case and values, in the order of the request.
        body: the very bytes that were signed.
        workflow: whose run it asks for.
        value: input of that run, as bytes of canonical JSON; None where it is only kept.
    """

    source: str
    said: Verified
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    workflow: str
    value: bytes | None = field(repr=False)


async def receive(store: Writes, clock: Clock, ids: Ids, arrival: Arrival) -> Received:
    """Make a delivery durable with the run that it asks for; what came before changes nothing.

    Raises:
        Outage: the store did not keep it; the sender must send it again.
    """
    said, now = arrival.said, clock.now()
    delivery = Delivery(
        source=arrival.source,
        event=said.event,
        type=said.type,
        received=now,
        headers=arrival.headers,
        body=arrival.body,
        is_test=said.is_test,
    )
    run = None
    if arrival.value is not None:
        run = Run(
            id=RunId(ids.new()),
            workflow=arrival.workflow,
            value=arrival.value,
            created=now,
            due=None,
            key=run_key(arrival.source, said.event),
        )
    answer = await store.write(Receive(id=UnitId(ids.new()), delivery=delivery, run=run))
    match answer:
        case Received():
            return answer
        case _:
            raise AssertionError(answer)


def run_key(source: str, event: str) -> str:
    """Return the key of the run that an event asks for."""
    return f"{source}:{event}"
