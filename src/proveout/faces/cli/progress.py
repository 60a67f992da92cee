"""How an experiment stands, on a terminal: live while it runs, and at its end."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from proveout.domain.criterion import AtLeast, AtMost, Cost, Lead, Scored, Worth
from proveout.domain.experiment import OWN
from proveout.domain.verdict import Status, StoppedBy, Verdict
from proveout.faces.cli.output import clean, faint, is_utf8, paint, say, sign, strong, uses_colour
from proveout.faces.report.meaning import how_far
from proveout.prove.account import UNCHECKED
from proveout.prove.calibrate import is_pass_fail
from proveout.prove.pace import Sign

if TYPE_CHECKING:
    from types import TracebackType

    from rich.live import Live

    from proveout.domain.criterion import Criterion
    from proveout.domain.verdict import Judgement, Standing
    from proveout.faces.settings import ExperimentSettings
    from proveout.prove.account import Account
    from proveout.prove.allowance import Slowed
    from proveout.prove.foresee import Forecast
    from proveout.statistics.sources import SourceFigures

EVERY = 10.0
"""Seconds between two lines of progress where nothing can be drawn."""

SIGN = {Status.MET: "ok", Status.FAILED: "no", Status.OPEN: "open"}
COLOUR = {Verdict.GO: "green", Verdict.NO_GO: "red", Verdict.UNDECIDED: "yellow"}
BAR = 30
COLUMNS = 80
INDENT = 4
CENT = 0.01
HEAD = ("criterion", "limit, target", "estimate", "interval", "at case")


class Progress:
    """Shows how an experiment stands, on standard error."""

    def __init__(self, experiment: ExperimentSettings, *, quiet: bool) -> None:
        self._experiment = experiment
        self._quiet = quiet
        self._live: Live | None = None
        self._start = time.monotonic()
        self._said = self._start

    def open(self, account: Account, expectation: list[str]) -> None:
        """Say what was locked, and what it is expected to take."""
        if self._quiet:
            return
        plan = account.plan
        criteria = f"{len(plan.criteria)} criteri{'a' if len(plan.criteria) > 1 else 'on'}"
        look = f" · look {account.look}" if account.look > 1 else ""
        say(f"{strong(plan.name)}  lock {account.lock[:7]} · {criteria} · {plan.claim}{look}")
        for line in expectation:
            say(line)

    def __enter__(self) -> Self:
        """Draw on a terminal from here on."""
        if not self._quiet and uses_colour(sys.stderr):
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()

    def show(self, account: Account) -> None:
        """Show how it stands now."""
        if self._quiet:
            return
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text.from_ansi("\n".join(figures(account))))
        elif time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            say(one_line(account))


def one_line(account: Account) -> str:
    """Return how it stands in one line, for logs."""
    parts = [f"{one.candidate} {one.cases} cases {one.verdict}" for one in account.judgements]
    parts += [f"{account.calls} calls", *map(how_slowed, account.slowed)]
    return f"{account.plan.name}  {' · '.join(parts)}"


def figures(account: Account) -> list[str]:
    """Return the figures of an experiment in lines of at most 80 columns."""
    total = len(account.order)
    lines = ["", f"  Spent    {spent(account)}"]
    for judgement in account.judgements:
        lines += ["", *_candidate(judgement, total, alone=len(account.judgements) == 1)]
        if note := account.note(judgement.candidate):
            lines.append(f"  {sign('warn')} {note}")
    if account.slowed:
        lines += ["", *(f"  {sign('warn')} {how_slowed(one)}" for one in account.slowed)]
    return lines


def how_slowed(slowed: Slowed) -> str:
    """Return how many trials of a candidate go at once, and why no more, in words."""
    whose = "" if slowed.candidate == OWN else f" of {slowed.candidate}"
    match slowed.sign:
        case Sign.TURNED_AWAY:
            why = "the vendor asks to wait" if slowed.candidate == OWN else "it asks to wait"
        case Sign.SLOWER:
            why = "more would only be slower"
    return f"{slowed.at_once}{whose} at once, {why}"


def touches_its_limit(account: Account) -> bool:
    """Whether the interval of a met criterion still reaches its floor or ceiling."""
    for standing in account.own.standings:
        low, high = standing.now.interval
        match standing.criterion.rule:
            case AtLeast(floor=floor):
                touches = low <= floor
            case AtMost(ceiling=ceiling):
                touches = high >= ceiling
        if touches and standing.status is Status.MET:
            return True
    return False


def spent(account: Account) -> str:
    """Return what was used of the budget and the time box."""
    budget = account.plan.budget
    calls = f"{account.calls:,}" + (f" of {budget.calls:,}" if budget.calls else "") + " calls"
    parts = [calls, *([f"{account.reused:,} reused"] if account.reused else [])]
    if account.spent is not None:
        parts.insert(0, f"{account.spent}" + (f" of {budget.money}" if budget.money else ""))
    left = account.plan.time_box - (account.at - account.locked)
    parts.append(f"{roughly(left)} left" if left > timedelta(0) else "time box over")
    return " · ".join(parts)


def roughly(time: timedelta) -> str:
    """Return a time in its two largest units, such as "6 d 20 h"."""
    seconds = int(time.total_seconds())
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def _candidate(judgement: Judgement, total: int, *, alone: bool) -> list[str]:
    share = judgement.cases / total if total else 0
    full, empty = ("━", "─") if is_utf8() else ("#", "-")
    bar = full * round(share * BAR) + faint(empty * (BAR - round(share * BAR)))
    name = "Cases" if alone else clean(judgement.candidate)[:24]
    verdict = "" if alone else f"  {paint(judgement.verdict, COLOUR[judgement.verdict], bold=True)}"
    lines = [f"  {name:<8} {judgement.cases} of {total} {bar}{verdict}"]
    rows = [_cells(standing) for standing in judgement.standings]
    widths = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    widths[0] = min(widths[0], COLUMNS - INDENT - sum(widths[1:]) - 2 * len(widths))
    lines.append(faint(f"    {_row(HEAD, widths)}"))
    for standing, row in zip(judgement.standings, rows, strict=True):
        lines.append(f"  {sign(SIGN[standing.status])} {_row(row, widths)}")
        if (said := how_far(standing)) is not None:
            lines.append(faint(f"    {clean(said)}"))
        if standing.sources is not None:
            lines.append(faint(f"    {_sources(standing.criterion, standing.sources)}"))
        lines += [faint(f"    {one}") for one in (*_judge(standing), *_people(standing))]
    return lines


def _judge(standing: Standing) -> list[str]:
    """Return who measured a criterion, if it was a judge, and how people agree with it."""
    criterion, found = standing.criterion, standing.agreement
    if criterion.is_unchecked:
        return [f"according to {UNCHECKED}"]
    if found is None:
        return []
    if found.difference is None:
        return ["no answer is labelled yet"]
    lines = [f"judge and people agree on {found.agreed} of {found.labelled}"]
    if is_pass_fail(criterion):
        lines[0] += (
            f": on {found.yes_by_both} of {found.yes} yes, on {found.no_by_both} of {found.no} no"
        )
    else:
        lines[0] += f"; the judge's mean is {found.difference:+.3g} off"
    return lines


def _people(standing: Standing) -> list[str]:
    """Return what people decided about a criterion's answers, if they did."""
    found = standing.decisions
    if found is None:
        return []
    if not found.count:
        return ["nobody decided on an answer yet"]
    return [f"people approved {found.approved}, edited {found.edited}, rejected {found.rejected}"]


def _sources(criterion: Criterion, found: SourceFigures) -> str:
    """Return what cases that share sources come to, counted either way."""
    effect = "" if found.design_effect is None else f", design effect {found.design_effect:.2g}"
    by_request, by_source = (
        value(criterion, mean) for mean in (found.per_request, found.per_source)
    )
    return f"{found.sources} sources: {by_request} per request, {by_source} per source{effect}"


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers = cells
    rest = (cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))
    return "  ".join((name[: widths[0]].ljust(widths[0]), *rest)).rstrip()


def _cells(standing: Standing) -> tuple[str, ...]:
    criterion, now = standing.criterion, standing.now
    low, high = (value(criterion, edge) for edge in now.interval)
    dash = "\N{EN DASH}" if is_utf8() else "-"
    return (
        clean(criterion.name),
        rule(criterion),
        "" if now.estimate is None else value(criterion, now.estimate),
        f"{low} {dash} {high}",
        "" if standing.decided_at is None else str(standing.decided_at),
    )


def rule(criterion: Criterion) -> str:
    """Return a criterion's two lines: the floor or ceiling, then the target."""
    dot = "·" if is_utf8() else "/"
    match criterion.rule:
        case AtLeast(floor=edge, target=target) | AtMost(ceiling=edge, target=target):
            return f"{value(criterion, edge)} {dot} {value(criterion, target)}"


def value(criterion: Criterion, number: float) -> str:
    """Return a number in the unit of its criterion."""
    measure = criterion.measure
    if isinstance(measure, Cost | Worth):
        return f"{'-' if number < 0 else ''}${money(abs(number))}"
    match measure:
        case Lead(scored=Scored(graded=None)):
            return f"{100 * number:.3g} pt"
        case Lead():
            return f"{number:.3g}"
        case Scored(graded=graded) if graded is not None:
            return f"{number:.3g}"
        case _:
            return f"{100 * number:.3g}%"


def money(amount: float) -> str:
    """Return dollars: to the cent, or below a cent to two digits that mean something."""
    text = f"{amount:.2f}" if amount >= CENT or not amount else f"{Decimal(f'{amount:.2g}'):f}"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.ljust(2, '0')}"


def verdict_line(account: Account, forecast: Forecast) -> str:
    """Return the verdict in one sentence, with what was not needed."""
    own = account.own
    word = paint(own.verdict, COLOUR[own.verdict], bold=True)
    if account.unchecked:
        word += f"  according to {UNCHECKED},"
    cases = len(account.order)
    saved = max(0, forecast.fixed - own.cases * account.plan.repeats)
    match own.verdict:
        case Verdict.GO:
            rest = f" {cases - own.cases} cases were not needed." if cases > own.cases else ""
            less = f"\n    a test that is read only once takes {saved} more." if saved else ""
            return f"{word}  all criteria met after {own.cases} cases.{rest}{less}"
        case Verdict.NO_GO:
            lost = [s for s in own.standings if s.status is Status.FAILED]
            what = "; ".join(_ruled_out(standing) for standing in lost)
            return f"{word}  after {own.cases} cases: {what}."
        case Verdict.UNDECIDED:
            why = account.stopped_by or "interruption"
            still = ", ".join(s.criterion.name for s in own.standings if s.status is Status.OPEN)
            read = f"{own.cases} of {cases} cases"
            stopped = f"waits for {len(account.waiting)} labels"
            if account.stopped_by is not StoppedBy.LABELS:
                stopped = f"stopped by {why}"
            return f"{word}  after {read}, {stopped}; open: {clean(still)}."


def _ruled_out(standing: Standing) -> str:
    criterion = standing.criterion
    what = value(criterion, criterion.rule.target)
    if isinstance(criterion.measure, Lead):
        what = f"a lead of {what} over {criterion.measure.over}"
    return f"{clean(criterion.name)}: {what} is ruled out"
