"""Build or buy: one decision, on the same cases, criteria, access, exceptions and needs."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.verdict import Verdict
from proveout.faces.choice_lines import lines_of
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    faint,
    next_step,
    paint,
    sign,
    strong,
    wrapped,
)
from proveout.ready.decision import Outcome

if TYPE_CHECKING:
    from proveout.faces.choosing import Chosen
    from proveout.ready.decision import Side

COLUMNS = 80
LABEL = 14
"""Columns of the name of a line."""

VERDICT = {Verdict.GO: "ok", Verdict.NO_GO: "no", Verdict.UNDECIDED: "open"}
TAKEN = {Outcome.BUILD: "green", Outcome.BUY: "green", Outcome.NEITHER_YET: "yellow"}


@click.command("choice")
@click.argument("experiment", required=False)
@click.option("--probe", is_flag=True, help="Ask each address once without its credentials.")
@click.option("--html", type=click.Path(path_type=Path), help="Write it as one HTML file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one choice.v1.")
def audit_choice(experiment: str | None, probe: bool, html: Path | None, as_json: bool) -> int:
    """Weigh building against buying: build, buy, or neither yet, with reasons.

    Reads what EXPERIMENT has recorded, and calls nothing unless --probe is given. Exits 0
    when one of them can be taken, 1 when it is neither yet.
    """
    found = asyncio.run(_chosen(experiment, probe=probe))
    if html is not None:
        from proveout.faces.report.choice import choice_html

        html.write_text(choice_html(found), "utf-8")
    if as_json:
        answer_json(choice_v1(found))
    else:
        _show(found)
    return 0 if found.decision.chosen else 1


async def _chosen(experiment: str | None, *, probe: bool) -> Chosen:
    from proveout.faces.choosing import choose
    from proveout.faces.project import Project

    async with Project.open() as project:
        return await choose(project, experiment, probe=probe)


def choice_v1(found: Chosen) -> dict[str, Any]:
    """Return a decision as the object that programs read."""
    decision = found.decision
    return {
        "schema": "choice.v1",
        "experiment": found.account.plan.name,
        "outcome": decision.outcome,
        "chosen": decision.chosen or None,
        "reasons": list(decision.reasons),
        "first": decision.first or None,
        "leads": [asdict(one) for one in found.leads],
        "candidates": [_side_words(one) for one in found.sides],
    }


def _side_words(side: Side) -> dict[str, Any]:
    return {
        **asdict(side),
        "refused": dict(side.refused),
        "needs": [
            {"need": one.need, "met": one.is_met, "evidence": one.evidence} for one in side.needs
        ],
        "against": list(side.against),
        "open": list(side.open),
    }


def _show(found: Chosen) -> None:
    plan, decision = found.account.plan, found.decision
    answer(f"{strong(plan.name)} · {clean(plan.question) or 'build or buy'}")
    for side in found.sides:
        answer()
        answer(f"{sign(VERDICT[side.verdict])} {strong(clean(side.name))}  {_kind(side)}")
        for label, text in lines_of(side):
            _labelled(label, text)
    for one in found.leads:
        answer()
        _labelled("case by case", one.said)
    answer()
    word = paint(decision.outcome.upper(), TAKEN[decision.outcome], bold=True)
    answer(f"{word}{f'  {clean(decision.chosen)}' if decision.chosen else ''}")
    for reason in decision.reasons:
        first, *rest = wrapped(reason, COLUMNS - 4)
        answer(f"  - {first}")
        for line in rest:
            answer(f"    {line}")
    if decision.first:
        next_step(_next(found), decision.first)
    elif decision.outcome is Outcome.BUILD:
        next_step(found.next)


def _kind(side: Side) -> str:
    return faint("what you would build" if side.is_own else "what you would buy")


def _labelled(label: str, text: str) -> None:
    first, *rest = wrapped(text, COLUMNS - LABEL - 4)
    answer(f"  {faint(f'{label:<{LABEL}}')}  {first}")
    for line in rest:
        answer(f"  {'':{LABEL}}  {line}")


def _next(found: Chosen) -> str:
    """Return the command that brings the decision nearer."""
    name, running = found.account.plan.name, [one for one in found.sides if not one.against]
    if running:
        return "proveout config show"
    if any(one.verdict is Verdict.UNDECIDED for one in found.sides):
        return f"proveout prove {name}"
    return f"proveout compare {name}"
