"""A drill: a fault, an oracle, and the protection without which it must fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proveout.ready.sandbox import Protection, Sandbox

Figure: TypeAlias = int | float | str


class NotSteady(Exception):
    """The workflow did not hold before anything was broken: there is nothing to drill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What one performance of a drill showed.

    Attributes:
        figures: what was counted.
        faults: what the oracle objects to, in words; none where it passed.
    """

    figures: dict[str, Figure] = field(default_factory=dict[str, Figure])
    faults: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the oracle has nothing to object to."""
        return not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A rehearsed fault.

    Attributes:
        name: that of the claim it proves.
        without: the protection that its negative control switches off.
        perform: breaks the workflow in a sandbox and judges what followed.
        shown: the figure that tells the two performances apart, and what it counts.
    """

    name: str
    without: Protection
    perform: Callable[[Sandbox], Awaitable[Performance]]
    shown: tuple[str, str]

    def summary(self, on: Performance, off: Performance) -> str:
        """Return both performances in one line for people."""
        figure, noun = self.shown
        lost = f"{off.figures.get(figure, '?')} {noun}".strip()
        return f"{self.without} off: {lost}; on: {on.figures.get(figure, '?')}"
