"""Who answers for a workflow, and what its users may expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.bar import Person

if TYPE_CHECKING:
    from datetime import timedelta

UNKNOWN = "not known yet"

_NOBODY = frozenset(
    {"", "?", "-", "n/a", "nobody", "none", "not known", UNKNOWN, "tba", "tbd", "unknown"}
)


def is_known(name: str) -> bool:
    """Whether somebody is named; "not known yet" is honest, and no name."""
    return " ".join(name.casefold().split()).strip(" .!") not in _NOBODY


def said(text: str) -> str:
    """Return what was said in one line, or that it is not known yet."""
    return " ".join(text.split()) if is_known(text) else UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who answers for a workflow; "" where nobody is named.

    Attributes:
        downstream: the system, or the people, that receive the results.
    """

    owner: str = ""
    operator: str = ""
    reviewer: str = ""
    downstream: str = ""

    def who(self, person: Person) -> str:
        """Return who that is, or that it is not known yet."""
        match person:
            case Person.OWNER:
                return said(self.owner)
            case Person.OPERATOR:
                return said(self.operator)
            case Person.REVIEWER:
                return said(self.reviewer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """Who is told when nobody answered for a time."""

    who: str
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What the users of a workflow may expect; "" and None where not said.

    Attributes:
        paged: in the order in which people are told.
        channel: how users hear of trouble.
    """

    hours: str = ""
    first_answer: timedelta | None = None
    paged: tuple[Paged, ...] = ()
    channel: str = ""
    not_supported: tuple[str, ...] = ()
