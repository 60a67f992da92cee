"""Spending from shared limits: a worker takes small slices of them, and spends those itself.

A slice lasts a second, so that what a dead worker took is soon forgotten. It holds what is
asked for now and what was spent in the second before: a busy worker asks the store a few
times a second, an idle one takes no more than it needs.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.breaker import Closed, Kept, Open, Outcome, ask, tell
from proveout.domain.limit import ROUNDING, Draw
from proveout.errors import Mistake, Outage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from structlog.typing import FilteringBoundLogger

    from proveout.domain.breaker import Condition
    from proveout.domain.limit import Limit, Rate
    from proveout.domain.workflow import Care
    from proveout.ports.clock import Clock, Dice
    from proveout.ports.limits import Limits
    from proveout.run.attempt import Attempt

    Rest = Callable[[float], Awaitable[None]]

LASTS = 1.0
"""Seconds after which a slice has run out."""

SHORTEST = 0.001
UNREACHABLE = 1.0
"""Seconds to wait where the store does not say when there will be more."""


class Later(Exception):
    """A limit would keep a step waiting for longer than it may hold a slot.

    Attributes:
        wait: seconds after which to come back.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Waiting:
    """How whoever needs a limit waits for it.

    Attributes:
        rest: returns after so many seconds, or raises because the attempt is over.
        end: moment until which it may wait, in seconds of the clock's `monotonic`.
    """

    rest: Rest
    end: float


class Purse:
    """A worker's slice of one bucket; whoever came first is served first."""

    def __init__(
        self, rate: Rate, store: Limits, clock: Clock, dice: Dice, log: FilteringBoundLogger
    ) -> None:
        self._rate = rate
        self._store = store
        self._clock = clock
        self._dice = dice
        self._log = log
        self._level = 0.0
        self._until = 0.0
        self._wanted = 0.0
        self._spent = 0.0
        self._turn = asyncio.Lock()

    async def spend(self, amount: float, waiting: Waiting) -> None:
        """Return once `amount` is spent.

        Raises:
            Later: that would take too long.
        """
        if not self._turn.locked() and self._has(amount):
            return
        self._wanted += amount
        try:
            async with self._turn:
                while not self._has(amount):
                    await self._wait(await self._refill(amount), waiting)
        finally:
            self._wanted -= amount

    def give_back(self, amount: float) -> None:
        """Count `amount` as not spent; a negative one as spent beyond what was reserved."""
        self._level += amount
        self._spent -= amount

    def _has(self, amount: float) -> bool:
        """Spend `amount` where the slice has it; what ran out is gone, a debt stays."""
        if self._clock.monotonic() >= self._until:
            self._level = min(self._level, 0.0)
        if self._level + ROUNDING < amount:
            return False
        self._level -= amount
        self._spent += amount
        return True

    async def _refill(self, amount: float) -> float:
        """Take a slice; return the seconds to wait where there was nothing to take."""
        recent = self._spent if self._clock.monotonic() < self._until + LASTS else 0.0
        least = amount - self._level
        most = max(least, self._rate.per_second * LASTS)
        want = min(most, max(least, self._wanted + recent - self._level))
        try:
            grant = await self._store.take(Draw(rate=self._rate, want=want, least=least))
        except Outage as outage:
            self._log.warning("limit.unreachable", limit=self._rate.name, error=str(outage))
            return UNREACHABLE
        if grant.amount:
            self._level += grant.amount
            self._spent = 0.0
            self._until = self._clock.monotonic() + LASTS
            return 0.0
        return max(SHORTEST, grant.wait)

    async def _wait(self, seconds: float, waiting: Waiting) -> None:
        if not seconds:
            return
        if self._clock.monotonic() + seconds > waiting.end:
            raise Later(seconds)
        # Others wait for the same drop: who comes a little later finds it gone, or there.
        await waiting.rest(seconds * self._dice.uniform(1.0, 1.2))


class Fuse:
    """The breaker of one resource in this worker."""

    def __init__(self, limit: Limit, clock: Clock, log: FilteringBoundLogger) -> None:
        self._limit = limit
        self._clock = clock
        self._log = log
        self._condition: Condition = Closed()

    async def pass_through(self, waiting: Waiting) -> bool:
        """Return once a try may begin: whether it is a probe.

        Raises:
            Later: that would take too long.
        """
        while True:
            moment = self._clock.monotonic()
            self._condition, answer = ask(self._condition, moment)
            if not isinstance(answer, Kept):
                return answer.is_probe
            if moment + answer.seconds > waiting.end:
                raise Later(answer.seconds)
            await waiting.rest(answer.seconds)

    def told(self, outcome: Outcome, *, was_probe: bool) -> None:
        """Take to heart how a try ended."""
        breaker, before = self._limit.breaker, self._condition
        assert breaker is not None  # noqa: S101 - only a limit with a breaker has a fuse
        moment = self._clock.monotonic()
        self._condition = tell(before, breaker, moment, outcome, was_probe=was_probe)
        if isinstance(self._condition, Open) and isinstance(before, Closed):
            self._log.warning(
                "breaker.opened",
                resource=self._limit.name,
                failures=breaker.failures,
                cool=breaker.cool.total_seconds(),
            )
        elif isinstance(self._condition, Closed) and not isinstance(before, Closed):
            self._log.info("breaker.closed", resource=self._limit.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One use of a resource, from its reservation to what came of it."""

    fuse: Fuse | None
    is_probe: bool
    tokens: Purse | None
    reserved: int

    def end(self, outcome: Outcome, spent: int | None = None) -> None:
        """Tell the breaker, and settle the tokens that were spent where that is known."""
        if self.tokens is not None and spent is not None:
            self.tokens.give_back(self.reserved - spent)
        if self.fuse is not None:
            self.fuse.told(outcome, was_probe=self.is_probe)


class Resources:
    """What a worker has of the limits that its steps use."""

    def __init__(self, store: Limits, clock: Clock, dice: Dice, log: FilteringBoundLogger) -> None:
        self._store = store
        self._clock = clock
        self._dice = dice
        self._log = log
        self._purses: dict[Rate, Purse] = {}
        self._fuses: dict[tuple[str, object], Fuse] = {}

    async def enter(self, limit: Limit, calls: int, tokens: int, waiting: Waiting) -> Passage:
        """Return once so many calls and tokens are spent and the breaker lets a try through.

        Raises:
            Later: that would take too long; nothing was spent.
        """
        of_calls = self._purse(limit.calls) if calls else None
        of_tokens = self._purse(limit.tokens) if tokens else None
        fuse = self._fuse(limit)
        if of_calls is not None:
            await of_calls.spend(calls, waiting)
        try:
            if of_tokens is not None:
                await of_tokens.spend(tokens, waiting)
            try:
                is_probe = fuse is not None and await fuse.pass_through(waiting)
            except BaseException:
                if of_tokens is not None:
                    of_tokens.give_back(tokens)
                raise
        except BaseException:
            if of_calls is not None:
                of_calls.give_back(calls)
            raise
        return Passage(fuse=fuse, is_probe=is_probe, tokens=of_tokens, reserved=tokens)

    def _purse(self, rate: Rate | None) -> Purse | None:
        if rate is None:
            return None
        if rate not in self._purses:
            self._purses[rate] = Purse(rate, self._store, self._clock, self._dice, self._log)
        return self._purses[rate]

    def _fuse(self, limit: Limit) -> Fuse | None:
        if limit.breaker is None:
            return None
        key = (limit.name, limit.breaker)
        if key not in self._fuses:
            self._fuses[key] = Fuse(limit, self._clock, self._log)
        return self._fuses[key]


@asynccontextmanager
async def within_limits(
    attempt: Attempt, path: str, care: Care, patience: float
) -> AsyncGenerator[None]:
    """Let one try of a step begin when its limits allow, and tell them how it ended.

    Args:
        attempt: whose step.
        path: of the branch that waits.
        care: how the step is tried.
        patience: seconds that it may wait.

    Raises:
        Later: it would take longer.
    """
    waiting = Waiting(attempt.rest, attempt.clock.monotonic() + patience)
    passages: list[Passage] = []
    outcome = Outcome.UNKNOWN
    try:
        with attempt.span.standing(path):
            for limit in care.limits:
                passage = await attempt.resources.enter(limit, 1, 0, waiting)
                passages.append(passage)  # one by one: if the next is refused, this one is ended
        yield
        outcome = Outcome.SUCCEEDED
    except Exception as error:
        if care.is_worth(error) and not isinstance(error, Later):
            outcome = Outcome.FAILED
        raise
    finally:
        for passage in passages:
            passage.end(outcome)


def outcome_of(error: BaseException | None) -> Outcome:
    """Return what a use of a resource told that ended with `error`, or without one."""
    if error is None:
        return Outcome.SUCCEEDED
    is_failure = isinstance(error, Exception) and not isinstance(error, Mistake)
    return Outcome.FAILED if is_failure else Outcome.UNKNOWN
