"""Where figures come from: the machine, the versions and the day."""

from __future__ import annotations

import os
import platform
import sqlite3
import timeit
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def described(server: str) -> list[str]:
    """Return lines that say where and with what was measured; `server` is PostgreSQL's version."""
    return [
        f"{os.cpu_count()} cores, {_memory():.0f} GiB of memory",
        f"{platform.system()} {platform.release()}, CPython {platform.python_version()}",
        f"PostgreSQL {server} at default durability",
        f"SQLite {sqlite3.sqlite_version} with synchronous=FULL",
        f"Proveout {version('proveout')}",
    ]


def moment() -> str:
    """Return the day, the processor, and how fast it is now: shared machines differ by the hour."""
    return f"{datetime.now(UTC):%d %b %Y}, {_processor()}, {_pace():.0f} µs"


def _pace() -> float:
    """Return how many microseconds a small piece of pure Python takes now, at best."""
    return min(timeit.repeat("sum(range(1000))", number=1000, repeat=9)) * 1000


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
