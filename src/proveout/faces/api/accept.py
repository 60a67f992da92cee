"""What a workflow can take, asked at the door."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proveout.faces.project import NoSuch
from proveout.run.payload import signature, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.domain.workflow import Workflow
    from proveout.faces.api.doors import Accept


def always() -> bool:
    """Return that it is so."""
    return True


def accepts(
    name: str, load: Callable[[], Workflow[..., Any]], is_current: Callable[[], bool] = always
) -> Accept:
    """Return what refuses an input that the workflow called `name` cannot take.

    Args:
        name: the only workflow that there is.
        load: imports it, when the first input comes.
        is_current: whether what `load` gives is what serves; while it is not, any JSON is
            taken, and the worker judges it.
    """

    def accept(workflow: str, value: bytes) -> bytes:
        if workflow != name:
            raise NoSuch("there is no such workflow here", why=f"this project serves {name}")
        if is_current():
            signature(load().function).inputs(value)
        return to_json(json.loads(value), "the input", canonical=True)

    return accept
