"""Every drill of the bar, by the name of its claim."""

from __future__ import annotations

from proveout.ready.drills import (
    access,
    duplicates,
    escalation,
    halt,
    observability,
    ownership,
    poison,
    review,
    rollback,
    signal,
    store_restart,
    worker_loss,
)

DRILLS = {
    module.DRILL.name: module.DRILL
    for module in (
        signal,
        worker_loss,
        store_restart,
        duplicates,
        poison,
        review,
        escalation,
        rollback,
        halt,
        access,
        observability,
        ownership,
    )
}
