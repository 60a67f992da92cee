"""Every path, with the right that it needs. What is not in this table does not exist."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi import Depends
from starlette.requests import Request  # noqa: TC002 - the framework reads the annotations
from starlette.routing import Route as BareRoute

from proveout.domain.access import Right
from proveout.errors import Mistake
from proveout.faces.api import (
    alerts,
    experiments,
    health,
    hooks,
    metrics,
    reviews,
    runs,
    shapes,
    standing,
)
from proveout.faces.api.call import answer, needs

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.params import Depends as Dependency
    from starlette.responses import Response

Handler: TypeAlias = Callable[..., Awaitable["Response"]]

V1 = "/api/v1"


class Open(StrEnum):
    """Why a path needs no right."""

    PUBLIC = "public"
    SIGNED = "signed"
    LOCAL = "local"


class Undeclared(Mistake):
    """A path was added without the right that it needs."""

    code = "undeclared-route"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path.

    Attributes:
        right: what who asks must have. `Open.PUBLIC` for nothing; `Open.SIGNED` where the
            sender's signature is checked instead, `Open.LOCAL` where a key is needed
            unless the server listens on this machine alone.
        answers: shape of the body by status.
        body: JSON Schema of what the path takes; None where it takes nothing.
        headers: request headers that it reads, with what they mean.
    """

    method: str
    path: str
    right: Right | Open
    handler: Handler
    answers: Mapping[int, type[Any]]
    problems: tuple[int, ...] = ()
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


async def description(request: Request) -> Response:
    """Describe the API as OpenAPI 3.1."""
    return answer(request.app.openapi())


def _description() -> type[Any]:
    return dict[str, Any]


ANY: Mapping[str, Any] = MappingProxyType({})

WRITTEN: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "Idempotency-Key": {"minLength": 1, "maxLength": runs.LONGEST_KEY, "pattern": "^[ -~]+$"},
    }
)
"""How the value of a header is written, where not everything will do."""

TAGGED: Mapping[str, str] = MappingProxyType(
    {"If-None-Match": "An ETag; 304 where nothing has changed since."}
)


def _one(path: str, handler: Handler, shape: type[Any]) -> Route:
    """Return the route that shows a single thing, with its ETag."""
    return Route(
        method="GET",
        path=f"{V1}/{path}",
        right=Right.READ,
        handler=handler,
        answers={200: shape},
        problems=(404,),
        headers=TAGGED,
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path=f"{V1}/workflows/{{name}}/runs",
        right=Right.ENQUEUE,
        handler=runs.create,
        answers={202: shapes.RunShape, 200: shapes.RunShape},
        problems=(400, 404, 408, 409, 413, 415, 422, 429),
        body=ANY,
        headers={
            "Idempotency-Key": "Your own name for the request; the same gives the same run.",
            "Prefer": "wait=N answers when the run has ended, after N seconds (60) at the latest.",
        },
    ),
    Route(
        method="GET",
        path=f"{V1}/workflows/{{name}}",
        right=Right.READ,
        handler=standing.workflow,
        answers={200: shapes.WorkflowShape},
        problems=(404,),
        headers=TAGGED,
    ),
    Route(
        method="GET",
        path=f"{V1}/runs",
        right=Right.READ,
        handler=runs.listed,
        answers={200: shapes.RunsShape},
        problems=(404, 422),
    ),
    Route(
        method="GET",
        path=f"{V1}/runs/{{run}}",
        right=Right.READ,
        handler=runs.shown,
        answers={200: shapes.RunShape},
        problems=(404,),
        headers=TAGGED,
    ),
    Route(
        method="GET",
        path=f"{V1}/runs/{{run}}/journal",
        right=Right.READ,
        handler=runs.journal,
        answers={200: shapes.JournalShape},
        problems=(404,),
        headers=TAGGED,
    ),
    Route(
        method="POST",
        path=f"{V1}/runs/{{run}}/cancel",
        right=Right.OPERATE,
        handler=runs.cancel,
        answers={200: shapes.RunShape},
        problems=(404, 409),
    ),
    Route(
        method="POST",
        path=f"{V1}/runs/{{run}}/replay",
        right=Right.OPERATE,
        handler=runs.replay,
        answers={202: shapes.RunShape, 200: shapes.RunShape},
        problems=(400, 404, 408, 409, 413, 415, 422),
        body=runs.ReplayBody.model_json_schema(),
    ),
    Route(
        method="POST",
        path=f"{V1}/runs/{{run}}/signals/{{name}}",
        right=Right.OPERATE,
        handler=runs.signal,
        answers={202: shapes.SignalShape},
        problems=(400, 404, 408, 409, 413, 415, 422),
        body=ANY,
        headers={"Idempotency-Key": "Your own name for the signal; the same is sent once."},
    ),
    Route(
        method="GET",
        path=f"{V1}/reviews",
        right=Right.READ,
        handler=reviews.listed,
        answers={200: shapes.ReviewsShape},
        problems=(404, 422),
    ),
    Route(
        method="GET",
        path=f"{V1}/reviews/{{review}}",
        right=Right.READ,
        handler=reviews.shown,
        answers={200: shapes.ReviewShape},
        problems=(404,),
        headers=TAGGED,
    ),
    Route(
        method="POST",
        path=f"{V1}/reviews/{{review}}/decision",
        right=Right.REVIEW,
        handler=reviews.decide,
        answers={200: shapes.ReviewShape},
        problems=(400, 404, 408, 409, 413, 415, 422),
        body=reviews.DecisionBody.model_json_schema(),
    ),
    *(
        Route(
            method="POST",
            path=f"{V1}/reviews/{{review}}/{handler.__name__}",
            right=Right.REVIEW,
            handler=handler,
            answers={200: shapes.ReviewShape},
            problems=(400, 404, 408, 409, 413, 415, 422),
            body=None if body is None else body.model_json_schema(),
        )
        for handler, body in (
            (reviews.claim, None),
            (reviews.release, None),
            (reviews.undo, None),
            (reviews.snooze, reviews.SnoozeBody),
            (reviews.assign, reviews.AssignBody),
            (reviews.edit, reviews.EditBody),
            (reviews.escalate, reviews.EscalateBody),
        )
    ),
    Route(
        method="GET",
        path=f"{V1}/alerts",
        right=Right.READ,
        handler=alerts.listed,
        answers={200: shapes.AlertsShape},
        problems=(422,),
    ),
    Route(
        method="POST",
        path=f"{V1}/alerts/{{alert}}/acknowledgement",
        right=Right.OPERATE,
        handler=alerts.acknowledged,
        answers={200: shapes.AcknowledgementShape},
        problems=(400, 404, 408, 409, 413, 415, 422),
        body=alerts.AcknowledgeBody.model_json_schema(),
    ),
    Route(
        method="POST",
        path=f"{V1}/silences",
        right=Right.OPERATE,
        handler=alerts.silenced,
        answers={201: shapes.SilenceShape},
        problems=(400, 408, 413, 415, 422),
        body=alerts.SilenceBody.model_json_schema(),
    ),
    Route(
        method="POST",
        path=f"{V1}/silences/{{silence}}/end",
        right=Right.OPERATE,
        handler=alerts.unsilenced,
        answers={200: shapes.SilenceShape},
        problems=(404,),
    ),
    Route(
        method="GET",
        path=f"{V1}/releases",
        right=Right.READ,
        handler=standing.releases,
        answers={200: shapes.ReleasesShape},
        problems=(404, 422),
    ),
    _one("releases/{release}", standing.release, shapes.OneReleaseShape),
    Route(
        method="GET",
        path=f"{V1}/experiments",
        right=Right.READ,
        handler=experiments.listed,
        answers={200: shapes.ExperimentsShape},
        problems=(404, 422),
    ),
    _one("experiments/{experiment}", experiments.shown, shapes.ExperimentShape),
    Route(
        method="GET",
        path=f"{V1}/ledger",
        right=Right.READ,
        handler=standing.ledger,
        answers={200: shapes.LedgerShape},
        problems=(422,),
    ),
    _one("ledger/{seq}", standing.ledger_entry, shapes.OneEntryShape),
    Route(
        method="GET",
        path=f"{V1}/evidence",
        right=Right.READ,
        handler=standing.evidence,
        answers={200: shapes.EvidenceShape},
        problems=(404, 422),
    ),
    _one("evidence/{digest}", standing.one_evidence, shapes.ProofShape),
    Route(
        method="GET",
        path=f"{V1}/openapi.json",
        right=Open.PUBLIC,
        handler=description,
        answers={200: _description()},
    ),
    Route(
        method="POST",
        path="/hooks/{source}",
        right=Open.SIGNED,
        handler=hooks.take,
        answers={202: shapes.DeliveryShape, 200: shapes.DeliveryShape},
        problems=(400, 403, 404, 408, 413, 429),
        body=ANY,
    ),
    Route(
        method="GET",
        path="/healthz",
        right=Open.PUBLIC,
        handler=health.lives,
        answers={200: shapes.HealthShape},
    ),
    Route(
        method="GET",
        path="/readyz",
        right=Open.PUBLIC,
        handler=health.ready,
        answers={200: shapes.HealthShape},
    ),
    Route(
        method="GET",
        path="/metrics",
        right=Open.LOCAL,
        handler=metrics.metrics,
        answers={},
    ),
)


def add_routes(app: FastAPI, routes: tuple[Route, ...] = ROUTES) -> None:
    """Give `app` these routes and no other, each behind its right.

    Raises:
        Undeclared: the app has a route that none of them declares.
    """
    for route in routes:
        _add(app, route)
    declared = {(route.method, route.path) for route in routes}
    for one in app.routes:
        path = getattr(one, "path", "")
        methods: set[str] = getattr(one, "methods", None) or {""}
        if unknown := {(method, path) for method in methods} - declared:
            method, path = min(unknown)
            raise Undeclared(f"{method} {path} declares no right", fix=("add it to ROUTES",))


def _add(app: FastAPI, route: Route) -> None:
    if route.right is Open.SIGNED:
        # Its handler reads the raw request itself. What the framework does for others would be
        # a fourth of a webhook's time, so it comes first; the route below only describes it.
        first = BareRoute(
            route.path, route.handler, methods=[route.method], include_in_schema=False
        )
        app.router.routes.insert(0, first)
    behind: list[Dependency] = (
        [Depends(needs(route.right))] if isinstance(route.right, Right) else []
    )
    app.add_api_route(
        route.path,
        route.handler,
        methods=[route.method],
        name=f"{route.handler.__module__.rpartition('.')[2]}.{route.handler.__name__}",
        summary=(route.handler.__doc__ or "").partition("\n")[0].rstrip("."),
        dependencies=behind,
        response_model=None,
        responses=_responses(route),
        status_code=next(iter(route.answers), 200),
        openapi_extra=_extra(route),
    )


def _responses(route: Route) -> dict[int | str, dict[str, Any]]:
    found: dict[int | str, dict[str, Any]] = {
        status: {"model": shape} for status, shape in route.answers.items()
    }
    if "If-None-Match" in route.headers:
        found[304] = {"description": "Nothing has changed."}
    keyed = (401, 403, 429) if isinstance(route.right, Right) else ()
    if route.right is Open.LOCAL:
        keyed = (401, 403)
        found[200] = {"content": {"text/plain": {"schema": {"type": "string"}}}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted({*route.problems, *keyed, 503}):
        found[status] = {"description": "A problem.", "content": problem}
    return found


def _extra(route: Route) -> dict[str, Any]:
    extra: dict[str, Any] = {"x-right": str(route.right)}
    if isinstance(route.right, Right):
        extra["security"] = [{"key": []}]
    if route.body is not None:
        content = {"application/json": {"schema": dict(route.body)}}
        extra["requestBody"] = {"required": True, "content": content}
    if route.headers:
        extra["parameters"] = [
            {
                "name": name,
                "in": "header",
                "description": meaning,
                "schema": {"type": "string", **WRITTEN.get(name, {})},
            }
            for name, meaning in route.headers.items()
        ]
    if route.right is Open.SIGNED:
        extra["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", route.path)
        ]
    return extra
