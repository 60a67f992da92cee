"""Commands that keep a project in order: config, explain, completion."""

from __future__ import annotations

import pkgutil
import textwrap
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

import click

import proveout
from proveout.errors import Mistake, Outage, ProveoutError, Refusal
from proveout.faces.cli.output import answer, answer_json, faint, sign, strong, table

if TYPE_CHECKING:
    from proveout.ready.scan.rule import Rule


@click.group()
def config() -> None:
    """Check, show and describe the settings."""


@config.command("check")
def check() -> None:
    """Read proveout.toml and its datasets, and say whether they hold."""
    from proveout.faces import dataset_file
    from proveout.faces.place import find_project
    from proveout.faces.settings import load

    settings = load(find_project())
    answer(f"{sign('ok')} {settings.path}   workflow {settings.workflow.name}")
    for one in settings.experiments:
        cases = len(dataset_file.load(one.dataset).cases)
        answer(f"{sign('ok')} {one.dataset}   {cases:,} cases for {one.name}")


@config.command("schema")
def schema() -> None:
    """Print the JSON Schema of proveout.toml, for editors."""
    from proveout.faces.settings_schema import json_schema

    answer_json(json_schema())


@config.command("keys")
def keys() -> None:
    """List every key of proveout.toml with its type, default and meaning."""
    from proveout.faces.settings_schema import settings_table

    rows = [(row.key, row.type, row.default, row.meaning) for row in settings_table()]
    table(rows, ("key", "type", "default", "meaning"))


FAMILY = {
    Mistake: "a mistake: mend the call, exit 2",
    Refusal: "a refusal: bring evidence or a decision, exit 3",
    Outage: "an outage: worth another try, exit 6",
}


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain an error or a finding of an audit by its CODE; without one, list all codes."""
    from proveout.ready.scan.catalogue import BY_CODE

    known = error_kinds()
    if code is None:
        meanings = {name: first_line(kind) for name, kind in known.items()}
        meanings |= {name: rule.title for name, rule in BY_CODE.items()}
        table(sorted(meanings.items()), ("code", "meaning"))
        return
    if code in BY_CODE:
        explain_rule(BY_CODE[code])
        return
    if code not in known:
        nearest = get_close_matches(code, [*known, *BY_CODE], n=1)
        fix = f"proveout explain {nearest[0]}" if nearest else "proveout explain"
        raise Mistake(f'there is no error and no finding "{code}"', fix=(fix,))
    kind = known[code]
    family = next(text for family, text in FAMILY.items() if issubclass(kind, family))
    answer(f"{strong(code)}  {family}")
    answer()
    answer(textwrap.indent(textwrap.dedent(kind.__doc__ or "").strip(), "  "))


def explain_rule(rule: Rule) -> None:
    """Print what a rule of an audit finds, why that bites, and how to mend it."""
    answer(f"{strong(rule.code)}  a finding of an audit, {rule.severity}")
    answer()
    answer(f"  {strong(rule.title)}")
    for head, text in (("finds", rule.finds), ("why", rule.why), ("mend", rule.fix)):
        first, *rest = textwrap.wrap(text, 70, break_on_hyphens=False)
        answer(f"  {faint(f'{head:<6}')} {first}")
        for line in rest:
            answer(f"{'':9}{line}")
    for head, text in (("is found", rule.bad), ("is not", rule.good)):
        answer()
        answer(f"  {strong(head)}")
        answer(textwrap.indent(text.rstrip(), "    "))
    answer()
    answer(faint(f"  Where it is right as it is: # proveout: ignore[{rule.code}] and the reason"))


def first_line(kind: type[ProveoutError]) -> str:
    """Return the first line of what an error means."""
    return (kind.__doc__ or "").strip().partition("\n")[0]


def error_kinds() -> dict[str, type[ProveoutError]]:
    """Return every kind of error that the package can raise, by its code."""
    for module in pkgutil.walk_packages(proveout.__path__, "proveout."):
        # What those of entries import may not be installed; their errors are declared elsewhere.
        if ".template" not in module.name and ".faces.entries." not in module.name:
            import_module(module.name)
    kinds: dict[str, type[ProveoutError]] = {}
    left: list[type[ProveoutError]] = [ProveoutError]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind is not ProveoutError and "code" in vars(kind):
            kinds[kind.code] = kind
    return kinds


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL."""
    from click.shell_completion import get_completion_class

    from proveout.faces.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the three shells that the choice allows
    answer(kind(cli, {}, "proveout", "_PROVEOUT_COMPLETE").source())
