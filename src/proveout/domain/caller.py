"""The header by which a call of a model says who makes it."""

from __future__ import annotations

import json
from typing import cast

from proveout.domain.journal import Place
from proveout.domain.model_call import Caller
from proveout.domain.run import RunId

CALLER_HEADER = "x-proveout-caller"
"""Goes from a client to the meter, and no further."""


def written(caller: Caller) -> str:
    """Return `caller` as the header's value: JSON in one line of ASCII.

    >>> written(Caller(run=RunId("r1"), fence=2, place=Place("0.1", "classify", 0)))
    '["r1",2,["0.1","classify",0]]'
    """
    return json.dumps([caller.run, caller.fence, caller.place], separators=(",", ":"))


def read_caller(text: str) -> Caller | None:
    """Return whom a header's value names; None where it is not as `written` writes it."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list):
        return None
    match cast("list[object]", value):
        case [str(run), int(fence), None]:
            caller = Caller(run=RunId(run), fence=int(fence), place=None)
        case [str(run), int(fence), [str(path), str(name), int(occurrence)]]:
            place = Place(path, name, int(occurrence))
            caller = Caller(run=RunId(run), fence=int(fence), place=place)
        case _:
            return None
    return caller if written(caller) == text else None  # `true` passes for a whole number
