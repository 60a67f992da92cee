"""From the store to the pages: two candidates, or two looks, on the same cases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proveout.domain.experiment import OWN
from proveout.errors import Outage, ProveoutError
from proveout.faces.cli.compare import compared, side_names
from proveout.faces.report.figures import scale_of
from proveout.faces.report.meaning import ahead
from proveout.faces.report.page import first_up
from proveout.faces.report.untrusted import excerpt
from proveout.faces.web.compare import Compared, ComparePage, PairRow
from proveout.faces.word_changes import in_words, word_changes
from proveout.prove.compare import is_asked_again

if TYPE_CHECKING:
    from proveout.faces.project import Project
    from proveout.faces.settings import ExperimentSettings
    from proveout.faces.web.visit import Visit
    from proveout.prove.compare import Comparison, Pair

SHOWN = 50
"""Cases of each kind that the page shows."""


async def compare_page(visit: Visit) -> ComparePage:
    """Return two sides case by case, those that the address names or the usual ones."""
    project = visit.console.project
    known = project.settings.experiments
    chosen = next((one for one in known if one.name == visit.asked("experiment")), None)
    chosen = chosen or next(iter(known), None)
    if chosen is None:
        return ComparePage(commands=("add a [prove] table",))
    names = [one.name for one in chosen.plan.candidates]
    others = [one for one in names if one != OWN]
    before = bool(visit.asked("before")) or not others
    a = visit.asked("a") or (others[0] if others else OWN)
    b = visit.asked("b") or OWN
    by = visit.asked("by")
    sides = (chosen.name, b) if before else (chosen.name, a, b)
    found, problem, commands = await _found(project, sides, before=before, by=by or None)
    return ComparePage(
        experiments=tuple(one.name for one in known),
        experiment=chosen.name,
        candidates=tuple(names),
        criteria=_criteria(chosen),
        a=a,
        b=b,
        by=by,
        before=before,
        found=found,
        problem=problem,
        commands=commands,
    )


def _criteria(chosen: ExperimentSettings) -> tuple[str, ...]:
    return tuple(one.name for one in chosen.plan.criteria if is_asked_again(one))


async def _found(
    project: Project, sides: tuple[str, ...], *, before: bool, by: str | None
) -> tuple[Compared | None, str, tuple[str, ...]]:
    """Return the comparison, or why there is none and what would give one."""
    try:
        return _shown(await compared(project, sides, before=before, by=by)), "", ()
    except Outage:
        raise
    except ProveoutError as error:
        said = f"{error.message}; {error.why}" if error.why else error.message
        return (
            None,
            f"{first_up(said)}.",
            tuple(one for one in error.fix if one.startswith("prove")),
        )


def _shown(found: Comparison) -> Compared:
    a, b = side_names(found)
    lead = ""
    if found.estimate is not None:
        figures = found.estimate, found.interval, found.alpha
        lead = f"{b} {ahead(*figures, over=a, scale=scale_of(found.lead))}; of {found.of}"
    worse, better = found.regressions, found.improvements
    return Compared(
        a=a,
        b=b,
        by=found.subject.criterion.name,
        lead=lead,
        cases=len(found.pairs),
        even=len(found.even),
        alone=found.alone,
        reused=found.reused,
        regressions=tuple(_row(one) for one in worse[:SHOWN]),
        improvements=tuple(_row(one) for one in better[:SHOWN]),
        worse=len(worse),
        better=len(better),
    )


def _row(pair: Pair) -> PairRow:
    before, after = in_words(pair.a.answer), in_words(pair.b.answer)
    case = pair.case
    return PairRow(
        case=case.id,
        value=excerpt(_text(case.value)),
        expected=None if case.expected is None else excerpt(_text(case.expected)),
        a=excerpt(before),
        b=excerpt(after),
        a_score=f"{pair.a.score:.3g}",
        b_score=f"{pair.b.score:.3g}",
        a_run=pair.a.run,
        b_run=pair.b.run,
        changes=word_changes(before, after),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
