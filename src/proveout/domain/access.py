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


ID_DIGITS = 12
"""Digits of a hash by which people tell a key or a session from another."""


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
    """Who acts, and what they are trusted with.

    Attributes:
        only: the rights of the role that they have; None for all of them.
    """

    name: str
    role: Role
    only: frozenset[Right] | None = None

    def may(self, right: Right) -> bool:
        """Whether the actor has `right`."""
        return right in RIGHTS[self.role] and (self.only is None or right in self.only)

    def check(self, right: Right) -> None:
        """Leave quietly when the actor has `right`.

        Raises:
            NoRight: the role does not include it.
        """
        if self.may(right):
            return
        if self.only is not None and right in RIGHTS[self.role]:
            raise NoRight(
                f"{self.name} may not {right}",
                why=f"it was made for {', '.join(sorted(self.only))} only",
                fix=("proveout key create NAME --role ROLE --only RIGHT",),
            )
        enough = next(role for role in Role if right in RIGHTS[role])
        raise NoRight(
            f"{self.name} may not {right}",
            why=f"a {self.role} may {', '.join(sorted(RIGHTS[self.role]))}",
            fix=(
                f"ask an {enough}" if enough in {Role.OPERATOR, Role.OWNER} else f"ask a {enough}",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """What codes of a person's authenticator app are compared with; no secret is in it.

    Attributes:
        salt: hexadecimal; our key and it give the secret that the app was given.
        key: id of that key of ours.
    """

    salt: str
    key: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who may sign in.

    Attributes:
        password: its argon2id hash; "" where none was set yet.
        issuer: who says who they are; "" where their password does.
        subject: what the issuer calls them, for ever.
        factor: what they show beside the password; None for nothing.
    """

    name: str
    role: Role
    password: str
    created: datetime
    disabled: bool = False
    issuer: str = ""
    subject: str = ""
    factor: SecondFactor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a program signs in with; only the hash of its secret is kept.

    Attributes:
        name: what it is for, unique.
        hash: hexadecimal SHA-256 of the secret of 256 random bits.
        only: the rights of its role that it has; empty for all of them.
    """

    name: str
    hash: str
    role: Role
    created: datetime
    by: str
    expires: datetime | None = None
    revoked: bool = False
    only: tuple[Right, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that signed in.

    Attributes:
        hash: hexadecimal SHA-256 of what the cookie holds.
        csrf: what every form of this session must carry.
        address: where it was begun from.
        agent: what the browser calls itself.
    """

    hash: str
    user: str
    csrf: str
    created: datetime
    expires: datetime
    address: str = ""
    agent: str = ""

    @property
    def id(self) -> str:
        """What people call it by; nobody is signed in with it."""
        return self.hash[:ID_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """When a key or a session was last shown, to the minute."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeLink:
    """A link that lets the first owner in, once.

    Attributes:
        hash: hexadecimal SHA-256 of the secret in it.
    """

    hash: str
    role: Role
    expires: datetime
