"""Drafts that wait for a person: shown whole and harmless, edited without loss."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from proveout.errors import Mistake
from proveout.faces.report.untrusted import harmless

SHORT = 40
"""Characters of a value up to which it shares a row."""

MOST_PARTS = 24
"""Fields of a draft that are shown one by one; beyond them it is shown as JSON."""


class Editing(StrEnum):
    """How the text of the edit form is to be read."""

    TEXT = "text"
    JSON = "json"


class BadEdit(Mistake):
    """What was sent as an edit is no JSON."""

    code = "bad-edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field of a draft.

    Attributes:
        name: the field's name; "" where the draft is one value.
        text: the value as a person reads it, whole.
        is_prose: the value is a text rather than JSON.
    """

    name: str
    text: str
    is_prose: bool

    @property
    def is_short(self) -> bool:
        """Whether it stands beside others in one row."""
        return len(self.text) <= SHORT and "\n" not in self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft as it is shown and as it is edited; both hold all of it.

    Attributes:
        editing: how `edited` reads what the form sends.
        editable: what the form begins with.
    """

    parts: tuple[Part, ...]
    editing: Editing
    editable: str


def draft_of(content: bytes) -> Draft:
    """Return a draft of bytes of JSON, ready to be shown and edited.

    >>> draft_of(b'"Dear Ana"').editable
    'Dear Ana'
    """
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError):
        text = content.decode("utf-8", "replace")
        return Draft(parts=(_part("", text),), editing=Editing.JSON, editable=text)
    if isinstance(value, str) and _is_plain(value):
        return Draft(parts=(_part("", value),), editing=Editing.TEXT, editable=value)
    return Draft(parts=_parts(value), editing=Editing.JSON, editable=_typed(value))


def edited(text: str, editing: str) -> bytes:
    r"""Return the content that an edit form sent, as bytes of JSON.

    Browsers send line ends as CR LF; a text gets back those that it had.

    Args:
        text: the field `content` of the form.
        editing: the field `editing` of the form.

    Raises:
        BadEdit: it is to be JSON and is not, or `editing` is unknown.

    >>> edited("Dear Ana\r\n", "text")
    b'"Dear Ana\\n"'
    """
    if editing == Editing.TEXT:
        value: Any = text.replace("\r\n", "\n")
    elif editing == Editing.JSON:
        value = _parsed(text)
    else:
        raise BadEdit("the form does not say how its text is to be read")
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def same(one: bytes, other: bytes) -> bool:
    """Return whether two contents say the same, however their JSON is laid out.

    >>> same(b'{"a": 1}', b'{"a":1}')
    True
    """
    try:
        return json.loads(one) == json.loads(other)
    except (ValueError, RecursionError):
        return one == other


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadEdit(
            "the edit is not JSON",
            why=f"{error}",
        ) from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _parts(value: Any) -> tuple[Part, ...]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if 0 < len(fields) <= MOST_PARTS:
            return tuple(_part(name, one) for name, one in fields.items())
    return (_part("", value),)


def _part(name: str, value: Any) -> Part:
    if isinstance(value, str):
        return Part(name=name, text=value, is_prose=True)
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return Part(name=name, text=text, is_prose=False)


def _is_plain(text: str) -> bool:
    """Whether a text comes back from a form as it went, with nothing hidden in it."""
    return harmless(text) == text


def _typed(value: Any) -> str:
    """Return JSON in which every character that steers or hides is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "".join(one if harmless(one) == one else json.dumps(one)[1:-1] for one in text)
