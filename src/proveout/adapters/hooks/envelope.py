"""What every scheme reads alike: a header, a secret, a signature, a moment and a body."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from typing import TYPE_CHECKING, NoReturn, cast

from proveout.domain.delivery import BadDelivery, Flaw, Headers, is_name
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

TOLERANCE = 300
"""Seconds that the sender's clock may be away from ours, either way."""

LONGEST_HEADER = 8192
"""Most bytes of a header that is read; it holds about a hundred signatures."""

MOMENT = re.compile(rb"[0-9]{1,12}")
"""Seconds since 1970 as every sender writes them."""


class BadSecret(Mistake):
    """A secret is not written as its scheme says; the text is never shown."""

    code = "bad-secret"


def one(headers: Headers, name: bytes) -> bytes | None:
    """Return the value of the header `name`, or None where it is missing or empty.

    Raises:
        BadDelivery: it is there more than once, or longer than `LONGEST_HEADER`.
    """
    values = [value for key, value in headers if key == name]
    if len(values) > 1 or any(len(value) > LONGEST_HEADER for value in values):
        raise BadDelivery(Flaw.MALFORMED_HEADER)
    return values[0] or None if values else None


def mac(secret: bytes, signed: bytes) -> bytes:
    """Return the HMAC-SHA256 of `signed`, 32 bytes."""
    return hmac.digest(secret, signed, hashlib.sha256)


def check_signature(
    given: Iterable[bytes], secrets: Sequence[bytes], write: Callable[[bytes], bytes]
) -> None:
    """Leave quietly when any of the secrets made any of the given signatures.

    Args:
        given: the signatures that came with the delivery, as they are written.
        secrets: one, or several while the secret is being replaced.
        write: the signature that one secret makes, written in the same way.

    Raises:
        BadDelivery: none of them match, or there is no secret to match with.
    """
    # An empty secret is known to everyone, so it matches nothing.
    expected = [write(secret) for secret in secrets if secret]
    if not any(hmac.compare_digest(theirs, ours) for theirs in given for ours in expected):
        raise BadDelivery(Flaw.WRONG_SIGNATURE)


def check_moment(moment: bytes, now: datetime) -> None:
    """Leave quietly when `moment`, as `MOMENT` says, is within `TOLERANCE` of `now`.

    Raises:
        BadDelivery: it is too long ago or still to come.
    """
    age = now.timestamp() - int(moment)
    if age > TOLERANCE:
        raise BadDelivery(Flaw.TOO_OLD)
    if age < -TOLERANCE:
        raise BadDelivery(Flaw.FROM_THE_FUTURE)


def name_in(value: object) -> str | None:
    """Return `value` as the name of an event, a kind or an object; None where it is none."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text if isinstance(text, str) and is_name(text) else None


def event_id(value: object) -> str:
    """Return `value` as the id of an event.

    Raises:
        BadDelivery: it cannot be one.
    """
    name = name_in(value)
    if name is None:
        raise BadDelivery(Flaw.NO_EVENT_ID)
    return name


def parse(body: bytes) -> Mapping[str, object]:
    """Return the JSON object that `body` holds; call it only once the signature is good.

    Raises:
        BadDelivery: it is not UTF-8, no JSON, nested too deep, or something else than an object;
            NaN and infinity are no JSON.
    """
    try:
        value: object = json.loads(
            body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite
        )
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadDelivery(Flaw.MALFORMED_BODY)
    return cast("dict[str, object]", value)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _finite(digits: str) -> float:
    """Return the number; one that is too large for a float would read as infinity."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def inner(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return the object at `key`, or an empty one where there is none."""
    part = value.get(key)
    return cast("dict[str, object]", part) if isinstance(part, dict) else {}


def check_bare(text: str) -> None:
    """Leave quietly when `text` is a secret and nothing around it.

    Raises:
        BadSecret: it is empty, or has blanks or line ends around it.
    """
    if not text:
        raise BadSecret(
            "the secret is empty",
            why="anyone could sign with it",
            fix=("copy the endpoint's secret from where the provider is set up",),
        )
    if text != text.strip():
        raise BadSecret(
            "the secret has blanks or line ends around it",
            why="each character counts in a signature",
            fix=("take the line end out of the file or the variable that holds it",),
        )


def text_key(text: str, provider: str) -> bytes:
    """Return the key that a secret stands for where a provider takes any text, as UTF-8.

    Raises:
        BadSecret: it is empty, has blanks around it, or holds half a character.
    """
    check_bare(text)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadSecret(
            "the secret is not text in UTF-8",
            why=f"{provider} takes a secret as text",
            fix=("write the secret to its file or variable again, in UTF-8",),
        )
    return text.encode()
