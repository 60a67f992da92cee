"""Workers on several machines: the link of one is cut, and comes back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from doubles.cluster import Addressed, at
from doubles.machines import Namespace, machines
from faults.conftest import APP, FULL, PATIENCE, SETTINGS, Service, Site
from faults.watch import CLOCK, all_ended, states, until, watching

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from doubles.machines import Machine, Machines

pytestmark = pytest.mark.faults

COUNT = 3
RUNS = 3_000 if FULL else 240
LEASE = 2.0
BUSY = (
    "SELECT FROM (SELECT worker FROM proveout.runs WHERE state = 'RUNNING' GROUP BY worker"
    " HAVING count(*) >= 2) AS busy HAVING count(*) = $1"
)
"""Every worker is at several runs."""

LEARNED = ("run.lost", "run.not_settled", "run.abandoned")
"""What a worker says that was refused, or that could not ask for too long."""

STANDING = (
    "SELECT FROM pg_stat_activity WHERE application_name = ANY ($1::text[])"
    " AND state = 'active' HAVING count(*) = $2"
)
"""So many of these sessions are in mid-statement."""

STRANDED = "SELECT FROM proveout.runs WHERE state = 'RUNNING' AND lease_until < now()"


@pytest.fixture
def hosts() -> Generator[Machines]:
    """Return three machines beside the server's."""
    with machines(COUNT) as made:
        yield made


HALF = """
import socket
import struct
import sys
from time import sleep
from proveout.adapters.postgres.silence import NOTICED

wire = socket.create_connection((sys.argv[1], 5432))

def say(kind, body):
    wire.sendall(kind + struct.pack("!I", len(body) + 4) + body)

def words(**named):
    return b"".join(f"{name}\\0{value}\\0".encode() for name, value in named.items()) + b"\\0"

settings = NOTICED if sys.argv[2] == "noticed" else {}
who = words(user="postgres", database="postgres", application_name=sys.argv[2], **settings)
say(b"", struct.pack("!I", 196608) + who)
say(b"Q", b"BEGIN; SET LOCAL idle_in_transaction_session_timeout = '1s'; SELECT 1\\0")
say(b"P", b"\\0SELECT 1\\0\\0\\0")
say(b"H", b"")
sleep(600)
"""
"""Stops in mid-statement, as a driver stands between preparing it and sending its values."""


@pytest.fixture
def service(hosts: Machines) -> Generator[Service]:
    """Return a service that every machine reaches."""
    service = Service(hosts.address)
    yield service
    service.stop()


@pytest.fixture
def server(hosts: Machines) -> Generator[Addressed]:
    """Return a server that every machine reaches."""
    with Addressed(address=hosts.address, welcome=hosts.subnet) as server:
        yield server


@pytest.fixture
def store_url(server: Addressed) -> str:
    """Return where the store is, seen from here."""
    return at(server.url, server)


@pytest.fixture
def site(site: Site) -> Site:
    """Return a project whose steps last long enough to be cut."""
    app = APP.replace("asyncio.sleep(0.005)", "asyncio.sleep(0.4)")
    assert app != APP
    (site.folder / "app.py").write_text(app, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    return site


def enqueue(site: Site, first: int, count: int) -> None:
    """Make runs durable."""
    lines = "".join(f"{number}\n" for number in range(first, first + count))
    (site.folder / "inputs.jsonl").write_text(lines, "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")


def start(site: Site, hosts: Machines, machine: Machine, log: Path, *fate: str) -> None:
    """Start a worker on a machine."""
    url = site.environment["PROVEOUT_STORE"].replace(hosts.address, machine.server(hosts.address))
    command = ["-m", *(("doubles.mortal", *fate) if fate else ("proveout",)), "work"]
    with log.open("ab") as words:
        process = subprocess.Popen[bytes](
            [*machine.prefix, sys.executable, *command, "--effects", "live", "--concurrency", "8"],
            cwd=site.folder,
            env={**site.environment, "PROVEOUT_STORE": url},
            stdout=subprocess.DEVNULL,
            stderr=words,
        )
    site.started.append(process)


async def start_all(site: Site, hosts: Machines, *fate: str) -> list[Path]:
    """Start a worker on each machine; return their logs once all of them work."""
    logs = [site.folder / f"machine-{number}.log" for number in range(COUNT)]
    for machine, log in zip(hosts.machines, logs, strict=True):
        start(site, hosts, machine, log, *fate)
    async with asyncio.timeout(PATIENCE):
        while not all("working on" in log.read_text("utf-8") for log in logs):
            await CLOCK.sleep(0.05)
    return logs


async def until_busy(url: str, service: Service, effects: int) -> None:
    """Return when so many effects were seen and every worker has runs in flight."""
    async with watching(url) as link:
        async with asyncio.timeout(PATIENCE):
            while len(service.keys) < effects:
                await CLOCK.sleep(0.02)
        await until(link, BUSY, COUNT)


async def test_runs_of_a_machine_that_was_cut_off_are_taken_over(
    site: Site,
    hosts: Machines,
    service: Service,
    store_url: str,
    record_property: Callable[[str, object], None],
) -> None:
    """The others finish everything; what the lost one still writes on its return is refused."""
    lost, *others = hosts.machines
    logs = await start_all(site, hosts)
    enqueue(site, 0, RUNS)
    await until_busy(store_url, service, RUNS // 10)

    lost.cut()
    began = CLOCK.monotonic()
    await all_ended(store_url)
    taken = CLOCK.monotonic() - began
    before = await states(store_url)
    lost.mend()
    async with asyncio.timeout(PATIENCE):
        while not any(word in logs[0].read_text("utf-8") for word in LEARNED):
            await CLOCK.sleep(0.05)

    for process in site.started[1:]:
        process.kill()
        process.wait()
    enqueue(site, RUNS, 20)
    await all_ended(store_url)
    found = await states(store_url)
    kind = type(lost).__name__
    record_property("figures", f"{len(others)} of {COUNT} go on: {taken:.1f} s, by {kind}")
    assert site.started[0].poll() is None
    assert set(before.values()) == {"SUCCEEDED"}
    assert list(found.values()).count("SUCCEEDED") == len(found) == RUNS + 20
    assert len(service.keys) == RUNS + 20
    assert {len(keys) for keys in service.of.values()} == {1}


async def test_without_recovery_the_runs_of_a_lost_machine_stay(
    site: Site, hosts: Machines, service: Service, store_url: str
) -> None:
    """Negative control: with the lapse of leases switched off, the same cut strands runs."""
    await start_all(site, hosts, "unrecovering", "0")
    enqueue(site, 0, 120)
    await until_busy(store_url, service, 10)

    hosts.machines[0].cut()

    async with watching(store_url) as link:
        await until(
            link, "SELECT WHERE NOT EXISTS (SELECT FROM proveout.runs WHERE state = 'QUEUED')"
        )
        await CLOCK.sleep(2 * LEASE)
        assert await link.fetch(STRANDED)


async def test_a_machine_that_was_cut_off_in_mid_statement_is_noticed(
    site: Site, hosts: Machines, store_url: str
) -> None:
    """Keepalives end its transaction; without them, the control beside it, nothing does."""
    if not isinstance(hosts.machines[0], Namespace):
        pytest.skip("a wire of the test's answers keepalives, whichever of its ends is cut")
    names = ("noticed", "unnoticed")
    for name, machine in zip(names, hosts.machines, strict=False):
        command = [*machine.prefix, sys.executable, "-c", HALF, hosts.address, name]
        site.started.append(subprocess.Popen[bytes](command, env=site.environment))
    async with watching(store_url) as link:
        await until(link, STANDING, list(names), len(names))
        for machine in hosts.machines:
            machine.cut()

        await until(link, STANDING, list(names), 1)

        assert await link.fetch(STANDING, ["unnoticed"], 1)
