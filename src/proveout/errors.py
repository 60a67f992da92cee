"""The three families of errors, and what every error can tell.

A family says what the reader must do: a `Mistake` asks to mend the call, a
`Refusal` to bring evidence or a decision, an `Outage` to try again. Families map
to exit codes and HTTP statuses in one table, `EXIT_CODES` in `faces/cli`.
"""

from __future__ import annotations

LONGEST = 2_000
"""Characters of each part of an error: values of users may be quoted in it, whatever they are."""


def bounded(text: str) -> str:
    """Return a text without its middle where it is longer than `LONGEST`, and say so.

    >>> bounded("short")
    'short'
    >>> len(bounded("x" * 10_000_000)) < 2_100
    True
    """
    if len(text) <= LONGEST:
        return text
    head, tail = text[: LONGEST * 3 // 4], text[-LONGEST // 4 :]
    return f"{head} … {len(text) - len(head) - len(tail):,} characters left out … {tail}"


class ProveoutError(Exception):
    """What broke, why, and the commands that mend it.

    Attributes:
        code: stable name of the kind of error, for `--json` and `proveout explain`.
        message: what broke; each part of an error is cut in its middle past `LONGEST`.
        why: the reason in one line, or "" where the message says it all.
        fix: commands or edits to try, most useful first.
    """

    code = "error"

    def __init__(self, message: str, *, why: str = "", fix: tuple[str, ...] = ()) -> None:
        self.message = bounded(message)
        super().__init__(self.message)
        self.why = bounded(why)
        self.fix = tuple(bounded(one) for one in fix)


class Mistake(ProveoutError, ValueError):
    """The caller asked for something that cannot be; mend the call."""

    code = "mistake"


class Refusal(ProveoutError):
    """A rule forbids it; bring evidence or a decision."""

    code = "refused"


class Outage(ProveoutError):
    """Something outside did not answer; try again."""

    code = "outage"
