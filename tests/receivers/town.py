"""Servers of every framework in this process, each in a thread of its own."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from receivers import in_django, in_fastapi, in_flask, in_wsgi
from receivers.shop import Mall

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def town(delay: float = 0.0) -> Generator[dict[str, str]]:
    """Open a server of each framework; gives their addresses by its name."""
    with ExitStack() as opened:
        yield {
            "Flask": opened.enter_context(_served(in_flask.server(Mall(delay)))),
            "FastAPI": opened.enter_context(_served_asgi(in_fastapi.server(Mall(delay)))),
            "Django": opened.enter_context(_served(in_django.server(Mall(delay)))),
            "WSGI": opened.enter_context(_served(in_wsgi.server(Mall(delay)))),
        }


@contextmanager
def _served(server: Any) -> Generator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def _served_asgi(server: Any) -> Generator[str]:
    is_open = threading.Event()
    startup = server.startup

    async def started(*args: Any, **kwargs: Any) -> None:
        await startup(*args, **kwargs)
        is_open.set()

    server.startup = started
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert is_open.wait(30)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
