"""Traffic: what ended within the last hour, minute by minute, and on which release."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from proveout.faces.report.figures import steps
from proveout.faces.web.frame import Tone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from proveout.domain.release import Pointer
    from proveout.ports.measure import Minute

MINUTE = timedelta(minutes=1)
MINUTES = 60
HEIGHT = 132
"""Of the plot, in units of the screen."""

TICKS = 3
"""About as many lines as the plot has behind its bars."""

TIMES = 4
"""Minutes that are named below the plot."""

SPARK = (160, 26)
"""Width and height of the line in a tile."""

ROOM = 0.2
"""Share of the plot's width that the words beside a mark may take."""

GAP = 0.25
"""Share of a minute's place that is left free beside its bar."""

FAILED = "f-no"
STABLE, CANARY, OTHER = "f-acc2", "f-acc", "f-plain"


class Piece(NamedTuple):
    """A part of a bar: its class, and where it stands from the top of the plot."""

    look: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A minute.

    Attributes:
        left: where its bar begins, as a share of the plot's width.
        pieces: those that failed at the foot, then one for each release.
    """

    at: datetime
    left: float
    ended: int
    failed: int
    pieces: tuple[Piece, ...]


class Tick(NamedTuple):
    """A line behind the bars, and how many runs a minute it stands for."""

    y: float
    runs: int


class Key(NamedTuple):
    """A release and the class of its bars."""

    look: str
    name: str


class Mark(NamedTuple):
    """When the pointer moved, as a share of the plot's width, and what it did.

    Where moves stand close together, only the last of them has room for its words.
    """

    left: float
    text: str
    has_room: bool = True


class Hour(NamedTuple):
    """What ended within an hour: by which moment, by the store's clock, it was counted."""

    now: datetime
    minutes: tuple[Minute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What ended in each of the last sixty minutes, this one included.

    Attributes:
        bars: the oldest minute first; quiet ones stand in it, too.
        keys: the releases that the bars show.
    """

    ended: int
    failed: int
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    keys: tuple[Key, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def times(self) -> tuple[Bar, ...]:
        """The minutes that are named below the plot."""
        return self.bars[:: MINUTES // TIMES]

    @property
    def wide(self) -> float:
        """How wide a bar is, as a share of the plot's width."""
        return (1 - GAP) / MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A figure of now.

    Attributes:
        unit: said after the figure: "%".
        line: the path of its course within the last hour; "" where it has none.
    """

    name: str
    figure: str
    note: str
    unit: str = ""
    line: str = ""
    tone: Tone = Tone.PLAIN
    href: str = ""


def begun(at: datetime) -> datetime:
    """Return when the minute of a moment began."""
    return at.replace(second=0, microsecond=0)


def traffic_of(
    hour: Hour,
    pointer: Pointer,
    names: Mapping[str, str],
    moves: Sequence[tuple[datetime, str]] = (),
) -> Traffic:
    """Return the traffic of an hour, as it is drawn.

    Args:
        hour: what ended in it.
        pointer: tells which release is the stable one and which the canary.
        names: the releases' names by their digests.
        moves: when the pointer moved, and what it did, the newest first.
    """
    first = begun(hour.now) - (MINUTES - 1) * MINUTE
    by_start: dict[datetime, list[Minute]] = defaultdict(list)
    for one in hour.minutes:
        by_start[one.start].append(one)
    at = [first + number * MINUTE for number in range(MINUTES)]
    top = max(1, *(sum(one.ended for one in by_start[start]) for start in at))
    rounds, _ = steps(0, top, TICKS)
    looks = _looks(hour.minutes, pointer)
    shown = [one for start in at for one in by_start[start]]
    return Traffic(
        ended=sum(one.ended for one in shown),
        failed=sum(one.failed for one in shown),
        bars=tuple(
            _bar(start, number, by_start[start], looks, HEIGHT / top)
            for number, start in enumerate(at)
        ),
        ticks=tuple(
            Tick(HEIGHT - HEIGHT * one / top, round(one)) for one in rounds if one == int(one)
        ),
        keys=tuple(Key(look, names.get(release, release[:10])) for release, look in looks.items()),
        marks=_marks(first, moves),
    )


def _marks(first: datetime, moves: Sequence[tuple[datetime, str]]) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    free = 1.0 + ROOM
    for moved, text in moves:
        left = (moved - first) / (MINUTES * MINUTE)
        if 0 <= left <= 1:
            has_room = free - left >= ROOM
            marks.append(Mark(left, text, has_room))
            free = left if has_room else free
    return tuple(marks)


def _looks(minutes: Sequence[Minute], pointer: Pointer) -> dict[str, str]:
    """Return the class of each release that ran: stable, then others, then the canary."""
    canary = "" if pointer.canary is None else pointer.canary.release
    known = {pointer.stable or "": STABLE, canary: CANARY}
    ran = sorted({one.release for one in minutes})
    order = [STABLE, OTHER, CANARY]
    found = {release: known.get(release, OTHER) for release in ran}
    return dict(sorted(found.items(), key=lambda item: order.index(item[1])))


def _bar(
    at: datetime, number: int, ran: Sequence[Minute], looks: Mapping[str, str], scale: float
) -> Bar:
    failed = sum(one.failed for one in ran)
    whole = {one.release: one.ended - one.failed for one in ran}
    parts = [(FAILED, failed), *((look, whole.get(release, 0)) for release, look in looks.items())]
    pieces: list[Piece] = []
    foot = float(HEIGHT)
    for look, runs in parts:
        if runs:
            height = max(1.5 if look == FAILED else 0.0, runs * scale)
            pieces.append(Piece(look, foot - height, height))
            foot -= height
    return Bar(
        at=at,
        left=(number + GAP / 2) / MINUTES,
        ended=sum(one.ended for one in ran),
        failed=failed,
        pieces=tuple(pieces),
    )


def spark(values: Sequence[float]) -> str:
    """Return the path of a line through values, the highest near the top; "" for a flat zero.

    >>> spark([0, 2, 1])
    'M0.0 24.0L80.0 2.0L160.0 13.0'
    """
    if not any(values):
        return ""
    wide, high = SPARK
    top, last = max(values), max(len(values) - 1, 1)
    points = (
        f"{wide * number / last:.1f} {high - 2 - (high - 4) * value / top:.1f}"
        for number, value in enumerate(values)
    )
    return "M" + "L".join(points)
