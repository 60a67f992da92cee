"""Delivering: notices go from the store to their channels.

A notice is written in the commit that decides on it, and handed over afterwards. Whoever
hands it over spends its record first, so that of many servers one does. Where that one dies
before it could write down that the channel took it, the notice is handed over again, a
minute later and under the same id: a channel may hear twice, and never not at all.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.alert import Notice
from proveout.domain.record import Kind, decode, encode
from proveout.domain.unit import Done, Keep, Put, UnitId
from proveout.ports.notifier import NotAccepted

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.ports.clock import Ids
    from proveout.ports.notifier import Notifier
    from proveout.ports.store import Store

IN_HAND = timedelta(seconds=60)
"""For so long a notice is left to whoever hands it over."""

PATIENCE = 30.0
"""Seconds that a channel gets to take a notice."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)

GIVEN_UP = timedelta(days=1)
"""A notice this old tells nobody anything any more."""


async def deliver(store: Store, ids: Ids, notifier: Notifier, now: datetime) -> int:
    """Hand over every notice that is due at `now`; return how many were accepted."""
    taken = [
        taken
        for name, body in (await store.records(Kind.OUTGOING)).items()
        if (taken := await _take(store, ids, name, decode(Notice, body), now)) is not None
    ]
    done = await asyncio.gather(*(_hand_over(store, ids, notifier, one, now) for one in taken))
    return sum(done)


def outgoing(notice: Notice, body: Notice | None = None) -> Keep:
    """Return the record of a notice that is to be handed over; its name changes with each try."""
    name = f"{notice.id}.{notice.tries}"
    return Keep(kind=Kind.OUTGOING, name=name, body=None if body is None else encode(body))


async def _take(store: Store, ids: Ids, name: str, notice: Notice, now: datetime) -> Notice | None:
    """Return a notice that is ours to hand over; None where it is not due, or another's."""
    if notice.not_before is not None and now < notice.not_before:
        return None
    taken = replace(notice, tries=notice.tries + 1, not_before=now + IN_HAND)
    spent = Keep(kind=Kind.OUTGOING, name=name, body=None)
    unit = Put(id=UnitId(ids.new()), keeps=(outgoing(taken, taken),), spends=spent)
    return taken if await store.write(unit) == Done() else None


async def _hand_over(
    store: Store, ids: Ids, notifier: Notifier, notice: Notice, now: datetime
) -> bool:
    try:
        await asyncio.wait_for(notifier.tell(notice), PATIENCE)
        keep = _settled(replace(notice, accepted=now, trouble="", not_before=None))
        is_accepted = True
    except (NotAccepted, TimeoutError) as error:
        keep = _failed(notice, f"{error}" or f"no answer within {PATIENCE:g} s", now)
        is_accepted = False
    unit = Put(id=UnitId(ids.new()), keeps=(keep,), spends=outgoing(notice))
    await store.write(unit)
    return is_accepted


def _settled(notice: Notice) -> Keep:
    return Keep(kind=Kind.NOTICE, name=notice.id, body=encode(notice))


def _failed(notice: Notice, trouble: str, now: datetime) -> Keep:
    """Return the record of a notice that was not accepted: once more, or never."""
    if now - notice.created > GIVEN_UP:
        return _settled(replace(notice, trouble=trouble, not_before=None))
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(notice.tries - 1, 10))
    again = replace(notice, trouble=trouble, not_before=now + pause)
    return outgoing(again, again)
