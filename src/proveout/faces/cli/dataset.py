"""The commands that check datasets, and bring them from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import click

from proveout.errors import Refusal
from proveout.faces.cli.output import answer, answer_json, next_step, say, sign

FORMS = ("promptfoo", "pydantic-evals", "langfuse", "inspect")
"""Tools whose files can be imported."""


class FileStands(Refusal):
    """A file would be written over."""

    code = "file-stands"


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
    if output.exists() and not force:
        raise FileStands(
            f"{output} stands there already",
            why="a dataset that was locked must not change under its experiment",
            fix=("-o OTHER", "--force    writes over it"),
        )
    lines = (f"{json.dumps(one, ensure_ascii=False)}\n" for one in imported.cases)
    written = output.with_name(f"{output.name}.part")
    written.write_text("".join(lines), "utf-8")
    written.replace(output)
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
