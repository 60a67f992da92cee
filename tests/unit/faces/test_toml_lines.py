"""The line of every key, whatever stands around it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.faces.toml_lines import find_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.faces.toml_lines import KeyPath

TEXT = '''\
# a comment with [brackets] and = signs
[workflow]
name = "triage"   # [not.a.table]

"quoted key" = 1
'literal "key"' = 2
prose = """
[fake]
name = "fake"
"quotes" and \\"""escaped\\""" ones """""
raw = \'\'\'
floor = 0.1
\'\'\'
people.owner.name = "Ana"

[prove]
budget = { calls = 3, "money" = "1 USD", deep = { er = [1, {here = 2}] } }
listed = [
  "a", # ]
  "b",
  { floor = 1 },

  [ 1,
    2 ],
]

  [[prove.criteria]]
  name = "first"
  floor = 0.1

[[prove.criteria]]
name = "second"
floor = 0.2
[prove.criteria.inner]
deep = 2024-01-01 10:00:00

[prove.candidates."a.b"]
entry = 1

[[runs]]
[[runs.steps]]
a = 1
[[runs]]
[[runs.steps]]
b = 1
[[runs.steps]]
c = 1
'''


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("workflow",), "[workflow]"),
        (("workflow", "name"), 'name = "triage"'),
        (("workflow", "quoted key"), '"quoted key"'),
        (("workflow", 'literal "key"'), "'literal"),
        (("workflow", "raw"), "raw ="),
        (("workflow", "people", "owner", "name"), "people.owner"),
        (("workflow", "people"), "people.owner"),
        (("prove", "budget", "money"), "budget ="),
        (("prove", "budget", "deep", "er", 1, "here"), "budget ="),
        (("prove", "listed", 1), '"b",'),
        (("prove", "listed", 2, "floor"), "{ floor"),
        (("prove", "listed", 3, 1), "2 ],"),
        (("prove", "criteria"), "  [[prove.criteria]]"),
        (("prove", "criteria", 0), "  [[prove.criteria]]"),
        (("prove", "criteria", 0, "floor"), "floor = 0.1"),
        (("prove", "criteria", 1, "name"), 'name = "second"'),
        (("prove", "criteria", 1, "inner", "deep"), "deep ="),
        (("prove", "candidates", "a.b", "entry"), "entry ="),
        (("runs", 0, "steps", 0, "a"), "a ="),
        (("runs", 1, "steps", 0, "b"), "b ="),
        (("runs", 1, "steps", 1, "c"), "c ="),
    ],
)
def test_a_key_is_found_where_it_stands(path: KeyPath, said: str) -> None:
    """Strings, comments, lists and inline tables do not hide or fake a key."""
    lines = find_lines(TEXT)

    assert TEXT.splitlines()[lines.of(path) - 1].startswith(said.rstrip()) or (
        said in TEXT.splitlines()[lines.of(path) - 1]
    )
    assert path in lines.found


def test_a_key_that_is_absent_stands_where_its_table_does() -> None:
    lines = find_lines(TEXT)

    assert lines.of(("prove", "criteria", 1, "target")) == lines.of(("prove", "criteria", 1))
    assert lines.of(("production", "peak")) == 1


def test_a_table_that_is_opened_late_stands_at_its_own_header() -> None:
    """`[a.b]` before `[a]` mentions a; the line of a is that of `[a]`."""
    lines = find_lines("[a.b]\nx = 1\n[a]\ny = 1\n")

    assert lines.of(("a",)) == 3


def test_windows_line_ends_count_as_one() -> None:
    assert find_lines("[a]\r\n\r\nx = 1\r\ny = 2\r\n").of(("a", "y")) == 4


def test_nesting_without_end_is_not_followed() -> None:
    """The lines before it are kept; the rest falls back to the table."""
    lines = find_lines("a = 1\nb = " + "[" * 100_000)

    assert lines.of(("a",)) == 1
    assert lines.of(("b", "c")) == 2


@given(st.text(alphabet="ab.=[]{}\"'\\#,\n 1", max_size=60))
def test_any_text_gives_lines(text: str) -> None:
    """Broken text gives fewer lines, never an error; valid text gives every key."""
    lines = find_lines(text)

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(paths(document)) <= set(lines.found)


keys = st.text(alphabet="ab-1 .é\"'\\#=[", max_size=4)
scalars = (
    st.integers()
    | st.booleans()
    | st.floats()
    | st.datetimes()
    | st.text(alphabet="ab\n\"'\\#=[]{},", max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, max_size=4), st.sampled_from(["\n", "\n\n", " # x = [\n"]))
def test_every_key_of_a_written_document_is_found_on_its_line(
    document: dict[str, object], end: str
) -> None:
    """Whatever the keys and values, the line found for a key begins with that key."""
    text = "".join(f"{written(key)} = {written(value)}{end}" for key, value in document.items())
    assert set(tomllib.loads(text)) == set(document)

    lines = find_lines(text)

    assert set(paths(document)) <= set(lines.found)
    for key in document:
        assert text.split("\n")[lines.of((key,)) - 1].startswith(f"{written(key)} = ")


def written(value: object) -> str:
    """Return the value in TOML, lists spread over lines."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            return f'"{escaped}"'
        case list():
            listed = cast("list[object]", value)
            return "[" + ",\n  # a comment, ]\n  ".join(written(each) for each in listed) + "]"
        case dict():
            pairs = cast("dict[str, object]", value).items()
            return "{" + ", ".join(f"{written(k)} = {written(v)}" for k, v in pairs) + "}"
        case _:
            return str(value)


def paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of everything inside a document."""
    if path:
        yield path
    match value:
        case dict():
            for key, inner in cast("dict[str, object]", value).items():
                yield from paths(inner, (*path, key))
        case list():
            for at, inner in enumerate(cast("list[object]", value)):
                yield from paths(inner, (*path, at))
        case _:
            return
