"""Datasets that come out of spreadsheets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from proveout.faces import dataset_file
from proveout.faces.dataset_file import DatasetMistake

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cases.csv"


def read(file: Path, text: str | bytes) -> list[dict[str, Any]]:
    """Return what the cases of a file say, without what they leave out."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [
        {
            name: value
            for name, value in (
                ("id", one.id),
                ("input", one.value),
                ("expected", one.expected),
                ("cluster", one.cluster),
                ("tags", list(one.tags)),
            )
            if value not in (None, "", [])
        }
        for one in dataset_file.load(file).cases
    ]


def refused(file: Path, text: str | bytes) -> DatasetMistake:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DatasetMistake) as caught:
        dataset_file.load(file)
    return caught.value


def test_a_row_is_a_case_of_texts(file: Path) -> None:
    """An order number keeps its zeros, a quoted cell its commas and line breaks."""
    assert read(file, 'input,expected\n00431,billing\n"Hello,\nwhere is ""it""?",shipping\n') == [
        {"id": "1", "input": "00431", "expected": "billing"},
        {"id": "2", "input": 'Hello,\nwhere is "it"?', "expected": "shipping"},
    ]


def test_columns_make_an_object_together_and_cells_may_be_json(file: Path) -> None:
    text = (
        "id,input.subject,input.lines:json,expected.total:json,cluster,tags\n"
        'T-1,Invoice,"[1, 2]",149.5,ann,refund | angry\n'
        "T-2,Parcel,null,,,\n"
    )

    assert read(file, text) == [
        {
            "id": "T-1",
            "input": {"subject": "Invoice", "lines": [1, 2]},
            "expected": {"total": 149.5},
            "cluster": "ann",
            "tags": ["refund", "angry"],
        },
        {"id": "T-2", "input": {"subject": "Parcel", "lines": None}},
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spreadsheets_of_every_country_are_read(file: Path, delimiter: str, end: str) -> None:
    """With a byte order mark, blank lines and no line break at the end."""
    lines = [f"input{delimiter}expected", f"a{delimiter}b", "", f"c{delimiter}ä"]
    text = "\ufeff" + end.join(lines)

    assert read(file, text) == [
        {"id": "1", "input": "a", "expected": "b"},
        {"id": "2", "input": "c", "expected": "ä"},
    ]


def test_a_dataset_is_the_same_in_either_form(file: Path) -> None:
    """Its digest is over what the cases say."""
    file.write_text('input,expected\n"a, b",c\n')
    lines = file.with_suffix(".jsonl")
    lines.write_text(json.dumps({"input": "a, b", "expected": "c"}) + "\n")

    assert dataset_file.load(file).digest == dataset_file.load(lines).digest


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", (), "holds no case"),
        ("input\n", (), "holds no case"),
        ("question,answer\na,b\n", (1,), 'no column is called "question"'),
        ("input.,expected\na,b\n", (1,), 'no column is called "input."'),
        ("input,id.x\na,b\n", (1,), 'no column is called "id.x"'),
        ("input,input\na,b\n", (1,), 'two columns are called "input"'),
        ("input,input:json\na,1\n", (1,), 'two columns are called "input"'),
        ("input,input.a\na,b\n", (1,), "not both"),
        ("expected\na\n", (2,), "input is missing"),
        ("input,expected\na,b\n,b\n", (3,), "input is missing"),
        ("input,expected\na,b\na,b,c\nd\n", (3, 4), "3 cells under 2 columns"),
        ('input\n"a\nb"\n"c" d\n', (4,), "not valid CSV"),
        ('input\n"never closed\n', (2,), "not valid CSV"),
        ("input:json\n1\n{\n", (3,), "input: not valid JSON"),
        ("input:json\nNaN\n", (2,), "NaN is no number"),
        (f"input:json\n{'[' * 200}{']' * 200}\n", (2,), "nested more than 100 deep"),
        ("input,id\na,1\nb,1\n", (3,), "its id"),
        (f"input\n{'x' * (1 << 20)}y\n", (2,), "not valid CSV"),
        (b"input\n\xff\n", (), "cannot be read"),
    ],
)
def test_what_is_no_case_is_told_with_its_line(
    file: Path, text: str | bytes, line: tuple[int, ...], problem: str
) -> None:
    mistake = refused(file, text)

    assert mistake.lines == line
    assert problem in mistake.message
