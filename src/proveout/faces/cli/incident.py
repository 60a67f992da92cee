"""What happened: one run, or everything since a moment, explained from what was kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    faint,
    next_step,
    sign,
    strong,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from proveout.ready.incident import Incident, Touched
    from proveout.ready.lesson import Lesson
    from proveout.ready.story import Moment

T = TypeVar("T")

COLUMNS = 80

MOST_LINES = 40
"""Moments that a terminal shows; the page and --json have all of them."""

SIGN = {"trouble": "no", "change": "warn", "touch": "ok", "plain": "open"}


@click.command("run")
@click.argument("run")
@click.option("--html", type=click.Path(path_type=Path), help="Write it as one HTML file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one incident.v1.")
def audit_run(run: str, html: Path | None, as_json: bool) -> int:
    """Explain RUN: what happened first, what it touched, what is open, what would catch it.

    Exits 0 when nobody has anything left to do, 1 otherwise.
    """
    return _told(asyncio.run(_about_run(run)), html, as_json=as_json)


@click.command("since")
@click.argument("moment")
@click.option("--html", type=click.Path(path_type=Path), help="Write it as one HTML file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one incident.v1.")
def audit_since(moment: str, html: Path | None, as_json: bool) -> int:
    """Explain what went wrong since MOMENT: "2 h" ago, or a date and time.

    Exits 0 when nobody has anything left to do, 1 otherwise.
    """
    return _told(asyncio.run(_about_time(moment)), html, as_json=as_json)


async def _about_run(run: str) -> Incident:
    from proveout.faces.incident import about_run
    from proveout.faces.project import Project

    async with Project.open() as project:
        return await about_run(project, await project.run(run))


async def _about_time(moment: str) -> Incident:
    from proveout.faces.incident import about_time, moment_of
    from proveout.faces.project import Project

    async with Project.open() as project:
        return await about_time(project, moment_of(moment, project.bench.clock.now()))


def _told(found: Incident, html: Path | None, *, as_json: bool) -> int:
    if html is not None:
        from proveout.faces.report.incident import incident_html

        html.write_text(incident_html(found), "utf-8")
    if as_json:
        answer_json(incident_v1(found))
    else:
        _show(found)
    return 0 if found.is_closed else 1


def incident_v1(found: Incident) -> dict[str, Any]:
    """Return an incident as the object that programs read."""
    return {
        "schema": "incident.v1",
        "subject": found.subject,
        "workflow": found.workflow,
        "from": found.since.isoformat(),
        "to": found.until.isoformat(),
        "runs": found.runs,
        "first": found.first and _moment_words(found.first),
        "change_before": found.before and _moment_words(found.before),
        "timeline": [_moment_words(one) for one in found.moments],
        "touched": [
            {
                "effect": one.effect,
                "carried_out": one.done,
                "in_doubt": one.in_doubt,
                "failed": one.failed,
            }
            for one in found.touched
        ],
        "open": [{"what": one.what, "command": one.command} for one in found.still_open],
        "lessons": [
            {
                "claim": one.claim,
                "why": one.why,
                "standing": one.standing,
                "command": one.command,
                "runs": one.runs,
            }
            for one in found.lessons
        ],
        "closed": found.is_closed,
    }


def _moment_words(one: Moment) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "weight": one.weight,
        "subject": one.subject,
        "what": one.what,
    }


def _show(found: Incident) -> None:
    zone = found.until.astimezone().tzname() or "local"
    answer(f"{strong(found.workflow)} · {clean(found.subject)} · times in {zone}")
    answer()
    if found.first is None:
        answer(f"  {sign('ok')} nothing went wrong that the store knows of")
    else:
        _say(f"  {sign('no')} first   ", 12, f"{_at(found.first.at)}  {found.first.what}")
        if found.before is not None:
            _say(f"  {sign('warn')} before  ", 12, f"{_at(found.before.at)}  {found.before.what}")
    _section("In order", found.moments[:MOST_LINES], lambda one: _moment(one, found))
    if (left := len(found.moments) - MOST_LINES) > 0:
        answer(f"    {faint(f'{left} more: --html FILE, or --json')}")
    _section("What it touched", found.touched, _touched)
    _section("What would have caught it", found.lessons, _lesson)
    _section("Still open", found.still_open, lambda one: _say(f"  {sign('warn')} ", 4, one.what))
    if found.still_open:
        next_step(found.still_open[0].command)


def _section(title: str, items: Sequence[T], show: Callable[[T], None]) -> None:
    if items:
        answer()
        answer(strong(title))
    for one in items:
        show(one)


def _say(head: str, indent: int, text: str, more: str = "") -> None:
    """Print a text in lines of at most 80 columns, and what belongs to it below."""
    first, *rest = wrapped(text, COLUMNS - indent)
    answer(f"{head}{first}")
    for line in rest:
        answer(f"{'':{indent}}{line}")
    for line in wrapped(more, COLUMNS - indent) if more else ():
        answer(f"{'':{indent}}{faint(line)}")


def _moment(one: Moment, found: Incident) -> None:
    is_known = one.subject in found.subject or one.subject in one.what
    more = "" if is_known or one.subject == found.workflow else one.subject
    _say(f"  {sign(SIGN[one.weight])} {_at(one.at)}  ", 20, one.what, more)


def _lesson(one: Lesson) -> None:
    many = "" if one.runs == 1 else f" ({one.runs} runs)"
    text = f"{one.claim}{many}: {one.why}"
    _say("  ", 2, text, f"{one.standing}; {one.command}")


def _touched(one: Touched) -> None:
    parts = [
        f"{count} {word}"
        for count, word in (
            (one.done, "carried out"),
            (one.in_doubt, "in doubt"),
            (one.failed, "failed"),
        )
        if count
    ]
    _say("  ", 2, f"{one.effect}: {', '.join(parts)}")


def _at(moment: datetime) -> str:
    return f"{moment.astimezone():%m-%d %H:%M:%S}"
