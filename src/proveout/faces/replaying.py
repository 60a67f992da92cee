"""Replaying as every face asks for it: on which input, on which release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proveout.domain.release import DRAFT
from proveout.errors import Refusal
from proveout.release.create import named
from proveout.run.payload import to_json
from proveout.run.replay import last_replays

if TYPE_CHECKING:
    from proveout.ports.store import Releases, RunFilter, Store


class NotServing(Refusal):
    """The release gets no new run, so none can be pinned to it."""

    code = "not-serving"


async def run_again(store: Store, which: RunFilter) -> int:
    """Return how many of these dead letters somebody has run again, and not in vain so far."""
    dead = await store.runs(which)
    last = await last_replays(store, dead)
    return sum(one.id in last and last[one.id].id != one.id for one in dead)


async def release_to_replay_on(store: Releases, workflow: str, name: str | None) -> str | None:
    """Return what a replay is marked with, so that only workers of that release claim it.

    A release that was never let through the gate, or was taken back, gets no run this way
    either. None stays None: the pointer decides.

    Raises:
        NoSuchRelease: no release of the workflow is called that.
        NotServing: it is neither the stable release nor the canary, and not the draft.
    """
    if name is None or name == DRAFT:
        return name
    release = named(await store.releases(workflow), name)
    pointer = await store.pointer(workflow)
    if release.digest not in pointer.live:
        raise NotServing(
            f"{release.name} gets no new run of {workflow}",
            why="it was taken back, or never let through the gate",
            fix=(
                "proveout release list",
                f"proveout promote {release.name}",
                "--release draft    runs it on the working tree",
            ),
        )
    return release.digest


def edited_input(value: bytes) -> bytes:
    """Return an edited input as it is kept: in canonical JSON, so that the same is the same."""
    return to_json(json.loads(value), "the input", canonical=True)
