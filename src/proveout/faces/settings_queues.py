"""Queues of reviews, and groups of people: what `proveout.toml` says of the review desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.duration import shown
from proveout.domain.review import OnExpiry, SelfApproval
from proveout.domain.review_queue import CLAIM_LEASE, Queue, WhenFull

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.faces.settings_reader import Reader

LONGEST_REASON = 60
"""Characters of a reason's code."""


def read_queues(root: Reader) -> tuple[Queue, ...]:
    """Return every queue of the file, in its order.

    Raises:
        SettingsMistake: one of them is not what it must be.
    """
    return tuple(_queue(name, row) for name, row in root.named("review"))


def read_groups(root: Reader) -> Mapping[str, tuple[str, ...]]:
    """Return the people of every group of the file.

    Raises:
        SettingsMistake: one of them names nobody.
    """
    groups: dict[str, tuple[str, ...]] = {}
    for name, row in root.named("groups"):
        groups[name] = row.texts("people")
        if not groups[name]:
            raise row.mistake(
                f"the group {shown(name)} has nobody in it",
                "people",
                why="nobody could decide what is for that group",
                fix=(row.example("people"),),
            )
    return groups


def _queue(name: str, row: Reader) -> Queue:
    return Queue(
        name=name,
        people=row.texts("people"),
        four_eyes=row.is_true("four_eyes"),
        self_approval=SelfApproval(row.choice("self_approval") or SelfApproval.EDITS),
        within=row.duration("within"),
        on_expiry=OnExpiry(row.choice("on_expiry") or OnExpiry.PARK),
        sample=row.part("sample"),
        seed=row.text("seed"),
        reasons=_reasons(row),
        most_open=row.whole("most_open"),
        when_full=WhenFull(row.choice("when_full") or WhenFull.SLOW),
        most_each=row.whole("most_each"),
        lease=row.duration("lease") or CLAIM_LEASE,
    )


def _reasons(row: Reader) -> tuple[str, ...]:
    reasons = row.texts("reasons")
    for at, reason in enumerate(reasons):
        if not 0 < len(reason) <= LONGEST_REASON or reason in reasons[:at]:
            raise row.mistake(
                f"{shown(reason)} cannot be a reason",
                "reasons",
                at,
                why=f"each is said once, in 1 to {LONGEST_REASON} characters",
                fix=(row.example("reasons"),),
            )
    return reasons
