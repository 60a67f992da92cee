"""A verdict on a real small language model, served on this machine and metered: `make demo-model`.

No network, no key, no cost: the prices are declared. It ends by itself, with exit code 1 where
a call of the model is missing from the account.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

HERE = Path(__file__).parent
DECIDED = {0, 1}
"""Exit codes of a GO and of a NO-GO."""


@contextmanager
def served(log: IO[bytes]) -> Generator[str]:
    """Serve the model for as long as the block goes on; gives its address."""
    with subprocess.Popen(
        [sys.executable, HERE / "serve_model.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    ) as process:
        try:
            address = cast("IO[str]", process.stdout).readline().strip()
            if not address:
                sys.exit(f"the model could not be served:\n{tail(log)}")
            yield address
        finally:
            cast("IO[str]", process.stdin).close()


def tail(log: IO[bytes]) -> str:
    """Return the end of what the model's server said."""
    return Path(log.name).read_text("utf-8", errors="replace")[-2000:]


def proveout(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command of ours on the project beside this file; keep what it prints for a program."""
    return subprocess.run(
        [sys.executable, "-m", "proveout", *words],
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE if "--json" in words else None,
        check=False,
    )


def main() -> None:
    """Prove the workflow, and check that every call of the model was counted."""
    with TemporaryDirectory(prefix="proveout-demo-") as folder:
        place = Path(folder)
        with (place / "model.log").open("wb") as log, served(log) as address:
            environment = {
                **os.environ,
                "PROVEOUT_STORE": f"sqlite:///{place}/proveout.db",
                "PROVEOUT_CACHE": str(place / "cache"),
                "OPENAI_BASE_URL": f"{address}/v1",
                "OPENAI_API_KEY": "none-is-needed",
            }
            code = proveout(environment, "prove").returncode
        if code not in DECIDED:
            sys.exit(f"the experiment ended with {code}")
        said = json.loads(proveout(environment, "verdict", "--json").stdout)
    print(f"\n  {said['calls']} calls of the model, ${said['cost']['usd']:.6f} by its tokens")
    sys.exit(0 if said["cost"]["usd"] > 0 else 1)


if __name__ == "__main__":
    main()
