"""Commands of the chapter `ready`: audit and plan."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.bar import BAR, ClaimStatus
from proveout.domain.release import Stage
from proveout.errors import Mistake
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    faint,
    next_step,
    paint,
    sign,
    strong,
)
from proveout.faces.cli.release import find_release

if TYPE_CHECKING:
    from proveout.domain.release import Release
    from proveout.faces.project import Project
    from proveout.faces.readiness import Readiness
    from proveout.ready.choice import StoryRow
    from proveout.ready.findings import Finding
    from proveout.ready.standing import ClaimStanding

COLUMNS = 80

SIGN = {
    ClaimStatus.PROVEN: "ok",
    ClaimStatus.NOT_NEEDED: "ok",
    ClaimStatus.WAIVED: "warn",
    ClaimStatus.EXPIRED: "warn",
    ClaimStatus.CLAIMED: "open",
    ClaimStatus.MISSING: "open",
    ClaimStatus.FAILED: "no",
}
URGENT = frozenset({"critical", "high"})


class NoProjectToAudit(Mistake):
    """The folder holds no project, and this version audits projects only."""

    code = "no-project-to-audit"


@click.command()
@click.argument("path", required=False)
@click.argument("name", metavar="[REL]", required=False)
@click.option("--all", "everything", is_flag=True, help="Show what is proven, too.")
@click.option("--html", type=click.Path(path_type=Path), help="Write it as one HTML file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one audit.v1.")
def audit(
    path: str | None, name: str | None, everything: bool, html: Path | None, as_json: bool
) -> int:
    """Show the stage and why, what is proven and what is open, and the cheapest next command.

    PATH is the folder of a project, this one by default; REL is a release, the newest by
    default. Exits 0 when ready for production, 1 when not.
    """
    found = asyncio.run(_audit(path, name))
    if html is not None:
        from proveout.faces.readiness_page import audit_html

        html.write_text(audit_html(found), "utf-8")
    if as_json:
        answer_json(audit_v1(found))
    else:
        _show(found, everything=everything)
    return 0 if found.is_ready else 1


async def _audit(path: str | None, name: str | None) -> Readiness:
    from proveout.faces.project import NoProject, Project
    from proveout.faces.readiness import readiness

    place, release = _place_and_release(path, name)
    try:
        async with Project.open(place) as project:
            chosen = None if release is None else await find_release(project, release)
            return await readiness(project, chosen)
    except NoProject as error:
        raise _no_project(str(Path.cwd())) from error


def _place_and_release(path: str | None, name: str | None) -> tuple[Path | None, str | None]:
    """Return which of the two arguments names a folder, and which a release."""
    if path is None:
        return None, None
    place = Path(path)
    if name is None and not place.exists():
        return None, path
    folder = place if place.is_dir() else place.parent
    if place.is_dir() and not (folder / "proveout.toml").is_file():
        raise _no_project(path)
    return place, name


def _no_project(where: str) -> NoProjectToAudit:
    return NoProjectToAudit(
        f"there is no proveout.toml in {where}",
        why="scanning any repository comes with a later version; this one audits projects",
        fix=("proveout init NAME", "cd into the project, then: proveout audit"),
    )


def audit_v1(found: Readiness) -> dict[str, Any]:
    """Return where a workflow stands as the object that callers outside rely on."""
    from proveout.ready.findings import finding_words
    from proveout.ready.standing import claim_words

    return {
        "schema": "audit.v1",
        "workflow": found.workflow,
        "stage": found.stage,
        "release": found.release.name if found.release else None,
        "digest": found.release.digest if found.release else None,
        "tree": found.tree,
        "bar": BAR.version,
        "choice": found.choice.way,
        "reasons": list(found.choice.reasons),
        "story": [
            {
                "title": row.title,
                "proof_of_concept": row.proof_of_concept,
                "production": row.production,
            }
            for row in found.story
        ],
        "findings": [finding_words(one) for one in found.findings],
        "claims": [claim_words(one) for one in found.standings],
        "blocked_by": [{"code": one.code, "what": one.what} for one in found.reasons()],
        "ready": found.is_ready,
        "next": found.next,
    }


def _show(found: Readiness, *, everything: bool) -> None:
    passing = sum(not one.is_open for one in found.standings)
    release = found.release.name if found.release else "no release yet"
    answer(
        f"{strong(found.workflow)} · {found.stage} · {release}"
        f" · {passing} of {len(found.standings)} claims of bar {BAR.version} pass"
    )
    if found.tree:
        answer(f"  {sign('warn')} the working tree is not {release}: {clean(found.tree)}")
    answer()
    for line in _choice_lines(found):
        answer(line)
    answer()
    for row in found.story:
        for line in _story_lines(row, found.stage):
            answer(line)
    _section("Findings", [line for one in found.findings for line in _finding_lines(one)])
    _section("Claims", _claims_lines(found.standings, everything=everything))
    _conclude(found)


def _section(title: str, lines: list[str]) -> None:
    if not lines:
        return
    answer()
    answer(strong(title))
    for line in lines:
        answer(line)


def _choice_lines(found: Readiness) -> list[str]:
    lines = [f"{strong(found.choice.way.capitalize())}:"]
    return lines + [f"  {line}" for one in found.choice.reasons for line in _wrapped(one, 76)]


def _story_lines(row: StoryRow, stage: Stage) -> list[str]:
    lines = [f"  {strong(row.title)}"]
    for name, is_now, text in (
        ("proof of concept", stage is Stage.PROOF_OF_CONCEPT, row.proof_of_concept),
        ("production", stage is Stage.PRODUCTION, row.production),
    ):
        first, *rest = _wrapped(text, COLUMNS - 24)
        head = f"    {'>' if is_now else ' '} {name:<17} "
        lines += [f"{head if is_now else faint(head)}{first}", *(f"{'':24}{one}" for one in rest)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(clean(text), width, break_long_words=False) or [""]


def _finding_lines(one: Finding) -> list[str]:
    mark = sign("no" if one.severity in URGENT else "warn")
    first, *rest = _wrapped(one.message, COLUMNS - 14)
    lines = [f"  {mark} {one.severity:<8}  {first}", *(f"{'':14}{line}" for line in rest)]
    return lines + [f"{'':14}{faint(line)}" for line in _wrapped(one.fix, COLUMNS - 14)]


def _claims_lines(standings: tuple[ClaimStanding, ...], *, everything: bool) -> list[str]:
    left = [one for one in standings if one.is_open]
    passing = [one for one in standings if not one.is_open]
    shown = passing if everything else [one for one in passing if _is_notable(one)]
    lines = [line for one in (*left, *shown) for line in claim_lines(one)]
    if more := len(passing) - len(shown):
        lines.append(f"  {sign('ok')} {more} more pass{'es' if more == 1 else ''}    --all")
    return lines


def _is_notable(one: ClaimStanding) -> bool:
    return one.warns or one.status is ClaimStatus.WAIVED or bool(one.refused)


def claim_lines(one: ClaimStanding) -> list[str]:
    """Return where a claim stands in lines of at most 80 columns."""
    status = one.status.lower()
    until = "" if one.until is None else f"; valid until {one.until.date()}"
    first, *rest = _wrapped(f"{one.why}{until}", COLUMNS - 30)
    head = f"  {sign(SIGN[one.status])} {status:<10} {one.claim.name:<14}"
    lines = [f"{head} {first}", *(f"{'':30}{line}" for line in rest)]
    if one.warns:
        lines.append(f"{'':30}{sign('warn')} renew it: {one.claim.command}")
    for doubt in one.refused:
        lines += [f"{'':30}{line}" for line in _wrapped(f"not counted: {doubt}", COLUMNS - 30)]
    return lines


def _conclude(found: Readiness) -> None:
    answer()
    if found.is_ready:
        word = paint("READY", "green", bold=True)
        asked = len(found.facts.assumptions_open)
        rest = f"  {asked} assumption{'' if asked == 1 else 's'} left to promote" if asked else ""
        answer(f"{word}{rest}")
    else:
        count = len([one for one in found.reasons() if one.code != "assumption-open"])
        word = paint("NOT READY", "red", bold=True)
        answer(f"{word}  {count} reason{'' if count == 1 else 's'}. Start with the cheapest:")
    next_step(found.next)


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to write the plan; SUPPORT.md stands beside it.",
)
@click.option("--html", is_flag=True, help="Write both as HTML, too.")
def plan(output: Path | None, html: bool) -> None:
    """Write RELEASE-PLAN.md, what is open and in which order, and SUPPORT.md."""
    for path in asyncio.run(_plan(output, html=html)):
        answer(f"{sign('ok')} wrote {path}")


async def _plan(output: Path | None, *, html: bool) -> list[Path]:
    from proveout.faces.project import Project

    async with Project.open() as project:
        plan_path = output or project.settings.folder / "RELEASE-PLAN.md"
        texts = {
            plan_path: await plan_text(project),
            plan_path.with_name("SUPPORT.md"): support_text(project),
        }
        if html:
            from proveout.faces.readiness_page import document_html

            texts |= {path.with_suffix(".html"): document_html(t) for path, t in texts.items()}
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    return list(texts)


async def plan_text(project: Project, release: Release | None = None) -> str:
    """Return the release plan of a project as Markdown."""
    from proveout.faces.readiness import readiness
    from proveout.faces.readiness_facts import people_of
    from proveout.ready.plan import Window, plan, to_markdown

    found = await readiness(project, release)
    name = found.release.name if found.release else "the working tree"
    production = project.settings.production
    window = Window(workflow=project.name, release=name)
    if production is not None:
        window = Window(workflow=project.name, release=name, length=production.window)
    return to_markdown(plan(found.standings, people_of(project.settings), window, found.now))


def support_text(project: Project) -> str:
    """Return what the users of a project may expect as Markdown."""
    from proveout.faces.readiness_facts import people_of, support_of
    from proveout.ready.plan import support_markdown

    return support_markdown(project.name, people_of(project.settings), support_of(project.settings))
