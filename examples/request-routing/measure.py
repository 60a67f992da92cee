"""Measure both rankings on every case: `python measure.py`. A tool for developers."""

from __future__ import annotations

import json
from statistics import mean, quantiles
from time import perf_counter
from typing import TYPE_CHECKING

from request_routing import rank_minilm, rank_tfidf
from request_routing.rank_tfidf import CASES
from request_routing.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from request_routing.tool import Ranked


def main() -> None:
    """Print each ranking's accuracy and latency."""
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    inputs = [
        (case["input"]["request"], [Tool(**tool) for tool in case["input"]["tools"]])
        for case in cases
    ]
    expected = [case["expected"] for case in cases]
    measure("minilm", rank_minilm.rank, inputs, expected)
    measure("tf-idf", rank_tfidf.rank, inputs, expected)


def measure(
    name: str,
    rank: Callable[[str, Sequence[Tool]], Ranked],
    inputs: list[tuple[str, list[Tool]]],
    expected: list[str],
) -> None:
    """Print one ranking's line; the first call, which loads, is shown apart."""
    start = perf_counter()
    rank(*inputs[0])
    load = perf_counter() - start

    right, taken = 0, list[float]()
    for (request, tools), answer in zip(inputs, expected, strict=True):
        start = perf_counter()
        right += rank(request, tools).tool == answer
        taken.append(1000 * (perf_counter() - start))

    centiles = quantiles(taken, n=100)
    print(
        f"{name}: {right} of {len(inputs)} right ({right / len(inputs):.2%}); "
        f"mean {mean(taken):.1f} ms, p50 {centiles[49]:.1f} ms, p95 {centiles[94]:.1f} ms; "
        f"first call {load:.2f} s"
    )


if __name__ == "__main__":
    main()
