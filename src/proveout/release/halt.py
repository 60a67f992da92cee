"""The kill switch: nothing within its scope begins until a person resumes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.ledger import Deed
from proveout.domain.release import Halt
from proveout.domain.unit import EndHalt, StartHalt
from proveout.errors import Refusal
from proveout.release.decide import amend

if TYPE_CHECKING:
    from proveout.release.decide import Office


class NotHalted(Refusal):
    """Nothing of that scope is halted."""

    code = "not-halted"


async def halt(office: Office, workflow: str, scope: str, actor: str, reason: str = "") -> Halt:
    """Stop a workflow, a release or an effect: no claim and no effect of it begins any more.

    Live workers follow within two seconds; an effect already in flight is not stopped.
    """
    order = Halt(workflow=workflow, scope=scope, since=office.clock.now(), by=actor, reason=reason)
    deed = Deed(
        actor=actor, act="halt", subject=scope, facts={"workflow": workflow, "reason": reason}
    )
    await amend(office, deed, (StartHalt(halt=order),), over_gap=True)
    return order


async def resume(office: Office, workflow: str, scope: str, actor: str, reason: str = "") -> None:
    """Let what was halted begin again.

    Raises:
        NotHalted: nothing of that scope is halted.
    """
    halted = [one.scope for one in await office.store.halts(workflow)]
    if scope not in halted:
        raise NotHalted(
            f"{scope} is not halted",
            why=f"halted are: {', '.join(halted)}" if halted else "nothing is halted",
            fix=tuple(f"proveout resume {one}" for one in halted),
        )
    deed = Deed(
        actor=actor, act="resume", subject=scope, facts={"workflow": workflow, "reason": reason}
    )
    await amend(office, deed, (EndHalt(workflow=workflow, scope=scope),))
