"""The journal: what one run has finished, so that it can resume from there."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from proveout.domain.run import Failure

JOURNAL_FORMAT = 1
"""The format of journals: how places, outcomes and failures are written into rows.

It is the same since version 0.1. An engine reads this format and the one before. Whoever
changes it gives the new rows a column that says so, whose default means the old ones, and
keeps the reader of the old ones until no run of theirs can be left.
"""


class Place(NamedTuple):
    """Where in a run something is asked for.

    Attributes:
        path: the task, numbered in creation order below its parent ("" is the first, "0.1").
        name: the step's name.
        occurrence: how often that name was asked for before in the same path, from 0.
    """

    path: str
    name: str
    occurrence: int

    def __str__(self) -> str:
        where = f" in branch {self.path}" if self.path else ""
        return f"{self.name} #{self.occurrence + 1}{where}"


class EntryKind(StrEnum):
    """What an entry of the journal stands for."""

    STEP = "step"
    EFFECT = "effect"
    CAPTURED = "captured"
    REVIEW = "review"
    SLEEP = "sleep"


@dataclass(frozen=True, slots=True)
class Returned:
    """It ended with this value, as bytes of JSON."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Raised:
    """It failed for good."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Pending:
    """It waits; for a timer that fires at `due`, or for a person where `due` is None."""

    due: datetime | None = None


Outcome: TypeAlias = Returned | Raised | Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a run asked for, and what came of it.

    Attributes:
        digest: hexadecimal SHA-256 of the arguments, shortened to 32 characters.
        arguments: the arguments as JSON; only its beginning where `kind` keeps no more.
        tries: count of calls that this outcome took, from 0 where nothing was called.
        elapsed: seconds from the first call to the outcome.
    """

    place: Place
    kind: EntryKind
    digest: str
    arguments: str
    outcome: Outcome
    started: datetime
    tries: int = 1
    elapsed: float = 0.0


@dataclass(slots=True)
class Journal:
    """The entries of one run while an attempt replays and extends them."""

    entries: dict[Place, Entry] = field(default_factory=dict[Place, Entry])
    _unread: dict[str, dict[Place, None]] = field(default_factory=dict[str, dict[Place, None]])

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Journal:
        """Return a journal that holds `entries`, none of them read yet."""
        journal = cls()
        for entry in entries:
            journal.entries[entry.place] = entry
            journal._unread.setdefault(entry.place.path, {})[entry.place] = None
        return journal

    def read(self, place: Place) -> Entry | None:
        """Return the entry at `place`, now read, or None where there is none."""
        entry = self.entries.get(place)
        if entry is not None:
            self._unread[place.path].pop(place, None)
        return entry

    def unread(self, path: str) -> list[Entry]:
        """Return the entries of `path` that nobody asked for yet, in their order."""
        return [self.entries[place] for place in self._unread.get(path, ())]
