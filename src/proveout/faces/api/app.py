"""The HTTP doors of a project, joined into one application."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from proveout.faces.api.metrics import Counted, Deliveries
from proveout.faces.api.problems import LastDoor, add_handlers
from proveout.faces.api.rates import Rates
from proveout.faces.api.routes import ROUTES, add_routes
from proveout.faces.api.shapes import ProblemShape
from proveout.faces.api.together import Together
from proveout.faces.watching import rules_of
from proveout.watch.measure import Gauges

if TYPE_CHECKING:
    from proveout.faces.api.doors import Doors
    from proveout.faces.api.routes import Route


def api(doors: Doors, routes: tuple[Route, ...] = ROUTES) -> FastAPI:
    """Return the application that serves the API, the hooks, health and figures of a project.

    It opens nothing and closes nothing: whoever made the parts in `doors` closes them.
    """
    # No pages of documentation: they would load scripts from outside.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.doors = doors
    app.state.deliveries = Deliveries()
    app.state.gauges = Gauges(doors.store, rules_of(doors.settings))
    app.state.counted = Counted(doors.store, doors.clock)
    app.state.rates = Rates(doors.clock, doors.settings.access.requests)
    app.state.pointer = Together(lambda: doors.store.pointer(doors.settings.workflow.name))
    app.add_middleware(LastDoor, log=doors.log)
    add_handlers(app)
    add_routes(app, routes)
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not described:
            described.update(_described(app))
        return described

    app.openapi = openapi
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the description of `app` as OpenAPI 3.1."""
    found = get_openapi(
        title="Proveout",
        version=version("proveout"),
        summary="One AI workflow, from proof of concept to production.",
        routes=app.routes,
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    # The framework describes an answer of its own, which ours take the place of.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operation in (one for path in found["paths"].values() for one in path.values()):
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
    schemas["Problem"] = TypeAdapter(ProblemShape).json_schema()
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return found
