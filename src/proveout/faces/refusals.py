"""Recording whom the doors turn away: in the log, and as a figure that alerts can watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from structlog.typing import FilteringBoundLogger

TURNED_AWAY = frozenset({401, 403, 429})

LONGEST = 200
"""Characters of a path that the log keeps; whoever knocks chose them."""


class Refusals:
    """An application around another one, that records each request which is turned away."""

    def __init__(
        self, app: ASGIApp, log: FilteringBoundLogger, registry: CollectorRegistry
    ) -> None:
        self._app = app
        self._log = log
        self._count = Counter(
            "proveout_refused_requests",
            "Requests that were turned away since the server started.",
            ("status",),
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the inner application does."""

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in TURNED_AWAY:
                self._count.labels(str(message["status"])).inc()
                self._log.warning(
                    "request.refused",
                    status=message["status"],
                    method=scope["method"],
                    path=ascii(scope["path"])[1:-1][:LONGEST],
                )
            await send(message)

        await self._app(scope, receive, recorded)
