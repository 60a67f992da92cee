"""What the console's forms do: the same acts as on the command line, by who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.bar import Acceptance, Settled
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, encode
from proveout.domain.release import WORKFLOW_SCOPE, ReleaseDigest, Treatment
from proveout.domain.unit import Cancel, Keep, Stale, UnitId
from proveout.faces.api.problems import BadRequest
from proveout.faces.cli.canary import share_of
from proveout.faces.cli.operate import NotPossible
from proveout.faces.entering import enter
from proveout.faces.readiness import check_gate, grounds, readiness
from proveout.faces.web.gather import find_run
from proveout.release.create import NoSuchRelease, named
from proveout.release.decide import amend
from proveout.release.halt import halt as halt_workflow
from proveout.release.halt import resume as resume_workflow
from proveout.release.move import Order, roll_back, start_canary
from proveout.release.move import promote as make_stable
from proveout.release.route import CanaryPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.access import Actor
    from proveout.domain.run import Run
    from proveout.faces.readiness import Readiness
    from proveout.faces.web.visit import Console, Visit

LONGEST_REASON = 2_000
"""Characters of a reason."""


async def cancel(console: Console, by: str, run: str) -> Run:
    """Stop a run.

    Raises:
        NotPossible: it is final.
    """
    found = await find_run(console.project, run)
    unit = Cancel(id=UnitId(console.project.bench.ids.new()), run=found.id)
    if isinstance(await console.project.store.write(unit), Stale):
        now = await find_run(console.project, run)
        raise NotPossible(f"run {run} is {now.state}", why="a final run stays as it is")
    await enter(console.access.office, by, "cancel run", found)
    return found


def reason_of(visit: Visit) -> str:
    """Return the reason that a form gives.

    Raises:
        BadRequest: it is too long, or no text that can be kept.
    """
    reason = visit.sent("reason").strip()
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise BadRequest(f"a reason has at most {LONGEST_REASON:,} characters")
    return reason


async def promote(visit: Visit) -> None:
    """Have the release that was shown serve everything, in production.

    Raises:
        NoSuchRelease: there is none of that digest.
        BadRequest: what was accepted is none of this workflow's assumptions.
        GateBlocked: something speaks against it.
    """
    console, actor = visit.console, visit.actor
    release = await console.project.store.release(ReleaseDigest(visit.sent("release")))
    if release is None or release.workflow != console.project.name:
        raise NoSuchRelease("there is no such release", fix=("proveout release list",))
    found = await readiness(console.project, release)
    accepted = _accepted(found, visit.form.get("accept", []), actor)
    found = found.with_accepted(accepted)
    check_gate(found, actor)
    await _keep(console, accepted, actor)
    office, seen = console.access.office, found.pointer.version
    await make_stable(office, release, actor.name, grounds(found), seen)


def _accepted(found: Readiness, sent: Sequence[str], actor: Actor) -> tuple[Acceptance, ...]:
    """Return the assumptions that the actor answers for; browsers send line ends as CR LF."""
    known = {" ".join(one.split()): one for one in found.facts.assumptions}
    plain = [" ".join(one.split()) for one in sent]
    if strange := [one for one in plain if one not in known]:
        raise BadRequest(
            f"{strange[0][:200]!r} is no assumption of {found.workflow}",
            why="the settings have changed since the page was loaded",
            fix=("load the page again",),
        )
    return tuple(
        Acceptance(
            assumption=known[one],
            workflow=found.workflow,
            how=Settled.ACCEPTED,
            by=actor.name,
            at=found.now,
        )
        for one in dict.fromkeys(plain)
    )


async def _keep(console: Console, accepted: Sequence[Acceptance], actor: Actor) -> None:
    if not accepted:
        return
    office = console.access.office
    facts = {"workflow": console.project.name, **{one.assumption: one.how for one in accepted}}
    deed = Deed(actor=actor.name, act="answer for", subject="assumptions", facts=facts)
    keeps = tuple(
        Keep(kind=Kind.ACCEPTANCE, name=office.ids.new(), body=encode(one)) for one in accepted
    )
    await amend(office, deed, keeps)


async def canary(visit: Visit) -> None:
    """Send a share of the new runs to a release, past the gate.

    Raises:
        NoSuchRelease: no release of the workflow is called that.
        Mistake: what was sent is no share.
        GateBlocked: something speaks against it.
        PointerMoved: what serves has changed since the gate was looked at.
    """
    console, actor = visit.console, visit.actor
    project = console.project
    release = named(await project.store.releases(project.name), visit.sent("release"))
    share = share_of(visit.sent("share"))
    found = await readiness(project, release)
    check_gate(found, actor, as_canary=True)
    now = project.bench.clock.now()
    plan = CanaryPlan(
        share=share, salt=project.bench.ids.new(), now=now, seen=found.pointer.version
    )
    await start_canary(console.access.office, release, plan, actor.name, grounds(found))


async def _shown(visit: Visit) -> ReleaseDigest | None:
    """Return the release that the form was about to leave; None where it names none."""
    project, name = visit.console.project, visit.sent("leaves")
    known = await project.store.releases(project.name)
    return next((one.digest for one in known if one.name == name), None)


async def rollback(visit: Visit) -> Treatment:
    """Send no new run to the newest release any more; return what becomes of those in flight.

    Raises:
        BadRequest: the form does not say what becomes of the runs in flight.
        Refusal: there is nothing to go back to.
    """
    ways = {one.value: one for one in Treatment}
    if visit.sent("treatment") not in ways:
        raise BadRequest(
            "the form does not say what becomes of the runs in flight",
            why=f"it is one of {', '.join(ways)}",
        )
    treatment = ways[visit.sent("treatment")]
    order = Order(
        workflow=visit.console.project.name,
        actor=visit.actor.name,
        reason=reason_of(visit),
        treatment=treatment,
        leaves=await _shown(visit),
    )
    await roll_back(visit.console.access.office, order)
    return treatment


async def halt(visit: Visit) -> None:
    """Stop the workflow: within two seconds nothing of it begins any more."""
    name, who = visit.console.project.name, visit.actor.name
    await halt_workflow(visit.console.access.office, name, WORKFLOW_SCOPE, who, reason_of(visit))


async def resume(visit: Visit) -> None:
    """Let the workflow begin again.

    Raises:
        NotHalted: it is not halted.
    """
    name, who = visit.console.project.name, visit.actor.name
    await resume_workflow(visit.console.access.office, name, WORKFLOW_SCOPE, who)
