"""Scores: what a trial earned on one measure."""

from __future__ import annotations

import math
from typing import (
    TYPE_CHECKING,
    Any,
    ParamSpec,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from proveout.domain.criterion import (
    ACCEPTED,
    AtLeast,
    AtMost,
    Criterion,
    Graded,
    Judge,
    Scored,
)
from proveout.domain.workflow import check_module_level
from proveout.errors import Mistake
from proveout.prove.built_in import BUILT_IN, as_options, is_share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proveout.domain.case import Case

P = ParamSpec("P")
R = TypeVar("R")
Scorer: TypeAlias = "Callable[[Any, Case], bool | float]"


class Told(TypedDict, total=False):
    """What a score of Proveout's own can be told, as `Options` explains it."""

    field: str
    fields: Sequence[str]
    choices: Sequence[str]
    tolerance: float | str
    pattern: str


class BadScore(Mistake):
    """A score gave something that its criterion cannot read."""

    code = "bad-score"


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
    judge: bool = False,
    **options: Unpack[Told],
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
    judge: bool = False,
    **options: Unpack[Told],
) -> Callable[P, R] | Criterion:
    """Mark a function as a score, or make a criterion of a score's name.

    As a decorator it leaves `(result, case) -> bool | float` as it is. With a name, one of
    Proveout's own or "module:function", it returns the criterion. With `judge=True` the score
    is a judge that nobody checks, and may be `async`; people check one in a project, with
    `labels` in its settings.

    Raises:
        Mistake: a floor and a ceiling, neither, or a target on the wrong side; or people are to
            decide, who are asked in a project.
        WrongOption: an option does not go with the score.
    """
    if not isinstance(what, str):
        check_module_level(what)
        return what
    if what == ACCEPTED:
        raise Mistake(
            f'"{ACCEPTED}" is what people decide, and nobody is asked here',
            why="answers wait for a person in a project, where decisions are kept",
            fix=("proveout init NAME",),
        )
    if target is None or (floor is None) == (ceiling is None):
        raise Mistake(
            f'score("{what}") needs a target, and a floor or a ceiling',
            fix=(f'score("{what}", floor=0.85, target=0.90)',),
        )
    graded = None if low is None or high is None else Graded(low=low, high=high)
    if is_share(what):
        graded = Graded(low=0, high=1)
    rule = (
        AtLeast(floor=floor, target=target)
        if floor is not None
        else AtMost(ceiling=cast("float", ceiling), target=target)
    )
    if judge and what in BUILT_IN:
        raise Mistake(f'"{what}" is no judge', why="it does not err", fix=("remove judge=True",))
    told = as_options(what, **options)
    measure = Scored(score=what, graded=graded, options=told, judge=Judge() if judge else None)
    return Criterion(name=name or what, measure=measure, rule=rule)


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
