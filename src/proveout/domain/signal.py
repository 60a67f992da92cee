"""Signals: values that somebody sends to a run, by name."""

from __future__ import annotations

import re

from proveout.errors import Mistake

NAME = re.compile(r"[A-Za-z0-9_.:@+-]{1,100}")


def awaited(signal: str) -> str:
    """Return the name under which the journal keeps a wait for `signal`.

    It holds a space, so that no function can be called that.

    Raises:
        Mistake: `signal` is not a word that a command and a path can carry.

    >>> awaited("paid")
    'signal paid'
    """
    check_word("signal", signal)
    return f"signal {signal}"


def check_word(what: str, name: str) -> None:
    """Leave quietly when `name` is a word that a command and a path can carry.

    Raises:
        Mistake: it is none.
    """
    if not NAME.fullmatch(name):
        raise Mistake(
            f"no {what} can be called {name[:100]!r}",
            why="a name has 1 to 100 letters, digits or . _ : @ + -",
        )
