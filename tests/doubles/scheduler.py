"""A scheduler in a process of its own, on a store whose time flies.

python -m doubles.scheduler URL '{"began": …, "speed": …, "ticks": …}' whole
python -m doubles.scheduler URL '{"began": …, "speed": …, "ticks": …}' naive
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from doubles.stores import SQLITE, open_url
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock, SystemIds
from proveout.domain.schedule import Missed, Schedule
from proveout.domain.unit import Done, Enqueue, Tick, UnitId
from proveout.run.schedule import fire

if TYPE_CHECKING:
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.store import Store

WORKFLOW = "answers"
START = datetime(2026, 3, 1, tzinfo=UTC)
EVERY_MINUTE = Schedule(name="often", cron="* * * * *", missed=Missed.ALL)


@dataclass(frozen=True)
class Flight:
    """How time flies: from `began`, in real seconds since 1970, so many times as fast.

    It stands still before, and once the last of so many ticks, one a minute, has come.
    """

    began: float
    speed: float
    ticks: int

    @property
    def end(self) -> datetime:
        """The moment of the last tick."""
        return START + timedelta(minutes=self.ticks)

    def to_json(self) -> str:
        """Return it as the argument of a process."""
        return json.dumps(asdict(self))


class FlyingClock(SystemClock):
    """Waits in real time; its moments fly."""

    def __init__(self, flight: Flight) -> None:
        self._flight = flight

    def now(self) -> datetime:
        flown = max(0.0, time.time() - self._flight.began) * self._flight.speed
        return min(self._flight.end, START + timedelta(seconds=flown))


async def let_fly(url: str, flight: Flight) -> None:
    """Have a server's own clock fly as well; one in a file has no clock."""
    if url.startswith(SQLITE):
        return
    link = await Server.at(url).connect("clock")
    await link.execute(
        "CREATE OR REPLACE FUNCTION proveout.moment() RETURNS timestamptz LANGUAGE sql VOLATILE"  # noqa: S608
        f" AS $$ SELECT least('{flight.end.isoformat()}'::timestamptz,"
        f" '{START.isoformat()}'::timestamptz + make_interval(secs => {flight.speed} * greatest(0,"
        f" extract(epoch FROM clock_timestamp())::float8 - {flight.began!r}))) $$"
    )
    await part(link)


class Naive:
    """A store on which a tick is entered without its key, and moved without comparing."""

    def __init__(self, inside: Store) -> None:
        self._inside = inside

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)

    async def write(self, unit: Unit) -> Answered:
        assert isinstance(unit, Tick)
        ids = SystemIds()
        for run in unit.runs:
            entered = Enqueue(id=UnitId(ids.new()), run=replace(run, key=None))
            await self._inside.write(entered)
        now = (await self._inside.ticked(unit.workflow)).upto.get(unit.name)
        await self._inside.write(replace(unit, since=now, runs=()))
        return Done()


async def main(url: str, flight: Flight, manner: str) -> None:
    """Fire until the last tick has come."""
    store = await open_url(url, FlyingClock(flight))
    seen: Any = Naive(store) if manner == "naive" else store
    fired = 0
    while (await store.ticked(WORKFLOW)).upto.get(EVERY_MINUTE.name) != flight.end:
        fired += len(await fire(seen, SystemIds(), WORKFLOW, [EVERY_MINUTE]))
    await store.close()
    print(fired, flush=True)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Flight(**json.loads(sys.argv[2])), sys.argv[3]))
