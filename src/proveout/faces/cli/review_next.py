"""`review next`: decide one review after another with single keys."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import click

from proveout.errors import Mistake, ProveoutError, Refusal
from proveout.faces.cli.operate import parse_input
from proveout.faces.cli.output import answer, clean, faint, say, sign, strong
from proveout.faces.cli.review_shown import as_text, draft, findings, left
from proveout.faces.desk import UNDO
from proveout.ports.reviews import ReviewFilter

if TYPE_CHECKING:
    from proveout.domain.review import Review
    from proveout.faces.desk import Desk

KEYS = "[a]pprove  [e]dit  [r]eject  escalate [x]  [s]kip  undo [z]  [q]uit"


class NotATerminal(Mistake):
    """Keys are read from a terminal, and there is none."""

    code = "not-a-terminal"


async def decide_all(desk: Desk, queue: str | None) -> int:
    """Offer reviews until there are none, or the person has had enough; return the count.

    Raises:
        NotATerminal: there is none to read keys from.
    """
    if not sys.stdin.isatty():
        raise NotATerminal(
            "keys are read from a terminal",
            fix=("proveout review list", "proveout review approve REVIEW"),
        )
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C ends the wait
    skipped: set[str] = set()
    last: Review | None = None
    decided = 0
    while (one := await _next(desk, queue, skipped)) is not None:
        try:
            one = await desk.claim(one.id)
        except Refusal as error:
            say(clean(error.message))
            skipped.add(one.id)
            continue
        match await _offer(desk, one):
            case "quit":
                await desk.release(one.id)
                break
            case "skip":
                await desk.release(one.id)
                skipped.add(one.id)
            case "undo":
                await desk.release(one.id)
                decided -= await _undo(desk, last)
                last = None
            case "done":
                last, decided = one, decided + 1
            case _:
                skipped.add(one.id)
    else:
        answer("nothing more waits for you")
    return decided


async def _next(desk: Desk, queue: str | None, skipped: set[str]) -> Review | None:
    """Return the most urgent review that is for this person and that nobody has."""
    after = None
    while page := await desk.store.waiting(ReviewFilter(queue=queue, after=after)):
        now, me = desk.office.clock.now(), desk.actor.name
        for one in page:
            is_mine = one.assigned_to in {"", me, *_groups(desk)} and one.approved_by != me
            if one.id not in skipped and is_mine and desk.is_for(one) and not one.is_held(me, now):
                return one
        after = page[-1].id
    return None


def _groups(desk: Desk) -> set[str]:
    return {name for name, people in desk.settings.groups.items() if desk.actor.name in people}


async def _offer(desk: Desk, one: Review) -> str:
    """Show a review until something has come of it; return what."""
    _show(one, desk)
    while True:
        key = await asyncio.to_thread(_key)
        try:
            if (done := await _do(desk, one, key)) is not None:
                return done
        except ProveoutError as error:
            say(f"{sign('no')} {clean(error.message)}")
            if error.why:
                say(f"  {clean(error.why)}")
        one = await desk.find(one.id)
        if not one.is_waiting:
            return "gone"


def _key() -> str:
    answer(KEYS)
    return click.getchar().lower()


async def _do(desk: Desk, one: Review, key: str) -> str | None:  # noqa: PLR0911 - one for each key
    """Do what a key stands for; None where the review stays before the person."""
    match key:
        case "a":
            return _said(await desk.approve(one.id, one.digest, hold=UNDO), "approved")
        case "e":
            text = edited_text(one)
            if text is not None:
                content = parse_input(text, None, "the edit")[0]
                _show(await desk.edit(one.id, one.digest, content), desk)
        case "r":
            code, reason = _why(desk, one)
            done = await desk.reject(one.id, one.digest, reason, code=code, hold=UNDO)
            return _said(done, "rejected")
        case "x":
            await desk.escalate(one.id, click.prompt("why", default="", show_default=False))
            return "gone"
        case "s":
            return "skip"
        case "z":
            return "undo"
        case "q" | "\x03" | "\x04":
            return "quit"
        case _:
            pass
    return None


def _said(one: Review, word: str) -> str:
    if one.is_waiting:
        answer(f"{sign('open')} {word}; it takes a second person")
    else:
        answer(f"{sign('ok')} {word}; {faint('z takes it back for 10 s')}")
    return "done"


def _why(desk: Desk, one: Review) -> tuple[str, str]:
    """Return which of the queue's reasons a person chooses, and their words."""
    reasons = desk.settings.queue(one.queue).reasons
    code = ""
    if reasons:
        for number, reason in enumerate(reasons, 1):
            answer(f"  {number} {clean(reason)}")
        chosen = click.prompt("reason", type=click.IntRange(1, len(reasons)))
        code = reasons[chosen - 1]
    return code, click.prompt("why", default="", show_default=False)


def edited_text(one: Review) -> str | None:
    """Return what a person's editor makes of a content, as JSON; None where nothing changed.

    A text is edited as it reads, anything else as JSON.
    """
    value = json.loads(one.content)
    if isinstance(value, str):
        text = click.edit(value, extension=".txt")
        return None if text is None or text.rstrip("\n") == value else json.dumps(text.rstrip("\n"))
    return click.edit(as_text(one.content), extension=".json")


async def _undo(desk: Desk, last: Review | None) -> int:
    """Take back the last decision; return how many that are."""
    if last is None:
        say("there is nothing to undo")
        return 0
    try:
        await desk.undo(last.id)
    except Refusal as error:
        say(clean(error.message))
        return 0
    answer(f"{sign('ok')} undone")
    return 1


def _show(one: Review, desk: Desk) -> None:
    release = "" if one.terms.confidence is None else f" · confidence {one.terms.confidence:.2f}"
    answer()
    answer(f"{strong(one.id)}  {clean(one.queue)} · {left(one, desk.office.clock.now())}{release}")
    findings(one)
    draft(one)
    answer()
