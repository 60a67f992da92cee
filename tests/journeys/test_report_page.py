"""The report in a real browser: readable in both themes, on a phone, on paper, by keyboard."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.account import OWN, STORIES, Answers, account_of, extra_of
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
    overflow,
    resize,
    serving,
    visiting,
)
from proveout.faces.report.render import POLICY, render

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

pytestmark = pytest.mark.journey

DESK = (1280, 900)
NAMES = {name: f"{index}.html" for index, name in enumerate(STORIES)}
ATTACK = '"><img src=x onerror=alert(1)></pre><script>alert(1)</script>\u202e\x1b'


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
    """Return where the report of every story is served, and two pages beside them."""
    pages = {"/bad.html": BAD}
    for name, story in STORIES.items():
        account = account_of(story)
        pages[f"/{NAMES[name]}"] = render(account, extra_of(account))
    story = replace(STORIES["go"], answers={OWN: Answers(right=0.6, crash=0.1)})
    attacked = account_of(story, edit=lambda text: text + ATTACK)
    pages["/attack.html"] = render(attacked, extra_of(attacked, owner=ATTACK))
    served = {path: Served(body=text.encode()) for path, text in pages.items()}
    with serving(served, POLICY) as address:
        yield address


@pytest.fixture
def visit(browser: Any, site: str) -> Callable[..., Any]:
    """Return a way to open a page that must be silent and ask for nothing else."""

    @contextmanager
    def visit(file: str, size: tuple[int, int] = DESK, theme: str = "light") -> Generator[Any]:
        with visiting(browser, f"{site}/{file}", size, theme) as (page, asked):
            yield page
        assert [url for url in asked if not url.startswith("data:")] == [f"{site}/{file}"]

    return visit


@pytest.mark.parametrize("name", STORIES)
def test_the_report_is_accessible_in_both_themes(
    visit: Callable[..., Any], axe: str, name: str
) -> None:
    """There is nothing for axe to find on the desk or on a phone, with everything folded out."""
    with visit(NAMES[name]) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        for size in (DESK, PHONE):
            resize(page, size)
            page.emulate_media(color_scheme="light")

            assert faults(page, axe) == []
            assert faults_in_the_dark(page) == []
            assert overflow(page) <= 0


def test_axe_finds_what_is_bad(browser: Any, axe: str, site: str) -> None:
    """The negative control: silence means that nothing is wrong."""
    page = browser.new_page()
    page.goto(f"{site}/bad.html")

    ids = {fault.split()[0] for fault in faults(page, axe)}

    page.close()
    assert ids >= BAD_IDS


@pytest.mark.parametrize("name", STORIES)
def test_a_phone_gets_charts_of_its_own(visit: Callable[..., Any], name: str) -> None:
    """At 390 px every chart is drawn at about its own size, so its text can be read."""
    with visit(NAMES[name], PHONE) as page:
        wide = page.locator(".chart.wide, .chart.half")
        narrow = page.locator(".chart.narrow")

        assert not any(one.is_visible() for one in wide.all())
        assert narrow.count() > 0
        for one in narrow.all():
            assert 320 <= one.bounding_box()["width"] <= 390


@pytest.mark.parametrize("width", [1440, 1130, 1000, 830, 760, 390, 360])
def test_text_can_be_read_at_every_width(visit: Callable[..., Any], width: int) -> None:
    """Twelve pixels, charts included; where a chart must shrink, hardly less."""
    with visit(NAMES["go on six criteria"], (width, 900)) as page:
        assert page.evaluate(SMALLEST) >= (12 if width > 1200 else 11)
        assert overflow(page) <= 0


def test_what_is_folded_away_opens_by_keyboard(visit: Callable[..., Any]) -> None:
    with visit(NAMES["go"]) as page:
        table = page.locator(".data table").first
        assert not table.is_visible()

        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        assert table.is_visible()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('role')") == "region"


def test_it_prints_in_light_colours_with_its_charts(visit: Callable[..., Any]) -> None:
    """On paper even a dark reader's page is black on white, and nothing is cut off."""
    with visit(NAMES["go on six criteria"], (720, 1000), "dark") as page:
        page.emulate_media(media="print")

        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        charts = [one for one in page.locator(".criterion .chart").all() if one.is_visible()]
        paper: bytes = page.pdf(format="A4", print_background=True)

        assert background == "rgb(255, 255, 255)"
        assert len(charts) == 12
        assert overflow(page) <= 0
        assert paper.startswith(b"%PDF")


def test_an_attack_in_an_answer_does_nothing(visit: Callable[..., Any]) -> None:
    """No picture, no script, no dialog; and what was tried can be read."""
    with visit("attack.html") as page:
        assert page.locator("img, script").count() == 0
        assert "onerror=alert(1)" in page.locator(".misses").first.inner_text()
        assert "⟨U+202E⟩␛" in page.locator("main").inner_text()
