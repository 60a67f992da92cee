"""Sessions: a browser signs in, and out again; the first owner comes in by a link."""

from __future__ import annotations

import hmac
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.access import (
    Actor,
    NotSignedIn,
    OneTimeLink,
    Right,
    Role,
    Session,
    User,
)
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, decode, encode
from proveout.domain.unit import Keep, Put, Stale, UnitId
from proveout.errors import Refusal
from proveout.faces.access import SECRET_BYTES, NoSuchName, ended, ended_sessions, hash_of, is_past
from proveout.faces.passwords import check_password
from proveout.faces.second_factor import SecondFactors
from proveout.faces.tries import Tries
from proveout.faces.uses import unused
from proveout.release.decide import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Generator

    from proveout.faces.access import Access

SESSION_LENGTH = timedelta(hours=12)
IDLE = timedelta(hours=2)
"""A session that nobody used for so long has ended."""

LINK_LENGTH = timedelta(hours=24)

CODE_LASTS = timedelta(minutes=5)
"""How long after the password the code of a second factor may come."""

LONGEST_AGENT = 200
"""Characters that are kept of what a browser calls itself."""

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


class CodeNeeded(NotSignedIn):
    """The password is right, and the code of the person's app is needed as well.

    Attributes:
        half_way: what proves for `CODE_LASTS` that the password was shown.
    """

    code = "code-needed"

    def __init__(self, half_way: str) -> None:
        super().__init__(
            "a code is needed as well",
            why="this user has a second factor",
            fix=("type the code that your app shows now",),
        )
        self.half_way = half_way


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """What signs in.

    Attributes:
        address: where the request came from.
        agent: what it calls itself; anybody can say anything there.
        former: secret of the session that it had until now; "" for none.
    """

    address: str = ""
    agent: str = ""
    former: str = field(default="", repr=False)


UNKNOWN = Browser()


class Sessions:
    """Who is signed in; sessions are kept by the store, so that they can be ended there.

    Attributes:
        factors: who shows a code as well.
    """

    def __init__(self, access: Access) -> None:
        """Look after the sessions of those whom `access` knows."""
        self._access = access
        self._store = access.office.store
        self._clock = access.office.clock
        self._ids = access.office.ids
        self._tries = Tries(self._clock)
        self.factors = SecondFactors(access)

    async def sign_in(
        self, name: str, password: str, address: str, browser: Browser = UNKNOWN
    ) -> NewSession:
        """Begin a session for who knows the password and has no second factor.

        Args:
            name: who they say they are.
            password: as it was typed.
            address: where the request came from; tries are counted by it.
            browser: what else is known of it; the session that it had is ended.

        Raises:
            NotSignedIn: name and password do not belong together.
            TooManyTries: too many passwords were tried.
            Crowded: too many people sign in at this moment.
            CodeNeeded: they have one; `show_code` begins the session.
            FactorUnreadable: it was set up with another key than this machine has.
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
        if user.factor is not None:
            raise CodeNeeded(self.factors.half_way(user, CODE_LASTS))
        return await self.begin(user, browser)

    async def show_code(self, half_way: str, code: str, browser: Browser) -> NewSession:
        """Begin a session for who showed their password, and now the code of their app.

        Raises:
            NotSignedIn: nobody showed a password, or too long ago.
            WrongCode: it is not the code that the app shows now.
            TooManyTries: too many codes were tried.
        """
        user = await self.factors.whose(half_way)
        if user is None:
            raise NotSignedIn(
                "the password was shown too long ago",
                why=f"the code must follow it within {CODE_LASTS.seconds // 60} minutes",
                fix=("sign in again",),
            )
        with self._code_tried(user.name, browser.address):
            await self.factors.show(user, code)
        return await self.begin(user, browser)

    async def drop_factor(self, actor: Actor, code: str, address: str) -> None:
        """Have the actor sign in by password alone from now on, who shows a code once more.

        Raises:
            NoFactor: they show no code.
            WrongCode: it is not the code that the app shows now.
            TooManyTries: too many codes were tried.
        """
        with self._code_tried(actor.name, address):
            await self.factors.drop(actor, actor.name, code)

    @contextmanager
    def _code_tried(self, name: str, address: str) -> Generator[None]:
        """Count a try of a code, and take it back where the code was right."""
        who = f"code of {name}"  # no user is called that
        self._tries.count(who, address)
        yield
        self._tries.forgive(who, address)

    def count_try(self, address: str) -> None:
        """Count a try to come in by the word of somebody else, as tries of a name are.

        Raises:
            TooManyTries: too many came from there.
        """
        self._tries.count(f"from {address}", address)

    def forgive_try(self, address: str) -> None:
        """Take back the last try: it let somebody in."""
        self._tries.forgive(f"from {address}", address)

    async def begin(self, user: User, browser: Browser = UNKNOWN) -> NewSession:
        """Begin a session for who is known to be that user, always under a new secret."""
        now = self._clock.now()
        secret = secrets.token_urlsafe(SECRET_BYTES)
        session = Session(
            hash=hash_of(secret),
            user=user.name,
            csrf=secrets.token_urlsafe(SECRET_BYTES),
            created=now,
            expires=now + SESSION_LENGTH,
            address=browser.address[:LONGEST_NAME],
            agent=browser.agent[:LONGEST_AGENT],
        )
        former = hash_of(browser.former) if browser.former else ""
        over = [one for one in await self.all() if is_past(one.expires, now) or one.hash == former]
        kept = Keep(kind=Kind.SESSION, name=session.hash, body=encode(session))
        await self._put(kept, *(keep for one in over for keep in ended(one)))
        return NewSession(session, secret)

    async def session(self, secret: str) -> SignedIn:
        """Return the session of that secret with who has it, and what they may do now.

        Raises:
            NotSignedIn: there is none, or it has ended.
        """
        body = await self._store.record(Kind.SESSION, hash_of(secret))
        session = None if body is None else decode(Session, body)
        if session is not None and not await self._is_over(session):
            kept = await self._store.record(Kind.USER, session.user)
            user = None if kept is None else decode(User, kept)
            if user is not None and not user.disabled:
                await self._access.uses.note(session.hash)
                return SignedIn(session, Actor(name=user.name, role=user.role))
        raise NotSignedIn("you are not signed in", why="the session has ended", fix=("sign in",))

    async def _is_over(self, session: Session) -> bool:
        now = self._clock.now()
        if is_past(session.expires, now):
            return True
        last = await self._access.uses.last(session.hash) or session.created
        return now - last >= IDLE

    async def sign_out(self, secret: str) -> None:
        """End the session of that secret, if there is one."""
        hash_ = hash_of(secret)
        await self._put(Keep(kind=Kind.SESSION, name=hash_, body=None), unused(hash_))

    async def sign_out_everywhere(self, name: str) -> None:
        """End every session of a user."""
        await self._put(*await ended_sessions(self._store, name))

    async def end(self, actor: Actor, id_: str) -> Session:
        """End a session by its id: one's own, or as an owner anybody's.

        Raises:
            NoRight: it is somebody else's.
            NoSuchName: there is none of that id.
        """

        async def think() -> Decision:
            session = next((one for one in await self.all() if one.id == id_), None)
            if session is None or session.user != actor.name:
                actor.check(Right.ADMINISTER)
            if session is None:
                raise NoSuchName("there is no such session", fix=("proveout session list",))
            found.append(session)
            deed = Deed(
                actor=actor.name, act="end session", subject=session.user, facts={"session": id_}
            )
            return Decision(deed=deed, changes=ended(session))

        found: list[Session] = []
        await decide(self._access.office, think)
        return found[-1]

    async def knows(self, name: str, password: str, address: str) -> bool:
        """Whether who is signed in knows their password; it counts as a try to sign in.

        Raises:
            TooManyTries: too many passwords were tried.
            Crowded: too many people sign in at this moment.
        """
        self._tries.count(name, address)
        if await self._access.who(name, password) is None:
            return False
        self._tries.forgive(name, address)
        return True

    async def living(self) -> list[Session]:
        """Return every session that is not over, the newest first."""
        return [one for one in await self.all() if not await self._is_over(one)]

    async def all(self) -> list[Session]:
        """Return every session that is kept, the newest first; some may be over."""
        bodies = (await self._store.records(Kind.SESSION)).values()
        found = [decode(Session, body) for body in bodies]
        return sorted(found, key=lambda one: one.created, reverse=True)

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
        return await self.begin(user)


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


def _link_spent() -> LinkSpent:
    return LinkSpent(
        "this link opens nothing",
        why="it was used, is too old, or there is an owner already",
        fix=("start proveout serve again, where there is no user yet",),
    )
