"""Access: users and API keys, and who it is that asks."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from proveout.domain.access import (
    ID_DIGITS,
    Actor,
    ApiKey,
    NoRight,
    NotSignedIn,
    Right,
    Role,
    Session,
    User,
)
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, decode, encode
from proveout.domain.unit import Keep
from proveout.errors import Mistake, Refusal
from proveout.faces.passwords import Passwords, check_password
from proveout.faces.uses import Uses, unused
from proveout.release.decide import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime, timedelta

    from proveout.ports.store import Records
    from proveout.release.decide import Office

ACTING_USER = "PROVEOUT_USER"
"""Variable of the environment that says who acts on the command line."""

KEY_PREFIX = "pk_"
SECRET_BYTES = 32

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
"""What users and keys are called."""


class BadName(Mistake):
    """A user or a key cannot be called that."""

    code = "bad-name"


class NameTaken(Mistake):
    """A user or a key has that name already."""

    code = "name-taken"


class NoSuchName(Mistake):
    """No user or key has that name."""

    code = "no-such-name"


class LastOwner(Refusal):
    """Without this user nobody could administer the project over HTTP."""

    code = "last-owner"


class NewKey(NamedTuple):
    """A key that begins, with the secret that is shown once."""

    key: ApiKey
    secret: str


def hash_of(secret: str) -> str:
    """Return the hexadecimal SHA-256 of a secret, which is all that is kept of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Access:
    """Who may come in. Each change is a decision, written with its entry in the ledger.

    Attributes:
        uses: when keys and sessions were last shown.
    """

    def __init__(self, office: Office) -> None:
        """Look after the users and keys of a store; `office` takes the decisions."""
        self.office = office
        self._store = office.store
        self._clock = office.clock
        self._passwords = Passwords()
        self.uses = Uses(office)

    def close(self) -> None:
        """Let go of the threads that hash."""
        self._passwords.close()

    async def users(self) -> list[User]:
        """Return every user, disabled ones included, by name."""
        return [decode(User, body) for body in (await self._store.records(Kind.USER)).values()]

    async def user(self, name: str) -> User:
        """Return the user of that name.

        Raises:
            NoSuchName: there is none.
        """
        user = await self.find(name)
        if user is None:
            raise NoSuchName(f'there is no user "{name[:64]}"', fix=("proveout user list",))
        return user

    async def find(self, name: str) -> User | None:
        """Return the user of that name, disabled or not; None where there is none."""
        body = await self._store.record(Kind.USER, name) if NAME.fullmatch(name) else None
        return None if body is None else decode(User, body)

    async def add_user(self, actor: Actor, name: str, role: Role, password: str) -> User:
        """Let a person sign in; one who was disabled comes back.

        Raises:
            NoRight: the actor is no owner.
            BadName: nobody can be called that.
            NameTaken: a user or a key is called that.
            WeakPassword: the password is too easy to guess.
        """
        actor.check(Right.ADMINISTER)
        await self.check_free(name)
        check_password(password, name)
        user = User(
            name=name,
            role=role,
            password=await self._passwords.hash(password),
            created=self._clock.now(),
        )

        async def think() -> Decision:
            await self.check_free(name)
            return of_user(actor, "add user", user, {"role": role})

        await decide(self.office, think)
        return user

    async def set_password(self, actor: Actor, name: str, password: str) -> None:
        """Give a user another password and end their sessions.

        Raises:
            NoRight: the actor is neither that user nor an owner.
            NoSuchName: there is no such user.
            WeakPassword: the password is too easy to guess.
        """
        if actor.name != name:
            actor.check(Right.ADMINISTER)
        check_password(password, name)
        hash_ = await self._passwords.hash(password)

        async def think() -> Decision:
            changed = replace(await self.user(name), password=hash_)
            ended = await ended_sessions(self._store, name)
            return of_user(actor, "set password", changed, {}, *ended)

        await decide(self.office, think)

    async def change_role(self, actor: Actor, name: str, role: Role) -> None:
        """Trust a user with more or with less, from their next request on.

        Raises:
            NoRight: the actor is no owner.
            NoSuchName: there is no such user.
            LastOwner: nobody else is an owner.
        """
        actor.check(Right.ADMINISTER)

        async def think() -> Decision:
            user = await self.user(name)
            if role is not Role.OWNER:
                await self._check_not_last(user)
            facts = {"before": user.role, "after": role}
            return of_user(actor, "change role", replace(user, role=role), facts)

        await decide(self.office, think)

    async def disable(self, actor: Actor, name: str) -> None:
        """Keep a user out and end their sessions.

        Raises:
            NoRight: the actor is no owner.
            NoSuchName: there is no such user.
            LastOwner: nobody else is an owner.
        """
        actor.check(Right.ADMINISTER)

        async def think() -> Decision:
            user = await self.user(name)
            await self._check_not_last(user)
            ended = await ended_sessions(self._store, name)
            return of_user(actor, "disable user", replace(user, disabled=True), {}, *ended)

        await decide(self.office, think)

    async def check_free(self, name: str) -> None:
        """Leave quietly when a new user or key may have that name.

        Raises:
            BadName: nobody can be called that.
            NameTaken: a user or a key is called that.
        """
        if not NAME.fullmatch(name):
            raise BadName(
                f'"{name[:64]}" cannot be a name',
                why="1 to 64 of a to z, 0 to 9 and . _ @ + -, a letter or a digit first",
            )
        users = {user.name for user in await self.users() if not user.disabled}
        keys = {key.name for key in await self.keys() if not key.revoked}
        if name in users | keys:
            raise NameTaken(
                f'there is {"a user" if name in users else "a key"} "{name}" already',
                why="users and keys share their names, so that the ledger can tell them apart",
                fix=("proveout user list", "proveout key list"),
            )

    async def _check_not_last(self, user: User) -> None:
        owners = {one.name for one in await self.users() if _is_owner(one)}
        if owners == {user.name}:
            raise LastOwner(
                f"{user.name} is the last owner",
                why="without an owner nobody could administer this project over HTTP",
                fix=("proveout user add NAME --role owner",),
            )

    async def who(self, name: str, password: str) -> User | None:
        """Return the user of that name, if they may come in with that password.

        It takes the same time for a name that does not exist.

        Raises:
            Crowded: too many people sign in at this moment.
        """
        user = await self.find(name)
        known = None if user is None or user.disabled else user.password
        return user if await self._passwords.verify(password, known) else None

    async def keys(self) -> list[ApiKey]:
        """Return every key, revoked ones included, by name."""
        bodies = (await self._store.records(Kind.KEY)).values()
        return sorted((decode(ApiKey, body) for body in bodies), key=lambda key: key.name)

    async def create_key(
        self,
        actor: Actor,
        name: str,
        role: Role,
        lasts: timedelta | None = None,
        only: Collection[Right] = (),
    ) -> NewKey:
        """Let a program in; its secret is in the answer and nowhere else.

        Args:
            actor: who decides it.
            name: what the key is for.
            role: what the program is trusted with.
            lasts: for how long; None for as long as nobody revokes it.
            only: the rights of the role that it has; empty for all of them.

        Raises:
            NoRight: the actor is no owner, or the role lacks one of these rights.
            BadName: nothing can be called that.
            NameTaken: a user or a key is called that.
        """
        actor.check(Right.ADMINISTER)
        for right in only:
            Actor(name=f'"{name[:64]}"', role=role).check(right)
        now = self._clock.now()
        secret = KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        key = ApiKey(
            name=name,
            hash=hash_of(secret),
            role=role,
            created=now,
            by=actor.name,
            expires=None if lasts is None else now + lasts,
            only=tuple(sorted(set(only))),
        )
        expires = None if key.expires is None else key.expires.isoformat()

        async def think() -> Decision:
            await self.check_free(name)
            facts = {
                "role": role,
                "only": [*key.only],
                "expires": expires,
                "hash": key.hash[:ID_DIGITS],
            }
            return _of_keys(actor, "create key", facts, key)

        await decide(self.office, think)
        return NewKey(key, secret)

    async def revoke_key(self, actor: Actor, name: str) -> None:
        """Keep a program out, from its next request on.

        Raises:
            NoRight: the actor is no owner.
            NoSuchName: no key of that name is valid.
        """
        actor.check(Right.ADMINISTER)

        async def think() -> Decision:
            valid = [key for key in await self.keys() if key.name == name and not key.revoked]
            if not valid:
                raise NoSuchName(f'there is no key "{name[:64]}"', fix=("proveout key list",))
            return _of_keys(actor, "revoke key", {}, *(replace(key, revoked=True) for key in valid))

        await decide(self.office, think)

    async def program(self, secret: str) -> Actor:
        """Return who has the key of that secret.

        Raises:
            NotSignedIn: nobody has, or no longer.
        """
        body = await self._store.record(Kind.KEY, hash_of(secret))
        key = None if body is None else decode(ApiKey, body)
        if key is None or key.revoked or is_past(key.expires, self._clock.now()):
            raise NotSignedIn(
                "the key is not valid",
                why="it was revoked, has expired, or is no key of this project",
                fix=("proveout key create NAME --role ROLE",),
            )
        await self.uses.note(key.hash)
        return Actor(name=key.name, role=key.role, only=frozenset(key.only) or None)


def command_line_actor(environ: Mapping[str, str], login: str, users: Iterable[User]) -> Actor:
    """Return who acts on the command line.

    Whoever reaches the store and the key that signs its ledger could write whatever they
    like, so who is no known user acts as an owner; a known user acts in their own role.

    Args:
        environ: of the process; `PROVEOUT_USER` in it names who acts.
        login: the name at the operating system.
        users: everyone who is known.

    Raises:
        NoRight: that user is disabled.
    """
    name = environ.get(ACTING_USER) or login
    known = {user.name: user for user in users}.get(name.lower())
    if known is None:
        return Actor(name=name, role=Role.OWNER)
    if known.disabled:
        raise NoRight(
            f"{known.name} is disabled",
            why="an owner keeps this user out",
            fix=("ask an owner",),
        )
    return Actor(name=known.name, role=known.role)


def of_user(actor: Actor, act: str, user: User, facts: dict[str, Any], *more: Keep) -> Decision:
    """Return the decision that writes a user as they are to be, with its entry."""
    deed = Deed(actor=actor.name, act=act, subject=user.name, facts=facts)
    keep = Keep(kind=Kind.USER, name=user.name, body=encode(user))
    return Decision(deed=deed, changes=(keep, *more))


def _of_keys(actor: Actor, act: str, facts: dict[str, Any], *keys: ApiKey) -> Decision:
    deed = Deed(actor=actor.name, act=act, subject=keys[0].name, facts=facts)
    # By its hash, a request finds its key without reading all of them.
    keeps = (Keep(kind=Kind.KEY, name=key.hash, body=encode(key)) for key in keys)
    return Decision(deed=deed, changes=tuple(keeps))


def _is_owner(user: User) -> bool:
    return user.role is Role.OWNER and not user.disabled


async def ended_sessions(store: Records, name: str) -> list[Keep]:
    """Return what ends every session of a user."""
    sessions = (decode(Session, body) for body in (await store.records(Kind.SESSION)).values())
    return [keep for one in sessions if one.user == name for keep in ended(one)]


def ended(session: Session) -> tuple[Keep, Keep]:
    """Return what ends a session."""
    return Keep(kind=Kind.SESSION, name=session.hash, body=None), unused(session.hash)


def is_past(expires: datetime | None, now: datetime) -> bool:
    """Whether what expires then has expired; None never does."""
    return expires is not None and expires <= now
