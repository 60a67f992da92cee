"""Writing inside the caller's own transaction, on the caller's own connection.

The errors of the caller's driver come out as they are, because it is the caller who rolls
back or tries again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from proveout.adapters.postgres.bell import CHANNEL
from proveout.adapters.postgres.elsewhere import Elsewhere
from proveout.adapters.postgres.guests import guest
from proveout.adapters.postgres.hosts import SCHEMA
from proveout.adapters.postgres.units import apply
from proveout.adapters.postgres.wire import Server, Unsettled
from proveout.domain.record import Kind
from proveout.domain.unit import Enqueue, Enqueued, Full, KeyTaken
from proveout.errors import Mistake

if TYPE_CHECKING:
    from proveout.adapters.postgres.wire import Link
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.store import Records

TRIES = 5
"""How often a run is entered again when the one that had its key was rolled back meanwhile."""

PLACE = (
    "SELECT current_database() AS database,"
    " has_schema_privilege(to_regnamespace('proveout')::oid, 'USAGE') AS usable"
)

IDENTITY = "SELECT proveout.identity() AS id"
"""Asked of a function, since nobody else need read the records beside it."""

RING = "SELECT pg_notify($1, '')"
"""The server rings at the commit, and not at all if there is none."""


class Joined:
    """Writes runs inside the transaction that a connection of the caller's is in.

    A run is there when the caller commits, and never was when he rolls back.
    """

    def __init__(self, connection: object, url: str, store: Records) -> None:
        """Write on `connection` into the schema of `store`, which is at `url`.

        Raises:
            Mistake: it is no connection that we know.
        """
        self._connection = connection
        self._server = Server.at(url)
        self._store = store

    async def write(self, unit: Unit) -> Answered:
        if not isinstance(unit, Enqueue):
            raise Mistake("only new runs are written inside a caller's transaction")
        link = cast("Link", await guest(self._connection))
        if self._server.schema != SCHEMA:
            link = cast("Link", Elsewhere(link, SCHEMA, self._server.schema))
        await self._check_place(link)
        answer = await self._enter(link, unit)
        if isinstance(answer, Enqueued) and answer.created:
            await link.fetch(RING, CHANNEL)
        return answer

    async def _check_place(self, link: Link) -> None:
        """Leave quietly when the connection is to our store's own database."""
        [place] = await link.fetch(PLACE)
        if place["usable"] is False:
            raise self._without_rights()
        rows = await link.fetch(IDENTITY) if place["usable"] else []
        if [row["id"] for row in rows] != [await self._store.record(Kind.STORE, "id")]:
            raise Mistake(
                f'the connection is to database "{place["database"]}", which is not the store\'s',
                why=f"the store is at {self._server.place}; one transaction is in one database",
                fix=(
                    "pass a connection to the store's own database",
                    "enqueue without connection=, after the commit",
                ),
            )

    def _without_rights(self) -> Mistake:
        schema = self._server.schema
        return Mistake(
            f'the connection\'s user has no right to use the schema "{schema}"',
            why="the run is written as the user of the caller's transaction",
            fix=(
                f"GRANT USAGE ON SCHEMA {schema} TO …",
                f"GRANT SELECT, INSERT ON {schema}.runs TO …",
                f"GRANT USAGE ON SEQUENCE {schema}.run_order TO …",
            ),
        )

    async def _enter(self, link: Link, unit: Enqueue) -> Enqueued | KeyTaken | Full:
        for _ in range(TRIES):
            try:
                [answer] = await apply(link, [unit])
            except Unsettled:
                continue
            assert isinstance(answer, Enqueued | KeyTaken | Full)  # noqa: S101 - a new run gets these
            return answer
        raise Mistake(f'the key "{unit.run.key}" is taken and given back all the time')
