"""Scores that come with Proveout: what passes, what does not, and what they cannot read."""

from __future__ import annotations

from typing import Any

import pytest

from proveout.domain.case import Case
from proveout.domain.criterion import Graded, Scored
from proveout.errors import Mistake
from proveout.prove.built_in import BUILT_IN, WrongOption, built_in
from proveout.prove.score import score

TEAMS = {"choices": ["billing", "billing question", "other"]}


def judged(name: str, result: Any, expected: Any, **options: Any) -> bool | float:
    """Return what a score gives for a result where a case expects something."""
    measure = score(name, floor=0.5, target=0.9, **options).measure
    assert isinstance(measure, Scored)
    scorer = built_in(measure)
    assert scorer is not None
    return scorer(result, Case(id="1", value=None, expected=expected))


@pytest.mark.parametrize(
    ("name", "result", "expected", "options"),
    [
        ("exact", {"a": [1, None]}, {"a": [1.0, None]}, {}),
        ("exact", {"team": "billing", "sure": 0.7}, {"team": "billing"}, {"field": "team"}),
        ("exact", {"label": {"team": "billing"}}, "billing", {"field": "label.team"}),
        ("text", " Straße\n42 ", "STRASSE 42", {}),
        ("text", "\uff21\uff22", "ab", {}),
        ("contains", "Your refund of 20 € comes", "REFUND", {}),
        ("contains", "Your refund of 20 € comes", ["refund", "20 €"], {}),
        ("contains", "anything", [], {}),
        ("pattern", "see INV-000123", None, {"pattern": "INV-[0-9]{6}"}),
        ("pattern", {"text": "INV-000123"}, {"total": 1}, {"pattern": "^INV", "field": "text"}),
        ("choice", "billing", "billing", TEAMS),
        ("choice", "I would say: Billing.", "billing", TEAMS),
        ("choice", "a BILLING  question, then", "billing question", TEAMS),
        ("number", 0.3, 0.1 + 0.2, {"tolerance": 1e-9}),
        ("number", "12.50", 12.5, {}),
        ("number", 98, 100, {"tolerance": "2%"}),
        ("number", -98, -100, {"tolerance": "2 %"}),
        ("number", 1.25, 1, {"tolerance": 0.25}),
        ("fields", {"a": 1, "b": 2, "more": 3}, {"a": 1, "b": 2}, {}),
        ("fields", {"a": 1, "b": {"c": 2}}, {"a": 9, "b": {"c": 2}}, {"fields": ["b.c"]}),
        ("fields", {"a.b": 1}, {"a.b": 1}, {}),
    ],
)
def test_what_passes(name: str, result: Any, expected: Any, options: dict[str, Any]) -> None:
    assert judged(name, result, expected, **options) is True


@pytest.mark.parametrize(
    ("name", "result", "expected", "options"),
    [
        ("exact", True, 1, {}),
        ("exact", [1, 2], [2, 1], {}),
        ("exact", {"sure": 1}, "billing", {"field": "team"}),
        ("exact", None, {"team": None}, {"field": "team"}),
        ("exact", "billing", {"team": "billing"}, {"field": "team"}),
        ("text", "billing!", "billing", {}),
        ("text", 1, "1", {}),
        ("contains", "Your refund comes", ["refund", "20 €"], {}),
        ("contains", {"refund": 1}, "refund", {}),
        ("pattern", "INV-12", None, {"pattern": "INV-[0-9]{6}"}),
        ("pattern", 5, None, {"pattern": "5"}),
        ("choice", "billing or other", "billing", TEAMS),
        ("choice", "billing question", "billing", TEAMS),
        ("choice", "rebilling", "billing", TEAMS),
        ("choice", "", "billing", TEAMS),
        ("choice", ["billing"], "billing", TEAMS),
        ("number", 97.9, 100, {"tolerance": "2%"}),
        ("number", 0.1, 0, {"tolerance": "50%"}),
        ("number", 1.2500001, 1, {"tolerance": 0.25}),
        ("number", True, 1, {}),
        ("number", "about 12", 12, {}),
        ("number", "NaN", 12, {}),
        ("number", "Infinity", 12, {"tolerance": 5}),
        ("number", None, 12, {}),
        ("fields", {"a": 1}, {"a": 1, "b": 2}, {}),
        ("fields", "a", {"a": 1}, {}),
        ("fields", {"b": None}, {"b": {"c": None}}, {"fields": ["b.c"]}),
    ],
)
def test_what_does_not_pass(name: str, result: Any, expected: Any, options: dict[str, Any]) -> None:
    """No answer of any shape is an error: it is an answer that is wrong."""
    assert judged(name, result, expected, **options) is False


@pytest.mark.parametrize(
    ("name", "result", "expected", "share"),
    [
        ("share of fields", {"a": 1, "b": 3}, {"a": 1, "b": 2}, 0.5),
        ("share of fields", None, {"a": 1, "b": 2}, 0.0),
        ("set precision", ["a", "b", "b", "c"], ["b", "c"], 2 / 3),
        ("set precision", [], ["b"], 0.0),
        ("set precision", [], [], 1.0),
        ("set precision", ["a"], [], 0.0),
        ("set precision", "b", ["b"], 0.0),
        ("set recall", ["b", "x", {"n": 1}], ["b", "c", {"n": 1.0}], 2 / 3),
        ("set recall", [], [], 1.0),
        ("set recall", None, ["b"], 0.0),
    ],
)
def test_a_share_lies_between_0_and_1(name: str, result: Any, expected: Any, share: float) -> None:
    """Its criterion knows the range without being told."""
    assert judged(name, result, expected) == share
    measure = score(name, floor=0.5, target=0.9).measure
    assert isinstance(measure, Scored)
    assert measure.graded == Graded(low=0, high=1)


@pytest.mark.parametrize(
    ("name", "expected", "options", "problem"),
    [
        ("text", 5, {}, "5, which is no text"),
        ("text", None, {}, "None, which is no text"),
        ("contains", ["a", 1], {}, "1, which is no text"),
        ("choice", "shipping", TEAMS, "not among the choices"),
        ("number", "twelve", {}, "no number"),
        ("number", True, {}, "no number"),
        ("fields", "a", {}, "no object"),
        ("fields", {}, {}, "no object"),
        ("fields", {"a": 1}, {"fields": ["b"]}, "expects nothing under b"),
        ("exact", {"a": 1}, {"field": "b"}, "expects nothing under b"),
        ("set recall", {"a": 1}, {}, "expects no list"),
    ],
)
def test_a_case_that_expects_what_no_answer_can_be_is_a_mistake(
    name: str, expected: Any, options: dict[str, Any], problem: str
) -> None:
    """The dataset is wrong then; calling every answer wrong would be worse."""
    with pytest.raises(Mistake, match=problem):
        judged(name, "billing", expected, **options)


@pytest.mark.parametrize(
    ("name", "options", "option", "is_foreign"),
    [
        ("exact", {"pattern": "a"}, "pattern", True),
        ("app:routed", {"field": "a"}, "field", True),
        ("pattern", {}, "pattern", False),
        ("pattern", {"pattern": "["}, "pattern", False),
        ("choice", {}, "choices", False),
        ("choice", {"choices": ["a"]}, "choices", False),
        ("choice", {"choices": ["a", " A"]}, "choices", False),
        ("choice", {"choices": ["a", " "]}, "choices", False),
        ("number", {"tolerance": 0}, "tolerance", False),
        ("number", {"tolerance": "-2%"}, "tolerance", False),
        ("number", {"tolerance": "wide"}, "tolerance", False),
        ("number", {"tolerance": float("nan")}, "tolerance", False),
        ("number", {"tolerance": True}, "tolerance", False),
    ],
)
def test_an_option_that_a_score_cannot_use_is_named(
    name: str, options: dict[str, Any], option: str, is_foreign: bool
) -> None:
    with pytest.raises(WrongOption) as caught:
        score(name, floor=0.5, target=0.9, **options)

    assert (caught.value.option, caught.value.is_foreign) == (option, is_foreign)


def test_each_says_in_a_line_what_passes() -> None:
    assert [name for name, one in BUILT_IN.items() if not 0 < len(one.passes) <= 60] == []
