"""What a case is worth against today's way of doing it, and from which volume it pays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.criterion import Worth
from proveout.faces.report.figures import about, limits, money, scale_of
from proveout.prove.observe import saved

if TYPE_CHECKING:
    from proveout.domain.criterion import Baseline
    from proveout.domain.verdict import Judgement, Standing

NO_VOLUME = "at no volume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of the section on worth, and what it rests on."""

    name: str
    figure: str
    note: str = ""


def worth_standing(judgement: Judgement) -> Standing | None:
    """Return the standing of the criterion on worth, where there is one."""
    measured = (one for one in judgement.standings if isinstance(one.criterion.measure, Worth))
    return next(measured, None)


def worth_rows(standing: Standing) -> tuple[Row, ...]:
    """Return what there is to say of a criterion on worth."""
    worth = standing.criterion.measure
    assert isinstance(worth, Worth)  # noqa: S101 - `worth_standing` chose it
    return (
        _net(standing),
        _today(worth),
        *_break_even(standing, worth),
        *_month(standing, worth),
        *_flip(standing, worth),
        Row(
            name="Reckoned with",
            figure=f"{money(worth.value_per_success)} a success",
            note=f"{money(worth.loss_per_error)} lost by an error;"
            " the price of the calls is taken off",
        ),
    )


def _net(standing: Standing) -> Row:
    scale, now = scale_of(standing.criterion), standing.now
    if now.estimate is None:
        return Row(name="Net per case", figure="not measured yet")
    return Row(
        name="Net per case",
        figure=scale.say(now.estimate),
        note=f"interval {scale.say_span(now.interval)}, against today's way of doing it",
    )


def _today(worth: Worth) -> Row:
    if worth.baseline is None:
        return Row(name="Today's way", figure="not declared", note="counted as costing nothing")
    return Row(
        name="Today's way costs",
        figure=f"{about(float(saved(worth)))} a case",
        note=f"{_minutes(worth.baseline.minutes)} of a person at"
        f" {money(worth.baseline.person_hour)} an hour, saved by every case",
    )


def _minutes(minutes: float) -> str:
    return f"{minutes:,.4g} {'minute' if minutes == 1 else 'minutes'}"


def _break_even(standing: Standing, worth: Worth) -> list[Row]:
    fixed, now = worth.fixed_cost_per_month, standing.now
    if fixed is None or now.estimate is None:
        return []
    low, high = now.interval
    best, worst = break_even(float(fixed), high), break_even(float(fixed), low)
    figure = volume(break_even(float(fixed), now.estimate))
    at_worst = volume(worst) if worst is not None else f"{NO_VOLUME} at its lower end"
    reach = f"; over the interval {volume(best)} to {at_worst}" if best is not None else ""
    return [
        Row(
            name="Pays from",
            figure=figure,
            note=f"fixed cost of {money(fixed)} a month{reach}",
        )
    ]


def break_even(fixed: float, net: float) -> int | None:
    """Return the cases a month from which a fixed cost is earned; None where it never is.

    >>> break_even(900.0, 2.5), break_even(900.0, -1.0)
    (360, None)
    """
    return math.ceil(round(fixed / net, 6)) if net > 0 else None


def volume(cases: int | None) -> str:
    """Return a volume in words."""
    return NO_VOLUME if cases is None else f"{cases:,} cases a month"


def _month(standing: Standing, worth: Worth) -> list[Row]:
    cases, now = worth.volume_per_month, standing.now
    if cases is None or now.estimate is None:
        return []
    fixed = float(worth.fixed_cost_per_month or 0)
    low, high = (about(cases * edge - fixed) for edge in now.interval)
    return [
        Row(
            name="Net a month",
            figure=about(cases * now.estimate - fixed),
            note=f"at the {cases:,.4g} cases a month that were declared,"
            f" fixed cost taken off; interval {low} to {high}",
        )
    ]


def _flip(standing: Standing, worth: Worth) -> list[Row]:
    """Return how far the one assumption that nobody measured may be wrong."""
    now, baseline = standing.now, worth.baseline
    if now.estimate is None or baseline is None or not float(baseline.person_hour):
        return []
    floor, _ = limits(standing.criterion)
    minutes = baseline.minutes - (now.estimate - floor) / float(baseline.person_hour) * 60
    return [Row(name="Assumption to check", figure=_flip_figure(minutes, baseline), note=_WHY)]


_WHY = "minutes that today's way takes: declared, not measured; there the estimate meets the floor"


def _flip_figure(minutes: float, baseline: Baseline) -> str:
    if minutes <= 0:
        return "None: it pays even if today's way cost nothing"
    return f"Turns at {_minutes(round(minutes, 2))} instead of {baseline.minutes:,.4g}"
