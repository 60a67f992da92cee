"""What an experiment has found so far, and the `verdict.v1` that says so."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from proveout.domain.criterion import AtLeast, AtMost, Criterion, Lead
from proveout.domain.experiment import OWN
from proveout.domain.verdict import StoppedBy
from proveout.prove.calibrate import is_pass_fail
from proveout.prove.elsewhere import EXPLORATORY
from proveout.prove.lock import canonical, digest
from proveout.prove.price import UNSEEN

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.experiment import Plan
    from proveout.domain.money import Usd
    from proveout.domain.verdict import Judgement, Standing
    from proveout.prove.allowance import Slowed


UNCHECKED = "an unchecked judge"
"""According to whom a verdict falls that rests on a judge whom nobody checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything known of an experiment at one moment.

    Attributes:
        lock: hexadecimal SHA-256 of what was locked.
        order: indices of the dataset's cases in the recorded order.
        spent: the price of all calls of all candidates; None where a price is unknown.
        stopped_by: None while it may go on.
        judgements: the workflow's own candidate first.
        waiting: cases of the answers that wait for a person's label, one a label.
        slowed: the candidates of which fewer trials go at once now than may.
        unseen: metered candidates of whose calls of models the meter has seen none.
    """

    plan: Plan
    dataset: str
    dataset_digest: str
    look: int
    lock: str
    order_seed: int
    order: tuple[int, ...]
    locked: datetime
    at: datetime
    spent: Usd | None
    stopped_by: StoppedBy | None
    judgements: tuple[Judgement, ...]
    waiting: tuple[str, ...] = ()
    slowed: tuple[Slowed, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The criteria that are measured by a judge whom nobody checks."""
        return tuple(one.name for one in self.plan.criteria if one.is_unchecked)

    @property
    def own(self) -> Judgement:
        """The judgement on the workflow itself."""
        return next(one for one in self.judgements if one.candidate == OWN)

    def note(self, candidate: str) -> str:
        """Return what is to be said beside every verdict on a candidate, or ""."""
        exploratory = {one.name for one in self.plan.candidates if one.is_exploratory}
        if candidate in exploratory:
            return EXPLORATORY
        return UNSEEN if candidate in self.unseen and self._has_answered(candidate) else ""

    def _has_answered(self, candidate: str) -> bool:
        """Whether a trial came to an answer; one that was denied its calls did not."""
        one = next(one for one in self.judgements if one.candidate == candidate)
        return one.errors < one.cases * self.plan.repeats

    @property
    def reused(self) -> int:
        """Trials of all candidates that took over what a call of an earlier look came to."""
        return sum(one.reused for one in self.judgements)

    @property
    def calls(self) -> int:
        """Calls of all candidates, repeats included."""
        return sum(one.calls for one in self.judgements)


def why_it_stood(verdict: bytes) -> StoppedBy | None:
    """Return what ended an experiment, by its `verdict.v1`; None where a person stopped it."""
    words = json.loads(verdict)
    if words.get("waits_for") == StoppedBy.LABELS:
        return StoppedBy.LABELS
    said = words["stopped_by"]
    return None if said is None else StoppedBy(said)


def verdict_v1(account: Account) -> dict[str, Any]:
    """Return the account as the object that callers outside rely on.

    What ended it is one of four words for them. Where it waits for labels, no further case can
    be read now, and a field of its own says why.
    """
    own, waits = account.own, account.stopped_by is StoppedBy.LABELS
    words: dict[str, Any] = {
        "schema": "verdict.v1",
        "experiment": account.plan.name,
        "verdict": own.verdict,
        "claim": account.plan.claim,
        "cases": own.cases,
        "calls": own.calls,
        "calls_repeated": own.repeated,
        **({"reused": own.reused} if own.reused else {}),
        "cost": None if account.spent is None else {"usd": float(account.spent)},
        "dataset": {
            "name": account.dataset,
            "digest": account.dataset_digest,
            "look": account.look,
        },
        "order_seed": account.order_seed,
        "wrong_go": account.plan.errors.wrong_go,
        "wrong_no_go": account.plan.errors.wrong_no_go,
        "stopped_by": StoppedBy.CASES if waits else account.stopped_by,
        "lock": account.lock,
        "candidates": [_candidate(one, account.note(one.candidate)) for one in account.judgements],
        **({"according_to": UNCHECKED} if account.unchecked else {}),
        **({"waits_for": StoppedBy.LABELS} if waits else {}),
        **({"labels_waiting": len(account.waiting)} if account.waiting else {}),
    }
    return {**words, "digest": digest(canonical(words))}


def _candidate(judgement: Judgement, note: str) -> dict[str, Any]:
    return {
        "name": judgement.candidate,
        "verdict": judgement.verdict,
        "cases": judgement.cases,
        "calls": judgement.calls,
        "calls_repeated": judgement.repeated,
        **({"reused": judgement.reused} if judgement.reused else {}),
        "errors": judgement.errors,
        "criteria": [_criterion(standing) for standing in judgement.standings],
        **({"note": note} if note else {}),
    }


def _criterion(standing: Standing) -> dict[str, Any]:
    now, measure = standing.now, standing.criterion.measure
    return {
        "name": standing.criterion.name,
        "rule": rule_text(standing.criterion),
        **({"lead_over": measure.over} if isinstance(measure, Lead) else {}),
        "status": standing.status,
        "estimate": now.estimate,
        "interval": list(now.interval),
        "log_e_go": _finite(now.log_e_go),
        "log_e_nogo": _finite(now.log_e_nogo),
        "decided_at": standing.decided_at,
        **({} if standing.sources is None else {"sources": asdict(standing.sources)}),
        **_judge(standing),
        **({} if standing.decisions is None else {"decisions": asdict(standing.decisions)}),
    }


def _judge(standing: Standing) -> dict[str, Any]:
    """Return what there is to say of the judge that measures a criterion, if one does."""
    criterion, found = standing.criterion, standing.agreement
    if criterion.judge is None:
        return {}
    if found is None:
        return {"judge": {"labels": None}}
    said = {"labelled": found.labelled, "agreed": found.agreed, "difference": found.difference}
    if is_pass_fail(criterion):
        said |= {"yes": found.yes, "yes_by_both": found.yes_by_both}
        said |= {"no": found.no, "no_by_both": found.no_by_both}
    return {"judge": {"labels": criterion.judge.labels, **said}}


def _finite(value: float) -> float:
    """Return evidence as a number that JSON can hold: certainty is 1e308 either way."""
    return max(-1e308, min(1e308, value))


def rule_text(criterion: Criterion) -> str:
    """Return a criterion's rule in words, such as "floor 0.85, target 0.9"."""
    match criterion.rule:
        case AtLeast(floor=floor, target=target):
            return f"floor {floor:g}, target {target:g}"
        case AtMost(ceiling=ceiling, target=target):
            return f"ceiling {ceiling:g}, target {target:g}"
