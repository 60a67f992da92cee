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
    SIGNAL = "signal"
    RACE = "race"
    CHANGED = "changed"


ANSWERED_BY_OTHERS = frozenset({EntryKind.REVIEW, EntryKind.SIGNAL})
"""What waits for somebody; it can be given up before they came."""


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
    """Nothing came of it yet.

    A sleep waits for `due`; a review or a signal for an answer, a signal no longer than until
    `due`; an effect was begun, and nobody knows whether it happened.
    """

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
    """The entries of one run while an attempt replays and extends them.

    Attributes:
        pending: entries, of this attempt too, of which nothing came yet.
    """

    entries: dict[Place, Entry] = field(default_factory=dict[Place, Entry])
    pending: dict[Place, Entry] = field(default_factory=dict[Place, Entry])
    _unread: dict[str, dict[Place, None]] = field(default_factory=dict[str, dict[Place, None]])

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Journal:
        """Return a journal that holds `entries`, none of them read yet."""
        journal = cls()
        for entry in entries:
            journal.entries[entry.place] = entry
            journal.note(entry)
            if entry.kind is not EntryKind.CHANGED:  # it belongs to the run, to no point in it
                journal._unread.setdefault(entry.place.path, {})[entry.place] = None
        return journal

    def note(self, entry: Entry) -> None:
        """Keep in mind whether something came of `entry`, which is durable."""
        if isinstance(entry.outcome, Pending):
            self.pending[entry.place] = entry
        else:
            self.pending.pop(entry.place, None)

    def read(self, place: Place) -> Entry | None:
        """Return the entry at `place`, now read, or None where there is none."""
        entry = self.entries.get(place)
        if entry is not None:
            self._unread[place.path].pop(place, None)
        return entry

    def unread(self, path: str) -> list[Entry]:
        """Return the entries of `path` that nobody asked for yet, in their order."""
        return [self.entries[place] for place in self._unread.get(path, ())]

    def goes_on(self, path: str, children: int) -> bool:
        """Whether more was asked for before in `path`, or in a branch that it is yet to make.

        Args:
            path: the branch that stands there.
            children: count of branches that it has made so far.
        """
        prefix = f"{path}." if path else ""
        for other, left in self._unread.items():
            if not left or "/" in other or not other.startswith(prefix):
                continue
            if other == path or int(other[len(prefix) :].partition(".")[0] or -1) >= children:
                return True
        return bool(self._unread.get(path))

    def given_up(self, path: str) -> list[Place]:
        """Return the waits of `path` and of what is below it whose answers nobody has read."""
        unread = (place for left in self._unread.values() for place in left)
        known = {**self.entries, **self.pending}
        return [
            place
            for place in dict.fromkeys((*self.pending, *unread))
            if known[place].kind in ANSWERED_BY_OTHERS and below(place.path, path)
        ]

    def in_doubt(self, path: str = "") -> Entry | None:
        """Return an effect of `path`, or of what is below it, that was begun and did not end."""
        for entry in self.pending.values():
            if entry.kind is EntryKind.EFFECT and below(entry.place.path, path):
                return entry
        return None


def below(path: str, other: str) -> bool:
    """Whether `path` is `other`, or a branch below it."""
    return not other or path == other or path.startswith(f"{other}.")
