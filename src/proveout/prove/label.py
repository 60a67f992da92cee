"""Labels: what a person says of an answer, read from what they give."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.criterion import Scored
from proveout.errors import Mistake, Refusal
from proveout.prove.score import BadScore, read_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.criterion import Criterion
    from proveout.prove.panel import Question

SHOWN = ("schema", "experiment", "input", "expected", "answer", "by")
"""Keys of a label.v1 that say nothing new when it is given back."""

KEYS = ("case", "label", "criterion", "digest")


class BadLabel(Mistake):
    """A label is none that its criterion can have, or its line cannot be read."""

    code = "bad-label"


class NotAsked(Mistake):
    """Nobody is asked for such a label, or for more than one such."""

    code = "not-asked"


class AlreadyLabelled(Refusal):
    """The answer has another label already."""

    code = "already-labelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A label as somebody gave it.

    Attributes:
        case: the case's id.
        value: None where the line has none yet.
        criterion: "" where there is only one that people label.
        digest: of the answer that was seen; "" for the only answer of the case.
    """

    case: str
    value: object
    criterion: str = ""
    digest: str = ""


def parse(line: bytes) -> Given:
    """Return the label that a line of JSON gives.

    Raises:
        BadLabel: it is no JSON object with a case and a label, or has unknown keys.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLabel(f"it is no JSON: {error}", fix=(EXAMPLE,)) from error
    if not isinstance(found, dict):
        raise BadLabel("it is no JSON object", fix=(EXAMPLE,))
    words = cast("dict[str, Any]", found)
    for key in words:
        if key not in KEYS + SHOWN:
            near = difflib.get_close_matches(key, KEYS, n=1)
            raise BadLabel(f'it has no key "{key}"', fix=(near[0] if near else EXAMPLE,))
    case = words.get("case")
    if isinstance(case, bool) or not isinstance(case, str | int) or "label" not in words:
        raise BadLabel("it names no case, or has no label", fix=(EXAMPLE,))
    named = [words.get("criterion", ""), words.get("digest", "")]
    if not all(isinstance(one, str) for one in named):
        raise BadLabel("criterion and digest are texts", fix=(EXAMPLE,))
    return Given(case=str(case), value=words["label"], criterion=named[0], digest=named[1])


EXAMPLE = '{"case": "17", "label": true}'


def value_of(given: object, criterion: Criterion) -> float:
    """Return a label as a number: 1 or 0 for yes or no, or a grade.

    Raises:
        BadLabel: it is nothing that the criterion can have.
    """
    measure = criterion.measure
    assert isinstance(measure, Scored)  # noqa: S101 - only a score is a judge
    graded = measure.graded
    try:
        value = read_score(given, graded, criterion.name)
    except (BadScore, OverflowError) as error:
        raise BadLabel(
            f"{given!r} is no label for {criterion.name}", fix=(hint(criterion),)
        ) from error
    if graded is not None and isinstance(given, bool):
        raise BadLabel(f"{given!r} is no label for {criterion.name}", fix=(hint(criterion),))
    return value


def hint(criterion: Criterion) -> str:
    """Return what labels a criterion can have."""
    measure = criterion.measure
    assert isinstance(measure, Scored)  # noqa: S101 - only a score is a judge
    if measure.graded is None:
        return "true or false"
    return f"a number from {measure.graded.low:g} to {measure.graded.high:g}"


def question_of(given: Given, asked: Sequence[Question]) -> Question:
    """Return the one question that a label answers.

    Raises:
        NotAsked: there is none, or more than one.
    """
    fits = [
        one
        for one in asked
        if one.trialled.case.id == given.case
        and given.criterion in {"", one.criterion.name}
        and given.digest in {"", one.answer}
    ]
    if len(fits) == 1:
        return fits[0]
    if not fits:
        raise NotAsked(
            f"nobody asks for that label of case {given.case}",
            why="its case was not drawn, its answer is not there or is another one now, or the"
            " verdict fell without it",
            fix=("proveout label --list",),
        )
    differ = "criterion" if len({one.answer for one in fits}) == 1 else "digest"
    raise NotAsked(
        f"case {given.case} has {len(fits)} answers to label",
        why=f"the line must say which, by its {differ}",
        fix=("proveout label --list --json",),
    )


def check_new(question: Question, value: float) -> None:
    """Leave quietly where an answer has no other label yet.

    Raises:
        AlreadyLabelled: it has.
    """
    if question.label is not None and question.label != value:
        raise AlreadyLabelled(
            f"the answer of case {question.trialled.case.id} is labelled"
            f" {question.label:g} for {question.criterion.name}, not {value:g}",
            why="a label that was read is part of a verdict; the first one counts",
            fix=("remove the line",),
        )
