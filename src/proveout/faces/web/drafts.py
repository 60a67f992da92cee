"""Drafts that wait for a person: shown whole and harmless, edited without loss."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from proveout.errors import Mistake
from proveout.faces.report.untrusted import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORT = 40
"""Characters of a value up to which it shares a row."""

LINE, MOST_ROWS = 80, 14
"""Characters of a line of a form, about, and lines of a field at most."""

MOST_PARTS = 24
"""Fields of a draft that are shown and edited one by one; beyond them it is all JSON."""


class Editing(StrEnum):
    """How what the edit form sends is to be read."""

    TEXT = "text"
    FIELDS = "fields"
    JSON = "json"


class FieldKind(StrEnum):
    """What a field of the edit form holds."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    """True or false."""
    JSON = "json"
    """Anything else, and a text in which something hides."""


class BadEdit(Mistake):
    """What was sent as an edit cannot be read.

    Attributes:
        field: which field of the form is wrong, from 0; None where no one of them is.
    """

    code = "bad-edit"

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        fix: tuple[str, ...] = (),
        field: int | None = None,
    ) -> None:
        super().__init__(message, why=why, fix=fix)
        self.field = field


class _TooLarge(ValueError):
    """A number is JSON, and more than can be kept."""


EXPECTED = (
    ("Expecting value", "a value is expected"),
    ("Expecting property name", "a name in double quotes is expected"),
    ("Expecting ':'", "a colon is expected"),
    ("Expecting ','", "a comma, or the end, is expected"),
    ("Extra data", "nothing more is expected"),
    ("Unterminated string", "a text does not end that begins"),
    ("Invalid control character", r"an escape such as \n is expected"),
    ("Invalid \\", r"an escape such as \n or \\ is expected"),
)
"""What the library says of text that is no JSON, by its beginning, and what we say."""


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
class Field:
    """One field of a draft as it is edited.

    Attributes:
        typed: what its part of the form begins with.
    """

    name: str
    typed: str
    kind: FieldKind

    @property
    def rows(self) -> int:
        """How many lines of the form it takes; the rest of a longer one is scrolled to."""
        lines = sum(1 + len(line) // LINE for line in self.typed.split("\n"))
        return min(lines, MOST_ROWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft as it is shown and as it is edited; both hold all of it.

    Attributes:
        editing: how what the form sends is read.
        editable: what a form of one text begins with.
        fields: what it is edited by, in their order; empty where it is edited whole.
    """

    parts: tuple[Part, ...]
    editing: Editing
    editable: str
    fields: tuple[Field, ...] = ()


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
    if isinstance(value, dict) and 0 < len(cast("dict[str, Any]", value)) <= MOST_PARTS:
        named = cast("dict[str, Any]", value)
        return Draft(
            parts=tuple(_part(name, one) for name, one in named.items()),
            editing=Editing.FIELDS,
            editable=_typed(value),
            fields=tuple(_field(name, one) for name, one in named.items()),
        )
    return Draft(parts=(_part("", value),), editing=Editing.JSON, editable=_typed(value))


def edited(text: str, editing: str) -> bytes:
    r"""Return the content that a form of one text sent, as bytes of JSON.

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
    return _bytes(value)


def edited_fields(draft: Draft, sent: Sequence[str]) -> bytes:
    r"""Return the content that a form of fields sent, as bytes of JSON.

    Args:
        draft: what the form was made of.
        sent: its fields, in their order.

    Raises:
        BadEdit: one is not of its kind, or they are not those of the draft.

    >>> edited_fields(draft_of(b'{"to": "ana", "amount": 5}'), ["bo", "7"])
    b'{"to": "bo", "amount": 7}'
    """
    if len(sent) != len(draft.fields):
        raise BadEdit("the draft has other fields than the form", fix=("load the page again",))
    typed = enumerate(zip(draft.fields, sent, strict=True))
    return _bytes({one.name: _value(one, text, place) for place, (one, text) in typed})


def retyped(draft: Draft, editing: str, text: str, sent: Sequence[str]) -> Draft:
    """Return a draft whose form begins with what somebody has typed already.

    Args:
        draft: as it is.
        editing: how it was edited.
        text: what a form of one text has sent.
        sent: what a form of fields has sent.
    """
    if editing in {Editing.TEXT, Editing.JSON}:
        return replace(draft, editing=Editing(editing), editable=text, fields=())
    if editing != Editing.FIELDS or len(sent) != len(draft.fields):
        return draft
    fields = zip(draft.fields, sent, strict=True)
    return replace(draft, fields=tuple(replace(one, typed=typed) for one, typed in fields))


def same(one: bytes, other: bytes) -> bool:
    """Return whether two contents say the same, however their JSON is laid out.

    >>> same(b'{"a": 1}', b'{"a":1}')
    True
    """
    try:
        return json.loads(one) == json.loads(other)
    except (ValueError, RecursionError):
        return one == other


def _value(field: Field, text: str, place: int) -> Any:
    """Return what a field of the form holds, which is the one at that place."""
    if field.kind is FieldKind.TEXT:
        return text.replace("\r\n", "\n")
    named = f'the field "{field.name}"'
    if field.kind is FieldKind.JSON:
        return _parsed(text, named, place)
    value, why = _read(text, named, place)
    if why or _kind(value) is not field.kind:
        is_number = field.kind is FieldKind.NUMBER
        what = "a number, such as 12.5" if is_number else "true or false"
        raise BadEdit(f"{named} is to be {what}", field=place)
    return value


def _parsed(text: str, what: str = "the edit", place: int | None = None) -> Any:
    value, why = _read(text, what, place)
    if why:
        raise BadEdit(f"{what} is not JSON", why=why, field=place)
    return value


def _read(text: str, what: str, place: int | None) -> tuple[Any, str]:
    """Return the value of a text of JSON, and in our words why there is none.

    Raises:
        BadEdit: it is JSON, and more than can be kept.
    """
    if not text.strip():
        return None, "it is empty; write null where it is to hold nothing"
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_float, parse_int=_int)
    except json.JSONDecodeError as error:
        return None, f"{_expected(error)} at line {error.lineno}, character {error.colno}"
    except _TooLarge as error:
        raise BadEdit(f"{what} cannot be kept", why=f"{error}", field=place) from None
    except ValueError as error:
        return None, f"{error}"
    except RecursionError:
        return None, "it is nested too deeply"
    return value, ""


def _expected(error: json.JSONDecodeError) -> str:
    known = (said for begin, said in EXPECTED if error.msg.startswith(begin))
    return next(known, "something else is expected")


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number that JSON knows")


def _float(text: str) -> float:
    if math.isinf(value := float(text)):
        raise _TooLarge(f"{text[:SHORT]} is too large a number")
    return value


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _TooLarge(f"a number of {len(text):,} digits is too long") from None


def _part(name: str, value: Any) -> Part:
    if isinstance(value, str):
        return Part(name=name, text=value, is_prose=True)
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return Part(name=name, text=text, is_prose=False)


def _field(name: str, value: Any) -> Field:
    kind = _kind(value)
    return Field(name=name, typed=value if kind is FieldKind.TEXT else _typed(value), kind=kind)


def _kind(value: Any) -> FieldKind:
    if isinstance(value, bool):
        return FieldKind.CHOICE
    if isinstance(value, int | float):
        return FieldKind.NUMBER
    is_text = isinstance(value, str) and _is_plain(value)
    return FieldKind.TEXT if is_text else FieldKind.JSON


def _is_plain(text: str) -> bool:
    """Whether a text comes back from a form as it went, with nothing hidden in it."""
    return harmless(text) == text


def _typed(value: Any) -> str:
    """Return JSON in which every character that steers or hides is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "".join(one if harmless(one) == one else json.dumps(one)[1:-1] for one in text)
