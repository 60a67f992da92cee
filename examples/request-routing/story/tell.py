"""What the demo says: tidy lines of at most 80 columns, all on standard output."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = 80
INDENT = "  "


def headline(text: str) -> None:
    """Print the title of a part."""
    print(f"\n{text}\n", flush=True)


def command(text: str) -> None:
    """Print a command that runs now, as it would be typed."""
    print(f"{INDENT}$ proveout {text}", flush=True)


def line(text: str) -> None:
    """Print a sentence, wrapped."""
    print(wrapped(text), flush=True)


def verbatim(text: str) -> None:
    """Print what a command said, indented."""
    print(textwrap.indent(text.strip("\n"), INDENT * 2), flush=True)


def promise(text: str, *, held: bool) -> bool:
    """Print whether a promise held; return it."""
    print(wrapped(f"{'✓' if held else '✗'} {text}", hang=2), flush=True)
    return held


def wrapped(text: str, hang: int = 0) -> str:
    """Return text in lines that fit; those after the first are indented by `hang` more."""
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=INDENT,
        subsequent_indent=INDENT + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def drilled(name: str, summary: str, *, holds: bool) -> str:
    """Return how a drill went: with its protection off, and on."""
    text = f"{'✓' if holds else '✗'} {name:13} {summary}"
    return wrapped(text, hang=16)


def shown(path: Path) -> str:
    """Return a path as short as it can be said from here."""
    return os.path.relpath(path)
