"""Inspect, with a solver that calls no model and as many samples at once as ours.

    python on_inspect.py COUNT

It writes its log as it goes, in the format that its documentation advises for many samples.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import exact
from inspect_ai.solver import Generate, Solver, TaskState, solver

AT_ONCE = 50
SECONDS = 0.02


@solver
def double() -> Solver:
    async def solve(state: TaskState, _: Generate) -> TaskState:
        await asyncio.sleep(SECONDS)
        state.output.completion = str(int(state.input_text) * 2)
        return state

    return solve


def main() -> None:
    count = int(sys.argv[1])
    samples = [Sample(input=str(n), target=str(n * 2)) for n in range(count)]
    task = Task(dataset=MemoryDataset(samples), solver=double(), scorer=exact())
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        [log] = evaluate(
            task,
            model="mockllm/model",
            max_samples=AT_ONCE,
            display="none",
            log_dir=folder,
            log_format="eval",
        )
    seconds = time.perf_counter() - start
    if log.status != "success" or log.results.completed_samples != count:
        raise SystemExit(f"{log.status}: {log.results and log.results.completed_samples} samples")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ideal = count * SECONDS / AT_ONCE
    print(json.dumps({"ideal": seconds / ideal, "seconds": seconds, "memory": most}))


if __name__ == "__main__":
    main()
