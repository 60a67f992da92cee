"""Rubber stamps: when approvals are no check any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from proveout.domain.review import ReviewId
from proveout.ports.reviews import Outcome, PastReview
from proveout.run.stamp import LAST, stamps

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def past(every: float, outcomes: list[Outcome], by: str = "ana") -> list[PastReview]:
    """Return decisions of a person, one every so many seconds; all were asked hours before."""
    return [
        PastReview(
            id=ReviewId(f"{by}-{n}"),
            queue="refunds",
            by=by,
            outcome=outcome,
            opened=START - timedelta(hours=2),
            decided=START + timedelta(seconds=every * n),
        )
        for n, outcome in enumerate(outcomes)
    ]


YES, NO = Outcome.APPROVED, Outcome.REJECTED


@pytest.mark.parametrize(
    ("every", "outcomes", "is_alarm"),
    [
        (2, [YES] * (LAST + 1), True),
        (2, [*[NO] * 30, *[YES] * LAST], True),
        (2, [YES] * (LAST - 1), False),
        (60, [YES] * (LAST + 1), False),
        (2, [*[YES] * LAST, NO, NO], False),
        (2, [*[YES] * LAST, NO], True),
    ],
)
def test_nearly_all_within_seconds_is_an_alarm(
    every: float, outcomes: list[Outcome], is_alarm: bool
) -> None:
    """The last twenty count: fewer tell nothing, slower ones were read, rejections were seen."""
    [stamp] = stamps(past(every, outcomes))

    assert stamp.is_alarm == is_alarm


def test_people_are_told_apart_and_time_is_their_own() -> None:
    """Whoever waits behind a quick colleague is no stamp; the busiest comes first."""
    both = [*past(2, [YES] * 30, "ana"), *past(40, [YES] * 25, "bo")]

    ana, bo = stamps(both[::-1])

    assert (ana.by, ana.decisions, ana.approved, ana.median) == (
        "ana",
        20,
        20,
        timedelta(seconds=2),
    )
    assert (bo.by, bo.is_alarm) == ("bo", False)
    assert stamps([]) == []
