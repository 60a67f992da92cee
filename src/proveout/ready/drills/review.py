"""review: reviews outlive restarts; late, double, forged, stale and scanned answers do nothing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.access import Role
from proveout.domain.desk import ToClaim, ToRelease
from proveout.domain.review import Answer, ReviewState
from proveout.domain.run import RunId
from proveout.domain.unit import Decided, Handle, UnitId
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.drills.load import decision, effect_faults, follow, until
from proveout.ready.sandbox import Crew, Knock, Protection
from proveout.release.move import promote

if TYPE_CHECKING:
    from proveout.domain.review import Review
    from proveout.ready.sandbox import Answered, Sandbox

REVIEWS = 4
AT_ONCE = 10
"""Answers that are given to one review at the same moment."""

LEASE = timedelta(minutes=5)

UNDISTURBED = 1.0
"""Seconds for which nobody answers, and nothing may be decided."""


async def perform(sandbox: Sandbox) -> Performance:
    """Let reviews wait through a restart and an upgrade, answer them wrongly, then rightly."""
    asking = [load for load in sandbox.loads if load.asks]
    if not asking:
        raise NotSteady("no recorded case puts a question to a person")
    crew = Crew(count=1)
    await sandbox.start_workers(crew)
    await sandbox.start_doors()
    await sandbox.sign_in(Role.REVIEWER)
    runs = [await sandbox.enqueue(asking[n % len(asking)], f"ask-{n}") for n in range(REVIEWS)]
    reviews = await _opened(sandbox)
    sandbox.note(f"{len(reviews)} reviews wait")

    await sandbox.kill_workers()
    await sandbox.kill_doors()
    await promote(sandbox.office, sandbox.bad, "drill", {"reason": "an upgrade while they wait"})
    await sandbox.start_doors()
    await sandbox.start_workers(crew)
    await sandbox.settle(UNDISTURBED)
    faults = await _disturb(sandbox, reviews)
    sandbox.note(f"restarted and upgraded; {len(faults)} objections to wrong answers")

    twice = 0
    for number, review in enumerate(reviews):
        may = not review.is_blocked and not review.terms.four_eyes
        counted = await _answer_at_once(sandbox, review, approve=may and number % 2 == 0)
        if counted != 1:
            faults.append(f"review {review.id} was decided {counted} times")
            twice += 1
    ended = await follow(sandbox, runs)
    if ended.lost:
        faults.append(f"{len(ended.lost)} runs did not go on after their answer")
    strayed = await _strayed(sandbox, runs)
    if strayed:
        faults.append(f"{strayed} runs went on with another release")
    if not faults:
        faults += await effect_faults(sandbox, runs)
    return Performance(
        figures={
            "reviews": len(reviews),
            "wrongly_decided": sum("wrongly" in fault for fault in faults),
            "decided_twice": twice,
            "on_another_release": strayed,
            "unended": len(ended.lost),
        },
        faults=tuple(faults),
    )


async def _opened(sandbox: Sandbox) -> list[Review]:
    """Return the open reviews once there are all of them.

    Raises:
        NotSteady: they did not open.
    """
    found: list[Review] = []

    async def all_open() -> bool:
        found[:] = await sandbox.store.reviews(ReviewState.OPEN)
        return len(found) >= REVIEWS

    if not await until(sandbox, all_open):
        raise NotSteady(f"{len(found)} of {REVIEWS} reviews opened")
    return found


async def _disturb(sandbox: Sandbox, reviews: list[Review]) -> list[str]:
    """Answer as nobody may: by following links, without a right, on a forged content."""
    first, *_ = reviews
    forged = "0" * 64
    tries = {
        "a link scanner": Knock(method="GET", path=f"/reviews/{first.id}?decision=approve"),
        "a link scanner in a reviewer's browser": Knock(
            method="GET",
            path=f"/reviews/{first.id}?decision=approve&digest={first.digest}",
            cookie=sandbox.cookie_of(Role.REVIEWER),
        ),
        "a form from another site": Knock(
            method="POST",
            path=f"/reviews/{first.id}/decide",
            body=f"decision=approve&digest={first.digest}".encode(),
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "sec-fetch-site": "cross-site",
            },
            cookie=sandbox.cookie_of(Role.REVIEWER),
        ),
        "a link scanner at the API": _answer(
            first, first.digest, sandbox.key_of(Role.REVIEWER), method="GET"
        ),
        "nobody": _answer(first, first.digest, None),
        "a viewer": _answer(first, first.digest, sandbox.key_of(Role.VIEWER)),
        "a forged digest": _answer(first, forged, sandbox.key_of(Role.REVIEWER)),
    }
    faults: list[str] = []
    for who, knock in tries.items():
        answered = await sandbox.knock(knock)
        now = await sandbox.store.review(first.id)
        if now is None or now.state is not ReviewState.OPEN:
            status = "no answer" if answered is None else answered.status
            return [*faults, f"review {first.id} was wrongly decided by {who} ({status})"]
    if await _held_in_vain(sandbox, first):
        return [*faults, f"review {first.id} was wrongly decided while another worked on it"]
    undecided = await sandbox.store.reviews(ReviewState.OPEN)
    if len(undecided) != len(reviews):
        faults.append(f"{len(reviews) - len(undecided)} reviews were wrongly decided by nobody")
    return faults


async def _held_in_vain(sandbox: Sandbox, review: Review) -> bool:
    """Answer what somebody else has claimed; return whether that counted."""
    claim = Handle(
        id=UnitId(f"drill-claim-{review.id}"),
        review=review.id,
        act=ToClaim(LEASE),
        by="somebody else",
    )
    await sandbox.store.write(claim)
    await sandbox.knock(_answer(review, review.digest, sandbox.key_of(Role.REVIEWER)))
    now = await sandbox.store.review(review.id)
    given_back = replace(claim, id=UnitId(f"drill-release-{review.id}"), act=ToRelease())
    await sandbox.store.write(given_back)
    return now is None or not now.is_waiting


def _answer(
    review: Review, digest: str, key: str | None, *, approve: bool = True, method: str = "POST"
) -> Knock:
    body: dict[str, Any] = {"digest": digest, "approved": approve}
    if not approve:
        body["reason"] = "the drill says no"
    return Knock(
        method=method,
        path=f"/api/v1/reviews/{review.id}/decision",
        body=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
        key=key,
    )


async def _answer_at_once(sandbox: Sandbox, review: Review, *, approve: bool) -> int:
    """Give one answer many times at once, and once more later; return how many counted."""
    if review.groups:  # the drill's reviewer is none of them; the store decides all the same
        return await _write_at_once(sandbox, review, approve=approve)
    key = sandbox.key_of(Role.REVIEWER)
    knock = _answer(review, review.digest, key, approve=approve)
    other = _answer(review, review.digest, key, approve=not approve)
    at_once = await asyncio.gather(*(sandbox.knock(knock) for _ in range(AT_ONCE)))
    late = [await sandbox.knock(other)]
    return sum(map(_counted, [*at_once, *late]))


async def _write_at_once(sandbox: Sandbox, review: Review, *, approve: bool) -> int:
    """Do the same beneath the doors, in the names of several people."""
    units = [
        decision(review, Answer(approved=way, content=review.content, by=f"{n}"), f"{n}")
        for n, way in enumerate([approve] * AT_ONCE + [not approve])
    ]
    answers = await asyncio.gather(*(sandbox.store.write(unit) for unit in units[:-1]))
    answers.append(await sandbox.store.write(units[-1]))
    return sum(isinstance(one, Decided) for one in answers)


def _counted(answered: Answered | None) -> bool:
    return answered is not None and 200 <= answered.status < 300  # noqa: PLR2004 - HTTP's own


async def _strayed(sandbox: Sandbox, runs: list[str]) -> int:
    """Return how many runs were worked on by another release than the one they began on."""
    found = [await sandbox.store.run(RunId(run)) for run in runs]
    wrong = {run.id for run in found if run and run.release != sandbox.release.digest}
    effects = (await sandbox.counted()).effects
    wrong |= {e.run for e in effects if e.run in runs and e.release != sandbox.release.digest}
    return len(wrong)


DRILL = Drill(
    name="review",
    without=Protection.BOUND_DECISIONS,
    perform=perform,
    shown=("wrongly_decided", "wrongly decided"),
)
