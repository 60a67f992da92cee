"""Charts as inline SVG: how one criterion's interval narrowed, and what decided.

Pure: a `Standing` in, text out, safe to put into a page. Colours and type come from the
page's style sheet by class; every chart has a title and a description of its own.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.criterion import AtLeast, Cost, Latency, Lead, Scored, Worth
from proveout.domain.duration import say_duration
from proveout.domain.verdict import Status
from proveout.faces.report.figures import (
    count_of,
    evidence,
    limit_word,
    limits,
    scale_of,
    steps,
)
from proveout.faces.report.untrusted import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proveout.domain.criterion import Criterion
    from proveout.domain.verdict import Reading, Standing

LINE = 15
"""Height of a line of text."""

AIR = 0.14
"""Share of the span between the outermost values that is left free above and below."""

SETTLING = 0.15
"""The estimates of this first share of the cases do not widen the axis."""

NARROWED = 0.5
"""The interval after this share of the cases is still on the plot."""

MOST_POWERS = 5
"""Powers of ten that an axis marks; only every second or third beyond."""

SETTLED_WORD = {Status.MET: "met", Status.FAILED: "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a chart is drawn, in units of the screen.

    Attributes:
        name: the class by which a style sheet shows it where it fits.
        right: room for the names of the lines.
    """

    name: str
    width: int
    height: int
    left: int
    right: int
    marks: int


WIDE = Size(name="wide", width=720, height=262, left=46, right=112, marks=6)
HALF = Size(name="half", width=500, height=232, left=46, right=108, marks=5)
NARROW = Size(name="narrow", width=326, height=232, left=42, right=94, marks=3)

TOP, BOTTOM = 38, 38
LOWER = 0.8
"""Height of the chart of the evidence, as a share of that of the interval."""


class Label(NamedTuple):
    """A line of text beside the plot, at the height of what it names."""

    y: float
    text: str
    look: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The plot of a chart: where cases and values lie on it."""

    size: Size
    height: float
    cases: int
    low: float
    high: float

    @property
    def right(self) -> float:
        """Where the plot ends."""
        return self.size.width - self.size.right

    @property
    def foot(self) -> float:
        """Where the plot stands."""
        return self.height - BOTTOM

    def x(self, count: float) -> float:
        """Return where a count of cases lies."""
        return self.size.left + (self.right - self.size.left) * count / self.cases

    def y(self, value: float) -> float:
        """Return where a value lies; far outside the plot all values lie together."""
        span = self.high - self.low
        near = min(max(value, self.low - span), self.high + span)
        return self.foot - (self.foot - TOP) * (near - self.low) / span

    def inside(self, y: float) -> float:
        """Return the nearest height within the plot."""
        return min(max(y, TOP), self.foot)


def interval_chart(standing: Standing, size: Size = WIDE, key: str = "") -> str:
    """Return how the estimate moved and the interval narrowed, case after case.

    Args:
        standing: of one criterion, with its course where that is to be drawn.
        size: `WIDE`, `HALF` or `NARROW`.
        key: distinguishes this chart from all others of the page.
    """
    scale, now = scale_of(standing.criterion), standing.now
    low, high = extent(standing)
    frame = Frame(size=size, height=size.height, cases=max(1, now.count), low=low, high=high)
    limit, target = limits(standing.criterion)
    labels = [
        Label(frame.y(target), f"target {scale.exactly(target)}", "t-target"),
        Label(
            frame.y(limit), f"{limit_word(standing.criterion)} {scale.exactly(limit)}", "t-limit"
        ),
    ]
    if now.estimate is not None:
        labels.append(Label(frame.y(now.estimate), scale.say(now.estimate), "t-estimate"))
    marks, step = steps(low, high, 5)
    parts = [
        _zones(frame, standing),
        *(_mark(frame, value, scale.mark(value, step)) for value in marks),
        _axis(frame, axis_title(standing.criterion)),
        _plot(frame, _course(frame, standing), _limit_lines(frame, limit, target)),
        _settled(frame, standing),
        _dot(frame, now),
        _beside(frame, labels),
    ]
    title = f"{standing.criterion.name}: estimate and interval over {count_of(now.count, 'case')}"
    return _svg(frame, key, title, describe_interval(standing), parts)


def evidence_chart(standing: Standing, size: Size = WIDE, key: str = "") -> str:
    """Return how the evidence for GO and for NO-GO grew towards the lines that decide.

    Args:
        standing: of one criterion, with its course where that is to be drawn.
        size: `WIDE`, `HALF` or `NARROW`.
        key: distinguishes this chart from all others of the page.
    """
    now = standing.now
    low, high = _evidence_extent(standing)
    height = round(size.height * LOWER)
    frame = Frame(size=size, height=height, cases=max(1, now.count), low=low, high=high)
    parts = [
        *(_mark(frame, power * math.log(10), f"{10.0**power:,.6g}") for power in _powers(frame)),
        _axis(frame, "evidence, on a logarithmic scale; 1 is none"),
        _plot(frame, _evidence_curves(frame, standing), _evidence_lines(frame, standing)),
        _settled(frame, standing),
        _beside(frame, _evidence_labels(frame, standing)),
    ]
    title = f"{standing.criterion.name}: evidence over {count_of(now.count, 'case')}"
    return _svg(frame, key, title, describe_evidence(standing), parts)


def interval_bar(standing: Standing) -> str:
    """Return a small bar for a table: interval, estimate, floor or ceiling, and target.

    The figures stand beside it, so it is hidden from those who hear the page.
    """
    width, left, right = 176, 5, 171
    low, high = extent(standing)
    limit, target = limits(standing.criterion)

    def x(value: float) -> float:
        return left + (right - left) * (min(max(value, low), high) - low) / (high - low)

    start, end = (x(edge) for edge in standing.now.interval)
    parts = [
        _shape("rect", "track", x=left, y=9, width=right - left, height=6, rx=3),
        _shape("rect", "span", x=start, y=6, width=max(1.0, end - start), height=12, rx=3),
        _shape("line", "limit", x1=x(limit), x2=x(limit), y1=1, y2=23),
        _shape("line", "target", x1=x(target), x2=x(target), y1=1, y2=23),
    ]
    if standing.now.estimate is not None:
        parts.append(_shape("circle", "dot", cx=x(standing.now.estimate), cy=12, r=4.5))
    return (
        f'<svg class="bar" width="{width}" height="24" viewBox="0 0 {width} 24"'
        f' aria-hidden="true">{"".join(parts)}</svg>'
    )


def meter(share: float, until: float | None = None) -> str:
    """Return a small bar filled to a share, or from one share to another."""
    start, end = (0.0, share) if until is None else (share, until)
    start, end = (min(1.0, max(0.0, one)) * 200 for one in (start, end))
    return (
        '<svg class="meter" viewBox="0 0 200 8" preserveAspectRatio="none" aria-hidden="true">'
        + _shape("rect", "track", x=0, y=0, width=200, height=8)
        + _shape("rect", "fill", x=start, y=0, width=max(1.0, end - start), height=8)
        + "</svg>"
    )


def extent(standing: Standing) -> tuple[float, float]:
    """Return the values between which a criterion's chart is drawn."""
    scale, now = scale_of(standing.criterion), standing.now
    values = [*limits(standing.criterion), *now.interval]
    values += [
        reading.estimate
        for reading in standing.course
        if reading.estimate is not None and reading.count >= SETTLING * now.count
    ]
    values += [
        edge
        for reading in standing.course
        if reading.count >= NARROWED * now.count
        for edge in reading.interval
    ]
    air = AIR * (max(values) - min(values))
    return max(scale.low, min(values) - air), min(scale.high, max(values) + air)


def axis_title(criterion: Criterion) -> str:
    """Return what the axis of a criterion's values measures, with its unit."""
    match criterion.measure:
        case Latency(within=within):
            return f"share of cases answered within {say_duration(within)}"
        case Cost() | Worth() as measure:
            what = "cost" if isinstance(measure, Cost) else "net worth"
            return f"mean {what} of a case, in US dollars"
        case Lead(over=over, scored=Scored(graded=None)):
            return f"lead over {over}, in points of the share that passes"
        case Lead(over=over, most=most):
            return f"lead over {over} in the mean grade, from {-most:g} to {most:g}"
        case Scored(graded=None):
            higher = isinstance(criterion.rule, AtLeast)
            return "share of cases that pass" if higher else "share of cases in which it happens"
        case Scored(graded=graded):
            assert graded is not None  # noqa: S101 - the case above took the others
            return f"mean grade, from {graded.low:g} to {graded.high:g}"


def describe_interval(standing: Standing) -> str:
    """Return what the chart of the interval shows, for those who hear the page."""
    scale, now = scale_of(standing.criterion), standing.now
    limit, target = limits(standing.criterion)
    rule = (
        f"The {limit_word(standing.criterion)} is {scale.exactly(limit)},"
        f" the target {scale.exactly(target)}."
    )
    if now.estimate is None:
        return f"No case has been read yet. {rule}"
    return (
        f"The estimate is {scale.say(now.estimate)}; the interval narrowed to"
        f" {scale.say_span(now.interval)}. {rule} {settled_sentence(standing)}"
    )


def describe_evidence(standing: Standing) -> str:
    """Return what the chart of the evidence shows, for those who hear the page."""
    now = standing.now
    return (
        f"Evidence for GO is {evidence(now.log_e_go)} and falls at"
        f" {evidence(standing.log_go_line)}; for NO-GO it is {evidence(now.log_e_nogo)} and"
        f" falls at {evidence(standing.log_nogo_line)}. {settled_sentence(standing)}"
    )


def settled_sentence(standing: Standing) -> str:
    """Return in one sentence when a criterion was settled, or that it is open."""
    if standing.decided_at is None:
        return "It is still open."
    return f"It was settled as {SETTLED_WORD[standing.status]} at case {standing.decided_at:,}."


def _zones(frame: Frame, standing: Standing) -> str:
    limit, target = (frame.inside(frame.y(one)) for one in limits(standing.criterion))
    higher = isinstance(standing.criterion.rule, AtLeast)
    bad = (limit, frame.foot) if higher else (TOP, limit)
    good = (TOP, target) if higher else (target, frame.foot)
    left, width = frame.size.left, frame.right - frame.size.left
    return "".join(
        _shape("rect", look, x=left, y=top, width=width, height=max(0.0, foot - top))
        for look, (top, foot) in (("zone-bad", bad), ("zone-good", good))
    )


def _mark(frame: Frame, value: float, text: str) -> str:
    y = frame.y(value)
    return _shape("line", "grid", x1=frame.size.left, x2=frame.right, y1=y, y2=y) + _text(
        frame.size.left - 8, y + 4, text, anchor="end"
    )


def _axis(frame: Frame, title: str) -> str:
    marks, _ = steps(0, frame.cases, min(frame.size.marks, frame.cases))
    middle = (frame.size.left + frame.right) / 2
    return "".join(
        [
            _text(2, 12, title),
            *(
                _text(frame.x(count), frame.foot + 17, f"{count:,.0f}", anchor="middle")
                for count in marks
                if count == round(count)
            ),
            _text(middle, frame.height - 4, "cases, in the recorded order", anchor="middle"),
        ]
    )


def _plot(frame: Frame, *layers: str) -> str:
    """Return layers that are cut off where the plot ends."""
    left, width, height = frame.size.left, frame.right - frame.size.left, frame.foot - TOP
    box = f"{left} {TOP} {_number(width)} {_number(height)}"
    return (
        f'<svg x="{left}" y="{TOP}" width="{_number(width)}" height="{_number(height)}"'
        f' viewBox="{box}">{"".join(layers)}</svg>'
    )


def _course(frame: Frame, standing: Standing) -> str:
    readings = _readings(standing)
    if not readings:
        return _text(
            (frame.size.left + frame.right) / 2,
            (TOP + frame.foot) / 2,
            "no case read yet",
            anchor="middle",
        )
    scale = scale_of(standing.criterion)
    upper = [(0, scale.high), *((one.count, one.interval[1]) for one in readings)]
    lower = [(0, scale.low), *((one.count, one.interval[0]) for one in readings)]
    estimates = [(one.count, one.estimate) for one in readings if one.estimate is not None]
    return (
        _line(frame, "band", [*upper, *reversed(lower)], close=True)
        + _line(frame, "edge", upper)
        + _line(frame, "edge", lower)
        + _line(frame, "estimate", estimates)
    )


def _limit_lines(frame: Frame, limit: float, target: float) -> str:
    return "".join(
        _shape("line", look, x1=frame.size.left, x2=frame.right, y1=y, y2=y)
        for look, y in (("target", frame.y(target)), ("limit", frame.y(limit)))
    )


def _settled(frame: Frame, standing: Standing) -> str:
    if standing.decided_at is None:
        return ""
    x = frame.x(standing.decided_at)
    text = f"{SETTLED_WORD[standing.status]} at case {standing.decided_at:,}"
    room = 4.0 * len(text)
    anchor, at = "middle", x
    if x + room > frame.right:
        anchor, at = "end", max(x, frame.size.left + 2 * room)
    elif x - room < frame.size.left:
        anchor, at = "start", x
    return _shape("line", "settled", x1=x, x2=x, y1=TOP - 4, y2=frame.foot) + _text(
        at, TOP - 9, text, look="strong", anchor=anchor
    )


def _dot(frame: Frame, now: Reading) -> str:
    if now.estimate is None:
        return ""
    y = frame.inside(frame.y(now.estimate))
    return _shape("circle", "dot", cx=frame.x(now.count), cy=y, r=5)


def _beside(frame: Frame, labels: Sequence[Label]) -> str:
    """Return the names of the lines, moved apart where they would overlap."""
    ordered = sorted(labels)
    places = spread([frame.inside(label.y) for label in ordered], TOP, frame.foot + 6)
    x = frame.right + 16
    return "".join(
        _leader(frame.right + 6, frame.inside(label.y), x - 4, place)
        + _text(x, place + 4, label.text, look=label.look)
        for label, place in zip(ordered, places, strict=True)
    )


def _leader(x1: float, y1: float, x2: float, y2: float) -> str:
    return _shape("line", "leader", x1=x1, y1=y1, x2=x2, y2=y2)


def spread(wanted: Sequence[float], top: float, foot: float) -> list[float]:
    """Return heights near the wanted ones, in the same order, a line of text apart.

    >>> spread([20.0, 22.0], 0.0, 100.0), spread([95.0, 99.0], 0.0, 100.0)
    ([20.0, 35.0], [85.0, 100.0])
    """
    places: list[float] = []
    for y in wanted:
        places.append(max(top, y, places[-1] + LINE if places else top))
    for index in reversed(range(len(places))):
        below = places[index + 1] - LINE if index + 1 < len(places) else foot
        places[index] = min(places[index], below)
    return places


def _evidence_extent(standing: Standing) -> tuple[float, float]:
    lines = max(standing.log_go_line, standing.log_nogo_line)
    seen = [e for one in _readings(standing) for e in (one.log_e_go, one.log_e_nogo)] or [0.0]
    high = min(max(lines * 1.25, *seen), lines * 1.7)
    low = max(min(-lines * 0.5, *seen), -lines * 1.5)
    return low, high


def _evidence_curves(frame: Frame, standing: Standing) -> str:
    readings = _readings(standing)
    go = [(0, 0.0), *((one.count, one.log_e_go) for one in readings)]
    nogo = [(0, 0.0), *((one.count, one.log_e_nogo) for one in readings)]
    return _line(frame, "for-nogo", nogo) + _line(frame, "for-go", go)


def _evidence_lines(frame: Frame, standing: Standing) -> str:
    lines = {"line-nogo": standing.log_nogo_line, "line-go": standing.log_go_line}
    if _is_one_line(standing):
        lines = {"line-both": standing.log_go_line}
    return "".join(
        _shape("line", look, x1=frame.size.left, x2=frame.right, y1=frame.y(e), y2=frame.y(e))
        for look, e in lines.items()
    )


def _evidence_labels(frame: Frame, standing: Standing) -> list[Label]:
    go, nogo, now = standing.log_go_line, standing.log_nogo_line, standing.now
    labels = [
        Label(frame.y(go), f"GO at {evidence(go)}", "t-target"),
        Label(frame.y(nogo), f"NO-GO at {evidence(nogo)}", "t-limit"),
    ]
    if _is_one_line(standing):
        labels = [Label(frame.y(go), f"verdict at {evidence(go)}", "strong")]
    if now.count:
        labels += [
            Label(frame.y(now.log_e_go), f"for GO{_off(frame, now.log_e_go)}", "t-target"),
            Label(frame.y(now.log_e_nogo), f"for NO-GO{_off(frame, now.log_e_nogo)}", "t-limit"),
        ]
    return labels


def _off(frame: Frame, log_e: float) -> str:
    """Return an arrow for what lies above or below the plot."""
    return " ↑" if log_e > frame.high else " ↓" if log_e < frame.low else ""


def _powers(frame: Frame) -> range:
    """Return the powers of ten to mark, none beside it among them."""
    first, last = (math.ceil(frame.low / math.log(10)), math.floor(frame.high / math.log(10)))
    every = math.ceil((last - first + 1) / MOST_POWERS)
    return range(-(-first // every) * every, last + 1, every)


def _is_one_line(standing: Standing) -> bool:
    return math.isclose(standing.log_go_line, standing.log_nogo_line)


def _readings(standing: Standing) -> tuple[Reading, ...]:
    """Return the course, or where it was not drawn up, the last reading alone."""
    return standing.course or ((standing.now,) if standing.now.count else ())


def _line(
    frame: Frame, look: str, points: Iterable[tuple[float, float]], *, close: bool = False
) -> str:
    places = [f"{_number(frame.x(count))} {_number(frame.y(value))}" for count, value in points]
    kept = places[:1] + [after for before, after in pairwise(places) if after != before]
    return f'<path class="{look}" d="M{"L".join(kept)}{"Z" if close else ""}"/>'


def _svg(frame: Frame, key: str, title: str, description: str, parts: Iterable[str]) -> str:
    name = f"{key}{frame.size.name}"
    return (
        f'<svg class="chart {frame.size.name}" viewBox="0 0 {frame.size.width}'
        f' {_number(frame.height)}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{_escaped(title)}</title>'
        f'<desc id="{name}-d">{_escaped(description)}</desc>{"".join(parts)}</svg>'
    )


def _shape(name: str, look: str, **attributes: float) -> str:
    words = "".join(f' {key}="{_number(value)}"' for key, value in attributes.items())
    return f'<{name} class="{look}"{words}/>'


def _text(x: float, y: float, text: str, *, look: str = "", anchor: str = "start") -> str:
    words = f' class="{look}"' if look else ""
    words += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{_number(x)}" y="{_number(y)}"{words}>{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    return html.escape(harmless(text))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
