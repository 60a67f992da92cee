"""Values to bytes of JSON and back."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import TypedDict

from proveout.errors import Mistake
from proveout.run.payload import (
    LIMIT,
    PayloadTooLarge,
    Shape,
    Unjournalable,
    WrongShape,
    digest,
    signature,
    to_json,
)


class Urgency(StrEnum):
    """Words from a list."""

    LOW = "low"
    HIGH = "high"


@dataclass
class Label:
    """A dataclass of plain values."""

    name: str
    confidence: float


@dataclass
class Sorted:
    """A dataclass of values that JSON does not know."""

    label: Label
    tags: set[str]
    at: datetime


class Mail(BaseModel):
    """A model of pydantic's."""

    subject: str
    sent: datetime
    urgency: Urgency = Urgency.LOW
    labels: list[Label] = []


class Ticket(TypedDict):
    """A dictionary whose keys are known."""

    number: int
    lines: list[tuple[str, Decimal]]


@dataclass
class Open:
    """A dataclass that may hold anything."""

    first: Any
    rest: list[Any]


class Handle:
    """Nothing that JSON knows."""


def deep(levels: int) -> list[Any]:
    """Return lists within lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


SENT = datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=UTC)
MAIL = Mail(subject="late parcel ✉", sent=SENT, labels=[Label("delay", 0.5)])


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Label, Label("delay", 0.25)),
        (Sorted, Sorted(Label("delay", 0.25), {"a", "b"}, SENT)),
        (Mail, MAIL),
        (list[Mail], [MAIL, MAIL]),
        (Ticket, Ticket(number=7, lines=[("parcel", Decimal("4.20"))])),
        (datetime, SENT),
        (timedelta, timedelta(hours=4, microseconds=1)),
        (tuple[int, str], (1, "one")),
        (Urgency, Urgency.HIGH),
        (dict[int, Urgency], {1: Urgency.HIGH}),
        (Label | None, None),
        (bytes, "half past ½".encode()),
        (float, 0.1 + 0.2),
        (int, 2**200),
        (str, 'NUL \x00, quote ", line \u2028, far \U0001f4e6'),
        (Any, {"list": [1, 2.5, None, True]}),
    ],
)
def test_a_value_comes_back_as_its_annotation_says(annotation: Any, value: object) -> None:
    """What a step returned is what a resumed run gets, to the type."""
    shape = Shape(annotation)

    back = shape.decode(shape.encode(value, "the value"), "the value")

    assert back == value
    assert type(back) is type(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_plain_data_comes_back_as_it_went(value: object) -> None:
    """Whatever JSON can say arrives unchanged, digit for digit."""
    shape = Shape(Any)

    assert shape.decode(shape.encode(value, "the value"), "the value") == value


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (float, math.nan),
        (float, math.inf),
        (Any, {"deep": [-math.inf]}),
        (Label, Label("delay", math.nan)),
        (Open, Open(None, [{"deep": math.nan}])),
        (str, "half \ud800 a character"),
        (Any, {"\udfff": 1}),
        (Any, deep(100_000)),
        (Any, Handle()),
        (object, Handle()),
        (Any, {Handle(): 1}),
        (bytes, b"\xff\xfe"),
        (Any, lambda: None),
    ],
    ids=lambda value: getattr(value, "__name__", "value"),
)
def test_what_is_no_json_is_refused(annotation: Any, value: object) -> None:
    """NaN, infinity, half characters, bottomless nesting and live objects stop at the step."""
    with pytest.raises(Unjournalable, match="the answer cannot be kept as JSON"):
        Shape(annotation).encode(value, "the answer")


def test_a_payload_over_the_limit_is_refused() -> None:
    """The message says how much it was, how much it may be, and what to do instead."""
    Shape(str).encode("x" * (LIMIT - 2), "the answer")

    with pytest.raises(PayloadTooLarge, match=r"has 1,048,577 bytes; the limit is 1,048,576") as no:
        Shape(str).encode("x" * (LIMIT - 1), "the answer")

    assert "reference" in no.value.fix[0]


def test_the_limit_counts_bytes_not_characters() -> None:
    """A character of four bytes counts four."""
    with pytest.raises(PayloadTooLarge):
        Shape(str).encode("\U0001f4e6" * (LIMIT // 4), "the answer")


@pytest.mark.parametrize(
    ("annotation", "data", "problem"),
    [
        (int, b'"seven"', "valid integer"),
        (Label, b'{"name": "delay"}', "confidence: Field required"),
        (Urgency, b'"middling"', "'low' or 'high'"),
        (Mail, b'{"subject": "x", "sent": "soon"}', "sent: "),
        (Any, b"{", "Invalid JSON"),
        (Any, b'"\\ud800"', "Invalid JSON"),
    ],
)
def test_a_value_of_the_wrong_shape_is_a_mistake(
    annotation: Any, data: bytes, problem: str
) -> None:
    """The message says where and why, without the value."""
    with pytest.raises(WrongShape, match=problem) as wrong:
        Shape(annotation).decode(data, "the input")

    assert isinstance(wrong.value, Mistake)
    assert str(wrong.value).startswith("the input has the wrong shape: ")


def test_an_annotation_that_pydantic_does_not_know_is_a_mistake() -> None:
    """A class that no JSON stands for is refused by name, in the family that asks to mend it."""
    with pytest.raises(Mistake, match="Handle"):
        Shape(Handle)


def classify(mail: Mail, labels: set[str] | None = None, *, idempotency_key: str = "") -> Label:
    raise AssertionError((mail, labels, idempotency_key))


def test_arguments_are_canonical() -> None:
    """The same arguments give the same bytes, by name or by place, keys in order."""
    by_place = signature(classify).arguments((MAIL, {"b", "a"}), {})
    by_name = signature(classify).arguments((), {"labels": {"a", "b"}, "mail": MAIL})

    assert by_place == by_name
    assert list(json.loads(by_place)) == ["labels", "mail"]


def test_an_idempotency_key_is_no_argument() -> None:
    """A step's arguments are what it was asked, not the key that the engine fills in."""
    with_key = signature(classify).arguments((MAIL,), {"idempotency_key": "5f"})

    assert with_key == signature(classify).arguments((MAIL,), {})


@pytest.mark.parametrize("within", ["alone", "a dataclass"])
def test_a_set_has_one_order_in_every_process(within: str) -> None:
    """The digest of a set's members does not hang on the order they were hashed in."""
    words = [f"word {n}" for n in range(10, 60)]
    tags = set(words)

    data = to_json(
        tags if within == "alone" else [Sorted(Label("", 0), tags, SENT)], "it", canonical=True
    )

    assert json.dumps(words, separators=(",", ":")).encode() in data


def numbers() -> Iterator[int]:
    yield from range(3)


@pytest.mark.parametrize("value", [numbers(), iter([1, 2]), map(str, [1]), [numbers()]])
def test_an_iterator_is_no_argument(value: object) -> None:
    """Keeping its values would leave nothing for the step: it is refused instead."""
    with pytest.raises(Unjournalable, match="only once"):
        to_json(value, "an argument", canonical=True)


def test_wrong_arguments_are_told_as_python_does() -> None:
    with pytest.raises(TypeError, match="missing a required argument: 'mail'"):
        signature(classify).arguments((), {})


def one(mail: Mail) -> None:
    raise AssertionError(mail)


def several(mail: Mail, urgency: Urgency, limit: int = 3) -> None:
    raise AssertionError((mail, urgency, limit))


def nothing() -> None: ...


WIRE: dict[str, Any] = {"subject": "late", "sent": "2026-11-22T09:00:00Z"}


def wire(value: object) -> bytes:
    return json.dumps(value).encode()


def test_one_parameter_takes_the_input_itself() -> None:
    inputs = signature(one).inputs(wire(WIRE))

    assert inputs == {"mail": Mail.model_validate(WIRE)}


def test_several_parameters_take_an_object_with_their_names() -> None:
    """What has a default may be left out."""
    inputs = signature(several).inputs(wire({"mail": WIRE, "urgency": "high"}))

    assert inputs == {"mail": Mail.model_validate(WIRE), "urgency": Urgency.HIGH}


def test_no_parameter_takes_nothing() -> None:
    """An empty object and null both say that there is no input."""
    assert signature(nothing).inputs(b"{}") == {}
    assert signature(nothing).inputs(b"null") == {}


@pytest.mark.parametrize(
    ("function", "value", "problem"),
    [
        (several, {"mail": WIRE}, "lacks urgency"),
        (several, {"mail": WIRE, "urgency": "low", "extra": 1}, "mail, urgency, limit"),
        (several, [WIRE, "low"], "must be an object"),
        (several, {"mail": WIRE, "urgency": "middling"}, "the input urgency"),
        (one, {"subject": "late"}, "the input mail has the wrong shape: sent"),
        (nothing, {"mail": 1}, "the workflow takes no input"),
    ],
)
def test_an_input_that_does_not_fit_is_a_mistake(
    function: Callable[..., None], value: object, problem: str
) -> None:
    with pytest.raises(WrongShape, match=problem):
        signature(function).inputs(wire(value))


def test_an_input_that_is_no_json_is_a_mistake() -> None:
    with pytest.raises(WrongShape, match="no JSON"):
        signature(several).inputs(b"{")


def test_a_digest_is_short_and_says_all() -> None:
    """32 hexadecimal characters; another byte gives another digest."""
    assert digest(b"one") == "7692c3ad3540bb803c020b3aee66cd88"
    assert digest(b"one ") != digest(b"one")
