"""Alerts over HTTP: shown, taken and silenced by those who may."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from doubles.given import Given
from doubles.watching import Watched
from proveout.domain.access import Role
from proveout.domain.criterion import Baseline, Worth
from proveout.domain.money import Usd
from proveout.domain.run import RunState
from proveout.faces.api.metrics import watched
from proveout.faces.api.shapes import AcknowledgementShape, AlertsShape, SilenceShape
from proveout.watch.measure import Gauges, Rules
from proveout.watch.worth import LEAST_REVIEWED

if TYPE_CHECKING:
    import httpx

    from doubles.clock import CountedIds
    from doubles.doors import House
    from doubles.postgres import WatchedClock
    from proveout.domain.alert import Alert

pytestmark = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)


@pytest.fixture
async def alert(house: House, clock: WatchedClock, ids: CountedIds) -> Alert:
    """Return an alert of the house's workflow, of which the first tier was told."""
    watched = await Watched(Given(house.store, clock, ids)).promoted()
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(2)
    [alert] = await watched.alerts()
    return alert


@pytest.fixture(autouse=True)
def watches_triage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the project's workflow be the one whose runs the tests make."""
    monkeypatch.setattr("doubles.doors.SETTINGS", SETTINGS)


SETTINGS = """
[workflow]
name = "triage"
entry = "app:answer"

[production]
objective = { success = 0.99, within = "60 s" }
"""


async def ask(house: House, method: str, path: str, body: Any = None, **who: Any) -> httpx.Response:
    async with await house.as_(who.get("role", Role.OPERATOR)) as client:
        return await client.request(method, f"/api/v1/{path}", json=body)


async def test_what_is_wrong_is_listed_with_who_was_told(house: House, alert: Alert) -> None:
    """In the shape that the description promises."""
    found = await ask(house, "GET", "alerts", role=Role.VIEWER)

    TypeAdapter(AlertsShape).validate_python(found.json(), extra="forbid")
    [one] = found.json()["alerts"]
    assert (one["id"], one["rule"], one["state"]) == (alert.id, "failures", "open")
    assert [told["to"] for told in one["told"]] == ["ana"]


async def test_an_operator_takes_it_and_the_next_look_knows(house: House, alert: Alert) -> None:
    """It is shown as taken at once."""
    taken = await ask(house, "POST", f"alerts/{alert.id}/acknowledgement", {"for": "2 h"})
    [one] = (await ask(house, "GET", "alerts")).json()["alerts"]

    TypeAdapter(AcknowledgementShape).validate_python(taken.json(), extra="forbid")
    assert one["state"] == "acknowledged"
    assert one["acknowledged"]["by"] == taken.json()["by"]


async def test_who_may_only_look_takes_nothing(house: House, alert: Alert) -> None:
    """Nor silences anything."""
    path = f"alerts/{alert.id}/acknowledgement"
    body = {"rule": None, "reason": "why", "for": "1 h"}

    answers = [
        await ask(house, "POST", where, what, role=role)
        for where, what in ((path, {}), ("silences", body))
        for role in (Role.VIEWER, Role.REVIEWER)
    ]

    assert [one.status_code for one in answers] == [403] * 4


async def test_a_silence_is_made_and_ended(house: House, alert: Alert) -> None:
    """It stands beside the alerts with its author and its end."""
    body = {"rule": "failures", "reason": "we are moving", "for": "2 h"}
    made = await ask(house, "POST", "silences", body)
    during = (await ask(house, "GET", "alerts")).json()
    ended = await ask(house, "POST", f"silences/{made.json()['id']}/end")
    after = (await ask(house, "GET", "alerts")).json()

    TypeAdapter(SilenceShape).validate_python(made.json(), extra="forbid")
    assert (made.status_code, ended.status_code) == (201, 200)
    assert during["silences"][0]["reason"] == "we are moving"
    assert during["alerts"][0]["silenced"] == made.json()["id"]
    assert during["alerts"][0]["id"] == alert.id
    assert after["silences"] == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("alerts/nobody/acknowledgement", {}, 404),
        ("alerts/nobody/acknowledgement", {"for": "soon"}, 422),
        ("alerts/nobody/acknowledgement", {"for": "0 s"}, 422),
        ("alerts/nobody/acknowledgement", {"by": "eve"}, 422),
        ("alerts/nobody/acknowledgement", [], 422),
        ("silences", {"rule": None, "reason": "", "for": "1 h"}, 422),
        ("silences", {"rule": None, "reason": "why"}, 422),
        ("silences", {"rule": "no-such", "reason": "why", "for": "1 h"}, 422),
        ("silences", {"rule": None, "reason": "why", "for": "31 days"}, 422),
        ("silences", {"rule": None, "reason": "a\u0000b", "for": "1 h"}, 422),
        ("silences/nobody/end", None, 404),
    ],
)
async def test_what_cannot_be_is_refused(house: House, path: str, body: Any, status: int) -> None:
    """With a reason, and never with a 5xx."""
    answer = await ask(house, "POST", path, body)

    assert answer.status_code == status, answer.text
    assert answer.json()["code"]


async def test_the_figures_tell_how_fast_a_budget_is_used(
    house: House, alert: Alert, clock: WatchedClock
) -> None:
    """By objective and window; and which alerts are not over."""
    clock.advance(timedelta(seconds=10))
    async with await house.as_(Role.VIEWER) as client:
        text = (await client.get("/metrics")).text

    assert 'proveout_slo_burn{objective="runs",window="1 h"} 99.99999999999991' in text
    assert f'proveout_alerts{{rule="{alert.rule}",severity="page",state="open"}} 1.0' in text


async def test_the_figures_tell_what_a_live_run_is_worth(
    house: House, clock: WatchedClock, ids: CountedIds
) -> None:
    """Once people have decided enough drafts; here all are right, and $1.90 a run are saved."""
    watch = await Watched(Given(house.store, clock, ids)).promoted()
    worth = Worth(
        value_per_success=Usd("1.20"),
        loss_per_error=Usd(6),
        worst=Usd(-10),
        best=Usd(10),
        baseline=Baseline(minutes=3, person_hour=Usd(38)),
    )
    rules = Rules(workflow="triage", worth=worth)
    few = await watched(house.doors, Gauges(house.store, rules))
    for _ in range(LEAST_REVIEWED):
        await watch.answered(await watch.asks())
    found = await watched(house.doors, Gauges(house.store, rules))

    name = "proveout_worth_dollars"
    assert name not in {one.name for one in few}
    assert [one.samples[0].value for one in found if one.name == name] == [pytest.approx(3.1)]
