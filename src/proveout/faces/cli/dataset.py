"""The commands that check datasets, and bring them from elsewhere."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proveout.errors import Refusal
from proveout.faces.cli.output import answer, answer_json, clean, next_step, say, sign

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.faces.project import Project
    from proveout.prove.new_cases import Decided, NewCase, NewCases

FORMS = ("promptfoo", "pydantic-evals", "langfuse", "inspect")
"""Tools whose files can be imported."""


class FileStands(Refusal):
    """A file would be written over, or new cases into a dataset that an experiment uses."""

    code = "file-stands"


class TooMany(Refusal):
    """There is more than can be read at once."""

    code = "too-many"


@click.group()
def dataset() -> None:
    """Check datasets, and bring them from other tools."""


@dataset.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one dataset.v1.")
def check(file: Path, as_json: bool) -> None:
    """Read FILE as `prove` does, and say what it holds."""
    from proveout.faces import dataset_file

    found = dataset_file.load(file)
    sources = {one.cluster for one in found.cases if one.cluster}
    words: dict[str, object] = {
        "schema": "dataset.v1",
        "file": str(file),
        "cases": len(found.cases),
        "expected": sum(one.expected is not None for one in found.cases),
        "sources": len(sources),
        "tags": sorted({tag for one in found.cases for tag in one.tags}),
        "digest": found.digest,
    }
    if as_json:
        answer_json(words)
        return
    what = f"{words['cases']:,} cases, {words['expected']:,} of them with a right answer"
    answer(f"{sign('ok')} {file}: {what}")
    if sources:
        answer(f"    {len(sources):,} sources are named")
    answer(f"    digest {found.digest}")


@dataset.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "form", type=click.Choice(FORMS), help="Default: told by what it holds.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("cases.jsonl"),
    show_default=True,
    help="Where to write the cases.",
)
@click.option("--force", is_flag=True, help="Write over a file that stands there.")
@click.option("--json", "as_json", is_flag=True, help="Print one import.v1.")
def bring(file: Path, form: str | None, output: Path, force: bool, as_json: bool) -> None:
    """Write the cases of another tool's FILE as a dataset: JSON, JSON Lines or YAML.

    How answers are judged does not come along; it is said what was left.
    """
    from proveout.faces import dataset_import
    from proveout.faces.report.figures import count_of

    imported = dataset_import.read(file, form)
    _write(output, imported.cases, force=force)
    if as_json:
        left = dict(imported.left)
        answer_json(
            {
                "schema": "import.v1",
                "form": imported.form,
                "cases": len(imported.cases),
                "output": str(output),
                "left": left,
            }
        )
        return
    answer(f"{sign('ok')} {count_of(len(imported.cases), 'case')} of {imported.form} in {output}")
    for what, count in imported.left.items():
        say(f"  {sign('warn')} left behind: {count:,} x {what}")
    next_step(f"proveout dataset check {output}")


def _write(output: Path, cases: Iterable[object], *, force: bool) -> None:
    """Write cases to a file at once, or not at all.

    Raises:
        FileStands: a file stands there, and is not to be written over.
    """
    if output.exists() and not force:
        raise FileStands(
            f"{output} stands there already",
            why="a dataset that was locked must not change under its experiment",
            fix=("-o OTHER", "--force    writes over it"),
        )
    lines = (f"{json.dumps(one, ensure_ascii=False)}\n" for one in cases)
    written = output.with_name(f"{output.name}.part")
    written.write_text("".join(lines), "utf-8")
    written.replace(output)


MOST = 100_000
"""Decisions that are read at once."""


@dataset.command("from-reviews")
@click.option("--queue", help="Only reviews for this group of people.")
@click.option("--rejected", is_flag=True, help="Rejected drafts too, as cases without an answer.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("new-cases.jsonl"),
    show_default=True,
    help="Where to write the cases.",
)
@click.option("--force", is_flag=True, help="Write over a file that stands there.")
@click.option("--json", "as_json", is_flag=True, help="Print one import.v1.")
def from_reviews(
    queue: str | None, rejected: bool, output: Path, force: bool, as_json: bool
) -> None:
    """Write what people decided in reviews as new cases, beside the datasets that there are.

    The input is that of the run, and the right answer the draft as the person left it. Each case
    names where it comes from. No dataset is changed: one with these cases is another one.
    """
    found = asyncio.run(_from_reviews(queue, output, with_rejected=rejected))
    if not found.cases:
        _tell_nothing(found, as_json=as_json)
        return
    _write(output, map(_line, found.cases), force=force)
    if as_json:
        answer_json(import_v1(found, output))
        return
    from proveout.faces.report.figures import count_of

    answer(f"{sign('ok')} {count_of(len(found.cases), 'new case')} in {output}")
    _tell_left(found)
    if found.unlike_result:
        say(
            f"  {sign('warn')} {found.unlike_result:,} of them expect another answer than their run"
            " returned: a score compares with what the workflow returns"
        )
    next_step(f"proveout dataset check {output}", "then name it as dataset, or add its lines")


def _line(new: NewCase) -> dict[str, object]:
    """Return a new case as a line of a dataset holds it."""
    from proveout.faces.dataset_case import PROVENANCE

    case = new.case
    line: dict[str, object] = {"id": case.id, "input": case.value}
    if case.expected is not None:
        line["expected"] = case.expected
    return {**line, "tags": list(case.tags), PROVENANCE: dict(new.provenance)}


def import_v1(found: NewCases, output: Path | None) -> dict[str, object]:
    """Return what came of reviews as the object that programs read."""
    from dataclasses import asdict

    return {
        "schema": "import.v1",
        "form": "reviews",
        "cases": len(found.cases),
        "output": None if output is None else str(output),
        "left": dict(found.left),
        "known": [asdict(one) for one in found.known],
        "unlike_result": found.unlike_result,
    }


def _tell_nothing(found: NewCases, *, as_json: bool) -> None:
    if as_json:
        answer_json(import_v1(found, None))
        return
    answer("no decision makes a new case, and nothing was written")
    _tell_left(found)


def _tell_left(found: NewCases) -> None:
    for why, count in found.left.items():
        say(f"  {sign('warn')} left out: {count:,} x {why}")
    for one in found.known[:SHOWN]:
        say(clean(f"      {one.review} is case {one.case} of {one.dataset}"))
    if len(found.known) > SHOWN:
        say(f"      and {len(found.known) - SHOWN:,} more")


SHOWN = 5
"""Known cases that are named."""


async def _from_reviews(queue: str | None, output: Path, *, with_rejected: bool) -> NewCases:
    from proveout.domain.access import Right
    from proveout.faces.operating import acting
    from proveout.faces.project import Project
    from proveout.prove.new_cases import new_cases

    async with Project.open() as project:
        await acting(project, Right.REVIEW)
        _refuse_dataset(project, output)
        known = _known(project)
        decisions = await _decisions(project, queue)
    return new_cases(decisions, known, workflow=project.name, with_rejected=with_rejected)


def _refuse_dataset(project: Project, output: Path) -> None:
    """Leave quietly when the file is no dataset of the project's.

    Raises:
        FileStands: it is.
    """
    for one in project.settings.experiments:
        if one.dataset.resolve() == output.resolve():
            raise FileStands(
                f"{output} is the dataset of {one.name}",
                why="new cases make another dataset, and another experiment: that is to be"
                " decided by whoever reads them, and not on the way",
                fix=("-o new-cases.jsonl",),
            )


def _known(project: Project) -> dict[str, tuple[str, str]]:
    """Return the cases of all datasets, by their digests: the dataset's name, and the case's id."""
    from proveout.faces import dataset_file
    from proveout.prove.lock import case_digest

    files = {one.dataset for one in project.settings.experiments}
    datasets = [dataset_file.load(file) for file in sorted(files)]
    return {case_digest(case): (one.name, case.id) for one in datasets for case in one.cases}


async def _decisions(project: Project, queue: str | None) -> list[Decided]:
    """Return the decisions of people, each with its run.

    Raises:
        TooMany: there are more than can be read at once.
    """
    from proveout.domain.review import ReviewState
    from proveout.prove.new_cases import Decided

    store = project.store
    reviews = await store.reviews(ReviewState.DECIDED, queue, MOST + 1)
    if len(reviews) > MOST:
        raise TooMany(
            f"more than {MOST:,} reviews were decided",
            why="they are read at once, to find inputs that were decided twice",
            fix=("proveout dataset from-reviews --queue NAME",),
        )
    names = {str(one.digest): one.name for one in await store.releases()}
    found: list[Decided] = []
    for one in reviews:
        if one.takes_effect is not None:
            continue  # it can still be undone
        run = await store.run(one.run)
        release = "" if run is None or run.release is None else run.release
        found.append(Decided(review=one, run=run, release=names.get(release, release)))
    return found
