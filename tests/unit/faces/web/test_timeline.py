"""Places on the line of a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.faces.web.timeline import APART, LEAST, Stretch, Timeline, timeline

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = 86_400.0


def stretch(start: float, end: float, *, is_work: bool = True) -> Stretch:
    """Return a stretch, in seconds from the start of the run."""
    return Stretch(START + timedelta(seconds=start), START + timedelta(seconds=end), is_work)


def line_of(*stretches: Stretch) -> Timeline:
    """Return the line of some stretches."""
    line = timeline(stretches)
    assert line is not None
    return line


def test_work_is_drawn_to_one_scale() -> None:
    """Without waits the line is linear."""
    line = line_of(stretch(0, 1), stretch(1, 4))

    first, second = line.place(*stretch(0, 1)[:2]), line.place(*stretch(1, 4)[:2])

    assert (first.x, first.width) == (0.0, pytest.approx(0.25))
    assert (second.x, second.width) == (pytest.approx(0.25), pytest.approx(0.75))
    assert not line.is_folded


def test_a_wait_of_days_leaves_room_for_the_work_of_seconds() -> None:
    """A wait is folded, so that each step can be seen."""
    steps = (stretch(0, 2), stretch(2, 3 * DAY, is_work=False), stretch(3 * DAY, 3 * DAY + 2))
    line = line_of(*steps)

    before, wait, after = (line.place(*one[:2]) for one in steps)

    assert line.is_folded
    assert before.width == pytest.approx(after.width)
    assert before.width > wait.width


def test_a_short_wait_is_drawn_as_it_was() -> None:
    """The negative control: what need not be folded is not."""
    line = line_of(stretch(0, 10), stretch(10, 11, is_work=False))

    assert not line.is_folded
    assert line.place(*stretch(10, 11)[:2]).width == pytest.approx(1 / 11)


def test_a_run_that_only_waits_fills_its_line() -> None:
    line = line_of(stretch(0, DAY, is_work=False))

    place = line.place(*stretch(0, DAY)[:2])

    assert (place.x, place.width) == (0.0, pytest.approx(1.0))


def test_no_stretches_make_no_line() -> None:
    assert timeline([]) is None


def test_a_moment_without_length_can_be_seen() -> None:
    """Even what took no time has a bar, and it does not stick out at the end."""
    line = line_of(stretch(0, 0))

    place = line.place(START, START)

    assert place.width >= LEAST
    assert place.x + place.width <= 1.0


TIMES = st.floats(min_value=0, max_value=30 * DAY)


@given(st.lists(st.tuples(TIMES, TIMES, st.booleans()), min_size=1, max_size=12))
def test_every_step_lies_on_the_line_in_its_order(
    times: list[tuple[float, float, bool]],
) -> None:
    """Whatever overlaps or waits: inside the line, later never left of earlier, marks apart."""
    stretches = [stretch(min(a, b), max(a, b), is_work=work) for a, b, work in times]
    line = line_of(*stretches)

    places = [line.place(one.start, one.end) for one in sorted(stretches)]

    for place in places:
        assert 0 <= place.x <= 1
        assert LEAST <= place.width <= 1
        assert place.x + place.width <= 1 + 1e-9
    assert all(a.x <= b.x + 1e-9 for a, b in pairwise(places))
    marks = [mark.x for mark in line.marks()]
    assert (marks[0], marks[-1]) == (0.0, 1.0)
    assert all(b - a >= APART - 1e-9 for a, b in pairwise(marks))
