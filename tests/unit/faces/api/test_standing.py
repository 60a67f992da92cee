"""What serves, what was decided and what was shown, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from proveout.domain.access import Role
from proveout.faces.api.shapes import EvidenceShape, LedgerShape, ReleasesShape, WorkflowShape

if TYPE_CHECKING:
    from doubles.doors import House


async def get(house: House, path: str) -> Any:
    """Read a path as a viewer."""
    async with await house.as_(Role.VIEWER) as client:
        return (await client.get(f"/api/v1/{path}")).json()


async def test_a_workflow_says_its_stage_and_what_serves(house: House) -> None:
    """Before the promotion nothing does."""
    before = await get(house, "workflows/answers")
    await house.into_production()
    after = await get(house, "workflows/answers")

    for words in (before, after):
        TypeAdapter(WorkflowShape).validate_python(words, extra="forbid")
    assert (before["stage"], before["pointer"]["version"]) == ("proof-of-concept", 0)
    assert (after["stage"], after["pointer"]["version"]) == ("production", 1)


async def test_pages_of_the_ledger_join_without_gaps(house: House) -> None:
    """The newest first, down to the first entry, with what proves the chain."""
    for number in range(4):
        await house.key(Role.VIEWER, f"key-{number}")
    await house.key(Role.VIEWER)

    seen: list[int] = []
    cursor = ""
    while True:
        page = await get(house, f"ledger?limit=2{cursor}")
        TypeAdapter(LedgerShape).validate_python(page, extra="forbid")
        seen += [entry["seq"] for entry in page["entries"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert seen == [5, 4, 3, 2, 1]
    assert page["entries"][-1]["previous"] == "0" * 64


async def test_empty_lists_have_their_shape(house: House) -> None:
    """Nothing was released and nothing drilled."""
    releases = await get(house, "releases")
    evidence = await get(house, "evidence")

    TypeAdapter(ReleasesShape).validate_python(releases, extra="forbid")
    TypeAdapter(EvidenceShape).validate_python(evidence, extra="forbid")
    assert (releases["releases"], evidence["evidence"]) == ([], [])
