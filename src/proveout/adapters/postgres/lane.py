"""The one writer lane of a PostgreSQL store.

A task owns the only connection that writes units. It takes what concurrent callers
handed in, applies it in one transaction, and answers each when that commit is
durable. A group that fails is halved until the culprit stands alone; a group whose
connection broke is sent again, and its units know whether they were written before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from proveout.adapters.postgres.silence import ABANDONED
from proveout.adapters.postgres.units import apply
from proveout.adapters.postgres.wire import Cause, Unsettled, cause, part, unstorable
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.journal import Returned
from proveout.domain.unit import (
    Answered,
    Charge,
    Close,
    Enqueue,
    Receive,
    Record,
    Send,
    Settle,
    Unit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.adapters.postgres.bell import Bell
    from proveout.adapters.postgres.wire import Link, Server
    from proveout.ports.clock import Clock

GROUP = 1000
"""Most units in one commit."""

WEIGHT = 16 * 2**20
"""Bytes of payload after which a group takes no more units."""

CALL = 256
"""About how many bytes a call of a model puts on the wire."""

HOPE = 30.0
"""Seconds for which a group waits for a server that does not answer."""

TRIES = 10
"""How often a group is sent again after deadlocks."""

HELD = 1500
"""Milliseconds for which a group waits for a row that someone else holds."""

BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL enable_seqscan = off; SET LOCAL jit = off;"
    f" SET LOCAL lock_timeout = {HELD};"
    f" SET LOCAL idle_in_transaction_session_timeout = '{ABANDONED}s'"
)
"""Plans are kept, so they must not be those of an empty table."""


CULPRITS = (Cause.VALUE, Cause.HELD, Cause.OURS)
"""Causes that lie in single units; the others of a group have a right to be written."""


class Handed(NamedTuple):
    """A unit, and who waits for its answer."""

    unit: Unit
    weight: int
    answer: asyncio.Future[Answered]


class Lane:
    """Applies units in groups, one durable commit each."""

    def __init__(self, server: Server, clock: Clock, bell: Bell, link: Link) -> None:
        self._server = server
        self._clock = clock
        self._bell = bell
        self._link: Link | None = link
        self._lost: float | None = None
        self._waiting: deque[Handed] = deque()
        self._handed = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._serve(), name="postgres-writer")

    async def do(self, unit: Unit) -> Answered:
        """Return the answer to `unit`, once it is durable."""
        if self._closing:
            raise StoreUnavailable("the store is closed")
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting.append(Handed(unit, _weigh(unit), answer))
        self._handed.set()
        return await answer

    async def close(self) -> None:
        """Finish what was handed in, then let go of the connection."""
        self._closing = True
        self._handed.set()
        await self._task
        if self._link is not None:
            await part(self._link)

    async def _serve(self) -> None:
        while self._waiting or not self._closing:
            await self._handed.wait()
            self._handed.clear()
            await asyncio.sleep(0)  # noqa: TID251 - lets all who were just answered hand in again
            await self._apply(self._gather())
            if self._waiting or self._closing:
                self._handed.set()

    def _gather(self) -> list[Handed]:
        group: list[Handed] = []
        weight = 0
        while self._waiting and len(group) < GROUP and weight < WEIGHT:
            handed = self._waiting.popleft()
            weight += handed.weight
            group.append(handed)
        return group

    async def _apply(self, group: Sequence[Handed]) -> None:
        if not group:
            return
        try:
            answers = await self._write([handed.unit for handed in group])
        except Exception as error:  # noqa: BLE001 - whatever it is, each caller gets an answer
            await self._answer_failed(group, error)
            return
        for handed, answer in zip(group, answers, strict=True):
            if not handed.answer.done():
                handed.answer.set_result(answer)
        if any(map(_changes_much, group)):
            self._bell.ring()

    async def _answer_failed(self, group: Sequence[Handed], error: Exception) -> None:
        """Halve a group with a culprit; tell all what nobody in it caused."""
        if cause(error) in CULPRITS and len(group) > 1:
            middle = len(group) // 2
            await self._apply(group[:middle])
            await self._apply(group[middle:])
            return
        said = self._server.say(error)
        for handed in group:
            if not handed.answer.done():
                handed.answer.set_exception(said)

    async def _write(self, units: Sequence[Unit]) -> list[Answered]:
        """Write `units` in one commit, again and again while that can help."""
        tries = 0
        while True:
            try:
                return await self._commit(units)
            except Exception as error:
                tries += 1
                if not await self._recover(error, tries):
                    raise

    async def _commit(self, units: Sequence[Unit]) -> list[Answered]:
        link = await self._connected()
        await link.execute(BEGIN)
        answers = await apply(link, units)
        if await link.execute("COMMIT") != "COMMIT":
            raise Unsettled
        self._lost = None
        return answers

    async def _connected(self) -> Link:
        if self._link is None or self._link.is_closed():
            self._link = await self._server.connect("lane")
        return self._link

    async def _recover(self, error: Exception, tries: int) -> bool:
        """Leave no transaction open; return whether to send the group again."""
        why = cause(error)
        if why is Cause.LOST:
            return await self._wait_for_server(tries)
        await self._roll_back()
        return why is Cause.AGAIN and tries < TRIES

    async def _roll_back(self) -> None:
        if self._link is None or self._link.is_closed():
            return
        try:
            await self._link.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - a connection that cannot roll back is of no use
            self._drop()

    async def _wait_for_server(self, tries: int) -> bool:
        """Rest before the next try; return False when the server has been gone for too long."""
        self._drop()
        now = self._clock.monotonic()
        if self._lost is None:
            self._lost = now
            return True
        if now - self._lost >= HOPE:
            return False
        await self._clock.sleep(min(2.0, 0.025 * 2**tries))
        return True

    def _drop(self) -> None:
        if self._link is not None:
            self._link.terminate()
            self._link = None


def _weigh(unit: Unit) -> int:
    """Return about how many bytes `unit` puts on the wire.

    Raises:
        Unstorable: a payload is not made of bytes.
    """
    try:
        return _payload(unit)
    except TypeError as error:
        raise unstorable(error) from None


def _payload(unit: Unit) -> int:  # noqa: PLR0911 - one for each kind
    match unit:
        case Record():
            return sum(
                len(entry.arguments)
                + (len(entry.outcome.value) if isinstance(entry.outcome, Returned) else 0)
                for entry in unit.entries
            )
        case Close(entry=entry):
            return len(entry.outcome.value) if isinstance(entry.outcome, Returned) else 0
        case Send():
            return len(unit.value)
        case Settle():
            return len(unit.result or b"")
        case Enqueue():
            return len(unit.run.value)
        case Receive():
            return len(unit.delivery.body) + len(unit.run.value if unit.run else b"")
        case Charge():
            bodies = sum(len(one.answer.body) for one in unit.recordings)
            return CALL * len(unit.calls) + bodies
        case _:
            return 0


def _changes_much(handed: Handed) -> bool:
    """Whether someone may wait for this; nobody waits for a step's journal or for accounts."""
    if isinstance(handed.unit, Record):
        return handed.unit.review is not None
    return not isinstance(handed.unit, Close | Charge)
