"""`proveout audit webhook`: probes of a receiver that knows nothing of us."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
    wrapped,
)

if TYPE_CHECKING:
    from proveout.faces.probing import Asked
    from proveout.ready.probes.conduct import Probed
    from proveout.ready.probes.probe import Probe, Result

COLUMNS = 80
INDENT = 9

SCHEMES = ("stripe", "github", "standard", "slack", "shopify")
SIGNS = {"passed": "ok", "failed": "no", "blocked": "warn", "untested": "open"}

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


class NoSecret(Mistake):
    """The variable that should hold a receiver's secret is not set."""

    code = "no-secret"


class NoPayload(Mistake):
    """The file of a sample payload cannot be read."""

    code = "no-payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says, as it says it."""

    url: str
    scheme: str
    secret_env: str
    payload: Path
    event_type: str | None
    effects_url: str | None
    effects_command: str | None
    state_url: str | None
    allow_host: tuple[str, ...]
    patience: float


@click.command()
@click.argument("url")
@click.option("--scheme", required=True, type=click.Choice(SCHEMES), help="How the provider signs.")
@click.option(
    "--secret-env",
    required=True,
    metavar="NAME",
    help="The variable that holds the endpoint's secret; it is never printed.",
)
@click.option(
    "--payload",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="One event as the provider sends it, as JSON; each probe sends it with fresh ids.",
)
@click.option(
    "--event-type",
    metavar="TYPE",
    help="What GitHub or Shopify call the event in their header, such as push or orders/create.",
)
@click.option(
    "--effects-url",
    metavar="URL",
    help='Answers {"count": n}: how many effects the event with the id {id} has had.',
)
@click.option(
    "--effects-command",
    metavar="COMMAND",
    help="Prints that count instead; run without a shell, with {id} in one of its words.",
)
@click.option(
    "--state-url",
    metavar="URL",
    help='Answers {"status": …}: the status of the object with the id {id}.',
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="HOST",
    help="A host beside this machine that may be probed, or asked for effects and state.",
)
@click.option(
    "--patience",
    type=click.FloatRange(0.1, 3600),
    default=30.0,
    metavar="SECONDS",
    help="How long an effect may take after its acknowledgement; 30 by default.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Write it as one HTML file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one probes.v1.")
def audit_webhook(html: Path | None, as_json: bool, **said: object) -> int:
    """Put 23 probes to a receiver of webhooks, and say what fails, why, and how to mend it.

    About 130 deliveries are sent, up to 400 where answers come late: at most 50 at once and
    else at most 50 a second, of up to 300 kB. An answer is awaited for 15 s and read up to
    64 kB; no redirect is followed. What comes late is tried again, and counts only where this
    machine was not too busy to tell. Only this machine is probed, unless --allow-host names
    another.

    Without a counter of effects and a URL of the state, the probes that need them are
    untested, not passed. Exits 0 when nothing failed and nothing was blocked, 1 otherwise, 6
    when nobody answers.
    """
    from proveout.faces.probing_report import probes_html, probes_v1

    _check_page(html)
    asked = _asked(Options(**said))  # pyright: ignore[reportArgumentType] - click has read them
    probed = asyncio.run(_probe(asked))
    if html is not None:
        html.write_text(probes_html(asked, probed), "utf-8")
    if as_json:
        answer_json(probes_v1(asked, probed))
    else:
        _show(asked, probed)
    return 0 if probed.holds else 1


def _asked(options: Options) -> Asked:
    from proveout.domain.delivery import Scheme
    from proveout.faces.probing import Asked
    from proveout.ready.probes.rig import Bounds

    if options.effects_url is not None and options.effects_command is not None:
        raise Mistake(
            "--effects-url and --effects-command both count effects", fix=("give one of them",)
        )
    return Asked(
        url=options.url,
        scheme=Scheme(options.scheme),
        secret=_secret(options.secret_env),
        payload=_read(options.payload),
        event_type=options.event_type,
        effects_url=options.effects_url,
        effects_command=options.effects_command,
        state_url=options.state_url,
        allowed=options.allow_host,
        bounds=Bounds(patience=options.patience),
    )


def _secret(name: str) -> str:
    """Return what a variable holds; its name is shown only where it cannot be the secret itself."""
    if found := os.environ.get(name, ""):
        return found
    is_name = _VARIABLE.fullmatch(name) is not None
    raise NoSecret(
        f"the variable {name} is not set" if is_name else "there is no variable of that name",
        why="the secret is read from the environment alone, so that no shell remembers it; "
        "--secret-env takes the variable's name",
        fix=(f"export {name if is_name else 'WEBHOOK_SECRET'}=…",),
    )


def _read(path: Path) -> bytes:
    from proveout.ready.probes.sample import LARGEST

    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise NoPayload(
            f"{path} cannot be read: {error.strerror}",
            why="probes send what the receiver takes: one event as the provider sends it",
            fix=("copy an event from the provider's log into a file",),
        ) from None


def _check_page(path: Path | None) -> None:
    """Leave quietly when the page can be written, before anything is sent for it."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise Mistake(
            f"{path} cannot be written",
            why="it is a folder" if path.is_dir() else f"there is no folder {path.parent}",
            fix=("--html probes.html",),
        )


async def _probe(asked: Asked) -> Probed:
    from proveout.faces.project import probing
    from proveout.ready.probes.conduct import conduct

    async with probing(asked) as rig:
        try:
            return await conduct(rig, _tell)
        finally:
            _erase()


def _tell(probe: Probe) -> None:
    """Say on a terminal what is asked now, on one line that the next overwrites."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K  {probe.id}  {probe.title} …", err=True, nl=False)


def _erase() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)


# What a person reads


def _show(asked: Asked, probed: Probed) -> None:
    told = "" if probed.framework is None else f" · {probed.framework}"
    answer(f"{strong(clean(asked.url))} · {asked.scheme}{told}")
    answer()
    for one in probed.results:
        for line in _lines(one):
            answer(line)
    if probed.reasons:
        answer()
    for ids, reason in probed.reasons:
        for line in wrapped(f"{ids} {reason}", COLUMNS - 2):
            answer(f"  {faint(line)}")
    answer()
    for line in wrapped(f"{probed.word}  {probed.account}", COLUMNS):
        answer(line.replace(probed.word, _painted(probed), 1))
    count = f"{probed.deliveries:,} deliver{'y' if probed.deliveries == 1 else 'ies'}"
    answer(faint(f"{count} in {probed.seconds:.0f} s"))
    if missing := _missing(asked, probed):
        next_step(f"add {missing}")


def _lines(one: Result) -> list[str]:
    """Return a result in lines of at most 80 columns; only what failed says more than one."""
    status = one.status.value
    is_bad = status == "failed"
    tag = one.probe.severity.value if is_bad else "" if status == "passed" else status
    first, *rest = wrapped(one.probe.title, COLUMNS - INDENT - len(tag) - 2)
    mark = sign(SIGNS[status]) if status in SIGNS else faint("-")
    gap = " " * (COLUMNS - INDENT - len(first) - len(tag))
    lines = [f"  {mark} {one.probe.id}  {first}{gap}{tag}".rstrip()]
    lines += [f"{'':{INDENT}}{line}" for line in rest]
    if is_bad:
        for name, text in (
            ("wrong", one.note),
            ("sent", one.sent),
            ("got", one.received),
            ("why", one.probe.why),
            ("fix", one.fix),
        ):
            lines += _named(name, text)
        lines.append("")
    return lines


def _painted(probed: Probed) -> str:
    return paint(probed.word, "green" if probed.holds else "red", bold=True)


def _named(name: str, text: str) -> list[str]:
    first, *rest = wrapped(text, COLUMNS - INDENT - 7)
    return [
        f"{'':{INDENT}}{faint(f'{name:<7}')}{first}",
        *(f"{'':{INDENT + 7}}{line}" for line in rest),
    ]


def _missing(asked: Asked, probed: Probed) -> str:
    """Return the option that would let more probes be asked, or ""."""
    if probed.results[0].status != "passed":
        return ""
    if asked.effects_url is None and asked.effects_command is None:
        return '--effects-url "http://127.0.0.1:8000/effects/{id}"'
    return "" if asked.state_url else '--state-url "http://127.0.0.1:8000/objects/{id}"'
