"""Open pages stay as the store is: streams of hints, and parts that are asked for with a tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles.given import Given
from proveout.domain.access import Role
from proveout.faces.web.hints import EVERY, LONGEST, SILENT, Hints

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the console does by itself is the same on every store."""

ASKS = {"x-fragment": "live"}


class Steps:
    """A clock whose sleep lets its time pass at once."""

    def __init__(self, clock: WatchedClock) -> None:
        self.now = clock.now
        self.passed = 0.0

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


async def test_a_change_gives_a_hint_and_silence_ends(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """One at once, one after each change, one after a silence; not one for nothing."""
    steps, given = Steps(clock), Given(store, clock, ids)
    stream = Hints(store=store, clock=steps).stream()

    assert b"event: hint" in await anext(stream)
    await given.queued()
    await anext(stream)
    changed = steps.passed
    await anext(stream)
    silent = steps.passed - changed

    assert changed == EVERY
    assert EVERY < silent <= SILENT
    await stream.aclose()


async def test_a_stream_ends_with_the_server_and_after_some_minutes(
    store: Store, clock: WatchedClock
) -> None:
    """So a session that was taken is asked for again, and nobody waits for a browser."""
    steps = Steps(clock)

    once = [
        hint async for hint in Hints(store=store, clock=steps, is_draining=lambda: True).stream()
    ]
    many = [hint async for hint in Hints(store=store, clock=steps).stream()]

    assert len(once) == 1
    assert len(many) == LONGEST / SILENT + 1
    assert steps.passed == LONGEST


@ONE_STORE
async def test_a_part_of_a_page_comes_once_for_each_change(
    desk: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """It has no frame and keeps what a form came to; with its tag it comes only when it changed."""
    given = Given(desk.store, clock, ids)
    async with await desk.as_(Role.VIEWER) as browser:
        browser.cookies.set("proveout_flash", "resumed")
        part = await browser.get("/runs", headers=ASKS)
        tagged = {**ASKS, "if-none-match": part.headers["etag"]}
        same = await browser.get("/runs", headers=tagged)
        run = await given.queued(workflow="answers")
        other = await browser.get("/runs", headers=tagged)
        whole = await browser.get("/runs")

    assert part.text.lstrip().startswith('<div id="live"')
    assert "<html" not in part.text
    assert "Resumed" not in part.text
    assert (same.status_code, same.text) == (304, "")
    assert (other.status_code, run.id in other.text) == (200, True)
    assert "Resumed" in whole.text
    assert {one.headers["cache-control"] for one in (part, same, other, whole)} == {"no-store"}


@ONE_STORE
async def test_who_is_not_signed_in_hears_nothing(desk: Desk) -> None:
    """Neither hints nor parts of a page."""
    async with desk.browser() as browser:
        heard = await browser.get("/hints")
        part = await browser.get("/runs", headers=ASKS)

    assert (heard.status_code, part.status_code) == (303, 303)


@ONE_STORE
async def test_hints_are_no_page(desk: Desk) -> None:
    """A stream that no cache and no proxy keeps; its head alone ends at once."""
    async with await desk.as_(Role.VIEWER) as browser:
        heard = await browser.get("/hints")
        head = await browser.head("/hints")

    assert heard.headers["content-type"].startswith("text/event-stream")
    assert heard.headers["cache-control"] == "no-store"
    assert heard.text.count("event: hint") == 1
    assert head.text == ""
