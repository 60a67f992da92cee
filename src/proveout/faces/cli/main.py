"""The `proveout` command: finds the command, and says what went wrong."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from proveout.domain.access import NoRight, NotSignedIn
from proveout.errors import Mistake, Outage, ProveoutError, Refusal
from proveout.faces.cli.output import (
    NoRoom,
    answer,
    error_json,
    error_text,
    keep_answers_apart,
    let_go_of_output,
    no_room,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "init": ("start", "Write a project that runs at once, offline"),
    "run": ("start", "Run the workflow once, here, on one input"),
    "prove": ("prove", "Conduct an experiment until its verdict falls"),
    "verdict": ("prove", "Show the verdict of an experiment as it stands"),
    "report": ("prove", "Write the report of an experiment as one HTML file"),
    "label": ("label", "Label answers of an experiment, to check its judge"),
    "compare": ("compare", "Show where one candidate, or look, is worse than another"),
    "dataset": ("dataset", "Check datasets, and bring them from other tools"),
    "audit": ("ready", "Show the stage, what is risky, and what is proven"),
    "audit choice": ("choice", "Weigh building against buying, on the same cases"),
    "audit run": ("incident", "Explain what happened to one run"),
    "audit since": ("incident", "Explain what went wrong since a moment"),
    "audit webhook": ("webhook", "Probe a receiver of webhooks that knows nothing of us"),
    "drill": ("drill", "Break the workflow on purpose, and keep what that shows"),
    "plan": ("plan", "Write the release plan and what users may expect"),
    "waive": ("promote", "Let a claim pass unproven until a date, by name"),
    "promote": ("promote", "Move the workflow into production, or refuse with every reason"),
    "evidence": ("evidence", "List, show and export what drills have shown"),
    "release": ("releases", "Create, list, show, compare and keep releases"),
    "canary": ("canary", "Send a share of the new runs to a release"),
    "rollback": ("rollback", "Take the newest release back"),
    "halt": ("halt", "Stop the workflow, a release or an effect"),
    "resume": ("halt", "Let what was halted begin again"),
    "serve": ("serve", "Open the console, the API and the hooks, with workers"),
    "status": ("status", "Show on one screen what serves and what needs a person"),
    "enqueue": ("enqueue", "Make runs durable"),
    "work": ("work", "Work on queued runs"),
    "runs": ("runs", "List, show, cancel, replay and erase runs"),
    "dead": ("dead", "List, show and replay runs that are DEAD"),
    "schedules": ("schedules", "List what fires by the clock, and when next"),
    "signal": ("signal", "Send a run a signal that it waits for"),
    "review": ("review", "Answer what waits for a person"),
    "alerts": ("alerts", "Show what is wrong, take it, silence it, test channels"),
    "user": ("people", "Say who may sign in, and what they may do"),
    "key": ("people", "Make and revoke what programs sign in with"),
    "session": ("sessions", "Show who is signed in, and end a session"),
    "ledger": ("ledger", "Show who decided what, and verify the chain"),
    "config": ("keep", "Check, show and describe the settings"),
    "explain": ("keep", "Explain an error or a finding by its code"),
    "completion": ("keep", "Print the completion script of a shell"),
}
"""Every command, the chapter that holds it, and what it does."""

EXIT_CODES = {Mistake: 2, Refusal: 3, Outage: 6}
"""What each family of errors exits with; a bug of ours exits with 70."""

DENIED = 4
"""What a refusal exits with that is about who asks."""

BUG = 70
INTERRUPTED = 130
GONE = 141


class _ReaderGone(Exception):
    """Whoever read the output went away; click would make an exit of its own of it."""


class Lazy(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        """Return the commands in the order of the path, those of two words by their first."""
        return [name for name in COMMANDS if " " not in name]

    def invoke(self, ctx: click.Context) -> Any:
        """Do as any group, but tell of a reader that went away in words of our own."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's own
        """Return a command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"proveout.faces.cli.{COMMANDS[cmd_name][0]}")
        return getattr(module, cmd_name.replace(" ", "_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's own
        """Write the commands with what they do, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant; an unknown one names the nearest."""
        if (two := " ".join(args[:2])) in COMMANDS:
            args = [two, *args[2:]]
        if args[0] not in COMMANDS:
            nearest = get_close_matches(args[0], COMMANDS, n=1)
            fix = f"proveout {nearest[0]}" if nearest else "proveout --help"
            raise Mistake(f'there is no command "{args[0]}"', fix=(fix,))
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="proveout")
@click.option("--debug", is_flag=True, help="Show a traceback with every error.")
def cli(debug: bool) -> None:
    """Take one AI workflow from proof of concept to production, and prove each step."""


def main() -> NoReturn:
    """Run the command that the arguments name, and exit with what it means."""
    if sys.stdout is None:  # it was closed, and the next file that is opened would take its place
        closed = NoRoom(
            "standard output is closed",
            why="nothing was done: its answer could be read by nobody",
            fix=("send the output somewhere: > /dev/null",),
        )
        sys.exit(_refuse(closed, as_json=False))
    if sys.stdin is None:  # it was closed: who reads it finds it empty
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - until the process ends
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    try:
        return _run(arguments)
    except (BrokenPipeError, _ReaderGone):
        let_go_of_output()
        return GONE
    except NoRoom as error:
        let_go_of_output()
        return _refuse(error, as_json=False)


def _run(arguments: Sequence[str]) -> int:
    as_json = "--json" in arguments
    debug = "--debug" in arguments
    if as_json:
        keep_answers_apart()
    try:
        return _invoke([a for a in arguments if a != "--debug"])
    except NoRoom:
        raise
    except ProveoutError as error:
        if debug:
            traceback.print_exc()
        return _refuse(error, as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
        return INTERRUPTED
    except _ReaderGone:
        raise
    except OSError as error:
        if (full := no_room(error)) is not None:
            raise full from error
        return _report_bug(error, as_json=as_json)
    except BaseException as error:  # noqa: BLE001 - the last door: nothing leaves as a traceback
        return _report_bug(error, as_json=as_json)


def _invoke(arguments: list[str]) -> int:
    try:
        result: Any = cli.main(arguments, prog_name="proveout", standalone_mode=False)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "proveout"
        message = error.format_message().rstrip(".")
        raise Mistake(message, fix=(f"{where} --help",)) from error
    except click.ClickException as error:
        raise Mistake(error.format_message()) from error
    return result if isinstance(result, int) else 0


def _refuse(error: ProveoutError, *, as_json: bool) -> int:
    if as_json:
        answer(error_json(error, retryable=isinstance(error, Outage)))
    else:
        say(error_text(error))
    if isinstance(error, NotSignedIn | NoRight):
        return DENIED
    return next(code for family, code in EXIT_CODES.items() if isinstance(error, family))


def _report_bug(error: BaseException, *, as_json: bool) -> int:
    with tempfile.NamedTemporaryFile(
        "w", prefix="proveout-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    bug = ProveoutError(
        f"a bug in proveout: {type(error).__name__}: {error}",
        why="this is ours to mend; nothing that was acknowledged is lost",
        fix=(f"send us {Path(file.name)}",),
    )
    bug.code = "bug"
    if as_json:
        answer(error_json(bug, retryable=False))
    else:
        say(error_text(bug))
    return BUG
