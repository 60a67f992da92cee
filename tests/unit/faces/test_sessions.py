"""Sessions: a browser signs in, and out again; the first owner comes in by a link."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from argon2 import extract_parameters

from doubles.doors import OWNER, House, open_house
from proveout.domain.access import Actor, NoRight, NotSignedIn, Role
from proveout.domain.record import Kind
from proveout.faces.access import NoSuchName
from proveout.faces.cookie import Cookie
from proveout.faces.passwords import Passwords, WeakPassword
from proveout.faces.sessions import Browser, ForgedForm, LinkSpent, check_csrf
from proveout.faces.tries import TooManyTries

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.faces.sessions import Sessions
    from proveout.ports.store import Store

PHRASE = "four words quite unrelated"
HERE = "192.0.2.1"

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


@pytest.fixture
async def house(
    tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds
) -> AsyncGenerator[House]:
    """Return a project without a user, on each store in turn."""
    house = open_house(tmp_path, store, clock, ids)
    yield house
    house.access.close()


@pytest.fixture
async def sessions(house: House) -> Sessions:
    """Return what looks after sessions, where ben is a reviewer."""
    await house.access.add_user(OWNER, "ben", Role.REVIEWER, PHRASE)
    return house.sessions


async def test_who_knows_the_password_is_signed_in(sessions: Sessions, store: Store) -> None:
    """The cookie holds a secret of which the store has a hash."""
    begun = await sessions.sign_in(" Ben ", PHRASE, HERE)

    found = await sessions.session(begun.secret)
    assert (found.actor.name, found.actor.role) == ("ben", Role.REVIEWER)
    assert len(begun.secret) >= 43
    kept = b"".join((await store.records(Kind.SESSION)).values())
    assert begun.secret.encode() not in kept


async def test_a_cookie_is_for_our_pages_alone() -> None:
    """No script reads it, no other site sends it, no plain wire carries it."""
    secret = secrets.token_urlsafe()

    plain = Cookie(secret=secret, max_age=43_200, secure=False).header()
    secure = Cookie(secret=secret, max_age=43_200, secure=True).header()

    assert plain == f"proveout_session={secret}; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict"
    assert secure == f"__Host-{plain}; Secure"


@ONE_STORE
@pytest.mark.parametrize(
    ("name", "password"),
    [("ben", "another password"), ("nobody", PHRASE), ("b\x00n", PHRASE), ("ben", "\ud800")],
)
async def test_nobody_else_is(sessions: Sessions, name: str, password: str) -> None:
    """The answer is the same for a wrong password and a name that does not exist."""
    with pytest.raises(NotSignedIn, match="do not belong together"):
        await sessions.sign_in(name, password, HERE)


async def test_a_name_that_nobody_has_costs_as_much() -> None:
    """Its hash asks for the same memory, passes and lanes as one that is made of a password."""
    passwords = Passwords()
    try:
        asked = [passwords.nobody, await passwords.hash(PHRASE)]
        assert not await passwords.verify(PHRASE, None)
    finally:
        passwords.close()

    of_nobody, of_somebody = map(extract_parameters, asked)
    assert of_nobody == of_somebody


async def test_a_session_ends_after_twelve_hours(
    sessions: Sessions, clock: WatchedClock, store: Store
) -> None:
    """To the second; what is left of it goes with the next one that begins."""
    begun = await sessions.sign_in("ben", PHRASE, HERE)
    for _ in range(11):
        clock.advance(timedelta(hours=1))
        assert await sessions.session(begun.secret)
    clock.advance(timedelta(hours=1) - timedelta(seconds=1))
    assert await sessions.session(begun.secret)
    clock.advance(timedelta(seconds=1))

    with pytest.raises(NotSignedIn):
        await sessions.session(begun.secret)
    await sessions.sign_in("ben", PHRASE, HERE)
    assert len(await store.records(Kind.SESSION)) == 1


async def test_who_signs_out_is_out(sessions: Sessions) -> None:
    """Only that browser; everywhere is everywhere."""
    first, second, third = [await sessions.sign_in("ben", PHRASE, HERE) for _ in range(3)]

    await sessions.sign_out(first.secret)
    with pytest.raises(NotSignedIn):
        await sessions.session(first.secret)
    assert await sessions.session(second.secret)

    await sessions.sign_out_everywhere("ben")
    for begun in (second, third):
        with pytest.raises(NotSignedIn):
            await sessions.session(begun.secret)


async def test_a_session_has_the_role_of_now(house: House, sessions: Sessions) -> None:
    """A change of role counts at once; who is disabled is out."""
    await house.access.add_user(OWNER, "ana", Role.OWNER, PHRASE)
    begun = await sessions.sign_in("ben", PHRASE, HERE)

    await house.access.change_role(OWNER, "ben", Role.VIEWER)
    assert (await sessions.session(begun.secret)).actor.role is Role.VIEWER
    await house.access.disable(OWNER, "ben")

    with pytest.raises(NotSignedIn):
        await sessions.session(begun.secret)
    with pytest.raises(NotSignedIn):
        await sessions.sign_in("ben", PHRASE, HERE)


async def test_another_password_ends_every_session(house: House, sessions: Sessions) -> None:
    """Who had the old one is out."""
    begun = await sessions.sign_in("ben", PHRASE, HERE)

    await house.access.set_password(OWNER, "ben", PHRASE + " more")

    with pytest.raises(NotSignedIn):
        await sessions.session(begun.secret)


@ONE_STORE
async def test_a_form_carries_the_token_of_its_session(sessions: Sessions) -> None:
    """Another session's does not do, nor none, nor one that is no text."""
    mine, other = [await sessions.sign_in("ben", PHRASE, HERE) for _ in range(2)]

    check_csrf(mine.session, mine.session.csrf)
    for forged in (other.session.csrf, "", "\ud800", mine.session.csrf[:-1]):
        with pytest.raises(ForgedForm):
            check_csrf(mine.session, forged)


@ONE_STORE
async def test_a_name_has_five_tries(sessions: Sessions, clock: WatchedClock) -> None:
    """From whatever addresses; then nothing is looked at for five minutes."""
    for number in range(5):
        with pytest.raises(NotSignedIn):
            await sessions.sign_in("ben", "guessed", f"192.0.2.{number}")

    with pytest.raises(TooManyTries) as refused:
        await sessions.sign_in("ben", PHRASE, HERE)
    assert 299 <= refused.value.retry_after <= 301
    clock.advance(timedelta(seconds=refused.value.retry_after))
    assert await sessions.sign_in("ben", PHRASE, HERE)


@ONE_STORE
async def test_tries_count_before_their_password_is_looked_at(sessions: Sessions) -> None:
    """Many at once get no further than many in a row."""
    tries = await asyncio.gather(
        *(sessions.sign_in("ben", "guessed", HERE) for _ in range(15)), return_exceptions=True
    )

    assert [type(one) for one in tries].count(NotSignedIn) == 5
    assert [type(one) for one in tries].count(TooManyTries) == 10


@ONE_STORE
async def test_an_address_has_twenty_tries(sessions: Sessions) -> None:
    """Over all names; another address is not kept out by it."""
    for number in range(20):
        with pytest.raises(NotSignedIn):
            await sessions.sign_in(f"name{number}", "guessed", HERE)

    with pytest.raises(TooManyTries):
        await sessions.sign_in("ben", PHRASE, HERE)
    assert await sessions.sign_in("ben", PHRASE, "192.0.2.2")


@ONE_STORE
async def test_the_right_password_is_no_failure(sessions: Sessions) -> None:
    """Signing in often locks nobody out."""
    for _ in range(25):
        assert await sessions.sign_in("ben", PHRASE, HERE)


async def test_the_first_owner_comes_in_by_a_link(house: House, store: Store) -> None:
    """Once; with the owner there, no link is made any more."""
    sessions = house.sessions
    secret = await sessions.first_owner_link()
    assert secret is not None
    await sessions.check_link(secret)

    begun = await sessions.first_owner(secret, "Ana", PHRASE)

    assert (await sessions.session(begun.secret)).actor == OWNER
    (entry,) = await store.whole_ledger()
    assert (entry.actor, entry.act, entry.subject) == ("ana", "add user", "ana")
    assert await sessions.first_owner_link() is None
    with pytest.raises(LinkSpent):
        await sessions.first_owner(secret, "eve", PHRASE)


async def test_of_two_who_come_by_the_link_one_gets_in(house: House) -> None:
    """The link is spent by whoever is first."""
    secret = await house.sessions.first_owner_link()
    assert secret is not None

    came = await asyncio.gather(
        *(house.sessions.first_owner(secret, name, PHRASE) for name in ("ana", "eve")),
        return_exceptions=True,
    )

    assert [isinstance(one, LinkSpent) for one in came].count(True) == 1
    assert len(await house.access.users()) == 1


async def test_a_weak_password_does_not_spend_the_link(house: House) -> None:
    """A slip of the fingers locks nobody out."""
    secret = await house.sessions.first_owner_link()
    assert secret is not None

    with pytest.raises(WeakPassword):
        await house.sessions.first_owner(secret, "ana", "short")

    assert await house.sessions.first_owner(secret, "ana", PHRASE)


async def test_a_link_is_good_for_a_day(house: House, clock: WatchedClock) -> None:
    """And only the newest one is; a made-up one never was."""
    old = await house.sessions.first_owner_link()
    secret = await house.sessions.first_owner_link()
    assert old is not None
    assert secret is not None

    for bad in (old, "made up", ""):
        with pytest.raises(LinkSpent):
            await house.sessions.check_link(bad)
    await house.sessions.check_link(secret)
    clock.advance(timedelta(days=1))
    with pytest.raises(LinkSpent):
        await house.sessions.first_owner(secret, "ana", PHRASE)


@ONE_STORE
async def test_signing_in_ends_the_session_that_the_browser_had(sessions: Sessions) -> None:
    """And never goes on under a secret that somebody else may have put there."""
    first = await sessions.sign_in("ben", PHRASE, HERE)
    planted = "x" * 43

    second = await sessions.sign_in("ben", PHRASE, HERE, Browser(former=first.secret))
    third = await sessions.sign_in("ben", PHRASE, HERE, Browser(former=planted))

    assert len({first.secret, second.secret, third.secret, planted}) == 4
    for gone in (first.secret, planted):
        with pytest.raises(NotSignedIn):
            await sessions.session(gone)
    assert (await sessions.session(second.secret)).actor.name == "ben"


async def test_a_session_that_nobody_uses_ends(sessions: Sessions, clock: WatchedClock) -> None:
    """After two hours without a request; each request begins them again, up to twelve hours."""
    idle, used = [await sessions.sign_in("ben", PHRASE, HERE) for _ in range(2)]

    for _ in range(6):
        clock.advance(timedelta(minutes=119))
        assert (await sessions.session(used.secret)).actor.name == "ben"
    with pytest.raises(NotSignedIn):
        await sessions.session(idle.secret)
    clock.advance(timedelta(minutes=10))

    with pytest.raises(NotSignedIn):
        await sessions.session(used.secret)


async def test_a_session_is_ended_by_its_id(house: House, sessions: Sessions) -> None:
    """By who has it or by an owner, in the ledger; by nobody else, whoever they know of."""
    browser = Browser(address=HERE, agent="Firefox <script>" + "x" * 500)
    ben = (await sessions.session((await sessions.sign_in("ben", PHRASE, HERE)).secret)).actor
    begun = await sessions.sign_in("ben", PHRASE, HERE, browser)
    other = Actor(name="eve", role=Role.OPERATOR)

    for id_ in (begun.session.id, "000000000000"):
        with pytest.raises(NoRight):
            await sessions.end(other, id_)
    with pytest.raises(NoSuchName):
        await sessions.end(OWNER, "000000000000")
    await sessions.end(ben, begun.session.id)

    [left] = await sessions.all()
    [entry, *_] = await house.store.ledger(limit=1)
    assert (begun.session.address, len(begun.session.agent)) == (HERE, 200)
    assert left.id != begun.session.id
    assert (entry.act, entry.actor, entry.subject) == ("end session", "ben", "ben")
    assert begun.session.hash.encode() not in entry.facts
    assert begun.session.hash not in await house.store.records(Kind.USED)
