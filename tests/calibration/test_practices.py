"""What the docs say of common practice is what the simulation finds, here in short."""

from __future__ import annotations

import math
import re

import pytest
from practices import ALPHA, every_practice
from tables import PAGE, PRACTICES, PROMISES

pytestmark = pytest.mark.calibration

EXPERIMENTS = 150
ROW = re.compile(r"^\| (?P<name>[^|]+) \| \*\*(?P<wrong>\d+)%\*\* \|", re.MULTILINE)


def test_every_common_practice_breaks_what_ours_keeps() -> None:
    """In the same simulation, at the floor; and the docs show each with the figure found."""
    shown = {found["name"]: int(found["wrong"]) / 100 for found in ROW.finditer(table(PRACTICES))}
    tolerated = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS)

    practices = every_practice(EXPERIMENTS)

    assert {one.name for one in practices} == set(shown)
    for one in practices:
        assert one.ours <= tolerated, one
        assert one.wrong_go > 2 * tolerated, one
        assert one.wrong_go == pytest.approx(shown[one.name], abs=0.15), one


def test_the_docs_hold_what_is_promised() -> None:
    """No row shows more than 5 % of either error, or more than 1.10 times the least possible."""
    rows = [line.split("|") for line in table(PROMISES).splitlines() if "%" in line]

    assert len(rows) >= 5
    for row in rows:
        wrong_go, wrong_no_go = (float(cell.strip().rstrip("%")) for cell in row[2:4])
        assert 0 < wrong_go <= 5
        assert 0 < wrong_no_go <= 5
        beside = row[5].strip().removesuffix(" x")
        assert not beside or float(beside) <= 1.10


def table(name: str) -> str:
    """Return what `make calibration` wrote into the docs under that name."""
    found = re.search(
        f"<!-- {name}: written by make calibration -->(.*?)<!-- end -->",
        PAGE.read_text("utf-8"),
        re.DOTALL,
    )
    assert found, name
    return found[1]
