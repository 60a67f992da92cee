"""What is removed of runs: by age, as the settings say, or of one run on request."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from proveout.domain.access import Right
from proveout.domain.duration import say_duration
from proveout.errors import Mistake
from proveout.faces.cli.output import answer, answer_json, say, sign

if TYPE_CHECKING:
    from proveout.release.erase import Erased
    from proveout.run.prune import Gone


class NothingAges(Mistake):
    """The settings do not say for how long payloads are kept."""

    code = "no-retention"


@click.command("prune")
@click.option("--json", "as_json", is_flag=True, help="Print one prune.v1.")
def prune(as_json: bool) -> None:
    """Remove now what has outlived [workflow] retention, as `proveout serve` does."""
    gone = asyncio.run(_prune())
    if as_json:
        answer_json({"schema": "prune.v1", "pruned": gone.pruned, "forgotten": gone.forgotten})
    else:
        answer(f"{sign('ok')} {gone.pruned:,} pruned, {gone.forgotten:,} forgotten")


async def _prune() -> Gone:
    from proveout.faces.operating import acting, operating
    from proveout.run.prune import tidy

    async with operating() as project:
        await acting(project, Right.OPERATE)
        keeping = project.settings.keeping
        if keeping is None:
            raise NothingAges(
                "the settings keep payloads for ever",
                why="[workflow] retention is not set",
                fix=('retention = "90 days"    under [workflow] in proveout.toml',),
            )
        gone = await tidy(project.store, keeping)
        say(f"payloads are kept for {say_duration(keeping.payloads)}")
        return gone


@click.command("erase")
@click.argument("run")
@click.option("--reason", required=True, help="Why, for the ledger; nothing of the payload.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one erase.v1.")
def erase(run: str, reason: str, yes: bool, as_json: bool) -> int:
    """Remove input, result, journal values, errors and reviews of a RUN that has ended.

    It keeps its key and the digest of its input. The ledger keeps who, why and digests.
    """
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Mistake(
            "erasing cannot be undone", fix=(f"proveout runs erase {run} --reason … --yes",)
        )
    if not yes and not click.confirm(f"Erase what {run} was about? It cannot be undone"):
        say("nothing was changed")
        return 1
    erased = asyncio.run(_erase(run, reason))
    if as_json:
        answer_json(
            {
                "schema": "erase.v1",
                "run": run,
                "entry": erased.entry,
                "input": erased.input,
                "copies": list(erased.copies),
            }
        )
        return 0
    answer(f"{sign('ok')} {run} is erased; ledger entry {erased.entry}")
    for copy in erased.copies:
        say(f"{sign('warn')} {copy} replays it, and has its own copy of the input")
    return 0


async def _erase(run: str, reason: str) -> Erased:
    from proveout.faces.operating import acting, operating
    from proveout.release.erase import erase as erase_run

    async with operating() as project:
        actor = await acting(project, Right.OPERATE)
        return await erase_run(project.office, await project.run(run), actor.name, reason)
