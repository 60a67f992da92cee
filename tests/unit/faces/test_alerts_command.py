"""The command `alerts`: what is wrong, who takes it, what is silenced, who is not reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from proveout.faces.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[workflow]
name = "triage"
entry = "app:triage"

[production]
escalation = [{ to = "oncall" }, { to = "Ana Duarte", after = "15 min" }]

[channels.oncall]
url_env = "ONCALL_URL"
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project on SQLite whose channel has an address."""
    (tmp_path / "proveout.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    for name in ("PROVEOUT_STORE", "PROVEOUT_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ONCALL_URL", "json://127.0.0.1/x")
    monkeypatch.setenv("LOGNAME", "ana")
    return tmp_path


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Any:
    """Return what runs a command, and gives its code, its answer and its messages."""

    def command(*words: str) -> tuple[int, str, str]:
        code = run(words)
        told = capfd.readouterr()
        return code, told.out, told.err

    return command


def test_nothing_is_wrong_in_a_project_that_was_never_served(said: Any) -> None:
    """And yet it is said that a person in the escalation hears nothing."""
    code, answer, messages = said("alerts", "list")

    assert (code, answer) == (0, "")
    assert "nothing is wrong" in messages
    assert "no channel reaches Ana Duarte" in messages


def test_a_channel_without_an_address_names_its_variable(
    said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does status, which every operator looks at first."""
    monkeypatch.delenv("ONCALL_URL")

    _, _, messages = said("alerts", "list")
    _, status, _ = said("status")

    assert "oncall has no address: set ONCALL_URL" in messages
    assert "oncall has no address: set ONCALL_URL" in status


def test_without_any_channel_it_is_said_how_to_add_one(said: Any, project: Path) -> None:
    """Whatever happens, nobody would be told."""
    (project / "proveout.toml").write_text(SETTINGS.partition("[channels")[0])

    _, _, messages = said("alerts", "list")

    assert "no receiver set: proveout alerts add oncall --env ONCALL_URL" in messages


def test_a_silence_is_made_listed_and_ended(said: Any) -> None:
    """With its reason; the ledger says who."""
    _, made, _ = said("alerts", "silence", "queue", "--reason", "we move", "--for", "2 h")
    name = made.partition("--end ")[2].split()[0]
    _, _, listed = said("alerts", "list")
    code, ended, _ = said("alerts", "silence", "--end", name)
    again, _, _ = said("alerts", "silence", "--end", name)
    _, ledger, _ = said("ledger", "show")

    assert f"silence {name}: queue until" in listed
    assert (code, again) == (0, 3)
    assert "people are told of queue again" in ended
    assert "silence\tqueue" in ledger


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("silence",), 2),
        (("silence", "queue"), 2),
        (("silence", "queue", "--for", "2 h"), 2),
        (("silence", "queue", "--for", "soon", "--reason", "why"), 2),
        (("silence", "queue", "--for", "40 days", "--reason", "why"), 2),
        (("silence", "no-such-rule", "--for", "2 h", "--reason", "why"), 2),
        (("silence", "queue", "--end", "x"), 2),
        (("ack", "nobody"), 2),
        (("ack", "review:nobody"), 2),
        (("ack", "nobody", "--for", "-1 h"), 2),
        (("test", "nobody"), 2),
        (("add", "night", "--env", "UNSET_URL"), 2),
    ],
)
def test_what_cannot_be_is_refused(said: Any, words: tuple[str, ...], code: int) -> None:
    """With what, why and how; nothing is written."""
    found, _, messages = said("alerts", *words)

    assert found == code
    assert "error[" in messages
