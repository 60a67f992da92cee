"""Pages of what is held whole: the part that follows a cursor, and the cursor of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from proveout.faces.project import NoSuch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

MOST = 100
"""Entries of one page."""


def page(
    found: Sequence[T], name: Callable[[T], str], cursor: str | None, limit: int
) -> tuple[Sequence[T], str | None]:
    """Return up to `limit` of `found` after the one called `cursor`, and the next cursor.

    Raises:
        NoSuch: nothing is called that.
    """
    start = 0
    if cursor is not None:
        names = [name(one) for one in found]
        if cursor not in names:
            raise NoSuch("there is no such page", fix=("begin without a cursor",))
        start = names.index(cursor) + 1
    part = found[start : start + limit]
    is_last = start + limit >= len(found)
    return part, None if is_last else name(part[-1])
