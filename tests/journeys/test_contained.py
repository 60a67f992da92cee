"""Whatever user code does, no command takes it for a verdict or hides it in its answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from journeys.conftest import Place

pytestmark = pytest.mark.journey


@pytest.mark.parametrize(
    "raised", ["SystemExit(0)", "SystemExit(5)", "BaseException('x')", "ImportError('y')"]
)
def test_a_module_that_cannot_be_imported_is_wrong_use(place: Place, raised: str) -> None:
    """Never the exit code of a verdict, whatever the module raises."""
    place.write("app.py", f"raise {raised}\n")

    for command in (("prove",), ("run", "1"), ("enqueue", "toy", "--input", "1")):
        done = place.run(*command, "--json")

        assert done.returncode == 2, done.stderr
        assert json.loads(done.stdout)["error"]["code"] == "entry"


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "raise BaseException('x')", "return None"])
def test_a_broken_score_is_wrong_use_and_its_answers_are_kept(place: Place, body: str) -> None:
    """The score is mended, the same command goes on, and nothing is called again."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace('"exact"', '"score:good"'))
    place.write("score.py", f"def good(result, case):\n    {body}\n")
    broken = place.run("prove", "--json")

    place.write("score.py", "def good(result, case):\n    return result == case.expected\n")
    verdict = place.ask("prove")

    assert broken.returncode == 2, broken.stderr
    assert json.loads(broken.stdout)["error"]["code"] == "bad-score"
    assert verdict["verdict"] == "GO"
    assert len(place.calls()) == len(set(place.calls()))


def test_what_a_workflow_prints_stays_out_of_the_answer(place: Place) -> None:
    """With --json, standard output holds JSON and nothing else, however user code prints."""
    body = "    print('hello')\n    os.write(1, b'raw')\n    return n * 2\n"
    place.write("app.py", f"import os\n\ndef answer(n):\n{body}")

    done = place.run("prove", "--json")

    assert json.loads(done.stdout)["verdict"] == "GO"
    assert "hello" in done.stderr


@pytest.mark.parametrize("raised", ["SystemExit(0)", "KeyboardInterrupt()"])
def test_an_exit_in_a_workflow_is_a_failed_trial(place: Place, raised: str) -> None:
    """It ends its own run, with its name, and takes nothing along."""
    place.write("app.py", f"def answer(n: int) -> int:\n    raise {raised}\n")

    done = place.run("prove")

    assert done.returncode == 1
    assert raised.partition("(")[0] in done.stdout
    assert "Traceback" not in done.stderr


def test_a_process_that_a_workflow_forks_ends_with_its_call(place: Place) -> None:
    """The child returns from the call too; it must not become a second prove."""
    place.write("app.py", "import os\n\ndef answer(n):\n    os.fork()\n    return n * 2\n")

    verdict = place.ask("prove")

    assert verdict["verdict"] == "GO"
    assert verdict["calls_repeated"] == 0


@pytest.mark.parametrize(
    "signature", ["()", "(a, b)", "(*a)", "(n: 'Nope')"], ids=["none", "two", "star", "unknown"]
)
def test_a_workflow_that_does_not_take_the_input_is_no_verdict(
    place: Place, signature: str
) -> None:
    """Wrong wiring is told before the first call; it says nothing of the idea."""
    place.write("app.py", f"def answer{signature}:\n    return 1\n")

    done = place.run("prove", "--json")

    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["fix"]


def test_another_look_says_what_changed(place: Place) -> None:
    """Who loosens a floor or edits the cases after a look is told so, and the look counts."""
    place.run("prove")
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace("0.85", "0.70"))
    loosened = place.run("prove")
    lines = (place.folder / "cases.jsonl").read_text("utf-8").splitlines()
    place.write("cases.jsonl", "\n".join(lines[1:]))

    shortened = place.run("prove")

    assert "look 2" in loosened.stderr
    assert "changed since: the criteria" in loosened.stderr
    assert "look 3" in shortened.stderr
    assert "the dataset" in shortened.stderr
