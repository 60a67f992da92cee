"""A candidate that is a program: real processes, and every way in which one may not answer."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from proveout.adapters.candidates.command import ByCommand, Talk
from proveout.adapters.candidates.descent import new_mark
from proveout.domain.experiment import Command
from proveout.ports.elsewhere import LARGEST_ANSWER, NoAnswer, NotAskable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from proveout.domain.case import Json

LONG = timedelta(seconds=60)

DOUBLES = """
import json, os, sys, time

for line in sys.stdin:
    value = json.loads(line)
    {act}
    print(json.dumps([value, os.getpid()]), flush=True)
"""


@asynccontextmanager
async def program(
    folder: Path, act: str = "pass", within: timedelta = LONG
) -> AsyncGenerator[ByCommand]:
    """Open a program that answers with its input and its process, and does `act` before."""
    (folder / "answer.py").write_text(DOUBLES.format(act=act), "utf-8")
    async with words(folder, sys.executable, "answer.py", within=within) as asked:
        yield asked


@asynccontextmanager
async def words(folder: Path, *words: str, within: timedelta = LONG) -> AsyncGenerator[ByCommand]:
    asked = ByCommand(Command(words=words, timeout=within), folder)
    await asked.ready()
    try:
        yield asked
    finally:
        await asked.close()


def is_running(process: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(holds: Callable[[], bool]) -> None:
    """Return once something of another process holds; the test's patience ends it otherwise."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what another process does has no event
            await asyncio.sleep(0.01)  # noqa: TID251 - see above


@asynccontextmanager
async def talk(folder: Path, script: str) -> AsyncGenerator[Talk]:
    """Open a running shell script."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", script),
        cwd=folder,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    one = Talk(process, new_mark())
    try:
        yield one
    finally:
        await one.end()


async def pair(asked: ByCommand, value: object) -> tuple[Any, int]:
    """Return what the program answers: the input, and its process."""
    found: Any = await asked.answer(cast("Json", value))
    return found[0], found[1]


async def failure_of(asked: ByCommand, value: Any = 1) -> str:
    with pytest.raises(NoAnswer) as caught:
        await asked.answer(value)
    return caught.value.message


async def test_one_process_answers_case_after_case(tmp_path: Path) -> None:
    """A line in, a line out; what it starts with is loaded once."""
    async with program(tmp_path) as asked:
        found = [await pair(asked, value) for value in ({"n": "ä\n"}, [1], None)]

    assert [value for value, _ in found] == [{"n": "ä\n"}, [1], None]
    assert len({process for _, process in found}) == 1


async def test_as_many_run_as_are_asked_at_once(tmp_path: Path) -> None:
    async with program(tmp_path, "time.sleep(0.2)") as asked:
        found: list[Any] = await asyncio.gather(*(asked.answer(n) for n in range(3)))

    assert sorted(value for value, _ in found) == [0, 1, 2]
    assert len({process for _, process in found}) == 3


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (
            "value == 1 and sys.exit('out of luck')",
            'it ended with code 1 before it answered; its error output ends: "out of luck"',
        ),
        (
            "value == 1 and os.kill(os.getpid(), 9)",
            "it ended with code -9 before it answered; its error output ends: nothing",
        ),
        (
            "value == 1 and (print('[1', end='', flush=True), sys.exit(0))",
            'it ended with code 0 within the line "[1"; its error output ends: nothing',
        ),
        (
            "value == 1 and print('Loading…', flush=True)",
            'no JSON: "Loading…"; its error output ends: nothing',
        ),
        (
            "value == 1 and [print('x' * 100_000, flush=True) for _ in range(1_000)]",
            f'no JSON: "{"x" * 200}…"; its error output ends: nothing',
        ),
        ("value == 1 and print(flush=True)", "no JSON: nothing; its error output ends: nothing"),
        (
            f"value == 1 and print('x' * {LARGEST_ANSWER + 1}, flush=True)",
            "a line of more than 1,048,576 bytes",
        ),
        (
            "value == 1 and (os.close(1), time.sleep(60))",
            "it closed its output before it answered; its error output ends: nothing",
        ),
    ],
)
async def test_a_program_that_fails_is_told_of_and_a_fresh_one_asked_next(
    tmp_path: Path, act: str, said: str
) -> None:
    async with program(tmp_path, act) as asked:
        _, first = await pair(asked, 0)
        message = await failure_of(asked)
        value, second = await pair(asked, 2)

        assert message == said
        assert value == 2
        assert first != second
        await until(lambda: not is_running(first))


async def test_one_that_is_late_is_ended(tmp_path: Path) -> None:
    act = "value == 1 and (print(os.getpid(), file=sys.stderr, flush=True), time.sleep(60))"
    async with program(tmp_path, act, timedelta(seconds=1.5)) as asked:
        message = await failure_of(asked)
        process = int(message.rpartition('"')[0].rpartition('"')[2])

        assert message.startswith("no line within 1.5 s; its error output ends: ")
        await until(lambda: not is_running(process))


async def test_noise_on_the_error_output_stops_nothing(tmp_path: Path) -> None:
    """Far more than a pipe holds; only its end is remembered."""
    act = "print('x' * 500_000 + 'the end', file=sys.stderr); value == 1 and sys.exit(3)"
    async with program(tmp_path, act) as asked:
        await asked.answer(0)
        message = await failure_of(asked)

    assert message.endswith('the end"')
    assert len(message) < 400


async def test_an_input_larger_than_a_pipe_arrives_whole(tmp_path: Path) -> None:
    async with program(tmp_path) as asked:
        value, _ = await pair(asked, "x" * 500_000)

    assert value == "x" * 500_000


async def test_a_second_line_fails_the_case_that_it_came_with(tmp_path: Path) -> None:
    """It is not taken for the answer to the next one."""
    act = "value == 1 and (sys.stdout.write('1\\n2\\n'), sys.stdout.flush(), time.sleep(60))"
    async with program(tmp_path, act) as asked:
        message = await failure_of(asked)
        value, _ = await pair(asked, 2)

    assert message == 'it wrote a line that nobody asked for: "2"'
    assert value == 2


async def test_a_line_that_comes_later_fails_what_is_asked_next(tmp_path: Path) -> None:
    """Which of the two it belongs to, nobody can say."""
    async with talk(tmp_path, "echo 1; read line; echo 2; echo 3; exec sleep 60") as one:
        await until(lambda: not one.is_quiet)
        with pytest.raises(NoAnswer, match='that nobody asked for: "1"'):
            await one.ask(1)


async def test_one_that_ended_in_between_is_replaced_without_a_failure(tmp_path: Path) -> None:
    """It answered all that it was asked: no case is to blame."""
    (tmp_path / "once.sh").write_text("read line\necho $line\n", "utf-8")
    async with words(tmp_path, "sh", "once.sh") as asked:
        found = [await asked.answer(1)]
        await until(lambda: not asked.is_running)
        found.append(await asked.answer(2))

    assert found == [1, 2]


async def test_closing_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    """Even one that ignores the end of its input."""
    (tmp_path / "stays.sh").write_text(
        "sleep 600 & echo $! > child\nread line\necho $$\nexec sleep 600\n", "utf-8"
    )
    async with words(tmp_path, "sh", "stays.sh") as asked:
        process = await asked.answer(1)
        child = int((tmp_path / "child").read_text("utf-8"))
        assert is_running(child)

    assert isinstance(process, int)
    await until(lambda: not is_running(process))
    await until(lambda: not is_running(child))


DAEMON = """
import os, subprocess, sys

code = "import os, time; print(os.getpid(), file=open('daemon', 'w')); time.sleep(600)"
quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
if os.fork() == 0:
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True, **quiet)
    os._exit(0)
os.wait()
sys.stdin.readline()
while not os.path.exists("daemon") or not open("daemon").read().endswith("\\n"):
    pass
print(1, flush=True)
ACT
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows environments")
@pytest.mark.parametrize("act", ["sys.stdin.read()", "sys.exit(1)"])
async def test_a_daemon_that_it_started_ends_with_it(tmp_path: Path, act: str) -> None:
    """It left the session and its parent; nobody else would ever end it."""
    (tmp_path / "answer.py").write_text(DAEMON.replace("ACT", act), "utf-8")
    async with words(tmp_path, sys.executable, "answer.py") as asked:
        assert await asked.answer(1) == 1
        daemon = int((tmp_path / "daemon").read_text("utf-8"))

    await until(lambda: not is_running(daemon))


async def test_what_it_did_not_start_goes_on(tmp_path: Path) -> None:
    """Another program of the same experiment is none of its own."""
    async with program(tmp_path, "value == 1 and sys.exit(3)") as asked:
        _, other = await pair(asked, 0)
        async with words(tmp_path, sys.executable, "answer.py") as second:
            await failure_of(second)

        assert is_running(other)


async def test_a_key_that_stands_twice_is_no_answer(tmp_path: Path) -> None:
    """Two readers would take two values."""
    act = 'print(\'{"a": {"b": 1, "b": 2}}\', flush=True); continue'
    async with program(tmp_path, act) as asked:
        message = await failure_of(asked)

    assert message.startswith('no one value: the key "b" stands twice: ')


async def test_a_call_that_is_called_off_ends_the_program(tmp_path: Path) -> None:
    (tmp_path / "slow.sh").write_text("read line\necho $$ > own\nexec sleep 600\n", "utf-8")
    own = tmp_path / "own"
    async with words(tmp_path, "sh", "slow.sh") as asked:
        asking = asyncio.create_task(asked.answer(1))
        await until(lambda: own.is_file() and own.read_text("utf-8").endswith("\n"))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

        await until(lambda: not is_running(int(own.read_text("utf-8"))))


async def test_a_program_of_the_project_is_found_from_its_folder(tmp_path: Path) -> None:
    script = tmp_path / "answer"
    script.write_text("#!/bin/sh\nwhile read line; do echo '{\"here\": true}'; done\n", "utf-8")
    script.chmod(0o755)

    async with words(tmp_path, "./answer") as asked:
        assert await asked.answer(1) == {"here": True}


@pytest.mark.parametrize("name", ["./answer", "no-such-program-anywhere", "./folder"])
async def test_a_program_that_is_not_there_is_told_before_the_first_call(
    tmp_path: Path, name: str
) -> None:
    """Or is no program: a file that nobody may execute, a folder."""
    (tmp_path / "answer").write_text("#!/bin/sh\n", "utf-8")
    (tmp_path / "folder").mkdir()
    asked = ByCommand(Command(words=(name,), timeout=LONG), tmp_path)

    with pytest.raises(NotAskable, match="cannot be started") as caught:
        await asked.ready()

    assert caught.value.why
    assert caught.value.fix


async def test_a_program_that_no_system_can_run_fails_its_trial(tmp_path: Path) -> None:
    """It may be executed, and its interpreter is nowhere."""
    script = tmp_path / "answer"
    script.write_text("#!/no/such/interpreter\n", "utf-8")
    script.chmod(0o755)

    async with words(tmp_path, "./answer") as asked:
        assert (await failure_of(asked)).startswith('"./answer" cannot be started: ')
