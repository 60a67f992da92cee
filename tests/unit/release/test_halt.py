"""The kill switch: nothing of its scope begins, until a person lets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST
from doubles.given import want
from proveout.domain.release import WORKFLOW_SCOPE, effect_scope, release_scope
from proveout.release.halt import NotHalted, halt, resume

if TYPE_CHECKING:
    from doubles.given import Given
    from proveout.release.decide import Office

SCOPES = (WORKFLOW_SCOPE, release_scope(FIRST), effect_scope("send"))


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_halt_stands_with_who_and_why(office: Office, scope: str) -> None:
    """Workers read it, and the ledger tells it."""
    await halt(office, "triage", scope, "ana", "it sends twice")

    [order] = await office.store.halts("triage")
    assert (order.scope, order.by, order.reason) == (scope, "ana", "it sends twice")
    entry = await office.store.head()
    assert entry is not None
    assert (entry.actor, entry.act, entry.subject) == ("ana", "halt", scope)


async def test_nothing_is_claimed_while_the_workflow_is_halted(
    office: Office, given: Given
) -> None:
    """And all of it once it goes on."""
    run = await given.queued()
    await halt(office, "triage", WORKFLOW_SCOPE, "ana")
    halted = await office.store.claim(want())

    await resume(office, "triage", WORKFLOW_SCOPE, "ben", "mended")

    assert halted == []
    assert [one.run.id for one in await office.store.claim(want())] == [run.id]
    assert await office.store.halts("triage") == []


async def test_another_workflow_goes_on(office: Office, given: Given) -> None:
    """The control of the above."""
    run = await given.queued()

    await halt(office, "invoices", WORKFLOW_SCOPE, "ana")

    assert [one.run.id for one in await office.store.claim(want())] == [run.id]


async def test_what_is_not_halted_is_not_resumed(office: Office) -> None:
    """The refusal names what is halted, and nothing is entered."""
    await halt(office, "triage", effect_scope("send"), "ana")

    with pytest.raises(NotHalted) as caught:
        await resume(office, "triage", WORKFLOW_SCOPE, "ana")

    assert effect_scope("send") in caught.value.why
    assert len(await office.store.whole_ledger()) == 1


async def test_a_halt_that_stands_may_be_ordered_again(office: Office) -> None:
    """Whoever is in doubt pulls the switch; one resume ends it."""
    await halt(office, "triage", WORKFLOW_SCOPE, "ana")
    await halt(office, "triage", WORKFLOW_SCOPE, "ben")

    await resume(office, "triage", WORKFLOW_SCOPE, "ana")

    assert await office.store.halts("triage") == []
