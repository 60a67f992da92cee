"""An alert makes the moves of its table, and no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from proveout.domain.alert import (
    MOVES,
    Alert,
    AlertState,
    IllegalAlertMove,
    Policy,
    Rule,
    Severity,
    Silence,
    Tier,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def alert(state: AlertState) -> Alert:
    return Alert(
        id="1",
        workflow="triage",
        rule=Rule.RUNS,
        severity=Severity.PAGE,
        summary="runs fail",
        detail="",
        since=NOW,
        held=NOW,
        state=state,
    )


@pytest.mark.parametrize("to", AlertState)
@pytest.mark.parametrize("now", AlertState)
def test_every_move_is_in_the_table_or_refused(now: AlertState, to: AlertState) -> None:
    """What is over stays over."""
    one = alert(now)

    if to in MOVES[now]:
        assert one.to(to, NOW).state is to
    else:
        with pytest.raises(IllegalAlertMove):
            one.to(to, NOW)


def test_it_is_opened_once() -> None:
    """An acknowledgement that lapses does not make it younger."""
    first = alert(AlertState.WAITING).to(AlertState.OPEN, NOW)

    again = first.to(AlertState.ACKNOWLEDGED, NOW + MINUTE).to(AlertState.OPEN, NOW + 2 * MINUTE)

    assert again.opened == NOW


def test_a_silence_has_a_beginning_an_end_and_a_rule() -> None:
    """None is every rule."""
    one = Silence(id="1", rule=Rule.COST, by="ana", reason="why", begins=NOW, ends=NOW + MINUTE)

    assert one.covers(Rule.COST, NOW)
    assert not one.covers(Rule.RUNS, NOW)
    assert not one.covers(Rule.COST, NOW - MINUTE)
    assert not one.covers(Rule.COST, NOW + MINUTE)


def test_a_ticket_goes_to_everybody_of_the_first_moment() -> None:
    """Two who are told at once are both the first."""
    policy = Policy(
        tiers=tuple(Tier(to=to, after=n * MINUTE) for to, n in (("a", 0), ("b", 0), ("c", 5)))
    )

    assert [one.to for one in policy.first_alone(MINUTE).tiers] == ["a", "b"]


def test_tiers_are_brought_together_and_never_apart() -> None:
    """Their order and their shares stay."""
    policy = Policy(
        tiers=tuple(Tier(to=to, after=n * MINUTE) for to, n in (("a", 0), ("b", 10), ("c", 30)))
    )

    squeezed = policy.squeezed(3 * MINUTE)

    assert [one.after / MINUTE for one in squeezed.tiers] == [0, 1, 3]
    assert policy.squeezed(60 * MINUTE) == policy
    assert [one.after for one in policy.squeezed(-MINUTE).tiers] == [timedelta(0)] * 3
