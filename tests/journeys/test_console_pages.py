"""The console's pages in a real browser: both themes, desk and phone, by keyboard, under attack."""

from __future__ import annotations

import functools
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from doubles.console_pages import CONSOLE_PAGES
from doubles.hostile_pages import HOSTILE_PAGES
from doubles.pages import PAGES
from journeys.browser import (
    BAD,
    BAD_IDS,
    PHONE,
    SMALLEST,
    Served,
    axe_source,
    faults,
    faults_in_the_dark,
    launched,
    note,
    overflow,
    resize,
    serving,
    unfold,
    visiting,
)
from proveout.faces.web.render import POLICY, STATIC, render, static_file

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

pytestmark = pytest.mark.journey

DESK = (1440, 900)
EVERY = {**PAGES, **CONSOLE_PAGES}
INLINE = "<!doctype html><html lang=en><title>t</title><body style='color:red'><script>1</script>"


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    """Return Debian's chromium, which asks this machine only."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def axe() -> str:
    """Return the source of axe."""
    return axe_source()


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    """Return where every page is served, hostile ones too, as the console would serve them."""
    served = {
        f"/static/{name}": Served(body=static_file(name), media=STATIC[name]) for name in STATIC
    }
    served |= {f"/{name}": Served(body=render(*shown).encode()) for name, shown in EVERY.items()}
    served |= {
        f"/hostile/{name}": Served(body=render(*shown).encode())
        for name, shown in HOSTILE_PAGES.items()
    }
    served["/hints"] = Served(body=b"retry: 600000\n\n", media="text/event-stream")
    served["/bad"] = Served(body=BAD.encode())
    served["/inline"] = Served(body=INLINE.encode())
    with serving(served, POLICY) as address:
        yield address


@pytest.fixture
def visit(browser: Any, site: str) -> Callable[..., Any]:
    """Return a way to open a page that must be silent and ask its own server only."""

    @contextmanager
    def visit(name: str, size: tuple[int, int] = DESK, theme: str = "light") -> Generator[Any]:
        with visiting(browser, f"{site}/{quote(name)}", size, theme) as (page, asked):
            yield page
        ours = (f"{site}/{quote(name)}", *(f"{site}/static/{one}" for one in STATIC))
        asked = [url for url in asked if url != f"{site}/hints"]
        assert [url for url in asked if not url.startswith(ours)] == []

    return visit


@pytest.mark.parametrize("name", EVERY)
def test_every_page_is_accessible_in_both_themes(
    visit: Callable[..., Any], axe: str, name: str
) -> None:
    """There is nothing for axe to find on the desk or on a phone, with everything folded out."""
    with visit(name) as page:
        for size in (DESK, PHONE):
            resize(page, size)
            page.emulate_media(color_scheme="light")
            folded = overflow(page)
            unfold(page)

            assert folded == 0
            assert faults(page, axe) == []
            assert faults_in_the_dark(page) == []
            assert overflow(page) == 0


@pytest.mark.parametrize("name", HOSTILE_PAGES)
def test_no_attack_does_anything(visit: Callable[..., Any], axe: str, name: str) -> None:
    """No script, no picture, no dialog, no broken layout, whatever people wrote."""
    with visit(f"hostile/{name}") as page:
        for size in (DESK, PHONE):
            resize(page, size)
            unfold(page)

            assert page.locator("script:not([src^='/static/']), img, iframe, object").count() == 0
            assert overflow(page) == 0
        assert faults(page, axe) == []


def test_axe_finds_what_is_bad(browser: Any, axe: str, site: str) -> None:
    """The negative control: silence means that nothing is wrong."""
    page = browser.new_page()
    page.goto(f"{site}/bad")

    ids = {fault.split()[0] for fault in faults(page, axe)}

    page.close()
    assert ids >= BAD_IDS


def test_the_policy_is_enforced_and_heard(browser: Any, site: str) -> None:
    """The negative control: a page with a script or a style of its own is not silent."""
    page = browser.new_page()
    heard: list[str] = []
    page.on("console", functools.partial(note, heard))
    page.goto(f"{site}/inline")

    page.close()
    assert any("script" in one for one in heard)
    assert any("style" in one for one in heard)


@pytest.mark.parametrize("width", [1440, 1280, 1100, 900, 700, 390, 360])
def test_text_can_be_read_at_every_width(visit: Callable[..., Any], width: int) -> None:
    """Twelve pixels; where a chart must shrink, hardly less; and nothing sticks out."""
    for name in ("overview", "run, waiting", "verdict, go", "review", "readiness", "releases"):
        with visit(name, (width, 900)) as page:
            assert page.evaluate(SMALLEST) >= (12 if width > 1400 else 11)
            assert overflow(page) == 0


def test_the_menu_of_a_phone_opens_by_keyboard(visit: Callable[..., Any]) -> None:
    """On a phone the navigation is behind one button, and marks where one is."""
    with visit("runs", PHONE) as page:
        menu = page.get_by_role("navigation", name="Menu")
        assert not menu.is_visible()

        page.locator(".menu summary").focus()
        page.keyboard.press("Enter")

        assert menu.is_visible()
        assert menu.locator("[aria-current=page]").inner_text().strip() == "Runs"
        assert menu.get_by_role("button", name="Sign out").is_visible()

        page.keyboard.press("Escape")

        assert not menu.is_visible()


def test_a_question_mark_shows_the_keys(visit: Callable[..., Any]) -> None:
    """On every page; on the desk they are its own, and in a field it is a sign."""
    with visit("runs", DESK) as page:
        jump = page.get_by_role("dialog", name="Search or jump to")
        page.get_by_label("Query").focus()
        page.keyboard.press("Shift+?")
        assert not jump.is_visible()
        page.evaluate("document.activeElement.blur()")

        page.keyboard.press("Shift+?")

        assert jump.is_visible()
    with visit("review", DESK) as page:
        page.keyboard.press("Shift+?")
        assert not page.get_by_role("dialog", name="Search or jump to").is_visible()
        assert page.get_by_text("close a form").is_visible()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_review_can_be_decided_by_keyboard(
    visit: Callable[..., Any], size: tuple[int, int]
) -> None:
    """Approve, edit and reject are reached by tab; the draft stands in the edit form."""
    with visit("review", size) as page:
        assert page.get_by_role("button", name="Approve").is_visible()

        page.locator("summary", has_text="Edit").focus()
        page.keyboard.press("Enter")

        content = page.get_by_label("reply")
        assert content.is_visible()
        assert "3 to 5 days" in content.input_value()
        page.locator("summary", has_text="Reject").focus()
        page.keyboard.press("Enter")
        assert page.get_by_label("Why", exact=True).is_visible()
        assert not content.is_visible()


def test_the_way_back_is_open_on_a_phone(visit: Callable[..., Any]) -> None:
    """Rollback is enabled, large enough for a thumb, and asks what of the runs in flight."""
    with visit("overview, halted", PHONE) as page:
        button = page.get_by_role("button", name="Roll back to r13")

        assert button.is_enabled()
        assert button.get_attribute("aria-disabled") is None
        assert button.bounding_box()["height"] >= 40
        assert page.get_by_role("radio").count() == 3
        assert page.get_by_role("radio", name="finish").is_checked()


def test_words_stay_in_their_card(visit: Callable[..., Any]) -> None:
    """The name of a state ends before its neighbour begins, at every width."""
    for width in (1600, 1439, 1280, 1101, 900, 390):
        with visit("overview", (width, 900)) as page:
            ends = page.locator(".counts a").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect().right"
                " - one.querySelector('.state').getBoundingClientRect().right)"
            )
            assert min(ends) >= 0, width


def test_the_input_of_a_run_has_room(visit: Callable[..., Any]) -> None:
    """An id is shown by its end, and read out whole."""
    with visit("overview, long ids", (1265, 800)) as page:
        link = page.get_by_role("link", name="01a22fde5788007b4978000000")

        assert link.inner_text() == "…78000000"
        assert page.locator(".list .start").first.bounding_box()["width"] >= 120


@pytest.mark.parametrize("height", [900, 800, 640, 420])
def test_who_is_signed_in_stays_in_sight(visit: Callable[..., Any], height: int) -> None:
    """Chapters scroll above it where they must; on a laptop none has to."""
    with visit("access", (1280, height)) as page:
        side = page.locator(".side")
        out = side.get_by_role("button", name="Sign out").bounding_box()

        assert out["y"] + out["height"] <= height
        assert side.evaluate("one => one.scrollHeight <= one.clientHeight")
        scrolls = page.locator(".chapters").evaluate("one => one.scrollHeight > one.clientHeight")
        assert scrolls == (height < 700)


@pytest.mark.parametrize("name", ["overview", "dead", "readiness", "experiments", "plan, done"])
def test_the_bar_of_a_phone_has_room_for_the_title(visit: Callable[..., Any], name: str) -> None:
    """The stage gives way to it, is read out, and stands in the menu as a whole."""
    with visit(name, (375, 800)) as page:
        title = page.locator(".crumbs li").first
        assert title.evaluate("one => one.scrollWidth <= one.clientWidth")

        stage = page.locator(".top > .stage:not(.brief)").inner_text()
        page.locator(".menu summary").click()
        assert page.locator(".panel .stage").inner_text() == stage


def test_cases_are_whole_on_a_phone(visit: Callable[..., Any]) -> None:
    """One beneath the other, with nothing to scroll within the page."""
    with visit("datasets", PHONE) as page:
        box = page.get_by_role("region", name="The first cases of cases.jsonl")

        assert box.evaluate(
            "one => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight"
        )
        assert box.get_by_role("cell").count() == 6


def test_the_bars_of_a_plan_can_be_compared(visit: Callable[..., Any]) -> None:
    """They lie on one scale: every track begins and ends at one place."""
    for width in (1440, 1280, 1000):
        with visit("plan", (width, 900)) as page:
            tracks = [one.bounding_box() for one in page.locator(".plan-line svg").all()]

            assert len(tracks) == 3
            assert len({(one["x"], one["width"]) for one in tracks}) == 1


def test_times_are_in_the_zone_of_who_reads_and_in_utc_beneath(visit: Callable[..., Any]) -> None:
    """What is shown is local time with its zone; hovering tells UTC."""
    with visit("run, waiting") as page:
        created = page.locator(".facts time").first

        assert created.inner_text() == "22 Nov 2026, 13:22 CET"
        assert created.get_attribute("title") == "2026-11-22 12:22:03 UTC"


def test_the_bars_of_a_run_lie_where_its_steps_took_place(visit: Callable[..., Any]) -> None:
    """Later steps lie further right, parallel ones beside each other, and waits are folded."""
    with visit("run, waiting") as page:
        boxes = [one.bounding_box() for one in page.locator(".s-track rect").all()]
        track = page.locator(".s-track").first.bounding_box()

        lefts = [one["x"] for one in boxes]
        assert lefts == sorted(lefts)
        assert abs(lefts[2] - lefts[3]) < 1
        assert boxes[4]["width"] > boxes[5]["width"]
        assert boxes[-1]["x"] + boxes[-1]["width"] <= track["x"] + track["width"] + 1


def test_pictures_are_taken_where_somebody_asks_for_them(visit: Callable[..., Any]) -> None:
    """`PROVEOUT_PICTURES` names a folder that gets every page in both themes and on a phone."""
    folder = os.environ.get("PROVEOUT_PICTURES")
    if not folder:
        pytest.skip("PROVEOUT_PICTURES is not set")
    for name in PAGES:
        for kind, size, theme in (
            ("light", DESK, "light"),
            ("dark", DESK, "dark"),
            ("phone", PHONE, "light"),
        ):
            with visit(name, size, theme) as page:
                page.screenshot(path=f"{folder}/{name}, {kind}.png", full_page=True)
