"""What a verdict means in plain words, what it does not, and what would settle it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.criterion import AtLeast, Cost, Latency, Lead, Scored, Worth
from proveout.domain.duration import say_duration
from proveout.domain.experiment import Claim
from proveout.domain.verdict import Status, StoppedBy, Verdict
from proveout.faces.report.figures import POINTS, count_of, limit_word, limits, percent, scale_of

if TYPE_CHECKING:
    from proveout.domain.criterion import Criterion
    from proveout.domain.experiment import Plan
    from proveout.domain.verdict import Judgement, Standing
    from proveout.faces.report.figures import Scale
    from proveout.prove.account import Account
    from proveout.prove.foresee import Forecast

BOTH = 2

LEAST_CASES = 20
"""Cases before which no pace is named."""

LEAST_EVIDENCE = 0.2
"""Share of the way to a verdict before which no pace is named."""


def claim_of(criterion: Criterion, plan: Plan) -> str:
    """Return what GO says of a criterion, such as "better than 85%".

    A pass/fail criterion about these cases, tried once each, is met from its floor on; every
    other one lies beyond it.
    """
    limit, _ = limits(criterion)
    figure = scale_of(criterion).exactly(limit)
    higher = isinstance(criterion.rule, AtLeast)
    match criterion.measure:
        case Latency(within=within):
            side = "more" if higher else "less"
            return f"{side} than {figure} answered within {say_duration(within)}"
        case Scored(graded=None) if _is_counted(criterion, plan):
            return f"at least {figure}" if higher else f"at most {figure}"
        case Scored(graded=None):
            return f"better than {figure}" if higher else f"less than {figure}"
        case Scored():
            return f"a mean grade {'above' if higher else 'below'} {figure}"
        case Lead(over=over):
            return _lead_claimed(over, limit, scale_of(criterion))
        case Cost() | Worth() as measure:
            what = "mean cost" if isinstance(measure, Cost) else "net worth"
            return f"a {what} {'above' if higher else 'below'} {figure} a case"


def _lead_claimed(over: str, floor: float, scale: Scale) -> str:
    if floor == 0:
        return f"a lead over {over}"
    if floor > 0:
        return f"a lead over {over} of more than {scale.exactly(floor)}"
    return f"a lag behind {over} of less than {scale.exactly(-floor)}"


def how_far(standing: Standing) -> str | None:
    """Return how far the workflow is ahead, in words; None for a criterion that is no lead.

    Such as "3.1 points ahead of vendor, 95% interval 0.4 behind to 6.6 ahead".
    """
    measure, now, scale = standing.criterion.measure, standing.now, scale_of(standing.criterion)
    if not isinstance(measure, Lead):
        return None
    if now.estimate is None:
        return f"no case was read yet of both the workflow and {measure.over}"
    alpha = math.exp(-standing.log_go_line)
    return ahead(now.estimate, now.interval, alpha, over=measure.over, scale=scale)


def ahead(
    estimate: float, interval: tuple[float, float], alpha: float, *, over: str, scale: Scale
) -> str:
    """Return a lead and its interval, at a confidence of 1 - `alpha`, in words."""
    side = f"{scale.say(abs(estimate))} {'behind' if estimate < 0 else 'ahead of'}"
    sure = f"{percent(1 - alpha)} interval {_distances(interval, scale)}"
    return f"{'even with' if estimate == 0 else side} {over}, {sure}"


def _distances(interval: tuple[float, float], scale: Scale) -> str:
    low, high = (scale.say(abs(edge)).removesuffix(POINTS) for edge in interval)
    first, last = ("behind" if edge < 0 else "ahead" for edge in interval)
    return f"{low} to {high} {last}" if first == last else f"{low} {first} to {high} {last}"


def _is_counted(criterion: Criterion, plan: Plan) -> bool:
    """Whether passes of all the cases are counted: tried once each, and none only estimated."""
    judge = criterion.judge
    whole = judge is None or judge.labels in {None, 1}
    return whole and plan.claim is Claim.THESE_CASES and plan.repeats == 1


def hope_of(criterion: Criterion) -> str:
    """Return what NO-GO rules out of a criterion, such as "90%"."""
    _, target = limits(criterion)
    return f"the target of {scale_of(criterion).exactly(target)}"


HOW_IT_STANDS = {
    Verdict.GO: (Status.MET, "is good enough", "are good enough"),
    Verdict.NO_GO: (Status.FAILED, "is not good enough", "are not good enough"),
    Verdict.UNDECIDED: (Status.OPEN, "is still open", "are still open"),
}


def headline(judgement: Judgement) -> str:
    """Return in one sentence how a candidate's criteria stand."""
    if not judgement.cases:
        return "No case has been read yet."
    count = len(judgement.standings)
    wanted, is_so, are_so = HOW_IT_STANDS[judgement.verdict]
    names = [one.criterion.name for one in judgement.standings if one.status is wanted]
    if count == 1:
        return f"{names[0]} {is_so}."
    if len(names) == count:
        return f"{'Both' if count == BOTH else f'All {count}'} criteria {are_so}."
    verb = is_so if len(names) == 1 else are_so
    return f"{len(names)} of {count} criteria {verb}: {_listed(names)}."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def is_shown(standing: Standing, plan: Plan) -> str:
    """Return what is shown, or ruled out, of one criterion."""
    criterion = standing.criterion
    claimed = claim_of(criterion, plan)
    match standing.status:
        case Status.MET:
            return f"{claimed} is shown"
        case Status.FAILED:
            return f"{claimed} is not shown; {hope_of(criterion)} is ruled out"
        case Status.OPEN:
            return f"{claimed} is not shown; {hope_of(criterion)} is not ruled out"


def what_it_does_not_mean(judgement: Judgement) -> str:
    """Return in one sentence what nobody may read into the verdict."""
    one = judgement.standings[0] if len(judgement.standings) == 1 else None
    match judgement.verdict:
        case Verdict.GO if one is not None and _is_beyond(one, limits(one.criterion)[1]):
            return "The whole interval lies beyond the target, too."
        case Verdict.GO:
            targets = "a target is" if one is None else f"{hope_of(one.criterion)} is"
            limit = "floor" if one is None else limit_word(one.criterion)
            return (
                f"It does not mean that {targets} reached: between {limit} and target"
                " either verdict may come."
            )
        case Verdict.NO_GO:
            limit = "floor or ceiling" if one is None else limit_word(one.criterion)
            return (
                f"It does not mean worse than its {limit}: it means that the target is out of"
                " reach."
            )
        case Verdict.UNDECIDED:
            return "It does not mean no: neither verdict has enough evidence yet."


def _is_beyond(standing: Standing, value: float) -> bool:
    low, high = standing.now.interval
    return low > value if isinstance(standing.criterion.rule, AtLeast) else high < value


def what_would_settle_it(account: Account, forecast: Forecast) -> tuple[str, ...]:
    """Return sentences on what would turn an open verdict into a yes or a no."""
    own = account.own
    if own.verdict is not Verdict.UNDECIDED:
        return ()
    said = [_what_ended_it(account)]
    left = len(account.order) - own.cases
    if left and own.cases:
        said += _paces(own, left)
    usual = -(-forecast.p90 // account.plan.repeats)
    if left and usual < len(account.order):
        said.append(
            f"A workflow at its targets is settled within {count_of(usual, 'case')}"
            " nine times in ten."
        )
    return tuple(said)


def _paces(judgement: Judgement, left: int) -> list[str]:
    """Return how long the open criteria may still take."""
    open_ones = [one for one in judgement.standings if one.status is Status.OPEN]
    said = [
        f"If the answers go on as they did, {one.criterion.name} takes about {found.cases:,} more"
        f" cases, and the answer is {found.towards.value}"
        f"{f'; only {left:,} are left' if found.cases > left else ''}."
        for one in open_ones
        if (found := pace(one)) is not None
    ]
    return said or ["The evidence so far leans neither way enough to name a pace."]


def _what_ended_it(account: Account) -> str:
    left = len(account.order) - account.own.cases
    match account.stopped_by:
        case StoppedBy.BUDGET:
            return (
                f"The budget ended it with {count_of(left, 'case')} unread. The lock does not"
                " cover the budget: raise it, and the same command goes on where this stopped."
            )
        case StoppedBy.TIME_BOX:
            return (
                f"The time box ended it with {count_of(left, 'case')} unread. The lock does not"
                " cover the time box: extend it, and the same command goes on where this stopped."
            )
        case StoppedBy.CASES if account.plan.claim is Claim.THESE_CASES:
            return (
                "Every case was read, and the result lies too close to call: only a larger"
                " dataset can settle it."
            )
        case StoppedBy.CASES:
            return (
                f"Every fresh case was read. New cases in the dataset {account.dataset}"
                " would settle it; those read already cannot."
            )
        case StoppedBy.LABELS:
            return (
                f"It waits for people, with {count_of(left, 'case')} unread: label the answers, and"
                " the same command goes on where this stopped."
            )
        case StoppedBy.VERDICT | None:
            return (
                f"It has not ended: {count_of(left, 'case')} are unread, and the same command"
                " goes on where this stopped."
            )


class Pace(NamedTuple):
    """About how many more cases a verdict takes, and which it would be."""

    cases: int
    towards: Verdict


def pace(standing: Standing) -> Pace | None:
    """Return how an open criterion ends if the answers go on as they did.

    The evidence of steady answers grows in a straight line on the logarithmic scale.
    None where it has hardly begun to.
    """
    now = standing.now
    way, towards = max(
        (now.log_e_go / standing.log_go_line, Verdict.GO),
        (now.log_e_nogo / standing.log_nogo_line, Verdict.NO_GO),
    )
    if now.count < LEAST_CASES or not LEAST_EVIDENCE <= way < 1:
        return None
    return Pace(_roughly(now.count * (1 / way - 1)), towards)


def _roughly(count: float) -> int:
    """Return a count of cases to one digit, upward, and to ten at least."""
    unit = 10 ** max(1, math.floor(math.log10(max(count, 1))))
    return math.ceil(count / unit) * unit
