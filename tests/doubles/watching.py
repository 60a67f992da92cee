"""A watch over triage on one store, its channels a notebook, and time that the test moves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from doubles.channels import Notebook
from doubles.deeds import FIRST, Deeds
from doubles.given import want
from proveout.domain.alert import Manner, Objective, Policy, Rule, Tier
from proveout.domain.release import Stage
from proveout.domain.review import Answer
from proveout.domain.run import RunState
from proveout.watch.deliver import deliver
from proveout.watch.measure import Gauges, Rules
from proveout.watch.tick import Watch, alerts_of, tick

if TYPE_CHECKING:
    from doubles.given import Given
    from proveout.domain.alert import Alert
    from proveout.domain.review import Review
    from proveout.ports.store import Store

MINUTE = timedelta(minutes=1)

RULES = Rules(
    workflow="triage",
    objectives=(Objective(rule=Rule.RUNS, target=0.99),),
    within=MINUTE,
)
POLICY = Policy(
    tiers=(
        Tier(to="ana", after=timedelta(0)),
        Tier(to="ben", after=15 * MINUTE),
        Tier(to="cleo", after=30 * MINUTE),
    )
)
MANNER = Manner(first_wait=timedelta(seconds=30), settled=2 * MINUTE)


class Watched:
    """Triage in production, and whoever keeps watch over it.

    Each look is one of a fresh server: nothing is known but what the store holds.
    """

    def __init__(self, given: Given, **changes: Any) -> None:
        self.given = given
        self.store = given.store
        self.notebook = Notebook()
        self.rules: Rules = changes.get("rules", RULES)
        self.policy: Policy = changes.get("policy", POLICY)
        self.manner: Manner = changes.get("manner", MANNER)

    async def promoted(self) -> Watched:
        """Have a release serve, in production."""
        await Deeds(self.given).move(FIRST, stage=Stage.PRODUCTION)
        return self

    def watch(self, store: Store | None = None) -> Watch:
        store = store or self.store
        return Watch(
            store=store,
            ids=self.given.ids,
            gauges=Gauges(store, self.rules),
            workflow="triage",
            policy=self.policy,
            manner=self.manner,
            channels=frozenset(self.notebook.names),
        )

    async def look(self, store: Store | None = None) -> bool:
        """Look once and hand over what follows; return whether anything was written."""
        wrote = await tick(self.watch(store))
        await self.hand_over(store)
        return wrote

    async def hand_over(self, store: Store | None = None) -> int:
        now = self.given.clock.now()
        return await deliver(store or self.store, self.given.ids, self.notebook, now)

    async def minutes(self, count: float, step: float = 1.0) -> None:
        """Let time pass, and look every `step` minutes."""
        left = count
        while left > 0:
            self.given.clock.advance(min(step, left) * MINUTE)
            left -= step
            await self.look()

    async def ends(self, state: RunState = RunState.DEAD, count: int = 1) -> None:
        """Have runs of the release end."""
        for _ in range(count):
            run = await self.given.queued()
            found = await self.store.claim(want(release=FIRST))
            one = next(one for one in found if one.run.id == run.id)
            await self.store.write(self.given.settle(one, state))

    async def asks(self, **changes: Any) -> Review:
        """Have a run of the release wait for a person."""
        await self.given.queued()
        [one] = await self.store.claim(want(release=FIRST))
        unit = self.given.question(one, **changes)
        await self.store.write(unit)
        await self.store.write(self.given.settle(one, RunState.WAITING))
        assert unit.review is not None
        return unit.review

    async def answered(self, review: Review, *, approved: bool = True) -> None:
        """Have a person decide a review, and its run end."""
        answer = Answer(approved=approved, content=review.content, by="ada")
        await self.store.write(self.given.decide(review, answer=answer))
        state = RunState.SUCCEEDED if approved else RunState.FAILED
        for one in await self.store.claim(want(release=FIRST)):
            await self.store.write(self.given.settle(one, state))

    async def alerts(self) -> list[Alert]:
        return list((await alerts_of(self.store, "triage")).values())
