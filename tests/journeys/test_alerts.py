"""What `serve` promises of alerts: everybody is reached in time, whoever dies in between."""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.receivers import inbox
from journeys.test_serve import key_of, post, serving, until
from proveout.adapters.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.receivers import Inbox
    from journeys.site import Site

pytestmark = pytest.mark.journey

APP = """
from proveout import review, step, workflow

@step
async def double(n: int) -> int:
    if n < 0:
        raise ValueError("below nothing")
    return n * 2

@workflow
async def answer(n: int) -> int:
    found = await double(n)
    if n > 100:
        found = (await review(found, queue="till", within="1h")).value
    return found
"""

WATCHED = """
[production]
escalation = [
  { to = "first", after = "0 s" },
  { to = "second", after = "4 s" },
  { to = "third", after = "8 s" },
  { to = "nobody we reach", after = "8 s" },
]
alerts = { first_wait = "0 s", unanswered = "1 s" }
heartbeat = { url_env = "HEARTBEAT_URL", every = "1 s" }

[channels.first]
url_env = "FIRST_URL"

[channels.second]
url_env = "SECOND_URL"

[channels.third]
url_env = "THIRD_URL"
"""

REVIEW, FAILED = "a review in till", "the last 3 runs failed"
NAMES = ("first", "second", "third")


@pytest.fixture
def box() -> Generator[Inbox]:
    with inbox() as box:
        yield box


@pytest.fixture
def watched(local: Site, box: Inbox) -> Site:
    """Return a project in production whose escalation reaches three real receivers."""
    local.write("app.py", APP)
    settings = (local.folder / "proveout.toml").read_text("utf-8")
    local.write("proveout.toml", settings + WATCHED)
    local.do("prove")
    name: str = local.ask("release", "create")["name"]
    local.prove_claims(name)
    local.do("promote", name, "--accept", "whole numbers only")
    local.environment |= {f"{one.upper()}_URL": box.channel(one) for one in NAMES}
    local.environment["HEARTBEAT_URL"] = f"{box.address}/beat"
    return local


def about(box: Inbox, word: str, *, is_over: bool = False) -> list[str]:
    """Return who was told something with that word in it, in order."""
    return [to for to, text in box.told if word in text and ("[resolved]" in text) is is_over]


def has_heard(box: Inbox, to: str) -> bool:
    """Whether a receiver has heard of the review and of the runs that failed."""
    return to in about(box, REVIEW) and to in about(box, FAILED)


def alerts_of(site: Site) -> list[dict[str, Any]]:
    return [json.loads(line) for line in site.do("alerts", "list", "--json").splitlines()]


def test_a_review_and_an_alert_reach_each_tier_although_every_process_dies_between(
    watched: Site, box: Inbox
) -> None:
    """Seen at the receivers; nobody is told twice, and all hear when it is over."""
    key = key_of(watched, "operator")
    with serving(watched, "--workers", "1") as (server, address):
        post(address, 200, key)
        for n in (-1, -2, -3):
            post(address, n, key)
        until(lambda: has_heard(box, "first"), "the first tier")
        gone = SystemClock().now()
        os.kill(server.pid, signal.SIGKILL)
        server.wait()

    with serving(watched, "--workers", "1"):
        back = SystemClock().now()
        until(lambda: has_heard(box, "third"), "the third tier")
        [review] = [one for one in alerts_of(watched) if one["rule"] == "review"]
        taken = watched.do("alerts", "ack", review["id"])
        watched.do("review", "approve", review["id"].removeprefix("review:"))
        until(lambda: len(about(box, REVIEW, is_over=True)) == len(NAMES), "the all-clear")
        until(lambda: len(box.calls) > 1, "the heartbeat")

    assert "taken by ana until" in taken
    assert sorted(about(box, REVIEW)) == sorted(NAMES)
    assert sorted(about(box, FAILED)) == sorted(NAMES)
    for due, told in moments_of(alerts_of(watched)):
        # How long a start takes is the machine's affair, which nothing here judges.
        assert due <= told <= max(due, back) + timedelta(seconds=4) + (back - gone)


def moments_of(alerts: list[dict[str, Any]]) -> list[tuple[datetime, datetime]]:
    """Return when each tier of a failure's alert was due, and when it was told."""
    [one] = [one for one in alerts if (one["rule"], one["severity"]) == ("failures", "page")]
    told = [datetime.fromisoformat(each["at"]) for each in one["told"]]
    due = [told[0] + timedelta(seconds=after) for after in (0, 4, 8, 8)]
    return list(zip(due, told, strict=True))
