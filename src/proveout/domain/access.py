"""Access: who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - a record is read by its annotations
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from proveout.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoRight(Refusal):
    """Who asks is known, and may not do this."""

    code = "no-right"


class NotSignedIn(Refusal):
    """Who asks is not known."""

    code = "not-signed-in"


class Role(StrEnum):
    """What a person or a key is trusted with; each includes those before it."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    OWNER = "owner"


class Right(StrEnum):
    """One thing that a route or a command may need."""

    READ = "read"
    ENQUEUE = "enqueue"
    REVIEW = "review"
    OPERATE = "operate"
    PROMOTE = "promote"
    ADMINISTER = "administer"


RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Right.READ}),
        Role.REVIEWER: frozenset({Right.READ, Right.REVIEW}),
        Role.OPERATOR: frozenset({Right.READ, Right.REVIEW, Right.ENQUEUE, Right.OPERATE}),
        Role.OWNER: frozenset(Right),
    }
)
"""Everything that is not listed is denied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and what they are trusted with."""

    name: str
    role: Role

    def check(self, right: Right) -> None:
        """Leave quietly when the actor has `right`.

        Raises:
            NoRight: the role does not include it.
        """
        if right in RIGHTS[self.role]:
            return
        enough = next(role for role in Role if right in RIGHTS[role])
        raise NoRight(
            f"{self.name} may not {right}",
            why=f"a {self.role} may {', '.join(sorted(RIGHTS[self.role]))}",
            fix=(
                f"ask an {enough}" if enough in {Role.OPERATOR, Role.OWNER} else f"ask a {enough}",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who may sign in.

    Attributes:
        password: its argon2id hash; "" where none was set yet.
    """

    name: str
    role: Role
    password: str
    created: datetime
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a program signs in with; only the hash of its secret is kept.

    Attributes:
        name: what it is for, unique.
        hash: hexadecimal SHA-256 of the secret of 256 random bits.
    """

    name: str
    hash: str
    role: Role
    created: datetime
    by: str
    expires: datetime | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that signed in.

    Attributes:
        hash: hexadecimal SHA-256 of what the cookie holds.
        csrf: what every form of this session must carry.
    """

    hash: str
    user: str
    csrf: str
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeLink:
    """A link that lets the first owner in, once.

    Attributes:
        hash: hexadecimal SHA-256 of the secret in it.
    """

    hash: str
    role: Role
    expires: datetime
