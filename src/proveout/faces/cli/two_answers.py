"""Two answers on a terminal: the words that differ, marked and coloured, in a few lines."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

from proveout.faces.cli.output import clean, faint, is_utf8, paint
from proveout.faces.word_changes import Kind, in_words, word_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NARROWEST, WIDEST = 40, 100
LABEL = 10
"""Columns of what stands before a text."""

NEAR = 3
"""Unchanged words that are shown on each side of a change."""

MOST_CHANGED = 24
"""Words of one change that are shown."""

LONGEST_WORD = 40
MOST_LINES = 12
"""Lines of an answer that are shown."""


def difference(old: str, new: str) -> Iterator[str]:
    """Yield the difference of two answers in lines, each under the label of the first."""
    lines = list(_wrapped(_words(old, new), width() - LABEL - 4)) or ["the same words"]
    for number, line in enumerate(lines[:MOST_LINES]):
        yield f"    {faint('answer'.ljust(LABEL)) if number == 0 else ' ' * LABEL}{line}"
    if len(lines) > MOST_LINES:
        yield f"    {' ' * LABEL}{faint(f'{len(lines) - MOST_LINES} more lines: --json')}"


def _words(old: str, new: str) -> Iterator[tuple[str, Kind]]:
    """Yield the words of both answers; unchanged ones far from a change are left out."""
    changes = word_changes(in_words(old), in_words(new))
    if all(one.kind is Kind.SAME for one in changes):
        return
    for place, one in enumerate(changes):
        first, last = place == 0, place == len(changes) - 1
        if one.kind is Kind.SAME:
            head, tail = 0 if first else NEAR, 0 if last else NEAR
            words = _shortened(one.words, head, tail)
        else:
            half = MOST_CHANGED // 2
            words = _marked(_shortened(one.words, half, half), one.kind)
        yield from ((word, one.kind) for word in words)


def _shortened(words: tuple[str, ...], head: int, tail: int) -> list[str]:
    """Return some words from the beginning and some from the end, where there are many more."""
    short = [clipped(word, LONGEST_WORD) for word in words]
    if len(words) <= head + tail + 1:
        return short
    return [*short[:head], dots(), *short[len(words) - tail :]]


MARKS = {Kind.REMOVED: ("[-", "-]"), Kind.ADDED: ("{+", "+}")}


def _marked(words: list[str], kind: Kind) -> list[str]:
    opening, closing = MARKS[kind]
    words = [f"{opening}{words[0]}", *words[1:]]
    return [*words[:-1], f"{words[-1]}{closing}"]


COLOURS = {Kind.REMOVED: "red", Kind.ADDED: "green"}


def _wrapped(words: Iterable[tuple[str, Kind]], most: int) -> Iterator[str]:
    line, used = "", 0
    for word, kind in words:
        if used and used + 1 + len(word) > most:
            yield line
            line, used = "", 0
        painted = paint(word, COLOURS[kind]) if kind in COLOURS else word
        line, used = (f"{line} {painted}", used + 1 + len(word)) if used else (painted, len(word))
    if used:
        yield line


def labelled(label: str, text: str) -> list[str]:
    """Return a text in lines, the first of them behind its label."""
    lines = textwrap.wrap(text, width() - LABEL - 4) or [""]
    first = f"    {faint(label.ljust(LABEL))}{lines[0]}"
    return [first, *(f"    {' ' * LABEL}{line}" for line in lines[1:])]


def clipped(text: str, most: int) -> str:
    """Return a text on one line of at most that many columns."""
    text = clean(" ".join(text.split()))
    return text if len(text) <= most else f"{text[: most - len(dots())]}{dots()}"


def dots() -> str:
    """Return what stands for words that are left out."""
    return "…" if is_utf8() else "..."


def width() -> int:
    """Return how many columns there are to write in."""
    return max(NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))
