"""The ledger: every decision and all evidence, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One entry of the ledger.

    Attributes:
        subject: what it is about.
        hash: hexadecimal, chained to the entry before.
    """

    seq: int
    at: datetime
    actor: str
    act: str
    subject: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """A page of the ledger.

    Attributes:
        before: the cursor with which this page was asked for; "" for the first page.
        older: the cursor of the next page; "" where there is none.
    """

    template: ClassVar[str] = "ledger.html.j2"
    section: ClassVar[Section] = Section.LEDGER
    is_live: ClassVar[bool] = True

    rows: tuple[LedgerRow, ...]
    before: str = ""
    older: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Ledger"
