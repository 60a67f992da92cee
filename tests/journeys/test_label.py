"""What `proveout label` promises: people check judges; nothing is lost or asked twice."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from journeys.conftest import PATIENCE, make_place
from proveout import Project

if TYPE_CHECKING:
    from pathlib import Path

    from journeys.conftest import Place

pytestmark = pytest.mark.journey

APP = """
def answer(n: int) -> int:
    with open("calls.log", "a") as log:
        log.write(f"{n}\\n")
    return n * 2 if n % 8 else 0
"""

JUDGES = """
import asyncio

async def lenient(result, case):
    with open("judge.log", "a") as log:
        log.write(f"{case.id}\\n")
    await asyncio.sleep(0)
    return result == case.expected or int(case.id) % 3 == 0

def plain(result, case):
    return result == case.expected

def broken(result, case):
    if int(case.id) % 5 == 0:
        raise RuntimeError("the model is away")
    return result == case.expected

def reads(result, case):
    return result == 2 * case.value

def stars(result, case):
    return 5 if result == case.expected else 3
"""

CRITERION = """
[workflow]
name = "toy"
entry = "app:answer"

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = {{ calls = 3000 }}

[[prove.criteria]]
name = "right"
score = "judges:{score}"
{more}
"""

PASSES = "floor = 0.50\ntarget = 0.80"
SURE = "floor = 0.20\ntarget = 0.50"
"""Lines that seven right answers of eight pass in every order that may be drawn."""

CLOSE = "floor = 0.80\ntarget = 0.85"
"""Lines that no verdict on them falls before some thirty cases are read."""


def settings(score: str = "lenient", more: str = f"judge = true\nlabels = 0.25\n{PASSES}") -> str:
    return CRITERION.format(score=score, more=more)


@pytest.fixture
def judged(place: Place) -> Place:
    """Return a project whose judge lets many wrong answers pass."""
    return with_judge(place)


def with_judge(place: Place) -> Place:
    place.write("app.py", APP)
    place.write("judges.py", JUDGES)
    place.write("proveout.toml", settings())
    return place


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, list[dict[str, Any]]]:
    """Return a project that waits for labels, to be copied, and what it asks."""
    place = with_judge(make_place(tmp_path_factory.mktemp("asking")))
    place.run("prove")
    return place, waiting(place)


def waiting(place: Place) -> list[dict[str, Any]]:
    lines = place.run("label", "--list", "--json").stdout.splitlines()
    return [json.loads(line) for line in lines]


def give(place: Place, lines: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "proveout", "label", *options],
        cwd=place.folder,
        env={**os.environ, **place.environment},
        input=lines,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def honest(found: list[dict[str, Any]]) -> str:
    """Return what a careful person says, a line for each answer."""
    lines = ({**one, "label": one["answer"] == one["expected"]} for one in found)
    return "".join(f"{json.dumps(one)}\n" for one in lines)


def judgements(place: Place) -> Counter[str]:
    log = place.folder / "judge.log"
    return Counter(log.read_text("utf-8").split() if log.exists() else ())


def test_a_verdict_waits_for_people_and_goes_on_with_their_labels(
    judged: Place, store_url: str
) -> None:
    """It exits 5 and names the cases; labelled, the same command ends with the verdict."""
    judged.environment = {"PROVEOUT_STORE": store_url}
    first = judged.run("prove")
    early = judged.ask("verdict")
    rounds = 0
    while (found := waiting(judged)) and rounds < 10:
        kept = give(judged, honest(found))
        assert kept.returncode == 0, kept.stderr
        judged.run("prove")
        rounds += 1
    verdict = judged.ask("verdict")

    assert first.returncode == 5
    assert "40 answers wait for a label by a person: case" in first.stdout
    assert "proveout label toy" in first.stdout
    assert verdict["verdict"] in {"GO", "NO-GO"}
    assert early["stopped_by"] == "cases"
    assert early["waits_for"] == "labels"
    assert early["labels_waiting"] == 40
    assert "waits for 40 labels" in first.stdout
    assert "labels_waiting" not in verdict
    assert "waits_for" not in verdict
    assert verdict["stopped_by"] == "verdict"
    said = verdict["candidates"][0]["criteria"][0]["judge"]
    assert said["yes"] == said["yes_by_both"]
    assert said["agreed"] == said["yes_by_both"] + said["no_by_both"]
    assert said["labelled"] == said["yes"] + said["no"] > 0
    assert max(judgements(judged).values()) == 1
    assert max(Counter(judged.calls()).values()) == 1


def test_which_cases_are_labelled_depends_on_nothing_that_was_answered(judged: Place) -> None:
    """A quarter of them, more or less, and the same whatever was said meanwhile."""
    judged.run("prove")
    before = [one["case"] for one in waiting(judged)]

    give(judged, honest(waiting(judged)[:7]))
    after = [one["case"] for one in waiting(judged)]

    assert after[: len(before) - 7] == before[7:]
    assert len(before) == 40
    assert 100 < len(judged.calls()) < 260


def test_an_unchecked_judge_says_so_everywhere_and_carries_no_promotion(judged: Place) -> None:
    """CLI, verdict.v1, report and the gate; the verdict itself falls as it would."""
    judged.write("proveout.toml", settings("plain", f"judge = true\n{SURE}"))
    done = judged.run("prove")
    verdict = judged.ask("verdict")
    page = (judged.folder / ".proveout" / "reports" / "toy.html").read_text("utf-8")
    reasons = judged.run("promote", "--yes").stdout + judged.run("audit").stdout

    assert done.returncode == 0, done.stderr
    assert "according to an unchecked judge" in done.stdout
    assert "cannot carry a promotion" in done.stdout
    assert verdict["according_to"] == "an unchecked judge"
    assert verdict["candidates"][0]["criteria"][0]["judge"] == {"labels": None}
    assert "according to an unchecked judge" in page
    assert "according to an unchecked judge" in reasons


def test_a_judge_who_raises_loses_no_answer_and_no_opinion(judged: Place) -> None:
    """It is an error that names the case; mended, another look reuses the answers there are."""
    judged.write("proveout.toml", settings("broken", f"judge = true\n{CLOSE}"))
    broken = judged.run("prove", "--json")
    calls = len(judged.calls())
    judged.write("judges.py", JUDGES.replace("broken", "gone").replace("lenient", "broken"))

    whole = judged.run("prove", "--json")

    assert broken.returncode == 2
    assert "the model is away" in json.loads(broken.stdout)["error"]["message"]
    assert "its answers are kept" in json.loads(broken.stdout)["error"]["why"]
    assert whole.returncode in {0, 1}
    assert len(judged.calls()) >= calls
    assert max(Counter(judged.calls()).values()) == 1
    assert max(judgements(judged).values()) == 1


def test_a_judge_is_not_asked_again_to_compare(judged: Place) -> None:
    """It costs, and may say something else now; a comparison calls nothing."""
    rival = '\n[prove.candidates.rival]\nentry = "app:answer"\n'
    judged.write("proveout.toml", settings(more=f"judge = true\n{PASSES}") + rival)
    judged.run("prove")
    asked = judgements(judged)

    done = judged.run("compare", "--by", "right")

    assert done.returncode == 2
    assert "by no judge" in done.stderr
    assert asked
    assert judgements(judged) == asked


def test_killed_while_it_judges_it_asks_no_judge_twice_for_an_opinion_it_kept(
    judged: Place,
) -> None:
    """At most the opinions in flight are asked for again."""
    judged.write("judges.py", JUDGES.replace("asyncio.sleep(0)", "asyncio.sleep(0.05)"))
    judged.write("proveout.toml", settings(more=f"judge = true\n{CLOSE}"))
    process = judged.start("prove")
    while sum(judgements(judged).values()) < 12:
        assert process.poll() is None
        time.sleep(0.01)  # noqa: TID251 - another process writes the file
    process.send_signal(signal.SIGKILL)
    process.wait()

    verdict = judged.ask("prove")

    again = sum(times - 1 for times in judgements(judged).values())
    assert verdict["verdict"] in {"GO", "NO-GO"}
    assert again <= 8


def test_grades_are_labelled_with_numbers_within_their_range(judged: Place) -> None:
    """The report tells by how much the judge is off."""
    more = "judge = true\nlabels = 0.5\nlow = 1\nhigh = 5\nfloor = 3.5\ntarget = 4.5"
    judged.write("proveout.toml", settings("stars", more))
    judged.run("prove")
    found = waiting(judged)
    wrong = give(judged, json.dumps({"case": found[0]["case"], "label": 6}))
    lines = ({"case": one["case"], "label": 4 if one["answer"] else 2} for one in found)

    give(judged, "\n".join(map(json.dumps, lines)))
    judged.run("prove")

    said = judged.ask("verdict")["candidates"][0]["criteria"][0]["judge"]
    assert wrong.returncode == 2
    assert "a number from 1 to 5" in wrong.stderr
    assert said["difference"] == pytest.approx(1)
    assert "yes" not in said


def test_an_answer_that_changed_needs_another_label(judged: Place) -> None:
    """Labels of answers that stayed the same are not asked for again."""
    judged.run("prove")
    found = waiting(judged)
    give(judged, honest(found))
    labelled = {one["case"] for one in found}
    judged.write("app.py", APP.replace("n % 8 else 0", "n % 8 else 1"))

    judged.run("prove")

    again = [one for one in waiting(judged) if one["case"] in labelled]
    assert all(int(one["case"]) % 8 == 0 for one in again)
    assert not {one["case"] for one in again} - labelled


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: it is no JSON"),
        ("[" * 50_000, "line 2: it is no JSON"),
        ("7", "line 2: it is no JSON object"),
        ('{"label": true}', "line 2: it names no case"),
        ('{"case": true, "label": true}', "line 2: it names no case"),
        ('{"case": "CASE"}', "line 2: it names no case, or has no label"),
        ('{"case": "CASE", "labe": true}', 'line 2: it has no key "labe"'),
        ('{"case": "CASE", "label": "yes"}', "is no label for right"),
        ('{"case": "CASE", "label": 0.5}', "is no label for right"),
        ('{"case": "CASE", "label": NaN}', "is no label for right"),
        ('{"case": "CASE", "label": true, "digest": 7}', "line 2: criterion and digest are texts"),
        ('{"case": "CASE", "label": true, "digest": "ab"}', "nobody asks for that label"),
        ('{"case": "CASE", "label": true, "criterion": "no"}', "nobody asks for that label"),
        ('{"case": "no such", "label": true}', "nobody asks for that label of case no such"),
        ('{"case": "FIRST", "label": false}', "is labelled 1 for right, not 0"),
    ],
)
def test_a_bad_line_is_named_and_those_before_it_are_kept(
    asking: tuple[Place, list[dict[str, Any]]], line: str, said: str, tmp_path: Path
) -> None:
    """The file can be mended and given again: a label that is there already is no mistake."""
    judged = asking[0].copy(tmp_path)
    first, second = (one["case"] for one in asking[1][:2])
    good = json.dumps({"case": first, "label": True})
    bad = line.replace("CASE", second).replace("FIRST", first)

    done = give(judged, f"{good}\n{bad}\n")
    again = give(judged, f"{good}\n\n", "--json")

    assert done.returncode in {2, 3}
    assert said in done.stderr
    assert len(waiting(judged)) == 39
    assert again.returncode == 0
    assert json.loads(again.stdout)["label"] is True


def test_a_huge_value_makes_no_huge_error(judged: Place) -> None:
    """What is quoted of a caller's value is cut, and the rest counted."""
    judged.run("prove")

    done = give(judged, json.dumps({"case": "x" * 3_000_000, "label": True}), "--json")

    error = json.loads(done.stdout)["error"]
    assert done.returncode == 2
    assert error["message"].startswith("line 1: nobody asks for that label of case xxx")
    assert "characters left out" in error["message"]
    assert len(done.stdout) < 5_000


async def test_answers_to_other_cases_do_not_pass_a_judge(
    judged: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of a verdict shows a judge the whole of another case, till it says no."""
    judged.write("proveout.toml", settings("reads", "judge = true\nfloor = 0.75\ntarget = 0.80"))
    judged.run("prove")
    monkeypatch.chdir(judged.folder)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    for name in ("app", "judges"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    async with Project.open(judged.folder / "proveout.toml") as project:
        conductor = await project.recorded(project.experiment())
        assert conductor is not None
        await conductor.recall()
        account = await conductor.account(None)
        control = await conductor.control(1)

    assert account.own.verdict == "GO"
    assert control.verdict == "NO-GO"
    assert control.cases < account.own.cases


def test_what_nobody_can_label_is_refused_with_a_way_on(judged: Place) -> None:
    """Before the first trial, and where no judge asks for labels."""
    early = judged.run("label", "--json")
    judged.write("proveout.toml", settings(more=PASSES))
    never = judged.run("label", "--json")

    errors = [json.loads(one.stdout)["error"] for one in (early, never)]
    assert [one.returncode for one in (early, never)] == [2, 2]
    assert "was not begun" in errors[0]["message"]
    assert errors[1]["fix"][0] == "write judge = true and labels = 0.25 on a criterion"


class Terminal:
    """A person at a keyboard."""

    def __init__(self, place: Place, *arguments: str) -> None:
        self._mine, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "proveout", *arguments],
            cwd=place.folder,
            env={**os.environ, **place.environment, "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""
        self._seen = 0

    def sees(self, text: str) -> None:
        """Read on until `text` is shown; what comes after it is still to be seen."""
        end = time.monotonic() + PATIENCE
        while (place := self.shown.find(text, self._seen)) < 0:
            assert time.monotonic() < end, f"no {text!r} in {self.shown[self._seen :]!r}"
            if select.select([self._mine], [], [], 0.2)[0]:
                self.shown += os.read(self._mine, 65_536).decode()
        self._seen = place + len(text)

    def types(self, keys: str) -> None:
        os.write(self._mine, keys.encode())

    def ends(self) -> int:
        code = self.process.wait(PATIENCE)
        os.close(self._mine)
        return code


def test_at_a_keyboard_each_label_is_kept_at_once_and_the_judge_stays_hidden(
    judged: Place,
) -> None:
    """Yes, no, skip, back and quit; killed between two of them, it goes on where it was."""
    judged.run("prove")
    cases = [one["case"] for one in waiting(judged)]

    person = Terminal(judged, "label")
    for number, (case, key) in enumerate(zip(cases, "yns", strict=False), 1):
        person.sees(f"{number} of 40  case {case}")
        person.sees("q quit")
        person.types("perhaps\n")
        person.sees("'perhaps' is no label for right")
        person.types(f"{key}\n")
    person.sees(f"4 of 40  case {cases[3]}")
    person.sees("q quit")
    person.types("b\n")
    person.sees(f"3 of 40  case {cases[2]}")
    person.sees("q quit")
    person.types("b\n")
    person.sees(f"2 of 40  case {cases[1]}  labelled 0")
    person.sees("q quit")
    person.types("y\n")
    person.sees(f"3 of 40  case {cases[2]}")
    person.process.send_signal(signal.SIGKILL)
    person.ends()

    later = Terminal(judged, "label")
    later.sees(f"1 of 38  case {cases[2]}")
    later.sees("q quit")
    later.types("q\n")
    later.sees("38 answers wait for a label")
    later.sees("proveout label toy")
    code = later.ends()

    assert code == 0
    assert [one["case"] for one in waiting(judged)] == cases[2:]
    assert "judge" not in person.shown.replace("proveout label", "")


def test_grades_are_typed_and_ctrl_c_loses_none(judged: Place) -> None:
    more = "judge = true\nlabels = 0.5\nlow = 1\nhigh = 5\nfloor = 3.5\ntarget = 4.5"
    judged.write("proveout.toml", settings("stars", more))
    judged.run("prove")

    person = Terminal(judged, "label")
    person.sees("a number from 1 to 5")
    person.types("9\n")
    person.sees("is no label for right")
    person.types("4.5\n")
    person.sees("2 of 40")
    person.sees("q quit")
    person.process.send_signal(signal.SIGINT)
    person.sees("interrupted")
    code = person.ends()

    assert code == 130
    assert len(waiting(judged)) == 39


def test_the_same_answers_of_two_candidates_are_labelled_once(judged: Place) -> None:
    """A label is for an answer, whoever gave it."""
    more = f"judge = true\nlabels = 0.25\n{PASSES}\n\n[prove.candidates.other]\nentry = 'app:twin'"
    judged.write("proveout.toml", settings(more=more))
    judged.write("app.py", f"{APP}\n\ndef twin(n: int) -> int:\n    return answer(n)\n")

    judged.run("prove")

    names = Counter(one["case"] for one in waiting(judged))
    assert len(names) == 40
    assert max(names.values()) == 1
