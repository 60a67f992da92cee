"""Cases out of the files of other evaluation tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from proveout.faces import dataset_file, dataset_import
from proveout.faces.cli.dataset import FORMS
from proveout.faces.dataset_file import DatasetMistake

if TYPE_CHECKING:
    from pathlib import Path

PROMPTFOO = """
prompts: ["Sort this: {{mail}}"]
defaultTest:
  vars: {tone: kind}
tests:
  - description: a refund
    vars: {mail: "Charged twice"}
    metadata: {area: money, notes: {long: true}}
    assert:
      - {type: equals, value: billing}
      - {type: llm-rubric, value: is polite}
  - vars: {mail: "Where is it?", tone: short}
    assert:
      - {type: icontains, value: parcel}
      - {type: contains, value: tomorrow}
  - vars: {mail: "Hello"}
"""

PYDANTIC_EVALS = {
    "name": "mails",
    "cases": [
        {
            "name": "refund",
            "inputs": {"mail": "Charged twice"},
            "expected_output": {"team": "billing"},
            "metadata": {"hard": True},
            "evaluators": ["IsInstance"],
        },
        {"name": "parcel", "inputs": "Where is it?"},
    ],
    "evaluators": ["EqualsExpected"],
}

LANGFUSE = [
    {
        "id": "i-1",
        "status": "ACTIVE",
        "datasetName": "mails",
        "input": {"mail": "Charged twice"},
        "expectedOutput": "billing",
        "metadata": {"area": "money"},
    },
    {"id": "i-2", "status": "ARCHIVED", "input": "old", "expectedOutput": None},
]

INSPECT = [
    {"id": 7, "input": "2 + 2?", "target": "B", "choices": ["3", "4"]},
    {"input": [{"role": "user", "content": "hi"}], "target": ["hello", "hi"]},
]


def read(folder: Path, name: str, content: object) -> dataset_import.Imported:
    """Return what comes of a file; a text is written as it is, another value as JSON."""
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return dataset_import.read(file)


def test_promptfoo(tmp_path: Path) -> None:
    """Variables are the input, those of all tests too; an assert that names an answer gives it."""
    found = read(tmp_path, "promptfooconfig.yaml", PROMPTFOO)

    assert found.form == "promptfoo"
    assert found.cases == [
        {
            "tags": ["area=money"],
            "input": {"tone": "kind", "mail": "Charged twice"},
            "expected": "billing",
        },
        {"input": {"tone": "short", "mail": "Where is it?"}, "expected": ["parcel", "tomorrow"]},
        {"input": {"tone": "kind", "mail": "Hello"}},
    ]
    assert found.left == {"assert of type llm-rubric": 1}


def test_pydantic_evals(tmp_path: Path) -> None:
    found = read(tmp_path, "mails.json", PYDANTIC_EVALS)

    assert found.form == "pydantic-evals"
    assert found.cases == [
        {
            "tags": ["hard=True"],
            "id": "refund",
            "input": {"mail": "Charged twice"},
            "expected": {"team": "billing"},
        },
        {"id": "parcel", "input": "Where is it?", "expected": None},
    ]
    assert found.left == {"evaluators of a case": 1}


@pytest.mark.parametrize("wrapped", [False, True])
def test_langfuse(tmp_path: Path, wrapped: bool) -> None:
    """As its API lists items, or one a line; what was archived stays there."""
    text = "".join(f"{json.dumps(one)}\n" for one in LANGFUSE)
    name, content = ("items.json", {"data": LANGFUSE}) if wrapped else ("items.jsonl", text)
    found = read(tmp_path, name, content)

    assert found.form == "langfuse"
    assert found.cases == [
        {
            "tags": ["area=money"],
            "id": "i-1",
            "input": {"mail": "Charged twice"},
            "expected": "billing",
        }
    ]
    assert found.left == {"archived item": 1}


def test_inspect(tmp_path: Path) -> None:
    """Choices are part of what is asked."""
    found = read(tmp_path, "samples.json", INSPECT)

    assert found.form == "inspect"
    assert found.cases == [
        {"id": 7, "input": {"input": "2 + 2?", "choices": ["3", "4"]}, "expected": "B"},
        {"input": [{"role": "user", "content": "hi"}], "expected": ["hello", "hi"]},
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", PROMPTFOO),
        ("a.json", PYDANTIC_EVALS),
        ("a.json", LANGFUSE),
        ("a.json", INSPECT),
        ("a.json", [*INSPECT, *INSPECT]),
    ],
)
def test_what_was_imported_is_a_dataset(tmp_path: Path, name: str, content: object) -> None:
    """Every object is a line that `prove` reads; an id that two records share names neither."""
    found = read(tmp_path, name, content)
    lines = tmp_path / "cases.jsonl"
    lines.write_text("".join(f"{json.dumps(one)}\n" for one in found.cases))

    assert len(dataset_file.load(lines).cases) == len(found.cases)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.json", "", "not valid JSON"),
        ("a.json", "{", "not valid JSON"),
        ("a.jsonl", '{"target": 1}\n{', "not valid JSON"),
        ("a.yaml", "tests: [", "not valid YAML"),
        ("a.yaml", "!!python/object/apply:os.system ['true']", "not valid YAML"),
        ("a.json", "5", "no list of records"),
        ("a.json", "[1]", "record 1 is no object"),
        ("a.json", [{"question": 1}], "cannot be told"),
        ("a.json", {"tests": "file://more.yaml"}, "stand in another file"),
        ("a.json", [{"vars": {"n": 1}, "assert": [{"type": "equals", "value": None}]}, {}], ""),
        ("a.yaml", "tests: [{vars: {day: 2026-11-28}}]", "record 1: it is no JSON"),
        ("a.yaml", "tests: [{vars: {n: .nan}}]", "record 1: it is no JSON"),
        ("a.json", [{"target": 1, "input": "x" * (1 << 20)}], "record 1: longer than 1 MiB"),
        ("a.json", [{"inputs": 1, "name": ["a"]}], "record 1: id must be a text"),
        ("a.json", [], "cannot be told"),
        ("a.json", [{"expectedOutput": 1, "status": "ARCHIVED"}], "holds no case"),
    ],
)
def test_what_cannot_be_imported_says_why(
    tmp_path: Path, name: str, content: object, problem: str
) -> None:
    if not problem:
        assert len(read(tmp_path, name, content).cases) == 2
        return
    with pytest.raises(DatasetMistake) as caught:
        read(tmp_path, name, content)

    assert problem in caught.value.message


def test_aliases_that_stand_for_billions_are_refused(tmp_path: Path) -> None:
    """YAML can say in a line what no memory holds."""
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    bomb = "\n".join([*layers, "tests: [{vars: {all: *a9}}]"])

    with pytest.raises(DatasetMistake, match="values"):
        read(tmp_path, "bomb.yaml", bomb)


def test_an_id_stays_beside_records_that_have_none(tmp_path: Path) -> None:
    """Even one that reads like nothing."""
    found = read(
        tmp_path, "a.json", [{"input": 1, "target": 1}, {"input": 2, "target": 2, "id": "None"}]
    )

    assert (found.cases[1]["id"], found.left) == ("None", {})


def test_the_command_offers_every_form() -> None:
    assert set(FORMS) == set(dataset_import.FORMS)
