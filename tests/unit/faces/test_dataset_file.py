"""Dataset files: what is a case, what is not, and what their digest means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.errors import Mistake
from proveout.faces import dataset_case, dataset_file
from proveout.faces.dataset_file import DatasetMistake

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.domain.case import Dataset

CASE = '{"input": 1}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("datasets")


def read(folder: Path, content: str | bytes) -> Dataset:
    path = folder / "cases.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return dataset_file.load(path)


def refused(folder: Path, content: str | bytes) -> DatasetMistake:
    with pytest.raises(DatasetMistake) as caught:
        read(folder, content)
    return caught.value


def test_a_case_carries_all_that_its_line_says(folder: Path) -> None:
    line = {
        "input": {"mail": "Hi"},
        "expected": ["a", None],
        "id": "m-1",
        "cluster": "shop",
        "tags": ["refund", "vip"],
    }

    dataset = read(folder, json.dumps(line))

    (case,) = dataset.cases
    assert dataset.name == "cases"
    assert (case.value, case.expected) == ({"mail": "Hi"}, ["a", None])
    assert (case.id, case.cluster, case.tags) == ("m-1", "shop", ("refund", "vip"))


def test_cases_without_ids_are_called_by_their_number(folder: Path) -> None:
    """Blank lines do not count, so that the same digest always means the same ids."""
    dataset = read(folder, f'{CASE}\n\n  \r\n{CASE}\n{{"input": 2, "id": 7}}\n')

    assert [case.id for case in dataset.cases] == ["1", "2", "7"]


def test_the_digest_knows_what_cases_say_not_how_it_is_written(folder: Path) -> None:
    """Blank lines, white space, key order, escapes and a byte order mark are not content."""
    plain = '{"input": {"a": "é", "b": 2}, "expected": 1}\n{"input": 2}'
    other = (
        '\ufeff\n{"expected":1,  "input":{"b":2,"a":"\\u00e9"}, "tags": []}\r\n\n{"input":2}\n\n'
    )

    assert read(folder, plain).digest == read(folder, other).digest
    assert len(read(folder, plain).digest) == 64


@pytest.mark.parametrize(
    "other",
    [
        '{"input": 2}\n{"input": 1}',
        '{"input": 1}\n{"input": 2.0}',
        '{"input": 1}',
        '{"input": 1}\n{"input": 2, "expected": 2}',
        '{"input": 1}\n{"input": 2, "cluster": "a"}',
        '{"input": 1}\n{"input": 2, "tags": ["a"]}',
        '{"input": 1}\n{"input": 2, "id": "b"}',
        '{"input": 1}\n{"input": "2"}',
    ],
)
def test_the_digest_changes_with_what_cases_say(folder: Path, other: str) -> None:
    """Order, values, ids, sources and slices are content."""
    assert read(folder, other).digest != read(folder, '{"input": 1}\n{"input": 2}').digest


def test_separators_inside_texts_do_not_end_a_line(folder: Path) -> None:
    """JSON allows U+2028 and U+0085 in a text; only a line feed ends a case."""
    dataset = read(folder, '{"input": "a\u2028b\u0085c"}\n')

    assert dataset.cases[0].value == "a\u2028b\u0085c"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"input": 1', "not valid JSON: Expecting ',' delimiter at column 12"),
        ('[{"input": 1}]', "a case is an object, not a list"),
        ("3", "a case is an object, not a number"),
        ("null", "a case is an object, not null"),
        ('{"expected": 1}', "input is missing"),
        ('{"inptu": 1}', 'a case has no field "inptu"; did you mean input?'),
        ('{"input": 1, "zzz": 2}', 'a case has no field "zzz"'),
        ('{"input": NaN}', "not valid JSON: NaN is no number of JSON"),
        ('{"input": [-Infinity]}', "not valid JSON: -Infinity is no number of JSON"),
        ('{"input": 1e999}', 'the number "1e999" is too large'),
        ('{"input": ' + "9" * 5000 + "}", "a number has too many digits"),
        ('{"input": "\\ud83d"}', "a character is cut in half (a lone surrogate)"),
        ('{"input": {"\\udc00": 1}}', "a character is cut in half (a lone surrogate)"),
        (b'{"input": "\xff"}', "not UTF-8 at byte 12"),
        ('{"input": 1, "input": 2}', 'the key "input" stands twice in one object'),
        ('{"input": 1, "tags": "a"}', "tags must be a list of texts"),
        ('{"input": 1, "tags": [1]}', "tags must be a list of texts"),
        ('{"input": 1, "tags": null}', "tags must be a list of texts"),
        ('{"input": 1, "id": ""}', '"" cannot be the id of a case'),
        ('{"input": 1, "id": "a\\u0000"}', '"a\\u0000" cannot be the id of a case'),
        ('{"input": 1, "id": true}', "id must be a text, not true or false"),
        ('{"input": 1, "id": null}', "id must be a text, not null"),
        ('{"input": 1, "cluster": 1.5}', "cluster must be a text, not a number"),
        ('{"input": ' + "[" * 200 + "]" * 200 + "}", "nested more than 100 deep"),
        ('{"input": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested more than 100 deep"),
        ('{"input": "' + "x" * 1024 * 1024 + '"}', "longer than 1 MiB"),
    ],
)
def test_what_is_no_case_is_named_with_its_line(
    folder: Path, line: str | bytes, problem: str
) -> None:
    """File, line and problem, and something to do about it."""
    raw = line.encode() if isinstance(line, str) else line

    mistake = refused(folder, CASE.encode() + b"\n\n" + raw + b"\n" + CASE.encode())

    assert mistake.message == f"cases.jsonl:3: {problem}"
    assert mistake.lines == (3,)
    assert mistake.fix


def test_a_case_of_just_under_a_mebibyte_is_read(folder: Path) -> None:
    text = "x" * (dataset_file.LONGEST_LINE - len('{"input": ""}'))

    dataset = read(folder, f'{CASE}\n{{"input": "{text}"}}\r\n{CASE}')

    assert dataset.cases[1].value == text
    assert len(dataset.cases) == 3


@pytest.mark.parametrize(
    "content",
    [
        '{"input": 1, "id": "a"}\n{"input": 2}\n{"input": 3, "id": "a"}',
        '{"input": 1, "id": "3"}\n{"input": 2}\n{"input": 3}',
        '{"input": 1, "id": 3}\n{"input": 2}\n{"input": 3, "id": "3"}',
    ],
)
def test_an_id_that_is_taken_names_both_lines(folder: Path, content: str) -> None:
    mistake = refused(folder, content)

    assert mistake.message.startswith("cases.jsonl:3: its id ")
    assert mistake.message.endswith(" is that of line 1")


def test_the_first_five_mistakes_are_told_at_once(folder: Path) -> None:
    """Nobody mends a file one message at a time; nobody reads a thousand messages."""
    three = refused(folder, f"{CASE}\nx\n{CASE}\ny\nz")
    many = refused(folder, "x\n" * 1000)

    assert three.lines == (2, 4, 5)
    assert len(three.message.splitlines()) == 3
    assert many.lines == (1, 2, 3, 4, 5)
    assert many.message.splitlines()[5:] == ["cases.jsonl: not read past the first 5 mistakes"]


@pytest.mark.parametrize("content", ["", "\n\n  \n", "\ufeff"])
def test_an_empty_dataset_is_refused(folder: Path, content: str) -> None:
    assert refused(folder, content).message == "cases.jsonl: holds no case"


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetMistake) as missing:
        dataset_file.load(tmp_path / "cases.jsonl")
    with pytest.raises(DatasetMistake) as directory:
        dataset_file.load(tmp_path)
    with pytest.raises(DatasetMistake):
        dataset_file.load(tmp_path / "nul\0byte")

    assert missing.value.message == "cases.jsonl: no such file"
    assert any("proveout init" in fix for fix in missing.value.fix)
    assert directory.value.message.endswith("a folder, not a file")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
near_cases = st.lists(
    st.dictionaries(st.sampled_from([*dataset_case.FIELDS, "x"]), json_values).map(json.dumps)
    | st.text(max_size=5),
    max_size=4,
).map(lambda lines: "\n".join(lines).encode(errors="surrogatepass"))


@given(st.binary(max_size=60) | near_cases)
def test_any_bytes_are_a_dataset_or_a_mistake(folder: Path, content: bytes) -> None:
    """Whatever stands in the file, nothing but a mistake is raised."""
    try:
        found = read(folder, content)
    except Mistake as mistake:
        found = mistake

    if isinstance(found, Mistake):
        assert found.code == "dataset"
        assert found.message.startswith("cases.jsonl:")
    else:
        assert found.cases
        assert dataset_file.digest_of(found.cases) == found.digest
