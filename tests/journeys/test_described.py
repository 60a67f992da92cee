"""What the description of the API promises, tried over a real wire by a generator of requests."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from doubles.doors import answer, open_house
from doubles.given import Given
from doubles.stores import SQLITE
from proveout.adapters.system import SystemClock, SystemIds
from proveout.domain.access import Role
from proveout.faces.api.accept import accepts
from proveout.faces.api.app import api
from proveout.faces.api.call import Let  # noqa: TC001 - the framework reads it
from proveout.faces.api.routes import ROUTES
from proveout.faces.project import open_store
from proveout.faces.serving import Server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.responses import Response

    from proveout.faces.api.routes import Route

pytestmark = pytest.mark.journey

GENERATOR = Path(sys.executable).parent / "schemathesis"
PATIENCE = 300
EXAMPLES = 4
"""Requests for each operation beside those that cover its description."""


SIGNED = """
[[operations]]
include-path = "/hooks/{source}"
checks.positive_data_acceptance.enabled = false
"""
"""No description says how a delivery is signed, so those of the generator are refused."""


class Tried(NamedTuple):
    """What the generator found."""

    code: int
    said: str

    @property
    def requests(self) -> int:
        """How many requests it sent."""
        found = re.search(r"([0-9]+) generated", self.said)
        return 0 if found is None else int(found[1])


@asynccontextmanager
async def served(folder: Path, routes: tuple[Route, ...]) -> AsyncGenerator[tuple[str, list[str]]]:
    """Serve a project in production that has something to show; gives address and options."""
    store = await open_store(f"{SQLITE}{folder / 'store.db'}")
    clock, ids = SystemClock(), SystemIds()
    # Any JSON is an input: what a workflow can take is its own matter, and not described.
    anything = accepts("answers", lambda: answer, lambda: False)
    house = open_house(folder, store, clock, ids, accept=anything)
    await house.into_production()
    given = Given(store, clock, ids)  # pyright: ignore[reportArgumentType] - only now() is asked
    run = await given.queued(workflow="answers")
    review = await given.waiting()
    config = {"name": "answers", "run": run.id, "review": review.id, "source": "shop", "seq": "1"}
    lines = [f'"path.{name}" = {json.dumps(value)}' for name, value in config.items()]
    (folder / "generator.toml").write_text("\n".join(["[parameters]", *lines, SIGNED]), "utf-8")
    key = await house.key(Role.OWNER)
    ready = asyncio.Event()
    server = Server(api(house.doors, routes), ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await ready.wait()
        try:
            port = listening.getsockname()[1]
            yield f"http://127.0.0.1:{port}", ["--header", f"Authorization: Bearer {key}"]
        finally:
            server.stop()
            await task
            house.access.close()
            await store.close()


async def tried(folder: Path, routes: tuple[Route, ...], *options: str) -> Tried:
    """Let the generator loose on a server with these routes; the same requests each time."""
    async with served(folder, routes) as (address, credentials):
        process = await asyncio.create_subprocess_exec(
            *[str(GENERATOR), "--config-file", str(folder / "generator.toml")],
            *["run", f"{address}/api/v1/openapi.json", "--no-color"],
            *["--phases", "examples,coverage,fuzzing", "--seed", "1"],
            *["--max-examples", str(EXAMPLES), *credentials, *options],
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    return Tried(process.returncode or 0, said.decode(errors="replace"))


async def test_the_api_keeps_to_its_description(tmp_path: Path) -> None:
    """Hundreds of requests that fit it and that do not: no 5xx, no undeclared status or shape."""
    found = await tried(tmp_path, ROUTES)

    assert found.code == 0, found.said[-6000:]
    assert found.requests > 300


async def forgetful(name: str, call: Let) -> Response:
    """Show a workflow, and forget half of it."""
    return call.answer_tagged({"schema": "workflow.v1", "name": name})


async def test_a_path_that_breaks_its_description_is_found(tmp_path: Path) -> None:
    """The negative control: one handler leaves out what the description promises."""
    path = "/api/v1/workflows/{name}"
    broken: tuple[Any, ...] = tuple(
        replace(one, handler=forgetful) if one.path == path else one for one in ROUTES
    )

    found = await tried(tmp_path, broken, "--include-path", path)

    assert found.code == 1
    assert "pointer" in found.said
