"""Exact probabilities of what a reader does who looks after every case.

The walk knows nothing of how a test works: it asks the test itself, at every
number of passes that can be reached, and stops where the test decides. So it judges
our tests, Wald's and a careless peeker alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

NEGLIGIBLE = 1e-13
"""States less likely than this are dropped; they count as undecided."""


class Watcher(Protocol):
    """Anything that is shown 0 or 1 and may decide; the order must not matter."""

    @property
    def decision(self) -> str | None: ...

    def observe(self, x: int, /) -> Self: ...


@dataclass
class Ending:
    """What became of one truth.

    Attributes:
        decided: probability of each decision.
        expected: mean number of cases looked at.
    """

    decided: dict[str, float] = field(default_factory=dict[str, float])
    expected: float = 0.0

    def chance_of(self, decision: str) -> float:
        """Return the probability that it ended in this decision."""
        return self.decided.get(decision, 0.0)

    @property
    def undecided(self) -> float:
        """The probability that the cases ran out first."""
        return 1 - sum(self.decided.values())


@dataclass
class Standing:
    """A watcher and how likely it got here, one probability for each truth."""

    watcher: Watcher
    chances: list[float]


def coin(rate: float) -> Callable[[int, int], float]:
    """Return the chance of a case that always passes with probability `rate`."""
    return lambda _count, _passes: rate


def urn(size: int, passing: int) -> Callable[[int, int], float]:
    """Return the chance of a case drawn without replacement."""
    return lambda count, passes: (passing - passes) / (size - count)


def walk(watcher: Watcher, truths: list[Callable[[int, int], float]], horizon: int) -> list[Ending]:
    """Return what becomes of `watcher` under each truth within `horizon` cases."""
    endings = [Ending() for _ in truths]
    live = {0: Standing(watcher, [1.0 for _ in truths])}
    for count in range(horizon):
        reached: dict[int, Standing] = {}
        for passes, standing in live.items():
            for which, ending in enumerate(endings):
                ending.expected += standing.chances[which]
            for x in (0, 1):
                step(standing, x, truths, (count, passes), reached)
        live = settled(reached, endings)
        if not live:
            break
    return endings


def step(
    standing: Standing,
    x: int,
    truths: list[Callable[[int, int], float]],
    at: tuple[int, int],
    reached: dict[int, Standing],
) -> None:
    """Move one standing along one outcome, into `reached`."""
    count, passes = at
    arriving = [
        chance * (truth(count, passes) if x else 1 - truth(count, passes))
        for chance, truth in zip(standing.chances, truths, strict=True)
    ]
    if max(arriving) < NEGLIGIBLE:
        return
    target = reached.get(passes + x)
    if target is None:
        reached[passes + x] = Standing(standing.watcher.observe(x), arriving)
        return
    target.chances = [one + more for one, more in zip(target.chances, arriving, strict=True)]


def settled(reached: dict[int, Standing], endings: list[Ending]) -> dict[int, Standing]:
    """Book the decided standings and return the others."""
    live: dict[int, Standing] = {}
    for passes, standing in reached.items():
        decision = standing.watcher.decision
        if decision is None:
            live[passes] = standing
            continue
        for chance, ending in zip(standing.chances, endings, strict=True):
            ending.decided[decision] = ending.chance_of(decision) + chance
    return live
