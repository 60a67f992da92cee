"""Channels that reach people, by apprise; and the address that hears that watch is kept.

What a channel's address holds is a secret: it stands in no error, and those who carry a
notice are kept from writing it into a log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
from apprise import Apprise, NotifyFormat, NotifyType

from proveout.domain.alert import NoticeKind, Severity
from proveout.errors import Mistake
from proveout.ports.notifier import NotAccepted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from proveout.domain.alert import Notice

PATIENCE = 10.0
"""Seconds that the address of the heartbeat gets to answer in."""

for _carrier, _level in (
    ("apprise", logging.CRITICAL + 1),
    ("urllib3", logging.WARNING),
    ("httpx", logging.WARNING),
    ("httpcore", logging.WARNING),
):
    logging.getLogger(_carrier).setLevel(_level)


class BadChannel(Mistake):
    """The variable of a channel holds no address that apprise knows."""

    code = "bad-channel"


class Channels:
    """Every channel that has an address, by name; see `ports/notifier.py` for what it promises."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        link: Callable[[Notice], str],
        heartbeat: str = "",
    ) -> None:
        """Reach people at these addresses, by the names of their channels.

        Args:
            addresses: as apprise writes them.
            link: where a notice can be acknowledged; "" for nowhere.
            heartbeat: the address to call while watch is kept; "" for none.

        Raises:
            BadChannel: apprise does not know an address.
        """
        self._channels = {name: _channel(name, url) for name, url in addresses.items()}
        self._link = link
        self._heartbeat = heartbeat

    def reaches(self, to: str) -> bool:
        return to in self._channels

    async def tell(self, notice: Notice) -> None:
        channel = self._channels.get(notice.to)
        if channel is None:
            raise NotAccepted(f"no channel is called {notice.to}")
        taken = await channel.async_notify(
            title=notice.title,
            body=_body(notice, self._link(notice)),
            notify_type=_look(notice),
            body_format=NotifyFormat.TEXT,
        )
        if not taken:
            raise NotAccepted(f"the channel {notice.to} did not take the notice")

    async def beat(self) -> None:
        if not self._heartbeat:
            return
        try:
            async with httpx.AsyncClient(timeout=PATIENCE) as client:
                answer = await client.get(self._heartbeat)
        except httpx.HTTPError as error:
            raise NotAccepted(
                f"the heartbeat's address cannot be reached: {type(error).__name__}"
            ) from None
        if not answer.is_success:
            raise NotAccepted(f"the heartbeat's address answers {answer.status_code}")


def _channel(name: str, url: str) -> Apprise:
    channel = Apprise()
    if not channel.add(url):  # pyright: ignore[reportUnknownMemberType] - apprise's own types
        raise BadChannel(
            f"the address of channel {name} is none that apprise knows",
            why="it is not shown here, for it may hold a password",
            fix=("mailtos://USER:PASSWORD@example.org", "slack://TOKEN", "json://HOST/PATH"),
        )
    return channel


def _look(notice: Notice) -> NotifyType:
    if notice.kind is NoticeKind.RESOLVED:
        return NotifyType.SUCCESS
    if notice.kind is NoticeKind.TEST:
        return NotifyType.INFO
    return NotifyType.FAILURE if notice.severity is Severity.PAGE else NotifyType.WARNING


def _body(notice: Notice, link: str) -> str:
    parts = [notice.body]
    if link and notice.kind in (NoticeKind.ALERT, NoticeKind.REVIEW):
        parts.append(f"Take it: {link}")
    return "\n\n".join([*parts, f"notice {notice.id}"])
