"""What was said of one answer: a judge's opinion, and a person's label."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - a record is read by its annotations
from enum import StrEnum


class Decision(StrEnum):
    """What a person decided about an answer."""

    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a judge said of an answer: 1 or 0 for pass or fail, or a grade."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person said of an answer, without having seen what the judge said.

    Attributes:
        value: 1 or 0 for pass or fail, or a grade; 1 for an answer approved as it is.
        case: the case's id.
        answer: hexadecimal SHA-256 of the answer that was seen.
        by: who said so.
        edit: the corrected answer, as JSON text; "" where the person wrote none.
        reason: why, in the person's words; "" where they gave none.
    """

    value: float
    case: str
    criterion: str
    answer: str
    by: str
    at: datetime
    edit: str = ""
    reason: str = ""

    @property
    def decision(self) -> Decision:
        """What it says where people decide on answers."""
        if self.value == 1:
            return Decision.APPROVED
        return Decision.EDITED if self.edit else Decision.REJECTED
