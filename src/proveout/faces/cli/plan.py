"""The command `plan`: what is open before production, and what users may expect."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proveout.faces.cli.output import answer, sign

if TYPE_CHECKING:
    from proveout.domain.release import Release
    from proveout.faces.project import Project


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
