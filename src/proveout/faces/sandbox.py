"""Sandboxes on this machine: a store of their own, real processes, and a receiver that counts."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import secrets
import signal
import sys
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx

from proveout.domain.access import Actor, Right, Role
from proveout.domain.delivery import Scheme, Stamp
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind
from proveout.domain.unit import Keep, NewRelease, Put, UnitId
from proveout.faces.access import Access
from proveout.faces.api.routes import ROUTES
from proveout.faces.asked import ownership_of, signal_of
from proveout.faces.cookie import COOKIE
from proveout.faces.project import (
    cut_connections,
    discard_store,
    office_of,
    open_store,
    sandbox_url,
    sign_delivery,
)
from proveout.faces.recorded import recordings, written_answers
from proveout.faces.released_worker import READY, Orders, Rehearsing
from proveout.faces.sandbox_doors import DoorOrders
from proveout.faces.sandbox_inbox import Inbox
from proveout.faces.sandbox_traces import TraceReceiver, can_be_traced
from proveout.faces.sandbox_watch import WatchOrders
from proveout.faces.sentry import ADDRESS
from proveout.faces.sessions import Sessions
from proveout.faces.stand_in import Receiver
from proveout.faces.watching import policy_of
from proveout.faces.web.routes import guarded
from proveout.ready.drills.drill import NotSteady
from proveout.ready.rehearse import Stage
from proveout.ready.sandbox import Answered, Guarded, Knock, Ownership, Signal, Webhook
from proveout.ready.unprotected import without
from proveout.release.decide import amend
from proveout.release.move import promote
from proveout.run.enqueue import Request, enqueue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from proveout.domain.alert import Manner, Policy
    from proveout.domain.release import Release
    from proveout.faces.project import Project
    from proveout.faces.recorded import Recordings
    from proveout.faces.released import Launch
    from proveout.faces.settings_sources import SourceSettings
    from proveout.ports.clock import Clock
    from proveout.ports.store import Store
    from proveout.ready.sandbox import Counted, Crew, Heard, Load, Protection
    from proveout.release.decide import Office

LEASE = 1.0
"""Seconds of a lease in a sandbox: what a drill waits for, again and again."""

START = 90.0
"""Seconds that a process gets to start in; on a machine that is busy it takes many."""

UNTOLD = {ADDRESS: ""}
"""What breaks in a drill is broken on purpose: nobody outside is told of it."""

DRILL = Actor(name="drill", role=Role.OWNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all sandboxes of one drill are made from.

    Attributes:
        told: gets every line of the log.
    """

    project: Project
    launch: Launch
    recordings: Recordings
    told: Callable[[str], None]
    is_live: bool = False


async def stage_for(
    project: Project, launch: Launch, told: Callable[[str], None], *, is_live: bool = False
) -> Stage:
    """Return where the drills of a release are performed.

    Args:
        project: whose settings, store and trials the drills rely on.
        launch: how the release under test is started.
        told: gets every line of the log as it comes.
        is_live: steps without a recorded answer are called, which may cost money.
    """
    found = await recordings(project.store, project.name, launch.release.code)
    log: list[str] = []

    def note(line: str) -> None:
        log.append(line)
        told(line)

    ground = Ground(project=project, launch=launch, recordings=found, told=note, is_live=is_live)

    def opened(off: Protection | None) -> Any:
        return open_sandbox(ground, off)

    return Stage(open=opened, clock=project.bench.clock, log=log, told=note)


@asynccontextmanager
async def open_sandbox(ground: Ground, off: Protection | None) -> AsyncGenerator[LocalSandbox]:
    """Open a sandbox for one performance; nothing of it is left when the block ends.

    Raises:
        NotSteady: no trial of exactly this release was recorded.
    """
    if not ground.recordings.loads:
        raise NotSteady(
            f"no trial of what {ground.launch.release.name} executes was recorded: proveout prove"
        )
    with tempfile.TemporaryDirectory(prefix="proveout-drill-") as folder:
        url = sandbox_url(ground.project.url, Path(folder))
        store = await open_store(url)
        sandbox = LocalSandbox(ground, store, url, Path(folder), off)
        try:
            await sandbox.prepare()
            yield sandbox
        finally:
            await sandbox.close()
            await store.close()
            await discard_store(url)


class LocalSandbox:
    """A sandbox of processes on this machine; see `ready/sandbox.py` for its promises."""

    def __init__(
        self, ground: Ground, store: Store, url: str, folder: Path, off: Protection | None
    ) -> None:
        self._ground = ground
        self._store = store
        self._url = url
        self._folder = folder
        self._off = off
        self._bench = replace(ground.project.bench, store=store)
        self._office = office_of(without(store, off, self._bench.ids), folder / "key")
        self._access = Access(self._office)
        self._receiver = Receiver(self._bench.clock)
        self._traces = TraceReceiver()
        self._traces_at = ""
        self._port = 0
        self._workers: list[asyncio.subprocess.Process] = []
        self._doors: asyncio.subprocess.Process | None = None
        self._watch: asyncio.subprocess.Process | None = None
        self._inbox = Inbox(self._bench.clock)
        self._address = ""
        self._slowest_start = 0.0
        self._client = httpx.AsyncClient(timeout=20)
        self._keys: dict[Role, str] = {}
        self._bad_keys: dict[str, str] = {}
        self._cookies: dict[Role, str] = {}
        self._bad_cookies: dict[str, str] = {}
        self._secrets: dict[str, str] = {
            source.name: _secret_for(source.scheme) for source in ground.project.settings.sources
        }
        release = ground.launch.release
        self._bad = replace(
            release,
            digest=type(release.digest)("0bad" + release.digest[4:]),
            number=release.number + 1,
        )

    # What a sandbox is

    @property
    def off(self) -> Protection | None:
        return self._off

    @property
    def store(self) -> Store:
        return self._store

    @property
    def office(self) -> Office:
        return self._office

    @property
    def clock(self) -> Clock:
        return self._bench.clock

    @property
    def release(self) -> Release:
        return self._ground.launch.release

    @property
    def bad(self) -> Release:
        return self._bad

    @property
    def loads(self) -> Sequence[Load]:
        return self._ground.recordings.loads

    # Its life

    async def prepare(self) -> None:
        """Put both releases into the store, have the one under test serve, and hand out keys."""
        self._port = await self._receiver.open()
        self._traces_at = await self._traces.open()
        recordings = self._ground.recordings
        steps = {"answers": recordings.answers, "calling": sorted(recordings.calling)}
        for name, text in (
            ("recordings.json", json.dumps(steps)),
            ("models.json", written_answers(recordings.models)),
        ):
            await asyncio.to_thread((self._folder / name).write_text, text, "utf-8")
        mark = Keep(kind=Kind.SANDBOX, name="sandbox", body=b"{}")
        await self._store.write(Put(id=UnitId(self._bench.ids.new()), keeps=(mark,)))
        new = tuple(
            NewRelease(release=one, archive=b"", settings=b"") for one in (self.release, self._bad)
        )
        deed = Deed(actor=DRILL.name, act="open sandbox", subject=self.release.name, facts={})
        await amend(self._office, deed, new)
        for one in (self._bad, self.release):  # so that a rollback leads somewhere
            await promote(self._office, one, DRILL.name, {})
        for role in Role:
            self._keys[role] = (await self._access.create_key(DRILL, f"a-{role}", role)).secret
        await self._make_bad_keys()

    async def _make_bad_keys(self) -> None:
        revoked = await self._access.create_key(DRILL, "revoked", Role.OWNER)
        await self._access.revoke_key(DRILL, "revoked")
        past = timedelta(seconds=-1)
        expired = await self._access.create_key(DRILL, "expired", Role.OWNER, past)
        self._bad_keys = {
            "a revoked key": revoked.secret,
            "an expired key": expired.secret,
            "a foreign key": f"pk_{secrets.token_urlsafe(32)}",
        }

    async def close(self) -> None:
        """End every process."""
        await self.kill_workers()
        await self.kill_doors()
        await self.kill_watch()
        await self._client.aclose()
        await self._receiver.close()
        await self._inbox.close()
        await self._traces.close()
        self._access.close()

    # Workers

    @property
    def slowest_start(self) -> float:
        return self._slowest_start

    async def start_workers(self, crew: Crew) -> None:
        before = self.clock.monotonic()
        started = [await self._start(self._worker_command(crew)) for _ in range(crew.count)]
        self._workers += started
        await asyncio.gather(*(_ready(process) for process in started))
        self._slowest_start = max(self._slowest_start, self.clock.monotonic() - before)

    def _worker_command(self, crew: Crew) -> tuple[list[str], dict[str, str]]:
        launch = self._ground.launch
        orders = Orders(
            store=self._url,
            workflow=self.release.workflow,
            release=crew.release or self.release.digest,
            root=str(launch.root),
            entry=launch.entry,
            concurrency=4,
            lease=LEASE,
            tells=True,
            attached=True,
            rehearsing=Rehearsing(
                receiver=self._port,
                recordings=str(self._folder / "recordings.json"),
                models=str(self._folder / "models.json"),
                off=self._off or "",
                is_faulty=crew.is_faulty,
                pace=crew.pace,
                is_live=self._ground.is_live,
                faults=crew.faults,
            ),
            models=self._ground.project.settings.models,
        )
        return launch.command("proveout.faces.released_worker"), {
            **launch.environ(),
            **orders.environ(),
        }

    @property
    def has_workers(self) -> bool:
        return any(process.returncode is None for process in self._workers)

    async def kill_workers(self) -> int:
        killed = [process for process in self._workers if process.returncode is None]
        await asyncio.gather(*map(_kill, self._workers))
        self._workers.clear()
        return len(killed)

    # Doors

    async def start_doors(self) -> None:
        launch = self._ground.launch
        orders = DoorOrders(
            store=self._url,
            key=str(self._folder / "key"),
            project=str(self._ground.project.settings.path),
            root=str(launch.root),
            entry=launch.entry,
            off=self._off or "",
        )
        # Traces of a drill go nowhere but to the drill.
        outer = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
        traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": self._traces_at}
        environ = {**outer, **traces, **orders.environ(), **self._variables()}
        command = [sys.executable, "-P", "-m", "proveout.faces.sandbox_doors"]
        self._doors = await self._start((command, environ))
        self._address = await _ready(self._doors)

    def _variables(self) -> dict[str, str]:
        return {
            source.secret_env[0]: self._secrets[source.name]
            for source in self._ground.project.settings.sources
        }

    async def kill_doors(self) -> None:
        if self._doors is not None:
            await _kill(self._doors)
            self._doors = None

    # Watch

    @property
    def policy(self) -> Policy:
        return policy_of(self._ground.project.settings)

    @property
    def unreached(self) -> tuple[str, ...]:
        known = {one.name for one in self._ground.project.settings.channels}
        return tuple(dict.fromkeys(t.to for t in self.policy.tiers if t.to not in known))

    async def start_watch(self, policy: Policy, manner: Manner) -> None:
        orders = WatchOrders(
            store=self._url,
            workflow=self.release.workflow,
            policy=policy,
            manner=manner,
            channels=await self._inbox.open([one.to for one in policy.tiers]),
            off=self._off or "",
        )
        before = self.clock.monotonic()
        command = [sys.executable, "-P", "-m", "proveout.faces.sandbox_watch"]
        self._watch = await self._start((command, {**os.environ, **orders.environ()}))
        await _ready(self._watch)
        self._slowest_start = max(self._slowest_start, self.clock.monotonic() - before)

    async def kill_watch(self) -> None:
        if self._watch is not None:
            await _kill(self._watch)
            self._watch = None

    def heard(self) -> tuple[Heard, ...]:
        return tuple(self._inbox.heard)

    async def _start(self, ordered: tuple[list[str], dict[str, str]]) -> asyncio.subprocess.Process:
        """Start a process that ends when this one does, however that ends."""
        command, environ = ordered
        with (self._folder / "processes.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                env={**environ, **UNTOLD},
            )

    async def cut_store(self) -> int:
        return await cut_connections(self._url)

    async def knock(self, knock: Knock) -> Answered | None:
        headers = dict(knock.headers)
        if knock.key is not None:
            headers["authorization"] = f"Bearer {knock.key}"
        if knock.cookie is not None:
            headers["cookie"] = knock.cookie
        url = f"{self._address}{knock.path}"
        try:
            async with self._client.stream(
                knock.method, url, content=knock.body, headers=headers
            ) as answer:
                body = await _read(answer)
        except httpx.HTTPError:
            return None
        return Answered(status=answer.status_code, body=body, headers=dict(answer.headers))

    def webhooks(self, load: Load, event: str) -> list[Webhook]:
        return [self._webhook(source, load, event) for source in self._sources()]

    def _sources(self) -> tuple[SourceSettings, ...]:
        return self._ground.project.settings.sources

    def _webhook(self, source: SourceSettings, load: Load, event: str) -> Webhook:
        kind = source.types[0] if source.types else "drill"
        content = _body(source.input, json.loads(load.value), event, kind)
        if source.scheme is Scheme.SLACK:
            content["event_id"] = event
        body = json.dumps(content).encode()
        stamp = Stamp(event=event, type=kind, at=self._bench.clock.now())
        headers = sign_delivery(source.scheme, self._secrets[source.name], body, stamp)
        knock = Knock(
            method="POST",
            path=f"/hooks/{source.name}",
            body=body,
            headers={
                "content-type": "application/json",
                **{name.decode(): value.decode() for name, value in headers},
            },
        )
        return Webhook(source=source.name, event=event, knock=knock)

    def key_of(self, role: Role) -> str:
        return self._keys[role]

    def traced(self, run: str) -> int | None:
        return self._traces.spans(run) if can_be_traced() else None

    async def logged(self, run: str) -> int:
        log = await asyncio.to_thread((self._folder / "processes.log").read_text, "utf-8")
        return sum(run in line and '"run.failed"' in line for line in log.splitlines())

    async def sign_in(self, *roles: Role) -> None:
        sessions = Sessions(self._access)
        for role in (*roles, None):
            name, password = role or "gone", secrets.token_urlsafe(16)
            await self._access.add_user(DRILL, f"{name}@drill", role or Role.OWNER, password)
            begun = await sessions.sign_in(f"{name}@drill", password, "drill")
            if role is None:
                await sessions.sign_out(begun.secret)
                self._bad_cookies["a session that has ended"] = f"{COOKIE}={begun.secret}"
            else:
                self._cookies[role] = f"{COOKIE}={begun.secret}"
        self._bad_cookies["a foreign session"] = f"{COOKIE}={secrets.token_urlsafe(32)}"

    def cookie_of(self, role: Role) -> str:
        return self._cookies[role]

    def bad_keys(self) -> Mapping[str, str]:
        return self._bad_keys

    def bad_cookies(self) -> Mapping[str, str]:
        return self._bad_cookies

    def routes(self) -> Sequence[Guarded]:
        api = [one for one in ROUTES if isinstance(one.right, Right)]
        doors = [(one.method, one.path, cast("Right", one.right), False) for one in api]
        doors += [(*one, True) for one in guarded()]
        return [
            Guarded(method=method, path=self._filled(path), right=right, by_cookie=by_cookie)
            for method, path, right, by_cookie in doors
        ]

    def _filled(self, path: str) -> str:
        """Return the path of a door with its blanks filled in."""
        name = self.release.workflow
        return re.sub(r"\{(\w+)\}", lambda found: name if found[1] == "name" else "x", path)

    # Runs

    async def enqueue(self, load: Load, key: str) -> str:
        request = Request(workflow=self.release.workflow, value=load.value, key=key)
        bench = self._bench
        return (await enqueue(self._store, bench.clock, bench.ids, request)).run.id

    async def counted(self) -> Counted:
        return self._receiver.counted()

    # The project

    def ownership(self) -> Ownership:
        return ownership_of(self._ground.project.settings)

    async def command(self, words: Sequence[str]) -> tuple[int, str]:
        environ = {
            **os.environ,
            "PROVEOUT_STORE": self._url,
            "PROVEOUT_PROJECT": str(self._ground.project.settings.path),
            "PROVEOUT_KEY_FILE": str(self._folder / "key"),
            "NO_COLOR": "1",
            **UNTOLD,
        }
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", *words],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environ,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), START)
        except TimeoutError:
            await _kill(process)
            return 124, "it did not end"
        return process.returncode or 0, said.decode(errors="replace")

    async def signal(self, *, shuffled: bool) -> Signal | None:
        return await signal_of(self._ground.project, self.release, shuffled=shuffled)

    def note(self, line: str) -> None:
        self._ground.told(line)

    async def settle(self, seconds: float) -> None:
        await self._bench.clock.sleep(seconds)


async def _ready(process: asyncio.subprocess.Process) -> str:
    """Return what a process says after "ready", once it does.

    Raises:
        NotSteady: it ended, or did not start in time.
    """
    assert process.stdout is not None  # noqa: S101 - we asked for the pipe
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START)
    except TimeoutError:
        raise NotSteady(f"a process did not start within {START:g} s") from None
    word, _, rest = line.decode().strip().partition(" ")
    if word != READY:
        raise NotSteady("a process of the drill ended before it was ready: see its log")
    return rest


async def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    await process.wait()


def _secret_for(scheme: Scheme) -> str:
    """Return a fresh secret as the provider of a scheme would write it."""
    key = secrets.token_bytes(32)
    if scheme in (Scheme.STRIPE, Scheme.STANDARD):
        return f"whsec_{base64.b64encode(key).decode()}"
    return key.hex()


def _body(path: str, value: object, event: str, kind: str) -> dict[str, Any]:
    """Return the body of an event with `value` at the dotted path."""
    body: dict[str, Any] = {"id": event, "type": kind, "livemode": True}
    if not path:
        return {**body, **value} if isinstance(value, dict) else body
    inner: dict[str, Any] = body
    *parents, last = path.split(".")
    for name in parents:
        inner = inner.setdefault(name, {})
    inner[last] = value
    return body


async def _read(answer: httpx.Response) -> Any:
    """Return the JSON of an answer, or its text; "" of a stream, which never ends."""
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/event-stream"):
        return ""
    await answer.aread()
    return answer.json() if "json" in kind and answer.content else answer.text
