"""Bodies: read within a limit of bytes and of time, and parsed as strict JSON."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any, NoReturn, cast

from proveout.faces.api.problems import BadBody, BodyTooLarge, BodyTooSlow, WrongMediaType

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST = 1 << 20
"""Bytes that a body may have."""

PATIENCE = 30
"""Seconds in which it must be there."""

DEEPEST = 100
"""Levels of arrays and objects in each other."""


async def read_body(request: Request) -> bytes:
    """Return the whole body; one that is too large is not read to its end.

    Raises:
        BodyTooLarge: it has more than `LARGEST` bytes.
        BodyTooSlow: it was not there after `PATIENCE` seconds.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > LARGEST:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST:
                    raise _too_large()
    except TimeoutError:
        raise BodyTooSlow(
            f"the body was not there after {PATIENCE} s", why="a connection is held meanwhile"
        ) from None
    return bytes(body)


async def read_json(request: Request) -> object:
    """Return the value that the body holds.

    Raises:
        WrongMediaType: the body does not say that it is JSON.
        BadBody: it is none.
        BodyTooLarge: it is over the limit.
        BodyTooSlow: it did not arrive in time.
    """
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if media.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
        raise WrongMediaType(
            "the body must be application/json in UTF-8", fix=("Content-Type: application/json",)
        )
    return parse(await read_body(request))


def parse(body: bytes) -> object:
    """Return the value of a JSON text in UTF-8; NaN, infinity and half characters are none.

    Raises:
        BadBody: it is no such text, or nested deeper than `DEEPEST`.
    """
    try:
        value: object = json.loads(
            body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite
        )
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadBody(
            "the body is not valid JSON",
            why=str(error)[:200] if isinstance(error, json.JSONDecodeError) else "",
        ) from None
    if _depth(value) > DEEPEST:
        raise BadBody(f"the body is nested deeper than {DEEPEST} levels")
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _depth(value: object) -> int:
    """Return how many arrays and objects stand in each other."""
    depth, level = 0, [value]
    while level:
        inner: list[object] = []
        for part in level:
            if isinstance(part, dict):
                inner += cast("dict[str, Any]", part).values()
            elif isinstance(part, list):
                inner += cast("list[Any]", part)
        depth += bool(inner)
        level = inner
    return depth


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(
        f"the body has more than {LARGEST:,} bytes",
        why="payloads are kept with every run",
        fix=("store the content where it belongs and pass a reference to it",),
    )


LASTING = (
    r"^(?:[1-9][0-9]{0,3} ?(?:s|min)|(?:[1-9][0-9]?|[1-6][0-9]{2}) ?h"
    r"|(?:[1-9]|[12][0-9]|30) ?days)$"
)
"""A time of at most 30 days, as JSON Schema and Python read it alike."""
