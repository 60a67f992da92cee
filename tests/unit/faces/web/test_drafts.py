"""Drafts are shown whole, and edited without loss."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.faces.report.untrusted import harmless
from proveout.faces.web.drafts import BadEdit, Editing, draft_of, edited, same

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


@given(value=VALUES)
def test_an_untouched_edit_is_the_draft(value: Any) -> None:
    """Whatever a draft holds, its edit form sends back the same value."""
    content = json.dumps(value).encode()
    draft = draft_of(content)

    sent = edited(through_a_browser(draft.editable), draft.editing.value)

    assert json.loads(sent) == value
    assert same(sent, content)


@pytest.mark.parametrize("text", ["Dear Ana,\n\nthank you.\n", "\n\nlate", "  spaced\t\n"])
def test_lines_of_a_text_come_back_as_they_went(text: str) -> None:
    """Browsers send line ends as CR LF; a letter gets back its own."""
    draft = draft_of(json.dumps(text).encode())

    sent = edited(through_a_browser(draft.editable), draft.editing.value)

    assert draft.editing is Editing.TEXT
    assert json.loads(sent) == text


@given(value=VALUES)
def test_the_edit_form_hides_nothing(value: Any) -> None:
    """No character in it steers or hides: such are written as escapes."""
    draft = draft_of(json.dumps(value).encode())

    assert harmless(draft.editable) == draft.editable


@pytest.mark.parametrize(
    ("content", "editing"),
    [
        ("Dear Ana,\nthank you.", Editing.TEXT),
        ("abc\u202edef", Editing.JSON),
        ("line\r\nline", Editing.JSON),
        ({"reply": "Dear Ana"}, Editing.JSON),
        (5, Editing.JSON),
    ],
)
def test_a_plain_text_is_edited_as_text(content: Any, editing: Editing) -> None:
    """JSON is asked of people only where a text box would lose something."""
    draft = draft_of(json.dumps(content).encode())

    assert draft.editing is editing


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
