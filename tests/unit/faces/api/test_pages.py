"""Lists in pages, single things with their ETags, and how often a key may ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.doors import OWNER
from doubles.given import Given, locked
from proveout.domain.access import Role
from proveout.domain.record import Kind
from proveout.domain.unit import Keep, Put, UnitId
from proveout.faces.api.app import api
from proveout.faces.api.routes import ROUTES, V1
from proveout.faces.settings_access import AccessSettings
from proveout.faces.units import rate

if TYPE_CHECKING:
    import httpx

    from doubles.clock import CountedIds
    from doubles.doors import House
    from doubles.postgres import WatchedClock

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""

LISTS = ("runs", "reviews", "releases", "experiments", "ledger", "evidence")
"""Every list of the API; the journal of a run is one thing."""


@pytest.fixture
async def full(house: House, clock: WatchedClock, ids: CountedIds) -> House:
    """Return a house with three of everything that needs no release."""
    given = Given(house.store, clock, ids)
    for number in range(3):
        await given.queued(workflow="answers")
        await given.waiting()
        await house.store.lock(locked(id=f"e{number}", workflow="answers", lock=f"{number}" * 64))
        keep = Keep(kind=Kind.EVIDENCE, name=f"{number}" * 64, body=b'{"claim": "halt"}')
        await house.store.write(Put(id=UnitId(ids.new()), keeps=(keep,)))
        await house.access.create_key(OWNER, f"k{number}", Role.VIEWER)
    return house


async def whole(client: httpx.AsyncClient, name: str) -> list[list[Any]]:
    """Return every page of a list, two entries each."""
    pages: list[list[Any]] = []
    cursor = ""
    while True:
        page = (await client.get(f"{V1}/{name}?limit=2{cursor}")).json()
        pages.append(page["entries" if name == "ledger" else name])
        if page["next"] is None:
            return pages
        cursor = f"&cursor={page['next']}"


async def test_every_list_goes_on_where_it_ended(full: House) -> None:
    """None twice, none left out, whatever the list is ordered by."""
    async with await full.as_(Role.VIEWER) as client:
        pages = {name: await whole(client, name) for name in LISTS}

    for name, found in pages.items():
        entries = [str(one) for page in found for one in page]
        assert len(set(entries)) == len(entries), name
        assert all(len(page) <= 2 for page in found), name
        if name not in {"releases", "runs"}:
            assert len(entries) >= 3, name


@ONE_STORE
@pytest.mark.parametrize("name", LISTS)
async def test_an_invented_cursor_is_told(house: House, name: str) -> None:
    """Nothing is guessed from it."""
    async with await house.as_(Role.VIEWER) as client:
        answer = await client.get(f"{V1}/{name}?cursor=%00'--")

    assert answer.status_code in {404, 422}


@ONE_STORE
async def test_every_single_thing_has_its_tag(full: House) -> None:
    """Asked for again with it, the answer is 304 without a body."""
    store = full.store
    [review, *_] = await store.reviews()
    ids = {"name": "answers", "run": review.run, "review": review.id, "seq": "1"}
    ids |= {"digest": "0" * 64, "experiment": "e0"}
    single = [
        one.path.format(**ids)
        for one in ROUTES
        if "If-None-Match" in one.headers and "{release}" not in one.path
    ]

    async with await full.as_(Role.VIEWER) as client:
        for path in single:
            first = await client.get(path)
            again = await client.get(path, headers={"if-none-match": first.headers["etag"]})
            other = await client.get(path, headers={"if-none-match": '"0"'})
            assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
            assert again.content == b""
    assert len(single) >= 7


def test_every_path_to_one_thing_declares_its_tag() -> None:
    """A single thing is a path that ends in a blank, or a part of a run."""
    bare = [
        one.path
        for one in ROUTES
        if one.method == "GET" and one.path.endswith("}") and "If-None-Match" not in one.headers
    ]

    assert bare == []


@ONE_STORE
async def test_a_key_is_told_how_often_it_may_still_ask(house: House, clock: WatchedClock) -> None:
    """Past its rate it is refused with 429 until the window ends; other keys are not."""
    access = AccessSettings(requests=rate("3 per minute"))
    doors = replace(house.doors, settings=replace(house.doors.settings, access=access))
    house.app = api(doors)

    async with await house.as_(Role.VIEWER) as client:
        answers = [await client.get(f"{V1}/runs") for _ in range(4)]
        async with await house.as_(Role.OPERATOR) as other:
            theirs = await other.get(f"{V1}/runs")
        clock.advance(timedelta(minutes=1))
        later = await client.get(f"{V1}/runs")

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert [one.headers["ratelimit"] for one in answers] == [
        f'"key";r={left};t=60' for left in (2, 1, 0, 0)
    ]
    assert {one.headers["ratelimit-policy"] for one in answers} == {'"key";q=3;w=60'}
    assert answers[3].headers["retry-after"] == "60"
    assert answers[3].json()["code"] == "too-many-requests"
    assert (theirs.status_code, later.status_code) == (200, 200)


@ONE_STORE
async def test_who_shows_no_key_is_told_no_rate(house: House) -> None:
    """Rates are of keys; a stranger learns nothing about them."""
    async with house.client() as client:
        answer = await client.get(f"{V1}/runs")

    assert answer.status_code == 401
    assert "ratelimit" not in answer.headers
