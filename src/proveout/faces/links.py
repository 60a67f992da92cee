"""Links in notices: signed, for a day, and to a page; only its form takes an alert."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from proveout.errors import Refusal

if TYPE_CHECKING:
    from proveout.domain.alert import Notice
    from proveout.ports.signer import Signer

LASTS = timedelta(days=1)
"""After this time a link leads to nothing any more."""


class BadLink(Refusal):
    """A link of a notice was not made by us, or is too old."""

    code = "bad-link"


class Linked(NamedTuple):
    """What a link is about.

    Attributes:
        notice: its id.
    """

    notice: str
    until: datetime


def token_of(signer: Signer, notice: Notice) -> str:
    """Return the part of an address that says which notice it belongs to, signed."""
    until = int((notice.created + LASTS).timestamp())
    return f"{notice.id}.{until}.{_seal(signer, notice.id, until)}"


def linked(signer: Signer, token: str, now: datetime) -> Linked:
    """Return what a link is about.

    Raises:
        BadLink: it is not ours, or too old.
    """
    notice, _, rest = token.partition(".")
    moment, _, seal = rest.partition(".")
    is_number = moment.isascii() and moment.isdigit() and len(moment) <= len(str(2**33))
    until = int(moment) if is_number else 0
    expected = _seal(signer, notice, until)
    if not is_number or not hmac.compare_digest(expected.encode(), seal.encode("utf-8", "replace")):
        raise BadLink("the link is not one of ours", fix=("proveout alerts list",))
    found = Linked(notice, datetime.fromtimestamp(until, UTC))
    if now >= found.until:
        raise BadLink(
            "the link is too old", why="it leads somewhere for a day", fix=("open the console",)
        )
    return found


def _seal(signer: Signer, notice: str, until: int) -> str:
    return signer.sign(f"acknowledge {notice} {until}".encode("utf-8", "replace")).value
