"""Measuring: which objectives and rules do not hold at this moment."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.alert import Rule
from proveout.domain.release import WORKFLOW_SCOPE, Stage
from proveout.errors import Outage
from proveout.ports.measure import Judged, Spent
from proveout.run.schedule import tick_key
from proveout.watch.burn import BURNS, LEAST, WINDOWS, Counted, burning
from proveout.watch.count import dying, failing, models_down, spending
from proveout.watch.stale import does_not_pass, last_tick, nobody_works, nothing_arrives
from proveout.watch.worth import live_worth, losing

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.alert import Breach, Objective
    from proveout.domain.criterion import Worth
    from proveout.domain.money import Usd
    from proveout.ports.measure import Measured
    from proveout.ports.store import Store
    from proveout.watch.stale import Arrivals, Synthetic
    from proveout.watch.worth import LiveWorth

NEVER_LATE = timedelta(days=36_525)
"""What a run may take where no objective says."""

OFTEN = 600
"""A window is counted again when so much of it has passed, or a moment."""

MOMENT = timedelta(seconds=5)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
MODELS_WINDOW = timedelta(minutes=5)
LOOK_BACK = timedelta(days=3)
"""How far back the last runs are looked for that are judged one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What production must hold.

    Attributes:
        objectives: shares of runs and of reviews that must be good.
        within: the time in which a run must be done, without people.
        cost: the most that a run may cost on average; None for any.
        worth: how an experiment values a case; None where none does.
    """

    workflow: str
    objectives: tuple[Objective, ...] = ()
    within: timedelta = NEVER_LATE
    cost: Usd | None = None
    arrivals: Arrivals | None = None
    synthetic: Synthetic | None = None
    worth: Worth | None = None


@dataclass(slots=True)
class Gauges:
    """The figures that rules are judged by; what is dear to count is counted less often."""

    store: Store
    rules: Rules
    _counted: dict[timedelta, tuple[datetime, Measured]] = field(
        default_factory=dict[timedelta, "tuple[datetime, Measured]"]
    )
    _money: tuple[datetime | None, Spent] = (None, Spent())
    _said: tuple[datetime | None, Judged] = (None, Judged())

    async def breaches(self, now: datetime) -> list[Breach]:
        """Return every rule that does not hold now; none before production."""
        pointer = await self.store.pointer(self.rules.workflow)
        if pointer.stage is not Stage.PRODUCTION:
            return []
        found = [*await self._of_runs(now), *await self._of_flow(now, pointer.changed)]
        return [one for one in found if one is not None]

    async def burns(self, now: datetime) -> dict[Rule, dict[timedelta, float]]:
        """Return how fast the budget of each objective is used, window by window."""
        windows = {window: await self._measured(window, now) for window in WINDOWS}
        return {
            one.rule: {w: counted(one, m).burn(one.target) for w, m in windows.items()}
            for one in self.rules.objectives
        }

    async def worth(self, now: datetime) -> LiveWorth | None:
        """Return what live runs are worth; None where no experiment asks for it."""
        if self.rules.worth is None:
            return None
        return live_worth(self.rules.worth, await self._judged(now), await self._spent(now))

    async def _measured(self, window: timedelta, now: datetime) -> Measured:
        at, found = self._counted.get(window, (None, None))
        if at is None or found is None or now - at >= max(MOMENT, window / OFTEN):
            rules = self.rules
            found = await self.store.measured(rules.workflow, now - window, rules.within)
            self._counted[window] = now, found
        return found

    async def _spent(self, now: datetime) -> Spent:
        at, found = self._money
        if at is None or now - at >= DAY / OFTEN:
            found = await self.store.spent(self.rules.workflow, now - DAY)
            self._money = now, found
        return found

    async def _judged(self, now: datetime) -> Judged:
        at, found = self._said
        if at is None or now - at >= MONTH / OFTEN:
            with suppress(Outage):  # it is the dearest of all, and no other rule waits for it
                found = await self.store.judged(self.rules.workflow, now - MONTH)
            self._said = now, found
        return found

    async def _of_runs(self, now: datetime) -> list[Breach | None]:
        rules = self.rules
        windows = {window: await self._measured(window, now) for window in WINDOWS}
        found = [
            burning(one, {window: counted(one, m) for window, m in windows.items()})
            for one in rules.objectives
        ]
        hour = windows[BURNS[0].long]
        has_share = any(one.rule is Rule.RUNS for one in rules.objectives) and hour.ended >= LEAST
        if not has_share:  # no objective, or too little for one: one by one
            newest = await self.store.newest_outcomes(rules.workflow, now - LOOK_BACK, 10)
            found.append(failing(newest))
        found.append(dying(hour))
        if rules.cost is not None:
            found.append(spending(await self._spent(now), rules.cost))
        live = await self.worth(now)
        found.append(None if live is None else losing(live))
        return found

    async def _of_flow(self, now: datetime, since: datetime | None) -> list[Breach | None]:
        store, rules = self.store, self.rules
        found = [models_down(await store.model_health(now - MODELS_WINDOW), MODELS_WINDOW)]
        if any(one.scope == WORKFLOW_SCOPE for one in await store.halts(rules.workflow)):
            return found  # a person stopped it, and knows
        within = rules.within if rules.within < NEVER_LATE else timedelta(0)
        found.append(nobody_works(await store.oldest_queued(rules.workflow), within, now))
        if rules.arrivals is not None:
            newest = await store.newest_arrival(rules.workflow, self._own_keys())
            found.append(nothing_arrives(rules.arrivals, newest, now, since))
        if rules.synthetic is not None:
            found.append(await self._synthetic(rules.synthetic, now))
        return found

    def _own_keys(self) -> str:
        """Return how the keys begin of what we send ourselves to see whether it comes through."""
        synthetic = self.rules.synthetic
        return "" if synthetic is None else f"schedule:{synthetic.schedule.name}:"

    async def _synthetic(self, synthetic: Synthetic, now: datetime) -> Breach | None:
        name = synthetic.schedule.name
        known = (await self.store.ticked(self.rules.workflow)).upto.get(name)
        # The one before is judged until the newest has had its time.
        tick = last_tick(synthetic.schedule, now - synthetic.within)
        if tick is None or known is None:
            return None
        run = await self.store.run_by_key(self.rules.workflow, tick_key(name, tick))
        return does_not_pass(synthetic, tick, run, now) if run or tick <= known else None


def counted(objective: Objective, measured: Measured) -> Counted:
    """Return what an objective counts: all, and what was not good."""
    if objective.rule is Rule.REVIEWS:
        return Counted(measured.reviews, measured.expired)
    return Counted(measured.ended, measured.failed + measured.late)
