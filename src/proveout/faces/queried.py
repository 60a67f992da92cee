"""Runs by a query, as every face asks for them: the names in it become what a store knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from proveout.domain.release import DRAFT
from proveout.domain.run import RunId
from proveout.ports.store import RunFilter
from proveout.release.create import named
from proveout.run.query import parse

if TYPE_CHECKING:
    from proveout.ports.store import Releases
    from proveout.run.query import RunQuery

FIRST = datetime(1970, 1, 2, tzinfo=UTC)
"""Nothing was created before."""


async def asked_for(
    store: Releases,
    text: str,
    workflow: str | None,
    now: datetime,
    *,
    before: str = "",
    limit: int = 100,
) -> RunFilter:
    """Return which runs a query asks for; of `workflow` where it names none, None for all.

    Raises:
        BadQuery: it cannot be read.
        NoSuchRelease: no release of the workflow is called that.
    """
    query = parse(text)
    name = query.workflow or workflow
    return RunFilter(
        states=query.states,
        workflow=name,
        release=await _release(store, name, query.release),
        created=_created(query, now),
        error=query.error,
        id=RunId(query.id) if query.id else None,
        key=query.key or None,
        before=RunId(before) if before else None,
        limit=limit,
    )


async def _release(store: Releases, workflow: str | None, name: str) -> str | None:
    if not name or name == DRAFT:
        return name or None
    return named(await store.releases(workflow), name).digest


def _created(query: RunQuery, now: datetime) -> datetime | None:
    if query.since is None:
        return None
    since = now - query.since if isinstance(query.since, timedelta) else query.since
    return max(since, FIRST)
