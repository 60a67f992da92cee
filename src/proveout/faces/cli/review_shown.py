"""A review as text: what is to be decided, whole, and what speaks against it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proveout.faces.cli.output import answer, clean, faint, paint, sign, strong

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.review import Review

MINUTE = 60


def deadline(one: Review) -> str:
    """Return until when it waits."""
    return "none" if one.deadline is None else f"{one.deadline.astimezone():%Y-%m-%d %H:%M %Z}"


def left(one: Review, now: datetime) -> str:
    """Return how much time is left, as a clock shows it."""
    if one.deadline is None:
        return "no deadline"
    seconds = max(0, int((one.deadline - now).total_seconds()))
    return f"{seconds // MINUTE}:{seconds % MINUTE:02} left"


def show(one: Review) -> None:
    """Print a review: where it stands, what speaks against the draft, and the draft."""
    answer(f"{strong(one.id)}  {one.queue} · {one.state} · run {one.run}")
    answer(f"  deadline  {deadline(one)}")
    answer(f"  digest    {faint(one.digest)}")
    for name, words in about(one):
        answer(f"  {name:<9} {clean(words)}")
    findings(one)
    answer()
    draft(one)


def about(one: Review) -> list[tuple[str, str]]:
    """Return what is known of a review beside its content, by name."""
    terms, answered = one.terms, one.answer
    said = [
        ("sure", "" if terms.confidence is None else f"{terms.confidence:.2f}"),
        ("for", ", ".join(one.groups)),
        ("asked by", terms.requester),
        ("assigned", one.assigned_to),
        ("claimed", one.claimed_by),
        ("edited", one.edited_by),
        ("approved", f"{one.approved_by}, the first of two" if one.approved_by else ""),
        ("escalated", f"{one.escalated_by}: {one.escalated_why}" if one.escalated else ""),
        ("decided", "" if answered is None else f"by {answered.by} {answered.code}".rstrip()),
    ]
    return [(name, words) for name, words in said if words]


def findings(one: Review) -> None:
    """Print what still speaks against the draft, with the words that it is about."""
    for found in one.open_findings:
        mark = sign("no") if found.blocking else sign("warn")
        title = paint(clean(found.title), "red" if found.blocking else "yellow")
        words = "" if one.is_pruned else clean(found.marked(one.draft))[:60]
        quoted = f'"{words}": ' if words else ""
        answer(f"  {mark} {title}  {quoted}{clean(found.why)}")


def draft(one: Review) -> None:
    """Print what is to be approved."""
    text = "pruned" if one.is_pruned else as_text(one.content)
    answer("\n".join(f"  {clean(line)}" for line in text.splitlines()))


def as_text(content: bytes) -> str:
    """Return a content as people read it."""
    return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
