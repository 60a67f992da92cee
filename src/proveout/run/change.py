"""Changes: code that is changed under runs; each run decides once which code is its own."""

from __future__ import annotations

from proveout.domain.signal import check_word
from proveout.run.ask import waiting_scope


def changed(name: str) -> bool:
    """Return whether this run takes the changed code; the answer stands for the whole run.

    True where the run comes here for the first time; False where it came past this point
    before the change, so that its journal goes on with the old code. The same call in
    plain and asynchronous workflows, never awaited. The answer is durable together with
    whatever the run records next, so nothing that depends on it can be recorded without it.

    Args:
        name: of the change, such as "new-tone"; letters, digits and . _ : @ + -.

    Raises:
        Mistake: outside a run, inside a step, or with another name.
    """
    check_word("change", name)
    scope = waiting_scope("changed")
    if not scope.is_plain_here():
        return scope.decide(name)

    async def decided() -> bool:
        return scope.decide(name)

    return scope.block_on(decided())
