"""One try at a run, from claim to outcome.

An attempt calls the workflow's function from the top. Steps in the journal answer
at once; new ones are called and recorded. It ends when the function does, or
earlier: because every branch waits, because nothing may be guessed, because the
run is no longer its own, or because the worker drains. What ended it is the
attempt's own flag, never the exception that came out: user code may swallow that.
"""

from __future__ import annotations

import asyncio
import threading
from contextvars import Context, copy_context
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from proveout.domain.journal import Journal
from proveout.domain.run import Failure, RunState
from proveout.domain.unit import Settle, UnitId
from proveout.domain.workflow import CURRENT, Step, Workflow
from proveout.run.branch import Branch
from proveout.run.call import Call
from proveout.run.ending import GRACE, HALTED, Ending, HandedBack, Lost, Over, Parked, Suspended
from proveout.run.failure import failure_of, printable, step_failure
from proveout.run.payload import signature
from proveout.run.pen import Pen
from proveout.run.span import Span
from proveout.run.step import perform

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from structlog.typing import FilteringBoundLogger

    from proveout.ports.store import Claimed
    from proveout.run.world import World

T = TypeVar("T")

TURNS = 8
"""Turns of the loop for which nothing must move before a run suspends.

A branch that failed or returned wakes its parent, or has its siblings cancelled, in up to four.
"""

STILL = 2.0
"""Seconds without a move after which branches that do not wait are taken to wait for others."""


@lru_cache(maxsize=64)
def _whole(function: Callable[..., Any]) -> Step[Any, Any]:
    """Return a workflow's function as one step."""
    return Step(function)


class Busy:
    """Counts what is in flight; entered as often as there are steps at once.

    Attributes:
        count: how often it is entered now.
    """

    __slots__ = ("_left", "count")

    def __init__(self, left: Callable[[], None]) -> None:
        """Call `left` each time one of them has ended."""
        self._left = left
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *_: object) -> None:
        self.count -= 1
        self._left()


class Attempt:
    """Drives one claimed run; `drive` gives the unit that settles it."""

    def __init__(self, claimed: Claimed, workflow: Workflow[..., Any], world: World) -> None:
        self.run = claimed.run
        self.workflow = workflow
        self.journal = Journal.of(claimed.entries)
        self.store = world.store
        self.clock = world.clock
        self.ids = world.ids
        self.dice = world.dice
        self.threads = world.threads
        self.captures = world.captures
        self.rehearsal = world.rehearsal
        self.meter, self.turns, self.queues = world.meter, world.turns, world.queues
        self.resources = world.resources
        self._permits = world.permits
        pen = Pen(self)
        self.decide, self.record, self.close = pen.decide, pen.record, pen.close
        self._log = world.log
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        self.ending: Ending | None = None
        self._claimed_at = claimed.now
        self._start = self.clock.monotonic()
        self._outside = copy_context()
        self._busy = Busy(self._consider_soon)
        self._dues: dict[Branch, datetime | None] = {}
        self._tasks: dict[Branch, asyncio.Future[Any]] = {}
        self.span = Span(self.clock.monotonic, self._tasks.keys())
        self._over: asyncio.Future[None] = self.loop.create_future()
        self._still: asyncio.TimerHandle | None = None
        self._turns = 0
        self._for_threads: set[asyncio.Task[Any]] = set()

    @cached_property
    def log(self) -> FilteringBoundLogger:
        """Where events of this run go."""
        return self._log.bind(run=self.run.id)

    @property
    def is_over(self) -> bool:
        """Whether the attempt has ended; nothing it still does can settle the run."""
        return self.ending is not None

    def now(self) -> datetime:
        """Return the store's moment, as far as it is known since the claim."""
        return self._claimed_at + timedelta(seconds=self.clock.monotonic() - self._start)

    def check(self) -> None:
        """Leave quietly while the attempt goes on.

        Raises:
            Over: it has ended.
        """
        if self.is_over:
            raise Over

    def end(self, ending: Ending) -> None:
        """End the attempt, if nothing ended it before; user code unwinds."""
        if self.ending is not None:
            return
        self.ending = ending
        self._over.set_result(None)
        if self._still is not None:
            self._still.cancel()
        for task in self._tasks.values():
            task.cancel()

    def park(self, note: str) -> NoReturn:
        """End the attempt with a question for an operator."""
        self.end(Parked(printable(note)))
        raise Over

    async def get_permit(self, effect: str) -> None:
        """Leave quietly when `effect` may begin.

        Raises:
            Over: it is halted; the run rests and asks again later.
        """
        if not await self._permits.get(effect):
            self._end_halted(effect)
            raise Over

    def need_permit(self, effect: str) -> None:
        """Leave quietly when `effect` may begin, from plain code.

        Raises:
            Over: it is halted; or on the loop, which cannot wait, nobody can say.
        """
        if threading.get_ident() != self.thread:
            self.from_thread(self.get_permit(effect))
        elif not self._permits.allow(effect):
            self._end_halted(effect)
            raise Over

    def _end_halted(self, effect: str) -> None:
        self.log.warning("effect.halted", effect=effect)
        self.end(Suspended(self.now() + HALTED))

    def busy(self) -> Busy:
        """Return what keeps the attempt from suspending while it is entered."""
        return self._busy

    async def wait(self, branch: Branch, due: datetime | None) -> None:
        """Return when `due` has come; before that, the attempt may suspend.

        Raises:
            Over: it did.
        """
        self.check()
        self._dues[branch] = due
        branch.waiting = True
        self._consider_soon()
        woken: asyncio.Future[None] = self.loop.create_future()
        timer = None if due is None else self._timer((due - self.now()).total_seconds(), woken)
        try:
            await asyncio.wait({self._over, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if timer is not None:
                timer.cancel()
            branch.waiting = False
            self._dues.pop(branch, None)
        self.check()

    def _timer(self, seconds: float, woken: asyncio.Future[None]) -> asyncio.TimerHandle:
        """Set a timer; a loop keeps those that were cancelled, so it must not hold us."""
        return self.loop.call_later(max(0.0, seconds), woken.cancel, context=Context())

    async def rest(self, seconds: float) -> None:
        """Return after `seconds`.

        Raises:
            Over: the attempt ended before.
        """
        context = self._outside.copy()  # it is no branch of the run
        rested = context.run(asyncio.ensure_future, self.clock.sleep(seconds))
        try:
            await asyncio.wait({rested, self._over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rested.cancel()
        self.check()

    def adopt(self, branch: Branch, task: asyncio.Task[Any]) -> None:
        """Count a task that user code created as a branch of this run."""
        self._tasks[branch] = task
        if branch.parent is not None:
            branch.parent.open_children += 1
        self._consider_soon()
        task.add_done_callback(lambda done: self._leave(branch, done))

    def _leave(self, branch: Branch, task: asyncio.Task[Any]) -> None:
        del self._tasks[branch]
        if branch.parent is not None:
            branch.parent.open_children -= 1
        if not task.cancelled() and task.exception() is None and not branch.is_lost:
            self._check_finished(branch.path)
        self._consider_soon()
        self.span.look()

    def _check_finished(self, path: str) -> None:
        """Park when a branch returned although its journal holds more."""
        unread = self.journal.unread(path)
        if unread and not self.is_over:
            where = f" of branch {path}" if path else ""
            note = f"the code{where} ended, but the journal goes on with {unread[0].place}"
            self.end(Parked(note))

    def _consider_soon(self) -> None:
        if self._dues or self._still is not None:
            if not self._turns:
                self.loop.call_soon(self._turn)
            self._turns = TURNS

    def _turn(self) -> None:
        self._turns -= 1
        if self._turns:
            self.loop.call_soon(self._turn)
        else:
            self._consider()

    def _consider(self) -> None:
        """Suspend when every branch waits and no step is in flight.

        A branch may also wait for another one, by a lock or a future of its own that
        nobody can see: when nothing has moved for a while, every branch is taken to wait.
        """
        if self._still is not None:
            self._still.cancel()
        if not self._may_suspend():
            return
        if all(branch.waiting or branch.open_children for branch in self._tasks):
            self._suspend()
        else:
            self._still = self.loop.call_later(STILL, self._suspend, context=Context())

    def _may_suspend(self) -> bool:
        is_idle = not self.is_over and not self._busy.count and bool(self._dues)
        return is_idle and not any(task.done() for task in self._tasks.values())

    def _suspend(self) -> None:
        if self._may_suspend():
            dues = [due for due in self._dues.values() if due is not None]
            self.end(Suspended(min(dues, default=None)))

    def from_thread(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` gives on the loop, to plain code in a thread."""
        context = self._outside.copy()
        work = self._for_thread(work)
        return context.run(asyncio.run_coroutine_threadsafe, work, self.loop).result()

    async def _for_thread(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine on a loop always has its task
        self._for_threads.add(task)
        task.add_done_callback(self._for_threads.discard)
        return await work

    async def drive(self) -> Settle | None:
        """Run the workflow; return the unit that settles the run, None where it is lost."""
        root = Branch(self)
        context = copy_context()
        context.run(CURRENT.set, root)
        main = self._start_main(root, context)
        self._tasks[root] = main
        await asyncio.wait({main, self._over}, return_when=asyncio.FIRST_COMPLETED)
        if not self.is_over and not main.cancelled() and main.exception() is None:
            self._check_finished("")
        await self._unwind(main)
        if isinstance(self.ending, Parked | HandedBack):
            await self._outlast_threads()
        return self._settlement(main)

    def _start_main(self, root: Branch, context: Context) -> asyncio.Future[Any]:
        if self.workflow.is_async or self.workflow.as_step:
            return self.loop.create_task(self._call(root), context=context)
        return self.loop.run_in_executor(self.threads.workflows, context.run, self._call_plain)

    async def _call(self, root: Branch) -> Any:
        with self.span:
            call = self._whole()
            return await (perform(root, call) if self.workflow.as_step else call.make_async())

    def _call_plain(self) -> Any:
        with self.span:
            return self._whole().make()

    def _whole(self) -> Call:
        """Return the call of the whole function on this run's input."""
        function = self.workflow.function
        return Call(_whole(function), (), signature(function).inputs(self.run.value))

    async def _unwind(self, main: asyncio.Future[Any]) -> None:
        """Cancel what user code left running, and give it a moment to end."""
        left = {task for task in self._tasks.values() if not task.done()} | {main}
        for task in left - {main}:
            task.cancel()
        ended, stuck = {main}, set[asyncio.Future[Any]]()
        if len(left) > 1 or not main.done():
            ended, stuck = await asyncio.wait(left, timeout=GRACE)
        for task in ended:
            _ = task.cancelled() or task.exception()
        if stuck:
            self.log.warning("run.still_unwinding", tasks=len(stuck), seconds=GRACE)

    async def _outlast_threads(self) -> None:
        """Return when no plain step is running: nobody can stop it, nor may another overlap it."""
        while self._for_threads:
            await asyncio.wait(self._for_threads)

    def _settlement(self, main: asyncio.Future[Any]) -> Settle | None:
        match self.ending:
            case None:
                return self._finished(main)
            case Suspended(due):
                return self._settle(RunState.WAITING, due=due)
            case Parked(note):
                return self._settle(RunState.PARKED, note=note)
            case HandedBack():
                return self._settle(RunState.QUEUED)
            case Lost():
                return None

    def _finished(self, main: asyncio.Future[Any]) -> Settle:
        """Return what follows from the function's own end."""
        if main.cancelled():
            cancelled = Failure(type="CancelledError", message="the workflow cancelled itself")
            return self._settle(RunState.FAILED, failure=cancelled)
        error = main.exception()
        if error is not None:
            step = step_failure(error)
            state = RunState.FAILED if step is None else RunState.DEAD
            return self._settle(state, failure=failure_of(step or error))
        try:
            shape = signature(self.workflow.function).result
            result = shape.encode(main.result(), f"the result of {self.workflow.name}")
        except Exception as error:  # noqa: BLE001 - a type of the user's may raise anything
            return self._settle(RunState.FAILED, failure=failure_of(error))
        return self._settle(RunState.SUCCEEDED, result=result)

    def _settle(
        self,
        state: RunState,
        *,
        result: bytes | None = None,
        failure: Failure | None = None,
        due: datetime | None = None,
        note: str = "",
    ) -> Settle:
        return Settle(
            id=UnitId(self.ids.new()),
            run=self.run.id,
            fence=self.run.fence,
            state=state,
            elapsed=self.span.seconds if self.run.trial else self.clock.monotonic() - self._start,
            result=result,
            failure=failure,
            due=due,
            note=note,
            ordering=self.run.ordering,
        )
