"""Fault 10: the volume of the store is full; nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doubles.callers import open_shop
from doubles.postgres import Databases, OwnServer
from doubles.stores import SQLITE
from faults.conftest import FULL, PATIENCE, rows

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.callers import Server, Shop

pytestmark = pytest.mark.faults

SIZE = "400m"
SPARE = 96 * 1024
"""Bytes that are left when the volume has been filled: the store uses them up."""

AT_ONCE = 8
BEFORE = 24
FILLED = 30 if FULL else 1
"""How often the volume is filled and freed."""

MOST = 4_000
"""Deliveries by which a volume without room must have been noticed."""

KEPT = (
    "SELECT deliveries.event, runs.id FROM {0}deliveries AS deliveries"
    " JOIN {0}runs AS runs ON runs.id = deliveries.run"
)


@dataclass
class Volume:
    """A small volume of its own, which can be filled.

    Attributes:
        server: the database server that lives on it, where there is one.
    """

    folder: Path
    server: OwnServer | None = None

    def fill(self, spare: int = SPARE) -> None:
        """Leave next to nothing free."""
        with self._ballast.open("wb", buffering=0) as file:
            free = shutil.disk_usage(self.folder).free
            os.posix_fallocate(file.fileno(), 0, free - spare)

    def free(self) -> None:
        """Make room again, as a person does who then starts what gave up without it.

        PostgreSQL ends where it cannot write its log, and again where it cannot recover.
        """
        self._ballast.unlink()
        if self.server is not None:
            self.server.ensure()

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@pytest.fixture
def volume() -> Generator[Volume]:
    """Return a volume in memory, where this user may mount one."""
    folder = Path(tempfile.mkdtemp(prefix="proveout-vol-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        folder.rmdir()
        pytest.skip("a volume of its own cannot be mounted here: that takes root")
    yield Volume(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607
    folder.rmdir()


@pytest.fixture(params=["sqlite", "postgres"])
def url(
    request: pytest.FixtureRequest, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> Generator[str]:
    """Return where a store is on the volume, with all that its server keeps."""
    if request.param == "sqlite":
        yield f"{SQLITE}{volume.folder / 'store.db'}"
        return
    monkeypatch.setattr(tempfile, "tempdir", str(volume.folder))
    with ExitStack() as started:
        server = started.enter_context(OwnServer("fsync=on"))
        monkeypatch.undo()
        volume.server = server
        databases = Databases(server.url)
        started.callback(databases.leave)
        yield databases.fresh()  # and gone with its server


@pytest.fixture
def shop(tmp_path: Path, url: str) -> Generator[Shop]:
    """Return a project in production whose store is on the volume."""
    shop = open_shop(tmp_path, url)
    yield shop
    shop.close()


@dataclass
class Sender:
    """Sends events, several at once, and remembers what became of them.

    Attributes:
        sent: count of events sent so far, each once or more.
        acknowledged: the run of each event that was answered by a 2xx.
        statuses: how often each status was answered.
    """

    server: Server
    sent: int
    acknowledged: dict[str, str]
    statuses: Counter[int]

    def send(self, count: int, first: int | None = None) -> None:
        """Send so many events, new ones unless the `first` is told."""
        begin = self.sent if first is None else first
        with ThreadPoolExecutor(AT_ONCE) as senders:
            answers = list(senders.map(self.server.deliver, range(begin, begin + count)))
        self.sent = max(self.sent, begin + count)
        for answer in answers:
            assert answer is not None, "the server died"
            self.statuses[answer.status] += 1
            if answer.status < 300:
                self.acknowledged[answer.body["event"]] = answer.body["run"]


def use_up(sender: Sender) -> None:
    """Send until the volume has no room."""
    refused = sender.statuses[503]
    most = sender.sent + MOST
    while sender.statuses[503] - refused < AT_ONCE:
        sender.send(AT_ONCE)
        assert sender.sent < most, "the volume did not fill up"


def send_all_again(sender: Sender) -> None:
    """Send every event once more, and again until the last of them is acknowledged."""
    end = time.monotonic() + PATIENCE
    sender.send(sender.sent, first=0)
    while len(sender.acknowledged) < sender.sent:
        assert time.monotonic() < end, "with room, it did not go on"
        sender.send(sender.sent, first=0)


def test_a_full_volume_refuses_and_loses_nothing(shop: Shop, url: str, volume: Volume) -> None:
    """Intake answers 503, what it acknowledged is kept, and with room all of it goes on."""
    sender = Sender(shop.serve(), 0, {}, Counter())
    sender.send(BEFORE)

    for _ in range(FILLED):
        volume.fill()
        use_up(sender)
        volume.free()
        send_all_again(sender)

    assert set(sender.statuses) == {200, 202, 503}
    assert len(sender.acknowledged) == sender.sent
    assert dict(rows(url, KEPT)) == sender.acknowledged


def test_a_server_that_answers_early_loses_events_on_a_full_volume(
    shop: Shop, url: str, volume: Volume
) -> None:
    """Negative control: acknowledged before they were written, events are lost."""
    sender = Sender(shop.serve("early"), 0, {}, Counter())
    volume.fill(spare=0)
    while sender.sent < MOST and len(rows(url, KEPT)) > sender.sent - 10 * AT_ONCE:
        sender.send(AT_ONCE)
    volume.free()

    assert len(sender.acknowledged) == sender.sent
    assert sender.acknowledged.keys() > dict(rows(url, KEPT)).keys()
