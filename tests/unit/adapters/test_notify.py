"""Channels reach real receivers, say what they did not take, and never what is secret."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from doubles.receivers import inbox, mailbox
from proveout.adapters.notify import BadChannel, Channels
from proveout.domain.alert import Notice, NoticeKind, Severity
from proveout.ports.notifier import NotAccepted

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.receivers import Inbox, Mailbox

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # apprise's own

SECRET = "kept-from-every-log"  # noqa: S105 - that is the point


@pytest.fixture(scope="module")
def mails() -> Generator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def posts() -> Generator[Inbox]:
    with inbox() as box:
        yield box


def notice(to: str = "oncall", kind: NoticeKind = NoticeKind.ALERT) -> Notice:
    return Notice(
        id="5f2c5f2c5f2c5f2c",
        to=to,
        kind=kind,
        severity=Severity.PAGE,
        title="[page] triage: 3 of the last 3 runs failed",
        body="3 of the last 3 runs failed\n<b>Zoë</b> & co",
        subjects=("alert:1",),
        created=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
    )


def channels(url: str, link: str = "", heartbeat: str = "") -> Channels:
    return Channels({"oncall": url}, lambda _: link, heartbeat)


async def test_a_notice_arrives_by_mail(mails: Mailbox) -> None:
    """With what it is about, a link and its id; what looks like markup is text."""
    await channels(mails.url, link="https://watch.example.org/acknowledge/x").tell(notice())

    mail = mails.mails[-1]
    body = mail.get_body(("plain", "html"))
    assert body is not None
    text = str(body.get_content())
    pages = [one for one in mail.walk() if one.get_content_type() == "text/html"]
    assert mail["subject"] == "[page] triage: 3 of the last 3 runs failed"
    assert "https://watch.example.org/acknowledge/x" in text
    assert "notice 5f2c5f2c5f2c5f2c" in text
    assert "Zoë" in text
    assert not any("<b>" in str(one.get_content()) for one in pages)


async def test_a_notice_arrives_by_http(posts: Inbox) -> None:
    """As JSON, with a type by which the receiver can tell bad news from good."""
    told = channels(posts.channel("oncall"))

    await told.tell(notice())
    await told.tell(notice(kind=NoticeKind.RESOLVED))

    assert [body["type"] for _, body in posts.posted] == ["failure", "success"]
    assert posts.posted[0][1]["message"].endswith("notice 5f2c5f2c5f2c5f2c")


async def test_what_the_receiver_refuses_is_not_accepted(posts: Inbox) -> None:
    """A 500 is no acceptance, and neither is a port where nobody listens."""
    posts.status = 500

    with pytest.raises(NotAccepted):
        await channels(posts.channel("oncall")).tell(notice())
    with pytest.raises(NotAccepted):
        await channels("json://127.0.0.1:9/x").tell(notice())
    with pytest.raises(NotAccepted):
        await channels(posts.channel("oncall")).tell(notice(to="nobody"))


async def test_no_address_is_shown_or_logged(
    posts: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether apprise does not know it, or its receiver refuses."""
    posts.status = 403
    caplog.set_level(logging.DEBUG)

    with pytest.raises(BadChannel) as unknown:
        channels(f"no-such-scheme://{SECRET}@host")
    with pytest.raises(NotAccepted) as refused:
        await channels(posts.channel(SECRET)).tell(notice())
    with pytest.raises(NotAccepted):
        await channels(posts.channel("x"), heartbeat=f"{posts.address}/{SECRET}").beat()

    told = [str(unknown.value), unknown.value.why, str(refused.value), caplog.text]
    assert not any(SECRET in text for text in told)


async def test_the_heartbeat_calls_its_address(posts: Inbox) -> None:
    """An address that refuses, or does not answer, is told apart from one that hears."""
    await channels(posts.channel("x"), heartbeat=f"{posts.address}/beat").beat()
    posts.status = 404
    with pytest.raises(NotAccepted):
        await channels(posts.channel("x"), heartbeat=f"{posts.address}/beat").beat()
    with pytest.raises(NotAccepted):
        await channels(posts.channel("x"), heartbeat="http://127.0.0.1:9/beat").beat()
    await channels(posts.channel("x")).beat()

    assert posts.calls == ["/beat", "/beat"]
