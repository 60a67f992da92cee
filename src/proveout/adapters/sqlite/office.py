"""What a SQLite store knows of releases, the ledger, records and deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proveout.adapters.rows import (
    to_delivery,
    to_halt,
    to_ledger_entry,
    to_pointer,
    to_release,
)
from proveout.adapters.sqlite.moments import micros, moment
from proveout.domain.release import InFlight, Pointer
from proveout.domain.run import RunState

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from proveout.domain.delivery import Delivery
    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.record import Kind
    from proveout.domain.release import Halt, Release, ReleaseDigest

RELEASE = "digest, workflow, number, manifest, code, environment, created, author"


class Reader(Protocol):
    """Reads rows."""

    async def _one(self, sql: str, *values: object) -> sqlite3.Row | None: ...

    async def _all(self, sql: str, *values: object) -> list[sqlite3.Row]: ...


class Office(Reader):
    """The reading side of decisions; see `ports/store.py` for what each call promises."""

    async def pointer(self, workflow: str) -> Pointer:
        row = await self._one("SELECT * FROM pointers WHERE workflow = ?", workflow)
        return Pointer(workflow=workflow) if row is None else to_pointer(row, moment)

    async def release(self, digest: ReleaseDigest) -> Release | None:
        row = await self._one(f"SELECT {RELEASE} FROM releases WHERE digest = ?", digest)  # noqa: S608
        return None if row is None else to_release(row, moment)

    async def releases(self, workflow: str | None = None) -> list[Release]:
        rows = await self._all(
            f"SELECT {RELEASE} FROM releases WHERE ?1 IS NULL OR workflow = ?1"  # noqa: S608
            " ORDER BY workflow, number",
            workflow,
        )
        return [to_release(row, moment) for row in rows]

    async def archive(self, digest: ReleaseDigest) -> bytes | None:
        row = await self._one("SELECT archive FROM releases WHERE digest = ?", digest)
        return None if row is None else row["archive"]

    async def settings(self, digest: ReleaseDigest) -> bytes | None:
        row = await self._one("SELECT settings FROM releases WHERE digest = ?", digest)
        return None if row is None else row["settings"]

    async def halts(self, workflow: str) -> list[Halt]:
        rows = await self._all(
            "SELECT * FROM halts WHERE workflow = ? ORDER BY since, scope", workflow
        )
        return [to_halt(row, moment) for row in rows]

    async def in_flight(self, workflow: str, release: str) -> InFlight:
        row = await self._one(
            "SELECT count(*) AS runs, min(created) AS oldest,"
            " count(*) FILTER (WHERE state = 'PARKED') AS parked FROM runs WHERE release = ?"
            " AND workflow = ? AND state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED')",
            release,
            workflow,
        )
        assert row is not None  # noqa: S101 - an aggregate always has its row
        oldest = None if row["oldest"] is None else moment(row["oldest"])
        return InFlight(runs=row["runs"], oldest=oldest, parked=row["parked"])

    async def tally(self, workflow: str, since: datetime) -> dict[tuple[str, RunState], int]:
        rows = await self._all(
            "SELECT release, state, count(*) AS runs FROM runs WHERE workflow = ?"
            " AND updated >= ? AND state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED')"
            " AND release IS NOT NULL GROUP BY release, state",
            workflow,
            micros(since),
        )
        return {(row["release"], RunState(row["state"])): row["runs"] for row in rows}

    async def oldest_queued(self, workflow: str) -> datetime | None:
        row = await self._one(
            "SELECT min(due) AS due FROM runs WHERE state = 'QUEUED' AND experiment IS NULL"
            " AND workflow = ?",
            workflow,
        )
        return None if row is None or row["due"] is None else moment(row["due"])

    async def head(self) -> LedgerEntry | None:
        row = await self._one("SELECT * FROM ledger ORDER BY seq DESC LIMIT 1")
        return None if row is None else to_ledger_entry(row, moment)

    async def ledger(self, before: int | None = None, limit: int = 100) -> list[LedgerEntry]:
        rows = await self._all(
            "SELECT * FROM ledger WHERE ?1 IS NULL OR seq < ?1 ORDER BY seq DESC LIMIT ?2",
            before,
            limit,
        )
        return [to_ledger_entry(row, moment) for row in rows]

    async def whole_ledger(self) -> list[LedgerEntry]:
        rows = await self._all("SELECT * FROM ledger ORDER BY seq")
        return [to_ledger_entry(row, moment) for row in rows]

    async def record(self, kind: Kind, name: str) -> bytes | None:
        row = await self._one("SELECT body FROM records WHERE kind = ? AND name = ?", kind, name)
        return None if row is None else row["body"]

    async def records(self, kind: Kind) -> dict[str, bytes]:
        rows = await self._all("SELECT name, body FROM records WHERE kind = ? ORDER BY name", kind)
        return {row["name"]: row["body"] for row in rows}

    async def delivery(self, source: str, event: str) -> Delivery | None:
        row = await self._one(
            "SELECT * FROM deliveries WHERE source = ? AND event = ?", source, event
        )
        return None if row is None else to_delivery(row, moment)

    async def deliveries(
        self,
        source: str | None = None,
        limit: int = 100,
        *,
        before: tuple[str, str] | None = None,
    ) -> list[Delivery]:
        older = " AND seq < (SELECT seq FROM deliveries WHERE source = ?3 AND event = ?4)"
        rows = await self._all(
            "SELECT * FROM deliveries WHERE (?1 IS NULL OR source = ?1)"  # noqa: S608 - our own words only
            f"{older if before else ''} ORDER BY seq DESC LIMIT ?2",
            source,
            limit,
            *(before or ()),
        )
        return [to_delivery(row, moment) for row in rows]
