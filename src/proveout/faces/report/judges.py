"""What there is to say of the judges and people that a verdict rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.faces.report.figures import count_of, scale_of
from proveout.prove.account import UNCHECKED
from proveout.prove.calibrate import is_pass_fail

if TYPE_CHECKING:
    from proveout.domain.verdict import Standing
    from proveout.prove.account import Account

NAMED = 8
"""Cases that are named at most where labels wait."""


def judges(account: Account) -> tuple[str, ...]:
    """Return sentences on judges, on how people agree and decide, and on what waits for them."""
    return (
        *([unchecked(account)] if account.unchecked else []),
        *(f"{agreement(one)}." for one in account.own.standings if one.agreement is not None),
        *(f"{decisions(one)}." for one in account.own.standings if one.decisions is not None),
        *([f"{waiting(account)}."] if account.waiting else []),
    )


def unchecked(account: Account) -> str:
    """Return what a verdict is worth that rests on a judge whom nobody checks."""
    return (
        f"This is according to {UNCHECKED}: no person labelled any answer for"
        f" {', '.join(account.unchecked)}, so it cannot carry a promotion."
    )


def agreement(standing: Standing) -> str:
    """Return how a judge compares with people, in counts; all of them are small."""
    found, name = standing.agreement, standing.criterion.name
    if found is None or found.difference is None:
        return f"No answer was labelled yet for {name}"
    agreed = f"The judge of {name} agrees with people on {found.agreed} of {found.labelled} answers"
    if is_pass_fail(standing.criterion):
        return (
            f"{agreed}: it said yes to {found.yes_by_both} of the {found.yes} that they said yes"
            f" to, and no to {found.no_by_both} of the {found.no} that they said no to"
        )
    off = found.difference
    size = scale_of(standing.criterion).say(abs(off))
    return f"{agreed}, and grades {size} {'lower' if off < 0 else 'higher'} than they do on average"


def decisions(standing: Standing) -> str:
    """Return what people decided about answers, in counts."""
    found, name = standing.decisions, standing.criterion.name
    if found is None or not found.count:
        return f"Nobody decided on an answer yet for {name}"
    return (
        f"People decided on {count_of(found.count, 'answer')} for {name}: {found.approved} approved"
        f" as they were, {found.edited} edited, {found.rejected} rejected"
    )


def waiting(account: Account) -> str:
    """Return how many labels are still needed, and the cases."""
    cases = list(dict.fromkeys(account.waiting))
    more = f" and {len(cases) - NAMED} more" if len(cases) > NAMED else ""
    verb = "waits" if len(account.waiting) == 1 else "wait"
    return (
        f"{count_of(len(account.waiting), 'answer')} {verb} for a label by a person:"
        f" {'case' if len(cases) == 1 else 'cases'} {', '.join(cases[:NAMED])}{more}"
    )
