"""What commands print: answers to standard output, everything else to standard error."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

from proveout.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proveout.errors import ProveoutError

SIGNS = {
    "ok": ("✓", "+"),
    "no": ("✗", "x"),
    "warn": ("!", "!"),
    "open": ("◌", "o"),
}
"""Signs with what stands for them where the output is not UTF-8."""

COLOURS = {"ok": "green", "no": "red", "warn": "yellow", "open": "bright_black"}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def is_utf8() -> bool:
    """Whether standard output can show our signs."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def uses_colour(stream: Any = None) -> bool:
    """Whether a stream wants colour: a terminal, and nobody asked for none."""
    stream = stream or sys.stdout
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def paint(text: str, colour: str, *, bold: bool = False, stream: Any = None) -> str:
    """Return `text` in a colour where the stream shows it."""
    return click.style(text, fg=colour, bold=bold) if uses_colour(stream) else text


def strong(text: str) -> str:
    """Return `text` in bold where the output shows it."""
    return click.style(text, bold=True) if uses_colour() else text


def faint(text: str) -> str:
    """Return `text` dimmed where the output shows it."""
    return click.style(text, dim=True) if uses_colour() else text


def sign(kind: str) -> str:
    """Return the sign of a kind, coloured; colour never stands alone."""
    mark = SIGNS[kind][0 if is_utf8() else 1]
    return paint(mark, COLOURS[kind]) if kind in COLOURS else mark


def clean(text: str) -> str:
    """Return text of users or models without what could steer a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


class NoRoom(Outage):
    """What was to be written cannot be: the disk is full, or the output closed."""

    code = "no-room"


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What systems say of a disk that takes no more."""


def no_room(error: OSError) -> NoRoom | None:
    """Return what to tell of a disk that takes no more; None where it is about something else."""
    if error.errno not in FULL:
        return None
    return NoRoom(
        f"{error.filename or 'the output'} cannot be written: {error.strerror}",
        why="what was acknowledged before is kept",
        fix=("make room, and run the same command again",),
    )


def let_go_of_output() -> None:
    """From here on, what is printed goes nowhere: also what is still to be flushed at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    if sys.__stdout__ is not None:
        os.dup2(nowhere, sys.__stdout__.fileno())


def keep_answers_apart() -> None:
    """From here on, what user code prints goes to standard error; answers alone go out.

    The answers keep the real standard output, as `sys.__stdout__`.
    """
    out = os.dup(1)
    os.dup2(2, 1)
    sys.__stdout__ = os.fdopen(out, "w", encoding="utf-8")
    sys.stdout = sys.stderr


def answer(text: str = "") -> None:
    """Print a line of the answer.

    Raises:
        NoRoom: it cannot be written.
        BrokenPipeError: whoever read it went away.
    """
    try:
        click.echo(text, file=sys.__stdout__)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NoRoom(
            f"the answer cannot be written to standard output: {error.strerror}",
            why="what the command did is kept; its answer is not whole",
            fix=("make room, or send the output elsewhere", "run the same command again"),
        ) from error


def say(text: str) -> None:
    """Print progress or a message, beside the answer; where it cannot be, nothing is lost."""
    try:
        click.echo(text, err=True)
    except BrokenPipeError:
        raise
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def answer_json(value: object) -> None:
    """Print one JSON object on a line of its own."""
    answer(json.dumps(value, ensure_ascii=False, allow_nan=False))


def wrapped(text: str, width: int) -> list[str]:
    """Return text of users or models in lines of at most `width` columns; at least one line."""
    return textwrap.wrap(clean(text), width, break_on_hyphens=False) or [""]


def table(rows: Iterable[Sequence[str]], head: Sequence[str]) -> None:
    """Print rows: aligned under their heads on a terminal, tab-separated when piped."""
    lines = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in lines:
            answer("\t".join(line))
        return
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    room = shutil.get_terminal_size().columns - sum(widths[:-1]) - 2 * len(widths[:-1])
    widths[-1] = max(len(head[-1]), min(widths[-1], room))
    answer(faint("  ".join(h.ljust(w) for h, w in zip(head, widths, strict=True)).rstrip()))
    for line in lines:
        cells = (c[:w].ljust(w) for c, w in zip(line, widths, strict=True))
        answer("  ".join(cells).rstrip())


def next_step(command: str, remark: str = "") -> None:
    """Print the one command with which the path goes on."""
    answer()
    answer(f"{strong('Next')}  {command}" + (f"    {faint(remark)}" if remark else ""))


def error_text(error: ProveoutError) -> str:
    """Return an error as a person reads it: what, why, fix, and where to read on."""
    head = paint(f"error[{error.code}]", "red", bold=True, stream=sys.stderr)
    lines = [f"{head}: {clean(error.message)}"]
    if error.why:
        lines.append(f"  why  {clean(error.why)}")
    for index, fix in enumerate(error.fix):
        lines.append(f"  {'fix' if index == 0 else '   '}  {clean(fix)}")
    lines.append(f"  doc  proveout explain {error.code}")
    return "\n".join(lines)


def error_json(error: ProveoutError, *, retryable: bool) -> str:
    """Return an error as the object that programs read."""
    words = {
        "code": error.code,
        "message": error.message,
        "why": error.why,
        "fix": list(error.fix),
        "retryable": retryable,
    }
    return json.dumps({"schema": "error.v1", "error": words}, ensure_ascii=False)
