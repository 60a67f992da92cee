"""Every migration says which older engines may go on with what it leaves."""

from __future__ import annotations

import pytest

from proveout.adapters.migrations import HEADER, migrations

FIRST = 3
"""The first migration that says so; before it there was one version."""

PACKAGES = ("proveout.adapters.sqlite", "proveout.adapters.postgres")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_migration_says_who_may_go_on(package: str) -> None:
    """From 0003 on, in one line, and never somebody who would have to be newer."""
    for migration in migrations(package)[FIRST - 1 :]:
        assert HEADER.search(migration.sql), f"{migration.number:04} has no header line"
        assert migration.needs <= migration.number


def test_both_stores_let_the_same_engines_go_on() -> None:
    """A rolling restart works alike on each of them."""
    one, two = ([(m.number, m.needs) for m in migrations(package)] for package in PACKAGES)

    assert one == two
