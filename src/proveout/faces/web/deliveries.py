"""Deliveries: what arrived from outside, signed, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.run import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One delivery in a list.

    Attributes:
        event: the sender's id of the event.
        type: what the sender calls this kind of event; "" where it says nothing.
        size: bytes of its body.
        is_pruned: its body was removed.
    """

    source: str
    event: str
    type: str
    received: datetime
    is_test: bool
    size: int
    is_pruned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesPage:
    """A page of deliveries, the newest first.

    Attributes:
        source: what the list is narrowed to; "" for all.
        sources: names of those that the settings declare.
        before: event with which this page was asked for, behind its source; () at first.
        older: the same of the next page; () where there is none.
    """

    template: ClassVar[str] = "deliveries.html.j2"
    section: ClassVar[Section] = Section.DELIVERIES
    is_live: ClassVar[bool] = True

    rows: tuple[DeliveryRow, ...]
    source: str = ""
    sources: tuple[str, ...] = ()
    before: tuple[str, str] | tuple[()] = ()
    older: tuple[str, str] | tuple[()] = ()

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Deliveries"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """One delivery, whole.

    Attributes:
        headers: names and values, as they were received.
        body: as text; "" where it was removed.
        run: id of the run that it asked for; "" where it was only kept.
        state: of that run.
    """

    template: ClassVar[str] = "delivery.html.j2"
    section: ClassVar[Section] = Section.DELIVERIES

    row: DeliveryRow
    headers: tuple[tuple[str, str], ...]
    body: str
    run: str = ""
    state: RunState | None = None

    @property
    def title(self) -> str:
        """What the page is called."""
        return f"Delivery {self.row.event}"
