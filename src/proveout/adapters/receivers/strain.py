"""How busy this machine is, by a piece of work of our own."""

from __future__ import annotations

import asyncio
import hashlib
import time

WORK = 0.05
"""Seconds of computing that are measured; alone they take as long by the clock."""

LONGEST = 10.0
"""Seconds by the clock after which the work is given up."""


async def strain() -> float:
    """Return how many times longer than alone this machine takes for a piece of work.

    A program that shares its processor with two others of its kind gets a third of it, and so
    does a receiver on this machine: 3.
    """
    return await asyncio.to_thread(_measured)


def _measured() -> float:
    began, began_working = time.monotonic(), time.thread_time()
    piece = bytes(4096)
    passed = worked = 0.0
    while worked < WORK and passed < LONGEST:
        hashlib.sha256(piece).digest()
        passed, worked = time.monotonic() - began, time.thread_time() - began_working
    return max(1.0, passed / max(worked, 1e-6))
