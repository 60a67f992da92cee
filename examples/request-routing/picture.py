"""Take the pictures of the readiness page for the README: `.venv/bin/python picture.py`.

It proves, releases and drills the example as the demo does, in a folder that is gone
afterwards, and looks at the console with Chromium. A tool for developers; it needs the
environments of `make demo` and `make test`, and nothing of it runs in either.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import demo
from playwright.sync_api import ViewportSize, sync_playwright
from story import release, serve
from story.command import Project

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
DEMO_PYTHON = os.environ.get("PROVEOUT_DEMO_PYTHON", str(ROOT / ".venv-demo/bin/python"))
CHROMIUM = os.environ.get("PROVEOUT_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WINDOW = ViewportSize(width=1440, height=900)
PICTURES = {"light": ROOT / "docs/readiness.png", "dark": ROOT / "docs/readiness-dark.png"}

FOOT = """() => Math.max(...[...document.querySelectorAll('tr')]
  .map(row => Math.floor(row.getBoundingClientRect().bottom)).filter(y => y <= innerHeight))"""
"""Where the last row ends that is seen whole."""


def main() -> None:
    """Leave both pictures written."""
    with TemporaryDirectory(prefix="proveout-picture-") as folder:
        place = Path(folder)
        project = Project(
            folder=demo.HERE,
            environ=demo.environ("http://127.0.0.1:1", place),
            log=place / "log",
            python=DEMO_PYTHON,
        )
        project.text("prove")
        release.create(project)
        release.drill(project, "--all")
        with serve.served(project) as server:
            welcome = serve.WELCOME.search(server.said)
            if welcome is None:
                sys.exit("the console has an owner already")
            look(server.address, welcome[0], PICTURES.items())


def look(address: str, welcome: str, pictures: Iterable[tuple[Any, Path]]) -> None:
    """Sign in as the first owner, and take a picture in each theme."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        context = browser.new_context(viewport=WINDOW, locale="en-GB", reduced_motion="reduce")
        page = context.new_page()
        page.goto(welcome)
        password = secrets.token_urlsafe(16)
        for field, value in (("name", "owner"), ("password", password), ("again", password)):
            page.fill(f"#{field}", value)
        page.click("button[type=submit]")
        for theme, path in pictures:
            page.emulate_media(color_scheme=theme)
            page.goto(f"{address}/readiness")
            page.set_viewport_size({**WINDOW, "height": page.evaluate(FOOT)})
            page.screenshot(path=path)
            page.set_viewport_size(WINDOW)
        browser.close()


if __name__ == "__main__":
    main()
