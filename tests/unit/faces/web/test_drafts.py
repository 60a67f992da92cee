"""Drafts are shown whole, and edited without loss."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.faces.report.untrusted import harmless
from proveout.faces.web.drafts import (
    BadEdit,
    Editing,
    draft_of,
    edited,
    edited_fields,
    retyped,
    same,
)

if TYPE_CHECKING:
    from proveout.faces.web.drafts import Draft

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def through_a_browser(text: str) -> str:
    """Return the text of a form as a browser sends it back untouched."""
    return text.replace("\n", "\r\n")


def sent_back(draft: Draft) -> bytes:
    """Return what the edit form of a draft sends if nobody touches it."""
    if draft.editing is Editing.FIELDS:
        return edited_fields(draft, [through_a_browser(one.typed) for one in draft.fields])
    return edited(through_a_browser(draft.editable), draft.editing.value)


@given(value=VALUES)
def test_an_untouched_edit_is_the_draft(value: Any) -> None:
    """Whatever a draft holds, its edit form sends back the same value."""
    content = json.dumps(value).encode()
    draft = draft_of(content)

    sent = sent_back(draft)

    assert json.loads(sent) == value
    assert same(sent, content)


@pytest.mark.parametrize("text", ["Dear Ana,\n\nthank you.\n", "\n\nlate", "  spaced\t\n"])
def test_lines_of_a_text_come_back_as_they_went(text: str) -> None:
    """Browsers send line ends as CR LF; a letter gets back its own."""
    draft = draft_of(json.dumps(text).encode())

    sent = sent_back(draft)

    assert draft.editing is Editing.TEXT
    assert json.loads(sent) == text


@given(value=VALUES)
def test_the_edit_form_hides_nothing(value: Any) -> None:
    """No character in it steers or hides: such are written as escapes."""
    draft = draft_of(json.dumps(value).encode())

    for typed in (draft.editable, *(one.typed for one in draft.fields)):
        assert harmless(typed) == typed


@pytest.mark.parametrize(
    ("content", "editing"),
    [
        ("Dear Ana,\nthank you.", Editing.TEXT),
        ("abc\u202edef", Editing.JSON),
        ("line\r\nline", Editing.JSON),
        ({"reply": "Dear Ana"}, Editing.FIELDS),
        ({}, Editing.JSON),
        ({f"{number}": number for number in range(25)}, Editing.JSON),
        (5, Editing.JSON),
    ],
)
def test_a_plain_text_is_edited_as_text(content: Any, editing: Editing) -> None:
    """JSON is asked of people only where a text box would lose something."""
    draft = draft_of(json.dumps(content).encode())

    assert draft.editing is editing


def test_a_draft_of_fields_is_edited_field_by_field() -> None:
    """By a person who knows no JSON, unless it is nested or hides something."""
    value = {"reply": "Dear Ana,\nyes.", "to": "a\u202eb", "amount": 5, "paid": True}
    draft = draft_of(json.dumps(value).encode())

    forms = [(one.typed, one.kind.value, one.rows) for one in draft.fields]
    sent = edited_fields(draft, ["Dear Bo,\r\nno.", '"a"', "7.5", "false"])

    assert forms == [
        ("Dear Ana,\nyes.", "text", 2),
        ('"a\\u202eb"', "json", 1),
        ("5", "number", 1),
        ("true", "choice", 1),
    ]
    assert json.loads(sent) == {"reply": "Dear Bo,\nno.", "to": "a", "amount": 7.5, "paid": False}


@pytest.mark.parametrize(
    ("was", "typed", "problem"),
    [
        (5, "7 EUR", "is to be a number"),
        (5, '"7"', "is to be a number"),
        (5, "NaN", "is to be a number"),
        (5, "", "is to be a number"),
        (True, "1", "is to be true or false"),
        ([5], "[5,", "is not JSON"),
        (None, "none", "is not JSON"),
    ],
)
def test_a_field_of_another_kind_is_named_and_stays_as_it_was_typed(
    was: Any, typed: str, problem: str
) -> None:
    """Whoever edits mends one field, and not the whole."""
    draft = draft_of(json.dumps({"reply": "Dear Ana", "amount": was}).encode())
    sent = ["Dear Bo", typed]

    with pytest.raises(BadEdit, match=f'the field "amount" {problem}'):
        edited_fields(draft, sent)

    assert [one.typed for one in retyped(draft, "fields", "", sent).fields] == sent


def test_a_draft_of_fields_may_be_edited_as_json_too() -> None:
    """What is typed may have other fields, and stands in the form again as it was typed."""
    draft = draft_of(b'{"ask": "go on?"}')

    again = retyped(draft, "json", '{"decisions": [', [])

    assert json.loads(edited(draft.editable, "json")) == {"ask": "go on?"}
    assert (again.editing, again.editable, again.fields) == (Editing.JSON, '{"decisions": [', ())


@pytest.mark.parametrize("sent", [[], ["x"], ["x", "1", "2"]])
def test_a_form_of_another_draft_is_refused(sent: list[str]) -> None:
    """What is in its fields may be meant for others."""
    draft = draft_of(b'{"reply": "Dear Ana", "amount": 5}')

    with pytest.raises(BadEdit, match="other fields"):
        edited_fields(draft, sent)
    assert retyped(draft, "fields", "", sent) == draft


def test_a_draft_of_fields_is_shown_field_by_field() -> None:
    """Texts are shown as texts, other values as JSON, all of them whole."""
    long = "word " * 4000
    draft = draft_of(json.dumps({"to": "ana", "amount": 149.5, "text": long}).encode())

    shown = {part.name: (part.text, part.is_prose, part.is_short) for part in draft.parts}

    assert shown == {
        "to": ("ana", True, True),
        "amount": ("149.5", False, True),
        "text": (long, True, False),
    }


@pytest.mark.parametrize(
    ("text", "editing"),
    [("{", "json"), ("NaN", "json"), ("[" * 100_000, "json"), ('"x"', "yaml"), ("x", "")],
)
def test_an_edit_that_is_no_json_is_refused(text: str, editing: str) -> None:
    """The caller reads what to mend; nothing else escapes."""
    with pytest.raises(BadEdit):
        edited(text, editing)


def test_contents_are_told_apart_by_what_they_say() -> None:
    """The lay-out of JSON makes no edit; a changed value does."""
    assert same(b'{"a": 1, "b": 2}', b'{"b":2,"a":1}')
    assert not same(b'{"a": 1}', b'{"a": 2}')
    assert not same(b"no json", b"other")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; write null"),
        (" \r\n", "is empty; write null"),
        ("none", "a value is expected at line 1, character 1"),
        ('{"a": 1,\n b: 2}', "a name in double quotes is expected at line 2, character 2"),
        ('{"a" 1}', "a colon is expected"),
        ("[1 2]", "a comma, or the end, is expected at line 1, character 4"),
        ("5 EUR", "nothing more is expected at line 1, character 3"),
        ('"Dear', "a text does not end that begins at line 1, character 1"),
        ('"a\tb"', r"an escape such as \\n is expected"),
        (r'"\x"', r"an escape such as \\n or \\\\ is expected"),
        ("NaN", "NaN is no number that JSON knows"),
        ("[1e999]", "1e999 is too large a number"),
        ("9" * 5000, "a number of 5,000 digits is too long"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_with_json_is_said_in_our_words(text: str, said: str) -> None:
    """With what is expected and where; no library is heard."""
    draft = draft_of(b'{"reply": "Dear Ana", "also": null}')

    with pytest.raises(BadEdit) as whole:
        edited(text, "json")
    with pytest.raises(BadEdit) as field:
        edited_fields(draft, ["Dear Ana", text])

    assert re.search(said, whole.value.why)
    assert whole.value.field is None
    assert re.search(said, field.value.why)
    assert field.value.message.startswith('the field "also" ')
    assert field.value.field == 1


def test_a_number_that_cannot_be_kept_is_no_other_kind() -> None:
    """It is a number, and too large."""
    draft = draft_of(b'{"amount": 5}')

    with pytest.raises(BadEdit, match='the field "amount" cannot be kept') as error:
        edited_fields(draft, ["1e999"])

    assert error.value.why == "1e999 is too large a number"
