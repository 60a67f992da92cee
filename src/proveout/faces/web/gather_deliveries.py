"""From the store to the pages: what arrived from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.faces.project import NoSuch
from proveout.faces.web.deliveries import DeliveriesPage, DeliveryPage, DeliveryRow
from proveout.faces.web.gather import MOST
from proveout.run.receive import run_key

if TYPE_CHECKING:
    from proveout.domain.delivery import Delivery
    from proveout.faces.project import Project

NAMED = 255
"""Characters of a name that can be asked for."""

HIDDEN = "…"
"""What stands for a header that signs or identifies: whoever has it could send it again."""

SIGNING = ("signature", "authorization", "cookie", "token", "secret", "hmac", "key")
"""Parts of the names of such headers."""


async def deliveries_page(
    project: Project, source: str, after: tuple[str, str] | tuple[()]
) -> DeliveriesPage:
    """Return a page of deliveries, the newest first; of one source, or of all."""
    for name in (source, *after):
        _check(name)
    found = await project.store.deliveries(source or None, MOST + 1, before=after or None)
    last = found[MOST - 1] if len(found) > MOST else None
    return DeliveriesPage(
        rows=tuple(_row(one) for one in found[:MOST]),
        source=source,
        sources=tuple(one.name for one in project.settings.sources),
        before=after,
        older=() if last is None else (last.source, last.event),
    )


def _check(name: str) -> None:
    if not name.isprintable() or len(name) > NAMED:
        raise NoSuch("there is no such delivery", fix=("begin at the newest",))


def _row(one: Delivery) -> DeliveryRow:
    return DeliveryRow(
        source=one.source,
        event=one.event,
        type=one.type,
        received=one.received,
        is_test=one.is_test,
        size=len(one.body),
        is_pruned=not one.body,
    )


async def delivery_page(project: Project, source: str, event: str) -> DeliveryPage:
    """Return one delivery with the run that it asked for.

    Raises:
        NoSuch: nothing arrived under that event of that source.
    """
    for name in (source, event):
        _check(name)
    found = await project.store.delivery(source, event)
    if found is None:
        raise NoSuch("there is no such delivery", fix=("begin at the newest",))
    run = await project.store.run_by_key(project.name, run_key(source, event))
    return DeliveryPage(
        row=_row(found),
        headers=tuple((name, _harmless(name, value)) for name, value in found.headers),
        body=found.body.decode("utf-8", "replace"),
        run="" if run is None else run.id,
        state=None if run is None else run.state,
    )


def _harmless(name: str, value: str) -> str:
    return HIDDEN if any(part in name.lower() for part in SIGNING) else value
