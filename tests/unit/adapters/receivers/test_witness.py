"""What counts effects, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proveout.adapters.receivers import witness
from proveout.adapters.receivers.address import parse_address
from proveout.adapters.receivers.http import Wire
from proveout.adapters.receivers.strain import strain
from proveout.adapters.receivers.witness import Witnesses
from proveout.ports.receiver import NoWitness

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@asynccontextmanager
async def saying(status: int, text: str) -> AsyncGenerator[tuple[Witnesses, list[bytes]]]:
    """Open a server that says one thing; gives witnesses that ask it, and what they asked."""
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        body = text.encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{{id}}"
    wire = await Wire.to(parse_address(url.replace("{id}", "id")), ())
    yield Witnesses(effects=(wire, url), state=(wire, url)), asked
    await wire.close()
    server.close()


@pytest.mark.parametrize(
    ("status", "text", "count"),
    [(200, '{"count": 2}', 2), (200, "3", 3), (404, "", 0), (200, '{"count": 0, "x": 1}', 0)],
)
async def test_effects_are_counted_by_a_url(status: int, text: str, count: int) -> None:
    async with saying(status, text) as (found, asked):
        assert await found.count("a/b?c") == count

    assert asked == [b"GET /a%2Fb%3Fc HTTP/1.1"]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        *((500, '{"count": 1}'), (302, ""), (200, "many"), (200, '{"count": -1}'), (200, "[1]")),
        *((200, '{"count": true}'), (200, '{"count": 1.5}'), (200, '{"count": "1"}'), (200, "")),
    ],
)
async def test_what_is_no_count_is_no_witness(status: int, text: str) -> None:
    async with saying(status, text) as (found, _):
        with pytest.raises(NoWitness, match="effects URL"):
            await found.count("evt_1")


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [(200, '{"status": "paid"}', "paid"), (200, '{"status": null}', None), (404, "", None)],
)
async def test_the_state_is_shown_by_a_url(status: int, text: str, told: str | None) -> None:
    async with saying(status, text) as (found, _):
        assert await found.status("in_1") == told


@pytest.mark.parametrize("text", ['{"status": 7}', "[]", "paid"])
async def test_what_is_no_status_is_no_witness(text: str) -> None:
    async with saying(200, text) as (found, _):
        with pytest.raises(NoWitness, match="state URL"):
            await found.status("in_1")


async def test_effects_are_counted_by_a_command_without_a_shell(tmp_path: Path) -> None:
    script = tmp_path / "count.py"
    script.write_text("import sys; print(len(sys.argv[1]))", "utf-8")
    found = Witnesses(command=f"{sys.executable} -I -S {script} {{id}}")

    assert found.counts
    assert await found.count("$(x);") == 5


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("no-such-program-here {id}", "cannot be started"),
        ("'unclosed {id}", "cannot be started"),
        ("false {id}", "ended with 1"),
        ("echo {id}", "no JSON"),
    ],
)
async def test_a_command_that_does_not_count_is_no_witness(command: str, why: str) -> None:
    with pytest.raises(NoWitness, match=why):
        await Witnesses(command=command).count("evt_1")


async def test_a_command_that_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what it started."""
    monkeypatch.setattr(witness, "COMMAND_PATIENCE", 1.0)
    script = tmp_path / "hang.py"
    script.write_text(
        "import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"
        "time.sleep(600)\n",
        "utf-8",
    )

    with pytest.raises(NoWitness, match="took over 1 s"):
        await Witnesses(command=f"{sys.executable} -I -S {script} {{id}}").count("evt_1")

    pid = int((tmp_path / "pid").read_text("utf-8"))
    assert await asyncio.to_thread(_ends, pid)


def _ends(pid: int) -> bool:
    """Whether a process is gone within ten seconds."""
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.02)  # noqa: TID251 - watches another process
    return not Path(f"/proc/{pid}").exists()


async def test_strain_is_at_least_that_of_a_machine_alone() -> None:
    assert await strain() >= 1.0
