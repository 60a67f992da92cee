"""Labels: what a person says of an answer, read from what they give."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.criterion import ACCEPTED, Scored
from proveout.domain.label import Decision
from proveout.errors import Mistake, Refusal
from proveout.prove.lock import canonical
from proveout.prove.score import BadScore, read_score
from proveout.run.payload import PayloadTooLarge, Unjournalable, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.criterion import Criterion
    from proveout.domain.label import Label
    from proveout.prove.panel import Question

SHOWN = ("schema", "experiment", "input", "expected", "answer", "by")
"""Keys of a label.v1 that say nothing new when it is given back."""

KEYS = ("case", "label", "criterion", "digest", "edit", "reason")


class BadLabel(Mistake):
    """A label is none that its criterion can have, or its line cannot be read."""

    code = "bad-label"


class NotAsked(Mistake):
    """Nobody is asked for such a label, or for more than one such."""

    code = "not-asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person says of an answer, as `Label` explains it."""

    value: float
    edit: str = ""
    reason: str = ""


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
        edit: the corrected answer; None where the line has none.
        reason: why, in the person's words.
    """

    case: str
    value: object
    criterion: str = ""
    digest: str = ""
    edit: object = None
    reason: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing yet."""
        return self.value is None and self.edit is None


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
    edit, is_said = words.get("edit"), "label" in words or "edit" in words
    if isinstance(case, bool) or not isinstance(case, str | int) or not is_said:
        raise BadLabel("it names no case, or has no label", fix=(EXAMPLE,))
    named = [words.get("criterion", ""), words.get("digest", "")]
    if not all(isinstance(one, str) for one in named):
        raise BadLabel("criterion and digest are texts", fix=(EXAMPLE,))
    return Given(
        case=str(case),
        value=words.get("label"),
        criterion=named[0],
        digest=named[1],
        edit=edit,
        reason=reason_of(words.get("reason")),
    )


def reason_of(given: object) -> str:
    """Return a reason as it is kept.

    Raises:
        BadLabel: it is no text, or longer than anybody reads.
    """
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > LONGEST_REASON or "\0" in given:
        raise BadLabel(
            f"a reason is a text of at most {LONGEST_REASON:,} characters",
            fix=('{"case": "17", "label": false, "reason": "too long"}',),
        )
    return given.strip()


LONGEST_REASON = 2_000
"""Characters of a reason."""


EXAMPLE = '{"case": "17", "label": true}'


def word_of(given: Given, question: Question) -> Word:
    """Return what a person says of the answer that a question shows.

    Raises:
        BadLabel: it is nothing that the question's criterion can have, or contradicts itself.
    """
    criterion = question.criterion
    if criterion.is_decided:
        return decided(given, question.trialled.result)
    if given.edit is not None or given.reason:
        raise BadLabel(
            f"{criterion.name} takes a label alone",
            why=f'an edit and a reason go with a decision, by score = "{ACCEPTED}"',
            fix=(EXAMPLE,),
        )
    return Word(value=value_of(given.value, criterion))


def decided(given: Given, answer: object) -> Word:
    """Return a person's decision about an answer.

    Raises:
        BadLabel: it approves and edits at once, edits nothing, or its edit is no JSON.
    """
    if given.edit is None:
        if not isinstance(given.value, bool):
            raise BadLabel(f"{given.value!r} is no decision", fix=DECISIONS)
        return Word(value=float(given.value), reason=given.reason)
    edit = _edit(given.edit)
    if edit == canonical(answer).decode():
        raise BadLabel(
            "the edit is the answer as it was",
            why="an answer that needs no edit is approved",
            fix=DECISIONS[:1],
        )
    if given.value is not None and given.value is not False:
        raise BadLabel(
            "an answer cannot be approved as it is, and edited", fix=("remove label, or edit",)
        )
    return Word(value=0.0, edit=edit, reason=given.reason)


def _edit(given: object) -> str:
    try:
        to_json(given, "the edit")
    except (Unjournalable, PayloadTooLarge) as error:
        raise BadLabel(error.message, why=error.why, fix=error.fix) from error
    return canonical(given).decode()


DECISIONS = (
    '{"case": "17", "label": true}                       approves it as it is',
    '{"case": "17", "edit": "the answer as it should be"}',
    '{"case": "17", "label": false, "reason": "wrong"}   rejects it',
)
"""Lines that decide about an answer."""


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


def said_of(label: Label, criterion: Criterion) -> str:
    """Return what a label says, in a word."""
    if not criterion.is_decided:
        return f"labelled {label.value:g}"
    return label.decision.value


def check_new(question: Question, word: Word) -> None:
    """Leave quietly where an answer has no other label yet.

    Raises:
        AlreadyLabelled: it has.
    """
    kept, criterion = question.kept, question.criterion
    if kept is not None and (kept.value, kept.edit) != (word.value, word.edit):
        if not criterion.is_decided:
            other = f"{word.value:g}"
        elif kept.edit and word.edit:
            other = "to this"
        else:
            other = _decision(word)
        raise AlreadyLabelled(
            f"the answer of case {question.trialled.case.id} is {said_of(kept, criterion)}"
            f" for {criterion.name}, not {other}",
            why="a label that was read is part of a verdict; the first one counts",
            fix=("remove the line",),
        )


def _decision(word: Word) -> Decision:
    if word.value == 1:
        return Decision.APPROVED
    return Decision.EDITED if word.edit else Decision.REJECTED
