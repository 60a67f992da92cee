"""Erasure on request: what a run was about goes, and the ledger keeps that it did."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proveout.domain.ledger import Deed
from proveout.domain.run import input_digest
from proveout.domain.unit import Erase
from proveout.errors import Refusal
from proveout.release.decide import amend
from proveout.run.replay import replay_key

if TYPE_CHECKING:
    from proveout.domain.run import Run, RunId
    from proveout.ports.store import Runs
    from proveout.release.decide import Office

LONGEST_REASON = 2_000
"""Characters of a reason."""


class NotErasable(Refusal):
    """The run has not ended, or a verdict rests on it."""

    code = "not-erasable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was erased.

    Attributes:
        entry: number of the ledger's entry about it.
        input: digest of the input that is gone.
        copies: replays and their first run that still hold the same input.
    """

    entry: int
    input: str
    copies: tuple[RunId, ...]


async def erase(office: Office, run: Run, actor: str, reason: str) -> Erased:
    """Remove the payloads of `run`, in one commit with an entry that holds digests only.

    A run that was pruned before is entered all the same: somebody asked.

    Raises:
        NotErasable: it has not ended, or is a trial.
    """
    if not run.state.is_final:
        raise NotErasable(
            f"run {run.id} is {run.state}",
            why="what goes on still needs what it works on",
            fix=(f"proveout runs cancel {run.id}",),
        )
    if run.trial is not None:
        raise NotErasable(
            f"run {run.id} is a trial",
            why="the verdict of its experiment can be judged again only with it",
            fix=("take the case out of the dataset, and prove again",),
        )
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise NotErasable(
            f"an erasure needs a reason of up to {LONGEST_REASON:,} characters",
            why="whoever audits the ledger will ask for it",
        )
    digest = run.input or input_digest(run.value)
    deed = Deed(actor=actor, act="erase", subject=run.id, facts=_facts(run, digest, reason))
    entry = await amend(office, deed, (Erase(run=run.id),))
    return Erased(entry=entry.seq, input=digest, copies=await _copies(office.store, run))


def _facts(run: Run, digest: str, reason: str) -> dict[str, Any]:
    result = None if run.result is None else hashlib.sha256(run.result).hexdigest()
    return {
        "workflow": run.workflow,
        "state": run.state,
        "input": digest,
        "result": result,
        "reason": reason,
    }


async def _copies(store: Runs, run: Run) -> tuple[RunId, ...]:
    """Return the runs of the same origin that still hold their input."""
    family: list[Run | None] = [await store.run(run.keyed_as)]
    while family[-1] is not None:
        family.append(await store.run_by_key(run.workflow, replay_key(run, len(family))))
    return tuple(
        one.id for one in family if one is not None and one.pruned is None and one.id != run.id
    )
