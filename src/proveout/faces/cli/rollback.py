"""The command that takes a release back."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from proveout.domain.access import Right
from proveout.domain.release import Treatment
from proveout.faces.cli.output import (
    answer,
    answer_json,
    next_step,
    say,
    sign,
)
from proveout.faces.cli.release import (
    find_release,
    serving_words,
    trouble_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.release import InFlight, Release, ReleaseDigest
    from proveout.faces.project import Project
    from proveout.release.move import RolledBack


@click.command()
@click.option("--to", metavar="REL", help="The release to go back to; else the one before.")
@click.option(
    "--in-flight",
    "treatment",
    type=click.Choice([one.value for one in Treatment]),
    default=Treatment.FINISH.value,
    show_default=True,
    help="What becomes of the runs in flight on the release that goes.",
)
@click.option("--reason", default="", help="Why, for the ledger.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one rollback.v1.")
def rollback(to: str | None, treatment: str, reason: str, yes: bool, as_json: bool) -> int:
    """End the canary, or go back to the release that served before.

    Needs no checkout and no redeploy; it is never disabled. It asks once, on a terminal.
    """
    asks = not yes and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    told = asyncio.run(_rollback(to, Treatment(treatment), reason, asks=asks))
    if told is None:
        say("nothing was changed")
        return 1
    if as_json:
        answer_json(rollback_v1(told))
    else:
        _tell(told)
    return 0


class Told(NamedTuple):
    """A rollback with what is needed to tell of it."""

    done: RolledBack
    bad: Release
    good: Release
    now: datetime


async def _rollback(
    to: str | None, treatment: Treatment, reason: str, *, asks: bool
) -> Told | None:
    """Roll back and return what that did; None where the person at the terminal said no."""
    from proveout.faces.operating import acting, operating
    from proveout.release.move import Order, roll_back

    async with operating() as project:
        actor = await acting(project, Right.OPERATE)
        target = None if to is None else (await find_release(project, to)).digest
        order = Order(
            workflow=project.name,
            actor=actor.name,
            reason=reason,
            to=target,
            treatment=treatment,
        )
        if asks:
            question, leaves = await _question(project, order)
            if not click.confirm(question):
                return None
            order = replace(order, leaves=leaves)
        done = await roll_back(project.office, order)
        releases = {one.digest: one for one in await project.store.releases(project.name)}
        return Told(done, releases[done.bad], releases[done.to], project.bench.clock.now())


def _tell(told: Told) -> None:
    done, bad, good, now = told
    flying = f"{_flying(done.in_flight, now)} {done.treatment}"
    answer(f"{sign('ok')} {good.name} serves all new runs after {done.seconds:.1f} s")
    answer(f"{sign('ok')} {bad.name} gets no new run; {flying}")
    answer(f"{sign('ok')} ledger entry {done.entry}")
    if trouble := trouble_of(good):
        say(f"{sign('warn')} the packages of {good.name} are not kept here: {trouble}")
    next_step("proveout status")


async def _question(project: Project, order: Any) -> tuple[str, ReleaseDigest]:
    """Return what a rollback would do, as the one question that it asks, and what it leaves."""
    from proveout.release.move import RECENT
    from proveout.release.route import Past, history, rolled_back

    pointer = await project.store.pointer(project.name)
    moves = history(await project.store.ledger(limit=RECENT), project.name)
    way = rolled_back(pointer, Past.of(moves), order.to)
    releases = await project.store.releases(project.name)
    names = {one.digest: one.name for one in releases}
    in_flight = await project.store.in_flight(project.name, way.bad)
    now = project.bench.clock.now()
    question = (
        f"{serving_words(pointer, releases)} → {names[way.to]} 100%."
        f" {_flying(in_flight, now)} {order.treatment} on {names[way.bad]}. Go?"
    )
    return question, way.bad


def _flying(in_flight: InFlight, now: datetime) -> str:
    count = f"{in_flight.runs} run{'' if in_flight.runs == 1 else 's'} in flight"
    if in_flight.oldest is None:
        return count
    from proveout.faces.cli.progress import roughly

    return f"{count} (the oldest for {roughly(now - in_flight.oldest)})"


def rollback_v1(told: Told) -> dict[str, Any]:
    """Return a rollback as the object that callers outside rely on."""
    done, bad, good, now = told
    oldest = done.in_flight.oldest
    return {
        "schema": "rollback.v1",
        "from": bad.name,
        "to": good.name,
        "from_digest": bad.digest,
        "to_digest": good.digest,
        "seconds": round(done.seconds, 3),
        "in_flight": done.in_flight.runs,
        "oldest_seconds": None if oldest is None else round((now - oldest).total_seconds(), 1),
        "treatment": done.treatment,
        "entry": done.entry,
    }
