"""Commands at the gate between the stages: promote and waive."""

from __future__ import annotations

import asyncio
import difflib
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from proveout.domain.access import RIGHTS, Right, User
from proveout.domain.bar import BAR, Acceptance, Settled, Waiver
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, decode, encode
from proveout.domain.unit import Keep
from proveout.errors import Mistake
from proveout.faces.cli.alerts import receiver_lines
from proveout.faces.cli.output import answer, answer_json, clean, next_step, sign
from proveout.faces.cli.release import find_release, serving_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.access import Actor
    from proveout.domain.release import Pointer, Release
    from proveout.faces.project import Project
    from proveout.faces.readiness import Readiness

NOT_YET = "not yet"


class NoSuchAssumption(Mistake):
    """The settings list no assumption of these words."""

    code = "no-such-assumption"


@click.command()
@click.argument("name", metavar="[REL]", required=False)
@click.option(
    "--accept",
    "accepted",
    metavar="TEXT=HOW",
    multiple=True,
    help='An assumption, as "English only"=retired, =measured or =accepted.',
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one promotion.v1.")
def promote(name: str | None, accepted: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Have REL serve everything, in production; the newest release by default.

    Refuses with every reason at once, or records who promoted what on which evidence. In
    production it widens the canary to everything.
    """
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    asks = is_terminal and not as_json and not dry_run
    done = asyncio.run(_promote(name, accepted, dry_run=dry_run, asks=asks))
    release, pointer = done.release, done.pointer
    if as_json:
        words = {"schema": "promotion.v1", "workflow": release.workflow, "release": release.name}
        more = {"digest": release.digest, "stage": pointer.stage, "dry_run": dry_run}
        answer_json({**words, **more})
    elif dry_run:
        answer(f"{sign('ok')} nothing speaks against {release.name}; nothing was changed")
        for line in done.unreached:
            answer(line)
        next_step(f"proveout promote {release.name}")
    else:
        answer(f"{sign('ok')} {release.workflow} is in {pointer.stage}")
        answer(f"{sign('ok')} {serving_words(pointer, done.releases)}")
        for line in done.unreached:
            answer(line)
        next_step("proveout serve", "opens the console, the API and the hooks")


class Promoted(NamedTuple):
    """What serves, and what keeps people from hearing when it goes wrong, a line each."""

    release: Release
    pointer: Pointer
    releases: list[Release]
    unreached: list[str]


async def _promote(
    name: str | None, accepted: Sequence[str], *, dry_run: bool, asks: bool
) -> Promoted:
    from proveout.faces.operating import acting
    from proveout.faces.project import Project
    from proveout.faces.readiness import check_gate, grounds, readiness
    from proveout.release.create import NoSuchRelease
    from proveout.release.move import promote

    async with Project.open() as project:
        actor = await acting(project, Right.PROMOTE)
        chosen = None if name is None else await find_release(project, name)
        found = await readiness(project, chosen)
        settled = _settled(found, accepted, actor)
        if asks:
            settled += _ask(found.with_accepted(settled), actor)
        found = found.with_accepted(settled)
        check_gate(found, actor)
        release = found.release
        if release is None:
            raise NoSuchRelease("there is no release", fix=("proveout release create",))
        pointer = found.pointer
        if not dry_run:
            await _keep(project, settled, actor)
            pointer = await promote(
                project.office, release, actor.name, grounds(found), found.pointer.version
            )
        releases = await project.store.releases(project.name)
        return Promoted(release, pointer, releases, receiver_lines(project))


def _settled(found: Readiness, accepted: Sequence[str], actor: Actor) -> tuple[Acceptance, ...]:
    """Return the assumptions that the actor answers for, as they were named."""
    return tuple(_acceptance(found, *parse_accepted(one), actor) for one in accepted)


def parse_accepted(text: str) -> tuple[str, Settled]:
    """Return an assumption and how it ended; it is accepted where that is not said."""
    words, is_said, how = text.rpartition("=")
    ways = {one.value: one for one in Settled}
    if is_said and how.strip().lower() in ways:
        return words.strip().strip('"'), ways[how.strip().lower()]
    return text.strip(), Settled.ACCEPTED


def _acceptance(found: Readiness, assumption: str, how: Settled, actor: Actor) -> Acceptance:
    known = found.facts.assumptions
    if assumption not in known:
        near = difflib.get_close_matches(assumption, known, n=1)
        raise NoSuchAssumption(
            f"{assumption!r} is no assumption of {found.workflow}",
            why=f"proveout.toml lists: {'; '.join(known) or 'none'}",
            fix=tuple(f'--accept "{one}"={how}' for one in near or known[:1]),
        )
    return Acceptance(
        assumption=assumption, workflow=found.workflow, how=how, by=actor.name, at=found.now
    )


def _ask(found: Readiness, actor: Actor) -> tuple[Acceptance, ...]:
    """Return what the person at the terminal answers for, of what is still open."""
    settled: list[Acceptance] = []
    for one in found.facts.assumptions_open:
        choices = click.Choice([*(how.value for how in Settled), NOT_YET])
        how = click.prompt(f"assumed: {clean(one)}", type=choices, default=NOT_YET)
        if how != NOT_YET:
            settled.append(_acceptance(found, one, Settled(how), actor))
    return tuple(settled)


async def _keep(project: Project, settled: Sequence[Acceptance], actor: Actor) -> None:
    from proveout.release.decide import amend

    if not settled:
        return
    facts = {"workflow": project.name, **{one.assumption: one.how for one in settled}}
    deed = Deed(actor=actor.name, act="answer for", subject="assumptions", facts=facts)
    keeps = tuple(
        Keep(kind=Kind.ACCEPTANCE, name=project.office.ids.new(), body=encode(one))
        for one in settled
    )
    await amend(project.office, deed, keeps)


@click.command()
@click.argument("claim")
@click.option("--until", required=True, metavar="DATE", help="The day it ends, as 2026-11-30.")
@click.option("--reason", required=True, help="Why; printed in every audit until then.")
@click.option("--second", default="", metavar="NAME", help="The second person who agrees.")
@click.option("--release", "release_name", metavar="REL", help="Only for this release.")
@click.option("--json", "as_json", is_flag=True, help="Print one waiver.v1.")
def waive(
    *, claim: str, until: str, reason: str, second: str, release_name: str | None, as_json: bool
) -> None:
    """Let CLAIM pass unproven until a date, by the names of two people.

    A team of one may waive for seven days at most.
    """
    waiver = asyncio.run(_waive(claim, parse_day(until), reason, second, release_name))
    if as_json:
        answer_json(
            {
                "schema": "waiver.v1",
                "claim": waiver.claim,
                "by": waiver.by,
                "second": waiver.second or None,
                "until": waiver.until.isoformat(),
                "reason": waiver.reason,
            }
        )
        return
    day = waiver.until.date()
    answer(f"{sign('warn')} {claim} is waived by {clean(waiver.names)}, until {day}")
    answer("    every audit prints it until then")
    next_step(f"proveout drill {claim}", "proves it instead")


def parse_day(text: str) -> datetime:
    """Return the beginning of a day, in UTC.

    Raises:
        Mistake: it is no day.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Mistake(
            f"{text!r} is no day", why="a day is YEAR-MONTH-DAY", fix=("--until 2026-11-30",)
        ) from None


async def _waive(
    claim: str, until: datetime, reason: str, second: str, release_name: str | None
) -> Waiver:
    from proveout.faces.operating import acting
    from proveout.faces.project import Project
    from proveout.ready.gate import check_waiver
    from proveout.release.decide import amend

    async with Project.open() as project:
        actor = await acting(project, Right.PROMOTE)
        now = project.bench.clock.now()
        release = None if release_name is None else await find_release(project, release_name)
        waiver = Waiver(
            claim=claim,
            workflow=project.name,
            by=actor.name,
            reason=reason,
            since=now,
            until=until,
            second=second,
            release=release.digest if release else "",
        )
        check_waiver(waiver, BAR, await _team(project), now)
        facts = {
            "workflow": project.name,
            "until": until.isoformat(),
            "second": second,
            "release": waiver.release,
            "reason": reason,
        }
        deed = Deed(actor=actor.name, act="waive", subject=claim, facts=facts)
        keep = Keep(kind=Kind.WAIVER, name=project.office.ids.new(), body=encode(waiver))
        await amend(project.office, deed, (keep,))
        return waiver


async def _team(project: Project) -> list[str]:
    """Return everybody who may agree to a waiver."""
    users = [decode(User, one) for one in (await project.store.records(Kind.USER)).values()]
    return [one.name for one in users if not one.disabled and Right.PROMOTE in RIGHTS[one.role]]
