"""The second factor: a code of one's own app, beside the password."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp.totp import TOTP

from doubles.doors import OWNER, House, open_house
from proveout.adapters.keyfile import KeyFile
from proveout.domain.access import Actor, NoRight, NotSignedIn, Role
from proveout.domain.record import Kind
from proveout.faces.second_factor import FactorUnreadable, NoFactor, WrongCode
from proveout.faces.sessions import Browser, CodeNeeded, Sessions
from proveout.faces.tries import TooManyTries

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.faces.second_factor import SecondFactors
    from proveout.ports.store import Store

PHRASE = "four words quite unrelated"
HERE = "192.0.2.1"
BROWSER = Browser(address=HERE)
BEN = Actor(name="ben", role=Role.REVIEWER)
NEXT = timedelta(seconds=30)

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


class App:
    """An authenticator app that was given a secret, and has the clock of the store."""

    def __init__(self, secret: str, clock: WatchedClock) -> None:
        self._codes = TOTP(secret)
        self._clock = clock

    def code(self, ago: timedelta = timedelta()) -> str:
        """Return the code that the app shows now, or showed a while ago."""
        return self._codes.at(int((self._clock.now() - ago).timestamp()))


@pytest.fixture
async def house(
    tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds
) -> AsyncGenerator[House]:
    """Return a project on each store in turn, where ben is a reviewer."""
    house = open_house(tmp_path, store, clock, ids)
    await house.access.add_user(OWNER, "ben", Role.REVIEWER, PHRASE)
    yield house
    house.access.close()


@pytest.fixture
def factors(house: House) -> SecondFactors:
    return house.sessions.factors


@pytest.fixture
async def app(factors: SecondFactors, clock: WatchedClock) -> App:
    """Return the app of ben, who shows codes since just now."""
    offer = factors.offer("ben", "Proveout answers")
    app = App(offer.secret, clock)
    await factors.add(BEN, offer.salt, app.code())
    clock.advance(NEXT)
    return app


async def half_way(sessions: Sessions) -> str:
    """Return what ben has who showed the password, and no code yet."""
    with pytest.raises(CodeNeeded) as needed:
        await sessions.sign_in("ben", PHRASE, HERE)
    return needed.value.half_way


async def test_the_password_alone_opens_nothing_any_more(
    house: House, app: App, store: Store
) -> None:
    """It leads half way; the code begins the session."""
    token = await half_way(house.sessions)
    assert await store.records(Kind.SESSION) == {}

    begun = await house.sessions.show_code(token, app.code(), BROWSER)

    found = await house.sessions.session(begun.secret)
    assert (found.actor.name, found.actor.role) == ("ben", Role.REVIEWER)


@ONE_STORE
async def test_what_an_app_reads_is_what_every_app_knows(factors: SecondFactors) -> None:
    """An `otpauth` address: by time, and by default six digits, 30 s and SHA-1."""
    offer = factors.offer("ben@example.org", "Proveout answers")

    address = urlsplit(offer.address)
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path == "/Proveout%20answers:ben%40example.org"
    assert parse_qs(address.query) == {"secret": [offer.secret], "issuer": ["Proveout answers"]}
    assert len(offer.secret) == 32
    assert factors.offer("ben@example.org", "Proveout answers", offer.salt) == offer
    assert factors.offer("ben@example.org", "Proveout answers").secret != offer.secret


async def test_of_many_who_show_one_code_at_once_one_gets_in(house: House, app: App) -> None:
    """A code counts once, wherever it is shown."""
    token, code = await half_way(house.sessions), app.code()

    came = await asyncio.gather(
        *(house.sessions.show_code(token, code, BROWSER) for _ in range(4)),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in came) == ["NewSession", *["WrongCode"] * 3]


async def test_a_code_that_set_the_factor_up_does_not_open_the_door(
    house: House, factors: SecondFactors, clock: WatchedClock
) -> None:
    """It was used; and one replaced by another app is worth nothing."""
    offer, other = (factors.offer("ben", "Proveout answers") for _ in range(2))
    code = App(offer.secret, clock).code()
    await factors.add(BEN, offer.salt, code)
    token = await half_way(house.sessions)
    with pytest.raises(WrongCode):
        await house.sessions.show_code(token, code, BROWSER)

    clock.advance(NEXT)
    await factors.add(BEN, other.salt, App(other.secret, clock).code())

    clock.advance(NEXT)
    token = await half_way(house.sessions)
    with pytest.raises(WrongCode):
        await house.sessions.show_code(token, App(offer.secret, clock).code(), BROWSER)
    await house.sessions.show_code(token, App(other.secret, clock).code(), BROWSER)


@ONE_STORE
@pytest.mark.parametrize(
    ("ago", "counts"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
async def test_the_codes_before_and_after_count(
    house: House, app: App, clock: WatchedClock, ago: int, counts: bool
) -> None:
    """Clocks differ, and typing takes time, blanks included; further off no code counts."""
    clock.advance(10 * NEXT)
    token = await half_way(house.sessions)
    code = app.code(timedelta(seconds=ago))
    try:
        await house.sessions.show_code(token, f" {code[:3]} {code[3:]} ", BROWSER)
    except WrongCode:
        assert not counts
    else:
        assert counts


@ONE_STORE
@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "\ud800", "12345a", "x" * 9999])
async def test_what_is_no_code_is_a_wrong_one(house: House, app: App, code: str) -> None:
    assert app.code() != code
    with pytest.raises(WrongCode):
        await house.sessions.show_code(await half_way(house.sessions), code, BROWSER)


@ONE_STORE
async def test_codes_cannot_be_guessed(house: House, app: App) -> None:
    """Five tries; showing the password again does not give them back, even for the right code."""
    wrong = f"{(int(app.code()) + 500_000) % 1_000_000:06}"
    for _ in range(5):
        with pytest.raises(WrongCode):
            await house.sessions.show_code(await half_way(house.sessions), wrong, BROWSER)

    token = await half_way(house.sessions)
    with pytest.raises(TooManyTries):
        await house.sessions.show_code(token, app.code(), BROWSER)


@ONE_STORE
async def test_half_way_lasts_five_minutes(house: House, app: App, clock: WatchedClock) -> None:
    """After that the password is asked for again."""
    token = await half_way(house.sessions)
    clock.advance(timedelta(minutes=5))

    with pytest.raises(NotSignedIn):
        await house.sessions.show_code(token, app.code(), BROWSER)


@ONE_STORE
async def test_a_forged_half_way_opens_nothing(house: House, app: App, tmp_path: Path) -> None:
    """Another name, a later end, another key; and one from before the password was changed."""
    await house.access.add_user(OWNER, "eve", Role.OWNER, PHRASE)
    token = await half_way(house.sessions)
    end, signature, name = token.split(".")
    foreign = KeyFile(tmp_path / "foreign").sign(b"anything").value
    forged = [
        "",
        "x",
        f"{end}.{signature}.eve",
        f"{int(end) + 1}.{signature}.{name}",
        f"{end}.{foreign}.{name}",
        f"{end}.{'0' * 128}.{name}",
        f"{end}.{signature}.nobody",
    ]
    for one in forged:
        with pytest.raises(NotSignedIn):
            await house.sessions.show_code(one, app.code(), BROWSER)

    await house.access.set_password(OWNER, "ben", f"{PHRASE} again")
    with pytest.raises(NotSignedIn):
        await house.sessions.show_code(token, app.code(), BROWSER)


@ONE_STORE
async def test_who_is_kept_out_stays_out_half_way(house: House, app: App) -> None:
    token = await half_way(house.sessions)
    await house.access.disable(OWNER, "ben")

    with pytest.raises(NotSignedIn):
        await house.sessions.show_code(token, app.code(), BROWSER)


async def test_a_copy_of_the_store_tells_no_codes(
    house: House, app: App, store: Store, clock: WatchedClock
) -> None:
    """The secret is in no record: it is what our key makes of what is."""
    kept = b"".join((await store.records(Kind.USER)).values())
    user = await house.access.user("ben")
    assert user.factor is not None
    secret = house.sessions.factors.offer("ben", "", user.factor.salt).secret

    assert App(secret, clock).code() == app.code()
    assert secret.encode() not in kept


@ONE_STORE
@pytest.mark.usefixtures("app")
async def test_another_key_is_told_and_not_taken_for_a_wrong_code(
    tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """Such as that of a machine that was set up anew; the command that mends it is named."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = open_house(elsewhere, store, clock, ids)

    with pytest.raises(FactorUnreadable) as told:
        await other.sessions.sign_in("ben", PHRASE, HERE)

    assert "proveout user drop-factor ben" in told.value.fix
    other.access.close()


async def test_a_person_drops_their_own_by_a_code_and_an_owner_anybodys(
    house: House, app: App, clock: WatchedClock
) -> None:
    """Afterwards the password alone opens the door; each change is in the ledger."""
    with pytest.raises(WrongCode):
        await house.sessions.drop_factor(BEN, "000000", HERE)
    with pytest.raises(NoRight):
        await house.sessions.factors.drop(BEN, "ben")
    await house.sessions.drop_factor(BEN, app.code(), HERE)
    await house.sessions.sign_in("ben", PHRASE, HERE)
    with pytest.raises(NoFactor):
        await house.sessions.drop_factor(BEN, app.code(), HERE)

    offer = house.sessions.factors.offer("ben", "Proveout answers")
    clock.advance(NEXT)
    await house.sessions.factors.add(BEN, offer.salt, App(offer.secret, clock).code())
    await house.sessions.factors.drop(OWNER, "ben")
    await house.sessions.sign_in("ben", PHRASE, HERE)

    deeds = [(one.act, one.actor) for one in await house.store.ledger()]
    assert [one for one in deeds if "factor" in one[0]] == [  # the newest first
        ("drop second factor", "ana"),
        ("add second factor", "ben"),
        ("drop second factor", "ben"),
        ("add second factor", "ben"),
    ]


@ONE_STORE
@pytest.mark.usefixtures("app")
async def test_who_comes_back_after_being_kept_out_begins_without(house: House) -> None:
    """It may be another person under that name."""
    await house.access.disable(OWNER, "ben")
    await house.access.add_user(OWNER, "ben", Role.VIEWER, PHRASE)

    await house.sessions.sign_in("ben", PHRASE, HERE)


async def test_codes_that_are_over_are_kept_no_longer(
    house: House, app: App, store: Store, clock: WatchedClock
) -> None:
    for _ in range(5):
        clock.advance(4 * NEXT)
        await house.sessions.show_code(await half_way(house.sessions), app.code(), BROWSER)

    assert len(await store.records(Kind.USED_CODE)) == 1
