"""From the store to the pages: what is known of the canary, and the shares on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.release import Share
from proveout.faces.cli.canary import foreseen
from proveout.faces.web.gather import name_in, names_of
from proveout.faces.web.releases import CanaryCard, Rung
from proveout.release.canary import look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proveout.faces.web.visit import Console
    from proveout.release.route import PointerMove

USUAL = (0.01, 0.05, 0.10, 0.25, 0.50, 1.0)
"""Shares that are proposed, where a person has not chosen others."""


async def canary_card(console: Console, moves: Sequence[PointerMove]) -> CanaryCard | None:
    """Return what is known of the canary now; None where there is none."""
    project = console.project
    seen = await look(console.access.office, project.name)
    if seen is None:
        return None
    canary = seen.canary
    share = canary.share.fraction
    foresight = await foreseen(project, Share(points=canary.share.points))
    return CanaryCard(
        release=name_in(await names_of(project), canary.release),
        share=share,
        since=canary.since,
        ladder=ladder(_climbed(moves, canary.release), share),
        requests=seen.requests,
        of_canary=seen.of_canary,
        failures=seen.failures,
        canary_failures=seen.canary_failures,
        evidence=min(1.0, max(0.0, seen.log_e / seen.needed)),
        is_worse=seen.is_worse,
        to_find=int(foresight["requests_to_find_doubling"]),
        hours=foresight["hours_to_find_doubling"],
        hold=canary.hold,
        overdue=seen.overdue,
    )


def _climbed(moves: Sequence[PointerMove], release: str) -> list[tuple[float, datetime]]:
    """Return the shares that a canary had without a break until now, the first first."""
    found: list[tuple[float, datetime]] = []
    for move in moves:  # the newest first
        if move.canary != release or move.share is None:
            break
        found.append((float(move.share.removesuffix("%")) / 100, move.at))
    return found[::-1]


def ladder(climbed: Sequence[tuple[float, datetime]], share: float) -> tuple[Rung, ...]:
    """Return the shares that a canary had, where it stands, and what lies ahead.

    >>> [(one.share, one.status) for one in ladder([], 0.1)][:3]
    [(0.1, 'NOW'), (0.25, 'AHEAD'), (0.5, 'AHEAD')]
    """
    done = [Rung(share=one, status="DONE", at=at) for one, at in climbed[:-1]]
    now = Rung(share=share, status="NOW", at=climbed[-1][1] if climbed else None)
    ahead = [Rung(share=one, status="AHEAD") for one in USUAL if one > share]
    return (*done, now, *ahead)
