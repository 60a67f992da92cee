"""Signed webhooks over real HTTP: how many a second are acknowledged once they are durable.

    python hooks.py ours URL     our doors, one server process
    python hooks.py plain URL    a handler that does one INSERT for each request, as is usual

The load comes from wrk (a Debian package) over 32 connections; each delivery is signed and
has an id of its own.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - the driver ships none
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from doubles.doors import open_house, signed
from proveout.adapters.system import SystemClock, SystemIds
from proveout.domain.delivery import Scheme
from proveout.faces import loop
from proveout.faces.project import open_store

if TYPE_CHECKING:
    from starlette.requests import Request

CONNECTIONS = 32
SECONDS = 8
DELIVERIES = 120_000
BODY = b'{"type": "order.paid", "n": 7}'

WRK = ("wrk", "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", "load.lua")

SCRIPT = """
local lines, at, thread = {}, 0, 0
function setup(one) one:set("number", thread); thread = thread + 1 end
function init()
  local n = 0
  for line in io.lines("deliveries") do
    n = n + 1
    if n % 2 == number then lines[#lines + 1] = line end
  end
end
function request()
  at = at + 1
  local id, time, signature = lines[at]:match("(%S+) (%S+) (.+)")
  return wrk.format("POST", nil, {["content-type"] = "application/json", ["webhook-id"] = id,
    ["webhook-timestamp"] = time, ["webhook-signature"] = signature}, body)
end
body = [[BODY]]
function done(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.timeout
  print(string.format('{"rate": %.1f, "p99": %.3f, "bad": %d}',
    summary.requests / summary.duration * 1e6, latency:percentile(99) / 1000, bad))
end
"""


def write_load(folder: Path) -> None:
    """Sign as many deliveries as can be wanted, and write the script that sends them."""
    now = datetime.now(UTC)
    lines: list[str] = []
    for n in range(DELIVERIES):
        headers = signed(BODY, now, scheme=Scheme.STANDARD, event=f"msg_{n}")
        named = {name.lower(): value for name, value in headers.items()}
        lines.append(
            f"{named['webhook-id']} {named['webhook-timestamp']} {named['webhook-signature']}"
        )
    (folder / "deliveries").write_text("\n".join(lines), "utf-8")
    (folder / "load.lua").write_text(SCRIPT.replace("BODY", BODY.decode()), "utf-8")


def load(port: int, path: str, folder: Path) -> dict[str, Any]:
    """Return the rate and latency that wrk sees."""
    done = subprocess.run(
        [*WRK, f"http://127.0.0.1:{port}{path}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    if figures["bad"]:
        raise SystemExit(f"{figures['bad']} deliveries were not acknowledged:\n{done.stdout}")
    return figures


async def serve(app: Any, path: str, folder: Path) -> dict[str, Any]:
    """Serve `app` while the load runs."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        while not server.started:  # noqa: ASYNC110 - it tells by nothing else
            await asyncio.sleep(0.01)
        figures = await asyncio.to_thread(load, port, path, folder)
        server.should_exit = True
        await serving
    return figures


async def ours(url: str, folder: Path) -> dict[str, Any]:
    """Measure our doors on the store at `url`."""
    store = await open_store(url)
    house = open_house(folder, store, SystemClock(), SystemIds())
    await house.into_production()
    figures = await serve(house.app, "/hooks/bare", folder)
    kept = len(await store.deliveries("bare", limit=DELIVERIES))
    await store.close()
    return {**figures, "kept": kept}


async def plain(url: str, folder: Path) -> dict[str, Any]:
    """Measure a handler without signatures, runs or grouping: one INSERT for each request."""
    pool: Any = await cast("Any", asyncpg).create_pool(url, min_size=8, max_size=16)
    await pool.execute("CREATE TABLE plain (id text PRIMARY KEY, body bytea NOT NULL)")

    async def keep(request: Request) -> Response:
        body = await request.body()
        await pool.execute(
            "INSERT INTO plain VALUES ($1, $2) ON CONFLICT DO NOTHING",
            request.headers["webhook-id"],
            body,
        )
        return Response(status_code=202)

    figures = await serve(
        Starlette(routes=[Route("/hooks/bare", keep, methods=["POST"])]), "/hooks/bare", folder
    )
    await pool.close()
    return figures


def main() -> None:
    """Take one measurement, and print its figures."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="hooks-") as folder:
        write_load(Path(folder))
        measure = {"ours": ours, "plain": plain}[sys.argv[1]]
        print(json.dumps(loop.run(measure(sys.argv[2], Path(folder)))))  # as `serve` runs


if __name__ == "__main__":
    main()
