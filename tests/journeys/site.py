"""A project on disk in an environment of its own, brought as far as a test begins."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.metadata import requires
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from doubles.stores import SQLITE, open_url
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock
from proveout.domain.access import Actor, Role, User
from proveout.domain.bar import BAR
from proveout.domain.evidence import ControlResult, DrillResult
from proveout.domain.record import Kind, encode
from proveout.domain.release import effect_scope
from proveout.domain.unit import Keep, Put, UnitId
from proveout.faces.project import Project
from proveout.faces.readiness import file_evidence
from proveout.ports.store import RunFilter
from proveout.ready.rehearse import Rehearsed
from proveout.release import environment as environments
from proveout.release.create import named
from proveout.release.halt import halt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    import pytest

PATIENCE = 120
"""Seconds that a command may take before a test gives up on it."""

EXTRAS = ("", "models", "oidc", "telemetry", "yaml")
"""What of Proveout is installed where nobody develops it: all but the connectors to stores."""

APP = """
import time

from proveout import effect, step, workflow

@step
def times(n: int) -> int:
    time.sleep({pace})
    return n * {factor}

@effect
def tell(n: int, *, idempotency_key: str = "") -> None:
    with open("told.log", "a") as log:
        log.write(f"{{n}}\\n")

@workflow
def answer(n: int) -> int:
    found = times(n)
    tell(found)
    return found
"""

SETTINGS = """
[workflow]
name = "toy"
entry = "app:answer"
owner = "ana"
operator = "ana"
reviewer = "ben"
downstream = "the till"
assumptions = ["whole numbers only"]

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = { calls = 3000 }
price_per_call = "0.004 USD"
worth = { value_per_success = "1 USD", loss_per_error = "1 USD" }

[[prove.criteria]]
name = "right"
score = "exact"
floor = 0.80
target = 0.95
"""


def slim_python(folder: Path) -> str:
    """Return a Python that has Proveout, what it needs, and nothing else; made in `folder`."""
    needed = needed_by("proveout", EXTRAS)
    whole = environments.describe(sys.path)
    slim = replace(whole, packages=tuple(one for one in whole.packages if one.name in needed))
    return str(environments.keep(slim, folder))


def needed_by(name: str, extras: Iterable[str] = ("",)) -> set[str]:
    """Return the names of a package and of all that it needs, as they are installed here."""
    found: set[tuple[str, str]] = set()
    left = [(name, extra) for extra in extras]
    while left:
        name, extra = left.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for line in requires(name) or ():
            asked = Requirement(line)
            if asked.marker is None or asked.marker.evaluate({"extra": extra}):
                left += [(canonicalize_name(asked.name), one) for one in ("", *asked.extras)]
    return {name for name, _ in found}


@dataclass
class Site:
    """A project folder, and the command line of its own environment in it."""

    folder: Path
    python: str
    url: str
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def app(self, factor: int, before: str = "", pace: float = 0) -> None:
        """Write a workflow that multiplies by `factor`, and cases that it gets right."""
        self.write("app.py", before + APP.format(factor=factor, pace=pace))
        cases = (json.dumps({"input": n, "expected": n * factor}) for n in range(1, 61))
        self.write("cases.jsonl", "\n".join(cases) + "\n")

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [self.python, "-P", "-m", "proveout", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def ask(self, *arguments: str, **environ: str) -> Any:
        """Return the last JSON object that a command printed."""
        done = self.run(*arguments, "--json", **environ)
        assert done.stdout, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def do(self, *arguments: str) -> str:
        """Return what a command printed that must end well."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # What a store holds

    def keep(self, kind: Kind, name: str, body: bytes | None) -> None:
        """Write a record behind the back of the ledger."""

        async def write() -> None:
            store = await open_url(self.url, SystemClock())
            unit = Put(
                id=UnitId(os.urandom(8).hex()), keeps=(Keep(kind=kind, name=name, body=body),)
            )
            await store.write(unit)
            await store.close()

        asyncio.run(write())

    def records(self, kind: Kind) -> dict[str, bytes]:
        async def read() -> dict[str, bytes]:
            store = await open_url(self.url, SystemClock())
            found = await store.records(kind)
            await store.close()
            return found

        return asyncio.run(read())

    def results(self) -> list[bytes | None]:
        """Return what the runs came to that are no trials."""

        async def read() -> list[bytes | None]:
            store = await open_url(self.url, SystemClock())
            found = await store.runs(RunFilter(workflow="toy", limit=1000))
            await store.close()
            return [run.result for run in found if run.trial is None]

        return asyncio.run(read())

    def know(self, name: str, role: Role) -> None:
        """Have a user of that role, without a password."""
        user = User(name=name, role=role, password="", created=SystemClock().now())
        self.keep(Kind.USER, name, encode(user))

    def tamper(self, statement: str) -> None:
        """Change the store as somebody could who has its password; `{ledger}` is the table."""
        if self.url.startswith(SQLITE):
            with closing(sqlite3.connect(self.url.removeprefix(SQLITE))) as database, database:
                database.execute(statement.format(ledger="ledger"))
            return

        async def change() -> None:
            link = await Server.at(self.url).connect("eve")
            await link.execute(statement.format(ledger="proveout.ledger"))
            await part(link)

        asyncio.run(change())

    def decide(self, times: int) -> None:
        """Have so many decisions stand in the ledger."""

        async def halt_effects() -> None:
            async with Project.open(self.folder) as project:
                for n in range(times):
                    await halt(project.office, project.name, effect_scope(f"e{n}"), "ana")

        asyncio.run(halt_effects())

    # Evidence

    def prove_claims(self, release: str, but: Collection[str] = ()) -> None:
        """Keep evidence for every claim of the bar, as drills that passed would."""
        for claim in BAR.claims:
            if claim.name not in but:
                self.file(claim.name, release)

    def file(
        self,
        claim: str,
        release: str,
        *,
        age: timedelta = timedelta(0),
        result: DrillResult = DrillResult.PASSED,
        control: ControlResult = ControlResult.FAILED,
    ) -> str:
        """Keep evidence as a drill would that ended so; return its digest."""
        ended = SystemClock().now() - age
        rehearsed = Rehearsed(
            drill=claim,
            result=result,
            control=control,
            started=ended - timedelta(minutes=1),
            ended=ended,
            summary="off: 14 lost; on: 0",
            faults=(),
            figures={"lost": 0},
            log=("a line",),
        )

        async def keep() -> str:
            async with Project.open(self.folder) as project:
                found = named(await project.store.releases(project.name), release)
                actor = Actor(name="ana", role=Role.OWNER)
                return await file_evidence(project, rehearsed, found, actor)

        return asyncio.run(keep())

    def promoted(self, factor: int, pace: float = 0) -> str:
        """Bring the working tree of that factor into production; return its release's name."""
        self.app(factor, pace=pace)
        self.do("prove")
        name: str = self.ask("release", "create")["name"]
        self.prove_claims(name)
        if self.ask("status")["stable"] is not None:
            self.do("canary", name, "--share", "10%")
        self.do("promote", name, "--accept", "whole numbers only")
        return name


def make_site(
    tmp_path: Path, python: str, cache: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> Site:
    """Return a project that was never proved, on the store at `url`, with a key of its own."""
    folder = tmp_path / "a project"
    folder.mkdir()
    site = Site(folder, python, url)
    site.app(2)
    site.write("proveout.toml", SETTINGS)
    monkeypatch.setenv("PROVEOUT_STORE", url)
    monkeypatch.setenv("PROVEOUT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("PROVEOUT_CACHE", str(cache))
    monkeypatch.setenv("LOGNAME", "ana")
    return site
