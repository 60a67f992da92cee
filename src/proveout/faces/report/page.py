"""What the report says, section by section, in words and figures ready to be set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.criterion import Latency, Lead, Scored, scored_of
from proveout.domain.duration import say_duration
from proveout.domain.experiment import OWN, Claim
from proveout.domain.verdict import Status, StoppedBy, Verdict
from proveout.faces.report import chart
from proveout.faces.report.figures import (
    about,
    count_of,
    evidence,
    limit_word,
    limits,
    money,
    percent,
    scale_of,
)
from proveout.faces.report.judges import judges
from proveout.faces.report.meaning import (
    headline,
    how_far,
    is_shown,
    what_it_does_not_mean,
    what_would_settle_it,
)
from proveout.faces.report.untrusted import excerpt, readable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from proveout.domain.money import Usd
    from proveout.domain.verdict import Judgement, Miss, Reading, Slice, Standing
    from proveout.faces.report.figures import Scale
    from proveout.faces.report.untrusted import Excerpt
    from proveout.prove.account import Account
    from proveout.prove.foresee import Forecast
    from proveout.statistics.sources import SourceFigures

SHOWN_AT_ONCE = 8
"""Cases to read that stand open on the page; the others are folded away."""

FEW = 30
"""Cases in a slice below which its share says little."""

PRACTICES = (
    ("A Wilson interval, looked at after every case", 0.25, 0.39),
    ("A t interval, looked at after every case", 0.47, 0.72),
    ("Answers counted as they finish, 64 workers, failures slower", 0.87, 0.87),
)
"""How often common practice says GO at a true rate equal to the floor; 5 % is allowed."""

LOOK = {
    Verdict.GO: "go",
    Verdict.NO_GO: "no",
    Verdict.UNDECIDED: "open",
    Status.MET: "go",
    Status.FAILED: "no",
    Status.OPEN: "open",
}
"""Class and sign of every verdict and status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with its name and what it is measured against."""

    name: str
    figure: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """How much of a budget was used; `share` is None where it has no limit."""

    figure: str
    limit: str
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRow:
    """One reading of a criterion's course, for the table under its charts."""

    count: str
    estimate: str
    interval: str
    go: str
    nogo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionView:
    """One criterion of one candidate.

    Attributes:
        exact: estimate and interval as the account holds them, for machines.
        charts: the chart of the interval and that of the evidence, in two sizes each.
    """

    name: str
    rule: str
    measures: str
    estimate: str
    interval: str
    exact: tuple[float | None, float, float]
    settled: str
    word: str
    look: str
    bar: str
    said: str
    charts: tuple[str, ...] = ()
    note: str = ""
    data: tuple[DataRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """One candidate, with its criteria.

    Attributes:
        note: what is to be said beside its verdict, or "".
    """

    name: str
    verdict: str
    look: str
    headline: str
    note: str
    figures: tuple[Figure, ...]
    criteria: tuple[CriterionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissView:
    """One case to read."""

    place: str
    case: str
    run: str
    lost: tuple[str, ...]
    value: Excerpt
    expected: Excerpt
    got: Excerpt
    edit: Excerpt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceView:
    """One slice's share of passes."""

    tag: str
    share: str
    count: str
    bar: str
    is_small: bool


def candidate_name(name: str) -> str:
    """Return how a candidate is called on the page."""
    return "This workflow" if name == OWN else name


def candidates(account: Account) -> tuple[CandidateView, ...]:
    """Return all candidates, the workflow's own first and with its charts."""
    return tuple(_candidate(account, one) for one in account.judgements)


def _candidate(account: Account, judgement: Judgement) -> CandidateView:
    is_own, many = judgement.candidate == OWN, len(judgement.standings)
    hero = deciding(judgement.standings)
    return CandidateView(
        name=candidate_name(judgement.candidate),
        verdict=judgement.verdict.value,
        look=LOOK[judgement.verdict],
        headline=headline(judgement),
        note=first_up(account.note(judgement.candidate)),
        figures=_candidate_figures(account, judgement),
        criteria=tuple(
            _criterion(account, one, f"c{index}", is_large=one is hero or many == 2, is_own=is_own)  # noqa: PLR2004 - two stand alone
            for index, one in enumerate(judgement.standings)
        ),
    )


def _candidate_figures(account: Account, judgement: Judgement) -> tuple[Figure, ...]:
    seconds = judgement.seconds
    return (
        Figure(name="Cases read", figure=f"{judgement.cases:,} of {len(account.order):,}"),
        Figure(name="Calls", figure=f"{judgement.calls:,}"),
        *([Figure(name="Reused", figure=f"{judgement.reused:,}")] if judgement.reused else []),
        Figure(name="Without an answer", figure=f"{judgement.errors:,}"),
        Figure(name="Median time", figure="none yet" if seconds is None else f"{seconds:,.3g} s"),
    )


def deciding(standings: tuple[Standing, ...]) -> Standing | None:
    """Return the criterion that made the verdict: failed, else open, else settled last."""
    for status in (Status.FAILED, Status.OPEN):
        found = next((one for one in standings if one.status is status), None)
        if found is not None:
            return found
    return max(standings, key=lambda one: one.decided_at or 0, default=None)


def _criterion(
    account: Account, standing: Standing, key: str, *, is_large: bool, is_own: bool
) -> CriterionView:
    criterion, now, scale = standing.criterion, standing.now, scale_of(standing.criterion)
    limit, target = limits(criterion)
    large = chart.WIDE if is_large else chart.HALF
    return CriterionView(
        name=criterion.name,
        rule=f"{limit_word(criterion)} {scale.exactly(limit)}, target {scale.exactly(target)}",
        measures=chart.axis_title(criterion),
        estimate="none yet" if now.estimate is None else scale.say(now.estimate),
        interval=scale.say_span(now.interval),
        exact=(now.estimate, *now.interval),
        settled="not yet" if standing.decided_at is None else f"at case {standing.decided_at:,}",
        word=standing.status.value,
        look=LOOK[standing.status],
        bar=chart.interval_bar(standing),
        said="; ".join(filter(None, (how_far(standing), is_shown(standing, account.plan)))),
        charts=_charts(standing, large, key) if is_own else (),
        note=chart_note(standing),
        data=tuple(_data(standing, one) for one in standing.course) if is_own else (),
    )


def _charts(standing: Standing, large: chart.Size, key: str) -> tuple[str, ...]:
    sizes = (large, chart.NARROW)
    return tuple(
        draw(standing, size, f"{key}{letter}-")
        for letter, draw in (("i", chart.interval_chart), ("e", chart.evidence_chart))
        for size in sizes
    )


def chart_note(standing: Standing) -> str:
    """Return why the two charts of a criterion may seem to disagree, and what its sources do."""
    if standing.sources is None:
        return _two_charts(standing)
    return f"{_two_charts(standing)} {source_note(standing.sources, scale_of(standing.criterion))}"


def source_note(found: SourceFigures, scale: Scale) -> str:
    """Return what cases that share sources come to, counted either way."""
    means = (
        f"Its cases share {count_of(found.sources, 'source')}: {scale.say(found.per_request)} over"
        f" requests, {scale.say(found.per_source)} over sources."
    )
    if found.design_effect is None:
        return means
    return f"{means} The design effect is {found.design_effect:.2g}."


def _two_charts(standing: Standing) -> str:
    limit, target = limits(standing.criterion)
    low, high = standing.now.interval
    word = limit_word(standing.criterion)
    reason = "it does not know the target, so it is a little wider than the rule that decides"
    if standing.status is Status.MET and low <= limit <= high:
        return f"The interval still touches the {word} although the criterion is met: {reason}."
    if standing.status is Status.FAILED and low <= target <= high:
        return f"The interval still touches the target although it is ruled out: {reason}."
    return f"The evidence decides. The interval may still touch the {word} when GO falls: {reason}."


def first_up(text: str) -> str:
    """Return a sentence with its first letter large."""
    return text[:1].upper() + text[1:]


def _data(standing: Standing, reading: Reading) -> DataRow:
    scale = scale_of(standing.criterion)
    return DataRow(
        count=f"{reading.count:,}",
        estimate="" if reading.estimate is None else scale.say(reading.estimate),
        interval=scale.say_span(reading.interval),
        go=evidence(reading.log_e_go),
        nogo=evidence(reading.log_e_nogo),
    )


def meaning(account: Account) -> tuple[str, ...]:
    """Return what the verdict means and what it does not, one sentence after another."""
    own = account.own
    if not own.cases:
        return judges(account)
    one = own.standings[0] if len(own.standings) == 1 else None
    leads = tuple(f"{first_up(said)}." for one in own.standings if (said := how_far(one)))
    shown = leads if one is None else (f"{first_up(is_shown(one, account.plan))}.",)
    return (*shown, what_it_does_not_mean(own), *judges(account))


def settling(account: Account, forecast: Forecast) -> tuple[str, ...]:
    """Return what would settle an open verdict."""
    return what_would_settle_it(account, forecast)


def key_figures(account: Account, forecast: Forecast) -> tuple[Figure, ...]:
    """Return the three or four figures that stand under the verdict."""
    own = account.own
    decided = own.verdict is not Verdict.UNDECIDED
    return (
        Figure(
            name="Decided after" if decided else "Read so far",
            figure=count_of(own.cases, "case"),
            note=f"of {len(account.order):,}; {_ended_by(account)}",
        ),
        _saved(account, forecast),
        _spent(account),
        _risk(account),
    )


def _ended_by(account: Account) -> str:
    match account.stopped_by:
        case None:
            return "not ended"
        case StoppedBy.CASES:
            return "ended with the last case"
        case StoppedBy.LABELS:
            return "labels are needed to go on"
        case StoppedBy() as stopped:
            return f"ended by the {stopped.value}"


def _spent(account: Account) -> Figure:
    calls = count_of(account.calls, "call")
    if account.reused:
        calls += f", and {account.reused:,} answers reused"
    of_all = "" if len(account.judgements) == 1 else " of all candidates"
    if account.spent is None:
        return Figure(name="Calls made", figure=calls, note=f"no price is declared{of_all}")
    figure = about(float(account.spent))
    return Figure(name="Spent", figure=figure, note=f"for {calls}{of_all}")


def _risk(account: Account) -> Figure:
    """Return how often such a verdict is wrong."""
    note = "of the time, however often anyone looked"
    if account.own.verdict is Verdict.NO_GO:
        chance = account.plan.errors.wrong_no_go
        return Figure(name="Wrong NO-GO at most", figure=percent(chance), note=note)
    return Figure(name="Wrong GO at most", figure=percent(wrong_go(account)), note=note)


def wrong_go(account: Account) -> float:
    """Return the largest chance of a wrong GO with which this candidate was judged."""
    standings = account.own.standings
    return math.exp(-standings[0].log_go_line) if standings else account.plan.errors.wrong_go


def _saved(account: Account, forecast: Forecast) -> Figure:
    own, fixed = account.own, forecast.fixed
    test = f"a fixed-sample test with the same promises takes {fixed:,}"
    fewer = fixed - own.calls - own.reused
    if own.verdict is Verdict.UNDECIDED:
        return Figure(name="Fixed-sample test", figure=count_of(fixed, "call"), note=_READ_ONCE)
    if fewer <= 0:
        return Figure(name="Calls of this workflow", figure=f"{own.calls:,}", note=test)
    price = price_per_call(account)
    worth = "" if price is None else f"; {about(float(price * fewer))} not spent"
    return Figure(
        name="Calls saved",
        figure=f"{fewer:,} of {fixed:,}",
        note=f"that a fixed-sample test takes{worth}",
    )


_READ_ONCE = "is what a test that is read only once takes"


def price_per_call(account: Account) -> Usd | None:
    """Return the declared price of a call of the workflow's own candidate, or its cap."""
    own = next((one for one in account.plan.candidates if one.name == OWN), None)
    price = None if own is None else own.price_per_call
    return price or account.plan.budget.cap_per_call


def budget(account: Account) -> tuple[Meter, ...]:
    """Return how much of calls, money and time was used."""
    plan = account.plan
    spent = account.spent
    used = account.at - account.locked
    calls = plan.budget.calls
    return (
        Meter(
            figure=count_of(account.calls, "call"),
            limit="no limit" if calls is None else f"of {calls:,}",
            share=_share(account.calls, calls),
        ),
        Meter(
            figure="No price declared" if spent is None else about(float(spent)),
            limit="no limit" if plan.budget.money is None else f"of {money(plan.budget.money)}",
            share=None
            if spent is None or plan.budget.money is None
            else _share(float(spent), float(plan.budget.money)),
        ),
        Meter(
            figure=rough_time(used),
            limit=f"of {say_duration(plan.time_box)}",
            share=_share(used.total_seconds(), plan.time_box.total_seconds()),
        ),
    )


def _share(used: float, limit: float | None) -> float | None:
    if limit is None:
        return None
    return min(1.0, max(0.0, used / limit)) if limit else 1.0


def rough_time(time: timedelta) -> str:
    """Return a time in its two largest units.

    >>> from datetime import timedelta
    >>> rough_time(timedelta(days=3, hours=4, minutes=9)), rough_time(timedelta(seconds=1.2))
    ('3 d 4 h', '1 s')
    """
    left = max(0, round(time.total_seconds()))
    words: list[str] = []
    for seconds, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, seconds)
        if count or (unit == "s" and not words):
            words.append(f"{count} {unit}")
    return " ".join(words[:2])


def foreseen(forecast: Forecast) -> tuple[Figure, ...]:
    """Return what was expected before the first call."""
    expected, most = forecast.money or (None, None)
    bound = "at most " if forecast.is_bound else ""
    return (
        Figure(name="Expected", figure=_calls(forecast.expected, expected, bound)),
        Figure(name="Nine times in ten", figure=_calls(forecast.p90, most, bound)),
        Figure(name="Fixed-sample test", figure=count_of(forecast.fixed, "call")),
        Figure(
            name="Least for a GO",
            figure="out of reach"
            if forecast.least_go is None
            else count_of(forecast.least_go, "case"),
        ),
    )


def _calls(count: int, price: Usd | None, bound: str) -> str:
    return count_of(count, "call") + ("" if price is None else f", {bound}{about(float(price))}")


def slices(judgement: Judgement) -> tuple[SliceView, ...]:
    """Return the slices of the workflow's own cases."""
    return tuple(_slice(one) for one in judgement.slices if one.count)


def _slice(one: Slice) -> SliceView:
    share = one.passes / one.count
    return SliceView(
        tag=one.tag,
        share=f"{share:.1%}",
        count=f"{one.passes:,} of {one.count:,}",
        bar=chart.meter(share),
        is_small=one.count < FEW,
    )


def sliced_by(judgement: Judgement) -> str:
    """Return the name of the criterion that slices are about: the first that passes or fails."""
    measures = ((one.criterion.name, one.criterion.measure) for one in judgement.standings)
    return next(
        (n for n, m in measures if isinstance(m, Scored) and m.graded is None), "the criterion"
    )


def misses(judgement: Judgement) -> tuple[MissView, ...]:
    """Return the cases to read, in the order in which they were tried."""
    return tuple(_miss(one) for one in judgement.misses)


def _miss(one: Miss) -> MissView:
    return MissView(
        place=f"{one.position + 1:,}",
        case=one.case,
        run=one.run,
        lost=one.lost,
        value=excerpt(readable(one.value)),
        expected=excerpt(readable(one.expected)),
        got=excerpt(readable(one.got)),
        edit=excerpt(readable(one.edit)) if one.edit else None,
    )


def trust(account: Account) -> tuple[Figure, ...]:
    """Return why the verdict can be trusted."""
    own = account.own
    go = percent(wrong_go(account))
    nogo = percent(account.plan.errors.wrong_no_go)
    many = len(own.standings)
    share = percent(account.plan.errors.wrong_no_go / max(1, many))
    split = f" ({share} for each criterion)" if many > 1 else ""
    return (
        Figure(
            name="Locked before the first call",
            figure="The question, what it claims, the cases, the criteria, the candidates and"
            f" the allowed error rates were fixed under the lock {account.lock[:12]}."
            " To change any of them is to begin another experiment.",
        ),
        Figure(
            name="One recorded order",
            figure=f"The cases were put into one random order, drawn by the seed"
            f" {account.order_seed}; anyone can draw it again.",
        ),
        Figure(
            name="Only the completed prefix counts",
            figure=f"The verdict read the first {count_of(own.cases, 'case')} of that order and"
            " none beyond an unfinished one. Neither the number of workers nor the order in"
            " which they finish can move it.",
        ),
        Figure(
            name="Valid at every look",
            figure=f"GO comes with probability {go} at most while a criterion falls short of its"
            f" floor or ceiling, NO-GO with {nogo} at most{split} while all are at their targets,"
            " however often anyone looks and whenever it stops.",
        ),
        Figure(name=f"Look {account.look} at this dataset", figure=_look(account)),
        Figure(
            name="No answer is a bad answer",
            figure=f"{count_of(own.errors, 'trial')} of this workflow ended without an answer."
            " Time-outs, crashes and refusals count as the worst that a criterion knows;"
            " nothing was left out.",
        ),
    )


def _look(account: Account) -> str:
    if account.plan.claim is Claim.FUTURE_TRAFFIC:
        return "Only cases that no experiment of this workflow had run before were drawn."
    if account.look == 1:
        return "No earlier experiment of this workflow was locked on it."
    return (
        "Results on some of these cases were seen before. The order was drawn afresh after"
        " the lock, so the claim about these very cases stands; no wider claim would."
    )


def limits_of_proof(account: Account) -> tuple[Figure, ...]:
    """Return what the verdict does not prove."""
    said = [_reach(account), _scoring(account)]
    if any(isinstance(one.measure, Latency) for one in account.plan.criteria):
        said.append(
            Figure(
                name="Time of answering",
                figure="It is the share of calls so far that were in time; how fast a model or"
                " a network answers drifts.",
            )
        )
    if len(account.judgements) > 1:
        said.append(_several(account))
    said.append(
        Figure(
            name="Operating it",
            figure="Nothing here speaks of load, retries, alerts, access, rollback or who is"
            " called at night. That is proven by drills, not by an experiment.",
        )
    )
    return tuple(said)


def _reach(account: Account) -> Figure:
    count = len(account.order)
    if account.plan.claim is Claim.THESE_CASES:
        return Figure(
            name="Other cases than these",
            figure=f"The claim is about these {count_of(count, 'case')} of {account.dataset}, and"
            " exact for them whatever they share. How real requests will fare, it does not say:"
            " they may be harder, or of another kind.",
        )
    return Figure(
        name="Traffic of another kind",
        figure="The claim is about future requests drawn like these cases, per request. It ends"
        " where requests begin to differ from them, or the workflow, its prompts or its model"
        " change.",
    )


def _scoring(account: Account) -> Figure:
    scored = (scored_of(one.measure) for one in account.plan.criteria)
    scores = sorted({one.score for one in scored if one is not None})
    by = f" ({', '.join(scores)})" if scores else ""
    return Figure(
        name="That the scoring is right",
        figure=f"It is as good as the expected answers and the scores{by}. A wrong answer key"
        " gives a valid verdict on the wrong question.",
    )


def _several(account: Account) -> Figure:
    leads = [m.over for one in account.plan.criteria if isinstance(m := one.measure, Lead)]
    if leads:
        return Figure(
            name="Which candidate is better",
            figure=f"The lead over {' and '.join(leads)} was measured case by case, at the error"
            " rates of any criterion. Candidates that were each judged by themselves are no proof"
            " that one is better.",
        )
    if account.plan.pick_best:
        return Figure(
            name="Which candidate is better",
            figure="The chance of a wrong GO was divided by the number of candidates, so the"
            " best may be picked; how far it leads the others is not shown.",
        )
    return Figure(
        name="Which candidate is better",
        figure="Every candidate was judged by itself and may be wrong at the full error rate."
        " That one passed and another did not is no proof that it is better.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """What a usual method does where 5 % false GO is allowed."""

    name: str
    rate: str
    bar: str


def practices() -> Iterable[Practice]:
    """Return how often usual methods say GO at a true rate equal to the floor."""
    for name, low, high in PRACTICES:
        rate = f"{low:.0%}" if low == high else f"{low:.0%} to {high:.0%}"
        bar = chart.meter(high) if low == high else chart.meter(low, high)
        yield Practice(name=name, rate=rate, bar=bar)
