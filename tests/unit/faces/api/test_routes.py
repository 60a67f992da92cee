"""Every path, with the right that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from doubles.doors import OWNER
from proveout.domain.access import Right, Role
from proveout.faces.api.app import api
from proveout.faces.api.routes import ROUTES, Open, Route, Undeclared, add_routes
from proveout.faces.api.shapes import HealthShape

if TYPE_CHECKING:
    from doubles.doors import House
ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


GUARDED = [route for route in ROUTES if isinstance(route.right, Right)]


def name(route: Route) -> str:
    """Return what a route is called in a report."""
    return f"{route.method} {route.path}"


@ONE_STORE
async def test_a_session_opens_no_path_of_the_api(house: House) -> None:
    """A cookie travels with forged requests as well; a key does not."""
    user = await house.access.add_user(OWNER, "ben", Role.OWNER, "four words quite unrelated")
    begun = await house.sessions.sign_in(user.name, "four words quite unrelated", "127.0.0.1")

    async with house.client(cookie=f"proveout_session={begun.secret}") as client:
        answer = await client.get("/api/v1/runs")

    assert answer.status_code == 401


def test_the_paths_without_a_right_are_these() -> None:
    """A new public path is a decision that shows here."""
    found = {name(route): route.right for route in ROUTES if isinstance(route.right, Open)}

    assert found == {
        "GET /api/v1/openapi.json": Open.PUBLIC,
        "POST /hooks/{source}": Open.SIGNED,
        "GET /healthz": Open.PUBLIC,
        "GET /readyz": Open.PUBLIC,
        "GET /metrics": Open.LOCAL,
    }


@ONE_STORE
async def test_the_app_has_no_path_beside_the_table(house: House) -> None:
    """What serves is what is declared."""
    declared = {(route.method, route.path) for route in ROUTES}

    serving = {
        (method, getattr(one, "path", ""))
        for one in api(house.doors).routes
        for method in getattr(one, "methods", {""})
    }

    assert serving == declared


def test_a_path_that_nobody_declared_stops_the_app() -> None:
    """The negative control: a path that was added beside the table does not start."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    async def bare() -> dict[str, str]:
        return {}

    app.add_api_route("/bare", bare)

    with pytest.raises(Undeclared, match="/bare declares no right"):
        add_routes(app)


def test_a_route_cannot_be_made_without_a_right() -> None:
    """The table itself has no room for a forgotten right."""
    left_out: dict[str, Any] = {
        "method": "GET",
        "path": "/bare",
        "handler": bool,
        "answers": {200: HealthShape},
    }

    with pytest.raises(TypeError, match="right"):
        Route(**left_out)


@ONE_STORE
async def test_the_description_names_every_path_and_its_right(house: House) -> None:
    """OpenAPI 3.1, without a key, with nothing from outside."""
    async with house.client() as client:
        answer = await client.get("/api/v1/openapi.json")

    described = answer.json()
    assert described["openapi"].startswith("3.1")
    rights = {
        f"{method.upper()} {path}": operation["x-right"]
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }
    assert rights == {name(route): str(route.right) for route in ROUTES}
    keyed = [op for ops in described["paths"].values() for op in ops.values() if "security" in op]
    assert len(keyed) == len(GUARDED)


@ONE_STORE
@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/api/v1", "/api/v1/runs/", "/hooks"])
async def test_what_is_not_in_the_table_does_not_exist(house: House, path: str) -> None:
    """An unknown path is a problem like any other, without a redirect."""
    async with house.client() as client:
        answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "no-such-path"


@ONE_STORE
async def test_another_method_is_told_which_there_are(house: House) -> None:
    """405 with `Allow`, as a problem."""
    async with house.client() as client:
        answer = await client.delete("/api/v1/runs")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["code"] == "wrong-method"
