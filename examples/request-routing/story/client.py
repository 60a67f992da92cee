"""A program that uses the workflow over HTTP, with an API key."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from story.command import BrokenPromise

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

WORKFLOW = "request-routing"
PATIENCE = 90.0
LOOK = 0.02
PAGE = 100
BUSY = "state=QUEUED&state=RUNNING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What a key opens at a server.

    Attributes:
        address: such as http://127.0.0.1:8484.
    """

    address: str
    key: str = field(repr=False)

    def request(self, value: object, name: str) -> dict[str, Any]:
        """Ask for a run under a name of our own; return once it is durable."""
        path = f"workflows/{WORKFLOW}/runs"
        return self.call(path, value, {"Idempotency-Key": name})

    def runs(self, which: str = "") -> list[dict[str, Any]]:
        """Return all runs, newest first."""
        return list(self._pages(f"runs?limit={PAGE}&{which}"))

    def is_idle(self) -> bool:
        """Whether no run is queued or running."""
        return not self.call(f"runs?limit=1&{BUSY}")["runs"]

    def reviews(self) -> list[dict[str, Any]]:
        """Return the open reviews, at most a page of them."""
        return self.call(f"reviews?limit={PAGE}")["reviews"]

    def decide(self, review: dict[str, Any], content: object) -> None:
        """Approve a review, with an edit where `content` is not what it shows."""
        words = {"digest": review["digest"], "approved": True, "content": content}
        self.call(f"reviews/{review['id']}/decision", words)

    def pointer(self) -> dict[str, Any]:
        """Return what serves."""
        return self.call(f"workflows/{WORKFLOW}")["pointer"]

    def ledger(self, act: str) -> list[dict[str, Any]]:
        """Return the newest decisions of a kind, the newest first."""
        return [one for one in self.call("ledger")["entries"] if one["act"] == act]

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        page = self.call(path)
        yield from page["runs"]
        while page["next"]:
            page = self.call(f"{path}&cursor={page['next']}")
            yield from page["runs"]

    def call(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        """Return what the API answers."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.address}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise BrokenPromise(f"{path.partition('?')[0]} answered {error.code}: {said}") from None
        except OSError as error:
            raise BrokenPromise(f"the server does not answer: {error}") from error


class Traffic:
    """Requests at a steady pace, from a thread of their own, until told to stop.

    Attributes:
        sent: the case that each acknowledged run was asked for.
    """

    def __init__(self, client: Client, cases: list[Any], pace: float, name: str) -> None:
        self.sent: dict[str, Any] = {}
        self._trouble: BaseException | None = None
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._send, args=(client, cases, pace, name))

    @contextmanager
    def flowing(self) -> Generator[None]:
        """Send while the block lasts; when it ends, the last request was answered."""
        self._thread.start()
        try:
            yield
        finally:
            self._told.set()
            self._thread.join()
        if self._trouble is not None:
            raise self._trouble

    @property
    def is_over(self) -> bool:
        """Whether everything was sent, or nothing more could be."""
        return not self._thread.is_alive()

    def _send(self, client: Client, cases: list[Any], pace: float, name: str) -> None:
        try:
            for n, case in enumerate(cases):
                if self._told.wait(pace):
                    return
                self.sent[client.request(case["input"], f"{name}-{n}")["id"]] = case
        except BaseException as trouble:  # noqa: BLE001 - told to whoever waits for the thread
            self._trouble = trouble


def wait_for(ready: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return when `ready` says so.

    Raises:
        BrokenPromise: it never did.
    """
    end = time.monotonic() + patience
    while not ready():
        if time.monotonic() > end:
            raise BrokenPromise(f"waited {patience:g} s for {what}")
        time.sleep(LOOK)  # noqa: TID251 - watches other processes
