"""Files of answers: what is one, and what is told where it is not."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proveout.errors import Mistake
from proveout.faces import answers_file
from proveout.faces.answers_file import AnswersMistake
from proveout.ports.elsewhere import NoAnswer

if TYPE_CHECKING:
    from pathlib import Path

ONE = '{"id": "a", "output": {"team": "billing"}}'


def refused(folder: Path, content: str | bytes) -> AnswersMistake:
    path = folder / "answers.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(AnswersMistake) as caught:
        answers_file.load(path, ["a", "2"])
    return caught.value


async def test_an_answer_is_found_by_the_id_of_its_case(tmp_path: Path) -> None:
    """Blank lines say nothing, a byte order mark neither; a number is the text of it."""
    path = tmp_path / "answers.jsonl"
    path.write_text(f'\ufeff{ONE}\r\n\n{{"output": null, "id": 2}}', "utf-8")

    answers = answers_file.load(path, ["a", "2", "3"])

    assert await answers.answer("a") == {"team": "billing"}
    assert await answers.answer("2") is None
    with pytest.raises(NoAnswer, match=r"no answer: answers.jsonl has none for case 3"):
        await answers.answer("3")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (ONE + "\n[]", "answers.jsonl:2: not an object of id and output"),
        (ONE + '\n{"id": "b"}', ":2: not an object of id and output"),
        ('{"id": "a", "output": 1, "score": 2}', ":1: not an object of id and output"),
        ('{"id": "", "output": 1}', ':1: "" cannot be the id of a case'),
        ('{"id": [], "output": 1}', ":1: id must be a text, not a list"),
        ('{"id": "a", "output": NaN}', ":1: not valid JSON: NaN is no number of JSON"),
        ('{"id": "a", "output": "\\ud800"}', ":1: a character is cut in half"),
        ('{"id": "a", "output": ' + "[" * 200 + "]" * 200 + "}", ":1: nested more than 100 deep"),
        ('{"id": "a", "output": 1, "output": 2}', ':1: the key "output" stands twice'),
        ("billing", ":1: not valid JSON"),
        (b"\xff", ":1: not UTF-8"),
        (f"{ONE}\n{ONE}", ':2: line 1 answers case "a" already'),
        (f'{ONE}\n{{"id": "aa", "output": 1}}', ':2: the dataset has no case "aa"'),
        ("", "answers.jsonl answers no case of the dataset"),
        ('{"id": "z", "output": 1}', "answers.jsonl answers no case of the dataset"),
    ],
)
def test_a_line_that_is_no_answer_is_named(
    tmp_path: Path, content: str | bytes, problem: str
) -> None:
    mistake = refused(tmp_path, content)

    assert problem in mistake.message
    assert mistake.fix


def test_answers_to_unknown_cases_are_told_with_their_lines(tmp_path: Path) -> None:
    """The first five at once, and how many more."""
    lines = [ONE, *(f'{{"id": "c{n}", "output": {n}}}' for n in range(9))]

    mistake = refused(tmp_path, "\n".join(lines))

    assert 'line 2: "c0", line 3: "c1", line 4: "c2"' in mistake.why
    assert mistake.why.endswith('line 6: "c4" and 4 more')
    assert mistake.fix[-1] == "remove these lines"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(AnswersMistake, match=r"answers.jsonl cannot be read"):
        answers_file.load(tmp_path / "answers.jsonl", ["a"])
    with pytest.raises(AnswersMistake, match="cannot be read"):
        answers_file.digest_of(tmp_path)


def test_its_digest_is_the_one_that_sha256sum_gives(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(ONE, "utf-8")

    assert answers_file.digest_of(path) == hashlib.sha256(ONE.encode()).hexdigest()


@given(content=st.binary(max_size=100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answers_or_a_mistake(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(content)

    with pytest.raises(Mistake):
        answers_file.load(path, ["a"])
