"""Watch over a sandbox, as a process that a drill can kill."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.alert import Manner, Policy  # noqa: TC001 - orders are read by it
from proveout.domain.record import Kind, decode, encode
from proveout.errors import ProveoutError
from proveout.faces import loop
from proveout.faces.cli.suspects import die_with_parent
from proveout.faces.log import logger
from proveout.faces.project import channels, open_store, system_bench
from proveout.faces.released_worker import READY, NoSandbox
from proveout.ready.sandbox import Protection
from proveout.ready.unprotected import without
from proveout.watch.deliver import deliver
from proveout.watch.measure import Gauges, Rules
from proveout.watch.tick import Watch, tick

if TYPE_CHECKING:
    from proveout.ports.store import Store

ORDERS = "PROVEOUT_WATCH_ORDERS"

EVERY = 0.2
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOrders:
    """What is watched, and whom it tells.

    Attributes:
        store: URL of the sandbox's store.
        channels: addresses of test receivers, by the names that the policy uses.
        off: the protection that it does without.
    """

    store: str
    workflow: str
    policy: Policy
    manner: Manner
    channels: dict[str, str]
    off: str = ""

    def environ(self) -> dict[str, str]:
        """Return the variable that hands the orders over."""
        return {ORDERS: encode(self).decode()}


async def keep_watch(orders: WatchOrders) -> None:
    """Look and tell until the process is ended.

    Raises:
        NoSandbox: the store is a real one.
    """
    store = await open_store(orders.store)
    try:
        if await store.record(Kind.SANDBOX, "sandbox") is None:
            raise NoSandbox("this store is no sandbox")
        await _watch(orders, store)
    finally:
        await store.close()


async def _watch(orders: WatchOrders, real: Store) -> None:
    log = logger()
    bench = system_bench(real, log)
    store = without(real, Protection(orders.off) if orders.off else None, bench.ids)
    notifier = await asyncio.to_thread(channels, orders.channels, lambda _: "", "")
    watch = Watch(
        store=store,
        ids=bench.ids,
        gauges=Gauges(store, Rules(workflow=orders.workflow)),
        workflow=orders.workflow,
        policy=orders.policy,
        manner=orders.manner,
        channels=frozenset(orders.channels),
    )
    print(READY, flush=True)  # noqa: T201 - whoever started us waits for it
    while True:
        try:
            await tick(watch)
            await deliver(store, bench.ids, notifier, bench.clock.now())
        except ProveoutError as error:
            log.warning("watch.not_kept", error=str(error))
        await bench.clock.sleep(EVERY)


if __name__ == "__main__":
    die_with_parent()
    sys.exit(loop.run(keep_watch(decode(WatchOrders, os.environ.pop(ORDERS).encode()))))
