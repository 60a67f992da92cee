"""An audit of any repository on the command line: what is asked, and how it is told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from proveout.domain.release import Stage
from proveout.faces.cli.output import (
    answer,
    clean,
    faint,
    next_step,
    paint,
    say,
    sign,
    strong,
    wrapped,
)
from proveout.ready.scan.group import counted, grouped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.ready.choice import Choice, StoryRow
    from proveout.ready.scan.group import Group
    from proveout.ready.scan.questions import Question
    from proveout.ready.scan.scan import Located, Scanned, Unread
    from proveout.ready.scan.stage import Audited

COLUMNS = 80
SHOWN = 3
"""Places of each kind that are shown without `--all`."""

_IN = 13
_SIGNS = {"critical": "no", "high": "no", "medium": "warn", "low": "open"}
_COLOURS = {"critical": "red", "high": "red", "medium": "yellow", "low": "bright_black"}


def is_asked() -> bool:
    """Whether a person sits before a terminal and can answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(questions: Iterable[Question]) -> dict[str, str]:
    """Return what a person answers; Enter leaves a question open."""
    listed = list(questions)
    if listed:
        say(f"{_many(len(listed), 'question')} that no file answers; Enter leaves one open.")
    given: dict[str, str] = {}
    for one in listed:
        if one.is_yes_or_no:
            kind = click.Choice(["yes", "no", ""], case_sensitive=False)
            hint = "[yes/no]"
        else:
            kind, hint = click.STRING, ""
        said: str = click.prompt(
            f"  {one.asks} {hint}".rstrip(),
            default="",
            type=kind,
            show_default=False,
            show_choices=False,
            err=True,
        )
        if said.strip():
            given[one.key] = said.strip()
    return given


def show_repository(found: Audited, *, everything: bool) -> None:
    """Print an audit of a repository, at most 80 columns wide."""
    _head(found)
    for line in choice_lines(found.choice):
        answer(line)
    if found.stage is not None:
        answer()
        for row in found.story:
            for line in story_lines(row, found.stage):
                answer(line)
    _section("Mistakes between the stages", _bullets("warn", found.mistakes))
    show_findings(found.scanned, found.found, everything=everything)
    _section("Not answered by any file", _bullets("open", (one.asks for one in found.questions)))
    _conclude(found)


def show_findings(scanned: Scanned, found: Iterable[object], *, everything: bool) -> None:
    """Print findings by their rule, then what could not be read."""
    listed = [one for one in scanned.found if one in set(found)]
    groups = grouped(listed)
    _section(
        f"Findings in the code  {faint(counted(listed))}" if groups else "",
        [line for one in groups for line in _group_lines(one, everything=everything)],
    )
    _section("Not read", _unread_lines(scanned.unread, everything=everything))


def _head(found: Audited) -> None:
    facts = found.scanned.facts
    stage = str(found.stage or "no stage yet").replace("-", " ")
    answer(f"{strong(clean(facts.name))} · {stage}")
    seen = [f"{_many(facts.lines, 'line')} in {_many(len(facts.files), 'file')} of Python"]
    seen += [_many(facts.models, "model call")] if facts.models else []
    seen += [_many(facts.handlers, "handler")] if facts.handlers else []
    seen += [_many(facts.webhooks, "webhook")] if facts.webhooks else []
    answer(faint("  " + " · ".join(seen)))
    answer()


def choice_lines(choice: Choice) -> list[str]:
    """Return the choice with its reasons."""
    lines = [f"{strong(choice.way.capitalize())}:"]
    return lines + [f"  {line}" for one in choice.reasons for line in wrapped(one, COLUMNS - 4)]


def story_lines(row: StoryRow, stage: Stage) -> list[str]:
    """Return one question of the two stages; the stage of today has a mark."""
    lines = [f"  {strong(row.title)}"]
    for name, is_now, text in (
        ("proof of concept", stage is Stage.PROOF_OF_CONCEPT, row.proof_of_concept),
        ("production", stage is Stage.PRODUCTION, row.production),
    ):
        first, *rest = wrapped(text, COLUMNS - 24)
        head = f"    {'>' if is_now else ' '} {name:<17} "
        lines += [f"{head if is_now else faint(head)}{first}", *(f"{'':24}{one}" for one in rest)]
    return lines


def _group_lines(group: Group, *, everything: bool) -> list[str]:
    severity = paint(f"{group.severity:<8}", _COLOURS[group.severity])
    lines = [f"  {sign(_SIGNS[group.severity])} {severity} {strong(group.rule.title)}"]
    places = group.found if everything else group.found[:SHOWN]
    for one in places:
        lines += [f"{'':{_IN}}{line}" for line in _place_lines(one)]
    if more := len(group.found) - len(places):
        lines.append(f"{'':{_IN}}{faint(f'and {more:,} more    --all')}")
    for word, text in (("why", group.rule.why), ("mend", group.rule.fix)):
        first, *rest = wrapped(text, COLUMNS - _IN - 6)
        lines += [f"{'':{_IN}}{faint(f'{word:<6}{first}')}"]
        lines += [f"{'':{_IN + 6}}{faint(line)}" for line in rest]
    lines.append(f"{'':{_IN + 6}}{faint(f'proveout explain {group.rule.code}')}")
    return [*lines, ""]


def _place_lines(one: Located) -> list[str]:
    """Return where something was found, and what: on one line where both fit."""
    where = f"{one.finding.file}:{one.finding.line}"
    whole = wrapped(f"{where}  {one.finding.message}", COLUMNS - _IN)
    if len(whole) == 1:
        return whole
    return [
        *wrapped(where, COLUMNS - _IN),
        *(f"  {line}" for line in wrapped(one.finding.message, COLUMNS - _IN - 2)),
    ]


def _unread_lines(unread: tuple[Unread, ...], *, everything: bool) -> list[str]:
    shown = unread if everything else unread[:SHOWN]
    lines: list[str] = []
    for one in shown:
        where = one.path if one.line is None else f"{one.path}:{one.line}"
        lines += _bullets("warn", [f"{where}  {one.why}"])
    if more := len(unread) - len(shown):
        lines.append(f"    {faint(f'and {more:,} more    --all')}")
    return lines


def _bullets(kind: str, texts: Iterable[str]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        first, *rest = wrapped(text, COLUMNS - 5)
        lines += [f"  {sign(kind)} {first}", *(f"    {line}" for line in rest)]
    return lines


def _section(title: str, lines: list[str]) -> None:
    if not lines:
        return
    answer()
    answer(strong(title))
    for line in lines[:-1] if lines[-1] == "" else lines:
        answer(line)


def _conclude(found: Audited) -> None:
    answer()
    count = len(found.urgent)
    if count:
        word = paint("TO MEND", "red", bold=True)
        answer(f"{word}  {_many(count, 'finding')} critical or high; exit 1")
    elif not found.scanned.facts.files:
        answer("There is nothing to judge yet: no Python was read.")
    else:
        rest = f"; {_many(len(found.found), 'milder finding')}" if found.found else ""
        answer(f"{paint('NOTHING URGENT', 'green', bold=True)}  none critical or high{rest}")
    aside = [
        f"{number:,} {word}"
        for number, word in (
            (len(found.known), "known from the baseline"),
            (len(found.scanned.suppressed), "suppressed with a reason"),
        )
        if number
    ]
    if aside:
        answer(faint(f"  not counted: {', '.join(aside)}"))
    next_step(found.next)


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
