"""The one place where parts are joined: settings, store, clock, workflow."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proveout.adapters.system import SystemClock, SystemDice, SystemIds
from proveout.domain.duration import duration
from proveout.domain.experiment import AnswersFile, Command, Endpoint
from proveout.domain.run import RunId, RunState
from proveout.errors import Mistake, Outage, Refusal
from proveout.faces import answers_file, dataset_file, entry
from proveout.faces.log import logger
from proveout.faces.place import find_project
from proveout.faces.replaying import edited_input, release_to_replay_on
from proveout.faces.settings import Settings
from proveout.faces.settings import load as load_settings
from proveout.faces.settings_models import Metering
from proveout.prove.begin import begin, changed_now, layout_of, recorded
from proveout.prove.conduct import Conductor, Setup
from proveout.prove.elsewhere import asking
from proveout.prove.layout import foreseen
from proveout.prove.reuse import foresee_reuse
from proveout.release.decide import Office
from proveout.run.crowd import check_desk
from proveout.run.enqueue import Request, enqueue
from proveout.run.payload import WrongShape, signature, to_json
from proveout.run.replay import Replay, replay
from proveout.run.send import send
from proveout.run.work import Bench, Manner, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from structlog.typing import FilteringBoundLogger

    from proveout.adapters.models.proxy import Proxy
    from proveout.domain.alert import Notice
    from proveout.domain.case import Dataset
    from proveout.domain.delivery import Headers, Scheme, Stamp
    from proveout.domain.experiment import Elsewhere, Plan
    from proveout.domain.money import Usd
    from proveout.domain.run import Run
    from proveout.domain.unit import Enqueued
    from proveout.domain.workflow import Workflow
    from proveout.faces.api.doors import Hooks
    from proveout.faces.following import Tracing
    from proveout.faces.probing import Asked
    from proveout.faces.settings import ExperimentSettings
    from proveout.faces.settings_access import OidcSettings
    from proveout.faces.settings_models import ModelSettings
    from proveout.faces.synchronous import SyncProject
    from proveout.ports.clock import Clock
    from proveout.ports.elsewhere import Respondent
    from proveout.ports.identity import Provider
    from proveout.ports.meter import Prices, Substitute
    from proveout.ports.notifier import Notifier
    from proveout.ports.store import LockedExperiment, Store, Writes
    from proveout.prove.account import Account
    from proveout.prove.layout import Layout
    from proveout.prove.reuse import Foreseen
    from proveout.ready.probes.rig import Rig
    from proveout.run.meter import ModelMeter

STORE = "PROVEOUT_STORE"
LEASE = "PROVEOUT_LEASE"

THE_SAME: Final = object()
"""Says that a replay takes the input that its run had."""


class NoSuch(Mistake):
    """Nothing has that name."""

    code = "not-found"


class RunFailed(Refusal):
    """The run ended without a result."""

    code = "run-failed"


class StillRunning(Outage):
    """The run has not ended in the time given."""

    code = "still-running"


def store_url(folder: Path) -> str:
    """Return the URL of the store: what `PROVEOUT_STORE` says, or the SQLite file in `folder`."""
    url = os.environ.get(STORE) or f"sqlite:///{folder}/.proveout/proveout.db"
    if url.startswith("sqlite:///"):
        return f"sqlite:///{folder / url.removeprefix('sqlite:///')}"
    return url


async def open_store(url: str) -> Store:
    """Return the store at `url`, made where it is missing.

    Raises:
        Mistake: the URL names no store that exists.
        Outage: it cannot be reached.
    """
    if url.startswith("sqlite:///"):
        from proveout.adapters.sqlite.store import SqliteStore

        return SqliteStore(Path(url.removeprefix("sqlite:///")), SystemClock())
    if url.startswith(("postgresql://", "postgres://")):
        from proveout.adapters.postgres.store import open_postgres

        return await open_postgres(url, SystemClock())
    scheme = url.partition(":")[0]
    raise Mistake(
        f'{STORE} starts with "{scheme}:"',
        why="a store is sqlite:///PATH or postgresql://…",
        fix=(f"unset {STORE}    uses SQLite beside proveout.toml",),
    )


def joined(connection: object, url: str, store: Store) -> Writes:
    """Return what writes into the store at `url` inside a caller's own transaction.

    Raises:
        Mistake: the store is not in a server that the caller could be connected to.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise Mistake(
            "connection= needs a store in PostgreSQL",
            why="the run is written in the caller's transaction, by the server that both share",
            fix=(f"set {STORE}=postgresql://…", "enqueue without connection="),
        )
    from proveout.adapters.postgres.joined import Joined

    return Joined(connection, url, store)


def callers_own(connection: object) -> object:
    """Return a connection that a caller may hand to another thread.

    Raises:
        Mistake: it belongs to an event loop of the caller's.
    """
    from proveout.adapters.postgres.guests import is_asynchronous, of_this_thread

    own = of_this_thread(connection)
    if is_asynchronous(own):
        raise Mistake(
            "an asynchronous connection cannot be used from synchronous code",
            why="it belongs to the event loop that opened it",
            fix=("async with Project.open(…) as project: …",),
        )
    return own


@asynccontextmanager
async def throwaway_store() -> AsyncGenerator[Store]:
    """Open a store that is thrown away when the block ends."""
    from proveout.adapters.sqlite.store import SqliteStore

    with tempfile.TemporaryDirectory(prefix="proveout-") as folder:
        store = SqliteStore(Path(folder) / "proveout.db", SystemClock())
        try:
            yield store
        finally:
            await store.close()


def system_bench(store: Store, log: FilteringBoundLogger) -> Bench:
    """Return what workers work with: the real clock, ids and dice."""
    return Bench(store=store, clock=SystemClock(), ids=SystemIds(), dice=SystemDice(), log=log)


@asynccontextmanager
async def metered(
    bench: Bench,
    models: ModelSettings,
    cap: Usd | None = None,
    substitute: Substitute | None = None,
    *,
    records: bool = False,
) -> AsyncGenerator[Bench]:
    """Yield a bench whose workers meter the calls of models, as settings say, for the block.

    Clients that are made within the block, from the variables of their vendor, call the proxy.

    Args:
        bench: what the workers work with else.
        models: how calls are seen, and what models cost.
        cap: the most that one run may spend on models; None for any amount.
        substitute: answers calls in the place of their vendors; None to ask them. With one,
            nothing has a price.
        records: what models answer is kept.

    Raises:
        Mistake: the price list is not installed, or a variable holds no address.
    """
    if models.meter is Metering.OFF:
        yield bench
        return
    from proveout.run.meter import HERE, ModelMeter

    meter = ModelMeter(
        bench.store,
        bench.clock,
        bench.ids,
        await asyncio.to_thread(_prices, models, is_needed=substitute is None),
        cap=cap,
        substitute=substitute,
        records=records,
    )
    inner = replace(bench, meter=meter)
    if models.meter is Metering.PROXY:
        async with _through_proxy(meter):
            yield inner
    else:
        with HERE.set(meter):
            yield inner


def _prices(models: ModelSettings, *, is_needed: bool) -> Prices:
    """Return what calls cost; reading the list takes half a second."""
    from proveout.adapters.models.prices import Price
    from proveout.adapters.models.prices import Prices as Listed
    from proveout.run.meter import Unpriced

    if not is_needed:
        return Unpriced()
    own = {
        one.model: Price(read=one.read, written=one.written, cached=one.cached, stored=one.stored)
        for one in models.prices
    }
    return Listed(own)


def metered_transport(around: Any) -> Any:
    """Return a transport that meters the calls of models made through another.

    It is for a client that you make yourself, with `meter = "transport"` in the settings:
    `AsyncOpenAI(http_client=DefaultAsyncHttpxClient(transport=metered_transport(…)))`. Where
    nothing is metered, it passes everything on.

    Args:
        around: a transport, synchronous or not, of httpx or of httpx2.
    """
    from proveout.adapters.models.transport import AsyncMeteredTransport, MeteredTransport
    from proveout.run.caller import current_caller
    from proveout.run.meter import HERE

    is_async = hasattr(around, "handle_async_request")
    kind = AsyncMeteredTransport if is_async else MeteredTransport
    return kind(HERE, current_caller, around)


@asynccontextmanager
async def _through_proxy(meter: ModelMeter) -> AsyncGenerator[None]:
    from proveout.adapters.models.callers import named_callers
    from proveout.adapters.models.environment import unpointed
    from proveout.run.caller import current_caller

    before = dict(os.environ)
    own = unpointed(before)  # whoever started us may stand behind a proxy of its own
    proxy = await asyncio.to_thread(_proxy, meter, own)
    try:
        await asyncio.to_thread(proxy.start)
        with named_callers(proxy.address, current_caller), _set(proxy.variables(own), before):
            yield
    finally:
        await asyncio.to_thread(proxy.stop)


def _proxy(meter: ModelMeter, environment: Mapping[str, str]) -> Proxy:
    """Return a proxy that is not started; its imports take their time."""
    from proveout.adapters.models.environment import upstreams
    from proveout.adapters.models.proxy import Proxy

    return Proxy(meter, upstreams(environment))


@contextmanager
def _set(variables: Mapping[str, str], before: Mapping[str, str]) -> Generator[None]:
    """Set variables of this process for the block; then they are as they were `before`."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


def lease() -> timedelta:
    """Return the length of a lease, from the environment or 30 seconds."""
    return duration(os.environ.get(LEASE, "30 s"))


def office_of(store: Store, key: Path | None = None) -> Office:
    """Return what decisions on a store are taken with, signed by the key in the file `key`."""
    from proveout.adapters.keyfile import KeyFile, default_path

    return Office(
        store=store,
        clock=SystemClock(),
        ids=SystemIds(),
        signer=KeyFile(key or default_path(os.environ)),
    )


def sandbox_url(url: str, folder: Path) -> str:
    """Return the URL of a fresh store of the same kind as the one at `url`, for a drill."""
    if not url.startswith(("postgresql://", "postgres://")):
        return f"sqlite:///{folder / 'drill.db'}"
    from proveout.adapters.postgres.sandbox import in_schema

    return in_schema(url, f"proveout_drill_{secrets.token_hex(6)}")


async def cut_connections(url: str) -> int:
    """End every connection to a sandbox's store that a server holds; return their count."""
    if url.startswith("sqlite:"):
        return 0
    from proveout.adapters.postgres.sandbox import cut

    return await cut(url)


async def discard_store(url: str) -> None:
    """Remove a sandbox's store; one in a file goes with its folder."""
    if not url.startswith("sqlite:"):
        from proveout.adapters.postgres.sandbox import discard

        await discard(url)


def sign_delivery(scheme: Scheme, secret: str, body: bytes, stamp: Stamp) -> Headers:
    """Return the headers with which a source of that scheme would send `body`."""
    from proveout.adapters.hooks.table import SIGNERS, parse_secret

    return SIGNERS[scheme](body, parse_secret(scheme, secret), stamp)


def hooks(environ: Mapping[str, str]) -> Hooks:
    """Return how deliveries are verified, with the secrets that `environ` holds."""
    from proveout.adapters.hooks.table import SCHEMES, parse_secret
    from proveout.faces.api.doors import Hooks

    return Hooks(verifiers=SCHEMES, parse_secret=parse_secret, environ=environ)


def channels(
    addresses: Mapping[str, str], link: Callable[[Notice], str], heartbeat: str
) -> Notifier:
    """Return what reaches people at these addresses, by the names of their channels.

    Raises:
        BadChannel: an address is none that is known.
    """
    from proveout.adapters.notify import Channels

    return Channels(addresses, link, heartbeat)


def identity_provider(settings: OidcSettings, environ: Mapping[str, str], clock: Clock) -> Provider:
    """Return what asks the identity provider of a project who somebody is.

    Raises:
        Mistake: the extra is not installed, its secret is not set, or it is no safe address.
    """
    try:
        from proveout.adapters.oidc import Client, OpenIdProvider
    except ImportError as error:
        raise Mistake(
            "sign-in with an identity provider is not installed",
            why=f"[access.oidc] asks for it, and {error.name} is missing",
            fix=("pip install 'proveout[oidc]'",),
        ) from error
    if not any(settings.roles.values()):
        raise Mistake(
            "no value of the claim stands for any role, so nobody could come in",
            why="whoever has no role is kept out",
            fix=('owners = ["proveout-owners"] under [access.oidc] in proveout.toml',),
        )
    secret = environ.get(settings.secret_env, "") if settings.secret_env else ""
    if settings.secret_env and not secret:
        raise Mistake(
            f"{settings.secret_env} is not set",
            why="the identity provider gives us no token without our secret",
            fix=(f"set {settings.secret_env} where the server starts",),
        )
    client = Client(
        issuer=settings.issuer, id=settings.client, secret=secret, scopes=settings.scopes
    )
    return OpenIdProvider(client, clock)


RECEIVERS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables that name a receiver of traces; without one none are made."""


def tracing_of(project: Project, environ: Mapping[str, str]) -> Tracing | None:
    """Return what sends traces where the environment says; None where it says nowhere.

    Other programs of the machine share these variables, so a missing extra is only told.
    """
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_other = environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    if is_off or is_other or not any(environ.get(name) for name in RECEIVERS):
        return None
    try:
        from proveout.adapters.telemetry import Traces
    except ImportError as error:
        fix = "pip install 'proveout[telemetry]'"
        project.log.warning("traces.not_installed", missing=error.name, fix=fix)
        return None
    from importlib.metadata import version

    from proveout.faces.following import Tracing

    traces = Traces(project.name, version("proveout"), environ)
    telemetry, bench = project.settings.telemetry, project.bench
    return Tracing(project.store, bench.ids, project.log, traces, bodies=telemetry.bodies)


@asynccontextmanager
async def probing(asked: Asked) -> AsyncGenerator[Rig]:
    """Yield a rig on which a foreign receiver can be probed.

    Raises:
        BadAddress: an address is not written as one.
        BadSecret: nothing can be signed with the secret; it is not shown.
        BadPayload: the sample is no event.
        HostNotAllowed: a host is not this machine, and was not allowed by name.
        ReceiverNotReachable: a host cannot be found.
    """
    from proveout.adapters.hooks.table import SIGNERS, parse_their_secret
    from proveout.adapters.receivers.address import parse_address
    from proveout.adapters.receivers.http import HttpReceiver, Wire
    from proveout.adapters.receivers.strain import strain
    from proveout.adapters.receivers.witness import Witnesses, check_has_id
    from proveout.faces.probing import writings
    from proveout.ready.probes.contract import CONTRACTS
    from proveout.ready.probes.rig import Key, Rig
    from proveout.ready.probes.sample import read_sample

    key = parse_their_secret(asked.scheme, asked.secret)
    keys = {Key.THEIRS: key, Key.OTHER: hashlib.sha256(key).digest(), Key.EMPTY: b""}
    async with AsyncExitStack() as opened:

        async def wire(url: str) -> Wire:
            found = await Wire.to(parse_address(url), asked.allowed)
            opened.push_async_callback(found.close)
            return found

        async def witness(option: str, url: str | None) -> tuple[Wire, str] | None:
            if url is None:
                return None
            check_has_id(option, url)
            return await wire(url.replace("{id}", "id")), url

        if asked.effects_command is not None:
            check_has_id("--effects-command", asked.effects_command)
        yield Rig(
            receiver=HttpReceiver(await wire(asked.url)),
            witness=Witnesses(
                effects=await witness("--effects-url", asked.effects_url),
                command=asked.effects_command,
                state=await witness("--state-url", asked.state_url),
            ),
            sample=read_sample(asked.payload, CONTRACTS[asked.scheme], asked.event_type),
            sign=lambda whose, body, stamp: SIGNERS[asked.scheme](body, keys[whose], stamp),
            strain=strain,
            clock=SystemClock(),
            ids=SystemIds(),
            secrets=writings(asked.secret, key),
            bounds=asked.bounds,
        )


def respondent(asked: Elsewhere, folder: Path, dataset: Dataset) -> Respondent:
    """Return what asks a candidate that answers elsewhere.

    Raises:
        AnswersMistake: its file holds something that is no answer, or answers no case.
    """
    match asked:
        case Endpoint():
            from proveout.adapters.candidates.http import OverHttp

            return OverHttp(asked, os.environ)
        case Command():
            from proveout.adapters.candidates.command import ByCommand

            return ByCommand(asked, folder)
        case AnswersFile(file=file):
            return answers_file.load(folder / file, (case.id for case in dataset.cases))


class _Prepared(NamedTuple):
    """An experiment's plan and cases, and whom it asks elsewhere, by candidate name."""

    plan: Plan
    dataset: Dataset
    respondents: dict[str, Respondent]


class Project:
    """A workflow with its settings and its store.

    Attributes:
        url: of the store; it may hold a password and is never shown.
    """

    def __init__(
        self, settings: Settings, store: Store, log: FilteringBoundLogger, url: str = ""
    ) -> None:
        self.settings = settings
        self.store = store
        self.log = log
        self.url = url
        self.bench = system_bench(store, log)

    @cached_property
    def office(self) -> Office:
        """What decisions are taken with."""
        return office_of(self.store)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: str | Path | None = None, *, log: FilteringBoundLogger | None = None
    ) -> AsyncGenerator[Project]:
        """Open a project for as long as the block lasts.

        Args:
            path: its `proveout.toml`; None to find it as the command line does.
            log: where events go; None for standard error, warnings only.

        Raises:
            NoProject: there is no such file.
            Mistake: the settings hold something that cannot be.
            Outage: the store cannot be reached.
        """
        settings = load_settings(find_project(path))
        url = store_url(settings.folder)
        store = await open_store(url)
        try:
            yield cls(settings, store, log or logger(), url)
        finally:
            await store.close()

    @classmethod
    @contextmanager
    def open_sync(
        cls, path: str | Path | None = None, *, log: FilteringBoundLogger | None = None
    ) -> Generator[SyncProject]:
        """Open a project for synchronous code, for as long as the block lasts.

        Any of the process's threads may use it; what it does goes on in a thread of its own.
        Takes and raises what `open` does.

        Raises:
            Mistake: an event loop runs in this thread, which waiting here would stop.
        """
        from proveout.faces.synchronous import opened

        with opened(cls.open(path, log=log)) as project:
            yield project

    @classmethod
    @asynccontextmanager
    async def aside(cls) -> AsyncGenerator[Project]:
        """Open the project found here on a store of its own that is thrown away."""
        settings = load_settings(find_project())
        async with throwaway_store() as store:
            yield cls(settings, store, logger())

    @asynccontextmanager
    async def metering(
        self, cap: Usd | None = None, *, is_trying: bool = False
    ) -> AsyncGenerator[None]:
        """Meter the calls of models while the block lasts, if the settings ask for it.

        The workflow is to be imported within the block.

        Args:
            cap: the most that one run may spend on models; None for any amount.
            is_trying: the runs are trials, whose answers are recorded unless settings forbid it.

        Raises:
            Mistake: what the settings ask for is not installed.
        """
        before = self.bench
        records = is_trying and self.settings.models.record
        async with metered(before, self.settings.models, cap, records=records) as bench:
            self.bench = bench
            try:
                yield
            finally:
                self.bench = before

    @property
    def name(self) -> str:
        """The workflow's name."""
        return self.settings.workflow.name

    def workflow(self) -> Workflow[..., Any]:
        """Return the workflow, imported."""
        return self._load(self.settings.workflow.entry)

    def _load(self, name: str) -> Workflow[..., Any]:
        return entry.as_workflow(entry.load(name, self.settings.folder), name)

    async def enqueue(
        self,
        workflow: str,
        value: object,
        *,
        key: str | None = None,
        priority: int = 0,
        ordering: str | None = None,
        delay: str | timedelta | None = None,
        connection: object = None,
    ) -> Run:
        """Make a run durable; the same key with the same input gives the same run.

        Args:
            workflow: the workflow's name.
            value: its input, anything that travels as JSON.
            key: the caller's own name for this request.
            priority: from -100 to 100; the highest is claimed first.
            ordering: runs with one ordering key go one at a time, in the order they came.
            delay: how long to wait before it may begin, such as "10 min".
            connection: one that a transaction of the caller's is on, in the store's database:
                of psycopg, asyncpg or SQLAlchemy. The run is durable when that transaction
                commits, and never was when it is rolled back.

        Raises:
            NoSuch: the project's workflow has another name.
            WrongShape: the input does not fit the workflow.
            OutOfRange: priority, ordering key or delay are none that a run can have.
            KeyConflict: the key belongs to a run with another input.
            IntakeFull: as many runs wait for a worker as the settings allow.
            Mistake: the connection is in no transaction, or not in the store's database.
        """
        done = await self.enqueue_json(
            workflow,
            to_json(value, "the input"),
            key,
            priority=priority,
            ordering=ordering,
            delay=duration(delay) if isinstance(delay, str) else delay,
            connection=connection,
        )
        return done.run

    async def replay(
        self,
        run: str,
        *,
        value: object = THE_SAME,
        release: str | None = None,
        again: bool = False,
    ) -> Run:
        """Run again what ended without a result; return the new run, or the one that goes on.

        On the same input its effects keep their keys; another input makes new ones.

        Args:
            run: the run's id.
            value: another input, anything that travels as JSON; left out for the same.
            release: the release that the new run is pinned to: one that serves, or "draft".
            again: although a replay of it has succeeded.

        Raises:
            NotReplayable: it goes on, has succeeded, is pruned, or is a trial.
            AlreadyReplayed: a replay has succeeded, or one with another input goes on.
            NotServing: the release gets no new runs.
            WrongShape: the input does not fit the workflow.
        """
        found = await self.run(run)
        edited = None
        if value is not THE_SAME:
            edited = edited_input(to_json(value, "the input"))
            signature(self.workflow().function).inputs(edited)
        pinned = await release_to_replay_on(self.store, found.workflow, release)
        how = Replay(value=edited, release=pinned, again=again)
        return (await replay(self.store, self.bench.clock, self.bench.ids, found, how)).run

    async def enqueue_json(
        self,
        workflow: str,
        value: bytes,
        key: str | None,
        *,
        priority: int = 0,
        ordering: str | None = None,
        delay: timedelta | None = None,
        connection: object = None,
    ) -> Enqueued:
        """Make a run durable on an input of JSON; tells whether it is new."""
        self._check_name(workflow)
        signature(self.workflow().function).inputs(value)
        canonical = to_json(json.loads(value), "the input", canonical=True)
        request = Request(
            workflow=workflow,
            value=canonical,
            key=key,
            priority=priority,
            ordering=ordering,
            delay=delay or timedelta(0),
            intake=self.settings.workflow.intake,
        )
        await check_desk(self.store, self.settings.queues, workflow, key)
        writes = self.store if connection is None else joined(connection, self.url, self.store)
        return await enqueue(writes, self.bench.clock, self.bench.ids, request)

    def _check_name(self, workflow: str) -> None:
        if workflow != self.name:
            raise NoSuch(
                f'there is no workflow "{workflow}" in this project',
                why=f"{self.settings.path} names it {self.name}",
                fix=(f"proveout enqueue {self.name} …",),
            )

    async def run(self, run: str) -> Run:
        """Return a run by its id.

        Raises:
            NoSuch: there is none.
        """
        found = await self.store.run(RunId(run))
        if found is None:
            raise NoSuch(f"there is no run {run}", fix=("proveout runs list",))
        return found

    async def signal(self, run: str, name: str, value: object, *, key: str | None = None) -> None:
        """Send a run a signal, whether it waits for it yet or not; it is durable then.

        Args:
            run: the run's id.
            name: of the signal, such as "paid".
            value: anything that travels as JSON.
            key: the sender's own name for it: of several with the same one the first counts.

        Raises:
            NoSuch: there is no such run.
            RunOver: the run has ended.
        """
        await send(self.store, self.bench.ids, await self.run(run), name, value, key=key)

    async def wait(self, run: str, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - part of the contract
        """Return a run's result, as the workflow's annotation says.

        Args:
            run: the run's id.
            timeout: seconds to wait at most; None for as long as it takes.

        Raises:
            RunFailed: it ended without a result, or is parked.
            StillRunning: it did not end in time.
        """
        clock = self.bench.clock
        end = None if timeout is None else clock.monotonic() + timeout
        while True:
            found = await self.run(run)
            if found.state.is_final or found.state is RunState.PARKED:
                return self._result(found)
            left = 1.0 if end is None else min(1.0, end - clock.monotonic())
            if left <= 0:
                raise StillRunning(f"run {run} is {found.state} after {timeout:g} s")
            await self.store.changed(left)

    def _result(self, run: Run) -> Any:
        if run.state is RunState.SUCCEEDED and run.result is not None:
            shape = signature(self.workflow().function).result
            return shape.decode(run.result, f"the result of {run.workflow}")
        if run.pruned is not None:
            raise RunFailed(
                f"the result of run {run.id} was pruned on {run.pruned:%Y-%m-%d}",
                why=f"it is {run.state}, and older than what is kept",
            )
        why = run.note if run.failure is None else f"{run.failure.type}: {run.failure.message}"
        raise RunFailed(f"run {run.id} is {run.state}", why=why)

    def worker(self, *, concurrency: int, captures: bool) -> Worker:
        """Return a worker for the draft: the working tree as it is."""
        manner = Manner(
            concurrency=concurrency,
            lease=lease(),
            captures=captures,
            most_running=self.settings.workflow.concurrency,
            queues=self.settings.queues,
        )
        return Worker(self.bench, {self.name: self.workflow()}, manner)

    def experiment(self, name: str | None = None) -> ExperimentSettings:
        """Return the experiment of that name, or the only one.

        Raises:
            NoSuch: there is none, or more than one and no name.
        """
        known = {one.name: one for one in self.settings.experiments}
        if name is None and len(known) == 1:
            return next(iter(known.values()))
        if name is None or name not in known:
            raise NoSuch(
                f'there is no experiment "{name}"' if name else "which experiment?",
                why=f"proveout.toml declares {', '.join(known) or 'none'}",
                fix=tuple(f"proveout prove {one}" for one in known) or ("add a [prove] table",),
            )
        return known[name]

    async def conductor(
        self,
        experiment: ExperimentSettings,
        *,
        again: bool = False,
        on_progress: Callable[[Account], None] | None = None,
    ) -> Conductor:
        """Lock an experiment, or find it locked, and return what conducts it.

        Raises:
            Mistake: a candidate, a score or the dataset is not what it must be.
            NoFreshCases: the claim is about future traffic and no case is fresh.
        """
        prepared = self._prepared(experiment)
        plan, dataset, _ = prepared
        locked, layout = await begin(self.bench, plan, dataset, again=again)
        return self._conductor(prepared, locked, layout, on_progress)

    async def recorded(self, experiment: ExperimentSettings) -> Conductor | None:
        """Return what reads an experiment that was begun on what stands here now, or None."""
        prepared = self._prepared(experiment)
        plan, dataset, _ = prepared
        locked = await recorded(self.store, plan, dataset)
        if locked is None:
            return None
        return self._conductor(prepared, locked, layout_of(locked), None)

    async def changed(self, experiment: ExperimentSettings) -> str:
        """Return why nothing is recorded of what stands here, in words."""
        plan, dataset, _ = self._prepared(experiment)
        changed = await changed_now(self.store, plan, dataset)
        if changed is None:
            return f"{experiment.name} was not begun"
        what = ", ".join(changed) or "what it locked"
        return f"{experiment.name} has changed since its newest look: {what}"

    async def reusable(self, experiment: ExperimentSettings) -> Foreseen | None:
        """Return how many answers of earlier looks a new one would reuse; None where none began.

        An experiment that goes on where it was is no new look, and asks what it has not asked.
        """
        if not await self.store.experiments(self.name):
            return None
        plan, dataset, _ = self._prepared(experiment)
        if await recorded(self.store, plan, dataset) is not None:
            return None
        now = await asyncio.to_thread(self._surroundings, plan)
        return await foresee_reuse(self.store, plan, dataset, foreseen(plan, dataset), now)

    def _surroundings(self, plan: Plan) -> str:
        from proveout.faces.surroundings import surroundings_here

        return surroundings_here(self.settings, plan.budget.cap_per_call)

    def _prepared(self, experiment: ExperimentSettings) -> _Prepared:
        """Return the plan with the digests of its code, its cases, and whom it asks elsewhere."""
        dataset = dataset_file.load(experiment.dataset)
        for candidate in experiment.plan.candidates:
            if isinstance(candidate.entry, str):
                self._check_wiring(candidate.entry, dataset)
                self._check_effects(candidate.entry)
        plan = self.with_code(experiment.plan)
        respondents = {
            one.name: respondent(one.entry, self.settings.folder, dataset)
            for one in plan.candidates
            if not isinstance(one.entry, str)
        }
        return _Prepared(plan, dataset, respondents)

    def with_code(self, plan: Plan) -> Plan:
        """Return a plan that names the digest of what a release would execute, and of its scores.

        Scores are no part of the code unless they stand in its package: one that broke may be
        mended, which is another look, and the answers stay.
        """
        files = self.settings.workflow.files
        return entry.with_code(plan, self.settings.folder, (), files)

    def _conductor(
        self,
        prepared: _Prepared,
        locked: LockedExperiment,
        layout: Layout,
        on_progress: Callable[[Account], None] | None,
    ) -> Conductor:
        plan, dataset, respondents = prepared
        setup = Setup(
            experiment=locked,
            plan=plan,
            dataset=dataset,
            layout=layout,
            workflows={
                one.name: self._load(one.entry)
                if isinstance(one.entry, str)
                else asking(respondents[one.name])
                for one in plan.candidates
            },
            scorers=entry.scorers(plan.criteria, self.settings.folder),
            lease=lease(),
            respondents=tuple(respondents.values()),
            surroundings=lambda: self._surroundings(plan),
        )
        return Conductor(self.bench, setup, on_progress)

    def _check_wiring(self, name: str, dataset: Dataset) -> None:
        """Leave quietly when the first case fits; a wrong wiring is no verdict on the idea."""
        function = self._load(name).function
        case = dataset.cases[0]
        value = to_json(case.value, f"the input of case {case.id}")
        try:
            signature(function).inputs(value)
        except WrongShape as error:
            raise WrongShape(
                f"case {case.id} does not fit {name}: {error.message}",
                why="nothing was called; the dataset and the function must agree on the input",
                fix=(f"proveout run '{value.decode()[:60]}'", "mend the function or the dataset"),
            ) from error

    def _check_effects(self, name: str) -> None:
        if undeclared := entry.undeclared_effects(name):
            raise Mistake(
                f"the effect {undeclared[0]} does not say what it returns in a trial",
                why="trials capture effects, and its annotation promises a value",
                fix=(f"@effect(in_trial=…) on {undeclared[0]}",),
            )
