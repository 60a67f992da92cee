"""Objectives, channels and the manner of alerts in `proveout.toml`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from proveout.domain.alert import Manner, Objective, Rule, Tier
from proveout.domain.money import Usd
from proveout.faces import settings
from proveout.faces.settings_reader import SettingsMistake
from proveout.faces.settings_watch import ChannelSettings, HeartbeatSettings
from proveout.faces.watching import policy_of, reach_of, rules_of

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.faces.settings import Settings

WORKFLOW = """\
[workflow]
name = "triage"
entry = "app:triage"
"""

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

WHOLE = """\
[[workflow.schedules]]
name = "probe"
cron = "*/15 * * * *"

[production]
objective = { success = 0.99, within = "60 s", reviews = 0.95, cost = "0.02 USD" }
escalation = [{ to = "oncall" }, { to = "Ana Duarte", after = "15 min" }]
alerts = { repeat = "2 h", loops = 3, lapse = "30 min", first_wait = "0 s", unanswered = "1 h" }
arrivals = { cron = "0 18 * * MON-FRI", zone = "Europe/Berlin", within = "9 h" }
synthetic = { schedule = "probe", within = "5 min" }
heartbeat = { url_env = "HEARTBEAT_URL" }
console = "https://watch.example.org/"

[channels.oncall]
url_env = "ONCALL_URL"
"""


def read(folder: Path, more: str) -> Settings:
    path = folder / "proveout.toml"
    path.write_text(WORKFLOW + more, "utf-8")
    return settings.load(path)


def test_all_that_is_said_is_kept(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)

    rules, policy = rules_of(found), policy_of(found)
    assert found.production is not None
    watch = found.production.watch
    assert rules.objectives == (
        Objective(rule=Rule.RUNS, target=0.99),
        Objective(rule=Rule.REVIEWS, target=0.95),
    )
    assert (rules.within, rules.cost) == (MINUTE, Usd("0.02"))
    assert rules.arrivals is not None
    assert (rules.arrivals.at.zone, rules.arrivals.within) == ("Europe/Berlin", 9 * HOUR)
    assert rules.synthetic is not None
    assert (rules.synthetic.schedule.name, rules.synthetic.within) == ("probe", 5 * MINUTE)
    assert policy.tiers == (
        Tier(to="oncall", after=timedelta(0)),
        Tier(to="Ana Duarte", after=15 * MINUTE),
    )
    assert (policy.repeat, policy.loops, watch.lapse) == (2 * HOUR, 3, HOUR / 2)
    assert watch.manner == Manner(first_wait=timedelta(0), unanswered=HOUR)
    assert watch.heartbeat == HeartbeatSettings(url_env="HEARTBEAT_URL", every=5 * MINUTE)
    assert watch.console == "https://watch.example.org"
    assert found.channels == (ChannelSettings(name="oncall", url_env="ONCALL_URL"),)


def test_what_is_not_said_is_as_usual(tmp_path: Path) -> None:
    found = read(tmp_path, "")

    assert rules_of(found).objectives == ()
    assert policy_of(found).tiers == ()
    assert reach_of(found, {}).reached == ()


def test_whom_no_channel_reaches_is_told_apart(tmp_path: Path) -> None:
    """A person is no channel, and a channel without an address reaches nobody."""
    found = read(tmp_path, WHOLE)

    silent = reach_of(found, {})
    heard = reach_of(found, {"ONCALL_URL": "json://127.0.0.1/x"})

    assert (silent.reached, silent.without_channel) == ((), ("Ana Duarte",))
    assert silent.without_address == (("oncall", "ONCALL_URL"),)
    assert (heard.reached, heard.without_address) == (("oncall",), ())


SECRET = "slack://TOKEN-that-is-secret/x"  # noqa: S105 - that is the point


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        (f'[channels.oncall]\nurl_env = "{SECRET}"', 5, "name of a variable"),
        (f'[production]\nescalation = [{{ to = "{SECRET}" }}]', 5, "must be a name"),
        (f'[production.heartbeat]\nurl_env = "{SECRET}"', 5, "name of a variable"),
        ('[production]\nconsole = "ftp://x"', 5, "is no address"),
        ('[production.synthetic]\nschedule = "probe"\nwithin = "5 min"', 5, "no schedule"),
        ('[production.arrivals]\ncron = "often"\nwithin = "1 h"', 5, "five fields"),
        ('[production.arrivals]\ncron = "* * * * *"\nzone = "Mars"\nwithin = "1 h"', 6, "zone"),
        ("[production.alerts]\nloops = 0", 5, "between 1"),
        ('[production.alerts]\nlapse = "0 s"', 5, "more than nothing"),
        ('[channels."on call"]\nurl_env = "X"', 4, "cannot be a name"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_without_secrets(
    tmp_path: Path, more: str, line: int, said: str
) -> None:
    with pytest.raises(SettingsMistake) as refused:
        read(tmp_path, more)

    error = refused.value
    assert said in error.message
    assert error.line == line
    assert "TOKEN" not in "".join((error.message, error.why, *error.fix))
