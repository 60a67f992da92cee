"""Whoever is turned away is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from starlette.responses import PlainTextResponse

from proveout.faces.refusals import LONGEST, Refusals

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import Receive, Scope, Send


@pytest.mark.parametrize("status", [200, 303, 401, 403, 404, 429, 500])
async def test_whoever_is_turned_away_is_logged_and_counted(status: int) -> None:
    """With method and path, which cannot break a line of the log; nothing of a credential."""
    events: list[dict[str, Any]] = []
    registry = CollectorRegistry()

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("", status)(scope, receive, send)

    def keep(_: object, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        events.append(dict(event))
        raise structlog.DropEvent

    log: Any = structlog.wrap_logger(
        structlog.PrintLogger(), processors=[keep], wrapper_class=structlog.BoundLogger
    )
    app = Refusals(door, log, registry)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
    ) as client:
        await client.get(
            "/runs%0aforged/" + "x" * 1000 + "?key=secret",
            headers={"authorization": "Bearer pk_secret", "cookie": "proveout_session=secret"},
        )

    is_refused = status in {401, 403, 429}
    counted = f'proveout_refused_requests_total{{status="{status}"}} 1.0'
    assert (counted in generate_latest(registry).decode()) == is_refused
    assert len(events) == int(is_refused)
    for event in events:
        assert event["event"] == "request.refused"
        assert (event["status"], event["method"]) == (status, "GET")
        assert len(event["path"]) <= LONGEST
        assert "'" not in event["path"]
        assert "\n" not in event["path"]
        assert "secret" not in str(event)
