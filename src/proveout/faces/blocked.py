"""The end of a worker process whose loop is blocked: whoever supervises it starts another."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from proveout.faces.cli.output import say

if TYPE_CHECKING:
    from proveout.run.pulse import Blocked

BLOCKED = 75
"""What a worker exits with whose loop was blocked for half a lease."""


def leave(blocked: Blocked) -> None:
    """End this process at once, from any thread: the loop cannot, and its runs are to go on.

    What it held is renewed no longer and goes to another worker when its lease lapses.
    """
    what = f"the step {blocked.step}" if blocked.step else "code between steps"
    say(
        f"{what} of run {blocked.run or '?'} has blocked this worker for {blocked.seconds:.1f} s,"
        f" at {blocked.line}; its runs go to another worker\n"
        "make it asynchronous, or a plain function: those run in threads"
    )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(BLOCKED)
