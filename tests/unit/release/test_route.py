"""Where the pointer may go, as values in and a value out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST, SECOND, canary, release
from doubles.given import START
from proveout.domain.release import InFlight, Pointer, Share, Stage
from proveout.errors import Mistake
from proveout.release.route import (
    AlreadySo,
    CanaryPlan,
    NothingBefore,
    NotPromoted,
    Past,
    life,
    made_stable,
    rolled_back,
    with_canary,
)

if TYPE_CHECKING:
    from proveout.domain.release import Release

R1, R2 = release(FIRST), release(SECOND, number=2)
NOTHING = Pointer(workflow="triage")
SERVES = Pointer(workflow="triage", version=1, stage=Stage.PRODUCTION, stable=FIRST)
SHARED = replace(SERVES, version=2, canary=canary(500))


def plan(points: int = 1000, salt: str = "other", hold: timedelta | None = None) -> CanaryPlan:
    return CanaryPlan(share=Share(points=points), salt=salt, now=START, hold=hold)


def test_a_promotion_moves_the_workflow_into_production() -> None:
    """From then on the release serves everything."""
    moved = made_stable(NOTHING, R1)

    assert (moved.stage, moved.stable, moved.canary) == (Stage.PRODUCTION, FIRST, None)
    assert moved.version == NOTHING.version + 1


def test_a_canary_that_is_promoted_serves_everything_alone() -> None:
    """Widening to all ends the canary."""
    moved = made_stable(SHARED, R2)

    assert (moved.stable, moved.canary, moved.version) == (SECOND, None, 3)


def test_what_serves_everything_is_not_promoted_again() -> None:
    """A second promotion would be an entry about nothing."""
    with pytest.raises(AlreadySo):
        made_stable(SERVES, R1)


def test_a_stable_release_beside_a_canary_can_be_promoted_again() -> None:
    """The control of the above: here the promotion ends the canary."""
    assert made_stable(SHARED, R1).canary is None


def test_a_canary_begins_with_the_salt_of_its_plan() -> None:
    """Who is in it is drawn anew for each canary."""
    moved = with_canary(SERVES, R2, plan(hold=timedelta(days=2)))

    assert moved.canary is not None
    assert (moved.canary.release, moved.canary.salt) == (SECOND, "other")
    assert moved.canary.hold == START + timedelta(days=2)
    assert moved.stable == FIRST


def test_a_canary_with_another_share_keeps_whom_it_has() -> None:
    """The salt stays, so that who was in it stays in it."""
    moved = with_canary(SHARED, R2, plan(points=5000, salt="other"))

    assert moved.canary is not None
    assert (moved.canary.salt, moved.canary.share.points) == ("salt", 5000)
    keys = [f"order-{n}" for n in range(500)]
    before = {key for key in keys if SHARED.assigned(key) == SECOND}
    assert before < {key for key in keys if moved.assigned(key) == SECOND}


def test_a_canary_needs_a_release_to_be_compared_with() -> None:
    """The first release is promoted, and never a canary beside nothing."""
    with pytest.raises(NotPromoted) as caught:
        with_canary(NOTHING, R1, plan())

    assert caught.value.fix == ("proveout promote r1",)


def test_the_stable_release_is_no_canary_of_itself() -> None:
    with pytest.raises(AlreadySo):
        with_canary(SERVES, R1, plan())


@pytest.mark.parametrize("points", [-1, 0, 10_000, 10_001])
def test_a_share_is_more_than_nothing_and_less_than_everything(points: int) -> None:
    with pytest.raises(Mistake):
        Share(points=points)


def test_a_rollback_ends_the_canary_first() -> None:
    """The stable release serves everything again."""
    way = rolled_back(SHARED, Past(before=(FIRST,)))

    assert (way.bad, way.to) == (SECOND, FIRST)
    assert (way.pointer.stable, way.pointer.canary) == (FIRST, None)


def test_a_rollback_without_a_canary_goes_back_to_what_served_before() -> None:
    """The newest of those that are not stable now."""
    now = replace(SERVES, stable=SECOND, version=4)

    way = rolled_back(now, Past(before=(FIRST,)))

    assert (way.bad, way.to, way.pointer.stable) == (SECOND, FIRST, FIRST)
    assert way.pointer.stage is Stage.PRODUCTION


def test_a_rollback_to_a_named_release_ends_the_canary_too() -> None:
    """What is named serves everything, whatever served beside it."""
    third = type(FIRST)("3d" * 32)

    way = rolled_back(SHARED, Past(before=(FIRST,), served=frozenset({third})), to=third)

    assert (way.bad, way.to, way.pointer.canary) == (FIRST, third, None)


def test_nothing_is_rolled_back_where_nothing_serves() -> None:
    with pytest.raises(NotPromoted):
        rolled_back(NOTHING, Past())


def test_the_first_release_has_nothing_before_it() -> None:
    """The refusal names what stops everything instead."""
    with pytest.raises(NothingBefore) as caught:
        rolled_back(SERVES, Past(before=(FIRST,)))

    assert "proveout halt" in caught.value.fix


def test_a_rollback_to_what_serves_everything_changes_nothing() -> None:
    with pytest.raises(AlreadySo):
        rolled_back(SERVES, Past(before=(FIRST,)), to=FIRST)


@pytest.mark.parametrize(
    ("one", "runs", "has_served", "stands"),
    [
        (R1, 0, True, "stable"),
        (R2, 0, True, "canary"),
        (release(type(FIRST)("3d" * 32), number=3), 0, False, "created"),
        (release(type(FIRST)("3d" * 32), number=3), 2, True, "draining"),
        (release(type(FIRST)("3d" * 32), number=3), 0, True, "retired"),
    ],
)
def test_a_release_stands_somewhere_in_its_life(
    one: Release, runs: int, has_served: bool, stands: str
) -> None:
    assert life(one, SHARED, InFlight(runs=runs), has_served=has_served) == stands


@pytest.mark.parametrize(("runs", "parked", "needs"), [(0, 0, False), (3, 3, False), (3, 2, True)])
def test_parked_runs_need_no_workers(runs: int, parked: int, needs: bool) -> None:
    """They wait for an operator; a release that holds only those may rest."""
    assert InFlight(runs=runs, parked=parked).needs_workers == needs
