"""Uses: when each key and each session was last shown."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.access import Used
from proveout.domain.record import Kind, decode, encode
from proveout.domain.unit import Keep, Put, UnitId
from proveout.errors import Outage

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.release.decide import Office

EXACT = timedelta(minutes=1)
"""How exactly it is kept; noting each use would cost a commit for each request."""


class Uses:
    """Notes uses beside what is used, so that no note can bring back what was revoked."""

    def __init__(self, office: Office) -> None:
        """Note uses in the store of `office`."""
        self._office = office
        self._noted: dict[str, datetime] = {}

    async def note(self, hash_: str) -> None:
        """Note that what has this hash was used now, unless that was noted within a minute.

        A store that cannot be written keeps nobody out.
        """
        now = self._office.clock.now()
        noted = self._noted.get(hash_)
        if noted is not None and now - noted < EXACT:
            return
        self._noted[hash_] = now
        keep = Keep(kind=Kind.USED, name=hash_, body=encode(Used(at=now)))
        with suppress(Outage):
            await self._office.store.write(Put(id=UnitId(self._office.ids.new()), keeps=(keep,)))

    async def last(self, hash_: str) -> datetime | None:
        """Return when what has this hash was last used; None where it never was."""
        body = await self._office.store.record(Kind.USED, hash_)
        return None if body is None else decode(Used, body).at

    async def all(self) -> dict[str, datetime]:
        """Return when each was last used, by hash."""
        found = await self._office.store.records(Kind.USED)
        return {name: decode(Used, body).at for name, body in found.items()}


def unused(hash_: str) -> Keep:
    """Return what forgets the uses of what has this hash."""
    return Keep(kind=Kind.USED, name=hash_, body=None)
