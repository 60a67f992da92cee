"""Injecting faults: calls that get what a vendor gives on a bad day, and reach no vendor."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.domain.model_call import Caller
    from proveout.domain.model_fault import Fault, Faults
    from proveout.ports.meter import Asked


class Injected:
    """Stands in for vendors with a fault, for the calls that are to meet it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._calls = 0

    def answer(self, caller: Caller, asked: Asked) -> Fault | None:
        """Return what the call gets; None where it goes on."""
        del caller, asked
        with self._lock:
            before, self._calls = self._calls, self._calls + 1
        return self._faults.fault if self._faults.meets(before) else None
