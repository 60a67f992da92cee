"""Sending a signal to a run, whether it waits for it yet or not."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from proveout.domain.run import RunId
from proveout.domain.signal import awaited
from proveout.domain.unit import Send, Stale, UnitId
from proveout.errors import Refusal
from proveout.run.payload import to_json

if TYPE_CHECKING:
    from proveout.domain.run import Run
    from proveout.ports.clock import Ids
    from proveout.ports.store import Writes


class RunOver(Refusal):
    """The run has ended; nothing can reach it any more."""

    code = "run-over"


async def send(
    store: Writes, ids: Ids, run: Run, name: str, value: object, *, key: str | None = None
) -> None:
    """Make a signal to `run` durable: its oldest wait for that name takes it, now or later.

    What the workflow makes of the value only its own code can say: it is not checked here.

    Args:
        store: where the run is.
        ids: makes the signal's id where it has no key.
        run: the run as it was found.
        name: of the signal, such as "paid".
        value: anything that travels as JSON.
        key: the sender's own name for it: of several with the same one the first counts.

    Raises:
        Mistake: the name is no word, or the value is no JSON.
        RunOver: the run has ended.
    """
    unit = Send(
        id=UnitId(ids.new() if key is None else _named(run, name, key)),
        run=RunId(run.id),
        name=awaited(name),
        value=to_json(value, f"the signal {name}"),
    )
    if isinstance(await store.write(unit), Stale):
        raise RunOver(
            f"run {run.id} has ended and takes no signal",
            why="nothing would follow from it",
            fix=(f"proveout runs show {run.id}",),
        )


def _named(run: Run, name: str, key: str) -> str:
    """Return the id under which a signal with that key is known: 40 characters."""
    return hashlib.sha256(f"{run.id} {name} {key}".encode()).hexdigest()[:40]
