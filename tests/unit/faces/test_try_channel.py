"""Channels are tested before they are needed, and declared only once they took a notice."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from doubles.receivers import inbox
from proveout.errors import Mistake
from proveout.faces import settings
from proveout.faces.project import Project
from proveout.faces.settings_reader import SettingsMistake
from proveout.faces.try_channel import NoReceiver, NotTaken, declare_channel, send_tests

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from doubles.receivers import Inbox

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # apprise's own

SETTINGS = """\
# what a person wrote stays as it is
[workflow]
name = "triage"
entry = "app:triage"

[channels.oncall]
url_env = "ONCALL_URL"

[channels.leads]
url_env = "LEADS_URL\""""


@pytest.fixture
def box() -> Generator[Inbox]:
    with inbox() as box:
        yield box


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.glob(".proveout.toml*")]


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[Project]:
    file = folder / "proveout.toml"
    if not file.exists():
        file.write_text(SETTINGS, "utf-8")
    async with Project.open(file) as project:
        yield project


async def test_each_channel_says_whether_it_took_the_notice(tmp_path: Path, box: Inbox) -> None:
    """One without an address says which variable is missing."""
    environ = {"ONCALL_URL": box.channel("oncall")}

    async with opened(tmp_path) as project:
        good, unset = await send_tests(project, (), "ana", environ)
        box.status = 500
        [bad] = await send_tests(project, ("oncall",), "ana", environ)

    assert good.accepted is not None
    assert (unset.accepted, unset.trouble) == (None, "LEADS_URL is not set")
    assert (bad.accepted, bad.trouble) == (None, "the channel oncall did not take the notice")
    [(to, text)] = box.told
    assert to == "oncall"
    assert "ana tests whether alerts of triage reach you" in text


async def test_what_is_no_channel_is_refused(tmp_path: Path) -> None:
    """With the command that would declare it."""
    async with opened(tmp_path) as project:
        with pytest.raises(NoReceiver) as unknown:
            await send_tests(project, ("nobody",), "ana", {})

    assert unknown.value.fix == ("proveout alerts add nobody --env VARIABLE",)


async def test_a_channel_that_took_a_notice_is_declared(tmp_path: Path, box: Inbox) -> None:
    """At the end of the file; every line that was there is there."""
    async with opened(tmp_path) as project:
        await declare_channel(project, "night", "NIGHT_URL", "ana", {"NIGHT_URL": box.channel("n")})

    text = (tmp_path / "proveout.toml").read_text("utf-8")
    assert text.startswith(SETTINGS)
    assert [one.name for one in settings.load(tmp_path / "proveout.toml").channels] == [
        *("oncall", "leads", "night"),
    ]
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    ("channel", "status", "error"),
    [
        (("night", "NIGHT_URL"), 500, NotTaken),
        (("night", "UNSET_URL"), 200, NoReceiver),
        (("oncall", "NIGHT_URL"), 200, Mistake),
        (('a"b', "NIGHT_URL"), 200, SettingsMistake),
        (("a]b", "NIGHT_URL"), 200, SettingsMistake),
        (("two words", "NIGHT_URL"), 200, SettingsMistake),
        (("night", "lower_case"), 200, SettingsMistake),
    ],
)
async def test_what_cannot_be_declared_changes_nothing(
    tmp_path: Path, box: Inbox, channel: tuple[str, str], status: int, error: type[Exception]
) -> None:
    """The file is written whole or not at all."""
    box.status = status
    environ = {"NIGHT_URL": box.channel("n"), "lower_case": box.channel("n")}

    async with opened(tmp_path) as project:
        with pytest.raises(error):
            await declare_channel(project, *channel, "ana", environ)

    assert (tmp_path / "proveout.toml").read_text("utf-8") == SETTINGS
    assert left_over(tmp_path) == []
