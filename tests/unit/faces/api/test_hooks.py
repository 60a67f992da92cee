"""Webhooks in: nothing is acknowledged before it is durable."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.doors import SECRET, VARIABLE, open_house, order, signed
from proveout.adapters.troubles import store_full
from proveout.domain.delivery import Scheme
from proveout.domain.run import RunState
from proveout.errors import Mistake
from proveout.faces.api.bodies import LARGEST

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import httpx

    from doubles.clock import CountedIds
    from doubles.doors import House
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


@pytest.fixture
async def shop(house: House) -> House:
    """Return a project in production."""
    await house.into_production()
    return house


class Full:
    """A store whose volume has no room left once `is_full`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_full = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, unit: Any) -> Any:
        """Write, while there is room."""
        if self.is_full:
            raise store_full()
        return await self._store.write(unit)


async def send(house: House, body: bytes, source: str = "shop", **headers: str) -> httpx.Response:
    """Send a body to a source, signed by Stripe's scheme."""
    now = house.doors.clock.now()
    async with house.client() as client:
        return await client.post(
            f"/hooks/{source}", content=body, headers={**signed(body, now), **headers}
        )


async def kept(house: House) -> int:
    """Return how many deliveries the store has."""
    return len(await house.store.deliveries())


async def test_a_delivery_makes_one_run_and_is_acknowledged(shop: House) -> None:
    """202 names the run, whose input is the part of the body that the settings name."""
    answer = await send(shop, order(7))

    words = answer.json()
    assert answer.status_code == 202, answer.text
    assert answer.headers["proveout-stage"] == "production"
    assert (words["event"], words["created"], words["kept_without_run"]) == ("evt_7", True, None)
    run = await shop.store.run(words["run"])
    assert run is not None
    assert (run.value, run.key) == (b"7", "shop:evt_7")


async def test_ten_at_once_of_the_same_event_make_one_run(shop: House) -> None:
    """Each is acknowledged with the same run; one of them made it."""
    answers = await asyncio.gather(*(send(shop, order(7)) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [202]
    assert len({answer.json()["run"] for answer in answers}) == 1
    assert await shop.store.count() == {RunState.QUEUED: 1}
    assert await kept(shop) == 1


async def test_ten_events_make_ten_runs(shop: House) -> None:
    """The negative control of the one before: they are told apart by their ids."""
    answers = await asyncio.gather(*(send(shop, order(n)) for n in range(10)))

    assert [answer.status_code for answer in answers] == [202] * 10
    assert await shop.store.count() == {RunState.QUEUED: 10}


@ONE_STORE
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (order(1, type_="order.seen"), "its type is not listed"),
        (order(1, live=False), "it comes from the sender's test mode"),
        (b'{"id": "evt_1", "type": "order.paid"}', "its body has no data.object"),
        (order(1, part="seven"), "its input does not fit"),
    ],
    ids=["type", "test mode", "no input", "wrong input"],
)
async def test_what_asks_for_no_run_is_kept_and_acknowledged(
    shop: House, body: bytes, why: str
) -> None:
    """Sending it again would change nothing, so the sender is told to stop; the log says why."""
    answer = await send(shop, body)

    assert answer.status_code == 200
    assert answer.json()["kept_without_run"].startswith(why)
    assert await kept(shop) == 1
    assert await shop.store.count() == {}
    (event,) = shop.events
    assert event["event"] == "hook.received"
    assert event["why"].startswith(why)


@ONE_STORE
@pytest.mark.parametrize(
    "headers",
    [
        {"stripe-signature": ""},
        {"stripe-signature": "t=1,v1=00"},
        {"stripe-signature": "nonsense"},
        {"stripe-signature": "t=99999999999999999999,v1=zz"},
    ],
)
async def test_a_bad_signature_is_a_problem_of_the_sender(
    shop: House, headers: dict[str, str]
) -> None:
    """400 with the reason; nothing is kept and nothing of the delivery is shown."""
    answer = await send(shop, order(7), **headers)

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad-delivery"
    assert await kept(shop) == 0


@ONE_STORE
async def test_an_old_delivery_is_turned_away(shop: House) -> None:
    """A recorded one cannot be sent again after five minutes."""
    body = order(7)
    headers = signed(body, shop.doors.clock.now() - timedelta(minutes=6))

    async with shop.client() as client:
        answer = await client.post("/hooks/shop", content=body, headers=headers)

    assert answer.status_code == 400
    assert await kept(shop) == 0


@ONE_STORE
async def test_a_changed_body_is_turned_away(shop: House) -> None:
    """The signature is over the bytes, not over what they mean."""
    body = order(7)
    headers = signed(body, shop.doors.clock.now())

    async with shop.client() as client:
        answer = await client.post("/hooks/shop", content=body + b" ", headers=headers)

    assert answer.status_code == 400


async def test_an_unknown_source_is_nowhere(shop: House) -> None:
    """404, whoever signed it."""
    answer = await send(shop, order(7), source="stranger")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_a_proof_of_concept_takes_no_webhooks(house: House) -> None:
    """403 says so; nothing is kept before the gate."""
    answer = await send(house, order(7))

    assert (answer.status_code, answer.json()["code"]) == (403, "not-in-production")
    assert answer.json()["stage"] == "proof-of-concept"
    assert await kept(house) == 0


@ONE_STORE
@pytest.mark.parametrize("secret", ["", "not a secret of stripe"])
async def test_a_source_without_a_usable_secret_is_an_outage(shop: House, secret: str) -> None:
    """503 names the variable, never the text in it; the sender will try again."""
    shop.environ[VARIABLE] = secret

    answer = await send(shop, order(7))

    assert (answer.status_code, answer.json()["code"]) == (503, "source-not-ready")
    assert VARIABLE in answer.text
    assert "not a secret" not in answer.text
    assert answer.headers["retry-after"]


@ONE_STORE
async def test_both_secrets_count_while_one_is_replaced(shop: House) -> None:
    """Deliveries signed by either are taken; a third secret's are not."""
    old, third = (f"whsec_{letter * 44}" for letter in "oz")
    shop.environ[f"{VARIABLE}_OLD"] = old

    async def status(secret: str, event: str) -> int:
        body = b'{"n": 7}'
        now = shop.doors.clock.now()
        headers = signed(body, now, scheme=Scheme.STANDARD, secret=secret, event=event)
        async with shop.client() as client:
            return (await client.post("/hooks/bare", content=body, headers=headers)).status_code

    assert [await status(SECRET, "e1"), await status(old, "e2")] == [200, 200]
    assert await status(third, "e3") == 400


@ONE_STORE
async def test_a_handshake_is_answered_with_its_challenge(shop: House) -> None:
    """Slack asks once whether the address is ours; nothing is kept, and a stranger gets nothing."""
    body = b'{"type": "url_verification", "challenge": "3eZbrw1a"}'
    now = shop.doors.clock.now()

    async with shop.client() as client:
        good = await client.post(
            "/hooks/chat", content=body, headers=signed(body, now, scheme=Scheme.SLACK)
        )
        bad = await client.post("/hooks/chat", content=body)

    assert (good.status_code, good.json()) == (200, {"challenge": "3eZbrw1a"})
    assert (bad.status_code, "3eZbrw1a" in bad.text) == (400, False)
    assert await kept(shop) == 0


@ONE_STORE
async def test_a_body_over_the_limit_is_not_read(shop: House) -> None:
    """413 for one that says so, and for one that does not say how long it is."""
    body = b"x" * (LARGEST + 1)

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(1 << 20):
            read.append(1)
            yield b"x" * 65_536

    read: list[int] = []
    async with shop.client() as client:
        said = await client.post("/hooks/shop", content=body)
        unsaid = await client.post("/hooks/shop", content=pieces())

    assert [said.status_code, unsaid.status_code] == [413, 413]
    assert len(read) < 1000


async def test_the_headers_of_others_secrets_are_not_kept(shop: House) -> None:
    """What the sender's proxy needed to get here is nobody's business."""
    await send(shop, order(7), authorization="Basic c2VjcmV0", cookie="a=b")

    delivery = await shop.store.delivery("shop", "evt_7")
    assert delivery is not None
    names = {name for name, _ in delivery.headers}
    assert "stripe-signature" in names
    assert not {"authorization", "cookie"} & names


async def test_a_full_store_acknowledges_nothing(
    tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """503 with the time after which to try again."""
    full = Full(store)
    shop = open_house(tmp_path, full, clock, ids)
    await shop.into_production()
    full.is_full = True

    answer = await send(shop, order(7))

    assert (answer.status_code, answer.json()["code"]) == (503, "store-full")
    assert int(answer.headers["retry-after"]) > 0
    assert await kept(shop) == 0


@ONE_STORE
async def test_a_workflow_that_cannot_be_imported_acknowledges_nothing(
    tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """It is not the sender's fault, so it shall send again."""

    def broken(name: str, value: bytes) -> bytes:  # noqa: ARG001 - as `Accept` says
        raise Mistake("app.py cannot be imported")

    shop = open_house(tmp_path, store, clock, ids, accept=broken)
    await shop.into_production()

    answer = await send(shop, order(7))

    assert (answer.status_code, answer.json()["code"]) == (503, "source-not-ready")
    assert await kept(shop) == 0
