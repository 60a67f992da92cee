"""From the store to the pages: what serves, all releases, and how the pointer moved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proveout.domain.release import InFlight
from proveout.errors import Refusal
from proveout.faces.web.gather import MOST, name_in, names_of
from proveout.faces.web.gather_canary import canary_card
from proveout.faces.web.overview import InFlightRow, ServingCard
from proveout.faces.web.releases import PointerMove, ReleaseRow, ReleasesPage
from proveout.release.route import CANARY, Past, history, life, rolled_back

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.release import Pointer, Release
    from proveout.faces.project import Project
    from proveout.faces.web.visit import Console
    from proveout.release.route import PointerMove as Move
    from proveout.release.route import Way

NOTHING = InFlight(runs=0)

RECENT = 1_000
"""Entries of the ledger in which the moves of the pointer are looked for."""


async def moves_of(project: Project) -> tuple[list[Move], list[LedgerEntry]]:
    """Return the latest moves of the pointer, the newest first, each with its entry."""
    entries = await project.store.ledger(limit=RECENT)
    moves = history(entries, project.name)
    numbers = {move.seq for move in moves}
    return moves, [one for one in entries if one.seq in numbers]


async def serving_card(project: Project, pointer: Pointer, moves: Sequence[Move]) -> ServingCard:
    """Return what serves now, and the way back from it."""
    if pointer.stable is None:
        made = await project.store.releases(project.name)
        newest = max(made, key=lambda one: one.number, default=None)
        return ServingCard(waiting="" if newest is None else newest.name)
    names = await names_of(project)
    way = way_back(pointer, moves)
    bad = way.bad if way else pointer.canary.release if pointer.canary else pointer.stable
    flying = await project.store.in_flight(project.name, bad)
    now = project.bench.clock.now()
    canary = pointer.canary
    return ServingCard(
        stable=name_in(names, pointer.stable),
        canary="" if canary is None else name_in(names, canary.release),
        share=0.0 if canary is None else canary.share.fraction,
        since=pointer.changed,
        back_to=name_in(names, way.to) if way else "",
        in_flight=InFlightRow(
            release=name_in(names, bad), runs=flying.runs, oldest=_age(flying, now)
        ),
    )


def way_back(pointer: Pointer, moves: Sequence[Move]) -> Way | None:
    """Return where a rollback would lead, or None where nowhere is known."""
    try:
        return rolled_back(pointer, Past.of(moves))
    except Refusal:
        return None


async def releases_page(console: Console, pointer: Pointer) -> ReleasesPage:
    """Return the newest releases, and how the pointer moved among them."""
    project = console.project
    moves, entries = await moves_of(project)
    served = {one for move in moves for one in (move.stable, move.canary) if one}
    releases = sorted(await project.store.releases(project.name), key=lambda one: -one.number)
    rows = [await release_row(project, one, pointer, served) for one in releases[:MOST]]
    return ReleasesPage(
        serving=await serving_card(project, pointer, moves),
        rows=tuple(rows),
        history=tuple(told(moves[:MOST], entries[:MOST], await names_of(project))),
        canary=await canary_card(console, moves),
        candidates=()
        if pointer.stable is None or pointer.canary is not None
        else tuple(one.name for one in rows if one.state != "STABLE"),
    )


async def release_row(
    project: Project, one: Release, pointer: Pointer, served: set[str]
) -> ReleaseRow:
    """Return a release with where it stands; `served` are the digests of all that ever did."""
    # Only what has served can have runs; of the others nobody needs to count any.
    is_known = one.digest in served or one.digest in pointer.live
    flying = await project.store.in_flight(project.name, one.digest) if is_known else NOTHING
    return ReleaseRow(
        name=one.name,
        digest=one.digest,
        created=one.created,
        by=one.by,
        state=life(one, pointer, flying, has_served=one.digest in served).upper(),
        share=_share(one, pointer),
        in_flight=flying.runs,
        oldest=_age(flying, project.bench.clock.now()),
    )


def _share(one: Release, pointer: Pointer) -> float:
    canary = pointer.canary
    if canary is not None and one.digest == canary.release:
        return canary.share.fraction
    if one.digest != pointer.stable:
        return 0.0
    return 1.0 if canary is None else 1 - canary.share.fraction


def _age(flying: InFlight, now: datetime) -> timedelta | None:
    return None if flying.oldest is None else now - flying.oldest


def told(
    moves: Sequence[Move], entries: Sequence[LedgerEntry], names: Mapping[str, str]
) -> list[PointerMove]:
    """Return moves, the newest first, as the page tells them."""
    after = [_serving(move, names) for move in moves]
    before = [*after[1:], ""]
    return [
        PointerMove(
            at=move.at,
            by=move.actor,
            act=f"canary {move.share}" if move.act == CANARY else move.act,
            before=start,
            after=end,
            note=_note(json.loads(entry.facts)),
        )
        for move, entry, start, end in zip(moves, entries, before, after, strict=False)
    ]


def _serving(move: Move, names: Mapping[str, str]) -> str:
    stable = name_in(names, move.stable)
    return f"{stable}, {name_in(names, move.canary)} at {move.share}" if move.canary else stable


def _note(facts: dict[str, Any]) -> str:
    parts = [str(facts["reason"])] if facts.get("reason") else []
    if "treatment" in facts:
        count = int(facts["in_flight"])
        runs = "no run was in flight" if not count else f"{count:,} in flight: {facts['treatment']}"
        parts.append(runs)
    return "; ".join(parts)
