"""The pulse of a worker's loop, felt from a thread: a loop that answers no more is blocked.

Code that blocks the loop holds up every run of its worker. What blocks it is read from the
loop's own stack: the innermost code that is neither ours nor a library's, and the step and
run on whose behalf it was called. Code that also keeps the interpreter from switching
threads, inside an extension, can be seen only once it lets go.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proveout.run.attempt import Attempt
from proveout.run.branch import Branch, Contained
from proveout.run.step import Inside, perform

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from types import FrameType

    from structlog.typing import FilteringBoundLogger

TELL_AFTER = 1.0
"""Seconds after which a blocked loop is reported."""

LOOKS = 20
"""How often the loop is felt in the time of one lease, at least."""

LONGEST_LOOK = 0.25
"""Seconds between two looks, at most."""

_OURS = str(Path(__file__).parents[1])
_LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
_PACKAGES = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """What blocks a loop, as far as its stack tells.

    Attributes:
        seconds: for how long already.
        run: the run on whose behalf it was called, or "".
        step: the step in flight, or "" between steps.
        line: the code that blocks: file, line and function.
    """

    seconds: float
    workflow: str
    run: str
    step: str
    line: str


class Pulse:
    """Watches the loop that it is made on until it is stopped.

    Only time in which this thread was awake itself counts: a frozen process, or a machine
    that slept, is no blocked loop.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        lease: timedelta,
        on_stuck: Callable[[Blocked], None] | None,
        log: FilteringBoundLogger,
    ) -> None:
        """Begin to watch; with `on_stuck`, a loop blocked for half a lease is given up.

        Args:
            loop: the one that runs in this thread.
            lease: of the runs that the worker holds.
            on_stuck: called in the watching thread, once; it is to end the process.
            log: told what blocks.
        """
        self._loop = loop
        self._half = lease.total_seconds() / 2
        self._on_stuck = on_stuck
        self._log = log
        self._watched = threading.get_ident()
        self._every = min(LONGEST_LOOK, lease.total_seconds() / LOOKS)
        self._answered = threading.Event()
        self._stop = threading.Event()
        self.is_stuck = False
        self._thread = threading.Thread(target=self._watch, name="pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self._answered.clear()
            try:
                self._loop.call_soon_threadsafe(self._answered.set)
            except RuntimeError:  # the loop has closed
                return
            self._await_answer()

    def _await_answer(self) -> None:
        """Return when the loop has answered, or the watch is stopped."""
        blocked, is_told = 0.0, False
        looked = time.monotonic()
        while not self._answered.wait(self._every) and not self._stop.is_set():
            now = time.monotonic()
            blocked += min(now - looked, 2 * self._every)
            looked = now
            if blocked >= TELL_AFTER and not is_told:
                is_told = True
                self._tell("loop.blocked", self._what(blocked))
            if blocked >= self._half and self._on_stuck is not None and not self.is_stuck:
                self.is_stuck = True
                found = self._what(blocked)
                self._tell("loop.stuck", found)
                self._on_stuck(found)
        self.is_stuck = False
        if is_told:
            blocked += min(time.monotonic() - looked, 2 * self._every)
            self._log.info("loop.unblocked", seconds=round(blocked, 1))

    def _tell(self, event: str, found: Blocked) -> None:
        self._log.warning(
            event,
            workflow=found.workflow,
            run=found.run,
            step=found.step,
            seconds=round(found.seconds, 1),
            line=found.line,
        )

    def _what(self, seconds: float) -> Blocked:
        # The documented way to see another thread's stack, whatever its name looks like.
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        attempt, step = culprit(frame)
        return Blocked(
            seconds=seconds,
            workflow="" if attempt is None else attempt.run.workflow,
            run="" if attempt is None else attempt.run.id,
            step=step,
            line=line(frame),
        )


def culprit(frame: FrameType | None) -> tuple[Attempt | None, str]:
    """Return on behalf of which attempt and step a stack runs, as far as it tells."""
    for outer in outward(frame):
        if outer.f_code not in _TELLING:
            continue
        names = outer.f_locals
        match names.get("branch", names.get("self")):
            case Branch() as branch:
                return branch.attempt, names["call"].step.name
            case Contained(scope=Branch() as branch):
                return branch.attempt, ""
            case Contained(scope=Inside() as inside):
                return inside.attempt, inside.place.name
            case Attempt() as attempt:
                return attempt, ""
            case _:
                pass
    return None, ""


_TELLING = frozenset(
    {
        perform.__code__,
        Contained.send.__code__,
        Contained.throw.__code__,
        Attempt._call.__code__,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a name in a stack
    }
)
"""The functions of ours that tell by their arguments on whose behalf they run."""


def line(frame: FrameType | None) -> str:
    """Return the innermost code of the user's in a stack; any code where there is none."""
    found = next((each for each in outward(frame) if _is_users(each.f_code.co_filename)), frame)
    if found is None:
        return ""
    return f"{found.f_code.co_filename}:{found.f_lineno} in {found.f_code.co_name}"


def outward(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield the frames of a stack, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_users(file: str) -> bool:
    if any(part in _PACKAGES for part in Path(file).parts):
        return False
    return not file.startswith((_OURS, "<", *_LIBRARIES))
