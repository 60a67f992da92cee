"""Saying who makes a call: vendors' clients are built on httpx, or on httpx2, its successor."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from proveout.domain.caller import CALLER_HEADER, written

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from proveout.domain.model_call import Caller

LIBRARIES = ("httpx", "httpx2")
"""What vendors' clients are built on, as far as it is installed."""


@contextmanager
def named_callers(address: str, find: Callable[[], Caller | None]) -> Generator[None]:
    """Let every httpx client of this process say who calls, while the block lasts.

    Only what goes to `address` carries the header, and one that is there stays. A subclass
    that sends without the `send` of its parent says nothing.

    Args:
        address: what every address of the proxy begins with.
        find: who would make a call where the code stands; None for nobody.
    """
    namings = [_Naming(client, address, find) for client in _clients()]
    try:
        yield
    finally:
        for naming in reversed(namings):
            naming.end()


def _clients() -> list[Any]:
    """Return the classes of all clients; one library may stand for the other."""
    libraries = [import_module(name) for name in LIBRARIES if find_spec(name) is not None]
    found = (getattr(one, name) for one in libraries for name in ("Client", "AsyncClient"))
    return list(dict.fromkeys(found))


class _Naming:
    """The header in the requests of one class of clients, until it ends."""

    def __init__(self, client: Any, address: str, find: Callable[[], Caller | None]) -> None:
        self._client = client
        self._before = client.send
        self._is_on = True

        @wraps(client.send)
        def send(itself: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            if self._is_on and str(request.url).startswith(f"{address}/"):
                caller = find()
                if caller is not None and CALLER_HEADER not in request.headers:
                    request.headers[CALLER_HEADER] = written(caller)
            return self._before(itself, request, *args, **kwargs)

        self._send = send
        client.send = send

    def end(self) -> None:
        """Leave the class as it was; where somebody built on it since, only fall silent."""
        self._is_on = False
        if self._client.send is self._send:
            self._client.send = self._before
