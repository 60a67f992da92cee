"""Limits and schedules in `proveout.toml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proveout.domain.schedule import Missed, Schedule
from proveout.faces import settings
from proveout.faces.settings_reader import SettingsMistake

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.faces.settings import WorkflowSettings

WORKFLOW = """\
[workflow]
name = "triage"
entry = "app:triage"
"""


def read(folder: Path, more: str) -> WorkflowSettings:
    path = folder / "proveout.toml"
    path.write_text(WORKFLOW + more, "utf-8")
    return settings.load(path).workflow


def test_what_is_not_said_has_no_limit_and_no_schedule(tmp_path: Path) -> None:
    workflow = read(tmp_path, "")

    assert (workflow.concurrency, workflow.intake, workflow.schedules) == (None, None, ())


def test_all_that_is_said_is_kept(tmp_path: Path) -> None:
    """The input as canonical JSON; UTC and the last missed tick where nothing is said."""
    workflow = read(
        tmp_path,
        """\
concurrency = 8
intake = 10000

[[workflow.schedules]]
name = "morning"
cron = "0 6 * * MON-FRI"
zone = "Europe/Berlin"
missed = "skip"
input = { to = "Zoë", n = [1, 2] }

[[workflow.schedules]]
name = "often"
cron = "*/5 * * * *"
""",
    )

    assert (workflow.concurrency, workflow.intake) == (8, 10_000)
    assert workflow.schedules == (
        Schedule(
            name="morning",
            cron="0 6 * * MON-FRI",
            zone="Europe/Berlin",
            missed=Missed.SKIP,
            value='{"n":[1,2],"to":"Zoë"}'.encode(),
        ),
        Schedule(name="often", cron="*/5 * * * *", missed=Missed.LAST),
    )


ROW = '[[workflow.schedules]]\nname = "m"\n'


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ("concurrency = 0\n", 4, "concurrency must lie between 1"),
        ("intake = -1\n", 4, "intake must lie between 1"),
        (ROW, 4, "needs cron"),
        (f'{ROW}cron = "0 6 * *"\n', 6, "five fields"),
        (f'{ROW}cron = "0 25 * * *"\n', 6, "bad hour"),
        (f'{ROW}cron = "0 6 * * *"\nzone = "Berlin"\n', 7, 'no zone "Berlin"'),
        (f'{ROW}cron = "0 6 * * *"\nmissed = "none"\n', 7, "missed cannot be"),
        (f'{ROW}cron = "0 6 * * *"\ninput = {{ x = nan }}\n', 7, "NaN"),
        (f'{ROW}cron = "0 6 * * *"\ninput = 2026-01-31\n', 7, "a date"),
        (f'{ROW}cron = "0 6 * * *"\n{ROW}cron = "0 7 * * *"\n', 8, "two schedules"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, more: str, line: int, said: str) -> None:
    """With the reason."""
    with pytest.raises(SettingsMistake, match=said) as caught:
        read(tmp_path, more)

    assert caught.value.line == line
