"""Whether somebody is named, and who it is."""

from __future__ import annotations

import pytest

from proveout.domain.bar import Person
from proveout.ready.people import People, is_known, said


@pytest.mark.parametrize("name", ["ana", "support-leads@example.org", "None of your business", "0"])
def test_a_name_is_a_name(name: str) -> None:
    assert is_known(name)
    assert said(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "  ", "not known yet", "Not  known\nyet.", "TBD", "unknown", "?", "n/a", "nobody", "-"],
)
def test_what_names_nobody_is_not_known(name: str) -> None:
    """Saying so is honest; it is no name all the same."""
    assert not is_known(name)
    assert said(name) == "not known yet"


@pytest.mark.parametrize("person", list(Person))
def test_everybody_who_closes_claims_can_be_asked_for(person: Person) -> None:
    """Each stands for a setting of the same name."""
    assert People(**{person.value: "ana"}).who(person) == "ana"
    assert People().who(person) == "not known yet"
