"""The proxy on this machine that meters calls of models between a client and its vendor.

It runs in a thread of its own, on a loop of its own: a client that blocks the caller's loop
does not block it. Bytes pass as they come; keys pass too, and are neither kept nor logged.
Its addresses hold a secret, so that nobody else on the machine spends through it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from concurrent.futures import Future
from dataclasses import asdict
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from proveout.adapters.models.answer import LARGEST
from proveout.adapters.models.environment import LOOPBACK, Upstreams, variables
from proveout.adapters.models.forward import PREFIXES, Door
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from proveout.ports.meter import Meter

PATIENCE = 600.0
"""Seconds without a byte from a vendor after which a call is given up."""

CONNECT = 10.0
"""Seconds that connecting to a vendor may take."""

IDLE = 600
"""Seconds that a client's connection is left open between two requests."""

CUT = "ASGI callable returned without completing response."
"""What the server says of an answer that its vendor cut."""


class Proxy:
    """A proxy, once it is started; as a context it is started and stopped."""

    def __init__(
        self,
        meter: Meter,
        upstreams: Upstreams | None = None,
        *,
        patience: float = PATIENCE,
        largest: int = LARGEST,
    ) -> None:
        """Stand between clients and vendors.

        Args:
            meter: counts, and says which calls may be made.
            upstreams: where calls go; the vendors' own addresses where it is None.
            patience: seconds without a byte from a vendor after which a call is given up.
            largest: most bytes of a request's body.
        """
        self._meter = meter
        self._upstreams = upstreams or Upstreams()
        self._patience = patience
        self._largest = largest
        self._token = secrets.token_urlsafe(24)
        self._port = 0
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on a free port of this machine; on return clients may call.

        Raises:
            Mistake: it was started before.
        """
        with self._turn:
            if self._thread is not None:
                raise Mistake("the proxy was started before", why="it listens once")
            ready: Future[asyncio.AbstractEventLoop] = Future()
            self._thread = threading.Thread(
                target=self._run, args=(ready,), name="proveout-models", daemon=True
            )
            self._thread.start()
            self._loop = ready.result()

    def stop(self) -> None:
        """End every call that is under way; on return nothing of the proxy is left."""
        with self._turn:  # whoever starts it elsewhere has done so
            if self._thread is None or self._loop is None or not self._thread.is_alive():
                return
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()

    @property
    def address(self) -> str:
        """What every address of the proxy begins with; its path is a secret."""
        if not self._port:
            raise Mistake("the proxy has no address yet", why="it is given one by its start")
        return f"http://{LOOPBACK}:{self._port}/{self._token}"

    @property
    def bases(self) -> Upstreams:
        """The base addresses that clients are to call."""
        return Upstreams(**{name: f"{self.address}{at}" for name, at in PREFIXES.items()})

    def variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables by which a worker's clients call the proxy.

        Args:
            environment: of the worker, without them.
        """
        return variables(self.bases, environment)

    def _run(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            try:
                runner.run(self._serve(ready))
            except BaseException as error:
                if ready.done():
                    raise
                ready.set_exception(error)

    async def _serve(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        loop = asyncio.get_running_loop()
        async with self._client() as client:
            door = Door(
                self._meter,
                client,
                asdict(self._upstreams),
                token=self._token,
                largest=self._largest,
                patience=self._patience,
            )
            state = ServerState()
            connection = partial(_Connection, _config(door), state, {})
            # A socket that asyncio opens itself sends small answers at once; others wait 40 ms.
            server = await loop.create_server(connection, LOOPBACK, 0, backlog=1024)
            self._port = server.sockets[0].getsockname()[1]
            ready.set_result(loop)
            await self._stopped.wait()
            server.close()
            for open_one in list(state.connections):
                open_one.transport.abort()
            if state.tasks:
                await asyncio.wait(state.tasks)

    def _client(self) -> httpx.AsyncClient:
        """Return the client that reaches vendors; it keeps no cookies between two callers."""
        return httpx.AsyncClient(
            timeout=httpx.Timeout(self._patience, connect=min(CONNECT, self._patience), pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )


def _config(door: Door) -> uvicorn.Config:
    config = uvicorn.Config(
        door,
        interface="asgi3",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE,
    )
    config.load()
    return config


def _is_news(record: logging.LogRecord) -> bool:
    return record.msg != CUT


class _Connection(HttpToolsProtocol):
    """A client's connection; it says nothing of answers that were cut."""

    def __init__(self, config: uvicorn.Config, state: ServerState, shared: dict[str, Any]) -> None:
        super().__init__(config, state, shared)
        self.logger = logging.getLogger("proveout.models")
        self.logger.addFilter(_is_news)
