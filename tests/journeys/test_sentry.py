"""Errors are told to Sentry: by its own library, over real HTTP, without a word of a customer."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from proveout.faces.sentry import is_told, told

if TYPE_CHECKING:
    from collections.abc import Generator

    from journeys.conftest import Place

pytestmark = pytest.mark.journey

APP = """
from proveout import step, workflow

@step
async def look_up(n: int) -> int:
    if n == 13:
        raise LookupError("order of ana@example.org is gone")
    return n

@workflow
async def answer(n: int) -> int:
    return await look_up(n)
"""


@contextmanager
def sentry() -> Generator[tuple[str, list[dict[str, Any]]]]:
    """Yield an address to tell errors to, and the events that came there."""
    events: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Read an envelope: a header, then for each item a header and what it holds."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            lines = body.decode().splitlines()[1:]
            items = zip(lines[::2], lines[1::2], strict=True)
            events.extend(json.loads(item) for head, item in items if '"event"' in head)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - part of the contract
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://key@127.0.0.1:{server.server_port}/1", events
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_run_that_fails_is_told_with_its_step_and_no_word_of_its_input(place: Place) -> None:
    """What succeeds is told nobody; without an address nothing is."""
    place.write("app.py", APP)
    place.write("inputs.jsonl", "12\n13\n")
    with sentry() as (address, events):
        place.run("enqueue", "toy", "--file", "inputs.jsonl")
        place.environment = {"SENTRY_DSN": address}
        done = place.run("work", "--until-idle")
        place.environment = {}
        place.run("enqueue", "toy", "--input", "13")
        place.run("work", "--until-idle")

    listed = place.run("runs", "list", "--json").stdout.splitlines()
    bad = {run["id"] for run in map(json.loads, listed) if run["state"] != "SUCCEEDED"}
    [event] = events
    assert event["message"] == "run.failed LookupError"
    assert event["tags"].pop("run") in bad
    assert event["tags"] == {
        "workflow": "toy",
        "run_release": "draft",
        "step": "look_up",
        "state": "DEAD",
        "type": "LookupError",
    }
    assert len(bad) == 2
    assert "ana@example.org" not in json.dumps(event)
    assert "ana@example.org" in done.stderr


def test_an_address_that_is_none_stops_nothing(place: Place) -> None:
    """The first line of the log says so, and work goes on."""
    place.write("app.py", APP)
    place.run("enqueue", "toy", "--input", "13")
    place.environment = {"SENTRY_DSN": "sentry.example.org"}

    done = place.run("work", "--until-idle")

    assert done.returncode == 0
    assert done.stderr.count("SENTRY_DSN is no address") == 1


def test_what_a_person_turned_down_is_no_error() -> None:
    """A rejection ends a run as it should."""
    event = {"event": "run.failed", "level": "info", "type": "LookupError"}

    assert is_told(event)
    assert not is_told({**event, "type": "Rejected"})
    assert not is_told({**event, "event": "run.parked"})


def test_where_a_bug_of_ours_happened_goes_along() -> None:
    """The place, as lines of our own code; its kind is what the issue is called by."""
    event = {"event": "console.failed", "level": "error", "type": "KeyError", "where": "File …"}

    found = told(event)

    assert is_told(event)
    assert found.get("message") == "console.failed KeyError"
    assert found.get("extra") == {"where": "File …"}
