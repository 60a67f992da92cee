"""The whole path on real input: prove, release, drill, promote, serve, and take a release back.

Everything printed is measured in this run and written to `.demo/summary.json`. It ends by
itself, with exit code 1 where something that was promised did not hold; with `--stay` it
keeps serving until Ctrl-C.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import sys
import time
import tomllib
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

from story import canary, release, serve, tell
from story.command import BrokenPromise, Project
from story.prove import prove

if TYPE_CHECKING:
    from collections.abc import Generator

HERE = Path(__file__).parent
OUT = HERE.parent.parent / ".demo"
SUMMARY = OUT / "summary.json"
STAY = "--stay"
INTERRUPTED = 130


def main() -> None:
    """Tell the story from an empty store, and exit with whether its promises held."""
    signal.signal(signal.SIGTERM, _interrupt)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    try:
        held = story(stay=STAY in sys.argv[1:])
    except BrokenPromise as broken:
        print(f"\n  ✗ {broken}\n    see {tell.shown(OUT / 'processes.log')}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\n  interrupted; every process of the demo has ended", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(0 if held else 1)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def story(*, stay: bool) -> bool:
    """Tell every part; return whether all that was promised held."""
    clock = Stopwatch()
    with serve.receiver() as service:
        project = Project(folder=HERE, environ=environ(service, OUT), log=OUT / "processes.log")
        summary: dict[str, Any] = {}
        tell.headline("1  Prove: is the idea good enough, and worth it?")
        with clock.timing("prove"):
            summary["prove"] = prove(project, OUT / "report.html")
        tell.headline("2  Break it on purpose, with each protection on and off")
        with clock.timing("drill"):
            name = release.create(project)
            summary["drills"] = release.drill(project, "--all")
        tell.headline("3  The gate: every claim proven, every assumption answered for")
        with clock.timing("gate"):
            summary["audit"] = release.audit(project)
            release.promote(project, name, assumptions())
        tell.headline("4  Serve: 200 requests over HTTP, with a worker killed in the middle")
        with serve.served(project) as server:
            held = serve_and_take_back(project, server, service, clock, summary)
            summary["seconds"] = clock.seconds
            SUMMARY.write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
            where_to_look(clock, server if stay else None)
            if stay:
                with suppress(KeyboardInterrupt):
                    server.process.wait()
    return held


def serve_and_take_back(
    project: Project, server: serve.Server, service: str, clock: Stopwatch, summary: dict[str, Any]
) -> bool:
    """Tell the parts for which the workflow is served."""
    cases = [json.loads(line) for line in (HERE / "data/cases.jsonl").open(encoding="utf-8")]
    with clock.timing("serve"):
        program, desk = serve.clients(project, server.address)
        found = serve.run_through_a_crash(server, program, desk, cases[: serve.REQUESTS], service)
        held = serve.tell_account(found)
        summary["run"] = found
    tell.headline("5  A release with a fault that no trial sees, in a fifth of the traffic")
    with TemporaryDirectory(prefix="proveout-demo-") as folder, clock.timing("canary"):
        copy = project.at(Path(folder) / "request-routing")
        canary.faulty_copy(HERE, copy.folder)
        made = canary.prepare(copy)
        went = canary.canary(copy, program, made["release"], cases[serve.REQUESTS :])
        summary["canary"] = {**made, **went}
    return held and not went["lost"] and went["done_when_asked_again"] == went["asked_again"]


def environ(service: str, place: Path) -> dict[str, str]:
    """Return the variables of every command: a store, a cache and a key of the demo's own."""
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        **os.environ,
        "PROVEOUT_STORE": f"sqlite:///{place}/proveout.db",
        "PROVEOUT_CACHE": str(place / "cache"),
        "PROVEOUT_KEY_FILE": str(place / "key"),
        "ROUTING_SERVICE": service,
        "FRONT_DESK_SECRET": f"whsec_{secret}",
    }


def assumptions() -> list[str]:
    """Return what the example takes for granted."""
    return tomllib.loads((HERE / "proveout.toml").read_text("utf-8"))["workflow"]["assumptions"]


class Stopwatch:
    """How long each part took."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._parts: dict[str, float] = {}

    @contextmanager
    def timing(self, part: str) -> Generator[None]:
        """Take the time of a block."""
        start = time.monotonic()
        yield
        self._parts[part] = round(time.monotonic() - start, 1)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each part, and of all so far."""
        return {**self._parts, "all": round(time.monotonic() - self._start, 1)}


def where_to_look(clock: Stopwatch, server: serve.Server | None) -> None:
    """Say where the results are, and how the console is opened."""
    tell.headline("Where to look")
    all_of_it = clock.seconds["all"]
    print(f"  report    {tell.shown(OUT / 'report.html')}    the verdict, for a founder")
    print(f"  figures   {tell.shown(SUMMARY)}    measured in {all_of_it:g} s")
    if server is None:
        print("  console   make demo-stay    the same, and the console stays open")
        print("  or, to look at what this run has left behind:")
        print(f"            cd {tell.shown(HERE)}")
        print(f"            export PROVEOUT_STORE=sqlite:///{OUT}/proveout.db")
        print(f"            export PROVEOUT_CACHE={OUT}/cache PROVEOUT_KEY_FILE={OUT}/key")
        print(f"            {os.path.relpath(sys.executable, HERE)} -m proveout serve")
    else:
        welcome = serve.WELCOME.search(server.said)
        print(f"  console   {welcome[0] if welcome else server.address}")
        print("            Ctrl-C ends it")
    print("  Next      proveout init my-workflow    then replace its steps with yours", flush=True)


if __name__ == "__main__":
    main()
