"""The pages at the door: sign in, the first owner's welcome, and what went wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import ClassVar, NamedTuple

from proveout.domain.access import NoRight
from proveout.faces.report.page import first_up
from proveout.faces.web.frame import Section

LEAST_PASSWORD = 12
"""Characters that a password must have at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPage:
    """The way in.

    Attributes:
        name: what was typed before; "" at first.
        problem: why that did not open the door; "" at first.
        back: path to go to after signing in; "" for the overview.
        provider: host of the identity provider that lets people in, too; "" for none.
    """

    template: ClassVar[str] = "login.html.j2"
    section: ClassVar[Section] = Section.NOWHERE

    name: str = ""
    problem: str = ""
    back: str = ""
    provider: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Sign in"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """Where somebody who showed their password shows the code of their app.

    Attributes:
        problem: why the last one did not open the door; "" at first.
        back: path to go to after signing in; "" for the overview.
    """

    template: ClassVar[str] = "code.html.j2"
    section: ClassVar[Section] = Section.NOWHERE

    problem: str = ""
    back: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Your code"


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomePage:
    """Where the first owner takes a name and a password.

    Attributes:
        token: the secret of the one-time link, which the form's address repeats.
        problem: why what was sent does not do; "" at first.
    """

    template: ClassVar[str] = "welcome.html.j2"
    section: ClassVar[Section] = Section.NOWHERE
    least: ClassVar[int] = LEAST_PASSWORD

    token: str
    name: str = ""
    problem: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Welcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedPage:
    """Where somebody goes on who was let in on the word of an identity provider.

    Attributes:
        path: where they wanted to go.
    """

    template: ClassVar[str] = "arrived.html.j2"
    section: ClassVar[Section] = Section.NOWHERE

    path: str

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Signed in"


_COMMAND = re.compile(
    r"(?:proveout|make|pip|python|uv|docker|curl|export) (?!it\b)\S|[A-Z][A-Z0-9_]*=\S"
)
_EDIT = re.compile(r"[\w.-]+ = |\[")


class Way(StrEnum):
    """How one of the next moves is made."""

    COMMAND = "command"
    EDIT = "edit"
    SENTENCE = "sentence"


class Moves(NamedTuple):
    """Next moves of one kind that stand one after another."""

    way: Way
    lines: tuple[str, ...]


def way_of(fix: str) -> Way:
    """Return what a next move is: something for a shell, a line of a file, or plain words.

    >>> [way_of(one).value for one in ("proveout runs list", "floor = 0.85", "ask an owner")]
    ['command', 'edit', 'sentence']
    """
    if _COMMAND.match(fix):
        return Way.COMMAND
    return Way.EDIT if _EDIT.match(fix) else Way.SENTENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class TroublePage:
    """What went wrong, why, and the next move.

    Attributes:
        status: the HTTP status.
        code: stable name of the kind of error.
        fix: commands or edits to try, most useful first.
    """

    template: ClassVar[str] = "trouble.html.j2"
    section: ClassVar[Section] = Section.NOWHERE

    status: int
    code: str
    message: str
    why: str = ""
    fix: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The message as a sentence; one that begins with somebody's name stays as it is."""
        return self.message if self.code == NoRight.code else first_up(self.message)

    @property
    def moves(self) -> tuple[Moves, ...]:
        """The next moves in their order, those of one kind together."""
        return tuple(Moves(way, tuple(lines)) for way, lines in groupby(self.fix, way_of))

    @property
    def title(self) -> str:
        """What the page is called."""
        return self.message
