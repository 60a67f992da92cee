"""A real browser for the tests of our pages: Debian's chromium, axe, and a server of a few pages.

It needs chromium, the package playwright, and axe-core: as `PROVEOUT_AXE`, in
`.cache/axe/axe.min.js` or in `node_modules`. Where one is missing the tests skip,
unless `PROVEOUT_E2E=required`.
"""

from __future__ import annotations

import functools
import http.server
import importlib
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

ROOT = Path(__file__).parents[2]
CHROMIUM = Path(os.environ.get("PROVEOUT_CHROMIUM", "/usr/bin/chromium"))
AXES = (
    ROOT / ".cache" / "axe" / "axe.min.js",
    ROOT / "node_modules" / "axe-core" / "axe.min.js",
)
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
COLOURS = ["color-contrast", "link-in-text-block"]
PHONE = (390, 844)
BAD = "<!doctype html><html><body><main><h1>x</h1><img src=a.png><button></button></main>"
"""A page in which axe must find faults, so that its silence means something."""

BAD_IDS = {"html-has-lang", "image-alt", "button-name"}


def missing(what: str) -> None:
    """Skip for want of something, or fail where browser tests must run."""
    if os.environ.get("PROVEOUT_E2E") == "required":
        pytest.fail(f"{what} is missing, and PROVEOUT_E2E=required")
    pytest.skip(f"{what} is not installed")


@contextmanager
def launched() -> Generator[Any]:
    """Give Debian's chromium, which asks this machine only."""
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


def axe_source() -> str:
    """Return the source of axe."""
    named = os.environ.get("PROVEOUT_AXE")
    found = next((one for one in ((Path(named),) if named else AXES) if one.exists()), None)
    if found is None:
        missing("axe-core")
        return ""
    return found.read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server answers to one path."""

    body: bytes
    media: str = "text/html; charset=utf-8"


FRAGMENT = "X-Fragment"
"""With it a page that is open asks for its live part, every five seconds without hints."""


@contextmanager
def serving(pages: Mapping[str, Served], policy: str) -> Generator[str]:
    """Give the address at which pages are served by path, under a content security policy.

    They never change: who asks whether a part of one has is told so.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if FRAGMENT in self.headers:
                self.send_response(HTTPStatus.NOT_MODIFIED)
                self.end_headers()
                return
            found = pages.get(unquote(self.path.partition("?")[0]))
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Security-Policy", policy)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Type", "text/plain" if found is None else found.media)
            self.end_headers()
            self.wfile.write(b"" if found is None else found.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def visiting(
    browser: Any, address: str, size: tuple[int, int], theme: str = "light"
) -> Generator[tuple[Any, list[str]]]:
    """Give an open page, which must stay silent, and the addresses that it asks for."""
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
    page.goto(address)
    yield page, asked
    context.close()
    assert not trouble, trouble


def note(kept: list[str], event: Any) -> None:
    """Keep what a browser reported: the address of a request, else its words."""
    kept.append(str(getattr(event, "url", None) or event))


def faults(page: Any, axe: str) -> list[str]:
    """Return what axe finds wrong with a page."""
    page.evaluate(axe)
    return _found(page, {"runOnly": RULES})


def faults_in_the_dark(page: Any) -> list[str]:
    """Return what axe finds wrong with the dark colours of a page that `faults` has looked at.

    A theme changes colours and nothing else, so the rules on colour are asked alone. The
    page is dark afterwards.
    """
    page.emulate_media(color_scheme="dark")
    return _found(page, {"runOnly": {"type": "rule", "values": COLOURS}})


def _found(page: Any, asked: dict[str, Any]) -> list[str]:
    found: list[dict[str, Any]] = page.evaluate(
        "async asked => (await axe.run(document, asked)).violations"
        ".map(v => ({id: v.id, at: String(v.nodes[0].target)}))",
        asked,
    )
    return [f"{one['id']} at {one['at']}" for one in found]


def resize(page: Any, size: tuple[int, int]) -> None:
    """Give a page's window another size."""
    page.set_viewport_size({"width": size[0], "height": size[1]})


def overflow(page: Any) -> int:
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def unfold(page: Any) -> None:
    """Open everything that is folded away on a page, but its menu and rivals for one place."""
    page.evaluate(
        "document.querySelectorAll('details:not(.menu)').forEach(d => {"
        " d.removeAttribute('name'); d.open = true })"
    )


SMALLEST = """() => Math.min(...[...document.querySelectorAll('body *')]
  .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3
    && n.textContent.trim()) && !e.closest('.vh'))
  .map(e => { const svg = e.closest('svg.chart');
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    return parseFloat(getComputedStyle(e).fontSize) * scale; }))"""
"""The size in pixels of the smallest text that is seen, that of charts as it is scaled."""
