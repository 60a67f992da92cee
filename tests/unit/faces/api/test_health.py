"""Health and figures: what the machines that watch us read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from doubles.doors import open_house, order, signed
from doubles.readiness import evidence
from proveout.adapters.keyfile import KeyFile
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.access import Role
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind
from proveout.domain.unit import Keep
from proveout.faces.api.app import api
from proveout.prove.lock import digest
from proveout.ready.envelope import seal
from proveout.release.decide import amend

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from doubles.clock import CountedIds
    from doubles.doors import House
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


class Away:
    """A store that cannot be reached."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: object) -> None:
            raise self._error

        return fail


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), ValueError("a bug of ours")])
async def test_without_a_store_the_server_lives_and_is_not_ready(
    tmp_path: Path, clock: WatchedClock, ids: CountedIds, error: Exception
) -> None:
    """Restarting it would not help, and sending it requests would not either."""
    house = open_house(tmp_path, Away(error), clock, ids)

    async with house.client() as client:
        lives = await client.get("/healthz")
        ready = await client.get("/readyz")

    assert lives.status_code == 200
    assert (ready.status_code, ready.json()["code"]) == (503, "not-ready")
    assert ready.headers["retry-after"]


async def test_with_a_store_it_is_ready(house: House) -> None:
    """The negative control."""
    async with house.client() as client:
        answer = await client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@ONE_STORE
async def test_a_server_that_drains_gets_nothing_new(house: House) -> None:
    """It lives, and says that it is not ready."""
    house.app = api(replace(house.doors, is_draining=lambda: True))

    async with house.client() as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503


async def test_an_error_of_ours_shows_nothing_of_itself(
    tmp_path: Path, clock: WatchedClock, ids: CountedIds
) -> None:
    """500 as a problem; the log says where it happened, and not what somebody wrote."""
    house = open_house(tmp_path, Away(ValueError("what a customer wrote")), clock, ids)

    async with house.client(authorization="Bearer pk_x") as client:
        answer = await client.get("/api/v1/runs")

    assert (answer.status_code, answer.json()["code"]) == (500, "bug")
    (event,) = house.events
    assert event["event"] == "request.failed"
    assert "test_health.py" in event["where"]
    assert "customer" not in f"{answer.text}{event}"


@ONE_STORE
async def test_every_answer_is_safe_to_show(house: House) -> None:
    """No guessing of types, nothing framed, nothing kept by caches."""
    async with await house.as_(Role.VIEWER) as client:
        answers = [await client.get(path) for path in ("/healthz", "/api/v1/runs", "/nowhere")]

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


async def figures(house: House) -> dict[tuple[str, str], float]:
    """Return the figures by name and label, as Prometheus reads them."""
    async with house.client() as client:
        text = (await client.get("/metrics")).text
    return {
        (
            sample.name,
            "/".join(sample.labels[key] for key in sorted(sample.labels, reverse=True)),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_figures_are_those_of_the_store(
    house: House, clock: WatchedClock, store: Store
) -> None:
    """Runs by state, the age of the queue, deliveries by what became of them."""
    await house.into_production()
    body = order(7)
    async with house.client() as client:
        for _ in range(2):
            await client.post("/hooks/shop", content=body, headers=signed(body, clock.now()))
        await client.post("/hooks/shop", content=body, headers={"stripe-signature": "no"})
    clock.advance(timedelta(seconds=90))

    found = await figures(house)

    assert found["proveout_runs", "QUEUED"] == 1
    assert found["proveout_runs", "DEAD"] == found["proveout_dead_letters", ""] == 0
    assert found["proveout_queue_oldest_seconds", ""] == 90
    assert found["proveout_reviews_open", ""] == 0
    assert found["proveout_stage", "production"] == 1
    assert found["proveout_deliveries_total", "shop/run"] == 1
    assert found["proveout_deliveries_total", "shop/known"] == 1
    assert found["proveout_deliveries_total", "shop/refused"] == 1
    assert all(name.startswith("proveout_") for name, _ in found)
    assert await store.count() == {"QUEUED": 1}


@ONE_STORE
async def test_evidence_has_an_age_for_each_claim(
    house: House, clock: WatchedClock, tmp_path: Path
) -> None:
    """Of its newest; what another key has signed is no evidence."""
    office, now = house.office, clock.now()
    proofs = [
        seal(evidence(claim, ended=now - age), signer)
        for claim, age, signer in (
            ("halt", timedelta(days=2), office.signer),
            ("halt", timedelta(days=1), office.signer),
            ("poison", timedelta(days=3), office.signer),
            ("poison", timedelta(hours=1), KeyFile(tmp_path / "another")),
        )
    ]
    deed = Deed(actor="ana", act="drill", subject="halt", facts={})
    keeps = (Keep(kind=Kind.EVIDENCE, name=digest(one), body=one) for one in proofs)
    await amend(office, deed, tuple(keeps))

    found = await figures(house)

    ages = {label: age for (name, label), age in found.items() if "evidence_age" in name}
    assert ages == {"halt": 86_400, "poison": 3 * 86_400}


@ONE_STORE
async def test_the_claims_are_figures_where_somebody_counts_them(house: House) -> None:
    """By status."""

    async def claims() -> dict[str, int]:
        return {"proven": 3, "missing": 2}

    assert not [name for name, _ in await figures(house) if name == "proveout_claims"]
    house.app = api(replace(house.doors, claims=claims))
    found = await figures(house)

    assert found["proveout_claims", "proven"] == 3


@ONE_STORE
async def test_figures_need_a_key_for_who_is_not_on_this_machine(house: House) -> None:
    """Where the server listens to others, or a proxy passed the request on."""
    passed_on = {"x-forwarded-for": "192.0.2.1"}
    async with house.client() as client:
        near = await client.get("/metrics")
        far = await client.get("/metrics", headers=passed_on)
    async with await house.as_(Role.VIEWER) as client:
        keyed = await client.get("/metrics", headers=passed_on)
    house.app = api(replace(house.doors, is_loopback=False))
    async with house.client() as client:
        open_ = await client.get("/metrics")

    assert [near.status_code, keyed.status_code] == [200, 200]
    assert [far.status_code, open_.status_code] == [401, 401]
