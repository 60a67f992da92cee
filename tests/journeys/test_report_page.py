"""The report in a real browser: readable in both themes, on a phone, on paper, by keyboard.

It needs Debian's chromium, the package playwright, and axe-core as `PROVEOUT_AXE` or in
`node_modules`. Where one is missing the tests skip, unless `PROVEOUT_E2E=required`.
"""

from __future__ import annotations

import functools
import http.server
import importlib
import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doubles.account import OWN, STORIES, Answers, account_of, extra_of
from proveout.faces.report.render import POLICY, render

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

pytestmark = pytest.mark.journey

CHROMIUM = Path(os.environ.get("PROVEOUT_CHROMIUM", "/usr/bin/chromium"))
NODE_MODULES = Path(__file__).parents[2] / "node_modules"
AXE = Path(os.environ.get("PROVEOUT_AXE", NODE_MODULES / "axe-core" / "axe.min.js"))
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
DESK, PHONE = (1280, 900), (390, 844)
NAMES = {name: f"{index}.html" for index, name in enumerate(STORIES)}
ATTACK = '"><img src=x onerror=alert(1)></pre><script>alert(1)</script>\u202e\x1b'
BAD = "<!doctype html><html><body><main><h1>x</h1><img src=a.png><button></button></main>"


def missing(what: str) -> None:
    """Skip for want of something, or fail where browser tests must run."""
    if os.environ.get("PROVEOUT_E2E") == "required":
        pytest.fail(f"{what} is missing, and PROVEOUT_E2E=required")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    """Return Debian's chromium, which asks this machine only."""
    if not CHROMIUM.exists():
        missing("chromium")
    try:
        playwright: Any = importlib.import_module("playwright.sync_api")
    except ModuleNotFoundError:
        missing("playwright")
        return
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """Return the source of axe."""
    if not AXE.exists():
        missing("axe-core")
    return AXE.read_text("utf-8")


class Strict(http.server.SimpleHTTPRequestHandler):
    """Serves files under the policy that reports are written for."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Return where the report of every story is served, and two pages beside them."""
    root = tmp_path_factory.mktemp("reports")
    for name, story in STORIES.items():
        account = account_of(story)
        (root / NAMES[name]).write_text(render(account, extra_of(account)), "utf-8")
    story = replace(STORIES["go"], answers={OWN: Answers(right=0.6, crash=0.1)})
    attacked = account_of(story, edit=lambda text: text + ATTACK)
    (root / "attack.html").write_text(render(attacked, extra_of(attacked, owner=ATTACK)), "utf-8")
    (root / "bad.html").write_text(BAD, "utf-8")
    handler = functools.partial(Strict, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def note(kept: list[str], event: Any) -> None:
    """Keep what a browser reported: the address of a request, else its words."""
    kept.append(str(getattr(event, "url", None) or event))


@pytest.fixture
def visit(browser: Any, site: str) -> Callable[..., Any]:
    """Return a way to open a page that must be silent and ask for nothing else."""

    @contextmanager
    def visit(file: str, size: tuple[int, int] = DESK, theme: str = "light") -> Generator[Any]:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            locale="en-GB",
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
        )
        page = context.new_page()
        trouble: list[str] = []
        asked: list[str] = []
        for event in ("console", "pageerror", "dialog"):
            page.on(event, functools.partial(note, trouble))
        page.on("request", functools.partial(note, asked))
        page.goto(f"{site}/{file}")
        yield page
        context.close()
        assert trouble == []
        assert [url for url in asked if not url.startswith("data:")] == [f"{site}/{file}"]

    return visit


def faults(page: Any, axe: str) -> list[str]:
    """Return what axe finds wrong with a page."""
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate(
        "async tags => (await axe.run(document, {runOnly: tags})).violations"
        ".map(v => ({id: v.id, at: String(v.nodes[0].target)}))",
        RULES,
    )
    return [f"{one['id']} at {one['at']}" for one in found]


def overflow(page: Any) -> int:
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", STORIES)
def test_the_report_is_accessible_in_both_themes(
    visit: Callable[..., Any], axe: str, name: str, theme: str
) -> None:
    """There is nothing for axe to find on the desk or on a phone, with everything folded out."""
    for size in (DESK, PHONE):
        with visit(NAMES[name], size, theme) as page:
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

            assert faults(page, axe) == []
            assert overflow(page) <= 0


def test_axe_finds_what_is_bad(browser: Any, axe: str, site: str) -> None:
    """The negative control: silence means that nothing is wrong."""
    page = browser.new_page()
    page.goto(f"{site}/bad.html")

    ids = {fault.split()[0] for fault in faults(page, axe)}

    page.close()
    assert {"html-has-lang", "image-alt", "button-name"} <= ids


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


SMALLEST = """() => Math.min(...[...document.querySelectorAll('body *')]
  .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3
    && n.textContent.trim()) && !e.closest('.vh'))
  .map(e => { const svg = e.closest('svg.chart');
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    return parseFloat(getComputedStyle(e).fontSize) * scale; }))"""
"""The size in pixels of the smallest text that is seen, that of charts as it is scaled."""


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
