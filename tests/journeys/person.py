"""Somebody with a real browser at the console of a town."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from doubles.town import PATIENCE, PHRASE
from journeys.browser import note

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.town import Town

DESK = (1440, 900)
MILLISECONDS = 1000
EXPECTED = "Failed to load resource"
"""What a browser says of any answer that is no success, also where it was asked for."""


@dataclass
class Person:
    """Somebody with a browser.

    Attributes:
        page: what they look at.
    """

    town: Town
    page: Any

    def open(self, path: str) -> None:
        """Go to a page."""
        self.page.goto(f"{self.town.address}{path}")

    def press(self, name: str) -> None:
        """Press a button, and see what follows."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def sign_in(self, name: str) -> None:
        """Come in by the door."""
        self.open("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PHRASE)
        self.press("Sign in")
        self.page.wait_for_url(f"{self.town.address}/")

    def heading(self) -> str:
        """Return what the page is about."""
        return self.page.locator("h1").first.inner_text()

    def said(self) -> str:
        """Return what came of the last form."""
        return self.page.get_by_role("status").inner_text()

    def wait_for(self, text: str) -> None:
        """Load the page again until it says something."""
        for _ in range(PATIENCE * 4):
            if self.page.get_by_text(text).count():
                return
            self.page.wait_for_timeout(MILLISECONDS / 4)
            self.page.reload()
        raise AssertionError(f"{text!r} never came: {self.page.inner_text('main')}")

    def csrf(self) -> str:
        """Return what the forms of this page carry."""
        return self.page.locator("input[name=csrf]").first.get_attribute("value")

    def forge(self, path: str, **fields: str) -> Any:
        """Send a form that no page has, with the right token; follow nothing."""
        return self.page.request.post(
            f"{self.town.address}{path}",
            form={"csrf": self.csrf(), **fields},
            max_redirects=0,
        )


@contextmanager
def coming(
    browser: Any, town: Town, name: str = "", size: tuple[int, int] = DESK, theme: str = "light"
) -> Generator[Person]:
    """Give a person who has come to the console; their browser must not complain."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=theme,
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    trouble: list[str] = []
    asked: list[str] = []
    for event in ("console", "pageerror", "dialog"):
        page.on(event, functools.partial(note, trouble))
    page.on("request", functools.partial(note, asked))
    person = Person(town, page)
    if name:
        person.sign_in(name)
    yield person
    context.close()
    complaints = [one for one in trouble if EXPECTED not in one]
    assert complaints == [], complaints
    elsewhere = [url for url in asked if not url.startswith(f"{town.address}/")]
    assert elsewhere == [], elsewhere
