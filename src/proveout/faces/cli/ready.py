"""The command `audit` in a project: the stage, what is risky, and what is proven."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.bar import BAR, ClaimStatus
from proveout.errors import Mistake
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    faint,
    next_step,
    no_room,
    paint,
    say,
    sign,
    strong,
    wrapped,
)
from proveout.faces.cli.release import find_release
from proveout.faces.cli.repository import choice_lines, is_asked, show_findings, story_lines
from proveout.ready.findings import finding_words

if TYPE_CHECKING:
    from proveout.faces.readiness import Readiness
    from proveout.ready.findings import Finding
    from proveout.ready.scan.scan import Located, Scanned
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What somebody wants of an audit.

    Attributes:
        asks: whether a person may be asked.
    """

    everything: bool
    html: Path | None
    sarif: Path | None
    baseline: Path | None
    write_baseline: Path | None
    as_json: bool
    asks: bool


class NoProjectToAudit(Mistake):
    """There is neither a folder nor a file of Python of that name, nor a project with releases."""

    code = "no-project-to-audit"


class AuditNotWritten(Mistake):
    """A file that an audit was to write cannot be written there."""

    code = "audit-not-written"


_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("path", required=False)
@click.argument("name", metavar="[REL]", required=False)
@click.option("--all", "everything", is_flag=True, help="Show every place, and what is proven.")
@click.option("--html", type=_FILE, help="Write it as one HTML file, too.")
@click.option("--sarif", type=_FILE, help="Write the findings in the code as SARIF, too.")
@click.option(
    "--baseline", type=_FILE, help="Findings that do not count; proveout-baseline.json by default."
)
@click.option("--write-baseline", type=_FILE, help="Keep today's findings as a baseline.")
@click.option("--no-ask", is_flag=True, help="Ask nothing, also on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print one audit.v1.")
def audit(path: str | None, name: str | None, no_ask: bool, **said: Any) -> int:
    """Show the stage and why, what is risky, proven and open, and the cheapest next command.

    PATH is any repository of Python, or one file of it; this folder by default. It is read and
    never executed, and no network is used. Exits 1 where a finding is critical or high and
    neither suppressed nor in the baseline, else 0.

    In a project, which has a proveout.toml, it shows the claims of the production bar, too; REL
    is a release, the newest by default. Exits 0 when ready for production, 1 when not.
    """
    place, release = _place_and_release(path, name)
    wants = Wants(**said, asks=not (no_ask or said["as_json"]) and is_asked())
    if is_project(place):
        return audit_project(place, release, wants)
    if release is not None:
        raise _nothing_there(release)
    return audit_repository(place or Path(), wants)


def _place_and_release(path: str | None, name: str | None) -> tuple[Path | None, str | None]:
    """Return which of the two arguments names a folder or file, and which a release."""
    if path is None:
        return None, None
    place = Path(path)
    if place.exists():
        return place, name
    if name is None and len(place.parts) == 1:
        return None, path
    raise _nothing_there(path)


def is_project(place: Path | None) -> bool:
    """Whether a place, or this folder or one above it, has a `proveout.toml`."""
    from proveout.faces.place import NoProject, find_project

    if place is not None:
        return place.suffix == ".toml" or (place / "proveout.toml").is_file()
    try:
        find_project()
    except NoProject:
        return False
    return True


def _nothing_there(where: str) -> NoProjectToAudit:
    return NoProjectToAudit(
        f"there is nothing called {where} here",
        why="an audit takes a folder or a file; the name of a release only within a project",
        fix=("proveout audit PATH", "cd into the project, then: proveout audit"),
    )


def audit_repository(place: Path, wants: Wants) -> int:
    """Audit a folder or file that is no project; return the exit code."""
    from proveout.faces import repository_audit
    from proveout.faces.cli import repository

    scanned, known = repository_audit.scan_with_baseline(place, wants.baseline)
    found = repository_audit.audit_of(scanned, known, {})
    if wants.asks:
        given = repository.ask(found.questions)
        found = repository_audit.audit_of(scanned, known, given)
    _write_scan(scanned, known, wants)
    if wants.html is not None:
        from proveout.faces.report.audit_page import repository_html

        _write(wants.html, repository_html(found, _version()))
    if wants.as_json:
        answer_json(repository_audit.repository_v1(found))
    else:
        repository.show_repository(found, everything=wants.everything)
    return 1 if found.urgent else 0


def audit_project(place: Path | None, release: str | None, wants: Wants) -> int:
    """Audit a project: its claims, and its code; return the exit code."""
    from proveout.faces import repository_audit

    found, settings = asyncio.run(_readiness(place, release))
    if wants.asks and ask_for_people(found, settings):
        found, settings = asyncio.run(_readiness(place, release))
    scanned, known = repository_audit.scan_with_baseline(settings.parent, wants.baseline)
    _write_scan(scanned, known, wants)
    held = set(known)
    in_code = tuple(one for one in scanned.found if one not in held)
    if wants.html is not None:
        from proveout.faces.readiness_page import audit_html

        _write(wants.html, audit_html(found, in_code))
    if wants.as_json:
        words = audit_v1(found)
        words["findings"] += [finding_words(one.finding) for one in in_code]
        answer_json({**words, **repository_audit.scan_words(scanned, known)})
    else:
        _show(found, scanned, in_code, everything=wants.everything)
    return 0 if found.is_ready else 1


async def _readiness(place: Path | None, name: str | None) -> tuple[Readiness, Path]:
    from proveout.faces.project import Project
    from proveout.faces.readiness import readiness

    async with Project.open(place) as project:
        chosen = None if name is None else await find_release(project, name)
        return await readiness(project, chosen), project.settings.path


def ask_for_people(found: Readiness, settings: Path) -> bool:
    """Ask who answers for a project, and keep that in its settings; return whether anybody did."""
    from proveout.faces.cli import repository
    from proveout.faces.toml_answers import keep_answers
    from proveout.ready.people import is_known
    from proveout.ready.scan.questions import OF_PROJECT

    people = found.facts.people
    questions = [one for one in OF_PROJECT if not is_known(getattr(people, one.key))]
    given = repository.ask(questions)
    if given:
        keep_answers(settings, given)
        say(f"{sign('ok')} kept in {settings}")
    return bool(given)


def _write_scan(scanned: Scanned, known: tuple[Located, ...], wants: Wants) -> None:
    from proveout.faces.repository_audit import baseline_text, sarif

    if wants.write_baseline is not None:
        _write(wants.write_baseline, baseline_text(scanned.found))
        count = len(scanned.found)
        say(f"{sign('ok')} wrote {wants.write_baseline}: {count:,} finding{'s' * (count != 1)}")
    if wants.sarif is not None:
        _write(wants.sarif, sarif(scanned, known, _version()))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        if no_room(error) is not None:
            raise
        raise AuditNotWritten(
            f"{file} cannot be written: {error.strerror}", fix=("name a file in a folder that is",)
        ) from error


def _version() -> str:
    from importlib.metadata import version

    return version("proveout")


def audit_v1(found: Readiness) -> dict[str, Any]:
    """Return where a workflow stands as the object that callers outside rely on."""
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


def _show(
    found: Readiness, scanned: Scanned, in_code: tuple[Located, ...], *, everything: bool
) -> None:
    passing = sum(not one.is_open for one in found.standings)
    release = found.release.name if found.release else "no release yet"
    answer(
        f"{strong(found.workflow)} · {found.stage} · {release}"
        f" · {passing} of {len(found.standings)} claims of bar {BAR.version} pass"
    )
    if found.tree:
        answer(f"  {sign('warn')} the working tree is not {release}: {clean(found.tree)}")
    answer()
    for line in choice_lines(found.choice):
        answer(line)
    answer()
    for row in found.story:
        for line in story_lines(row, found.stage):
            answer(line)
    _section("Findings", [line for one in found.findings for line in _finding_lines(one)])
    show_findings(scanned, in_code, everything=everything)
    _section("Claims", _claims_lines(found.standings, everything=everything))
    _conclude(found)


def _section(title: str, lines: list[str]) -> None:
    if not lines:
        return
    answer()
    answer(strong(title))
    for line in lines:
        answer(line)


def _finding_lines(one: Finding) -> list[str]:
    mark = sign("no" if one.severity in URGENT else "warn")
    first, *rest = wrapped(one.message, COLUMNS - 14)
    lines = [f"  {mark} {one.severity:<8}  {first}", *(f"{'':14}{line}" for line in rest)]
    return lines + [f"{'':14}{faint(line)}" for line in wrapped(one.fix, COLUMNS - 14)]


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
    first, *rest = wrapped(f"{one.why}{until}", COLUMNS - 30)
    head = f"  {sign(SIGN[one.status])} {status:<10} {one.claim.name:<14}"
    lines = [f"{head} {first}", *(f"{'':30}{line}" for line in rest)]
    if one.warns:
        lines.append(f"{'':30}{sign('warn')} renew it: {one.claim.command}")
    for doubt in one.refused:
        lines += [f"{'':30}{line}" for line in wrapped(f"not counted: {doubt}", COLUMNS - 30)]
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
