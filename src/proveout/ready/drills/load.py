"""Load on a sandbox: runs that are enqueued, followed to their end, and judged."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING

from proveout.domain.journal import EntryKind, Returned
from proveout.domain.review import Answer, ReviewState
from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Decide, UnitId
from proveout.ports.store import RunFilter
from proveout.ready.drills.drill import NotSteady

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from proveout.domain.review import Review
    from proveout.domain.run import Run
    from proveout.ready.sandbox import Sandbox

LOOK = 0.05
"""Seconds between two looks at a sandbox."""

PAGE = 500
"""Runs that are read at once."""

PATIENCE = 30.0
"""Seconds that a load gets to end in, beside the starts of ten processes one after another."""

STILL = 6.0
"""Seconds in which no run moves, after which nothing more is expected: six leases.

Beside the starts of three processes: suspects wait for one of their own, again and again.
"""


def beside_starts(sandbox: Sandbox, seconds: float, starts: int) -> float:
    """Return `seconds`, and the time in which `starts` processes start one after another.

    How long a start takes is the machine's affair, which no drill judges.
    """
    return seconds + starts * sandbox.slowest_start


async def enqueue(sandbox: Sandbox, count: int, name: str) -> list[str]:
    """Make `count` runs durable, on the inputs in turn, keyed by `name` and their number."""
    loads = islice(cycle(sandbox.loads), count)
    return [await sandbox.enqueue(load, f"{name}-{n}") for n, load in enumerate(loads)]


async def until(
    sandbox: Sandbox, holds: Callable[[], Awaitable[bool]], seconds: float | None = None
) -> bool:
    """Return True once `holds` does, or False after `seconds`, or else a load's patience."""
    patience = beside_starts(sandbox, PATIENCE, 10) if seconds is None else seconds
    end = sandbox.clock.monotonic() + patience
    while sandbox.clock.monotonic() < end:
        if await holds():
            return True
        await sandbox.settle(LOOK)
    return await holds()


async def running(sandbox: Sandbox, at_least: int) -> bool:
    """Return True once so many runs are in flight at once, or False once they cannot be.

    They cannot be when fewer are left, and are taken not to be after a while.
    """
    flying = 0

    async def is_settled() -> bool:
        nonlocal flying
        counted = await sandbox.store.count()
        flying = counted.get(RunState.RUNNING, 0)
        left = sum(count for state, count in counted.items() if not state.is_final)
        return flying >= at_least or left < at_least

    await until(sandbox, is_settled, beside_starts(sandbox, 10.0, 3))
    return flying >= at_least


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a load ended.

    Attributes:
        states: the state of each run.
        lost: runs that did not end.
    """

    states: dict[str, RunState]
    lost: tuple[str, ...]

    def count(self, *states: RunState) -> int:
        """Return how many runs stand in one of `states`."""
        return sum(1 for state in self.states.values() if state in states)


async def follow(sandbox: Sandbox, runs: Iterable[str]) -> Ended:
    """Wait until all `runs` have ended, approving what they ask a person.

    Give up when time is up, when no run has moved for a while, or when no worker is alive.
    """
    left = set(runs)
    states: dict[str, RunState] = {}
    seen: dict[str, tuple[RunState, int]] = {}
    moved = sandbox.clock.monotonic()
    still = beside_starts(sandbox, STILL, 3)

    async def is_over() -> bool:
        nonlocal moved
        had_workers = sandbox.has_workers  # before the look: what they did last is still seen
        await approve_all(sandbox)
        for found in await _among(sandbox, left):
            run = found.id
            states[run] = found.state
            if found.state.is_final or found.state is RunState.PARKED:
                left.discard(run)
            if seen.get(run) != (found.state, found.fence):
                seen[run] = (found.state, found.fence)
                moved = sandbox.clock.monotonic()
        is_still = sandbox.clock.monotonic() - moved > still
        return not left or is_still or not had_workers

    await until(sandbox, is_over)
    return Ended(states=states, lost=tuple(sorted(left)))


async def _among(sandbox: Sandbox, wanted: set[str]) -> list[Run]:
    """Return the wanted runs as they are now, read a page at a time.

    One by one they would keep the machine busy on which the workers are to be watched.
    """
    found: list[Run] = []
    before: RunId | None = None
    while len(found) < len(wanted):
        page = await sandbox.store.runs(RunFilter(before=before, limit=PAGE))
        found += [one for one in page if one.id in wanted]
        if len(page) < PAGE:
            break
        before = page[-1].id
    return found


async def approve_all(sandbox: Sandbox) -> None:
    """Approve every open review that can be, as people would who agree with each draft."""
    for review in await sandbox.store.reviews(ReviewState.OPEN, limit=1000):
        for who in ("drill", "second") if review.terms.four_eyes else ("drill",):
            answer = Answer(approved=not review.is_blocked, content=review.content, by=who)
            await sandbox.store.write(decision(review, answer, who))


def decision(review: Review, answer: Answer, name: str = "") -> Decide:
    """Return the unit that answers a review on what the drill saw of it."""
    unit = UnitId(f"drill-{review.id}-{name}")
    return Decide(id=unit, review=review.id, digest=review.digest, answer=answer)


async def check_steady(sandbox: Sandbox, name: str) -> None:
    """Leave quietly when the workflow holds while nothing is broken.

    Raises:
        NotSteady: it does not; there is nothing to drill.
    """
    runs = await enqueue(sandbox, min(4, max(2, len(sandbox.loads))), f"steady-{name}")
    ended = await follow(sandbox, runs)
    if ended.count(RunState.SUCCEEDED) == len(runs):
        return
    for run in runs:
        found = await sandbox.store.run(RunId(run))
        if found is not None and found.failure is not None:
            raise NotSteady(f"a run failed before anything was broken: {found.failure.message}")
        if found is not None and found.note:
            raise NotSteady(f"a run was parked before anything was broken: {found.note}")
    raise NotSteady("the workflow did not end its runs although nothing was broken")


async def effect_faults(sandbox: Sandbox, runs: Iterable[str]) -> list[str]:
    """Return what is wrong with the effects of `runs`, as the receiver counted them.

    Each effect that a run's journal holds must have reached the receiver under one key, and
    nothing else may have.
    """
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for effect in (await sandbox.counted()).effects:
        keys[effect.run].add(effect.key)
    faults: list[str] = []
    for run in runs:
        journaled = sum(
            entry.kind is EntryKind.EFFECT and isinstance(entry.outcome, Returned)
            for entry in await sandbox.store.journal(RunId(run))
        )
        if len(keys[run]) != journaled:
            faults.append(
                f"run {run}: {journaled} effects in its journal, {len(keys[run])} keys received"
            )
    return faults
