"""Open pages of a real server stay current, and the keyboard leads everywhere."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from doubles.town import PATIENCE, open_town
from journeys.browser import PHONE, faults, note

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from doubles.town import Town

pytestmark = pytest.mark.journey

SOON = 1000 * PATIENCE
"""Milliseconds."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Generator[Town]:
    """Return a proof of concept with an operator, which is served."""
    town = open_town(tmp_path_factory.mktemp("town"))
    town.add("ben", "operator")
    town.serve()
    yield town
    town.close()


def streams(asked: list[str]) -> list[str]:
    """Return the streams of hints among what a browser asked for."""
    return [url for url in asked if url.endswith("/hints")]


def test_an_open_list_shows_what_happens_and_keeps_what_somebody_does(
    town: Town,
    come: Callable[..., Any],
) -> None:
    """A run that is asked for elsewhere comes up without a reload; what is typed stays."""
    with come(town, "ben") as ben:
        ben.open("/runs")
        ben.page.evaluate("window.here = true")
        run = town.ask("Ana", ask=False)
        ben.page.get_by_role("link", name=run).wait_for(timeout=SOON)
        ben.page.get_by_role("row").filter(has_text=run).get_by_text("succeeded").wait_for(
            timeout=SOON
        )
        ben.page.get_by_label("Query").fill("state:fai")
        other = town.ask("Eve", ask=False)
        ben.page.locator("h1").click()
        ben.page.get_by_role("link", name=other).wait_for(timeout=SOON)

        assert ben.page.get_by_label("Query").input_value() == "state:fai"
        assert ben.page.evaluate("window.here") is True
        assert ben.page.locator("#light").inner_text().strip() == "live"


def test_a_browser_has_one_stream_however_many_tabs(
    town: Town,
    come: Callable[..., Any],
) -> None:
    """Eight tabs follow; when the one that hears is closed, another one hears."""
    with come(town, "ben") as ben:
        asked: list[str] = []
        context = ben.page.context
        context.on("request", functools.partial(note, asked))
        tabs = [context.new_page() for _ in range(8)]
        for tab in tabs:
            tab.goto(f"{town.address}/runs")
        ben.page.close()
        run = town.ask("Fay", ask=False)
        for tab in tabs:
            tab.bring_to_front()
            tab.get_by_role("link", name=run).wait_for(timeout=SOON)
        before = len(streams(asked))
        tabs[0].close()
        later = town.ask("Gil", ask=False)
        tabs[1].bring_to_front()
        tabs[1].get_by_role("link", name=later).wait_for(timeout=SOON)

        assert 1 <= before <= 2
        assert len(streams(asked)) <= before + 1


def test_without_locks_a_tab_asks_by_itself(
    town: Town,
    come: Callable[..., Any],
) -> None:
    """Every five seconds, and no stream is opened."""
    with come(town, "ben") as ben:
        ben.page.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
        ben.page.goto("about:blank")  # the page at hand had locks, and asks for its stream late
        asked: list[str] = []
        ben.page.on("request", functools.partial(note, asked))
        ben.open("/runs")
        run = town.ask("Hal", ask=False)

        ben.page.get_by_role("link", name=run).wait_for(timeout=SOON)

        assert streams(asked) == []
        assert ben.page.locator("#light").inner_text().strip() == "every 5 s"


def test_why_a_run_failed_is_found_and_it_is_replayed_without_a_manual(
    town: Town,
    come: Callable[..., Any],
) -> None:
    """From the overview by keyboard alone: the failed runs, the reason, another input."""
    town.ask("Ida", text="explode", ask=False)
    with come(town, "ben") as ben:
        page = ben.page
        page.keyboard.press("Control+k")
        page.keyboard.type("failed")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs?q=state:failed,dead")
        page.locator("main .list tbody a").first.wait_for(timeout=SOON)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Why it failed: ValueError in step draft").wait_for()
        assert page.get_by_text("the model did not answer").first.is_visible()

        page.get_by_role("link", name="with another input").click()
        typed = json.loads(page.get_by_label("JSON").input_value())
        page.get_by_label("JSON").fill(json.dumps({**typed, "text": "Where is it?"}))
        ben.press("Say what would be done")
        assert "would be replayed, with new keys" in ben.said()
        ben.press("Replay")
        assert "on the input that you gave" in ben.said()
        page.get_by_text("succeeded").first.wait_for(timeout=SOON)


def test_the_command_menu_is_walked_by_keyboard(
    town: Town,
    come: Callable[..., Any],
    axe: str,
) -> None:
    """It opens, narrows, chooses and closes; a query and an id lead to their runs."""
    with come(town, "ben") as ben:
        page = ben.page
        for key in ("Control+k", "Meta+k"):
            page.keyboard.press(key)
            assert page.get_by_role("dialog").is_visible()
            assert faults(page, axe) == []
            page.keyboard.press("Escape")
            assert not page.get_by_role("dialog").is_visible()
        page.keyboard.press("Control+k")
        page.keyboard.type("e")
        first = page.get_by_role("option", selected=True).inner_text()
        page.keyboard.press("ArrowDown")
        assert page.get_by_role("option", selected=True).inner_text() != first
        page.get_by_role("combobox").fill("nothing is called so")
        assert page.get_by_text("Nothing is called that.").is_visible()
        page.get_by_role("combobox").fill("state:dead since:2h")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs?q=state%3Adead%20since%3A2h")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.type("jk")
        assert "jk" in page.get_by_label("Query").input_value()


def test_every_newer_page_is_accessible_and_reached_from_the_menu(
    town: Town,
    come: Callable[..., Any],
    axe: str,
) -> None:
    """On a phone, in the dark, with what a real store holds; no link leads nowhere."""
    with come(town, "ben", PHONE, "dark") as ben:
        links = ben.page.locator(".side .nav a, #actions a").all()
        for path in sorted({one.get_attribute("href").partition("#")[0] for one in links}):
            answer = ben.page.goto(f"{town.address}{path}")

            assert answer.status == 200, path
            assert faults(ben.page, axe) == [], path
            assert ben.page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
