"""The command `compare`: two candidates, or two looks, case by case; regressions first."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.criterion import Scored
from proveout.domain.experiment import OWN
from proveout.errors import Mistake
from proveout.faces.cli.output import answer, answer_json, clean, faint, is_utf8, sign, strong
from proveout.faces.cli.two_answers import LABEL, clipped, difference, labelled, width
from proveout.faces.word_changes import in_words, word_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proveout.domain.criterion import Criterion
    from proveout.domain.experiment import Plan
    from proveout.faces.project import Project
    from proveout.prove.compare import Comparison, Pair, Reply, Side
    from proveout.prove.conduct import Setup

NAME = 24
"""Columns of a side's name."""


@click.command()
@click.argument("names", nargs=-1, metavar="[EXPERIMENT] [A] [B]")
@click.option("--before", is_flag=True, help="Compare with the look before, not with another.")
@click.option("--by", help="The criterion whose score is compared; else the first that has one.")
@click.option("--limit", type=click.IntRange(0), default=10, help="Cases shown of each kind.")
@click.option("--json", "as_json", is_flag=True, help="Print one compare.v1 with every case.")
def compare(
    names: tuple[str, ...], before: bool, by: str | None, limit: int, as_json: bool
) -> None:
    """Show where candidate B is worse than A, and where it is better; calls nothing.

    B is the workflow and A its only rival unless they are named. The first name is an
    experiment's where one is called so.
    """
    found = asyncio.run(_compared(names, before=before, by=by))
    if as_json:
        answer_json(compare_v1(found))
        return
    for line in _summary(found):
        answer(line)
    for title, kind, pairs in (
        ("Regressions", "no", found.regressions),
        ("Improvements", "ok", found.improvements),
    ):
        for line in _section(title, kind, pairs, limit):
            answer(line)


# What is compared


async def _compared(names: tuple[str, ...], *, before: bool, by: str | None) -> Comparison:
    from proveout.faces.project import Project

    async with Project.open() as project:
        return await compared(project, names, before=before, by=by)


async def compared(
    project: Project, names: tuple[str, ...], *, before: bool, by: str | None
) -> Comparison:
    """Return two candidates, or two looks, case by case; `names` as on the command line.

    Raises:
        NoSuch: nothing is called so, or nothing was recorded of what stands here.
        Mistake: the names are too many, or mean one side twice.
        NothingInCommon: no case was tried by both.
    """
    from proveout.faces.project import NoSuch
    from proveout.prove.compare import Side, Subject, compare

    known = {one.name for one in project.settings.experiments}
    first = next(iter(names), None)
    _check_count(names, [one.plan for one in project.settings.experiments])
    is_named = first in known or len(names) > 2  # noqa: PLR2004 - A and B
    chosen = project.experiment(first if is_named else None)
    conductor = await project.recorded(chosen)
    if conductor is None:
        raise NoSuch(
            await project.changed(chosen),
            why="answers are compared by the experiment that they were given in",
            fix=(f"proveout prove {chosen.name}",),
        )
    setup, rest = conductor.setup, names[1:] if is_named else names
    subject = Subject(
        plan=setup.plan,
        dataset=setup.dataset,
        criterion=_criterion(setup.plan, by),
        scorers=setup.scorers,
    )
    if before:
        a, b = await _looks(project, setup, rest)
    else:
        a, b = (
            Side(candidate=one, experiment=setup.experiment, layout=setup.layout)
            for one in _two(setup.plan, rest)
        )
    return await compare(project.store, subject, a, b)


def _check_count(names: tuple[str, ...], plans: list[Plan]) -> None:
    """Leave quietly when there are no more names than an experiment, A and B."""
    experiments = {one.name for one in plans}
    candidates = {candidate.name for one in plans for candidate in one.candidates}
    is_third = len(names) == MOST_NAMES and names[0] in candidates - experiments
    if len(names) > MOST_NAMES or is_third:
        raise Mistake(
            f"{len(names)} names are too many: {', '.join(names[: MOST_NAMES + 1])}",
            why="two candidates are compared, A and B, behind the experiment's name where there"
            " are several experiments",
            fix=("proveout compare EXPERIMENT A B",),
        )


MOST_NAMES = 3
"""An experiment, A and B."""


def _criterion(plan: Plan, name: str | None) -> Criterion:
    """Return the criterion that is meant: the first that reads a score of one candidate."""
    from proveout.faces.project import NoSuch
    from proveout.prove.compare import is_asked_again

    scored = {one.name: one for one in plan.criteria if is_asked_again(one)}
    if name is None:
        alone = [one for one in scored.values() if isinstance(one.measure, Scored)]
        found = next(iter(alone or scored.values()), None)
        if found is not None:
            return found
    elif name in scored:
        return scored[name]
    near = get_close_matches(name or "", scored, n=1) or list(scored)[:1]
    raise NoSuch(
        f'no criterion "{name}" of {plan.name} reads a score'
        if name is not None
        else f"no criterion of {plan.name} reads a score",
        why="answers are compared by a score that costs nothing to ask again, so by no judge and"
        " no person;"
        f" those of {plan.name}: {', '.join(scored) or 'none'}",
        fix=(f'--by "{near[0]}"' if near else "add a criterion with a score",),
    )


def _two(plan: Plan, names: tuple[str, ...]) -> tuple[str, str]:
    """Return the candidates that are meant, A and B."""
    others = [one.name for one in plan.candidates if one.name != OWN]
    for name in names:
        _check(plan, name)
    match names:
        case (a, b) if a != b:
            return a, b
        case (a,) if a != OWN:
            return a, OWN
        case () if len(others) == 1:
            return others[0], OWN
        case (_,) if len(others) == 1:
            return OWN, others[0]
        case (a, _):
            message = f"{a} is compared with itself"
        case _ if others:
            message = f"which candidates of {plan.name}?"
        case _:
            message = f"{plan.name} has no candidate beside the workflow"
    raise Mistake(
        message,
        why=f"its candidates: {', '.join([OWN, *others])}",
        fix=tuple(f"proveout compare {plan.name} {one} {OWN}" for one in others)
        or ("[prove.candidates.vendor]", f"proveout compare {plan.name} --before"),
    )


def _check(plan: Plan, name: str) -> None:
    from proveout.faces.project import NoSuch

    known = [one.name for one in plan.candidates]
    if name not in known:
        near = get_close_matches(name, known, n=1) or known[-1:]
        raise NoSuch(
            f'{plan.name} has no candidate "{name}"',
            why=f"its candidates: {', '.join(known)}",
            fix=(f"proveout compare {plan.name} {near[0]}",),
        )


async def _looks(project: Project, setup: Setup, names: tuple[str, ...]) -> tuple[Side, Side]:
    """Return the look before, and the one that is recorded of what stands here."""
    from proveout.faces.project import NoSuch
    from proveout.prove.begin import layout_of, look_before
    from proveout.prove.compare import NothingInCommon, Side

    name = setup.plan.name
    if len(names) > 1:
        raise Mistake(
            "--before compares one candidate with itself",
            why=f"{' and '.join(names)} are {len(names)}",
            fix=(f"proveout compare {name} {names[0]} --before",),
        )
    candidate = names[0] if names else OWN
    _check(setup.plan, candidate)
    earlier = await look_before(project.store, setup.experiment)
    if earlier is None:
        raise NoSuch(
            f"{name} was looked at once",
            why="there is no look before to compare with",
            fix=(f"proveout prove {name} --again",),
        )
    if earlier.dataset != setup.dataset.digest:
        raise NothingInCommon(
            f"look {earlier.look} of {name} was at another dataset",
            why=f"{setup.dataset.name} has changed since; cases are known by their place in it",
            fix=(
                f"bring back the dataset of {earlier.locked:%Y-%m-%d}",
                f"proveout prove {name} --again, and compare the next look with this one",
            ),
        )
    now = Side(candidate=candidate, experiment=setup.experiment, layout=setup.layout)
    return replace(now, experiment=earlier, layout=layout_of(earlier)), now


# As JSON


def compare_v1(found: Comparison) -> dict[str, Any]:
    """Return a comparison as the object that callers outside rely on."""
    right = found.right
    return {
        "schema": "compare.v1",
        "experiment": found.subject.plan.name,
        "criterion": found.subject.criterion.name,
        "a": _side_words(found.a),
        "b": _side_words(found.b),
        "cases": len(found.pairs),
        "cases_of_one": found.alone,
        **({"reused": found.reused} if found.reused else {}),
        "even": len(found.even),
        "both_right": None if right is None else _count(found.even, right),
        "both_wrong": None if right is None else _count(found.even, 1 - right),
        "lead": {
            "estimate": found.estimate,
            "interval": list(found.interval),
            "confidence": round(1 - found.alpha, 12),
            "of": found.of,
        },
        "regressions": [_pair_words(one) for one in found.regressions],
        "improvements": [_pair_words(one) for one in found.improvements],
    }


def _count(pairs: Iterable[Pair], score: float) -> int:
    return sum(one.b.score == score for one in pairs)


def _side_words(side: Side) -> dict[str, object]:
    experiment = side.experiment
    return {"candidate": side.candidate, "look": experiment.look, "lock": experiment.lock}


def _pair_words(pair: Pair) -> dict[str, object]:
    changes = word_changes(in_words(pair.a.answer), in_words(pair.b.answer))
    return {
        "case": pair.case.id,
        "input": pair.case.value,
        "expected": pair.case.expected,
        "a": _reply_words(pair.a),
        "b": _reply_words(pair.b),
        "difference": [{"kind": one.kind, "words": " ".join(one.words)} for one in changes],
    }


def _reply_words(reply: Reply) -> dict[str, object]:
    return {"score": reply.score, "run": reply.run, "answer": reply.answer}


# As a person reads it


def side_names(found: Comparison) -> tuple[str, str]:
    """Return what the two sides are called where they stand beside each other."""
    if found.a.experiment.id == found.b.experiment.id:
        return clean(found.a.candidate)[:NAME], clean(found.b.candidate)[:NAME]
    return f"look {found.a.experiment.look}", f"look {found.b.experiment.look}"


def _summary(found: Comparison) -> Iterator[str]:
    from proveout.faces.report.figures import scale_of
    from proveout.faces.report.meaning import ahead

    a, b = side_names(found)
    arrow = "→" if is_utf8() else "->"
    whose = "" if a == found.a.candidate[:NAME] else f"{clean(found.b.candidate)[:NAME]}, "
    yield f"{strong(found.subject.plan.name)}  {whose}{a} {arrow} {b}"
    yield ""
    one = f", and {found.alone} of one alone" if found.alone else ""
    yield from labelled("read", f"{len(found.pairs)} cases of both{one}")
    if found.reused:
        yield from labelled("reused", f"{found.reused} of them are the same answers, called once")
    yield from labelled("by", clean(found.subject.criterion.name))
    if found.estimate is not None:
        interval = found.estimate, found.interval, found.alpha
        said = ahead(*interval, over=a, scale=scale_of(found.lead))
        yield from labelled("lead", f"{b} {said}; of {found.of}")
    yield ""
    digits = max(
        len(str(len(group))) for group in (found.regressions, found.improvements, found.even)
    )
    worse, better, even = _sorts(found, a, b)
    for mark, pairs, what, means in (
        (sign("no"), found.regressions, "regressions", worse),
        (sign("ok"), found.improvements, "improvements", better),
        (" ", found.even, "even", even),
    ):
        yield f"  {mark} {len(pairs):>{digits}} {what:<13} {faint(means)}".rstrip()


def _sorts(found: Comparison, a: str, b: str) -> tuple[str, str, str]:
    """Return what regressions, improvements and even cases are, in words."""
    if found.right is None:
        return f"{b} below {a}", f"{b} above {a}", ""
    right = _count(found.even, found.right)
    return (
        f"{a} right, {b} wrong",
        f"{a} wrong, {b} right",
        f"{right} both right, {len(found.even) - right} both wrong",
    )


def _section(title: str, kind: str, pairs: tuple[Pair, ...], limit: int) -> Iterator[str]:
    shown = pairs[:limit]
    if not shown:
        return
    yield ""
    yield strong(title)
    for pair in shown:
        yield f"  {sign(kind)} {clipped(pair.case.id, width() - 4)}"
        yield from labelled("input", clipped(_json(pair.case.value), width() - LABEL - 4))
        if pair.case.expected is not None:
            expected = clipped(_json(pair.case.expected), width() - LABEL - 4)
            yield from labelled("expected", expected)
        if {pair.a.score, pair.b.score} - {0.0, 1.0}:
            yield from labelled("score", f"{pair.a.score:.3g}, then {pair.b.score:.3g}")
        yield from difference(pair.a.answer, pair.b.answer)
    if len(pairs) > limit:
        yield f"    {faint(f'and {len(pairs) - limit} more: --limit {len(pairs)}, or --json')}"


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
