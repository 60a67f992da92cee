"""New cases: what people decided about the drafts of real runs, as cases for the next dataset."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from proveout.domain.case import Case
from proveout.domain.label import Decision
from proveout.prove.lock import canonical, case_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proveout.domain.review import Answer, Review
    from proveout.domain.run import Run, RunId

GONE = "the payloads of its run were pruned or erased"
SEVERAL = "its run asked more than once, so that no answer is the whole one"
LATER = "the same input was decided again later"
REJECTED = "rejected, so that nobody said what is right"
KNOWN = "in a dataset already"
TRIAL = "its run is a trial"
OTHER = "its run is of another workflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision of a person about a draft.

    Attributes:
        run: None where the store does not know it any more.
        release: the name of the release that the run began on.
    """

    review: Review
    run: Run | None
    release: str

    @property
    def answer(self) -> Answer:
        """What the person decided."""
        answer = self.review.answer
        assert answer is not None  # noqa: S101 - it was decided
        return answer

    @property
    def decision(self) -> Decision:
        """What they decided, in a word."""
        if not self.answer.approved:
            return Decision.REJECTED
        return Decision.APPROVED if self._is_as_it_was else Decision.EDITED

    @property
    def _is_as_it_was(self) -> bool:
        return same(self.answer.content, self.review.draft)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """A case with where it comes from.

    Attributes:
        provenance: plain data: run, review, who decided, what, when, on which release.
    """

    case: Case
    provenance: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A decision on an input that is a case already.

    Attributes:
        dataset: the name of the dataset that has it.
        case: the case's id there.
    """

    review: str
    dataset: str
    case: str


@dataclass(slots=True, kw_only=True)
class NewCases:
    """What came of decisions.

    Attributes:
        cases: in the order in which they were decided.
        left: why others were left out, with how many.
        known: decisions on inputs that are cases already.
        unlike_result: cases whose right answer is not what their run returned.
    """

    cases: list[NewCase] = field(default_factory=list[NewCase])
    left: Counter[str] = field(default_factory=Counter[str])
    known: list[Known] = field(default_factory=list[Known])
    unlike_result: int = 0


def new_cases(
    decisions: Iterable[Decided],
    known: Mapping[str, tuple[str, str]],
    *,
    workflow: str,
    with_rejected: bool,
) -> NewCases:
    """Return the cases that decisions make, each input once.

    The last decision about an input counts. A rejection says that an answer was wrong, and not
    which is right: it makes a case only where it is asked for, one that expects nothing.

    Args:
        decisions: of people, in any order.
        known: dataset and id of the cases that there are, by the digest of the case.
        workflow: whose runs count.
        with_rejected: whether rejections make cases, too.
    """
    found = NewCases()
    usable = _usable(decisions, workflow, found.left)
    last: dict[str, Decided] = {}
    for one in usable:
        key = case_digest(_case(one))
        found.left[LATER] += last.pop(key, None) is not None
        last[key] = one
    for key, one in last.items():
        if key in known:
            dataset, case = known[key]
            found.left[KNOWN] += 1
            found.known.append(Known(review=one.review.id, dataset=dataset, case=case))
        elif one.decision is Decision.REJECTED and not with_rejected:
            found.left[REJECTED] += 1
        else:
            found.cases.append(NewCase(case=_case(one), provenance=_provenance(one)))
            found.unlike_result += _is_unlike_result(one)
    found.left = +found.left
    return found


def _usable(decisions: Iterable[Decided], workflow: str, left: Counter[str]) -> list[Decided]:
    """Return the decisions that can make cases, the earliest first; note why others cannot."""
    all_ = sorted(decisions, key=lambda one: (str(one.review.decided), one.review.id))
    asked = Counter(one.review.run for one in all_)
    usable: list[Decided] = []
    for one in all_:
        if (why := _why_left(one, workflow, asked)) is None:
            usable.append(one)
        else:
            left[why] += 1
    return usable


def _why_left(one: Decided, workflow: str, asked: Mapping[RunId, int]) -> str | None:
    run = one.run
    if run is None or run.pruned is not None or one.review.is_pruned:
        return GONE
    if run.workflow != workflow:
        return OTHER
    if run.trial is not None:
        return TRIAL
    return SEVERAL if asked[one.review.run] > 1 else None


def _case(one: Decided) -> Case:
    assert one.run is not None  # noqa: S101 - nothing else is usable
    approved = one.decision is not Decision.REJECTED
    return Case(
        id=f"review-{one.review.id}",
        value=json.loads(one.run.value),
        expected=json.loads(one.answer.content) if approved else None,
        tags=(one.decision.value,),
    )


def _provenance(one: Decided) -> dict[str, Any]:
    decided = one.review.decided
    return {
        "run": one.review.run,
        "review": one.review.id,
        "decision": one.decision.value,
        "by": one.answer.by,
        "at": None if decided is None else decided.isoformat(),
        "release": one.release,
        **({"reason": one.answer.reason} if one.answer.reason else {}),
        **({"code": one.answer.code} if one.answer.code else {}),
    }


def _is_unlike_result(one: Decided) -> bool:
    if one.run is None or one.run.result is None or one.decision is Decision.REJECTED:
        return False
    return not same(one.run.result, one.answer.content)


def same(one: bytes, other: bytes) -> bool:
    """Whether two texts of JSON say the same."""
    return canonical(json.loads(one)) == canonical(json.loads(other))
