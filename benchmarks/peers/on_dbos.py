"""DBOS, set up as its documentation advises for one process and a queue.

Synchronous functions on a queue with `worker_concurrency` and a short polling interval: the
fastest of twelve ways that were tried. Its own words for durability: a commit for each
enqueue, each claimed batch, each step and each end.

    python on_dbos.py drain URL three_steps|no_op COUNT
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from dbos import DBOS, DBOSClient

AT_ONCE = 32
POLL = 0.05

left = threading.Semaphore(0)
"""Released once for each run that ends."""


@DBOS.step()
def first(n: int) -> int:
    return n + 1


@DBOS.step()
def second(n: int) -> int:
    return n * 2


@DBOS.step()
def third(n: int) -> int:
    return n - 1


@DBOS.workflow()
def three_steps(n: int) -> int:
    value = third(second(first(n)))
    left.release()
    return value


@DBOS.workflow()
def no_op(n: int) -> int:
    left.release()
    return n


def main() -> None:
    """Drain a full queue, and print how many runs a second that made."""
    _, url, name, count = sys.argv[1:]
    DBOS(
        config={
            "name": "peer",
            "system_database_url": url,
            "log_level": "ERROR",
            "application_version": "1",
        }
    )
    DBOS.launch()
    client = DBOSClient(system_database_url=url)
    start = time.perf_counter()
    for n in range(int(count)):
        client.enqueue({"workflow_name": name, "queue_name": "full", "app_version": "1"}, n)
    entered = time.perf_counter()
    DBOS.register_queue("full", worker_concurrency=AT_ONCE, polling_interval_sec=POLL)
    for _ in range(int(count)):
        left.acquire()
    ended = time.perf_counter()
    rates = {"enqueued": int(count) / (entered - start), "rate": int(count) / (ended - entered)}
    print(json.dumps(rates), flush=True)
    os._exit(0)  # it would finish its polling first


if __name__ == "__main__":
    main()
