"""Criteria of an experiment, and its worth, out of their tables."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from proveout.domain.criterion import (
    ACCEPTED,
    AtLeast,
    AtMost,
    Baseline,
    Cost,
    Criterion,
    Graded,
    Judge,
    Latency,
    Lead,
    Measure,
    Options,
    Rule,
    Scored,
    Worth,
)
from proveout.domain.duration import say_duration, shown
from proveout.domain.experiment import OWN
from proveout.domain.money import Usd
from proveout.prove.built_in import BUILT_IN, OPTIONS, WrongOption, as_options, is_share
from proveout.statistics.arguments import HAIR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from proveout.faces.settings_reader import Reader, SettingsMistake

WORTH = "worth"

METERING = 'cap_per_call = "0.02 USD" in [[prove]], and meter = "proxy" in [models]'
"""What makes costs known that nobody declares."""

_LONGEST_NAME = 80
_PERCENT = 100
_MICRO = Decimal("0.000001")
_FREE = Usd(0)

Side: TypeAlias = Literal["floor", "ceiling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What calls cost.

    Attributes:
        cap: the declared most that one call can cost.
        of: the declared price of a call, by candidate.
        metered: the candidates whose calls cost what their models cost.
    """

    cap: Usd | None
    of: Mapping[str, Usd | None]
    metered: frozenset[str] = frozenset()

    @property
    def unknown(self) -> list[str]:
        """The candidates whose price was not declared."""
        return [name for name, price in self.of.items() if price is None]

    @property
    def most(self) -> Usd | None:
        """The most that one call of any candidate can cost, where that is known."""
        known = [price for price in self.of.values() if price is not None]
        return self.cap or (None if self.unknown else max(known))


def read_criteria(rows: tuple[Reader, ...], entry: str, prices: Prices) -> tuple[Criterion, ...]:
    """Return the criteria of an experiment, each under a name of its own.

    A score without a module is sought in the module of `entry`, the workflow's own.
    """
    found: dict[str, Reader] = {}
    criteria: list[Criterion] = []
    for row in rows:
        measure = _measure(row, entry, prices)
        name = _name(row, measure)
        if name in found or name == WORTH:
            raise _taken(row, name, found.get(name))
        found[name] = row
        criteria.append(Criterion(name=name, measure=measure, rule=_rule(row, measure)))
    return tuple(criteria)


def _name(row: Reader, measure: Measure) -> str:
    if not row.has("name"):
        return _default_name(row, measure)
    name = row.text("name")
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise row.mistake(
            f"{shown(name)} cannot be the name of a criterion",
            "name",
            why=f"it heads a line of the report: 1 to {_LONGEST_NAME} characters that print",
            fix=('name = "correct routing"',),
        )
    return name


def _default_name(row: Reader, measure: Measure) -> str:
    match measure:
        case Scored():
            return row.text("score")
        case Lead(over=over):
            return f"{row.text('score')}, lead over {over}"
        case Latency():
            return f"within {say_duration(measure.within)}"
        case Cost() | Worth():
            return "cost"


def _taken(row: Reader, name: str, other: Reader | None) -> SettingsMistake:
    inside = ("name",) if row.has("name") else ()
    if other is None:
        return row.mistake(
            f"a criterion cannot be called {shown(name)}",
            *inside,
            why="that is the name of the criterion that [prove.worth] makes",
            fix=(f'name = "{name} of an answer"',),
        )
    return row.mistake(
        f"two criteria are called {shown(name)}",
        *inside,
        why=f"the other stands in line {other.line(*inside)}",
        fix=(f'name = "{name} 2"',),
    )


# What is measured


def _measure(row: Reader, entry: str, prices: Prices) -> Measure:
    kind = _only_one(row, ("score", "latency", "cost"), "measure", 'score = "exact"')
    if kind != "score":
        _refuse(
            row, _GRADES, kind, "it bounds a graded score; latency and cost know their own bounds"
        )
        _refuse(row, OPTIONS, kind, "it is told to a score")
        _refuse(row, _JUDGES, kind, "only a score can be a judge")
        _refuse(row, ("lead_over",), kind, "a lead is the distance of two scores")
    match kind:
        case "score" if row.has("lead_over"):
            return _lead(row, entry, prices)
        case "score":
            return _scored(row, entry, _GRADES)
        case "latency":
            return Latency(within=cast("timedelta", row.duration("latency")))
        case _:
            return Cost(cap=_cap(row, prices))


def _only_one(row: Reader, names: tuple[str, ...], what: str, example: str) -> str:
    given = [name for name in names if row.has(name)]
    if len(given) == 1:
        return given[0]
    alternatives = f"{', '.join(names[:-1])} or {names[-1]}"
    if not given:
        raise row.mistake(
            f"{_called(row)} has no {what}", why=f"it takes {alternatives}", fix=(example,)
        )
    raise row.mistake(
        f"{_called(row)} has both {given[0]} and {given[1]}",
        given[1],
        why=f"it takes one of {alternatives}; two make two criteria",
        fix=(f"remove {given[0]} or {given[1]}",),
    )


def _called(row: Reader) -> str:
    name = row.values.get("name")
    return f"criterion {shown(name) if isinstance(name, str) else int(row.path[-1]) + 1}"


def _lead(row: Reader, entry: str, prices: Prices) -> Lead:
    others = [name for name in prices.of if name != OWN]
    _refuse(row, _JUDGES, "lead_over", "a lead is read from scores that do not err")
    over = row.text("lead_over")
    if over not in others:
        raise _no_such_rival(row, over, others)
    scored = _scored(row, entry, _BOUNDS)
    if scored.is_decided:
        _refuse(row, ("lead_over",), ACCEPTED, "a lead is read from scores that ask nobody")
    lead = Lead(over=over, scored=scored)
    return replace(lead, variance_guess=_guess(row, -lead.most, lead.most))


def _no_such_rival(row: Reader, over: str, others: list[str]) -> SettingsMistake:
    if over == OWN:
        message, why = (
            f"{_called(row)} leads over the workflow itself",
            "a lead is the workflow's, over another candidate",
        )
    else:
        message = f"there is no candidate {shown(over)} to lead over"
        why = f"declared beside the workflow: {', '.join(others) or 'none'}"
    near = difflib.get_close_matches(over, others, n=1) or others[:1]
    fix = f'lead_over = "{near[0]}"' if near else "[prove.candidates.vendor]"
    return row.mistake(message, "lead_over", why=why, fix=(fix,))


def _scored(row: Reader, entry: str, grades: tuple[str, ...]) -> Scored:
    """Return the score of a criterion; `grades` are the keys that make it a graded one."""
    score = _score(row, entry)
    if score == ACCEPTED:
        return _accepted(row)
    if is_share(score):
        _refuse(row, grades, score, "it is a share: it lies between 0 and 1")
        graded = Graded(low=0, high=1)
    else:
        graded = _graded(row, grades)
        if graded is not None and score in BUILT_IN:
            _refuse(row, grades, score, "it is pass or fail")
    options = _options(row, score)
    return Scored(score=score, graded=graded, options=options, judge=_judge(row, score))


def _accepted(row: Reader) -> Scored:
    """Return the score that people give; it is told nothing."""
    _refuse(row, _GRADES, ACCEPTED, "it is pass or fail")
    _refuse(row, _JUDGES, ACCEPTED, "people decide on every answer")
    _refuse(row, ("ceiling",), ACCEPTED, "the more are accepted, the better: it takes a floor")
    return Scored(score=ACCEPTED, options=_options(row, ACCEPTED))


def _judge(row: Reader, score: str) -> Judge | None:
    is_judge, labels = row.is_true("judge"), row.part("labels")
    if not is_judge and labels is None:
        return None
    if score in BUILT_IN:
        _refuse(row, _JUDGES, score, "it does not err: nobody need check it")
    if not is_judge:
        raise row.mistake(
            f"{_called(row)} has labels, and its score is no judge",
            "labels",
            why="people check a judge; any other score is taken at its word",
            fix=("judge = true", "remove labels"),
        )
    return Judge(labels=labels)


def _options(row: Reader, score: str) -> Options:
    try:
        return as_options(
            score,
            field=row.text("field"),
            fields=row.texts("fields"),
            choices=row.texts("choices"),
            tolerance=row.number_or_text("tolerance"),
            pattern=row.text("pattern"),
        )
    except WrongOption as error:
        inside = (error.option,) if row.has(error.option) else ()
        fix = (f"remove {error.option}",) if inside and error.is_foreign else ()
        raise row.mistake(
            str(error), *inside, why=error.why, fix=fix or (row.example(error.option),)
        ) from error


def _score(row: Reader, entry: str) -> str:
    text = row.text("score")
    ours = (*BUILT_IN, ACCEPTED)
    if text in ours:
        return text
    near = difflib.get_close_matches(text.lower(), ours, n=1, cutoff=0.75)
    if text.isidentifier() and not near:
        return f"{entry.partition(':')[0]}:{text}"
    if near or ":" not in text:
        raise row.mistake(
            f"no score is called {shown(text)}",
            "score",
            why=f"a score is one of {', '.join(ours)}, a function of the module of entry, "
            "or module:function",
            fix=(f'score = "{near[0]}"' if near else 'score = "exact"',),
        )
    return row.entry("score")


def _graded(row: Reader, grades: tuple[str, ...]) -> Graded | None:
    given = [name for name in grades if row.has(name)]
    if not given:
        return None
    low, high = row.number("low"), row.number("high")
    if low is None or high is None:
        raise row.mistake(
            f"{_called(row)} has {given[0]}, and needs both low and high",
            given[0],
            why="a graded score is bounded on both sides; a pass/fail score takes none of them",
            fix=("low = 0", "high = 5"),
        )
    if high - low < HAIR:
        raise row.mistake(
            f"high {high:.15g} must lie above low {low:.15g}", "high", fix=("low = 0", "high = 5")
        )
    guess = _guess(row, low, high) if "variance_guess" in grades else None
    return Graded(low=low, high=high, variance_guess=guess)


def _guess(row: Reader, low: float, high: float) -> float | None:
    """Return the guessed variance of values from `low` to `high`, or None where none is given."""
    guess, possible = row.positive("variance_guess"), ((high - low) / 2) ** 2
    if guess is not None and not possible * HAIR <= guess <= possible:
        raise row.mistake(
            f"variance_guess {guess:.15g} cannot be the variance of values from {low:.15g} to "
            f"{high:.15g}",
            "variance_guess",
            why=f"their variance is more than 0 and at most {possible:.6g}",
            fix=(f"variance_guess = {possible / 4:.6g}",),
        )
    return guess


_BOUNDS = ("low", "high")
_GRADES = (*_BOUNDS, "variance_guess")
_JUDGES = ("judge", "labels")


def _refuse(row: Reader, names: tuple[str, ...], kind: str, why: str) -> None:
    for name in names:
        if row.has(name):
            raise row.mistake(
                f"{name} does not go with {kind}", name, why=why, fix=(f"remove {name}",)
            )


def _cap(row: Reader, prices: Prices) -> Usd:
    cap = _declared_cap(row, prices)
    for name, declared in prices.of.items():
        price = prices.cap if name in prices.metered else declared
        if price is None:
            raise row.mistake(
                f"{_called(row)} measures cost, and candidate {name} has no price_per_call",
                "cost",
                why="a cost that nobody declared or metered, up to a cap, is not known",
                fix=('price_per_call = "0.004 USD"', METERING),
            )
        if price > cap:
            raise row.mistake(
                f"a call of candidate {name} costs {price}, more than the cap {cap}",
                "cost",
                why="a cost above its cap would be refused, never clipped",
                fix=(f'cost = "{price.amount} USD"',),
            )
    return cap


def _declared_cap(row: Reader, prices: Prices) -> Usd:
    match row.values.get("cost"):
        case True if prices.cap is not None:
            return prices.cap
        case True:
            raise row.mistake(
                f"{_called(row)} measures cost without a cap",
                "cost",
                why="cost = true takes its cap from cap_per_call, which is absent",
                fix=('cap_per_call = "0.05 USD"', 'cost = "0.05 USD"'),
            )
        case False:
            raise row.mistake(
                "cost cannot be false",
                "cost",
                fix=("cost = true", 'cost = "0.05 USD"', "remove cost"),
            )
        case _:
            return cast("Usd", row.money("cost", zero=False))


# What must be shown


def _rule(row: Reader, measure: Measure) -> Rule:
    side = _side(row, measure)
    bound, target = _bound(row, side, measure), _bound(row, "target", measure)
    if target == bound or (target < bound) == (side == "floor"):
        raise _wrong_order(row, side, bound, target)
    if abs(target - bound) < _hair(measure):
        raise row.mistake(
            f"target {target:.15g} is too close to its {side} {bound:.15g}",
            "target",
            why="no number of cases could tell them apart",
            fix=(row.example("target"),),
        )
    if side == "floor":
        return AtLeast(floor=bound, target=target)
    return AtMost(ceiling=bound, target=target)


def _side(row: Reader, measure: Measure) -> Side:
    usual: Side = "ceiling" if isinstance(measure, Cost) else "floor"
    lowest = "floor = 0" if isinstance(measure, Lead) else "floor = 0.85"
    example = "ceiling = 0.02" if usual == "ceiling" else lowest
    side = cast("Side", _only_one(row, ("floor", "ceiling"), "floor or ceiling", example))
    if side != usual and not isinstance(measure, Scored):
        why = _HIGHER.get(type(measure), "lower is better")
        raise row.mistake(
            f"{_called(row)} takes a {usual}, not a {side}", side, why=why, fix=(example,)
        )
    return side


_HIGHER: dict[type[Measure], str] = {
    Latency: "it is the share of cases answered in time; higher is better",
    Lead: "a lead is higher when it is better; for a score where lower is better, lead by its "
    "opposite",
}


def _bound(row: Reader, name: str, measure: Measure) -> float:
    value = row.amount(name) if isinstance(measure, Cost) else row.number(name)
    low, high = _range(measure)
    hair = _hair(measure)
    if value is None or not low + hair < value < high - hair:
        raise _out_of_range(row, name, value or 0.0, measure)
    return value


def _hair(measure: Measure) -> float:
    """Return the least distance that the statistics can work with, with room for rounding."""
    low, high = _range(measure)
    return 2 * HAIR * (high - low)


def _range(measure: Measure) -> tuple[float, float]:
    match measure:
        case Scored(graded=Graded(low=low, high=high)):
            return low, high
        case Scored() | Latency():
            return 0.0, 1.0
        case Lead():
            return -measure.most, measure.most
        case Cost(cap=cap):
            return 0.0, float(cap)
        case Worth(worst=worst, best=best):
            return float(worst), float(best)


def _out_of_range(row: Reader, name: str, value: float, measure: Measure) -> SettingsMistake:
    low, high = _range(measure)
    where, why = f"{low:.15g} and {high:.15g}", "it must lie strictly between low and high"
    fix = (f"{name} = {(low + high) / 2:g}",)
    if isinstance(measure, Cost):
        where, why = f"nothing and the cap {measure.cap}", "no case costs more than the cap"
    elif isinstance(measure, Lead):
        why = "no lead is larger than its score's range; 5 points of a pass/fail score are 0.05"
        fix = (f"{name} = {high / 20:g}",)
    elif isinstance(measure, Latency) or (isinstance(measure, Scored) and not measure.graded):
        why = "it is a share of cases: 85 % is 0.85; a graded score declares low and high"
        fix = (f"{name} = {value / _PERCENT if 1 < value < _PERCENT else 0.9:g}",)
    return row.mistake(f"{name} {value:.15g} does not lie between {where}", name, why=why, fix=fix)


def _wrong_order(row: Reader, side: Side, bound: float, target: float) -> SettingsMistake:
    is_now, belongs = ("below", "above") if side == "floor" else ("above", "below")
    lies = "equals" if target == bound else f"lies {is_now}"
    swapped = (f"{side} = {target:.15g}", f"target = {bound:.15g}")
    return row.mistake(
        f"target {target:.15g} {lies} its {side} {bound:.15g}",
        "target",
        why=f"the target is what is hoped for; it lies {belongs} the {side}",
        fix=() if target == bound else swapped,
    )


# Worth


def read_worth(row: Reader, prices: Prices) -> Criterion:
    """Return the criterion that a case gains more than nothing."""
    value = cast("Usd", row.money("value_per_success"))
    loss = cast("Usd", row.money("loss_per_error"))
    baseline = _baseline(row)
    volume, fixed_cost = row.rate("volume"), row.money_rate("fixed_cost")
    saved = _saved(baseline)
    worst = _worst(row, _rounded(saved - loss - _dearest(row, prices), ROUND_FLOOR))
    best = _best(row, _rounded(value + saved, ROUND_CEILING))
    measure = Worth(
        value_per_success=value,
        loss_per_error=loss,
        worst=worst,
        best=best,
        baseline=baseline,
        volume_per_month=volume.per_month if volume else None,
        fixed_cost_per_month=fixed_cost.per_month if fixed_cost else None,
    )
    target = _worth_target(row, best)
    if min(map(float, (-worst, target, best - target))) < _hair(measure):
        raise row.mistake(
            f"worst {worst}, target {target} and best {best} are too far apart in size",
            why="the smallest of them would vanish beside the largest",
            fix=(row.example("value_per_success"), row.example("loss_per_error")),
        )
    return Criterion(name=WORTH, measure=measure, rule=AtLeast(floor=0.0, target=float(target)))


def _baseline(row: Reader) -> Baseline | None:
    inner = row.inner("baseline")
    if inner is None:
        return None
    minutes = cast("float", inner.positive("minutes"))
    return Baseline(minutes=minutes, person_hour=cast("Usd", inner.money("person_hour")))


def _saved(baseline: Baseline | None) -> Usd:
    if baseline is None:
        return _FREE
    return baseline.person_hour * (Decimal(str(baseline.minutes)) / 60)


def _dearest(row: Reader, prices: Prices) -> Usd:
    if prices.most is None:
        raise row.mistake(
            f"worth takes off what calls cost, and candidate {prices.unknown[0]} has no "
            "price_per_call",
            why="a worth whose cost is not known proves nothing; free calls cost 0 USD",
            fix=('price_per_call = "0.004 USD"', METERING),
        )
    return prices.most


def _worst(row: Reader, possible: Usd) -> Usd:
    declared = row.money("worst", negative=True)
    worst = possible if declared is None else declared
    if worst > possible:
        raise row.mistake(
            f"worst {worst} is better than the worst case, {possible}",
            "worst",
            why="an error loses loss_per_error and the call, less what the baseline saves",
            fix=(f'worst = "{possible.amount} USD"', "remove worst"),
        )
    if worst >= _FREE:
        raise row.mistake(
            f"a case cannot lose: its worst is {worst}",
            why="even an error saves more than it costs, so there is nothing to prove; "
            "loss_per_error or baseline may be wrong",
            fix=('loss_per_error = "6 USD"',),
        )
    return worst


def _best(row: Reader, possible: Usd) -> Usd:
    declared = row.money("best", negative=True)
    best = possible if declared is None else declared
    if best < possible:
        raise row.mistake(
            f"best {best} is worse than the best case, {possible}",
            "best",
            why="a success earns value_per_success and what the baseline saves",
            fix=(f'best = "{possible.amount} USD"', "remove best"),
        )
    if best <= _FREE:
        raise row.mistake(
            f"a case cannot gain: its best is {best}",
            why="a success that earns and saves nothing can never pay",
            fix=('value_per_success = "1.20 USD"',),
        )
    return best


def _worth_target(row: Reader, best: Usd) -> Usd:
    target = row.money("target", negative=True)
    if target is None:
        return Usd(best.amount / 4)
    if not _FREE < target < best:
        raise row.mistake(
            f"target {target} does not lie between {_FREE} and best {best}",
            "target",
            why="worth must be more than nothing, and cannot be more than its best",
            fix=(f'target = "{_rounded(Usd(best.amount / 4), ROUND_CEILING).amount} USD"',),
        )
    return target


def _rounded(amount: Usd, direction: str) -> Usd:
    """Return the amount to a millionth of a dollar, away from what must stay inside it."""
    return Usd(amount.amount.quantize(_MICRO, rounding=direction))
