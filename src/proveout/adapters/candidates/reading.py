"""Reading what came from elsewhere: as JSON, or as words to show."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from proveout.domain.case import Json

SHOWN = 200
"""Characters of what came that a message shows."""


class NoJson(ValueError):
    """What came is not one value of JSON."""


def read_json(data: bytes) -> Json:
    """Return the value of JSON that `data` is.

    Raises:
        NoJson: it is none, holds what JSON does not know: NaN, infinity; or a key stands twice in
            an object, so that nobody can say which value is meant.
    """
    try:
        return json.loads(
            data, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_one_of_each
        )
    except NoJson:
        raise
    except (ValueError, RecursionError):
        raise NoJson("no JSON") from None


def _one_of_each(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise NoJson(f"no one value: the key {_quoted(twice, from_end=False)} stands twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def beginning(data: bytes) -> str:
    """Return the beginning of what came, in quotes and on one line; "nothing" of nothing."""
    return _quoted(data[: 4 * SHOWN].decode(errors="replace"), from_end=False)


def end(data: bytes) -> str:
    """Return the end of what came, in quotes and on one line; "nothing" of nothing."""
    return _quoted(data[-4 * SHOWN :].decode(errors="replace"), from_end=True)


def _quoted(text: str, *, from_end: bool) -> str:
    text = " ".join(text.split())
    if not text:
        return "nothing"
    if len(text) > SHOWN:
        text = f"…{text[-SHOWN:]}" if from_end else f"{text[:SHOWN]}…"
    return json.dumps(text, ensure_ascii=not text.isprintable())
