"""The commands about alerts: what is wrong, who takes it, and whether anybody is reached."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.access import Right
from proveout.domain.alert import Rule
from proveout.errors import Mistake
from proveout.faces.cli.output import answer, answer_json, clean, next_step, say, sign, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proveout.domain.alert import Acknowledgement, Notice, Silence
    from proveout.faces.alert_views import Outlook, Seen
    from proveout.faces.project import Project

EVERY = "all"
"""What silences every rule."""

RULES = click.Choice([*(one.value for one in Rule), EVERY])


@click.group()
def alerts() -> None:
    """Show what is wrong, take it, silence it, and see whether people are reached."""


@alerts.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one alert.v1 a line.")
def list_alerts(everything: bool, as_json: bool) -> None:
    """List alerts and escalated reviews: who was told, and who is told next."""
    outlook, channels = asyncio.run(_outlook())
    found = outlook.seen if everything else outlook.going
    if as_json:
        from proveout.faces.alert_views import alert_v1

        for one in found:
            answer_json(alert_v1(one))
        return
    if not found:
        say("nothing is wrong")
    else:
        rows = [_row(one, outlook.now) for one in found]
        table(rows, ("alert", "severity", "state", "since", "told", "what"))
    for one in outlook.silences:
        say(f"{sign('warn')} silence {one.id}: {_what(one)} until {_local(one.ends)}, by {one.by}")
    for line in channels:
        say(line)


async def _outlook() -> tuple[Outlook, list[str]]:
    from proveout.faces.alert_views import outlook
    from proveout.faces.operating import operating

    async with operating() as project:
        return await outlook(project.store, project.name), receiver_lines(project)


def receiver_lines(project: Project) -> list[str]:
    """Return what keeps people from being reached, a line each; none where all are."""
    from proveout.faces.watching import reach_of

    reach = reach_of(project.settings, os.environ)
    lines = [
        f"{sign('warn')} alerts    {name} has no address: set {variable}"
        for name, variable in reach.without_address
    ]
    lines += [
        f"{sign('warn')} alerts    no channel reaches {clean(name)}"
        for name in reach.without_channel
        if reach.reached
    ]
    if not reach.reached and not reach.without_address:
        lines.append(
            f"{sign('warn')} alerts    no receiver set: proveout alerts add oncall --env ONCALL_URL"
        )
    return lines


def _row(one: Seen, now: datetime) -> tuple[str, ...]:
    from proveout.domain.duration import say_roughly

    state = one.state.value
    if one.taken is not None:
        state = f"taken by {one.taken.by}"
    elif one.silence is not None:
        state = "silenced"
    elif one.cause is not None:
        state = f"follows from {one.cause.rule}"
    told = [] if one.escalation is None else [told.to for told in one.escalation.told]
    names = ", ".join(dict.fromkeys(told)) or "nobody"
    return (
        one.id,
        one.severity.value,
        state,
        say_roughly(now - one.since),
        names,
        f"{one.summary}",
    )


def _what(one: Silence) -> str:
    return "every rule" if one.rule is None else one.rule.value


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


@alerts.command("ack")
@click.argument("alert")
@click.option("--for", "lasts", metavar="TIME", help='How long, such as "2 h"; as declared else.')
@click.option("--json", "as_json", is_flag=True, help="Print one acknowledgement.v1.")
def acknowledge_alert(alert: str, lasts: str | None, as_json: bool) -> None:
    """Take ALERT, or review:ID: nobody else is told meanwhile, and it comes back."""
    taken = asyncio.run(_acknowledge(alert, lasts))
    if as_json:
        answer_json(
            {
                "schema": "acknowledgement.v1",
                "subject": taken.subject,
                "by": taken.by,
                "until": taken.until.isoformat(),
            }
        )
        return
    answer(f"{sign('ok')} taken by {clean(taken.by)} until {_local(taken.until)}")
    answer("    then the first tier is told again, unless it is over")


async def _acknowledge(name: str, lasts: str | None) -> Acknowledgement:
    from proveout.domain.duration import duration
    from proveout.faces.operating import acting, operating
    from proveout.faces.watching import watch_settings
    from proveout.watch.answer import acknowledge

    asked = None if lasts is None else duration(lasts)
    async with operating() as project:
        actor = await acting(project, Right.OPERATE)
        time = asked or watch_settings(project.settings).lapse
        return await acknowledge(project.office, project.name, name, actor.name, time)


@alerts.command("silence")
@click.argument("rule", type=RULES, required=False)
@click.option("--reason", default="", help="Why nobody is told.")
@click.option("--for", "lasts", metavar="TIME", help='How long, such as "2 h"; at most 30 days.')
@click.option("--end", "ended", metavar="ID", help="End a silence instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one silence.v1.")
def silence_rule(
    rule: str | None, reason: str, lasts: str | None, ended: str | None, as_json: bool
) -> None:
    """Tell nobody of RULE, or of "all", for a time; its alerts are still shown."""
    if (rule is None) == (ended is None) or (rule is not None and lasts is None):
        raise Mistake(
            "a silence names its rule, its reason and its time; or else --end names one",
            fix=('proveout alerts silence queue --reason TEXT --for "2 h"',),
        )
    made = asyncio.run(_silence(rule, reason, lasts or "", ended))
    if as_json:
        from proveout.faces.alert_views import silence_v1

        answer_json(silence_v1(made))
    elif ended is not None:
        answer(f"{sign('ok')} people are told of {_what(made)} again")
    else:
        answer(f"{sign('ok')} nobody is told of {_what(made)} until {_local(made.ends)}")
        next_step(f"proveout alerts silence --end {made.id}", "ends it before")


async def _silence(rule: str | None, reason: str, lasts: str, ended: str | None) -> Silence:
    from proveout.domain.duration import duration
    from proveout.faces.operating import acting, operating
    from proveout.watch.answer import end_silence, silence

    time = None if ended is not None else duration(lasts)
    async with operating() as project:
        actor = await acting(project, Right.OPERATE)
        if time is None:
            return await end_silence(project.office, ended or "", actor.name)
        named = None if rule in (None, EVERY) else Rule(rule)
        return await silence(project.office, named, actor.name, reason, time)


@alerts.command("test")
@click.argument("channels", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one notice.v1 a line.")
def test_channels(channels: tuple[str, ...], as_json: bool) -> int:
    """Send a test notice to each of CHANNELS, or to all; exits 1 where one does not take it.

    Taken by the channel is not yet read by a person: ask them.
    """
    found = asyncio.run(_test(channels))
    for one in found:
        if as_json:
            answer_json(
                {
                    "schema": "notice.v1",
                    "id": one.id,
                    "to": one.to,
                    "accepted": one.accepted is not None,
                    "trouble": one.trouble or None,
                }
            )
        elif one.accepted is not None:
            answer(f"{sign('ok')} {one.to} took it; ask whether somebody read it")
        else:
            answer(f"{sign('no')} {one.to}: {clean(one.trouble)}")
    return 0 if all(one.accepted is not None for one in found) else 1


async def _test(names: Sequence[str]) -> list[Notice]:
    from proveout.faces.operating import acting, operating
    from proveout.faces.try_channel import send_tests

    async with operating() as project:
        actor = await acting(project, Right.OPERATE)
        return await send_tests(project, names, actor.name, os.environ)


@alerts.command("add")
@click.argument("name")
@click.option("--env", "variable", required=True, help="The variable that holds its address.")
@click.option("--json", "as_json", is_flag=True, help="Print one channel.v1.")
def add_channel(name: str, variable: str, as_json: bool) -> None:
    """Declare the channel NAME in proveout.toml, once its address took a test notice.

    The address is one of apprise, such as mailtos://USER:PASSWORD@example.org, and stays in
    the variable: it is a secret.
    """
    asyncio.run(_add(name, variable))
    if as_json:
        answer_json({"schema": "channel.v1", "name": name, "url_env": variable})
        return
    answer(f"{sign('ok')} {name} took a test notice, and stands in proveout.toml")
    next_step(f'escalation = [{{ to = "{name}" }}]', "under [production] says who is told first")


async def _add(name: str, variable: str) -> Any:
    from proveout.faces.operating import acting
    from proveout.faces.project import Project
    from proveout.faces.try_channel import declare_channel

    async with Project.open() as project:
        actor = await acting(project, Right.ADMINISTER)
        await declare_channel(project, name, variable, actor.name, os.environ)
