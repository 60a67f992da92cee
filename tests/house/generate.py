"""Write the tables of the documentation from the code they describe: `make docs`.

A test compares the files with what this module would write, so neither can drift.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

import proveout
from proveout.errors import Mistake, Outage, Refusal
from proveout.faces.blocked import BLOCKED
from proveout.faces.cli.keep import error_kinds
from proveout.faces.cli.main import BUG, COMMANDS, DENIED, EXIT_CODES, GONE, INTERRUPTED, cli
from proveout.faces.cli.prove import EXIT
from proveout.faces.settings_schema import settings_table
from proveout.ready.probes.catalogue import PROBES
from proveout.ready.scan.catalogue import RULES
from receivers.faults import CASES, FRAMEWORKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FunctionType

    from proveout.errors import ProveoutError
    from proveout.ready.probes.probe import Probe
    from proveout.ready.scan.rule import Rule

DOCS = Path(__file__).parents[2] / "docs"

REST = "<!-- The rest is written by `make docs`; change the code it describes. -->\n"
"""What stands on a page between what is written by hand and what is not."""

WIDTH = 88
"""Characters of a line on a page."""

OURS = {
    *("aside", "conductor", "enqueue_json", "experiment", "recorded", "worker", "workflow"),
    *("put_to",),
}
"""Methods of public classes that serve other parts of Proveout, and promise callers nothing."""

ENVIRONMENT = (
    ("PROVEOUT_PROJECT", "found upward from here", "Path of `proveout.toml`, or its folder."),
    (
        "PROVEOUT_STORE",
        "`sqlite:///.proveout/proveout.db`, beside `proveout.toml`",
        "Where everything is kept: `sqlite:///PATH` or `postgresql://…`.",
    ),
    (
        "PROVEOUT_LEASE",
        "`30 s`",
        "How long a run stays its worker's without a sign of life from it.",
    ),
    (
        "PROVEOUT_KEY_FILE",
        "`~/.config/proveout/key`, or in `XDG_CONFIG_HOME`",
        "The key that signs ledger and evidence; made at first use, never in the store.",
    ),
    (
        "PROVEOUT_CACHE",
        "`~/.cache/proveout`, or in `XDG_CACHE_HOME`",
        "Where releases are unpacked and the packages they run among are kept.",
    ),
    ("PROVEOUT_USER", "the system's login", "Who acts on the command line."),
    ("NO_COLOR", "unset", "Anything: no colour, and no drawing that redraws itself."),
)
"""What the environment may say: name, default, meaning."""

FAMILIES = {
    Mistake: "The caller asked for something that cannot be. Mend the call.",
    Refusal: "A rule forbids it. Bring evidence, or a decision.",
    Outage: "Something outside did not answer. Try again.",
}

VERDICTS = ", ".join(f"{code} {verdict}" for verdict, code in EXIT.items())

OTHER_EXITS = (
    (0, "Done."),
    (1, "Done, and the answer is no."),
    (DENIED, "Not signed in, or no right."),
    (BUG, "A bug in Proveout; the message names a file with what is needed to find it."),
    (BLOCKED, "A worker whose event loop a run blocked for half a lease; start it again."),
    (INTERRUPTED, "Interrupted; what was acknowledged is kept."),
    (GONE, "Whoever read the output went away."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of the command line, and the words by which it is called."""

    words: tuple[str, ...]
    command: click.Command

    @property
    def name(self) -> str:
        """The whole command, as it is typed."""
        return " ".join(self.words)

    @property
    def usage(self) -> str:
        """The command with its arguments."""
        context = click.Context(self.command, info_name=self.name)
        pieces = self.command.collect_usage_pieces(context)
        return " ".join([self.name, *(piece for piece in pieces if piece != "[OPTIONS]")])

    @property
    def options(self) -> list[tuple[str, str]]:
        """Its options with what each does."""
        context = click.Context(self.command, info_name=self.name)
        return [
            (record[0], record[1])
            for option in self.command.params
            if isinstance(option, click.Option) and (record := option.get_help_record(context))
        ]


def pages() -> dict[Path, str]:
    """Return every generated page by its path."""
    made = {
        "settings.md": settings(),
        "commands.md": commands(),
        "errors.md": errors(),
        "probes.md": probes(),
        "python.md": python(),
        "audit.md": audit(),
    }
    return {DOCS / name: text for name, text in made.items()}


def settings() -> str:
    """Return the page of every key and variable that Proveout reads."""
    groups: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for row in settings_table():
        table, _, key = row.key.rpartition(".")
        groups[table].append((code(key), row.type, row.default, row.meaning))
    parts = [
        page(
            "Settings",
            "A project is a folder with a file `proveout.toml`. It holds what a founder, an"
            " operator and a reviewer can read and sign. An unknown key, a wrong unit or a missing"
            " file is refused with its line, the reason and the fix. `proveout config check` reads"
            " the file; `proveout config schema` prints its JSON Schema for editors.",
            "A duration is a number and a unit (`ms`, `s`, `min`, `h`, `days`, `weeks`), money a"
            " number and a currency, a rate a number per time.",
        )
    ]
    for table, rows in groups.items():
        parts.append(f"## {heading(table)}\n\n" + grid(("key", "type", "default", "meaning"), rows))
    variables = [(code(name), default, meaning) for name, default, meaning in ENVIRONMENT]
    parts.append("## Environment\n\n" + grid(("variable", "default", "meaning"), variables))
    return "\n".join(parts)


def heading(table: str) -> str:
    """Return a table of settings as it is written in TOML."""
    if not table:
        return "The file"
    return f"`[[{table.removesuffix('[]')}]]`" if table.endswith("[]") else f"`[{table}]`"


def commands() -> str:
    """Return the page of every command, option and exit code."""
    parts = [
        page(
            "Commands",
            "Standard output holds the answer, standard error progress and messages. With `--json`"
            " the answer is one object, or one object a line, with its `schema`; errors too. Piped"
            " lists are tab-separated, without colour. `-h` or `--help` explains any command.",
        )
    ]
    parts += [described(command) for command in all_commands()]
    parts.append("## Exit codes\n\n" + grid(("code", "meaning"), exit_codes()))
    return "\n".join(parts)


def all_commands() -> Iterator[Command]:
    """Yield the command itself, then every command in the order of the path."""
    yield Command(words=("proveout",), command=cli)
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            raise AssertionError(f"{name} is listed and cannot be found")
        yield from within(("proveout", name), command)


def within(words: tuple[str, ...], command: click.Command) -> Iterator[Command]:
    """Yield a command, then those that it groups."""
    yield Command(words=words, command=command)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from within((*words, name), inner)


def described(one: Command) -> str:
    """Return a command with what it does and what it takes."""
    level = "##" if isinstance(one.command, click.Group) or len(one.words) <= 2 else "###"
    text = prose(one.command.help or "")
    options = [(code(names), meaning) for names, meaning in one.options]
    table = grid(("option", "meaning"), options) if options else ""
    return f"{level} `{one.usage}`\n\n{text}\n" + (f"\n{table}" if table else "")


def exit_codes() -> Iterator[tuple[str, str]]:
    """Yield every exit code with its meaning."""
    families = [(code, FAMILIES[family]) for family, code in EXIT_CODES.items()]
    for number, meaning in sorted((*families, *OTHER_EXITS)):
        yield str(number), meaning
    yield "prove, verdict", f"{VERDICTS}."


def errors() -> str:
    """Return the page of every kind of error, family by family."""
    parts = [
        page(
            "Errors",
            "An error says what broke, why, and what to do next. Its code is stable:"
            " `proveout explain CODE` prints what stands here, and with `--json` the code is in"
            " `error.code`. A verdict is no error.",
        )
    ]
    kinds = own_kinds()
    for family, meaning in FAMILIES.items():
        members = [(code, kind) for code, kind in sorted(kinds.items()) if issubclass(kind, family)]
        parts.append(group(f"{family.__name__}: exit {EXIT_CODES[family]}", meaning, members))
    others = [one for one in sorted(kinds.items()) if not issubclass(one[1], tuple(FAMILIES))]
    if others:
        meaning = "Raised inside workflows; a run that lets one out ends without a result."
        parts.append(group("Of no family", meaning, others))
    return "\n".join(parts)


def own_kinds() -> dict[str, type[ProveoutError]]:
    """Return the package's own kinds of error, whatever tests have derived from them."""
    found = error_kinds().items()
    return {code: kind for code, kind in found if kind.__module__.startswith("proveout.")}


RULES_BEGIN = "<!-- rules: written by make docs -->"
RULES_END = "<!-- end -->"


def audit() -> str:
    """Return the page of the audit, with a section for every rule of the catalogue."""
    before, _, rest = (DOCS / "audit.md").read_text("utf-8").partition(RULES_BEGIN)
    after = rest.partition(RULES_END)[2]
    rows = [
        (f"[{code(rule.code)}](#{rule.code})", rule.severity.value, rule.title) for rule in RULES
    ]
    parts = [
        "## The rules",
        grid(("code", "severity", "what is found"), rows).rstrip(),
        *map(ruled, RULES),
    ]
    rules = "\n\n".join(parts)
    return f"{before}{RULES_BEGIN}\n\n{rules}\n\n{RULES_END}{after}"


def ruled(rule: Rule) -> str:
    """Return one rule with why it bites, how to mend it, and an example of each."""
    return "\n\n".join(
        (
            f"### `{rule.code}`",
            f"**{rule.title}** ({rule.severity}).",
            filled(rule.finds),
            filled(f"*Why it bites*: {rule.why}."),
            filled(f"*How to mend it*: {rule.fix}"),
            f"This is found:\n\n```python fragment\n{rule.bad}```",
            f"This is not:\n\n```python fragment\n{rule.good}```",
        )
    )


def filled(text: str) -> str:
    """Return a paragraph in lines of a page; code is not torn apart."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)


def group(title: str, meaning: str, kinds: Iterable[tuple[str, type[ProveoutError]]]) -> str:
    """Return some kinds of error under a title."""
    rows = [(code(name), line(first_paragraph(inspect.getdoc(kind) or ""))) for name, kind in kinds]
    return f"## {title}\n\n{meaning}\n\n" + grid(("code", "meaning"), rows)


def probes() -> str:
    """Return the page of probes: its beginning as it is, the faults, and each probe."""
    before, _, _ = (DOCS / "probes.md").read_text("utf-8").partition(REST)
    rows = [
        (case.words, *(", ".join(case.found) for _ in FRAMEWORKS), ", ".join(case.may))
        for case in CASES
    ]
    table = grid(("the receiver …", *FRAMEWORKS, "at times also"), rows)
    tried = f"## Tried on {len(CASES)} faults\n\n{PROBES_TRIED}\n\n{table}"
    return "\n".join([before + REST, tried, "## The probes\n", *map(probe, PROBES)])


def probe(one: Probe) -> str:
    """Return a probe with what it asks, why, and how a bad answer is mended."""
    facts = f"*{one.severity}*" + (f" · needs {one.needs}" if one.needs else "")
    words = [textwrap.fill(text, WIDTH) for text in (f"{one.why}", f"**Mend it.** {one.fix}")]
    fixes = [
        textwrap.fill(f"- {framework}: {text}", WIDTH, subsequent_indent="  ")
        for framework, text in one.fixes.items()
    ]
    body = "\n\n".join([facts, *words, *(["\n".join(fixes)] if fixes else [])])
    return f"### {one.id}\n\n**{one.title}.** {body}\n"


PROBES_TRIED = textwrap.fill(
    "Receivers with one fault at a time, written in four ways, and which probes fail. Those in"
    " plain WSGI are asked all 23, and no other fails; the others are asked those that are named."
    " A receiver without a fault passes all of them, in each framework and each scheme. A test"
    " holds this table.",
    WIDTH,
)


def python() -> str:
    """Return the page of every name that `import proveout` offers."""
    parts = [
        page(
            "Names",
            "All that `from proveout import …` offers. Each is imported on first use, so importing"
            " the package costs next to nothing. Everything else is private.",
        )
    ]
    parts += [named(name) for name in proveout.__all__]
    return "\n".join(parts)


def named(name: str) -> str:
    """Return a public name with how it is called and what it promises."""
    value = getattr(proveout, name)
    parts = [f"## `{name}`"]
    if inspect.isfunction(value):
        parts.append(f"```python fragment\n{signature(value)}\n```")
    parts.append(prose(inspect.getdoc(value) or ""))
    if inspect.isclass(value) and (methods := list(promised(value))):
        parts.append("\n".join(f"- `{method}`: {meaning}" for method, meaning in methods))
    return "\n\n".join(parts) + "\n"


def signature(function: FunctionType) -> str:
    """Return how a function is called, one parameter a line where it is long."""
    [found] = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    head = f"{'async ' if isinstance(found, ast.AsyncFunctionDef) else ''}def {found.name}"
    back = "" if found.returns is None else f" -> {ast.unparse(found.returns)}"
    given = list(parameters(found.args))
    text = f"{head}({', '.join(given)}){back}: ..."
    if len(text) <= WIDTH:
        return text
    return f"{head}(\n" + "".join(f"    {one},\n" for one in given) + f"){back}: ..."


def parameters(found: ast.arguments) -> Iterator[str]:
    """Yield each parameter as it is written; a default that only our code knows is dots."""
    places = [*found.posonlyargs, *found.args]
    missing = [None] * (len(places) - len(found.defaults))
    for index, (one, default) in enumerate(zip(places, [*missing, *found.defaults], strict=True)):
        yield parameter(one, default)
        if index + 1 == len(found.posonlyargs):
            yield "/"
    if found.vararg or found.kwonlyargs:
        yield f"*{parameter(found.vararg, None)}" if found.vararg else "*"
    for one, default in zip(found.kwonlyargs, found.kw_defaults, strict=True):
        yield parameter(one, default)


def parameter(one: ast.arg, default: ast.expr | None) -> str:
    """Return one parameter with its type and default."""
    match default:
        case None:
            return ast.unparse(one)
        case ast.Name():
            shown = "..."
        case ast.Constant(str(text)):
            shown = json.dumps(text)
        case _:
            shown = ast.unparse(default)
    return f"{ast.unparse(one)} = {shown}"


def promised(kind: type) -> Iterator[tuple[str, str]]:
    """Yield a class's methods and properties that callers may use, with what each does."""
    for name, value in vars(kind).items():
        meaning = inspect.getdoc(getattr(kind, name))
        if not name.startswith("_") and name not in OURS and is_documented_part(value) and meaning:
            yield name, line(first_paragraph(meaning))


def is_documented_part(value: object) -> bool:
    """Whether a part of a class has a docstring of its own."""
    return isinstance(value, property | classmethod | staticmethod) or inspect.isfunction(value)


def prose(text: str) -> str:
    """Return a docstring as Markdown: sections as bold words with their lines as a list."""
    paragraphs = [part for part in inspect.cleandoc(text).split("\n\n") if part.strip()]
    return "\n\n".join(section(part) for part in paragraphs)


def section(paragraph: str) -> str:
    """Return one paragraph; `Args:` and its like become lists."""
    title, _, rest = paragraph.partition("\n")
    if not (title.endswith(":") and rest.startswith("    ")):
        return line(paragraph)
    items: list[str] = []
    for text in textwrap.dedent(rest).splitlines():
        if text.startswith(" ") and items:
            items[-1] += f" {text.strip()}"
        else:
            items.append(text)
    return f"**{title}**\n\n" + "\n".join(f"- {item}" for item in items)


def first_paragraph(text: str) -> str:
    """Return the beginning of a docstring, up to its first empty line."""
    return text.partition("\n\n")[0]


def line(text: str) -> str:
    """Return a paragraph on one line."""
    return " ".join(text.split())


def page(title: str, *paragraphs: str) -> str:
    """Return the head of a generated page."""
    head = f"<!-- Written by `make docs`; change the code it describes. -->\n\n# {title}\n"
    return head + "".join(f"\n{textwrap.fill(text, WIDTH)}\n" for text in paragraphs)


def code(text: str) -> str:
    """Return `text` as code."""
    return f"`{text}`"


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, one)) + " |" for one in lines) + "\n"


def cell(text: str) -> str:
    """Return text that cannot end its cell."""
    return text.replace("|", "\\|")


def main() -> None:
    """Write every generated page."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"wrote {path.relative_to(DOCS.parent)}\n")


if __name__ == "__main__":
    main()
