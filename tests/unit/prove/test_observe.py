"""Observations: what a finished trial says about each criterion."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from proveout.domain.case import Case
from proveout.domain.criterion import AtLeast, AtMost, Cost, Criterion, Worth
from proveout.domain.money import Usd
from proveout.domain.run import Run, RunId, RunState
from proveout.prove.observe import Trialled, observe

NOW = datetime(2026, 1, 1, tzinfo=UTC)

COST = Criterion(
    name="cost", measure=Cost(cap=Usd("0.02")), rule=AtMost(ceiling=0.015, target=0.01)
)

WORTH = Criterion(
    name="worth",
    measure=Worth(value_per_success=Usd(1), loss_per_error=Usd(4), worst=Usd("-4.02"), best=Usd(1)),
    rule=AtLeast(floor=0.0, target=0.25),
)


@pytest.mark.parametrize("claims", [1, 2, 5])
def test_a_repeated_call_costs_its_case_once(claims: int) -> None:
    """What was called again because our process died makes no case dearer than it may be."""
    run = Run(
        id=RunId("r"),
        workflow="w",
        value=b"1",
        created=NOW,
        due=None,
        state=RunState.FAILED,
        fence=claims,
    )
    trialled = Trialled(run=run, case=Case(id="1", value=1, expected=1), price=Usd("0.02"))

    assert observe((COST, WORTH), trialled, {}) == (0.02, -4.02)
