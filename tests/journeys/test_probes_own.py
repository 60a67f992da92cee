"""What we ask of foreign receivers, our own hooks do."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from journeys.site import SETTINGS
from journeys.test_serve import serving
from proveout.domain.delivery import Scheme
from proveout.faces.probing import Asked
from proveout.ready.probes.probe import Status
from receivers.probed import PAYLOAD, QUICK, probed
from receivers.shop import SECRET

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from journeys.site import Site
    from proveout.ready.probes.conduct import Probed

pytestmark = pytest.mark.journey

APP = """
import fcntl
import json
import os
from pathlib import Path

from proveout import effect, step, workflow

OUTSIDE = Path(os.environ["OUTSIDE"])

@step(retries=3)
def read(event: dict) -> dict:
    poison = event["data"]["object"].get("poison")
    if poison and not (OUTSIDE / poison).exists():
        (OUTSIDE / poison).touch()
        raise RuntimeError("poisoned")
    return event

@effect
def tell(event: dict, *, idempotency_key: str = "") -> None:
    about = event["data"]["object"]
    with (OUTSIDE / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = OUTSIDE / f"{idempotency_key}.done"
        if done.exists():
            return
        done.touch()
        with (OUTSIDE / "told.log").open("a") as log:
            log.write(event.get("event_id", event["id"]) + "\\n")
        place = OUTSIDE / f"{about['id']}.json"
        before = json.loads(place.read_text())["created"] if place.exists() else 0
        if event["created"] >= before:
            fresh = place.with_suffix(".new")
            fresh.write_text(json.dumps({"created": event["created"], "status": about["status"]}))
            fresh.replace(place)

@workflow
def answer(event: dict) -> str:
    tell(read(event))
    return event["type"]
"""

SOURCE = """
[sources.{scheme}]
scheme = "{scheme}"
secret_env = "OWN_SECRET"
types = ["invoice.paid"]
"""


@contextmanager
def witness(outside: Path) -> Generator[str]:
    """Serve how often an event was told, and the state of an object; gives the address."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, name = self.path.strip("/").split("/")
            log, place = outside / "told.log", outside / f"{name}.json"
            told = log.read_text("utf-8").splitlines() if log.exists() else []
            state = place.read_text("utf-8") if place.exists() else '{"status": null}'
            said = json.dumps({"count": told.count(name)}) if kind == "effects" else state
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_our_own_hooks_pass_every_probe(
    local: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every scheme, through the real server; effects by real workers on a real store."""
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.setenv("OUTSIDE", str(outside))
    monkeypatch.setenv("OWN_SECRET", SECRET)
    promote(local)

    def asked(address: str, scheme: Scheme, told: str) -> Asked:
        return Asked(
            url=f"{address}/hooks/{scheme.value}",
            scheme=scheme,
            secret=SECRET,
            payload=PAYLOAD,
            effects_url=f"{told}/effects/{{id}}" if scheme is Scheme.STRIPE else None,
            state_url=f"{told}/state/{{id}}" if scheme is Scheme.STRIPE else None,
            bounds=replace(QUICK, tries=5, patience=120),
        )

    async def all_schemes(address: str, told: str) -> dict[Scheme, Probed]:
        return {scheme: await probed(asked(address, scheme, told)) for scheme in Scheme}

    with witness(outside) as told, serving(local) as (_, address):
        found = asyncio.run(all_schemes(address, told))

    bad = (Status.FAILED, Status.BLOCKED)
    assert {one.probe.id: one.note for each in found.values() for one in each.ended(*bad)} == {}
    assert len(found[Scheme.STRIPE].ended(Status.PASSED)) == 23


def promote(site: Site) -> None:
    """Bring a workflow into production that takes webhooks of every scheme."""
    cases = (
        {"input": {**json.loads(PAYLOAD), "id": f"evt_{n}"}, "expected": "invoice.paid"}
        for n in range(60)
    )
    site.write("cases.jsonl", "\n".join(map(json.dumps, cases)) + "\n")
    site.write("app.py", APP)
    sources = "".join(SOURCE.format(scheme=scheme.value) for scheme in Scheme)
    site.write("proveout.toml", SETTINGS + sources)
    site.do("prove")
    release = site.ask("release", "create")["name"]
    site.prove_claims(release)
    site.do("promote", release, "--accept", "whole numbers only")
