"""Who may come in, as pages: users, keys and sessions, and one's own account."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import segno

from proveout.domain.access import Right, Role
from proveout.faces.web.doors import LEAST_PASSWORD
from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ROLE_WORDS: Mapping[Role, str] = {
    Role.VIEWER: "look at everything",
    Role.REVIEWER: "also decide reviews",
    Role.OPERATOR: "also enqueue, cancel, replay, roll back, halt, resume, take and silence alerts",
    Role.OWNER: "also promote, start a canary, waive, and say who may what",
}
"""What a role may do beyond those before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A person who may sign in, or may not any more.

    Attributes:
        by: who says who they are; "" where their password does.
        shows_code: whether they show a code beside it.
    """

    name: str
    role: str
    disabled: bool
    created: datetime
    by: str = ""
    shows_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key of a program.

    Attributes:
        state: "valid", "expired" or "revoked".
        only: the rights that it has of its role; empty for all.
        used: when it was last shown; None where it never was.
    """

    name: str
    role: str
    state: str
    only: tuple[str, ...]
    expires: datetime | None
    used: datetime | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A browser that is signed in.

    Attributes:
        is_this: whether it is the one that looks.
    """

    id: str
    user: str
    created: datetime
    used: datetime
    address: str
    agent: str
    is_this: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPage:
    """Everybody and everything that may come in.

    Attributes:
        secret: of a key that was made just now: it is shown this once; "" otherwise.
        made: the name of that key.
        call: a command that calls the API with it.
    """

    template: ClassVar[str] = "access.html.j2"
    section: ClassVar[Section] = Section.ACCESS
    roles: ClassVar[tuple[str, ...]] = tuple(role.value for role in Role)
    rights: ClassVar[tuple[str, ...]] = tuple(right.value for right in Right)
    role_words: ClassVar[Mapping[Role, str]] = ROLE_WORDS
    least: ClassVar[int] = LEAST_PASSWORD

    users: tuple[UserRow, ...]
    keys: tuple[KeyRow, ...]
    sessions: tuple[SessionRow, ...]
    secret: str = ""
    made: str = ""
    call: str = ""

    @property
    def last_owner(self) -> str:
        """Who alone may administer, and so stays in; "" where several may."""
        owners = [one.name for one in self.users if one.role == Role.OWNER and not one.disabled]
        return owners[0] if len(owners) == 1 else ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Access"


def example_call(address: str, workflow: str, value: str, *, may_enqueue: bool) -> str:
    r"""Return a command that calls the API with a key that stands in the variable KEY.

    Args:
        address: of the console, without a slash at its end.
        workflow: its name.
        value: an input, as JSON.
        may_enqueue: whether the key may make a run; else the command lists them.

    >>> print(example_call("http://localhost:8000", "triage", '"late"', may_enqueue=True))
    curl -X POST http://localhost:8000/api/v1/workflows/triage/runs \
      -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \
      -d '"late"'
    """
    if not may_enqueue:
        return f'curl {address}/api/v1/runs -H "Authorization: Bearer $KEY"'
    return (
        f"curl -X POST {address}/api/v1/workflows/{workflow}/runs \\\n"
        '  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(value)}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """One's own password and sessions.

    Attributes:
        has_password: whether a password opens the door, and not somebody else's word.
        factor_since: since when a code is asked for, too; None where it is not.
    """

    template: ClassVar[str] = "account.html.j2"
    least: ClassVar[int] = LEAST_PASSWORD
    section: ClassVar[Section] = Section.NOWHERE

    sessions: tuple[SessionRow, ...]
    has_password: bool
    factor_since: datetime | None = None

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Your account"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorPage:
    """Where somebody sets a second factor up.

    Attributes:
        address: of the offer, for an app to read.
        secret: of the offer, to be typed into the app.
        salt: of the offer, sent back with the code.
        replaces: whether another app showed codes until now.
        problem: why what was sent does not do; "" at first.
    """

    template: ClassVar[str] = "factor.html.j2"
    section: ClassVar[Section] = Section.NOWHERE

    address: str
    secret: str
    salt: str
    replaces: bool = False
    problem: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Second factor"

    @property
    def picture(self) -> str:
        """The address as a QR code, in SVG."""
        return segno.make(self.address, error="m", micro=False).svg_inline(
            omitsize=True, border=3, svgclass="qr", lineclass=None
        )

    @property
    def typed(self) -> str:
        """The secret in groups of four, as it is typed."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))
