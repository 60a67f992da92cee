"""Every drill passes on a real project, and fails without the protection that it is about."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proveout.domain.evidence import ControlResult, DrillResult
from proveout.faces.project import Project
from proveout.faces.released import create_release, launch
from proveout.faces.sandbox import stage_for
from proveout.ready.drills.catalogue import DRILLS
from proveout.ready.drills.drill import NotSteady
from proveout.ready.rehearse import rehearse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from proveout.ready.rehearse import Stage

pytestmark = pytest.mark.drills

FULL = os.environ.get("PROVEOUT_DRILLS") == "full"

PAGE = Path(__file__).parents[2] / "docs" / "readiness.md"

BEGIN = "<!-- drills without protections: written by make drills -->"
END = "<!-- end -->"

OF_SANDBOX = ("proveout.faces.sandbox_", "proveout.faces.released_worker")

PATIENCE = 60

NAMES = {
    "owner": "ana",
    "operator": "ben",
    "reviewer": "cleo",
    "downstream": "the help desk",
}

SOURCE = """
[sources.shop]
scheme = "stripe"
secret_env = "SHOP_WEBHOOK_SECRET"
types = ["mail.received"]
input = "data.object"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a project that has its verdict and names its people."""
    above = tmp_path_factory.mktemp("drilled")
    command(above, "init", "triage")
    folder = above / "triage"
    settings = (folder / "proveout.toml").read_text("utf-8")
    for what, who in NAMES.items():
        settings = re.sub(rf'(?m)^{what} = "not known yet"', f'{what} = "{who}"', settings)
    settings = settings.replace('to = "not known yet"', 'to = "ben@example.org"')
    settings = settings.replace('hours = "not known yet"', 'hours = "Mon-Fri 9-17"')
    settings = settings.replace('#first_answer = "4 h"', 'first_answer = "4 h"')
    (folder / "proveout.toml").write_text(settings + SOURCE, "utf-8")
    command(folder, "prove")
    return folder


def command(folder: Path, *words: str) -> None:
    """Run a command of ours that must succeed."""
    subprocess.run(
        [sys.executable, "-m", "proveout", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=120,
    )


@asynccontextmanager
async def staged(folder: Path, said: list[str]) -> AsyncGenerator[Stage]:
    """Open the stage on which the project's release is drilled."""
    async with Project.open(folder / "proveout.toml") as project:
        release = (await create_release(project, "ana")).release
        yield await stage_for(project, await launch(project.store, release), said.append)


def started_in(place: Path) -> dict[int, str]:
    """Return the processes of sandboxes that work somewhere below a folder, by their id."""
    found: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it is gone
            words = (process / "cmdline").read_bytes().decode().split("\0")
            if (process / "cwd").readlink().is_relative_to(place):
                found |= {int(process.name): one for one in words if one.startswith(OF_SANDBOX)}
    return found


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="only Linux tells where they work")
def test_a_killed_drill_leaves_no_process_behind(folder: Path, tmp_path: Path) -> None:
    """Whatever ends it: nothing of its sandbox is left to work, to listen or to watch."""
    command(folder, "release", "create")
    drill = subprocess.Popen(
        [sys.executable, "-m", "proveout", "drill", "escalation"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )
    wait_until(lambda: len({*started_in(tmp_path).values()}) > 1)  # a worker and the watch

    drill.kill()
    drill.wait()

    wait_until(lambda: not started_in(tmp_path))


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)  # noqa: TID251 - watches other processes


@pytest.mark.skipif(not FULL, reason="the README performs them all, control and all")
@pytest.mark.parametrize("name", DRILLS)
async def test_a_drill_passes_and_its_control_fails(folder: Path, name: str) -> None:
    """What each drill shows is evidence: the workflow survives, and the drill could have failed."""
    said: list[str] = []

    async with staged(folder, said) as stage:
        rehearsed = await rehearse(DRILLS[name], stage)

    assert (rehearsed.result, rehearsed.control, rehearsed.faults) == (
        DrillResult.PASSED,
        ControlResult.FAILED,
        (),
    ), said


@pytest.mark.parametrize("name", ["worker-loss", "store-restart", "duplicates", "rollback"])
async def test_a_drill_holds_on_a_server_too(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """On PostgreSQL the sandbox is a schema of its own, and is gone afterwards."""
    postgres = request.getfixturevalue("postgres")
    url = postgres.fresh()
    monkeypatch.setenv("PROVEOUT_STORE", url)
    command(folder, "prove")
    said: list[str] = []

    async with staged(folder, said) as stage:
        rehearsed = await rehearse(DRILLS[name], stage)
        async with Project.open(folder / "proveout.toml") as project:
            left = await project.store.count()

    assert rehearsed.holds, (rehearsed.faults, said)
    assert left == {}
    postgres.drop(url)


@pytest.mark.skipif(not FULL, reason="make drills performs every drill without every protection")
async def test_the_table_of_drills_and_protections(folder: Path) -> None:
    """Each drill fails without its own protection; what else notices is written down."""
    turns = asyncio.Semaphore(2)
    table: dict[str, dict[str, bool]] = {name: dict.fromkeys(DRILLS, True) for name in DRILLS}

    async def one(lost: str, drill: str) -> None:
        async with turns, staged(folder, []) as stage:
            table[lost][drill] = await performed(stage, drill, lost)

    await asyncio.gather(*(one(lost, drill) for lost in DRILLS for drill in DRILLS))
    write(table)

    assert not any(table[name][name] for name in DRILLS)
    assert all(sum(row.values()) >= len(row) // 2 for row in table.values())


async def performed(stage: Stage, drill: str, lost: str) -> bool:
    """Whether a drill passes while the protection of another one is off."""
    try:
        async with stage.open(DRILLS[lost].without) as sandbox:
            return (await DRILLS[drill].perform(sandbox)).passed
    except NotSteady:
        return False


def write(table: dict[str, dict[str, bool]]) -> None:
    """Write the table into the page about readiness."""
    head = ["without", *DRILLS]
    rows = [
        [f"{DRILLS[lost].without}", *("passes" if row[name] else "**fails**" for name in DRILLS)]
        for lost, row in table.items()
    ]
    lines = ["| " + " | ".join(one) + " |" for one in (head, ["---"] * len(head), *rows)]
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n".join([f"{before}{BEGIN}", "", *lines, "", f"{END}{after}"]), "utf-8")
