"""One worker process and four, on the same full queue: runs a second of each.

python processes.py URL WORKFLOW COUNT
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, cast

from ours import fill, opened

OURS = str(Path(__file__).with_name("ours.py"))


def rate(url: str, workflow: str, count: int, processes: int) -> float:
    """Return how many runs a second some worker processes settle together."""
    asyncio.run(_fill(url, workflow, count))
    workers = [
        subprocess.Popen(
            [sys.executable, OURS, "work", url, workflow],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for worker in workers:
        cast("IO[str]", worker.stdout).readline()
    start = time.perf_counter()
    said = [worker.communicate("go\n")[0] for worker in workers]
    seconds = time.perf_counter() - start
    settled = sum(json.loads(line)["settled"] for line in said)
    if settled != count:
        raise SystemExit(f"{settled} of {count} runs were settled")
    return count / seconds


async def _fill(url: str, workflow: str, count: int) -> None:
    async with opened(url) as bench:
        await fill(bench, workflow, count)


def main() -> None:
    """Measure both, and print their rates."""
    url, workflow, count = sys.argv[1:]
    one = rate(url, workflow, int(count), 1)
    print(json.dumps({"one": one, "four": rate(url, workflow, int(count), 4)}))


if __name__ == "__main__":
    main()
