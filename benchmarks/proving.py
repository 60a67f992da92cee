"""One experiment over many cases, in a process of its own: prints its figures as one line.

python proving.py ours COUNT     durable as always, every case read in the recorded order
python proving.py bare COUNT     a loop of asyncio, its answers appended to a file

A case waits for 20 ms, as a quick model would have it wait, and 50 are in flight at once.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from proveout import prove, score
from proveout.domain.verdict import Verdict
from proveout.faces import loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

AT_ONCE = 50
SECONDS = 0.02


async def double(n: int) -> int:
    """Answer a case."""
    await asyncio.sleep(SECONDS)
    return n * 2


async def ours(count: int) -> int:
    """Try cases until it is likely enough that none fails: 19 of 20; return the calls made."""
    cases = [{"input": n, "expected": n * 2} for n in range(count)]
    none_fails = score("exact", floor=1 - 0.5 / count, target=1 - 0.1 / count)
    account = await prove(double, cases, [none_fails], concurrency=AT_ONCE)
    if account.own.verdict is not Verdict.GO or account.own.errors:
        raise SystemExit(f"{account.own.verdict} with {account.own.errors} errors")
    return account.own.calls


async def bare(count: int) -> int:
    """Answer every case, and write each answer down; return their count."""
    left = iter(range(count))
    with tempfile.TemporaryFile("w") as answers:

        async def work() -> None:
            for n in left:
                passed = await double(n) == n * 2
                answers.write(json.dumps({"case": n, "passed": passed}) + "\n")

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return count


SIDES: dict[str, Callable[[int], Coroutine[Any, Any, int]]] = {"ours": ours, "bare": bare}


def main() -> None:
    """Take one measurement, and print how many times the ideal it took, and the memory."""
    name, count = sys.argv[1:]
    start = time.perf_counter()
    calls = loop.run(SIDES[name](int(count)))
    print(json.dumps(figures(time.perf_counter() - start, calls)))


def figures(seconds: float, calls: int) -> dict[str, float]:
    """Return the seconds as a multiple of those spent waiting, and the most memory, in MiB."""
    ideal = calls * SECONDS / AT_ONCE
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ideal": seconds / ideal, "seconds": seconds, "memory": most}


if __name__ == "__main__":
    main()
