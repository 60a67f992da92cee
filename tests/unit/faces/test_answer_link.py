"""Links out of notices: one decision, by one person, on one content, and never by looking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.desk import Desk, open_desk, token
from doubles.given import Given
from proveout.domain.access import NoRight, Role
from proveout.domain.desk import ToEdit
from proveout.domain.review import ReviewState
from proveout.faces.answer_link import LinkDead, make_answer_link, open_answer_link

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from doubles.clock import CountedIds, ManualClock
    from proveout.domain.review import Review
    from proveout.ports.store import Store

WHO = "the-reviewer"


@pytest.fixture
async def desk(
    tmp_path: Path, store: Store, clock: ManualClock, ids: CountedIds
) -> AsyncGenerator[Desk]:
    """Return a console with a reviewer in it."""
    desk = open_desk(tmp_path, store, clock, ids)
    async with await desk.as_(Role.REVIEWER):
        yield desk
    desk.house.access.close()


@pytest.fixture
async def review(store: Store, clock: ManualClock, ids: CountedIds) -> Review:
    """Return a review that waits."""
    return await Given(store, clock, ids).waiting()


async def link(desk: Desk, review: Review, user: str = WHO) -> str:
    """Return the path of a link for a user."""
    bench = desk.console.project.bench
    return await make_answer_link(desk.store, bench.clock, bench.ids, review, user)


async def state(desk: Desk, review: Review) -> ReviewState:
    """Return how the review stands."""
    known = await desk.store.review(review.id)
    assert known is not None
    return known.state


async def test_looking_decides_nothing_however_often(desk: Desk, review: Review) -> None:
    """A scanner may follow the link, ask for its head, or try both answers in the address."""
    path = await link(desk, review)

    async with desk.browser() as scanner:
        for address in (path, f"{path}?decision=approve", path):
            assert (await scanner.get(address)).status_code == 200
        assert (await scanner.head(path)).status_code == 200
        bare = await scanner.post(path, data={"decision": "approve"})

    assert bare.status_code == 403
    assert await state(desk, review) is ReviewState.OPEN


async def test_the_form_of_its_page_decides_once_in_that_name(desk: Desk, review: Review) -> None:
    """Without a session; the second time the link opens nothing."""
    path = await link(desk, review)

    async with desk.browser() as browser:
        csrf = await token(browser, path)
        first = await browser.post(path, data={"csrf": csrf, "decision": "approve"})
        second = await browser.post(path, data={"csrf": csrf, "decision": "approve"})
        again = await browser.get(path)

    assert (first.status_code, second.status_code, again.status_code) == (200, 403, 403)
    assert first.headers["cache-control"] == "no-store"
    known = await desk.store.review(review.id)
    assert known is not None
    assert known.answer is not None
    assert (known.answer.by, known.state) == (WHO, ReviewState.DECIDED)


async def test_a_link_ends_with_its_time_its_content_and_its_person(
    desk: Desk, review: Review, clock: ManualClock, ids: CountedIds
) -> None:
    """Too old, another draft, decided, made up, or for somebody who may not: nothing opens."""
    given = Given(desk.store, clock, ids)
    path = await link(desk, review)
    secret = path.rpartition("/")[2]
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for made_up in (wrong, "", "x" * 43, "../" + secret, "é" * 43):
        with pytest.raises(LinkDead):
            await open_answer_link(desk.store, clock, made_up)
    nobody = await link(desk, review, "nobody")
    with pytest.raises(LinkDead):
        await open_answer_link(desk.store, clock, nobody.rpartition("/")[2])
    async with await desk.as_(Role.VIEWER):
        viewer = await link(desk, review, "the-viewer")
        with pytest.raises(NoRight):
            await open_answer_link(desk.store, clock, viewer.rpartition("/")[2])

    await desk.store.write(given.handle(review, ToEdit(review.digest, b'"other"'), "bo"))
    with pytest.raises(LinkDead):
        await open_answer_link(desk.store, clock, secret)

    now = await desk.store.review(review.id)
    assert now is not None
    fresh = (await link(desk, now)).rpartition("/")[2]
    assert (await open_answer_link(desk.store, clock, fresh)).actor.name == WHO
    clock.advance(timedelta(hours=25))
    with pytest.raises(LinkDead):
        await open_answer_link(desk.store, clock, fresh)


async def test_a_link_is_for_its_group(desk: Desk, clock: ManualClock, ids: CountedIds) -> None:
    """Who is not one of those whom the review is for decides nothing by it."""
    review = await Given(desk.store, clock, ids).waiting()
    assert review.groups == ()
    given = Given(desk.store, clock, ids)
    other = await given.waiting(terms=replace(review.terms, groups=("leads",)))
    path = await link(desk, other)

    async with desk.browser() as browser:
        csrf = await token(browser, path)
        answer = await browser.post(path, data={"csrf": csrf, "decision": "approve"})

    assert answer.status_code == 403
    assert await state(desk, other) is ReviewState.OPEN
