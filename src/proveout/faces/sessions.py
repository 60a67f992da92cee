"""Sessions: a browser signs in, and out again; the first owner comes in by a link."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.access import Actor, NotSignedIn, OneTimeLink, Role, Session, User
from proveout.domain.record import Kind, decode, encode
from proveout.domain.unit import Keep, Put, Stale, UnitId
from proveout.errors import Refusal
from proveout.faces.access import SECRET_BYTES, ended_sessions, hash_of, is_past
from proveout.faces.passwords import check_password
from proveout.faces.tries import Tries

if TYPE_CHECKING:
    from proveout.faces.access import Access

COOKIE = "proveout_session"
SESSION_LENGTH = timedelta(hours=12)
LINK_LENGTH = timedelta(hours=24)

LONGEST_NAME = 65
"""Characters of a typed name that are looked at; no name has that many."""


class LinkSpent(Refusal):
    """The one-time link was used, is too old, or never was one."""

    code = "link-spent"


class ForgedForm(Refusal):
    """A form does not carry what only our own pages know."""

    code = "forged-form"


class SignedIn(NamedTuple):
    """A session, with who has it."""

    session: Session
    actor: Actor


class NewSession(NamedTuple):
    """A session that begins, with the secret that its cookie holds."""

    session: Session
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """What a cookie of a session is set with.

    Attributes:
        max_age: seconds.
    """

    secret: str
    max_age: int
    secure: bool

    def header(self) -> str:
        """Return the value of `Set-Cookie`."""
        parts = [f"{COOKIE}={self.secret}", f"Max-Age={self.max_age}", "Path=/"]
        parts += ["HttpOnly", "SameSite=Strict", *(["Secure"] if self.secure else [])]
        return "; ".join(parts)


class Sessions:
    """Who is signed in; sessions are kept by the store, so that they can be ended there."""

    def __init__(self, access: Access) -> None:
        """Look after the sessions of those whom `access` knows."""
        self._access = access
        self._store = access.office.store
        self._clock = access.office.clock
        self._ids = access.office.ids
        self._tries = Tries(self._clock)

    async def sign_in(self, name: str, password: str, address: str) -> NewSession:
        """Begin a session for who knows the password.

        Args:
            name: who they say they are.
            password: as it was typed.
            address: where the request came from; tries are counted by it.

        Raises:
            NotSignedIn: name and password do not belong together.
            TooManyTries: too many passwords were tried.
            Crowded: too many people sign in at this moment.
        """
        name = name.strip().lower()[:LONGEST_NAME]
        self._tries.count(name, address)
        user = await self._access.who(name, password)
        if user is None:
            raise NotSignedIn(
                "name and password do not belong together",
                why="the answer is the same for a name that does not exist",
                fix=("try again", "ask an owner for a new password"),
            )
        self._tries.forgive(name, address)
        return await self._begin(user)

    async def _begin(self, user: User) -> NewSession:
        now = self._clock.now()
        secret = secrets.token_urlsafe(SECRET_BYTES)
        session = Session(
            hash=hash_of(secret),
            user=user.name,
            csrf=secrets.token_urlsafe(SECRET_BYTES),
            created=now,
            expires=now + SESSION_LENGTH,
        )
        over = [one for one in await self._sessions() if is_past(one.expires, now)]
        kept = Keep(kind=Kind.SESSION, name=session.hash, body=encode(session))
        await self._put(kept, *map(_forgotten, over))
        return NewSession(session, secret)

    async def session(self, secret: str) -> SignedIn:
        """Return the session of that secret with who has it, and what they may do now.

        Raises:
            NotSignedIn: there is none, or it has ended.
        """
        body = await self._store.record(Kind.SESSION, hash_of(secret))
        session = None if body is None else decode(Session, body)
        if session is not None and not is_past(session.expires, self._clock.now()):
            kept = await self._store.record(Kind.USER, session.user)
            user = None if kept is None else decode(User, kept)
            if user is not None and not user.disabled:
                return SignedIn(session, Actor(name=user.name, role=user.role))
        raise NotSignedIn("you are not signed in", why="the session has ended", fix=("sign in",))

    async def sign_out(self, secret: str) -> None:
        """End the session of that secret, if there is one."""
        await self._put(Keep(kind=Kind.SESSION, name=hash_of(secret), body=None))

    async def sign_out_everywhere(self, name: str) -> None:
        """End every session of a user."""
        await self._put(*await ended_sessions(self._store, name))

    async def _sessions(self) -> list[Session]:
        return [
            decode(Session, body) for body in (await self._store.records(Kind.SESSION)).values()
        ]

    async def _put(self, *keeps: Keep, spends: Keep | None = None) -> bool:
        unit = Put(id=UnitId(self._ids.new()), keeps=keeps, spends=spends)
        return not isinstance(await self._store.write(unit), Stale)

    async def first_owner_link(self) -> str | None:
        """Return the secret of a new one-time link, or None where there is a user already.

        Links made before no longer open anything.
        """
        if await self._access.users():
            return None
        secret = secrets.token_urlsafe(SECRET_BYTES)
        link = OneTimeLink(
            hash=hash_of(secret), role=Role.OWNER, expires=self._clock.now() + LINK_LENGTH
        )
        old = [
            Keep(kind=Kind.LINK, name=name, body=None)
            for name in await self._store.records(Kind.LINK)
        ]
        await self._put(*old, Keep(kind=Kind.LINK, name=link.hash, body=encode(link)))
        return secret

    async def check_link(self, secret: str) -> OneTimeLink:
        """Return the link of that secret, unspent; looking does not spend it.

        Raises:
            LinkSpent: it opens nothing.
        """
        body = await self._store.record(Kind.LINK, hash_of(secret))
        link = None if body is None else decode(OneTimeLink, body)
        if link is None or is_past(link.expires, self._clock.now()) or await self._access.users():
            raise _link_spent()
        return link

    async def first_owner(self, secret: str, name: str, password: str) -> NewSession:
        """Spend the link of that secret on the first owner, who is signed in by it.

        The link is spent before the owner is added: who dies in between makes another
        link, and of two who come at once one is refused.

        Raises:
            LinkSpent: it opens nothing.
            BadName: nobody can be called that.
            WeakPassword: the password is too easy to guess.
        """
        link = await self.check_link(secret)
        name = name.strip().lower()
        await self._access.check_free(name)
        check_password(password, name)
        if not await self._put(spends=Keep(kind=Kind.LINK, name=link.hash, body=None)):
            raise _link_spent()
        user = await self._access.add_user(
            Actor(name=name, role=link.role), name, link.role, password
        )
        return await self._begin(user)


def check_csrf(session: Session, given: str) -> None:
    """Leave quietly when a form carries the token of its session.

    Raises:
        ForgedForm: it does not.
    """
    if not hmac.compare_digest(session.csrf.encode(), given.encode("utf-8", "replace")):
        raise ForgedForm(
            "the form is not one of ours, or an old one",
            why="its token belongs to another session",
            fix=("load the page again",),
        )


def _forgotten(session: Session) -> Keep:
    return Keep(kind=Kind.SESSION, name=session.hash, body=None)


def _link_spent() -> LinkSpent:
    return LinkSpent(
        "this link opens nothing",
        why="it was used, is too old, or there is an owner already",
        fix=("start proveout serve again, where there is no user yet",),
    )
