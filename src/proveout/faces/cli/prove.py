"""Commands of the chapter `prove`: prove, verdict, report."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proveout.domain.verdict import StoppedBy, Verdict
from proveout.faces.cli.output import answer, answer_json, clean, faint, say, sign, strong
from proveout.faces.cli.progress import Progress, figures, touches_its_limit, verdict_line
from proveout.faces.report.judges import waiting

if TYPE_CHECKING:
    from proveout.faces.project import Project
    from proveout.faces.settings import ExperimentSettings
    from proveout.prove.account import Account
    from proveout.prove.conduct import Conductor
    from proveout.prove.foresee import Forecast
    from proveout.prove.reuse import Foreseen

EXIT = {Verdict.GO: 0, Verdict.NO_GO: 1, Verdict.UNDECIDED: 5}
INTERRUPTED = 130


@click.command()
@click.argument("experiment", required=False)
@click.option("--again", is_flag=True, help="A new look: a fresh order, all asked anew.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what it will take, and stop.")
@click.option("--ci", is_flag=True, help="Annotate the change, and write a JUnit file.")
@click.option("--json", "as_json", is_flag=True, help="End with one verdict.v1.")
def prove(experiment: str | None, again: bool, only_plan: bool, ci: bool, as_json: bool) -> int:
    """Conduct EXPERIMENT until its verdict falls; goes on where it was.

    Exits 0 on GO, 1 on NO-GO, 5 when undecided.
    """
    if only_plan:
        return asyncio.run(_plan(experiment, again=again, as_json=as_json))
    return asyncio.run(_prove(experiment, again=again, ci=ci, as_json=as_json))


async def _plan(name: str | None, *, again: bool, as_json: bool) -> int:
    from proveout.faces import dataset_file
    from proveout.faces.project import Project
    from proveout.prove.foresee import foresee
    from proveout.prove.layout import foreseen

    async with Project.open() as project:
        chosen = project.experiment(name)
        dataset = dataset_file.load(chosen.dataset)
        cases = len(dataset.cases)
        forecast = foresee(chosen.plan, foreseen(chosen.plan, dataset))
        reuse = None if again else await project.reusable(chosen)
    if as_json:
        answer_json(plan_v1(chosen, forecast, cases, reuse))
    else:
        answer(f"{strong(chosen.name)}  {cases} cases · {chosen.plan.claim}")
        for line in forecast_lines(forecast, len(chosen.plan.candidates)):
            answer(line)
        if reuse is not None and reuse.answers:
            answer(f"  reuse   {_reusable(reuse)}")
    return 0


def _reusable(found: Foreseen) -> str:
    return f"{found.answers} of {found.trials} trials have an answer: they are not called again"


def plan_v1(
    chosen: ExperimentSettings, forecast: Forecast, cases: int, reuse: Foreseen | None = None
) -> dict[str, object]:
    """Return what an experiment is expected to take, as plain data."""
    money = forecast.money
    return {
        "schema": "plan.v1",
        "experiment": chosen.name,
        "cases": cases,
        "candidates": len(chosen.plan.candidates),
        "expected_calls": forecast.expected,
        "p90_calls": forecast.p90,
        "fixed_sample_calls": forecast.fixed,
        "least_calls_for_go": forecast.least_go,
        "expected_usd": None if money is None else float(money[0]),
        "p90_usd": None if money is None else float(money[1]),
        "warnings": list(forecast.warnings),
        **({"reusable": reuse.answers} if reuse is not None and reuse.answers else {}),
    }


def forecast_lines(forecast: Forecast, candidates: int) -> list[str]:
    """Return what to expect before the first call, in lines."""
    each = " for each candidate" if candidates > 1 else ""
    bound = "at most" if forecast.is_bound else "about"
    money = "" if forecast.money is None else f" · {bound} {forecast.money[0]}"
    lines = [
        f"  expect  {forecast.expected} calls{each}, {forecast.p90} in nine of ten{money};",
        f"          a test that is read only once would take {forecast.fixed}",
    ]
    return lines + [f"  {sign('warn')} {warning}" for warning in forecast.warnings]


async def _prove(name: str | None, *, again: bool, ci: bool, as_json: bool) -> int:
    from proveout.faces.project import Project
    from proveout.prove.foresee import foresee

    async with Project.open() as project:
        chosen = project.experiment(name)
        cap = chosen.plan.budget.cap_per_call
        async with project.metering(cap, is_trying=True):  # its workflow is imported in here
            progress = Progress(chosen, quiet=as_json)
            conductor = await project.conductor(chosen, again=again, on_progress=progress.show)
            forecast = foresee(conductor.plan, conductor.layout)
            await conductor.recall()
            opening = await conductor.account(None)
            changed = await conductor.changed()
            lines = forecast_lines(forecast, len(conductor.plan.candidates))
            progress.open(opening, [*_looks(opening.look, changed), *lines])
            with progress:
                interrupted = _on_signals(conductor)
                account = await conductor.conduct()
            whole = await conductor.account(account.stopped_by, whole=True)
            path = write_report(project, chosen, whole, forecast, None)
            if ci:
                _tell_ci(whole, path.with_suffix(".xml"))
    if as_json:
        from proveout.prove.account import verdict_v1

        answer_json(verdict_v1(account))
    else:
        _conclude(account, forecast, path, chosen.name)
    if interrupted.is_set() and account.own.verdict is Verdict.UNDECIDED:
        return INTERRUPTED
    return EXIT[account.own.verdict]


def _tell_ci(account: Account, path: Path) -> None:
    """Annotate the change that is being checked, and write a JUnit file beside the report."""
    from proveout.faces.cli.ci import annotate, junit

    for line in annotate(account):
        answer(line)
    path.write_bytes(junit(account))
    say(f"{sign('ok')} {path}")


def _looks(look: int, changed: tuple[str, ...] | None) -> list[str]:
    """Return what is to be said about an experiment that is not the first of its name."""
    if changed is None:
        return []
    what = f"changed since: {', '.join(changed)}" if changed else "nothing changed since"
    return [f"  {sign('warn')} look {look}, with a budget of its own; {what}"]


def _reused(account: Account, name: str) -> list[str]:
    """Return what is to be said of a verdict that rests on answers given to earlier looks."""
    if not account.reused:
        return []
    trials = "1 trial reuses" if account.reused == 1 else f"{account.reused:,} trials reuse"
    lines = [f"{trials} what an earlier look was answered, with its time and price;"]
    failed = account.reused and any(one.errors for one in account.judgements)
    why = "failures among them stay" if failed else "no new evidence on how answers vary"
    return [*lines, f"{why}: proveout prove {name} --again asks for all anew"]


def _on_signals(conductor: Conductor) -> asyncio.Event:
    """Let Ctrl-C and SIGTERM stop the experiment after the calls in flight."""
    interrupted = asyncio.Event()

    def stop() -> None:
        interrupted.set()
        conductor.interrupt()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)
    return interrupted


def _conclude(account: Account, forecast: Forecast, report: Path, name: str) -> None:
    for line in figures(account):
        answer(line)
    answer()
    answer(verdict_line(account, forecast))
    if touches_its_limit(account):
        answer(f"    {faint('intervals do not know the target: the rule that decides is sharper')}")
    for line in (*_advice(account, name), *_reused(account, name)):
        answer(f"    {line}")
    answer(f"    {faint('report')}  {report}")
    answer(f"    {strong('Next')}    {next_command(account, name)}")


def _advice(account: Account, name: str) -> list[str]:
    lines: list[str] = []
    for judgement in account.judgements:
        if not judgement.errors:
            continue
        whose = "" if judgement is account.own else f" of {judgement.candidate}"
        first = next((m for m in judgement.misses if ":" in m.got), None)
        what = f": {clean(first.got)[:120]}" if first else ""
        trials = judgement.cases * account.plan.repeats
        lines.append(
            f"{sign('warn')} {judgement.errors} of {trials} trials{whose} ended without an answer"
            f"{what}"
        )
    if account.stopped_by is StoppedBy.BUDGET:
        lines.append(f"the budget is used up; raise it in proveout.toml and {name} goes on")
    if account.stopped_by is StoppedBy.TIME_BOX:
        lines.append("the time box has ended: no further trials until a person extends it")
    if account.waiting:
        lines.append(clean(waiting(account)))
    if account.unchecked and account.own.verdict is Verdict.GO:
        lines.append("it cannot carry a promotion: declare labels = 0.25 beside judge = true")
    return lines


def next_command(account: Account, name: str) -> str:
    """Return the one command with which the path goes on."""
    if account.waiting:
        return f"proveout label {name}"
    if account.own.verdict is Verdict.GO:
        return "proveout release create"
    if account.stopped_by in {StoppedBy.BUDGET, StoppedBy.TIME_BOX}:
        return f"decide on its {account.stopped_by} in proveout.toml, then proveout prove {name}"
    if account.own.verdict is Verdict.NO_GO:
        return f"read the cases it missed in the report, mend, then proveout prove {name}"
    return f"proveout prove {name}"


def write_report(
    project: Project,
    chosen: ExperimentSettings,
    account: Account,
    forecast: Forecast,
    output: Path | None,
) -> Path:
    """Write the report of an experiment as one HTML file, in the project unless told."""
    from importlib.metadata import version

    from proveout.faces.report.render import Extra, render

    kept = project.settings.folder / ".proveout" / "reports" / f"{chosen.name}.html"
    path = output or kept
    path.parent.mkdir(parents=True, exist_ok=True)
    extra = Extra(
        workflow=project.name,
        owner=project.settings.workflow.owner,
        forecast=forecast,
        version=version("proveout"),
        verify=f"proveout verdict {chosen.name} --json",
        repeat=f"proveout prove {chosen.name} --again",
    )
    path.write_text(render(account, extra), "utf-8")
    with suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path


@click.command()
@click.argument("experiment", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one verdict.v1.")
def verdict(experiment: str | None, as_json: bool) -> int:
    """Show the verdict of EXPERIMENT as it stands; calls nothing."""
    account, forecast, _ = asyncio.run(_as_it_stands(experiment, None))
    if as_json:
        from proveout.prove.account import verdict_v1

        answer_json(verdict_v1(account))
    else:
        for line in figures(account):
            answer(line)
        answer()
        answer(verdict_line(account, forecast))
    return EXIT[account.own.verdict]


@click.command()
@click.argument("experiment", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write it.")
def report(experiment: str | None, output: Path | None) -> None:
    """Write the report of EXPERIMENT as one HTML file."""
    _, _, path = asyncio.run(_as_it_stands(experiment, output))
    answer(f"{sign('ok')} {path}")


async def _as_it_stands(name: str | None, output: Path | None) -> tuple[Account, Forecast, Path]:
    from proveout.faces.project import NoSuch, Project
    from proveout.prove.foresee import foresee

    async with Project.open() as project:
        chosen = project.experiment(name)
        conductor = await project.recorded(chosen)
        if conductor is None:
            raise NoSuch(
                await project.changed(chosen),
                why="a verdict belongs to exactly the code, dataset and criteria it was locked on",
                fix=(f"proveout prove {chosen.name}",),
            )
        await conductor.recall()
        account = await conductor.account(conductor.why_it_stood(), whole=True)
        forecast = foresee(conductor.plan, conductor.layout)
        path = write_report(project, chosen, account, forecast, output)
    return account, forecast, path
