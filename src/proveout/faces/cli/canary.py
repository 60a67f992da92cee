"""The command that lets a release meet a share of the world, and shows how it does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.access import Right
from proveout.domain.duration import duration
from proveout.domain.release import Share
from proveout.domain.run import RunState
from proveout.errors import Mistake
from proveout.faces.cli.output import (
    answer,
    answer_json,
    next_step,
    say,
    sign,
    strong,
)
from proveout.faces.cli.release import (
    find_release,
    serving_words,
    when,
)

if TYPE_CHECKING:
    from proveout.faces.project import Project
    from proveout.release.canary import Watched

TWICE = 2.0
"""The failure ratio whose detection a canary is planned for."""

LIKELY = 0.01
"""Failure rate that is assumed where the last day shows none."""

TRAFFIC = timedelta(hours=24)
"""The time whose traffic a canary is planned with."""


@click.command()
@click.argument("name", metavar="[REL]", required=False)
@click.option("--share", metavar="PERCENT", help="How much of the new runs it gets, as 5%.")
@click.option("--hold", metavar="TIME", help='After it, a canary left alone is an alert: "2 days".')
@click.option("--json", "as_json", is_flag=True, help="Print one canary.v1.")
def canary(name: str | None, share: str | None, hold: str | None, as_json: bool) -> int:
    """Send a share of the new runs to REL, beside the stable release.

    The gate is checked for REL. Without arguments it shows what is known of the canary.
    """
    if name is None:
        return asyncio.run(_watch(as_json=as_json))
    if share is None:
        raise Mistake("a canary needs its share", fix=(f"proveout canary {name} --share 5%",))
    return asyncio.run(
        _start_canary(name, share_of(share), duration(hold) if hold else None, as_json=as_json)
    )


def share_of(text: str) -> Share:
    """Return the share that a text like "5%" names.

    Raises:
        Mistake: it is no number of percent, or no share.
    """
    try:
        points = round(float(text.strip().removesuffix("%").strip()) * 100)
    except (ValueError, OverflowError):
        raise Mistake(
            f"{text!r} is no share",
            why="a share is a number of percent",
            fix=("--share 5%",),
        ) from None
    return Share(points=points)


async def _start_canary(name: str, share: Share, hold: timedelta | None, *, as_json: bool) -> int:
    from proveout.faces.operating import acting
    from proveout.faces.project import Project
    from proveout.faces.readiness import check_gate, grounds, readiness
    from proveout.release.move import start_canary
    from proveout.release.route import CanaryPlan

    async with Project.open() as project:
        actor = await acting(project, Right.PROMOTE)
        one = await find_release(project, name)
        stands = await readiness(project, one)
        check_gate(stands, actor, as_canary=True)
        forecast = await foreseen(project, share)
        say(f"  {_forecast_words(share, forecast)}")
        now = project.bench.clock.now()
        plan = CanaryPlan(
            share=share,
            salt=project.bench.ids.new(),
            now=now,
            hold=hold,
            seen=stands.pointer.version,
        )
        pointer = await start_canary(project.office, one, plan, actor.name, grounds(stands))
        releases = await project.store.releases(project.name)
    if as_json:
        words = {"schema": "canary.v1", "release": one.name, "digest": one.digest}
        answer_json({**words, "share": share.fraction, **forecast})
    else:
        answer(f"{sign('ok')} {serving_words(pointer, releases)}")
        next_step("proveout canary", "shows what is known so far")
    return 0


async def foreseen(project: Project, share: Share) -> dict[str, Any]:
    """Return how long it takes to find a canary that fails twice as often, at today's traffic."""
    from proveout.statistics.canary import requests_to_find

    ended = await project.store.tally(project.name, project.bench.clock.now() - TRAFFIC)
    count = sum(ended.values())
    failed = sum(n for (_, state), n in ended.items() if state in {RunState.FAILED, RunState.DEAD})
    rate = failed / count if failed else LIKELY
    requests = requests_to_find(TWICE, share.fraction, rate)
    hours = requests / count * (TRAFFIC / timedelta(hours=1)) if count else None
    return {
        "failure_rate": rate,
        "rate_is_assumed": not failed,
        "requests_to_find_doubling": round(requests),
        "requests_per_day": count,
        "hours_to_find_doubling": None if hours is None else round(hours, 1),
    }


def _forecast_words(share: Share, forecast: dict[str, Any]) -> str:
    assumed = ", assumed" if forecast["rate_is_assumed"] else ""
    hours = forecast["hours_to_find_doubling"]
    at = "no traffic in the last 24 h tells how long that is"
    if hours is not None:
        at = f"{_roughly(hours)} at {forecast['requests_per_day']:,} requests a day"
    return (
        f"at {share}, a doubling of failures ({forecast['failure_rate']:.2%}{assumed}) is found"
        f"\n  after about {forecast['requests_to_find_doubling']:,} requests: {at}"
    )


def _roughly(hours: float) -> str:
    from proveout.faces.cli.progress import roughly

    return roughly(timedelta(hours=min(hours, 24 * 36_500)))


async def _watch(*, as_json: bool) -> int:
    from proveout.faces.operating import operating
    from proveout.release.canary import look

    async with operating() as project:
        seen = await look(project.office, project.name)
        names = {one.digest: one.name for one in await project.store.releases(project.name)}
    if as_json:
        answer_json(_watched_words(seen, names))
    elif seen is None:
        say("there is no canary: proveout canary REL --share 5% starts one")
    else:
        _show_watched(seen, names[seen.canary.release])
    return 1 if seen is not None and (seen.is_worse or seen.overdue) else 0


def _watched_words(seen: Watched | None, names: dict[Any, str]) -> dict[str, Any]:
    if seen is None:
        return {"schema": "canary.v1", "release": None}
    return {
        "schema": "canary.v1",
        "release": names[seen.canary.release],
        "digest": seen.canary.release,
        "share": seen.canary.share.fraction,
        "since": seen.canary.since.isoformat(),
        "requests": seen.requests,
        "canary_requests": seen.of_canary,
        "failures": seen.failures,
        "canary_failures": seen.canary_failures,
        "log_e": seen.log_e,
        "needed": seen.needed,
        "is_worse": seen.is_worse,
        "overdue": seen.overdue,
    }


def _show_watched(seen: Watched, name: str) -> None:
    canary = seen.canary
    answer(f"{strong(name)}  canary at {canary.share} since {when(canary.since)}")
    answer(f"    requests  {seen.of_canary:,} of {seen.requests:,} were the canary's")
    answer(f"    failures  {seen.canary_failures:,} of {seen.failures:,} were the canary's")
    answer(f"    evidence  {seen.log_e:.2f} of {seen.needed:.2f} that it is worse")
    if seen.is_worse:
        answer(f"{sign('no')} it is worse than the stable release")
        next_step("proveout rollback")
    elif seen.overdue:
        answer(f"{sign('warn')} it is past its hold: widen it or take it back")
        next_step(f"proveout promote {name}", "or: proveout rollback")
