"""Escalation tells each tier in time, once, and nobody while somebody has taken it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.domain.alert import Acknowledgement, Escalation, Policy, Subject, Tier, Told
from proveout.watch.escalate import escalate

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

POLICY = Policy(
    tiers=(
        Tier(to="ana", after=timedelta(0)),
        Tier(to="ben", after=15 * MINUTE),
        Tier(to="cleo", after=15 * MINUTE),
        Tier(to="dora", after=30 * MINUTE),
    )
)
ALERT = Subject(key="alert:1", title="runs fail", detail="", begins=START)


def minutes(*at: float) -> list[datetime]:
    return [START + one * MINUTE for one in at]


def taken(at: float, until: float) -> Acknowledgement:
    return Acknowledgement(
        subject="alert:1", by="ana", at=START + at * MINUTE, until=START + until * MINUTE
    )


def told_over(
    moments: Iterable[datetime],
    subject: Subject = ALERT,
    policy: Policy = POLICY,
    ack: Acknowledgement | None = None,
) -> list[tuple[str, float]]:
    """Return who is told at which minute when it is looked at these moments."""
    state: Escalation | None = None
    told: list[Told] = []
    for now in moments:
        known = ack if ack is not None and ack.at <= now else None
        due, state = escalate(policy, subject, state, known, now)
        told += due
    return [(one.to, (one.at - START) / MINUTE) for one in told]


def test_each_tier_is_told_at_its_time() -> None:
    """Two targets that share a moment are told at the same one."""
    told = told_over(minutes(*range(45)))

    assert told == [("ana", 0), ("ben", 15), ("cleo", 15), ("dora", 30)]


def test_the_first_is_told_again_when_nobody_answered() -> None:
    """An hour after the last tier the next round begins."""
    told = told_over(minutes(*range(110)))

    assert told[4:] == [("ana", 90), ("ben", 105), ("cleo", 105)]


def test_rounds_may_be_limited() -> None:
    """With one repetition nobody is told a third time."""
    policy = replace(POLICY, loops=1)

    told = told_over(minutes(*range(60 * 10)), policy=policy)

    assert [to for to, _ in told] == ["ana", "ben", "cleo", "dora"] * 2


def test_who_was_away_tells_what_came_due_meanwhile_and_no_round_that_was_missed() -> None:
    """After a night without any server the whole chain hears once, not once for each hour."""
    told = told_over(minutes(0, 10 * 60, 10 * 60 + 1))

    assert told == [("ana", 0), ("ben", 600), ("cleo", 600), ("dora", 600)]


def test_nobody_is_told_while_somebody_has_taken_it() -> None:
    """An acknowledgement that lapses begins again with the first tier."""
    told = told_over(minutes(*range(90)), ack=taken(at=5, until=65))

    assert told == [("ana", 0), ("ana", 65), ("ben", 80), ("cleo", 80)]


def test_what_is_held_has_its_time_stand_still() -> None:
    """Ten minutes of silence make every later tier ten minutes later."""
    state: Escalation | None = None
    told: list[Told] = []
    for at in range(60):
        subject = replace(ALERT, is_held=10 <= at < 20)
        due, state = escalate(POLICY, subject, state, None, START + at * MINUTE)
        told += due

    assert [(one.to, one.at) for one in told] == [
        ("ana", START),
        *(("ben", START + 25 * MINUTE), ("cleo", START + 25 * MINUTE)),
        ("dora", START + 40 * MINUTE),
    ]


def test_a_deadline_is_not_overtaken_by_a_tier() -> None:
    """With ten minutes left, tiers of up to half an hour fall within nine."""
    review = Subject(key="review:1", title="", detail="", begins=START, ends=START + 10 * MINUTE)

    told = told_over(minutes(*(n / 10 for n in range(100))), subject=review)

    assert told == [("ana", 0), ("ben", 4.5), ("cleo", 4.5), ("dora", 9)]


def test_without_the_squeeze_the_deadline_comes_first() -> None:
    """Negative control: as declared, the second tier would hear after it is over."""
    told = told_over(minutes(*range(10)))

    assert told == [("ana", 0)]


def test_pressing_tells_the_next_tier_at_once() -> None:
    """One press, one tier, with all who share its moment."""
    pressed = replace(ALERT, pressed=START + 2.5 * MINUTE)
    state: Escalation | None = None
    told: list[Told] = []
    for at in range(15):
        subject = pressed if at >= 3 else ALERT
        due, state = escalate(POLICY, subject, state, None, START + at * MINUTE)
        told += due

    assert [one.to for one in told] == ["ana", "ben", "cleo"]
    assert {one.at for one in told[1:]} == {START + 3 * MINUTE}


def test_it_says_when_somebody_is_told_next() -> None:
    """A page can show the clock."""
    first = escalate(POLICY, ALERT, None, None, START).state
    ack = escalate(POLICY, ALERT, first, taken(1, 61), START + MINUTE).state
    held = escalate(POLICY, replace(ALERT, is_held=True), first, None, START + MINUTE).state

    assert first.due == START + 15 * MINUTE
    assert ack.due == START + 61 * MINUTE
    assert held.due is None


def test_a_policy_without_tiers_tells_nobody() -> None:
    """Nor does it break."""
    step = escalate(Policy(tiers=()), ALERT, None, None, START)

    assert (step.due, step.state.due) == ((), None)


@given(
    looks=st.lists(st.floats(0, 75), min_size=1, max_size=40),
    at=st.integers(0, 60),
    lasts=st.integers(1, 60),
)
def test_whenever_it_is_looked_at_nobody_is_told_early_twice_or_over_an_acknowledgement(
    looks: list[float], at: int, lasts: int
) -> None:
    """Restarts change when somebody is told by no more than the pause that they make."""
    ack = taken(at, at + lasts)
    state: Escalation | None = None
    seen: list[Told] = []
    for now in minutes(*sorted(looks)):
        known = ack if ack.at <= now else None
        due, state = escalate(POLICY, ALERT, state, known, now)
        seen += due
        if known is not None and now < ack.until:
            assert due == ()
        for one in due:
            assert now >= state.begun + POLICY.tiers[one.tier].after
    assert len({(one.loop, one.tier) for one in seen}) == len(seen)
    assert all(one.at <= other.at for one, other in pairwise(seen))


@pytest.mark.parametrize("pause", [1, 4, 14])
def test_restarts_at_any_moment_lose_no_tier(pause: int) -> None:
    """Looked at every few minutes only, each tier is told at the first look from its time on."""
    looks = range(0, 60, pause)

    told = told_over(minutes(*looks))

    late = dict(told[:4])
    for tier in POLICY.tiers:
        due = tier.after / MINUTE
        assert late[tier.to] == min(one for one in looks if one >= due)
