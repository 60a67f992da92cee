"""The bar as its page shows it."""

from __future__ import annotations

from dataclasses import replace

from doubles.pages import CLAIMS, READINESS, READY
from proveout.faces.web.readiness import STAGE_TABLE, ClaimRow, Gate


def test_what_is_open_stands_first() -> None:
    """Failed before expired before missing before claimed; what passes comes last."""
    statuses = [one.status for one in READINESS.sorted_claims]

    assert statuses[:4] == ["FAILED", "EXPIRED", "MISSING", "CLAIMED"]
    assert all(not one.passes for one in READINESS.open_claims)
    assert len(READINESS.open_claims) == 4


def test_a_status_nobody_knows_does_not_pass() -> None:
    """What is not known to be proven keeps the gate closed, and stands first."""
    strange = ClaimRow(name="x", says="y", status="PERHAPS", observed="")
    page = replace(READY, claims=(*READY.claims, strange))

    assert page.open_claims == (strange,)
    assert page.counts[-1] == ("PERHAPS", 1)


def test_what_comes_next_is_said_with_the_claim_that_it_closes() -> None:
    closing = next(one for one in READINESS.open_claims if one.command == READINESS.next)

    assert READINESS.closed_next == closing.says
    assert replace(READINESS, next="proveout prove").closed_next == ""


def test_the_counts_add_up() -> None:
    counts = dict(READINESS.counts)

    assert sum(counts.values()) == len(CLAIMS)
    assert counts["PROVEN"] == 2


def test_the_gate_is_open_only_for_a_release_and_without_a_reason() -> None:
    assert Gate(release="r1", digest="d").is_open
    assert not Gate(release="", digest="").is_open
    assert not Gate(release="r1", digest="d", reason="no verdict").is_open


def test_there_is_one_fact_for_each_row_of_the_stages() -> None:
    assert len(READINESS.facts) == len(STAGE_TABLE) == 5
