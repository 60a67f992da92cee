"""The reference values that every implementation must reproduce."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypedDict, cast

TOLERANCE = 2e-6

FILE = Path(__file__).parents[2] / "data" / "vectors.json"


class Vector(TypedDict):
    """One recorded sequence and what the evidence must be after it.

    Each section of the file holds the keys that concern it.
    """

    name: str
    x: list[float]
    labels: list[int]
    N: int
    T: float
    margin: float
    lo: float
    hi: float
    v0: float
    share: float
    log_e_go: float
    log_e_nogo: float
    log_e_go_after_each: list[float]
    log_e_rollback: float
    verdict_alpha_beta_05: str
    decided_at: int | None
    uniform_mixture_cs_95: list[float]


def vectors(section: str) -> list[Vector]:
    """Return the vectors of one section of the file."""
    content = cast("dict[str, Any]", json.loads(FILE.read_text(encoding="utf-8")))
    return cast("list[Vector]", content[section])


def name_of(vector: Vector) -> str:
    """Return the name a test is reported under."""
    return vector["name"]
