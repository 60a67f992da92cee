"""The command that breaks the workflow on purpose, and keeps what that shows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.access import Right
from proveout.domain.bar import BAR
from proveout.domain.duration import say_roughly
from proveout.domain.evidence import ControlResult, DrillResult
from proveout.errors import Mistake
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    next_step,
    paint,
    say,
    sign,
    strong,
    table,
)
from proveout.faces.cli.release import SHORT, find_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proveout.domain.access import Actor
    from proveout.domain.bar import Claim
    from proveout.domain.release import Release
    from proveout.faces.project import Project
    from proveout.faces.readiness import Readiness
    from proveout.faces.released import Launch
    from proveout.ready.rehearse import Rehearsed

COLOUR = {DrillResult.PASSED: "green", DrillResult.FAILED: "red", DrillResult.ABORTED: "yellow"}


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "lists", is_flag=True, help="List the drills with what each does.")
@click.option("--due", is_flag=True, help="What is open, or expires within seven days.")
@click.option("--all", "everything", is_flag=True, help="Every drill that this workflow needs.")
@click.option("--release", "release_name", metavar="REL", help="The newest by default.")
@click.option("--live", is_flag=True, help="Call steps without a recorded answer; may cost money.")
@click.option(
    "--at-once",
    type=click.IntRange(1, 16),
    default=2,
    show_default=True,
    help="Drills conducted at the same time, each in a sandbox of its own.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one drill.v1 a line.")
def drill(
    *,
    names: tuple[str, ...],
    lists: bool,
    due: bool,
    everything: bool,
    release_name: str | None,
    live: bool,
    at_once: int,
    as_json: bool,
) -> int:
    """Break the workflow on purpose, in a sandbox of its own, and keep what that shows.

    Each drill is repeated with its protection off and must then fail. Exits 0 when all
    passed and every control failed.
    """
    if lists:
        _list(as_json=as_json)
        return 0
    if not names and not due and not everything:
        raise Mistake("which drill?", fix=("proveout drill --due", "proveout drill --list"))
    for name in names:
        BAR.claim(name)
    wanted = _Wanted(names, at_once, due=due, everything=everything, live=live)
    return asyncio.run(_drill(wanted, release_name, as_json=as_json))


def _list(*, as_json: bool) -> None:
    if as_json:
        for one in BAR.claims:
            words = {"schema": "drill-list.v1", "drill": one.name, "does": one.drill}
            answer_json({**words, "seconds": one.takes // timedelta(seconds=1)})
        return
    table(
        [(one.name, say_roughly(one.takes), one.drill) for one in BAR.claims],
        ("drill", "about", "what it does"),
    )


class _Wanted:
    """Which drills are asked for, and how they are to run."""

    def __init__(
        self, names: tuple[str, ...], at_once: int, *, due: bool, everything: bool, live: bool
    ) -> None:
        self.at_once = at_once
        self._names = names
        self._due = due
        self._everything = everything
        self.live = live

    def among(self, found: Readiness) -> list[Claim]:
        """Return the claims to drill, in the order of the bar."""
        return [one.claim for one in found.standings if self._is_meant(one, found)]

    def _is_meant(self, one: Any, found: Readiness) -> bool:
        if one.claim.name in self._names:
            return True
        is_needed = not one.claim.not_needed(found.subject.profile, found.subject.traits)
        return is_needed and (self._everything or (self._due and (one.is_open or one.warns)))


async def _drill(wanted: _Wanted, release_name: str | None, *, as_json: bool) -> int:
    from proveout.faces.operating import acting
    from proveout.faces.project import Project
    from proveout.faces.readiness import readiness
    from proveout.faces.released import launch

    async with Project.open() as project:
        actor = await acting(project, Right.OPERATE)
        release = await _release(project, release_name, actor)
        found = await readiness(project, release)
        if found.tree:
            say(f"{sign('warn')} drilling {release.name}; the working tree differs: {found.tree}")
        claims = wanted.among(found)
        say(_foretold(claims, release, wanted.at_once))
        started = await launch(project.store, release)
        conduct = _Conduct(project, started, actor, live=wanted.live, as_json=as_json)
        held = await conduct.all(claims, found, wanted.at_once)
        after = await readiness(project, release)
    if not as_json:
        next_step(after.next)
    return 0 if all(held) else 1


def _foretold(claims: list[Claim], release: Release, at_once: int) -> str:
    if not claims:
        return f"{sign('ok')} nothing is due on {release.name}"
    one_by_one = sum((one.takes for one in claims), timedelta())
    takes = say_roughly(max(one_by_one / at_once, *(one.takes for one in claims)))
    plural = "" if len(claims) == 1 else "s"
    return f"{len(claims)} drill{plural} on {release.name}, about {takes}"


async def _release(project: Project, name: str | None, actor: Actor) -> Release:
    """Return the release to drill: the one named, the newest, or one that is created now."""
    from proveout.faces.readiness import newest_release
    from proveout.faces.released import create_release

    if name is not None:
        return await find_release(project, name)
    newest = await newest_release(project)
    if newest is not None:
        return newest
    created = (await create_release(project, actor.name)).release
    say(f"{sign('ok')} created {created.name}: drills are about a release, and there was none")
    return created


class _Conduct:
    """Conducts drills of one release, and tells of them."""

    def __init__(
        self, project: Project, started: Launch, actor: Actor, *, live: bool, as_json: bool
    ) -> None:
        self._project = project
        self._started = started
        self._actor = actor
        self._live = live
        self._as_json = as_json

    async def all(self, claims: list[Claim], found: Readiness, at_once: int) -> list[bool]:
        """Conduct the drills of `claims`, so many at once; return which of them hold.

        Where more than one is conducted at once, each is told of when it has ended.
        """
        turns = asyncio.Semaphore(at_once)

        async def in_turn(claim: Claim) -> bool:
            async with turns:
                if at_once == 1 or len(claims) == 1:
                    return await self._one(claim, found, self._tell)
                lines: list[str] = []
                holds = await self._one(claim, found, lines.append)
                for line in lines:
                    self._tell(line)
                return holds

        return list(await asyncio.gather(*map(in_turn, claims)))

    def _tell(self, line: str) -> None:
        (say if self._as_json else answer)(line)

    async def _one(self, claim: Claim, found: Readiness, tell: Callable[[str], None]) -> bool:
        """Conduct the drill of a claim and keep what it showed; return whether it holds."""
        from proveout.faces.readiness import file_evidence
        from proveout.faces.sandbox import stage_for
        from proveout.faces.telling import Telling
        from proveout.ready.drills.catalogue import DRILLS
        from proveout.ready.rehearse import rehearse

        release = self._started.release
        telling = Telling(self._project, claim.name, release.name, self._actor.name)

        def told(line: str) -> None:
            tell(f"  {sign('ok')} {self._time()}  {clean(line)}")
            telling.say(clean(line))

        tell(f"{strong(claim.name)}  {claim.drill}")
        async with telling.going_on():
            stage = await stage_for(self._project, self._started, told, is_live=self._live)
            rehearsed = await rehearse(DRILLS[claim.name], stage)
            telling.ended(rehearsed)
        evidence = None
        if rehearsed.result is not DrillResult.ABORTED:
            evidence = await file_evidence(self._project, rehearsed, release, self._actor)
        if self._as_json:
            answer_json(drill_v1(rehearsed, self._started.release, evidence))
        else:
            for line in self._conclusion(claim, rehearsed, evidence, found):
                tell(line)
        tell("")
        return rehearsed.holds

    def _time(self) -> str:
        return f"{self._project.bench.clock.now().astimezone():%H:%M:%S}"

    def _conclusion(
        self, claim: Claim, rehearsed: Rehearsed, evidence: str | None, found: Readiness
    ) -> Iterator[str]:
        yield from _control_lines(rehearsed, self._time())
        yield ""
        word = paint(rehearsed.result, COLOUR[rehearsed.result], bold=True)
        if evidence is None:
            yield f"{word}  {clean(rehearsed.summary)}"
        elif rehearsed.holds:
            lasts, _ = BAR.lasts(claim, found.subject.profile, found.subject.policy)
            until = (rehearsed.ended + lasts).date()
            yield f"{word}  evidence {evidence[:SHORT]} · valid until {until}"
        else:
            yield f"{word}  evidence {evidence[:SHORT]}, which proves nothing"
            for fault in rehearsed.faults:
                yield f"    {sign('no')} {clean(fault)}"


def _control_lines(rehearsed: Rehearsed, at: str) -> list[str]:
    if rehearsed.control is None:
        return []
    if rehearsed.control is ControlResult.FAILED:
        return [f"  {sign('ok')} {at}  control: {clean(rehearsed.summary)}, as it must be"]
    why = "a drill that cannot fail proves nothing"
    return [f"  {sign('no')} {at}  control: {clean(rehearsed.summary)}; it did not fail: {why}"]


def drill_v1(rehearsed: Rehearsed, release: Release, evidence: str | None) -> dict[str, Any]:
    """Return how a drill went as the object that callers outside rely on."""
    return {
        "schema": "drill.v1",
        "drill": rehearsed.drill,
        "result": rehearsed.result,
        "control": rehearsed.control,
        "figures": rehearsed.figures,
        "evidence": evidence,
        "release": release.name,
        "digest": release.digest,
        "summary": rehearsed.summary,
        "faults": list(rehearsed.faults),
        "seconds": round((rehearsed.ended - rehearsed.started).total_seconds(), 1),
    }
