"""What was said of one answer: a judge's opinion, and a person's label."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - a record is read by its annotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a judge said of an answer: 1 or 0 for pass or fail, or a grade."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person said of an answer, without having seen what the judge said.

    Attributes:
        value: 1 or 0 for pass or fail, or a grade.
        case: the case's id.
        answer: hexadecimal SHA-256 of the answer that was seen.
        by: who said so.
    """

    value: float
    case: str
    criterion: str
    answer: str
    by: str
    at: datetime
