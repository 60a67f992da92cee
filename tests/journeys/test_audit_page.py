"""The page of an audit in a real browser: in both themes, on a phone, and whatever it quotes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from journeys.browser import (
    BAD,
    BAD_IDS,
    PHONE,
    SMALLEST,
    Served,
    axe_source,
    faults,
    launched,
    overflow,
    serving,
    visiting,
)
from proveout.faces.report.audit_page import repository_html
from proveout.faces.report.render import POLICY
from proveout.faces.repository_audit import audit_of
from proveout.ready.scan.baseline import baseline_words, fingerprints_of, known_in
from proveout.ready.scan.catalogue import BY_CODE, RULES
from proveout.ready.scan.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

pytestmark = pytest.mark.journey

DESK = (1280, 900)
ATTACK = '"><img src=x onerror=alert(1)></code><script>alert(1)</script>\u202e\x1b'
MANY = "import requests\n" + "requests.get('https://a.example')\n" * 9
RISKY = {f"shop/{rule.code}.py": rule.bad for rule in RULES} | {
    "shop/many.py": MANY,
    "shop/old.py": "print 'x'\n",
    "shop/hand.py": f"{MANY[:-1]}  # proveout: ignore[http-no-timeout] by hand\n",
    "very/long/" * 12 + "path.py": MANY,
}
STORIES = {
    "risky": RISKY,
    "clean": {"app.py": "import litellm\nlitellm.completion(x, timeout=9)\n"},
    "empty": {},
}


def page(files: dict[str, str]) -> str:
    """Return the page of a repository that holds these files; one finding is in its baseline."""
    found = scan("shop-bot", files)
    known = known_in(found.found, fingerprints_of(baseline_words(found.found[:1])))
    return repository_html(audit_of(found, known, {}), "0.1.0")


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    """Return Debian's chromium, which asks this machine only."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    """Return where the pages of all stories are served, and two beside them."""
    attacked = scan(ATTACK, {f"{ATTACK}.py": f"{MANY}requests.get('/')  # {ATTACK}\n"})
    pages = {f"/{name}.html": page(files) for name, files in STORIES.items()}
    pages |= {"/bad.html": BAD, "/attack.html": repository_html(audit_of(attacked, (), {}), "0")}
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


@pytest.mark.parametrize(
    ("name", "theme"),
    [("risky", "light"), ("risky", "dark"), ("clean", "dark"), ("empty", "light")],
)
def test_the_page_is_accessible_in_both_themes(
    visit: Callable[..., Any], name: str, theme: str
) -> None:
    """There is nothing for axe to find on the desk or on a phone, with everything folded out."""
    for size in (DESK, PHONE):
        with visit(f"{name}.html", size, theme) as page:
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

            assert faults(page, axe_source()) == []
            assert overflow(page) <= 0


def test_axe_finds_what_is_bad(browser: Any, site: str) -> None:
    """The negative control: silence means that nothing is wrong."""
    page = browser.new_page()
    page.goto(f"{site}/bad.html")

    ids = {fault.split()[0] for fault in faults(page, axe_source())}

    page.close()
    assert ids >= BAD_IDS


@pytest.mark.parametrize("width", [1280, 760, 390, 360])
def test_text_can_be_read_at_every_width(visit: Callable[..., Any], width: int) -> None:
    """Twelve pixels, and nothing beyond the edge, however long a path is."""
    with visit("risky.html", (width, 900)) as page:
        assert page.evaluate(SMALLEST) >= 12
        assert overflow(page) <= 0


def test_the_page_tells_all_that_the_audit_found(visit: Callable[..., Any]) -> None:
    """Each kind once, its places, what is known, suppressed, not read, and the next command."""
    with visit("risky.html") as page:
        text = page.locator("main").inner_text()

        titles = [one.inner_text() for one in page.locator(".finding h3").all()]
        assert set(titles) >= {rule.title for code, rule in BY_CODE.items() if code in text}
        assert len(titles) == len(set(titles)) > 20
        assert "1 finding of the baseline" in text
        assert "shop/hand.py:10 http-no-timeout: by hand" in text
        assert "shop/old.py:1 it is Python 2" in text
        assert "proveout explain" in page.locator(".next").inner_text()


def test_what_is_folded_away_opens_by_keyboard(visit: Callable[..., Any]) -> None:
    with visit("risky.html") as page:
        more = page.locator("details .places").first
        assert not more.is_visible()

        page.locator("summary").first.focus()
        page.keyboard.press("Enter")

        assert more.is_visible()


def test_an_attack_in_a_repository_does_nothing(visit: Callable[..., Any]) -> None:
    """In its name, in a path and in its code: no picture, no script; it can be read."""
    with visit("attack.html") as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

        assert page.locator("img, script").count() == 0
        assert "onerror=alert(1)" in page.locator("h1").inner_text()
        assert "⟨U+202E⟩␛" in page.locator(".places").last.inner_text()
