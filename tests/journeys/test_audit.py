"""`proveout audit` in any repository: what it prints, what it writes, what it never does."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from proveout.faces.cli.main import cli
from proveout.faces.cli.ready import AuditNotWritten, NoProjectToAudit
from proveout.faces.repository_audit import BaselineUnread
from proveout.ready.scan.catalogue import BY_CODE, RULES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.journey

SHOP = {
    "shop/app.py": BY_CODE["webhook-parsed-first"].bad,
    "shop/agent.py": BY_CODE["model-output-eval"].bad,
    "shop/rates.py": BY_CODE["http-no-timeout"].bad,
    "tests/test_app.py": "import shop\n",
    "Dockerfile": "FROM python\n",
}
GUARD = """\
import runpy, sys
BANNED = ("socket.connect", "socket.getaddrinfo", "socket.bind", "subprocess.Popen", "os.system",
    "os.exec", "os.posix_spawn", "os.fork", "shutil.rmtree", "os.remove")
def watch(event, arguments):
    if event in BANNED or (event == "import" and str(arguments[0]).partition(".")[0] == "shop"):
        sys.stderr.write(f"BANNED {event} {arguments}\\n")
        sys.stderr.flush()
        import os; os._exit(99)
sys.addaudithook(watch)
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""Runs a module, and ends with 99 at the first network, process or import of the repository."""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a repository that nobody has prepared."""
    return write(tmp_path / "shop-bot", SHOP)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    root.mkdir(exist_ok=True)
    return root


@dataclass(frozen=True)
class Done:
    """How an audit ended, and what it printed."""

    code: int
    stdout: str


@pytest.fixture
def audit(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Return the command in this process; some tests below start one of its own."""
    monkeypatch.delenv("PROVEOUT_PROJECT", raising=False)

    def audit(where: Path, *arguments: str) -> Done:
        monkeypatch.chdir(where)
        code: Any = cli.main(["audit", *arguments], prog_name="proveout", standalone_mode=False)
        return Done(code, capfd.readouterr().out)

    return audit


@pytest.fixture
def asked(audit: Callable[..., Done]) -> Callable[..., dict[str, Any]]:
    """Return the command with its answer for programs."""

    def asked(where: Path, *arguments: str) -> dict[str, Any]:
        return json.loads(audit(where, "--json", *arguments).stdout)

    return asked


def process(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Return what a real command does in a folder."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROVEOUT_")}
    return subprocess.run(
        [sys.executable, "-m", "proveout", *arguments],
        cwd=where,
        env=environment | {"PYTHONUTF8": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_repository_that_nobody_prepared_is_audited(shop: Path) -> None:
    """Stage, choice, findings with their places, what is open, one next command; exit 1."""
    done = process(shop, "audit")

    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert done.stderr == ""
    assert max(map(len, lines)) <= 80
    assert lines[0] == "shop-bot · proof of concept"
    assert "shop/agent.py:8" in done.stdout
    assert "it is made ready to be deployed (Dockerfile), and nothing measures it" in done.stdout
    assert "Who is called when it breaks?" in done.stdout
    assert lines[-1] == "Next  proveout explain model-output-eval"
    assert "\x1b" not in done.stdout


def test_programs_get_one_object_of_the_contract(shop: Path) -> None:
    """Every field that `audit.v1` promises, worst findings first."""
    found = json.loads(process(shop, "audit", "--json").stdout)

    assert (found["schema"], found["stage"], found["choice"]) == (
        "audit.v1",
        "proof-of-concept",
        "prove first",
    )
    assert found["reasons"]
    assert len(found["story"]) == 5
    assert found["claims"] == []
    assert found["next"].startswith("proveout ")
    assert len(found["questions"]) == 5
    assert {tuple(one) for one in found["findings"]} == {
        ("code", "severity", "file", "line", "message", "why", "fix")
    }
    severities = [one["severity"] for one in found["findings"]]
    assert severities == ["critical", "critical", "medium"]


def test_nothing_is_executed_imported_or_asked_of_a_network(shop: Path) -> None:
    """A hook ends the process at the first attempt; and what would leave a trace leaves none."""
    trap = "from pathlib import Path\nPath('executed').touch()\n"
    write(shop, {"setup.py": trap, "conftest.py": trap, "app.py": trap})

    done = guarded(shop, "proveout", "audit", "--html", "a.html", "--sarif", "a.sarif")

    assert "BANNED" not in done.stderr
    assert done.returncode == 1, done.stderr
    assert not (shop / "executed").exists()


@pytest.mark.parametrize(
    "text",
    [
        "import socket\nsocket.create_connection(('127.0.0.1', 9))\n",
        "import subprocess\nsubprocess.run(['true'])\n",
        "import sys\nsys.path.insert(0, '.')\nimport shop.rates\n",
    ],
)
def test_the_hook_would_notice(shop: Path, text: str) -> None:
    """The negative control: a network, a process, an import of the repository."""
    write(shop, {"naughty.py": text})

    assert guarded(shop, "naughty").returncode == 99


def guarded(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", GUARD, *arguments],
        cwd=where,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(where)])},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_syntax_error_in_every_second_file_ends_nothing(
    tmp_path: Path, audit: Callable[..., Done], asked: Callable[..., dict[str, Any]]
) -> None:
    """Each is told with its line; the others are judged."""
    broken = {f"b{index}.py": f"x = {index}\ndef f(:\n" for index in range(6)}
    sound = {f"c{index}.py": BY_CODE["http-no-timeout"].bad for index in range(6)}
    root = write(tmp_path / "half", broken | sound)

    found, done = asked(root), audit(root)

    assert len(found["findings"]) == 6
    assert [(one["file"], one["line"]) for one in found["unread"]] == [(n, 2) for n in broken]
    assert "Not read" in done.stdout
    assert "b0.py:2  a syntax error" in done.stdout
    assert done.code == 0


def test_an_empty_repository_gets_useful_words(
    tmp_path: Path, audit: Callable[..., Done], asked: Callable[..., dict[str, Any]]
) -> None:
    """What to do from nothing."""
    root = write(tmp_path / "nothing", {})

    done, found = audit(root), asked(root)

    assert done.code == 0
    assert "there is no Python here that could be read" in done.stdout
    assert done.stdout.splitlines()[-1] == "Next  proveout init nothing-workflow"
    assert (found["stage"], found["findings"]) == (None, [])


def test_exit_is_0_where_nothing_is_urgent(shop: Path, audit: Callable[..., Done]) -> None:
    """A milder finding is told, and fails no pipeline; the control is the same with one more."""
    (shop / "shop" / "app.py").unlink()
    assert audit(shop).code == 1

    (shop / "shop" / "agent.py").unlink()
    done = audit(shop)

    assert done.code == 0
    assert "1 milder finding" in done.stdout


def test_a_baseline_leaves_what_is_new(
    shop: Path, audit: Callable[..., Done], asked: Callable[..., dict[str, Any]]
) -> None:
    """Kept once, read from its usual place from then on; a new finding counts."""
    kept = audit(shop, "--write-baseline", "proveout-baseline.json")
    after = audit(shop)
    write(shop, {"shop/more.py": BY_CODE["effect-no-key"].bad})
    worse = asked(shop)

    assert (kept.code, after.code) == (1, 0)
    assert "3 known from the baseline" in after.stdout
    assert [one["code"] for one in worse["findings"]] == ["effect-no-key"]
    assert worse["known"] == 3


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": "baseline.v1"}', "\x00"])
def test_a_baseline_that_is_none_is_refused(
    shop: Path, text: str, audit: Callable[..., Done]
) -> None:
    """Rather than everything being new, or nothing."""
    write(shop, {"old.json": text})

    with pytest.raises(BaselineUnread, match=r"old\.json"):
        audit(shop, "--baseline", "old.json")


def test_sarif_holds_every_finding_and_rule(shop: Path, audit: Callable[..., Done]) -> None:
    """With level, place and fingerprint; what is suppressed is marked as such."""
    text = "import requests\nrequests.get('/')  # proveout: ignore[http-no-timeout] by hand\n"
    write(shop, {"by_hand.py": text})

    audit(shop, "--sarif", "found.sarif")

    [run] = json.loads((shop / "found.sarif").read_text("utf-8"))["runs"]
    results = run["results"]
    assert {one["id"] for one in run["tool"]["driver"]["rules"]} == {one.code for one in RULES}
    assert sorted(one["level"] for one in results) == ["error", "error", "warning", "warning"]
    assert [
        one["suppressions"][0]["justification"] for one in results if "suppressions" in one
    ] == ["by hand"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].startswith("shop/")
    assert place["region"]["startLine"] > 0


@pytest.mark.parametrize("path", ["no/such/folder", "app.pyx"])
def test_a_place_that_is_not_there_is_a_mistake(
    shop: Path, path: str, audit: Callable[..., Done]
) -> None:
    with pytest.raises(NoProjectToAudit, match=path):
        audit(shop, path)


@pytest.mark.parametrize("path", ["shop", "shop/agent.py"])
def test_a_folder_or_a_file_may_be_named(shop: Path, path: str, audit: Callable[..., Done]) -> None:
    assert "eval runs what a model wrote" in audit(shop, path).stdout


@pytest.mark.parametrize("option", ["--html", "--sarif", "--write-baseline"])
def test_a_file_that_cannot_be_written_is_a_mistake(
    shop: Path, option: str, audit: Callable[..., Done]
) -> None:
    with pytest.raises(AuditNotWritten, match="nowhere"):
        audit(shop, option, "nowhere/a.file")


def test_a_strangers_names_steer_no_terminal(tmp_path: Path, audit: Callable[..., Done]) -> None:
    """Escape codes in the name of a file are shown, not obeyed."""
    root = write(tmp_path / "odd", {"a\x1b[31m\u202eb.py": BY_CODE["http-no-timeout"].bad})

    done = audit(root)

    assert ".py" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_a_finding_is_explained_by_its_code(capfd: pytest.CaptureFixture[str]) -> None:
    """With both examples, and how to suppress it."""
    cli.main(["explain", "webhook-compare"], standalone_mode=False)

    said = capfd.readouterr().out
    assert BY_CODE["webhook-compare"].title in said
    assert "hmac.compare_digest(f" in said
    assert "ignore[webhook-compare]" in said


# Questions


def typed(where: Path, answers: str, *arguments: str) -> tuple[int, str]:
    """Return exit code and screen of an audit on a terminal, at which somebody types."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(where)
        os.environ["COLUMNS"] = "80"
        command = [sys.executable, "-m", "proveout", "audit", *arguments]
        os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
    os.write(terminal, answers.encode())
    shown = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_a_terminal_is_asked_and_answers_decide(shop: Path) -> None:
    """Enter leaves a question open."""
    code, screen = typed(shop, "yes\nyes\nana\n\n\n")

    assert code == 1
    assert "5 questions that no file answers" in screen
    assert "Harden" in screen
    assert screen.count("Who decides where the model is not sure?") == 2
    assert screen.count("Who is called when it breaks?") == 1


def test_a_terminal_may_be_left_alone(shop: Path) -> None:
    code, screen = typed(shop, "", "--no-ask")

    assert code == 1
    assert "that no file answers" not in screen


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that `proveout init` wrote."""
    command = [sys.executable, "-m", "proveout", "init", "triage"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "triage"


def test_in_a_project_the_code_stands_beside_the_claims(
    project: Path, audit: Callable[..., Done], asked: Callable[..., dict[str, Any]]
) -> None:
    """The exit code is that of the gate."""
    write(project, {"triage/agent.py": BY_CODE["model-output-eval"].bad})

    found, done = asked(project), audit(project)

    places = [(one["code"], one["file"]) for one in found["findings"] if one["file"]]
    assert places == [("model-output-eval", "triage/agent.py")]
    assert found["claims"]
    assert found["scanned"]["models"] == 1
    assert "Findings in the code  1 critical" in done.stdout
    assert "NOT READY" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_in_a_project_answers_are_kept(project: Path, asked: Callable[..., dict[str, Any]]) -> None:
    """Who was named is in proveout.toml, and all else is as before; who was not is still open."""
    before = tomllib.loads((project / "proveout.toml").read_text("utf-8"))

    _, screen = typed(project, "ana\nben\n\ncrm\n")

    after = tomllib.loads((project / "proveout.toml").read_text("utf-8"))
    people = {"owner": "ana", "operator": "ben", "downstream": "crm"}
    open_now = {one["code"] for one in asked(project)["findings"]}
    assert "4 questions" in screen
    assert after == {**before, "workflow": {**before["workflow"], **people}}
    assert open_now & {"no-owner", "no-operator", "no-reviewer", "no-downstream"} == {"no-reviewer"}
