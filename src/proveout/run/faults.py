"""Injecting faults: calls that get what a vendor gives on a bad day, and reach no vendor."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.domain.model_call import Caller
    from proveout.domain.model_fault import Faults
    from proveout.ports.meter import Asked, Denied, Instead, Substitute


class Injected:
    """Stands in for vendors with a fault, for the calls that are to meet it."""

    def __init__(self, faults: Faults, others: Substitute | None = None) -> None:
        """Inject faults.

        Args:
            faults: what they are, and which calls meet them.
            others: stands in for the vendors of all other calls; None to ask those.
        """
        self._faults = faults
        self._others = others
        self._lock = threading.Lock()
        self._calls = 0

    def answer(self, caller: Caller, asked: Asked) -> Instead | Denied | None:
        """Return what the call gets; None where its vendor is asked."""
        with self._lock:
            before, self._calls = self._calls, self._calls + 1
        if self._faults.meets(before):
            return self._faults.fault
        return None if self._others is None else self._others.answer(caller, asked)
