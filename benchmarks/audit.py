"""How fast a repository is audited, and in how much memory: the goal is 100,000 lines in 10 s.

Run it by `make scan`. The repository is made of this Python's own library, with the examples
of the rules among it, so that there is something to find.
"""

from __future__ import annotations

import resource
import sys
import sysconfig
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from proveout.faces.repository import scan_repository
from proveout.ready.scan.catalogue import RULES

LINES = 100_000
GOAL = 10.0
"""Seconds of one core."""


def main() -> None:
    """Print time, memory and count of findings for one repository of that size."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lines = fill(root)
        before, start, started = memory(), perf_counter(), process_time()
        found = scan_repository(root)
        wall, busy = perf_counter() - start, process_time() - started
    per = busy / lines * LINES
    print(f"{lines:,} lines in {len(found.facts.files):,} files, {len(found.found):,} findings")
    print(f"  {per:.1f} s of a core per {LINES:,} lines; {wall:.1f} s by the clock")
    print(f"  {memory() - before:.0f} MB more than before it began")
    if per > GOAL:
        sys.exit(f"over the goal of {GOAL:g} s")


def fill(root: Path) -> int:
    """Write the repository; return how many lines it has."""
    lines = 0
    for rule in RULES:
        for kind, text in (("bad", rule.bad), ("good", rule.good)):
            (root / f"{rule.code.replace('-', '_')}_{kind}.py").write_text(text, "utf-8")
            lines += text.count("\n")
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if lines >= LINES:
            break
        if not {"site-packages", "test", "tests", "idlelib"} & set(path.parts):
            data = path.read_bytes()
            (root / f"library_{lines}.py").write_bytes(data)
            lines += data.count(b"\n")
    return lines


def memory() -> float:
    """Return the most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
