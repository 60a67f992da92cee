"""Keeping leases alive, from a thread that no workflow can block."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from structlog.typing import FilteringBoundLogger

    from proveout.domain.run import RunId
    from proveout.ports.store import Held, Keeper

BEATS = 3
"""Renewals in the time of one lease."""


class Heartbeat:
    """Renews the leases of a worker's runs until it is stopped.

    It renews nothing while `is_stuck` says that the process is to end because of its loop.
    """

    def __init__(
        self,
        keeper: Keeper,
        lease: timedelta,
        on_lost: Callable[[set[RunId]], None],
        log: FilteringBoundLogger,
        is_stuck: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_stuck = is_stuck
        self._keeper = keeper
        self._lease = lease
        self._on_lost = on_lost
        self._log = log
        self._held: dict[RunId, Held] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def hold(self, held: Held) -> None:
        """Renew this run's lease from now on."""
        with self._lock:
            self._held[held.run] = held

    def let_go(self, held: Held) -> None:
        """Renew it no longer."""
        with self._lock:
            if self._held.get(held.run) == held:
                del self._held[held.run]

    def stop(self) -> None:
        """End the thread; what it held lapses unless it was settled."""
        self._stop.set()
        self._thread.join()
        self._keeper.close()

    def _beat(self) -> None:
        every = self._lease.total_seconds() / BEATS
        began = time.monotonic()
        while not self._stop.wait(began + every - time.monotonic()):
            began = time.monotonic()  # a lease counts from here, however long its renewal takes
            with self._lock:
                held = list(self._held.values())
            if not held or self._is_stuck():
                continue
            try:
                lost = self._keeper.renew(held, self._lease)
            except Exception as error:  # noqa: BLE001 - one fault must not end all renewals
                self._log.warning("lease.not_renewed", runs=len(held), error=str(error))
                continue
            if lost:
                self._on_lost(lost)
