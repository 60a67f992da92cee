"""What `proveout.toml` says of alerts: objectives, channels, how long things wait."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from proveout.domain.alert import Manner
from proveout.domain.duration import shown
from proveout.domain.schedule import Schedule
from proveout.faces.keys.key import VARIABLE_PATTERN
from proveout.run.schedule import BadSchedule, check
from proveout.watch.stale import Arrivals, Synthetic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.faces.settings_reader import Reader

HOUR = timedelta(hours=1)
EVERY = timedelta(minutes=5)
"""How often the outside hears that watch is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """A way to reach people.

    Attributes:
        url_env: the variable that holds its address, which is a secret.
    """

    name: str
    url_env: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatSettings:
    """Where the outside hears that watch is kept.

    Attributes:
        url_env: the variable that holds the address.
    """

    url_env: str
    every: timedelta = EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How production is watched.

    Attributes:
        repeat: after the last tier the first is told again, so much later.
        loops: most repetitions; None for any number.
        lapse: how long an acknowledgement lasts.
        console: the address at which people reach the console; "" for none.
    """

    repeat: timedelta = HOUR
    loops: int | None = None
    lapse: timedelta = HOUR
    manner: Manner = field(default_factory=Manner)
    arrivals: Arrivals | None = None
    synthetic: Synthetic | None = None
    heartbeat: HeartbeatSettings | None = None
    console: str = ""


def read_channels(root: Reader) -> tuple[ChannelSettings, ...]:
    """Return every channel of the file, in its order.

    Raises:
        SettingsMistake: one of them is not what it must be.
    """
    return tuple(
        ChannelSettings(name=name, url_env=_variable(row)) for name, row in root.named("channels")
    )


def read_watch(production: Reader, schedules: Iterable[Schedule]) -> WatchSettings:
    """Return how production is watched; the defaults where nothing is said.

    Raises:
        SettingsMistake: a line of it cannot be.
    """
    row = production.inner("alerts")
    usual = WatchSettings()
    watch = WatchSettings(
        arrivals=_arrivals(production.inner("arrivals")),
        synthetic=_synthetic(production.inner("synthetic"), schedules),
        heartbeat=_heartbeat(production.inner("heartbeat")),
        console=_console(production),
    )
    if row is None:
        return watch
    return WatchSettings(
        repeat=row.duration("repeat") or usual.repeat,
        loops=row.whole("loops"),
        lapse=row.duration("lapse") or usual.lapse,
        manner=Manner(
            first_wait=_or(row.duration("first_wait", zero=True), usual.manner.first_wait),
            unanswered=row.duration("unanswered"),
        ),
        arrivals=watch.arrivals,
        synthetic=watch.synthetic,
        heartbeat=watch.heartbeat,
        console=watch.console,
    )


def _or(given: timedelta | None, usual: timedelta) -> timedelta:
    return usual if given is None else given


def check_target(row: Reader, to: str) -> None:
    """Leave quietly when `to` can name a person or a channel, and holds no address.

    Raises:
        SettingsMistake: it is an address, which may hold a secret.
    """
    if "://" in to:
        raise row.mistake(
            "to is an address, and must be a name",
            "to",
            why="an address of a channel holds its password; this file is read, copied and "
            "committed, so a password that stood in it must be changed",
            fix=('to = "oncall"', '[channels.oncall]\nurl_env = "ONCALL_URL"'),
        )


def _variable(row: Reader) -> str:
    name = row.text("url_env")
    if not re.fullmatch(VARIABLE_PATTERN, name):
        # What stands there may be the address itself: it is not shown.
        raise row.mistake(
            "url_env must be the name of a variable, never the address itself",
            "url_env",
            why="names of variables are capital letters, digits and _; this file is read, "
            "copied and committed, so a password that stood in it must be changed",
            fix=(row.example("url_env"), "export ONCALL_URL=…"),
        )
    return name


def _arrivals(row: Reader | None) -> Arrivals | None:
    if row is None:
        return None
    at = Schedule(name="arrivals", cron=row.text("cron"), zone=row.text("zone") or "UTC")
    try:
        check(at)
    except BadSchedule as error:
        key = "zone" if "zone" in error.message else "cron"
        raise row.mistake(error.message, key, why=error.why, fix=error.fix) from None
    return Arrivals(at=at, within=cast("timedelta", row.duration("within")))


def _synthetic(row: Reader | None, schedules: Iterable[Schedule]) -> Synthetic | None:
    if row is None:
        return None
    name, known = row.text("schedule"), {one.name: one for one in schedules}
    near = next(iter(known), "probe")
    if name not in known:
        raise row.mistake(
            f"no schedule is called {shown(name)}",
            "schedule",
            why=f"declared are {', '.join(known)}" if known else "none is declared",
            fix=(f'[[workflow.schedules]]\nname = "{near}"\ncron = "*/15 * * * *"',),
        )
    return Synthetic(schedule=known[name], within=cast("timedelta", row.duration("within")))


def _heartbeat(row: Reader | None) -> HeartbeatSettings | None:
    if row is None:
        return None
    return HeartbeatSettings(url_env=_variable(row), every=row.duration("every") or EVERY)


def _console(row: Reader) -> str:
    text = row.text("console").rstrip("/")
    if text and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", text):
        raise row.mistake(
            f"console {shown(text)} is no address",
            "console",
            why="it stands before the paths of links in notices",
            fix=(row.example("console"),),
        )
    return text
