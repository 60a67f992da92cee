"""Scores: what a trial earned on one measure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar, cast, overload

from proveout.domain.criterion import AtLeast, AtMost, Criterion, Graded, Scored
from proveout.domain.workflow import check_module_level
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.domain.case import Case

P = ParamSpec("P")
R = TypeVar("R")
Scorer: TypeAlias = "Callable[[Any, Case], bool | float]"


class BadScore(Mistake):
    """A score gave something that its criterion cannot read."""

    code = "bad-score"


def exact(result: object, case: Case) -> bool:
    """Whether the result equals what the case expects, as JSON.

    Numbers are equal by value; a truth value is no number.
    """
    return _plain(result) == _plain(case.expected)


def _plain(value: object) -> object:
    """Return JSON data in which True and 1 differ."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return {key: _plain(item) for key, item in pairs}
    return value


BUILT_IN: dict[str, Scorer] = {"exact": exact}
"""Scores that need no function of the user's."""


@overload
def score(what: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def score(
    what: str,
    /,
    *,
    floor: float | None = None,
    ceiling: float | None = None,
    target: float,
    name: str | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Criterion: ...
def score(
    what: Callable[P, R] | str,
    /,
    *,
    floor: float | None = None,
    ceiling: float | None = None,
    target: float | None = None,
    name: str | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Callable[P, R] | Criterion:
    """Mark a function as a score, or make a criterion of a score's name.

    As a decorator it leaves `(result, case) -> bool | float` as it is. With a name,
    "exact" or "module:function", it returns the criterion.

    Raises:
        Mistake: a floor and a ceiling, neither, or a target on the wrong side.
    """
    if not isinstance(what, str):
        check_module_level(what)
        return what
    if target is None or (floor is None) == (ceiling is None):
        raise Mistake(
            f'score("{what}") needs a target, and a floor or a ceiling',
            fix=(f'score("{what}", floor=0.85, target=0.90)',),
        )
    graded = None if low is None or high is None else Graded(low=low, high=high)
    rule = (
        AtLeast(floor=floor, target=target)
        if floor is not None
        else AtMost(ceiling=cast("float", ceiling), target=target)
    )
    return Criterion(name=name or what, measure=Scored(score=what, graded=graded), rule=rule)


def read_score(given: object, graded: Graded | None, name: str) -> float:
    """Return what a score function gave as a number that its criterion can read.

    Raises:
        BadScore: it is no number, outside the declared range, or neither pass nor fail.
    """
    if not isinstance(given, bool | int | float) or not math.isfinite(given):
        raise BadScore(
            f"the score {name} gave {given!r}", why="a score is True, False or a finite number"
        )
    value = float(given)
    if graded is None and value not in {0.0, 1.0}:
        raise BadScore(
            f"the score {name} gave {value:g}",
            why="without low and high a score is pass or fail",
            fix=("declare low = … and high = … on the criterion",),
        )
    if graded is not None and not graded.low <= value <= graded.high:
        raise BadScore(
            f"the score {name} gave {value:g}",
            why=f"the criterion declares {graded.low:g} to {graded.high:g}; nothing is clipped",
        )
    return value
