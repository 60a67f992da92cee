"""ownership: who answers for the workflow is named, and the commands of the runbook run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ready.drills.drill import Drill, Performance
from proveout.ready.people import is_known
from proveout.ready.sandbox import Protection

if TYPE_CHECKING:
    from proveout.ready.sandbox import Sandbox

RUNS = frozenset({0, 1})
"""How a command of a runbook may end: done, or done and the answer is no."""


async def perform(sandbox: Sandbox) -> Performance:
    """Look for each name, and run each command; the control looks where nothing is written."""
    asked = sandbox.ownership()
    off = sandbox.off is Protection.NAMES
    named = {what: "" if off else who for what, who in asked.named.items()}
    missing = [what for what, who in named.items() if not is_known(who)]
    runbook = (("proveout", "no-such-command"),) if off else asked.runbook
    faults = [f"{what}: nobody and nothing is named" for what in missing]
    if not runbook:
        faults.append("runbook: it holds no command that could be run")
    broken = 0
    for words in runbook:
        code, said = await sandbox.command(words)
        if code not in RUNS:
            broken += 1
            last = said.strip().splitlines()
            faults.append(f"runbook: {' '.join(words)} exits {code}: {last[0] if last else ''}")
    sandbox.note(f"{len(named) - len(missing)} of {len(named)} named, {len(runbook)} commands run")
    return Performance(
        figures={
            "asked": len(named),
            "missing": len(missing),
            "commands": len(runbook),
            "broken_commands": broken,
        },
        faults=tuple(faults),
    )


DRILL = Drill(
    name="ownership",
    without=Protection.NAMES,
    perform=perform,
    shown=("missing", "names missing"),
)
