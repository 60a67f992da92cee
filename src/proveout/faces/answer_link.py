"""Answer links: a notice of a review leads to a page on which one person may decide it, once.

Looking spends nothing and decides nothing. What is in the link is a secret of 256 random
bits; what it is good for stands in the store under the secret's hash, so that nobody can
make or change one, and a stolen copy of the store opens nothing.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from proveout.domain.access import Actor, Right, User
from proveout.domain.record import Kind, decode, encode
from proveout.domain.review import Review, ReviewId
from proveout.domain.unit import Done, Keep, Put, UnitId
from proveout.errors import Refusal
from proveout.faces.access import SECRET_BYTES, hash_of, is_past

if TYPE_CHECKING:
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import Store

PATH = "/answer/"
LASTS = timedelta(hours=24)
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkDead(Refusal):
    """A link out of a notice opens nothing any more."""

    code = "link-dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLink:
    """What a link is good for: one decision on one content, by one person, until then.

    Attributes:
        hash: hexadecimal SHA-256 of its secret.
        digest: of the content that may be decided on by it.
        user: who decides by it.
    """

    hash: str
    review: str
    digest: str
    user: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a living link leads to."""

    link: AnswerLink
    review: Review
    actor: Actor


async def make_answer_link(
    store: Store, clock: Clock, ids: Ids, review: Review, user: str, *, lasts: timedelta = LASTS
) -> str:
    """Return the path of a new link by which a user may decide a review, once.

    It ends with the review's deadline at the latest, and with any change of the content.
    """
    now, secret = clock.now(), secrets.token_urlsafe(SECRET_BYTES)
    expires = now + lasts if review.deadline is None else min(now + lasts, review.deadline)
    link = AnswerLink(
        hash=hash_of(secret), review=review.id, digest=review.digest, user=user, expires=expires
    )
    known = (await store.records(Kind.ANSWER_LINK)).values()
    over = [one for body in known if is_past((one := decode(AnswerLink, body)).expires, now)]
    keeps = (
        Keep(kind=Kind.ANSWER_LINK, name=link.hash, body=encode(link)),
        *(Keep(kind=Kind.ANSWER_LINK, name=one.hash, body=None) for one in over),
    )
    await store.write(Put(id=UnitId(ids.new()), keeps=keeps))
    return f"{PATH}{secret}"


async def open_answer_link(store: Store, clock: Clock, secret: str) -> Opened:
    """Return what the link of that secret leads to; spends nothing.

    Raises:
        LinkDead: it was used, is too old, was made up, or its review has changed.
        NoRight: the user may not review any more.
    """
    name = hash_of(secret) if SECRET.fullmatch(secret) else ""
    body = await store.record(Kind.ANSWER_LINK, name) if name else None
    link = None if body is None else decode(AnswerLink, body)
    if link is None or is_past(link.expires, clock.now()):
        raise _dead("it was used, is too old, or never was one")
    kept = await store.record(Kind.USER, link.user)
    user = None if kept is None else decode(User, kept)
    if user is None or user.disabled:
        raise _dead("the person whom it was made for may not come in")
    review = await store.review(ReviewId(link.review))
    if review is None or not review.is_waiting:
        raise _dead("the review is decided, or over")
    if review.digest != link.digest:
        raise _dead("the draft is another one now than it was made for")
    actor = Actor(name=user.name, role=user.role)
    actor.check(Right.REVIEW)
    return Opened(link=link, review=review, actor=actor)


async def spend_answer_link(store: Store, ids: Ids, link: AnswerLink) -> None:
    """Use a link up: of two who use it at once, one is refused.

    Raises:
        LinkDead: it was used meanwhile.
    """
    spent = Keep(kind=Kind.ANSWER_LINK, name=link.hash, body=None)
    done = await store.write(Put(id=UnitId(ids.new()), keeps=(), spends=spent))
    if not isinstance(done, Done):
        raise _dead("it was used just now")


def _dead(why: str) -> LinkDead:
    return LinkDead(
        "this link opens nothing any more", why=why, fix=("sign in and look under Review",)
    )
