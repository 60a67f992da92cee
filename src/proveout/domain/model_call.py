"""Calls of models: who made each, what was asked of which model, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.money import Usd
from proveout.domain.run import RunId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from proveout.domain.journal import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a call.

    Attributes:
        fence: of the attempt that makes it.
        place: the step within the run; None for the workflow's own code.
    """

    run: RunId
    fence: int
    place: Place | None


JUDGES = Caller(run=RunId("judges"), fence=0, place=None)
"""Who calls for a judge: what an opinion costs is no cost of the answer that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a call took.

    Attributes:
        read: tokens of the request, those from a cache and those put into one among them.
        cached: those of them that came from a cache.
        written: tokens of the answer.
        stored: those of `read` that were put into a cache.
        stored_hour: those of `stored` that it keeps for an hour, not for minutes.
    """

    read: int
    cached: int
    written: int
    stored: int = 0
    stored_hour: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One call of a model that has ended, as the meter saw it.

    Attributes:
        id: unique; a call that is kept twice is kept once.
        provider: whose wire format was spoken, such as "openai".
        asked: the model that was asked for.
        answered: the model that answered, as it calls itself; "" where nobody did.
        status: the HTTP status; 0 where no answer came, or not to its end.
        tokens: None where the answer did not say.
        cost: None where its tokens or their price are not known; stores keep it to the
            picodollar (1e-12 dollars), exact for prices of up to six decimals a million tokens.
        elapsed: seconds until the answer had come.
    """

    id: str
    caller: Caller
    provider: str
    asked: str
    answered: str
    status: int
    tokens: Tokens | None
    cost: Usd | None
    started: datetime
    elapsed: float


FREE = Usd(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What several calls of models took together.

    Attributes:
        read: tokens of their requests, as far as they are known.
        written: tokens of their answers, likewise.
        cost: of those whose cost is known.
        unpriced: count of calls whose cost is not known.
    """

    calls: int = 0
    read: int = 0
    written: int = 0
    cost: Usd = FREE
    unpriced: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            read=self.read + other.read,
            written=self.written + other.written,
            cost=self.cost + other.cost,
            unpriced=self.unpriced + other.unpriced,
        )


def counted(calls: Sequence[ModelCall]) -> list[ModelCall]:
    """Return the calls of the attempts whose results the run went on with.

    A step that had ended is not called again, and one that was lost is: of each step the
    calls of the last attempt that made any are those behind its result.
    """
    last: dict[Place | None, int] = {}
    for call in calls:
        place, fence = call.caller.place, call.caller.fence
        last[place] = max(last.get(place, fence), fence)
    return [call for call in calls if call.caller.fence == last[call.caller.place]]


def usage_of(calls: Iterable[ModelCall]) -> Usage:
    """Return what `calls` took together."""
    total = Usage()
    for call in calls:
        total += Usage(
            calls=1,
            read=0 if call.tokens is None else call.tokens.read,
            written=0 if call.tokens is None else call.tokens.written,
            cost=FREE if call.cost is None else call.cost,
            unpriced=call.cost is None,
        )
    return total
