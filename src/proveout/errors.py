"""The three families of errors, and what every error can tell.

A family says what the reader must do: a `Mistake` asks to mend the call, a
`Refusal` to bring evidence or a decision, an `Outage` to try again. Families map
to exit codes and HTTP statuses in one table, `EXIT_CODES` in `faces/cli`.
"""

from __future__ import annotations


class ProveoutError(Exception):
    """What broke, why, and the commands that mend it.

    Attributes:
        code: stable name of the kind of error, for `--json` and `proveout explain`.
        why: the reason in one line, or "" where the message says it all.
        fix: commands or edits to try, most useful first.
    """

    code = "error"

    def __init__(self, message: str, *, why: str = "", fix: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.fix = fix


class Mistake(ProveoutError, ValueError):
    """The caller asked for something that cannot be; mend the call."""

    code = "mistake"


class Refusal(ProveoutError):
    """A rule forbids it; bring evidence or a decision."""

    code = "refused"


class Outage(ProveoutError):
    """Something outside did not answer; try again."""

    code = "outage"
