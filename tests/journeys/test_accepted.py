"""What `accepted unedited` promises: people decide on every answer, and edits are kept."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import release
from journeys.conftest import make_place
from journeys.test_label import Terminal, give, waiting
from proveout.faces.asked import signal_of
from proveout.faces.project import Project
from proveout.faces.readiness_facts import tree_of
from proveout.ready.drills.drill import NotSteady

if TYPE_CHECKING:
    from pathlib import Path

    from journeys.conftest import Place

pytestmark = pytest.mark.journey

APP = """
def answer(n: int) -> dict[str, object]:
    with open("calls.log", "a") as log:
        log.write(f"{n}\\n")
    if n % 50 == 0:
        raise RuntimeError("no answer today")
    return {"reply": f"Dear customer {n}, it is on its way.", "team": "shipping"}

def terse(n: int) -> dict[str, object]:
    return {"reply": f"{n}: on its way", "team": "shipping"}
"""

SETTINGS = """
[workflow]
name = "toy"
entry = "app:answer"

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = {{ calls = 3000 }}

[[prove.criteria]]
score = "accepted unedited"
floor = {floor}
target = {target}
{more}
"""


def settings(floor: str = "0.50", target: str = "0.80", more: str = "") -> str:
    return SETTINGS.format(floor=floor, target=target, more=more)


@pytest.fixture
def drafts(place: Place) -> Place:
    """Return a project whose answers a person approves, edits or rejects."""
    return with_drafts(place)


def with_drafts(place: Place) -> Place:
    place.write("app.py", APP)
    place.write("proveout.toml", settings())
    return place


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, dict[str, Any]]:
    """Return a project that waits for decisions, to be copied, and the first that it asks for."""
    place = with_drafts(make_place(tmp_path_factory.mktemp("asking")))
    place.run("prove")
    return place, waiting(place)[0]


def decided(place: int, one: dict[str, Any]) -> dict[str, Any]:
    """Return what a careful person says of an answer, by its place in a sitting."""
    case = {"case": one["case"], "digest": one["digest"]}
    if place % 10 == 3:
        return {**case, "edit": {**one["answer"], "team": "billing"}, "reason": "wrong team"}
    if place % 10 == 6:
        return {**case, "label": False, "reason": "too friendly"}
    return {**case, "label": True}


def lines(found: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(decided(*one))}\n" for one in enumerate(found))


def kept(place: Place) -> list[dict[str, Any]]:
    listed = place.run("label", "--list", "--all", "--json").stdout.splitlines()
    return [one for one in map(json.loads, listed) if one["label"] is not None]


def prove_with_people(place: Place) -> int:
    """Prove until the verdict; return how many sittings of a person it took."""
    sittings = 0
    while place.run("prove").returncode == 5 and (found := waiting(place)):
        assert give(place, lines(found)).returncode == 0
        sittings += 1
    return sittings


def test_a_verdict_is_what_people_accepted_as_it_was(drafts: Place, store_url: str) -> None:
    """Edits and rejections count against it, and so does no answer; each is asked for once."""
    drafts.environment = {"PROVEOUT_STORE": store_url}
    first = drafts.run("prove")
    asked = waiting(drafts)

    sittings = prove_with_people(drafts)

    verdict, said = drafts.ask("verdict"), kept(drafts)
    criterion = verdict["candidates"][0]["criteria"][0]
    counts = criterion["decisions"]
    read = sum(counts.values()) + verdict["candidates"][0]["errors"]
    page = (drafts.folder / ".proveout" / "reports" / "toy.html").read_text("utf-8")
    assert first.returncode == 5
    assert f"{len(asked)} answers wait for a label by a person" in first.stdout
    assert 30 < len(asked) <= 40
    assert verdict["verdict"] == "GO"
    assert sittings >= 1
    assert criterion["name"] == "accepted unedited"
    assert "judge" not in criterion
    assert counts["edited"] > 0
    assert counts["rejected"] > 0
    assert read == verdict["cases"]
    assert criterion["estimate"] == pytest.approx(counts["approved"] / read)
    assert max(Counter(drafts.calls()).values()) == 1
    edited = [one for one in said if one["edit"] is not None]
    assert {one["edit"]["team"] for one in edited} == {"billing"}
    assert {one["reason"] for one in edited} == {"wrong team"}
    assert {one["label"] for one in edited} == {False}
    assert (
        f"edited {counts['edited']}, rejected {counts['rejected']}" in drafts.run("verdict").stdout
    )
    assert f"{counts['edited']} edited, {counts['rejected']} rejected" in page
    assert "Edited to" in page


def test_what_was_decided_is_not_asked_again(drafts: Place) -> None:
    """The next sitting is about the answers that are left."""
    drafts.write("proveout.toml", settings("0.75", "0.85"))
    drafts.run("prove")
    found = waiting(drafts)
    give(drafts, lines(found[:15]))

    drafts.run("prove")

    again = {one["case"] for one in waiting(drafts)}
    assert not again & {one["case"] for one in found[:15]}
    assert 30 < len(again) <= 40


async def test_no_machine_decides_in_the_control_of_a_verdict(drafts: Place) -> None:
    """The drill `signal` says that it cannot fail there, instead of passing for a control."""
    await asyncio.to_thread(drafts.run, "prove")

    async with Project.open(drafts.folder) as project:
        code = (await tree_of(project.settings)).code
        with pytest.raises(NotSteady, match="add a criterion with a score"):
            await signal_of(project, release(code=code), shuffled=True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"label": "yes"}, "'yes' is no decision"),
        ({"label": 1}, "1 is no decision"),
        ({"label": True, "edit": "other"}, "cannot be approved as it is, and edited"),
        ({"label": [], "edit": "other"}, "cannot be approved as it is, and edited"),
        ({"edit": "ANSWER"}, "the edit is the answer as it was"),
        ({"label": False, "reason": 7}, "a reason is a text"),
        ({"label": False, "reason": "x" * 2001}, "a reason is a text of at most 2,000 characters"),
        ({"edit": float("nan")}, "the edit"),
        ({"reason": "late"}, "it names no case, or has no label"),
    ],
)
def test_a_decision_that_says_nothing_clear_is_refused_by_its_line(
    asking: tuple[Place, dict[str, Any]], line: dict[str, Any], said: str, tmp_path: Path
) -> None:
    drafts, one = asking[0].copy(tmp_path), asking[1]
    bad = {name: one["answer"] if value == "ANSWER" else value for name, value in line.items()}

    done = give(drafts, json.dumps({"case": one["case"], **bad}))

    assert done.returncode == 2
    assert "line 1: " in done.stderr
    assert said in done.stderr
    assert kept(drafts) == []


def test_a_decision_that_was_read_stays(drafts: Place) -> None:
    """Another edit, or an approval after an edit, is refused; the same line again is none."""
    drafts.run("prove")
    one = waiting(drafts)[0]
    case = {"case": one["case"]}
    edit = json.dumps({**case, "edit": "better"})

    answers = [
        give(drafts, line)
        for line in (
            edit,
            edit,
            json.dumps({**case, "edit": "better still"}),
            json.dumps({**case, "label": True}),
            json.dumps({**case, "label": False}),
        )
    ]

    assert [done.returncode for done in answers] == [0, 0, 3, 3, 3]
    assert "is edited for accepted unedited, not to this" in answers[2].stderr
    assert "is edited for accepted unedited, not approved" in answers[3].stderr
    assert "is edited for accepted unedited, not rejected" in answers[4].stderr
    assert [found["edit"] for found in kept(drafts)] == ["better"]


def test_the_same_answers_of_two_candidates_are_decided_once_each(drafts: Place) -> None:
    """Another candidate's other answers are decisions of their own."""
    rival = "\n[prove.candidates.terse]\nentry = 'app:terse'\n"
    drafts.write("proveout.toml", settings(more=rival))
    drafts.run("prove")

    names = Counter(one["case"] for one in waiting(drafts))

    assert set(names.values()) <= {1, 2}
    assert 2 in names.values()


def test_nobody_is_asked_again_to_compare(drafts: Place) -> None:
    """Answers are compared by a score that asks nobody."""
    rival = "\n[prove.candidates.terse]\nentry = 'app:terse'\n"
    drafts.write("proveout.toml", settings(more=rival))
    drafts.run("prove")

    done = drafts.run("compare", "--by", "accepted unedited")

    assert done.returncode == 2
    assert "by no judge and no person" in done.stderr


EDITOR = """
import sys
path = sys.argv[1]
text = open(path).read()
open(path, "w").write(text.replace("shipping", "billing"))
"""


def test_at_a_keyboard_an_answer_is_approved_edited_or_rejected(drafts: Place) -> None:
    """The edit is made in an editor of the person's; one that changes nothing is asked again."""
    drafts.run("prove")
    cases = [one["case"] for one in waiting(drafts)]
    script = drafts.write("editor.py", EDITOR)
    drafts.environment = {"EDITOR": f"{sys.executable} '{script}'"}

    person = Terminal(drafts, "label")
    person.sees(f"1 of {len(cases)}  case {cases[0]}")
    person.sees("a approve · e edit · r reject · s skip")
    person.types("y\n")
    person.sees("'y' is no decision")
    person.types("a\n")
    person.sees(f"2 of {len(cases)}  case {cases[1]}")
    person.sees("q quit")
    person.types("e\n")
    person.sees(f"3 of {len(cases)}  case {cases[2]}")
    person.sees("q quit")
    person.types("r\n")
    person.sees("why?")
    person.types("not our tone\n")
    person.sees(f"4 of {len(cases)}  case {cases[3]}")
    person.sees("q quit")
    person.types("b\n")
    person.sees(f"3 of {len(cases)}  case {cases[2]}  rejected")
    person.sees("q quit")
    person.types("q\n")
    person.sees("3 labels kept")
    assert person.ends() == 0

    said = {one["case"]: one for one in kept(drafts)}
    assert said[cases[0]]["label"] is True
    assert said[cases[1]]["edit"]["team"] == "billing"
    assert said[cases[2]]["label"] is False
    assert said[cases[2]]["reason"] == "not our tone"


def test_an_editor_that_changes_nothing_decides_nothing(drafts: Place) -> None:
    drafts.run("prove")
    drafts.environment = {"EDITOR": "true"}

    person = Terminal(drafts, "label")
    person.sees("q quit")
    person.types("e\n")
    person.sees("the edit is the answer as it was")
    person.types("q\n")

    assert person.ends() == 0
    assert kept(drafts) == []
