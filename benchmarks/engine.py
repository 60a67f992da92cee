"""How fast we are, beside others on the same machine in the same run.

    make bench                      every row, medians of five; writes benchmarks/results.md
    make bench ROWS="three-steps"   some rows; the others keep what was measured before

Each side runs in a process of its own on a fresh database, ours and the peer's in turn, so
that a machine that becomes slower does so for both. Ratios come first: they travel, rates
do not.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from machine import described, moment

from doubles.postgres import Databases, OwnServer

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PEERS = Path(os.environ.get("PEERS", HERE.parent / ".venv-bench"))
"""The environment that holds the peers; they are dependencies of nothing else."""

ROUNDS = 5
PATIENCE = 900
"""Seconds that one measurement may take."""

Figures: TypeAlias = "dict[str, float]"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of those compared.

    Attributes:
        script: a file beside this one.
        arguments: its words; "URL" stands for a fresh store.
        store: "postgres", "sqlite", or "none" where it is given none.
    """

    name: str
    script: str
    arguments: tuple[str, ...]
    store: str = "postgres"

    @property
    def python(self) -> str:
        """The interpreter of the environment it needs."""
        return str(PEERS / "bin/python") if self.script.startswith("peers/") else sys.executable


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        says: the figures of the sides, ours first, as cells: goal, ours, beside it, ratio.
    """

    name: str
    title: str
    goal: str
    sides: tuple[Side, ...]
    says: Callable[[list[Figures]], tuple[str, str, str]]
    rounds: int = ROUNDS


def rates(*names: str) -> Callable[[list[Figures]], tuple[str, str, str]]:
    """Say how many a second ours and each peer did, and how many times the peer's ours are."""

    def says(figures: list[Figures]) -> tuple[str, str, str]:
        ours, *others = (one["rate"] for one in figures)
        ratios = ", ".join(f"{ours / other:.1f} x" for other in others)
        beside = ", ".join(
            f"{name} {other:,.0f}/s" for name, other in zip(names, others, strict=True)
        )
        return ratios, f"{ours:,.0f}/s", beside

    return says


def moments(*names: str) -> Callable[[list[Figures]], tuple[str, str, str]]:
    """Say the median and the 99th percentile of ours and each peer, in milliseconds."""

    def says(figures: list[Figures]) -> tuple[str, str, str]:
        ours, *others = figures
        ratios = ", ".join(f"{ours['p50'] / other['p50']:.2f} x" for other in others)
        beside = ", ".join(f"{name} {_pair(one)}" for name, one in zip(names, others, strict=True))
        return ratios, _pair(ours), beside

    return says


def _pair(figures: Figures) -> str:
    return f"p50 {figures['p50']:.1f} ms, p99 {figures['p99']:.1f} ms"


def _waiting(figures: list[Figures]) -> tuple[str, str, str]:
    [ours] = figures
    cost = f"parked {ours['rate']:,.0f}/s, memory + {ours['growth']:.0f} MiB"
    return "", f"{cost}, decision to end p99 {ours['p99']:.0f} ms", ""


def _finished(figures: list[Figures]) -> tuple[str, str, str]:
    [ours] = figures
    ratios = (
        f"{ours['claim'] / ours['claim_empty']:.1f} x, {ours['list'] / ours['list_empty']:.1f} x"
    )
    claim = f"claim p99 {ours['claim']:.1f} ms (empty {ours['claim_empty']:.1f})"
    return ratios, f"{claim}, page p95 {ours['list']:.1f} ms (empty {ours['list_empty']:.1f})", ""


def _processes(figures: list[Figures]) -> tuple[str, str, str]:
    [ours] = figures
    ratio = f"{ours['four'] / ours['one']:.1f} x"
    return ratio, f"four {ours['four']:,.0f}/s, one {ours['one']:,.0f}/s", f"{os.cpu_count()} cores"


def _proven(figures: list[Figures]) -> tuple[str, str, str]:
    """Say how many times the time spent waiting it took: ours, the bare loop, and the peers."""
    names = ("ours", "bare loop", "pydantic-evals", "Inspect", "promptfoo")
    said = [
        f"{name} {one['ideal']:.2f} x, {one['memory']:.0f} MiB"
        for name, one in zip(names, figures, strict=False)
    ]
    return f"{figures[0]['ideal']:.2f} x", said[0].removeprefix("ours "), ", ".join(said[1:])


def _pages(figures: list[Figures]) -> tuple[str, str, str]:
    [ours] = figures
    said = f"slowest kind p95 {ours['p95']:.0f} ms, run list {ours['list']:.0f} ms"
    return "", f"{said}, overview {ours['overview']:.0f} ms", ""


def _busy(figures: list[Figures]) -> tuple[str, str, str]:
    [ours] = figures
    return "", f"p95 {ours['p95']:.0f} ms at {ours['rate']:.0f} changes/s", ""


def _hooks(figures: list[Figures]) -> tuple[str, str, str]:
    ours, plain = figures
    ratio = f"{ours['rate'] / plain['rate']:.1f} x"
    return ratio, f"{ours['rate']:,.0f}/s, p99 {ours['p99']:.0f} ms", f"{plain['rate']:,.0f}/s"


def ours(*arguments: str, store: str = "postgres", script: str = "ours.py") -> Side:
    """Return our side of a row."""
    return Side(name="ours", script=script, arguments=arguments, store=store)


def peer(name: str, *arguments: str, store: str = "postgres") -> Side:
    """Return a peer's side of a row."""
    return Side(name=name, script=f"peers/on_{name}.py", arguments=arguments, store=store)


ROWS = (
    Row(
        name="three-steps",
        title="three-step runs, PostgreSQL",
        goal="≥ 3,000/s and ≥ 20 x DBOS",
        sides=(
            ours("drain", "URL", "three_steps", "20000"),
            peer("dbos", "drain", "URL", "three_steps", "400"),
        ),
        says=rates("DBOS"),
    ),
    Row(
        name="no-op",
        title="no-op runs, PostgreSQL",
        goal="≥ 8,000/s and ≥ 1.3 x PgQueuer",
        sides=(
            ours("drain", "URL", "no_op", "40000"),
            peer("pgqueuer", "drain", "URL", "20000"),
            peer("procrastinate", "drain", "URL", "1500"),
        ),
        says=rates("PgQueuer", "Procrastinate"),
    ),
    Row(
        name="three-steps-sqlite",
        title="three-step runs, SQLite",
        goal="≥ 5,000/s",
        sides=(
            ours("drain", "URL", "three_steps", "20000", store="sqlite"),
            peer("dbos", "drain", "URL", "three_steps", "300", store="sqlite"),
        ),
        says=rates("DBOS"),
    ),
    Row(
        name="latency",
        title="enqueue to start, idle, PostgreSQL",
        goal="p50 ≤ 5 ms, p99 ≤ 15 ms",
        sides=(ours("latency", "URL", "500"), peer("pgqueuer", "latency", "URL", "500")),
        says=moments("PgQueuer"),
    ),
    Row(
        name="hooks",
        title="signed webhook to durable acknowledgement, 32 connections, PostgreSQL",
        goal="≥ 4,000/s, p99 ≤ 50 ms",
        sides=(
            ours("ours", "URL", script="hooks.py"),
            ours("plain", "URL", script="hooks.py"),
        ),
        says=_hooks,
    ),
    Row(
        name="hooks-sqlite",
        title="the same, SQLite",
        goal="≥ 3,000/s, p99 ≤ 50 ms",
        sides=(
            ours("ours", "URL", script="hooks.py", store="sqlite"),
            ours("plain", "URL", script="hooks.py"),
        ),
        says=_hooks,
    ),
    Row(
        name="waiting",
        title="100,000 runs waiting for a person, PostgreSQL",
        goal="0 slots, memory flat, decision to resumed p99 ≤ 100 ms",
        sides=(ours("waiting", "URL", "100000"),),
        says=_waiting,
        rounds=1,
    ),
    Row(
        name="finished",
        title="beside 1,000,000 finished runs, PostgreSQL",
        goal="claim p99 and page p95 within 2 x of empty",
        sides=(ours("finished", "URL", "1000000"),),
        says=_finished,
        rounds=1,
    ),
    Row(
        name="pages",
        title="pages of the console beside 1,000,000 runs, PostgreSQL",
        goal="p95 ≤ 100 ms",
        sides=(ours("many", "URL", "1000000", script="pages.py"),),
        says=_pages,
        rounds=1,
    ),
    Row(
        name="pages-sqlite",
        title="pages of the console beside 1,000,000 runs, SQLite",
        goal="p95 ≤ 100 ms",
        sides=(ours("many", "URL", "1000000", script="pages.py", store="sqlite"),),
        says=_pages,
        rounds=1,
    ),
    Row(
        name="pages-busy",
        title="run list of the console at 200 changes a second, PostgreSQL",
        goal="p95 ≤ 100 ms",
        sides=(ours("busy", "URL", "20", script="pages.py"),),
        says=_busy,
    ),
    Row(
        name="pages-busy-sqlite",
        title="run list of the console at 200 changes a second, SQLite",
        goal="p95 ≤ 100 ms",
        sides=(ours("busy", "URL", "20", script="pages.py", store="sqlite"),),
        says=_busy,
    ),
    Row(
        name="processes",
        title="four worker processes, three steps, PostgreSQL",
        goal="≥ 2.5 x of one where cores allow",
        sides=(ours("URL", "three_steps", "20000", script="processes.py"),),
        says=_processes,
    ),
    Row(
        name="prove",
        title="`prove`, 2,000 cases of 20 ms, 50 at once, SQLite",
        goal="≤ 1.3 x the time spent waiting",
        sides=(
            ours("ours", "2000", script="proving.py", store="none"),
            ours("bare", "2000", script="proving.py", store="none"),
            peer("pydantic_evals", "2000", store="none"),
            peer("inspect", "2000", store="none"),
            peer("promptfoo", "2000", store="none"),
        ),
        says=_proven,
    ),
    Row(
        name="prove-many",
        title="the same, 20,000 cases",
        goal="≤ 1.2 x, memory flat",
        sides=(
            ours("ours", "20000", script="proving.py", store="none"),
            ours("bare", "20000", script="proving.py", store="none"),
            peer("pydantic_evals", "20000", store="none"),
        ),
        says=_proven,
    ),
)


@dataclass
class Stores:
    """Fresh stores, thrown away afterwards."""

    databases: Databases
    folder: Path

    def fresh(self, side: Side) -> str:
        """Return the URL of a store for one measurement; a peer makes its own tables."""
        if side.store == "none":
            return ""
        if side.store == "sqlite":
            return f"sqlite:///{self.folder / secrets.token_hex(6)}.db"
        return self.databases.fresh() if side.name == "ours" else self.databases.empty()

    def drop(self, url: str) -> None:
        """Throw one away; a file goes with its folder."""
        if url.startswith("postgres"):
            self.databases.drop(url)


def measure(side: Side, stores: Stores) -> Figures:
    """Return what one side says of one measurement, in a process of its own."""
    url = stores.fresh(side)
    try:
        command = [url if word == "URL" else word for word in side.arguments]
        done = subprocess.run(
            [side.python, str(HERE / side.script), *command],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            raise SystemExit(f"{side.script} {' '.join(side.arguments)}: {done.stderr[-2000:]}")
        return json.loads(lines[-1])
    finally:
        stores.drop(url)


def medians(rounds: list[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


def take(row: Row, stores: Stores) -> tuple[str, ...]:
    """Return the cells of a row, measured now; the sides take turns."""
    taken: list[list[Figures]] = [[] for _ in row.sides]
    for _ in range(row.rounds):
        for side, rounds in zip(row.sides, taken, strict=True):
            rounds.append(measure(side, stores))
    return (row.title, row.goal, *row.says([medians(rounds) for rounds in taken]), moment())


HEAD = ("work", "goal", "ratio", "ours", "beside it", "measured")


def main() -> None:
    """Take the rows that are named, or all, and write the whole table down."""
    names = sys.argv[1:]
    rows = [row for row in ROWS if not names or row.name in names]
    with ExitStack() as opened:
        server = opened.enter_context(OwnServer("fsync=on"))
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        databases = Databases(server.url)
        opened.callback(databases.close)
        for row in rows:
            cells = take(row, Stores(databases, folder))
            print(*cells, sep=" | ", flush=True)
            write(cells, databases.version())  # after each row: what was measured is kept


def write(cells: tuple[str, ...], server: str) -> None:
    """Put a row into the table beside this file."""
    page = HERE / "results.md"
    known = {line.split(" | ")[0][2:]: line for line in page.read_text("utf-8").splitlines()}
    known[cells[0]] = f"| {' | '.join(cells)} |"
    lines = ["# How fast it is", "", *(f"- {line}" for line in described(server))]
    lines += ["- measured: the day, the processor, and how long `sum(range(1000))` took then", ""]
    lines += [f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
    lines += [known[row.title] for row in ROWS if row.title in known]
    lines += ["", f"Medians of {ROUNDS} where not one; `make bench` writes this file.", ""]
    page.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    main()
