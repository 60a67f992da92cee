"""Saying: what a channel is told."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.alert import Notice, NoticeKind, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from proveout.domain.alert import Told

MOST = 10
"""Subjects that one notice tells of one by one."""


class About(NamedTuple):
    """A subject as somebody is told of it.

    Attributes:
        told: which tier of which round that is.
    """

    subject: str
    kind: NoticeKind
    severity: Severity
    title: str
    detail: str
    told: Told


def notices(workflow: str, about: Iterable[About], now: datetime) -> list[Notice]:
    """Return one notice for each channel and kind, whatever it has to be told of.

    The id follows from what is told to whom: the same is the same notice, however often it
    is thought of.
    """
    groups: dict[tuple[str, bool], list[About]] = {}
    for one in about:
        groups.setdefault((one.told.to, one.kind is NoticeKind.RESOLVED), []).append(one)
    return [_notice(workflow, group, now) for group in groups.values()]


def _notice(workflow: str, group: Sequence[About], now: datetime) -> Notice:
    first = group[0]
    is_page = any(one.severity is Severity.PAGE for one in group)
    severity = Severity.PAGE if is_page else Severity.TICKET
    kind = first.kind
    word = "resolved" if kind is NoticeKind.RESOLVED else severity.value
    more = f", and {len(group) - 1} more" if len(group) > 1 else ""
    lines = [f"{one.title}\n{one.detail}".strip() for one in group[:MOST]]
    if len(group) > MOST:
        lines.append(f"and {len(group) - MOST} more")
    return Notice(
        id=_id(group),
        to=first.told.to,
        kind=kind,
        severity=severity,
        title=f"[{word}] {workflow}: {first.title}{more}",
        body="\n\n".join(lines),
        subjects=tuple(one.subject for one in group),
        created=now,
    )


def _id(group: Sequence[About]) -> str:
    parts = sorted((one.kind, one.subject, one.told.loop, one.told.tier) for one in group)
    words = json.dumps([group[0].told.to, parts])
    return hashlib.sha256(words.encode()).hexdigest()[:16]
