"""Locking an experiment: what is fixed before the first trial, and its digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.criterion import Options, Scored
from proveout.domain.experiment import Candidate, Estimand
from proveout.domain.money import Usd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.domain.case import Case, Dataset
    from proveout.domain.experiment import Plan


def locked_words(plan: Plan, dataset: Dataset) -> dict[str, Any]:
    """Return what the lock covers, as plain data.

    The budget, the time box and the concurrency are not part of it: the evidence is
    valid whenever the experiment stops, so they may be extended. Nor is whether answers are
    reused: which were, each trial says. What came later than the first locks is named where
    it is used, so that older locks stay what they were.
    """
    later: dict[str, Any] = {}
    if plan.repeats != 1:
        later["repeats"] = plan.repeats
    if plan.estimand is not Estimand.PER_REQUEST:
        later["estimand"] = plan.estimand
    return {
        "format": 1,
        "workflow": plan.workflow,
        "experiment": plan.name,
        "question": plan.question,
        "claim": plan.claim,
        "dataset": dataset.digest,
        "criteria": [words(criterion) for criterion in plan.criteria],
        "candidates": [words(candidate) for candidate in plan.candidates],
        "errors": words(plan.errors),
        "pick_best": plan.pick_best,
        **later,
    }


def words(value: object) -> Any:
    """Return a domain value as plain data that names its own type."""
    if is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, Usd):
            return f"{value.amount} USD"
        inner = {name: words(getattr(value, name)) for name in asdict(value)}
        if isinstance(value, Scored) and value.options == Options():
            del inner["options"]
        if isinstance(value, Scored) and value.judge is None:
            del inner["judge"]
        if isinstance(value, Scored) and not value.source:
            del inner["source"]
        if isinstance(value, Candidate) and not value.is_metered:
            del inner["is_metered"]
        if isinstance(value, Candidate):
            del inner["reuse"]
        return {"type": type(value).__name__, **inner}
    if isinstance(value, timedelta):
        return f"{value.total_seconds()} s"
    if isinstance(value, tuple | list):
        return [words(item) for item in cast("Iterable[object]", value)]
    return value


def canonical(value: object) -> bytes:
    """Return plain data as bytes of JSON that depend on nothing but the data."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def case_digest(case: Case) -> str:
    """Return the digest by which a case is known again, whatever dataset it stands in."""
    return digest(canonical(case.value))[:32]


def draw_order(seed: int, cases: Iterable[int]) -> list[int]:
    """Return the indices of cases in the order that `seed` draws.

    Each index gets the SHA-256 of the seed and itself as its lot, so anyone can draw
    the same order again, in any language.
    """
    return sorted(cases, key=lambda index: digest(f"{seed}:{index}".encode()))
