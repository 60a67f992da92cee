"""Supervising workers: a group of processes for each release that has runs to do."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proveout.domain.release import DRAFT, ReleaseDigest
from proveout.errors import Outage, ProveoutError
from proveout.faces.draft import LoadedDraft, loaded_draft
from proveout.faces.project import lease
from proveout.faces.released import launch
from proveout.faces.released_worker import Orders

if TYPE_CHECKING:
    from proveout.faces.project import Project

LOOK_EVERY = 0.5
"""Seconds between two looks at what should run."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds before a process that died is started again; doubled each time it dies young."""

OLD = 60.0
"""Seconds after which a process has proven that it can live."""

DRAIN = 30.0
"""Seconds that workers get to finish or hand back what they have."""

MODULE = "proveout.faces.released_worker"


@dataclass(slots=True)
class Slot:
    """A place for one worker process of a group."""

    process: asyncio.subprocess.Process | None = None
    born: float = 0.0
    pause: float = FIRST_PAUSE
    not_before: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The workers of one release.

    Attributes:
        command: the words that start one.
        environ: its variables.
    """

    release: str
    command: tuple[str, ...]
    environ: dict[str, str] = field(repr=False)
    slots: tuple[Slot, ...]

    @property
    def alive(self) -> int:
        """How many of its processes run."""
        return sum(1 for slot in self.slots if is_alive(slot))


def is_alive(slot: Slot) -> bool:
    """Whether the process of a slot runs."""
    return slot.process is not None and slot.process.returncode is None


class Supervisor:
    """Keeps the workers running that the pointer and the runs in flight ask for.

    Attributes:
        restarts: how many processes were started in the place of ones that died.
        troubles: why a release has no workers, by its digest.
        reloads: how often the draft's workers began anew because its modules had changed.
    """

    def __init__(self, project: Project, workers: int, concurrency: int) -> None:
        self.restarts = 0
        self.reloads = 0
        self.troubles: dict[str, str] = {}
        self._project = project
        self._workers = workers
        self._concurrency = concurrency
        self._groups: dict[str, Group] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._draft: LoadedDraft | None = None

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups that there are, by release."""
        return tuple(self._groups[name] for name in sorted(self._groups))

    async def supervise(self, told: asyncio.Event) -> None:
        """Start what is missing and end what is not needed, until `told` to stop; then drain."""
        while not told.is_set():
            try:
                await self._tidy()
            except Outage as outage:
                self._project.log.warning("supervisor.store_unreachable", error=str(outage))
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), LOOK_EVERY)
        for group in self._groups.values():
            self._let_go(group)
        await asyncio.gather(*self._leaving)

    async def _tidy(self) -> None:
        wanted = await self._wanted()
        for name in set(self._groups) - wanted:
            self._let_go(self._groups.pop(name))
        if DRAFT in self._groups and self._draft is not None and self._draft.is_stale():
            self._project.log.info("draft.changed", workers="begin anew")
            self.reloads += 1
            self._let_go(self._groups.pop(DRAFT))
        for name in sorted(wanted):
            if name not in self._groups:
                await self._found(name)
        for group in self._groups.values():
            for slot in group.slots:
                await self._fill(group, slot)

    async def _wanted(self) -> set[str]:
        """Return the releases that need workers: those that serve, and those that drain."""
        store, name = self._project.store, self._project.name
        pointer = await store.pointer(name)
        wanted = {*map(str, pointer.live)} or {DRAFT}
        others = {DRAFT, *(one.digest for one in await store.releases(name))} - wanted
        for release in others:
            if (await store.in_flight(name, release)).needs_workers:
                wanted.add(release)
        return wanted

    async def _found(self, release: str) -> None:
        """Found the group of a release, if it can be started here."""
        try:
            if release == DRAFT:
                self._draft = await asyncio.to_thread(loaded_draft, self._project.settings)
            command, environ = await self._start_of(release)
        except (ProveoutError, OSError) as error:
            if self.troubles.get(release) != str(error):
                self._project.log.warning("release.cannot_run", release=release, error=str(error))
            self.troubles[release] = str(error)
            return
        self.troubles.pop(release, None)
        slots = tuple(Slot() for _ in range(self._workers))
        self._groups[release] = Group(
            release=release, command=tuple(command), environ=environ, slots=slots
        )

    async def _start_of(self, release: str) -> tuple[list[str], dict[str, str]]:
        project = self._project
        if release == DRAFT:
            entry, root = project.settings.workflow.entry, str(project.settings.folder)
            orders = self._orders(DRAFT, root, entry, captures=True)
            return [sys.executable, "-P", "-m", MODULE], {**os.environ, **orders.environ()}
        found = await project.store.release(ReleaseDigest(release))
        assert found is not None  # noqa: S101 - a pointer names releases of the same store
        start = await launch(project.store, found)
        orders = self._orders(release, str(start.root), start.entry, captures=False)
        return start.command(MODULE), {**start.environ(), **orders.environ()}

    def _orders(self, release: str, root: str, entry: str, *, captures: bool) -> Orders:
        return Orders(
            store=self._project.url,
            workflow=self._project.name,
            release=release,
            root=root,
            entry=entry,
            concurrency=self._concurrency,
            captures=captures,
            lease=lease().total_seconds(),
            attached=True,
            most_running=self._project.settings.workflow.concurrency,
            queues=self._project.settings.queues,
            models=self._project.settings.models,
        )

    async def _fill(self, group: Group, slot: Slot) -> None:
        """Start the process of a slot where there is none, not too soon after it died."""
        now = self._project.bench.clock.monotonic()
        if is_alive(slot):
            return
        if slot.process is not None:
            self.restarts += 1
            slot.pause = (
                FIRST_PAUSE if now - slot.born > OLD else min(LONGEST_PAUSE, 2 * slot.pause)
            )
            slot.not_before = now + slot.pause
            code = slot.process.returncode
            self._project.log.warning("worker.died", release=group.release, code=code)
            slot.process = None
        if now < slot.not_before:
            return
        try:
            slot.process = await asyncio.create_subprocess_exec(
                *group.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                env=group.environ,
            )
        except OSError as error:
            slot.pause = min(LONGEST_PAUSE, 2 * slot.pause)
            slot.not_before = now + slot.pause
            self._project.log.warning("worker.not_started", release=group.release, error=str(error))
            return
        slot.born = now

    def _let_go(self, group: Group) -> None:
        """Tell the workers of a group to drain; they go in their own time."""
        task = asyncio.create_task(_drain(group))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _drain(group: Group) -> None:
    alive = [slot.process for slot in group.slots if slot.process and is_alive(slot)]
    for process in alive:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    if alive:
        ends = [asyncio.create_task(process.wait()) for process in alive]
        _, late = await asyncio.wait(ends, timeout=DRAIN)
        for process in alive:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
        if late:
            await asyncio.wait(late)
