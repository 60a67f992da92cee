"""The review desk in a real browser on a real store: every key, and the way from a mail's link."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from doubles.clock import CountedIds, ManualClock
from doubles.desk import open_desk
from doubles.shop import Shop
from doubles.stores import SQLITE, open_url
from journeys.browser import PHONE, axe_source, faults, launched, overflow, visiting
from proveout import review, workflow
from proveout.domain.access import Role
from proveout.domain.guardrail import Finding
from proveout.domain.review import Review, ReviewId, ReviewState
from proveout.domain.run import RunState
from proveout.faces.answer_link import make_answer_link

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from pathlib import Path

    from doubles.desk import Desk
    from proveout.domain.run import Run, RunId

pytestmark = pytest.mark.journey

DESK = (1440, 900)
REPLY = "Dear Ana, the refund is on your account tomorrow."
UNDO = timedelta(seconds=10)


@workflow
async def refund(value: str) -> str:
    """Put a reply to people; a promise in it forbids to approve it."""
    at = value.find("tomorrow")
    promise = [Finding(title="promise", start=at, end=at + 8, blocking=True)] if at >= 0 else []
    return (await review(value, confidence=0.58, findings=promise)).value


@dataclass
class Place:
    """A console on a port of this machine, with a shop behind it, on a loop of its own."""

    address: str
    desk: Desk
    shop: Shop
    loop: asyncio.AbstractEventLoop

    def do(self, doing: Coroutine[Any, Any, Any]) -> Any:
        """Return what a coroutine gives there."""
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(30)

    def ask(self, *texts: str) -> list[Review]:
        """Return a review for each text, its run waiting."""

        async def asked() -> list[Review]:
            runs = [await self.shop.enqueue(refund, text) for text in texts]
            await self.shop.work(refund)
            found = {one.run: one for one in await self.shop.reviews()}
            return [found[run] for run in runs]

        return self.do(asked())

    def close_all(self) -> None:
        """Cancel what waits, so that each test has the desk to itself."""

        async def closed() -> None:
            for one in await self.shop.reviews():
                await self.shop.cancel(one.run)

        self.do(closed())

    def known(self, one: Review) -> Review:
        """Return a review as it stands now."""
        found = self.do(self.shop.store.review(ReviewId(one.id)))
        assert found is not None
        return found

    def go_on(self, run: RunId, passes: timedelta = UNDO) -> Run:
        """Return a run once time has passed and a worker has looked."""

        async def later() -> Run:
            self.shop.clock.advance(passes)
            await self.shop.store.tend()
            return await self.shop.again(refund, run)

        return self.do(later())


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    """Return Debian's chromium, which asks this machine only."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    """Return a console that serves until the module is done."""
    folder = tmp_path_factory.mktemp("desk")
    with opened(folder) as place:
        yield place


@contextmanager
def opened(folder: Path) -> Generator[Place]:
    """Give a console on its own loop, in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> tuple[Place, uvicorn.Server, asyncio.Task[None]]:
        clock, ids = ManualClock(), CountedIds()
        store = await open_url(f"{SQLITE}{folder}/desk.db", clock)
        desk = open_desk(folder, store, clock, ids)
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(desk.app, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        return Place(address, desk, Shop(store, clock, ids), loop), server, task

    async def end(place: Place, server: uvicorn.Server, task: asyncio.Task[None]) -> None:
        server.should_exit = True
        await task
        await place.shop.store.close()
        place.desk.house.access.close()

    place, server, task = asyncio.run_coroutine_threadsafe(begin(), loop).result(30)
    try:
        yield place
    finally:
        asyncio.run_coroutine_threadsafe(end(place, server, task), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def at_work(browser: Any, place: Place) -> Generator[Callable[..., Any]]:
    """Return a way to open a page as a signed-in reviewer; it must be silent."""

    async def signed_in() -> str:
        async with await place.desk.as_(Role.REVIEWER):
            return place.desk.secrets[Role.REVIEWER]

    secret = place.do(signed_in())

    @contextmanager
    def at_work(path: str, size: tuple[int, int] = DESK, theme: str = "light") -> Generator[Any]:
        with visiting(browser, f"{place.address}/login", size, theme) as (page, _):
            cookie = {"name": "proveout_session", "value": secret, "url": place.address}
            page.context.add_cookies([cookie])
            page.goto(f"{place.address}{path}")
            yield page

    yield at_work
    place.close_all()


def is_in_sight(page: Any, selector: str) -> bool:
    """Return whether the beginning of an element is in the window, with nothing over it."""
    return page.locator(selector).evaluate(
        "one => { const at = one.getBoundingClientRect();"
        " return one.contains(document.elementFromPoint(at.left + 12, at.top + 8)); }"
    )


def press(page: Any, key: str) -> None:
    """Press a key that leads to another page."""
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_review_is_found_and_decided_by_keys_alone(
    at_work: Callable[..., Any], place: Place
) -> None:
    """From the queue to the resumed run: J, A, and ten seconds."""
    [asked] = place.ask("Dear Ana, it is on its way.")

    with at_work("/reviews") as page:
        press(page, "j")
        assert page.url.endswith(f"/reviews/{asked.id}")
        press(page, "a")
        assert page.get_by_text("Takes effect in").is_visible()
        assert place.known(asked).state is ReviewState.DECIDED
        assert place.go_on(asked.run, timedelta(seconds=9)).state is RunState.WAITING

        done = place.go_on(asked.run, timedelta(seconds=1))

        assert done.state is RunState.SUCCEEDED
        page.get_by_role("link", name="See the run").click()
        assert page.get_by_text("succeeded").first.is_visible()


def test_z_takes_a_decision_back(at_work: Callable[..., Any], place: Place) -> None:
    """Within the ten seconds the review waits again, and its run with it."""
    [asked] = place.ask("Dear Ana, it is on its way.")

    with at_work(f"/reviews/{asked.id}") as page:
        press(page, "a")
        press(page, "z")

        assert page.get_by_text("Undone.").is_visible()
        assert place.known(asked) == asked
        assert place.go_on(asked.run).state is RunState.WAITING


def test_j_and_k_move_and_question_mark_tells_the_keys(
    at_work: Callable[..., Any], place: Place
) -> None:
    """Through the queue and back; the help opens and closes by its own key."""
    asked = place.ask("one", "two", "three")

    with at_work(f"/reviews/{asked[0].id}") as page:
        press(page, "j")
        assert page.url.endswith(asked[1].id)
        press(page, "k")
        assert page.url.endswith(asked[0].id)
        page.keyboard.press("Shift+?")
        assert page.get_by_text("next, previous").is_visible()
        page.keyboard.press("Shift+?")
        assert not page.get_by_text("next, previous").is_visible()


def test_e_removes_what_blocks(at_work: Callable[..., Any], place: Place) -> None:
    """A does nothing while a finding that blocks stands; the edit goes out in its place."""
    [asked] = place.ask(REPLY)

    with at_work(f"/reviews/{asked.id}") as page:
        assert page.locator("mark.bad").inner_text().startswith("tomorrow")
        page.keyboard.press("a")
        assert place.known(asked).state is ReviewState.OPEN
        page.keyboard.press("e")
        field = page.get_by_label("The text that goes out instead")
        assert field.evaluate("one => one === document.activeElement")
        page.keyboard.press("a")  # typed, and no key of the desk
        assert place.known(asked).state is ReviewState.OPEN
        field.fill("Dear Ana, you have the refund in five days.")
        with page.expect_navigation():
            page.get_by_role("button", name="Approve this edit").click()

        done = place.go_on(asked.run)

    assert place.do(place.shop.result(done.id)) == "Dear Ana, you have the refund in five days."
    assert place.known(asked).original == asked.content


def test_r_rejects_and_x_escalates(at_work: Callable[..., Any], place: Place) -> None:
    """Each opens its form with the words to write under the fingers; Escape closes it."""
    first, second = place.ask("one", "two")

    with at_work(f"/reviews/{first.id}") as page:
        page.keyboard.press("x")
        page.keyboard.press("Escape")
        assert not page.get_by_label("Why somebody else must decide").is_visible()
        page.keyboard.press("r")
        page.keyboard.type("wrong tone")
        page.keyboard.press("Tab")
        press(page, "Enter")
        answer = place.known(first).answer
        assert answer is not None
        assert (answer.approved, answer.reason) == (False, "wrong tone")

        page.goto(f"{place.address}/reviews/{second.id}")
        page.keyboard.press("x")
        page.keyboard.type("above my limit")
        page.keyboard.press("Tab")
        press(page, "Enter")

    known = place.known(second)
    assert (known.escalated_by, known.escalated_why) == ("the-reviewer", "above my limit")
    assert known.escalated == place.shop.clock.now()


@pytest.mark.parametrize("size", [(1280, 800), PHONE])
def test_a_form_that_was_tapped_is_in_sight_and_in_hand(
    at_work: Callable[..., Any], place: Place, size: tuple[int, int]
) -> None:
    """As with the keys: it opens below the draft, and what is to be written there has the focus.

    Before that the bar of the buttons lies over the draft, and says so.
    """
    [asked] = place.ask("Dear Ana, it is on its way.\n" * 60)

    with at_work(f"/reviews/{asked.id}", size) as page:
        page.locator(".actions[data-over]").wait_for()
        for button, field in (("Reject", "#reason"), ("Edit", "#content")):
            page.locator(".actions summary", has_text=button).click()
            page.locator(f"{field}:focus").wait_for()
            assert is_in_sight(page, field)


def test_an_edit_that_is_not_saved_is_not_lost(at_work: Callable[..., Any], place: Place) -> None:
    """Neither A nor J nor the button passes over it; Escape says so first, and drops it then."""
    asked, _ = place.ask("Dear Ana, it is on its way.", "two")

    with at_work(f"/reviews/{asked.id}") as page:
        field = page.get_by_label("The text that goes out instead")
        said = page.get_by_text("You changed the draft and have not saved it")
        page.keyboard.press("e")
        page.keyboard.type("Oh. ")
        for passes_over in (lambda: page.keyboard.press("a"), lambda: page.keyboard.press("j")):
            field.blur()
            passes_over()
            assert said.is_visible()
            page.keyboard.press("e")
            assert page.locator("#content:focus").count() == 1
            page.keyboard.type("!")
            assert not said.is_visible()
        page.locator(".actions > form button").click()
        assert said.is_visible()
        assert field.input_value().startswith("Oh. !!")
        assert (page.url.rpartition("/")[2], place.known(asked)) == (asked.id, asked)

        field.focus()
        press(page, "Escape")
        page.keyboard.press("e")

        assert field.input_value() == "Dear Ana, it is on its way."
        page.keyboard.press("Escape")
        press(page, "a")
        assert place.known(asked).state is ReviewState.DECIDED


@pytest.mark.parametrize("scripts", [True, False])
def test_an_edit_that_was_refused_is_in_sight_where_it_is_wrong(
    browser: Any, place: Place, scripts: bool
) -> None:
    """With what was typed, and why; approving the draft all the same says that it is the draft."""
    [asked] = place.ask("Dear Ana,\u202e it is on its way." + "\n" * 60)
    place.do(place.desk.as_(Role.REVIEWER))
    context = browser.new_context(
        java_script_enabled=scripts, viewport={"width": 1280, "height": 800}
    )
    secret = place.desk.secrets[Role.REVIEWER]
    context.add_cookies([{"name": "proveout_session", "value": secret, "url": place.address}])
    page = context.new_page()
    page.goto(f"{place.address}/reviews/{asked.id}")
    page.locator(".actions summary", has_text="Edit").click()
    page.get_by_label("The draft as JSON").fill("none")

    page.get_by_role("button", name="Save it only").click()

    page.locator("#content:focus").wait_for()
    assert page.locator("#content").input_value() == "none"
    assert is_in_sight(page, "#content")
    assert is_in_sight(page, "#wrong")
    assert "a value is expected at line 1, character 1" in page.locator("#wrong").inner_text()
    if scripts:
        page.locator("#content").blur()
        page.keyboard.press("a")
        assert page.get_by_text("You changed the draft and have not saved it").is_visible()
    assert place.known(asked) == asked
    page.get_by_role("button", name="Approve the draft as it was").click()
    page.get_by_text("Takes effect in").wait_for()
    context.close()
    assert place.known(asked).state is ReviewState.DECIDED
    place.close_all()


def test_z_takes_back_what_was_decided_before_one_went_on(
    at_work: Callable[..., Any], place: Place
) -> None:
    """A, J, Z: the next review, and the queue, tell what was decided and undo it."""
    first, second = place.ask("one", "two")

    with at_work(f"/reviews/{first.id}") as page:
        press(page, "a")
        press(page, "j")
        assert page.url.endswith(second.id)
        assert page.get_by_text("You approved “one”").is_visible()
        page.goto(f"{place.address}/reviews")
        press(page, "z")

        assert page.get_by_text("Undone. The review waits again").is_visible()
        assert place.known(first) == first


def test_c_claims_and_s_snoozes(at_work: Callable[..., Any], place: Place) -> None:
    """Both are on the page as buttons, and by their keys."""
    [asked] = place.ask("one")

    with at_work(f"/reviews/{asked.id}") as page:
        press(page, "c")
        assert place.known(asked).claimed_by == "the-reviewer"
        press(page, "c")
        assert place.known(asked).claimed_by == ""
        press(page, "s")
        assert place.known(asked).snoozed_until is not None
        page.goto(f"{place.address}/reviews?only=snoozed")
        assert page.get_by_role("rowheader").count() == 1


def test_a_mails_link_leads_to_the_resumed_run(browser: Any, place: Place) -> None:
    """On a phone, without signing in: looked at twice, decided once, gone on at once."""
    [asked] = place.ask("Dear Ana, it is on its way.")
    bench = place.desk.console.project.bench

    async def made() -> str:
        async with await place.desk.as_(Role.REVIEWER):
            return await make_answer_link(
                place.shop.store, bench.clock, bench.ids, asked, "the-reviewer"
            )

    path = place.do(made())
    with visiting(browser, f"{place.address}{path}", PHONE) as (page, _):
        page.reload()
        assert place.known(asked).state is ReviewState.OPEN
        assert faults(page, axe_source()) == []
        assert overflow(page) == 0
        with page.expect_navigation():
            page.get_by_role("button", name="Approve").click()
        assert page.get_by_text("Approved. The run goes on.").is_visible()

    assert place.go_on(asked.run, timedelta(0)).state is RunState.SUCCEEDED


def test_without_scripts_the_desk_is_links_and_forms(browser: Any, place: Place) -> None:
    """The negative control of the keys: none works then, and every button does."""
    [asked] = place.ask("Dear Ana, it is on its way.")
    context = browser.new_context(java_script_enabled=False)
    secret = place.desk.secrets[Role.REVIEWER]
    context.add_cookies([{"name": "proveout_session", "value": secret, "url": place.address}])
    page = context.new_page()
    page.goto(f"{place.address}/reviews/{asked.id}")
    page.keyboard.press("a")
    assert place.known(asked).state is ReviewState.OPEN

    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Undo").click()

    context.close()
    assert place.known(asked) == asked
    place.close_all()


@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_desk_is_for_everybody(
    at_work: Callable[..., Any], place: Place, size: tuple[int, int], theme: str
) -> None:
    """Axe finds nothing on a queue and an item with findings, on a desk and on a phone."""
    asked, *_ = place.ask(REPLY, "two")

    for path in ("/reviews", f"/reviews/{asked.id}"):
        with at_work(path, size, theme) as page:
            assert faults(page, axe_source()) == []
            assert overflow(page) == 0
