"""Users and API keys, and who it is that asks."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.doors import OWNER, House, open_house
from proveout.domain.access import Actor, NoRight, NotSignedIn, Right, Role, User
from proveout.domain.ledger import breaks
from proveout.domain.record import Kind
from proveout.errors import Outage
from proveout.faces.access import (
    BadName,
    LastOwner,
    NameTaken,
    NoSuchName,
    command_line_actor,
    hash_of,
)
from proveout.faces.passwords import WeakPassword
from proveout.release.decide import Overtaken

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.faces.access import Access
    from proveout.ports.store import Store

MOMENT = datetime(2026, 11, 22, tzinfo=UTC)
PHRASE = "four words quite unrelated"

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


@pytest.fixture
def house(tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds) -> Generator[House]:
    """Return a project, on each store in turn."""
    house = open_house(tmp_path, store, clock, ids)
    yield house
    house.access.close()


@pytest.fixture
def access(house: House) -> Access:
    """Return what looks after its users and keys."""
    return house.access


async def test_a_user_is_kept_without_the_password(access: Access, store: Store) -> None:
    """Only an argon2id hash of it is in the store."""
    await access.add_user(OWNER, "ben", Role.REVIEWER, PHRASE)

    user = await access.user("ben")
    kept = await store.record(Kind.USER, "ben")
    assert (user.role, user.disabled) == (Role.REVIEWER, False)
    assert user.password.startswith("$argon2id$")
    assert kept is not None
    assert PHRASE.encode() not in kept


async def test_every_change_is_in_the_ledger(house: House, access: Access, store: Store) -> None:
    """Who did what to whom, before and after, in a chain that holds; no secret among it."""
    await access.add_user(OWNER, "ben", Role.OWNER, PHRASE)
    await access.add_user(OWNER, "cleo", Role.VIEWER, PHRASE)
    await access.change_role(OWNER, "cleo", Role.REVIEWER)
    await access.set_password(OWNER, "cleo", PHRASE + "!")
    await access.disable(OWNER, "cleo")
    made = await access.create_key(OWNER, "ci", Role.OPERATOR, timedelta(days=90))
    await access.revoke_key(OWNER, "ci")

    entries = await store.whole_ledger()
    assert [(one.actor, one.act, one.subject) for one in entries] == [
        ("ana", "add user", "ben"),
        ("ana", "add user", "cleo"),
        ("ana", "change role", "cleo"),
        ("ana", "set password", "cleo"),
        ("ana", "disable user", "cleo"),
        ("ana", "create key", "ci"),
        ("ana", "revoke key", "ci"),
    ]
    assert json.loads(entries[2].facts) == {"before": "viewer", "after": "reviewer"}
    assert breaks(entries, house.office.signer.is_ours) == []
    written = b"".join(one.facts for one in entries)
    assert made.secret.encode() not in written
    assert hash_of(made.secret).encode() not in written


@ONE_STORE
@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER, Role.OPERATOR])
async def test_only_an_owner_changes_users_and_keys(access: Access, role: Role) -> None:
    """Everybody else is told so, and nothing is changed."""
    actor = Actor(name="eve", role=role)
    changes = [
        access.add_user(actor, "ben", Role.OWNER, PHRASE),
        access.change_role(actor, "eve", Role.OWNER),
        access.disable(actor, "ana"),
        access.set_password(actor, "ana", PHRASE),
        access.create_key(actor, "ci", Role.OWNER),
        access.revoke_key(actor, "ci"),
    ]

    refused = await asyncio.gather(*changes, return_exceptions=True)

    assert {type(one) for one in refused} == {NoRight}
    assert await access.users() == []
    assert await access.keys() == []


@ONE_STORE
async def test_a_user_may_change_their_own_password(access: Access) -> None:
    """The old one is worth nothing afterwards."""
    await access.add_user(OWNER, "ben", Role.VIEWER, PHRASE)

    await access.set_password(Actor(name="ben", role=Role.VIEWER), "ben", PHRASE + " more")

    assert await access.who("ben", PHRASE) is None
    assert await access.who("ben", PHRASE + " more") is not None


@ONE_STORE
@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ben", "short"),
        ("ben", "aaaaaaaaaaaaaaaa"),
        ("ben", "my name is ben, twice"),
        ("ben", "x\x00yzabcdefghijkl"),
        ("ben", "half a character \ud800 here"),
        ("ben", "long" * 100),
    ],
)
async def test_a_password_that_is_easy_to_guess_is_refused(
    access: Access, name: str, password: str
) -> None:
    """Too short, too long, all alike, holding the name, or impossible to type."""
    with pytest.raises(WeakPassword):
        await access.add_user(OWNER, name, Role.VIEWER, password)

    assert await access.users() == []


@ONE_STORE
@pytest.mark.parametrize("name", ["", "Ben", "-ben", "b en", "b\x00", "é", "b" * 65, "../b"])
async def test_a_name_is_short_and_plain(access: Access, name: str) -> None:
    """It stands in the ledger, on pages and in commands."""
    with pytest.raises(BadName):
        await access.add_user(OWNER, name, Role.VIEWER, PHRASE)
    with pytest.raises(BadName):
        await access.create_key(OWNER, name, Role.VIEWER)


async def test_users_and_keys_share_their_names(access: Access) -> None:
    """The ledger must tell who did what; a revoked or disabled name is free again."""
    await access.add_user(OWNER, "ben", Role.VIEWER, PHRASE)
    await access.create_key(OWNER, "ci", Role.VIEWER)

    with pytest.raises(NameTaken, match="a user"):
        await access.create_key(OWNER, "ben", Role.VIEWER)
    with pytest.raises(NameTaken, match="a key"):
        await access.add_user(OWNER, "ci", Role.VIEWER, PHRASE)

    await access.revoke_key(OWNER, "ci")
    await access.disable(OWNER, "ben")
    await access.add_user(OWNER, "ben", Role.REVIEWER, PHRASE)
    assert (await access.user("ben")).role is Role.REVIEWER


async def test_the_last_owner_stays(access: Access) -> None:
    """Neither disabled nor made less, until there is another one."""
    await access.add_user(OWNER, "ben", Role.OWNER, PHRASE)

    with pytest.raises(LastOwner):
        await access.disable(OWNER, "ben")
    with pytest.raises(LastOwner):
        await access.change_role(OWNER, "ben", Role.VIEWER)

    await access.add_user(OWNER, "cleo", Role.OWNER, PHRASE)
    await access.disable(OWNER, "ben")
    assert (await access.user("ben")).disabled


async def test_the_secret_of_a_key_is_kept_nowhere(access: Access, store: Store) -> None:
    """256 random bits, of which the store has a hash."""
    made = await access.create_key(OWNER, "ci", Role.OPERATOR)

    kept = await store.records(Kind.KEY)
    assert made.secret.startswith("pk_")
    assert len(made.secret) >= 46
    assert made.secret.encode() not in b"".join(kept.values())
    assert await access.program(made.secret) == Actor(name="ci", role=Role.OPERATOR)


async def test_a_key_ends_when_it_is_said_to(access: Access, clock: WatchedClock) -> None:
    """To the second; without an end it lasts."""
    short = await access.create_key(OWNER, "short", Role.VIEWER, timedelta(days=90))
    long = await access.create_key(OWNER, "long", Role.VIEWER)

    clock.advance(timedelta(days=90) - timedelta(seconds=1))
    assert (await access.program(short.secret)).name == "short"
    clock.advance(timedelta(seconds=1))

    with pytest.raises(NotSignedIn):
        await access.program(short.secret)
    assert (await access.program(long.secret)).name == "long"


async def test_a_revoked_key_opens_nothing(access: Access) -> None:
    """From the next request on; once."""
    made = await access.create_key(OWNER, "ci", Role.VIEWER)

    await access.revoke_key(OWNER, "ci")

    with pytest.raises(NotSignedIn):
        await access.program(made.secret)
    with pytest.raises(NoSuchName):
        await access.revoke_key(OWNER, "ci")


async def test_of_many_at_once_one_takes_a_name(access: Access) -> None:
    """Whoever comes second is told, and has changed nothing."""
    made = await asyncio.gather(
        *(access.create_key(OWNER, "ci", Role.VIEWER) for _ in range(5)), return_exceptions=True
    )

    refused = [one for one in made if isinstance(one, NameTaken | Overtaken)]
    assert len(refused) == 4
    assert len(await access.keys()) == 1


def user(name: str, role: Role, *, disabled: bool = False) -> User:
    """Return a user as the command line knows them."""
    return User(name=name, role=role, password="", created=MOMENT, disabled=disabled)


@pytest.mark.parametrize(
    ("environ", "login", "name", "role"),
    [
        ({}, "root", "root", Role.OWNER),
        ({}, "ben", "ben", Role.REVIEWER),
        ({"PROVEOUT_USER": "ben"}, "root", "ben", Role.REVIEWER),
        ({"PROVEOUT_USER": "Ben"}, "root", "ben", Role.REVIEWER),
        ({"PROVEOUT_USER": ""}, "ben", "ben", Role.REVIEWER),
        ({"PROVEOUT_USER": "someone"}, "ben", "someone", Role.OWNER),
    ],
)
def test_who_acts_on_the_command_line(
    environ: dict[str, str], login: str, name: str, role: Role
) -> None:
    """A known user in their role; whoever else holds store and key, as an owner."""
    actor = command_line_actor(environ, login, [user("ben", Role.REVIEWER)])

    assert (actor.name, actor.role) == (name, role)


def test_a_disabled_user_does_not_act_on_the_command_line() -> None:
    """Not as an owner either."""
    with pytest.raises(NoRight, match="ben is disabled"):
        command_line_actor({}, "ben", [user("ben", Role.OWNER, disabled=True)])


@ONE_STORE
async def test_a_key_may_be_made_for_some_rights_of_its_role(access: Access) -> None:
    """What it was not made for is refused as if the role lacked it; more than the role is none."""
    made = await access.create_key(OWNER, "ci", Role.OPERATOR, only=[Right.ENQUEUE])

    actor = await access.program(made.secret)

    actor.check(Right.ENQUEUE)
    for right in (Right.READ, Right.OPERATE, Right.PROMOTE):
        with pytest.raises(NoRight, match=f"may not {right}"):
            actor.check(right)
    with pytest.raises(NoRight):
        await access.create_key(OWNER, "more", Role.VIEWER, only=[Right.PROMOTE])


async def test_the_last_use_of_a_key_is_kept(access: Access, clock: WatchedClock) -> None:
    """To the minute, beside the key; noting it never brings back a key that was revoked."""
    made = await access.create_key(OWNER, "ci", Role.VIEWER)
    before = await access.uses.last(made.key.hash)
    first = clock.now()
    for _ in range(3):
        await access.program(made.secret)
        clock.advance(timedelta(seconds=29))
    noted = await access.uses.last(made.key.hash)
    await access.revoke_key(OWNER, "ci")
    await access.uses.note(made.key.hash)

    assert before is None
    assert noted == first
    with pytest.raises(NotSignedIn):
        await access.program(made.secret)


@ONE_STORE
async def test_a_store_that_cannot_note_a_use_keeps_nobody_out(
    house: House, access: Access
) -> None:
    """A full disk must not lock out who could make room on it."""
    made = await access.create_key(OWNER, "ci", Role.VIEWER)

    async def full(_: object) -> None:
        raise Outage("no room")

    house.store.write = full  # pyright: ignore[reportAttributeAccessIssue] - an outage, made here

    assert (await access.program(made.secret)).name == "ci"
