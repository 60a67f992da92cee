"""How long starting takes: whole processes, bytecode compiled, the best of seven.

Run it by `make start`. No test asserts these times: they depend on the machine, and what
they come from (which modules are imported) is tested in `tests/house`.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import proveout

ROUNDS = 7
GOAL = 150.0
"""Milliseconds."""

WORK = {
    "python -c pass": ("-c", "pass"),
    "import proveout": ("-c", "import proveout"),
    "proveout --version": ("-m", "proveout", "--version"),
    "proveout --help": ("-m", "proveout", "--help"),
    "proveout prove --help": ("-m", "proveout", "prove", "--help"),
}


def main() -> None:
    """Print the best time of each piece of work."""
    compileall.compile_dir(Path(proveout.__path__[0]), quiet=1)
    print(f"whole process, best of {ROUNDS}; the goal is {GOAL:g} ms")
    for name, arguments in WORK.items():
        best = min(milliseconds(arguments) for _ in range(ROUNDS))
        print(f"  {name:22} {best:6.0f} ms{'' if best < GOAL else '   over the goal'}")


def milliseconds(arguments: tuple[str, ...]) -> float:
    """Return how long a fresh interpreter takes for some work."""
    start = perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return 1000 * (perf_counter() - start)


if __name__ == "__main__":
    main()
