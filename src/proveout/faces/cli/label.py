"""The command that asks people for labels: to check a judge by, or to decide on answers."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from proveout.domain.criterion import ACCEPTED
from proveout.domain.verdict import Verdict
from proveout.errors import Mistake, ProveoutError
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    faint,
    next_step,
    say,
    sign,
    strong,
)
from proveout.faces.report.figures import count_of
from proveout.prove.calibrate import is_pass_fail
from proveout.prove.label import (
    BadLabel,
    Given,
    Word,
    check_new,
    hint,
    parse,
    question_of,
    reason_of,
    said_of,
    word_of,
)

if TYPE_CHECKING:
    from proveout.domain.criterion import Criterion
    from proveout.faces.project import Project
    from proveout.faces.settings import ExperimentSettings
    from proveout.prove.conduct import Conductor
    from proveout.prove.panel import Question

Key: TypeAlias = Word | str
"""A label, or one of `SKIP`, `BACK` and `QUIT`."""

SKIP, BACK, QUIT = "s", "b", "q"
APPROVE, EDIT, REJECT = "a", "e", "r"


@click.command()
@click.argument("experiment", required=False)
@click.option("--list", "only_list", is_flag=True, help="Show what waits, and ask nothing.")
@click.option("--all", "everything", is_flag=True, help="With --list: labelled ones too.")
@click.option("--json", "as_json", is_flag=True, help="Read and print one label.v1 a line.")
def label(experiment: str | None, only_list: bool, everything: bool, as_json: bool) -> None:
    """Label answers of EXPERIMENT, or approve, edit and reject them; its verdict waits for that.

    On a terminal it asks, one answer after another, without showing what a judge said. Else
    it reads lines of {"case": …, "label": …} from standard input. Each label is kept at once.
    """
    if everything and not only_list:
        raise Mistake("--all goes with --list", fix=("proveout label --list --all",))
    if only_list:
        asyncio.run(_list(experiment, everything=everything, as_json=as_json))
    else:
        asyncio.run(_label(experiment, as_json=as_json))


async def _list(name: str | None, *, everything: bool, as_json: bool) -> None:
    from proveout.domain.access import Right
    from proveout.faces.operating import acting
    from proveout.faces.project import Project

    async with Project.open() as project:
        await acting(project, Right.REVIEW)
        chosen = project.experiment(name)
        conductor = await _conductor(project, chosen)
        await conductor.recall()
        read = await conductor.questions(read=True) if everything else []
        found = {one.name: one for one in [*read, *await conductor.questions()]}
    for one in found.values():
        if everything or one.kept is None:
            _tell(one, chosen.name, as_json=as_json)


def _tell(question: Question, experiment: str, *, as_json: bool) -> None:
    if as_json:
        answer_json(label_v1(question, experiment))
        return
    kept, criterion = question.kept, question.criterion
    said = "" if kept is None else f"  {said_of(kept, criterion)} by {kept.by}"
    case = f"case {question.trialled.case.id}"
    answer(clean(f"{criterion.name}  {case}  {question.answer[:12]}{said}"))


async def _label(name: str | None, *, as_json: bool) -> None:
    from proveout.domain.access import Right
    from proveout.faces.operating import acting
    from proveout.faces.project import Project

    async with Project.open() as project:
        actor = await acting(project, Right.REVIEW)
        chosen = project.experiment(name)
        conductor = await _conductor(project, chosen)
        await conductor.recall()
        if as_json or not sys.stdin.isatty():
            await _read(conductor, chosen.name, actor.name, as_json=as_json)
        else:
            waiting = [one for one in await conductor.questions() if one.kept is None]
            await _ask_all(conductor, waiting, actor.name)
        if not as_json:
            await _conclude(conductor, chosen.name)


async def _conductor(project: Project, chosen: ExperimentSettings) -> Conductor:
    """Return what knows an experiment that people label.

    Raises:
        NoSuch: nobody labels it, or it was not begun.
    """
    from proveout.faces.project import NoSuch
    from proveout.prove.calibrate import people_label

    if not people_label(chosen.plan.criteria):
        raise NoSuch(
            f"no criterion of {chosen.name} asks for labels",
            why="people label a share of the cases where a judge is to be checked, and all of them"
            " where they decide",
            fix=(
                "write judge = true and labels = 0.25 on a criterion",
                f'score = "{ACCEPTED}"',
            ),
        )
    conductor = await project.recorded(chosen)
    if conductor is None:
        raise NoSuch(
            await project.changed(chosen),
            why="labels are for answers, and there is none yet",
            fix=(f"proveout prove {chosen.name}",),
        )
    return conductor


async def _conclude(conductor: Conductor, name: str) -> None:
    """Say what is still needed."""
    from proveout.domain.verdict import StoppedBy
    from proveout.faces.report.judges import waiting

    account = await conductor.account(StoppedBy.LABELS)
    if account.waiting:
        answer(clean(waiting(account)))
        next_step(f"proveout label {name}")
        return
    answer("nothing waits for a label")
    undecided = account.own.verdict is Verdict.UNDECIDED
    next_step(f"proveout prove {name}" if undecided else f"proveout verdict {name}")


def label_v1(question: Question, experiment: str) -> dict[str, Any]:
    """Return a question, with its label, as the object that programs read and give back."""
    case, kept = question.trialled.case, question.kept
    value = question.label
    if value is not None and is_pass_fail(question.criterion):
        value = bool(value)
    words = {
        "schema": "label.v1",
        "experiment": experiment,
        "criterion": question.criterion.name,
        "case": case.id,
        "input": case.value,
        "expected": case.expected,
        "answer": question.trialled.result,
        "digest": question.answer,
        "label": value,
        "by": kept and kept.by,
    }
    if question.criterion.is_decided:
        words["edit"] = json.loads(kept.edit) if kept and kept.edit else None
        words["reason"] = kept and kept.reason
    return words


# From a file, or another program


async def _read(conductor: Conductor, experiment: str, by: str, *, as_json: bool) -> None:
    """Keep the labels of standard input, line after line; one that is there already stays.

    Raises:
        BadLabel: a line cannot be read, or is no label of its criterion.
        NotAsked: it is of an answer that nobody asks about.
        AlreadyLabelled: its answer has another label.
    """
    known = [*await conductor.questions(read=True), *await conductor.questions()]
    asked = {one.name: one for one in known}
    kept = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            given = parse(line)
            if given.is_empty:
                continue
            question = question_of(given, list(asked.values()))
            word = word_of(given, question)
            check_new(question, word)
        except ProveoutError as error:
            raise type(error)(
                f"line {number}: {error.message}",
                why=error.why or f"{count_of(kept, 'label')} of the lines before it are kept",
                fix=error.fix,
            ) from error
        if question.kept is None:
            question = await conductor.panel.answer(question, word, by)
            asked[question.name] = question
            kept += 1
        if as_json:
            answer_json(label_v1(question, experiment))
    if not as_json:
        answer(f"{sign('ok')} {count_of(kept, 'label')} kept")


# At a keyboard


async def _ask_all(conductor: Conductor, waiting: list[Question], by: str) -> None:
    """Ask one question after another, until there is none left or the person has had enough."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C ends the wait
    place, kept = 0, 0
    while place < len(waiting):
        question = waiting[place]
        _show(question, place + 1, len(waiting))
        match _ask(question):
            case "q":
                break
            case "b":
                place = max(0, place - 1)
            case Word() as word:
                waiting[place] = await conductor.panel.answer(question, word, by)
                kept += question.kept is None
                place += 1
            case _:
                place += 1
    answer()
    answer(f"{sign('ok')} {count_of(kept, 'label')} kept")


def _show(question: Question, number: int, count: int) -> None:
    case = question.trialled.case
    kept = question.kept
    said = "" if kept is None else f"  {said_of(kept, question.criterion)}"
    answer()
    head = f"{question.criterion.name}  {number} of {count}  case {case.id}{said}"
    answer(strong(clean(head)))
    parts = [("input", case.value), ("answer", question.trialled.result)]
    if case.expected is not None:
        parts.insert(1, ("expected", case.expected))
    for name, value in parts:
        answer(faint(f"  {name}"))
        for line in as_text(value).splitlines() or [""]:
            answer(f"    {clean(line)}")


def as_text(value: object) -> str:
    """Return a value as a person reads and edits it: a text as it is, else JSON."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _ask(question: Question) -> Key:
    """Return what a person says, asked until it is something that can be said."""
    criterion = question.criterion
    how = "y yes · n no" if is_pass_fail(criterion) else hint(criterion)
    if criterion.is_decided:
        how = "a approve · e edit · r reject"
    answer(f"{clean(criterion.name)}?  {how} · s skip · b back · q quit")
    while True:
        line = sys.stdin.readline()
        word = line.strip().lower() if line else QUIT
        if word in {SKIP, BACK, QUIT}:
            return word
        try:
            return word_of(_given(word, question), question)
        except BadLabel as error:
            say(f"  {sign('warn')} {clean(error.message)}: {how}, s, b or q")


def _given(word: str, question: Question) -> Given:
    """Return the label that a word stands for.

    Raises:
        BadLabel: it was to be an edit, and the text is no JSON.
    """
    case = question.trialled.case.id
    if not question.criterion.is_decided:
        return Given(case=case, value=_meant(word, question.criterion))
    if word == REJECT:
        answer("why? (enter for no reason)")
        return Given(case=case, value=False, reason=reason_of(sys.stdin.readline()))
    if word == EDIT:
        return Given(case=case, value=None, edit=_edited(question.trialled.result))
    return Given(case=case, value=True if word == APPROVE else word)


def _edited(result: object) -> object:
    """Return what a person makes of an answer in an editor of theirs.

    Raises:
        BadLabel: the answer is no text, and what they leave is no JSON; or no editor ran.
    """
    is_text = isinstance(result, str)
    try:
        text = click.edit(as_text(result), extension=".txt" if is_text else ".json")
    except click.ClickException as error:
        raise BadLabel(error.format_message()) from error
    if text is None:
        return result
    if is_text:
        return text.removesuffix("\n") if not result.endswith("\n") else text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadLabel(f"the edit is no JSON: {error}") from error


def _meant(word: str, criterion: Criterion) -> object:
    """Return the label that a word stands for, or the word itself where it stands for none."""
    if is_pass_fail(criterion):
        return {"y": True, "yes": True, "n": False, "no": False}.get(word, word)
    try:
        return float(word)
    except ValueError:
        return word
