"""pydantic-evals, with as many at once as ours: results are kept in memory until the end.

python on_pydantic_evals.py COUNT
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time

from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected

AT_ONCE = 50
SECONDS = 0.02


async def double(n: int) -> int:
    await asyncio.sleep(SECONDS)
    return n * 2


async def evaluate(count: int) -> None:
    cases = [Case(name=str(n), inputs=n, expected_output=n * 2) for n in range(count)]
    dataset = Dataset(name="doubles", cases=cases, evaluators=[EqualsExpected()])
    report = await dataset.evaluate(double, max_concurrency=AT_ONCE, progress=False)
    if len(report.cases) != count:
        raise SystemExit(f"{len(report.cases)} of {count} cases")


def main() -> None:
    count = int(sys.argv[1])
    start = time.perf_counter()
    asyncio.run(evaluate(count))
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ideal = count * SECONDS / AT_ONCE
    print(json.dumps({"ideal": seconds / ideal, "seconds": seconds, "memory": most}))


if __name__ == "__main__":
    main()
