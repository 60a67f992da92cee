"""The `proveout` command, run as a person or a script would run it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

LEAVING = 45.0
"""Seconds that a process gets to end in when it was told to."""


class BrokenPromise(Exception):
    """Something that the demo shows did not happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder with a `proveout.toml`, and how its commands run.

    Attributes:
        log: what they say beside their answers.
        python: of the environment that has the workflow's packages.
    """

    folder: Path
    environ: Mapping[str, str]
    log: Path
    python: str = sys.executable

    def at(self, folder: Path) -> Project:
        """Return the project in another folder, on the same store."""
        return replace(self, folder=folder)

    @property
    def _proveout(self) -> tuple[str, ...]:
        return (self.python, "-m", "proveout")

    def show(self, *arguments: str) -> None:
        """Run a command that speaks for itself."""
        done = subprocess.run(
            [*self._proveout, *arguments], cwd=self.folder, env=dict(self.environ), check=False
        )
        _check(done.returncode, arguments)

    def text(self, *arguments: str, may_say_no: bool = False) -> str:
        """Return what a command printed."""
        with self.log.open("ab") as log:
            done = subprocess.run(
                [*self._proveout, *arguments],
                cwd=self.folder,
                env=dict(self.environ),
                stdout=subprocess.PIPE,
                stderr=log,
                check=False,
            )
        _check(done.returncode, arguments, (0, 1) if may_say_no else (0,))
        return done.stdout.decode()

    def ask(self, *arguments: str, may_say_no: bool = False) -> Any:
        """Return the last object that a command printed."""
        return json.loads(self.text(*arguments, "--json", may_say_no=may_say_no).splitlines()[-1])

    def stream(self, *arguments: str) -> Iterator[Any]:
        """Yield the objects that a command prints, as they come; its exit code is the caller's."""
        with self.start(*arguments, "--json", output=subprocess.PIPE) as process:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            for line in process.stdout:
                yield json.loads(line)
            process.wait()
            _check(process.returncode, arguments, (0, 1))

    @contextmanager
    def start(
        self, *arguments: str, output: int | None = None
    ) -> Generator[subprocess.Popen[bytes]]:
        """Run a command while the block lasts; it has ended when the block has."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*self._proveout, *arguments],
                cwd=self.folder,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours to pass on, once
            )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[Any]) -> None:
    """Have a process ended: told first, and killed where it does not go."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _check(code: int, arguments: tuple[str, ...], good: tuple[int, ...] = (0,)) -> None:
    if code not in good:
        raise BrokenPromise(f"proveout {' '.join(arguments)} exited with {code}")
