"""A project on disk, and the real command line on it."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from doubles.stores import SQLITE
from journeys.browser import axe_source, launched
from journeys.person import coming
from journeys.site import Site, make_site, slim_python

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

PATIENCE = 60
"""Seconds that a command may take before the test gives up on it."""

APP = """
import os
import time

def answer(n: int) -> int:
    with open("calls.log", "a") as log:
        log.write(f"{n}\\n")
    time.sleep(float(os.environ.get("PACE", "0")))
    return n * 2 if n % 30 else 0
"""

SETTINGS = """
[workflow]
name = "toy"
entry = "app:answer"

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = { calls = 3000 }

[[prove.criteria]]
name = "right"
score = "exact"
floor = 0.85
target = 0.90
"""


@dataclass
class Place:
    """A project folder, and the command line in it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "proveout", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "proveout", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def ask(self, *arguments: str) -> Any:
        """Return the last JSON object that a command printed."""
        return json.loads(self.run(*arguments, "--json").stdout.splitlines()[-1])

    def calls(self) -> list[int]:
        """Return the inputs that the workflow was really called with."""
        log = self.folder / "calls.log"
        return [int(line) for line in log.read_text("utf-8").split()] if log.exists() else []

    def copy(self, folder: Path) -> Place:
        """Return the same project in another folder, as far as it has come."""
        return Place(shutil.copytree(self.folder, folder / self.folder.name), self.environment)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a project of one plain function that logs each call."""
    return make_place(tmp_path)


def make_place(within: Path) -> Place:
    """Return a project of one plain function that logs each call, in a folder of its own."""
    folder = within / "a project"
    folder.mkdir()
    place = Place(folder)
    place.write("app.py", APP)
    place.write("proveout.toml", SETTINGS)
    cases = (json.dumps({"input": n, "expected": n * 2}) for n in range(1, 301))
    place.write("cases.jsonl", "\n".join(cases) + "\n")
    return place


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Python of an environment without tools."""
    return slim_python(tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where releases and environments are kept."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def site(
    tmp_path: Path, python: str, cache: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> Site:
    """Return a project on each store in turn."""
    return make_site(tmp_path, python, cache, store_url, monkeypatch)


@pytest.fixture
def local(tmp_path: Path, python: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a project whose state is in its own folder, as it is by default."""
    url = f"{SQLITE}{tmp_path / 'a project' / '.proveout' / 'proveout.db'}"
    site = make_site(tmp_path, python, cache, url, monkeypatch)
    monkeypatch.delenv("PROVEOUT_STORE")
    return site


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    """Return Debian's chromium, which asks this machine only."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def axe() -> str:
    """Return the source of axe."""
    return axe_source()


@pytest.fixture
def come(browser: Any) -> Callable[..., Any]:
    """Return a way for a person to come; their browser must not complain."""
    return functools.partial(coming, browser)
