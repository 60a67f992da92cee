"""The work that is measured: nothing at all, three steps, and a wait for a person."""

from __future__ import annotations

import asyncio
import time

from proveout import review, step, workflow

started: list[float] = []
"""Moments, on the monotonic clock, at which `stamp` was called in this process."""

stamped = asyncio.Event()
"""Set whenever it was."""


@workflow
async def no_op(n: int) -> int:
    return n


@workflow
async def stamp(n: int) -> int:
    started.append(time.perf_counter())
    stamped.set()
    return n


@step
async def first(n: int) -> int:
    return n + 1


@step
async def second(n: int) -> int:
    return n * 2


@step
async def third(n: int) -> int:
    return n - 1


@workflow
async def three_steps(n: int) -> int:
    return await third(await second(await first(n)))


@workflow
async def waits(n: int) -> int:
    return (await review(n, queue="support")).value
