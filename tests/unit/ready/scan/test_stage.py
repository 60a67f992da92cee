"""The stage, the choice and the next command of a repository, from its files and from answers."""

from __future__ import annotations

import pytest

from proveout.domain.release import Stage
from proveout.ready.choice import Way
from proveout.ready.scan.questions import OF_REPOSITORY, Answers
from proveout.ready.scan.scan import Scan
from proveout.ready.scan.stage import Audited, audited

ASKS = "import litellm\n\n\ndef f(x):\n    return litellm.completion(x, timeout=9)\n"
SERVED = ("Dockerfile", "grafana/board.json", "docs/runbook.md")


def audit(
    answers: dict[str, str] | None = None, *paths: str, text: str = ASKS, name: str = "Shop Bot"
) -> Audited:
    """Return the audit of a repository that holds one file of Python and some others."""
    going = Scan(name)
    for path in ("app.py", *paths):
        going.saw(path)
    if text:
        going.read("app.py", text)
    return audited(going.ended(), (), Answers(answers or {}))


@pytest.mark.parametrize(
    ("answers", "paths", "stage"),
    [
        ({}, (), Stage.PROOF_OF_CONCEPT),
        ({}, ("Dockerfile",), Stage.PROOF_OF_CONCEPT),
        ({}, SERVED, Stage.PRODUCTION),
        ({"used": "yes"}, (), Stage.PRODUCTION),
        ({"used": "no"}, SERVED, Stage.PROOF_OF_CONCEPT),
    ],
)
def test_a_persons_word_counts_more_than_files(
    answers: dict[str, str], paths: tuple[str, ...], stage: Stage
) -> None:
    assert audit(answers, *paths).stage is stage


def test_what_asks_no_model_and_answers_no_request_is_in_no_stage() -> None:
    """And is asked nothing."""
    found = audit(text="x = 1\n")

    assert (found.stage, found.choice.way, found.questions) == (None, Way.HARDEN, ())


@pytest.mark.parametrize(
    ("answers", "paths", "way"),
    [
        ({}, (), Way.PROVE_FIRST),
        ({}, ("evals/cases.jsonl",), Way.PROVE_FIRST),
        ({}, ("evals/cases.jsonl", *SERVED), Way.HARDEN),
        ({"reached": "yes", "operator": "ana"}, (), Way.HARDEN),
        ({"reached": "yes", "operator": "not known yet"}, (), Way.PROVE_FIRST),
        ({"reached": "no"}, ("evals/cases.jsonl", *SERVED), Way.PROVE_FIRST),
    ],
)
def test_what_is_not_shown_to_be_good_is_proved_first(
    answers: dict[str, str], paths: tuple[str, ...], way: Way
) -> None:
    assert audit(answers, *paths).choice.way is way


def test_at_most_five_questions_are_open_and_an_answer_closes_one() -> None:
    """A name that is none leaves it open."""
    assert [one.key for one in audit().questions] == [one.key for one in OF_REPOSITORY]
    assert len(OF_REPOSITORY) == 5

    left = audit({"used": "yes", "operator": "ana", "reviewer": "tbd"}).questions

    assert [one.key for one in left] == ["reached", "reviewer", "downstream"]


def test_the_five_rows_are_of_this_repository() -> None:
    """Each is filled in with what was seen."""
    rows = audit({}, "evals/cases.jsonl").story

    assert [one.title for one in rows] == [
        "primary question",
        "what you have at the end",
        "fastest useful outcome",
        "core risk",
        "what breaks when skipped",
    ]
    assert "1 model call, 1 file of cases" in rows[1].proof_of_concept
    assert "runbook" in rows[4].production


def test_mistakes_between_the_stages_are_named() -> None:
    """Built for traffic before it is measured; relied on, and not watched."""
    overbuilt = audit({}, "Dockerfile").mistakes
    unwatched = audit({"used": "yes"}, "tests/test_app.py").mistakes

    assert any("nothing measures it" in one for one in overbuilt)
    assert any("no metrics" in one for one in unwatched)
    assert not any("no tests" in one for one in unwatched)
    assert audit(text="x = 1\n").mistakes == ()


def test_the_next_command_is_one_that_works() -> None:
    """A name that `init` takes; where something is critical, its explanation comes first."""
    eval_ = f"{ASKS}\n\ndef g(x):\n    eval(f(x))\n"

    assert audit().next == "proveout init shop-bot-workflow"
    assert audit(name="42").next == "proveout init first-workflow"
    assert audit(text=eval_).next == "proveout explain model-output-eval"
