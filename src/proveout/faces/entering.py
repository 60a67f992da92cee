"""What a person decided about a run, told by the ledger behind it: see decision 0028."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proveout.domain.ledger import Deed
from proveout.release.decide import amend

if TYPE_CHECKING:
    from proveout.domain.run import Run
    from proveout.release.decide import Office


async def enter(office: Office, by: str, act: str, run: Run, **facts: Any) -> None:
    """Have the ledger tell what somebody did to a run, which is durable already.

    It holds no word of the run's payloads: entries cannot be erased, and runs can. It is
    written over a gap in the ledger too, as the deed is done.

    Args:
        office: what entries are written with.
        by: who did it.
        act: what they did, such as "cancel run".
        run: the run as it was before.
        facts: what else belongs to it, as JSON takes it.
    """
    told = {"workflow": run.workflow, "before": run.state.value, **facts}
    await amend(office, Deed(actor=by, act=act, subject=run.id, facts=told), (), over_gap=True)
