"""The command `schedules`: what fires by the clock, and when next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from proveout.faces.cli.output import answer_json, say, table

if TYPE_CHECKING:
    from datetime import datetime


@click.group()
def schedules() -> None:
    """List what fires by the clock."""


@schedules.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one schedule.v1 a line.")
def list_schedules(as_json: bool) -> None:
    """List the schedules of proveout.toml, with the next tick of each.

    They fire while proveout serve runs. One that no server has seen yet begins when it does.
    """
    found = asyncio.run(_list())
    if as_json:
        for one in found:
            answer_json(one)
    elif not found:
        say("no schedules: add [[workflow.schedules]] to proveout.toml")
    else:
        columns = ("schedule", "cron", "zone", "missed", "next", "last")
        table(
            [
                (one["name"], one["cron"], one["zone"], one["missed"], *_moments(one))
                for one in found
            ],
            columns,
        )


async def _list() -> list[dict[str, Any]]:
    from proveout.faces.project import Project
    from proveout.run.schedule import next_tick

    async with Project.open() as project:
        ticked = await project.store.ticked(project.name)
        return [
            {
                "schema": "schedule.v1",
                "name": one.name,
                "cron": one.cron,
                "zone": one.zone,
                "missed": one.missed.value,
                "next_at": next_tick(one, ticked.now).isoformat(),
                "ticked_at": _iso(ticked.upto.get(one.name)),
            }
            for one in project.settings.workflow.schedules
        ]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moments(one: dict[str, Any]) -> tuple[str, str]:
    """Return the next tick and the last in the zone of the schedule."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(one["zone"])
    texts = [
        "-"
        if one[name] is None
        else f"{datetime.fromisoformat(one[name]).astimezone(zone):%Y-%m-%d %H:%M}"
        for name in ("next_at", "ticked_at")
    ]
    return texts[0], texts[1]
