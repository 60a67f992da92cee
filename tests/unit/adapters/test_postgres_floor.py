"""Where claims begin to look while the server cannot tidy up."""

from __future__ import annotations

from datetime import timedelta

from doubles.given import START
from proveout.adapters.postgres.floor import ALL, LONGEST, SHORTEST, SLOW, SLOW_IN_A_ROW, Floor
from proveout.domain.run import Run, RunId
from proveout.ports.store import Claimed

LATE = START + timedelta(minutes=5)


def due(*minutes: int) -> list[Claimed]:
    """Return claims of runs that were due so many minutes after the start."""
    return [
        Claimed(
            run=Run(
                id=RunId(f"{minute}"),
                workflow="triage",
                value=b"1",
                created=START,
                due=START + timedelta(minutes=minute),
            ),
            entries=(),
            now=LATE,
        )
        for minute in minutes
    ]


def slow(found: list[Claimed], limit: int = 2, took: float = 2 * SLOW) -> Floor:
    """Return the floor after as many slow looks at all as it takes, the last ends at 100."""
    floor = Floor()
    for _ in range(SLOW_IN_A_ROW):
        floor.learn(found, limit, 100 - took, 100)
    return floor


def test_quick_claims_always_look_at_all() -> None:
    """In ordinary times the order of claims is exact."""
    floor = slow(due(3, 4), took=SLOW / 2)

    assert floor.at(100) == ALL
    assert not floor.may_hide()


def test_one_slow_claim_changes_nothing() -> None:
    """A busy machine is slow once; an index full of the dead is slow every time."""
    floor = Floor()
    for took in (2 * SLOW, 2 * SLOW, 0.0, 2 * SLOW):
        floor.learn(due(3, 4), 2, 100 - took, 100)

    assert floor.at(100) == ALL


def test_after_slow_claims_the_next_begin_where_the_last_found_something() -> None:
    """Until its time is over; then one looks at all again."""
    floor = slow(due(3, 4))

    assert floor.at(100) == START + timedelta(minutes=3)
    assert floor.at(100 + SHORTEST) != ALL or floor.at(100 + LONGEST) == ALL
    assert floor.at(100 + LONGEST) == ALL


def test_a_floor_rises_with_what_is_found_and_never_falls() -> None:
    """What was claimed lies below it."""
    floor = slow(due(3, 4))

    floor.raise_to(due(5, 6), 2)
    floor.raise_to(due(4), 2)

    assert floor.at(100) == START + timedelta(minutes=5)


def test_nothing_above_the_floor_makes_the_next_claim_look_below() -> None:
    """Runs of a lower priority may be left there, and a worker has room for them."""
    floor = slow(due(3, 4))

    assert floor.may_hide()
    assert floor.at(100) == ALL


def test_where_nothing_was_left_below_nobody_looks_before_time() -> None:
    """The last look at all found less than it asked for."""
    floor = slow(due(3), limit=2)

    assert not floor.may_hide()
    assert floor.at(100) == START + timedelta(minutes=3)


def test_a_full_claim_from_the_floor_may_leave_something_below_the_new_one() -> None:
    """It took the most urgent; older ones of a lower priority may be left."""
    floor = slow(due(3), limit=2)

    floor.raise_to(due(5, 6), 2)

    assert floor.may_hide()
