"""Every fault of a receiver is found, in every framework, and nothing that is no fault."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from proveout.faces.cli.main import run
from proveout.ready.probes.catalogue import PROBES
from proveout.ready.probes.probe import Framework, Status
from receivers.faults import CASES, FRAMEWORKS, Case, Fault
from receivers.probed import PAYLOAD, QUICK, asked, named, only, probed
from receivers.shop import SECRET
from receivers.town import town

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


pytestmark = pytest.mark.journey

SCHEMES = ("stripe", "github", "standard", "slack", "shopify")

HTTP = "http://"
"""How addresses begin, those too that name nobody's machine."""

AT_ONCE = 8
"""Audits that go on at the same moment."""

FULL = os.environ.get("PROVEOUT_DRILLS") == "full"

SLOW = {Fault.SLOW, Fault.ONE_BY_ONE, Fault.THROTTLED}
"""What takes its time with every event, so that it is asked little else."""

WHOLE = "WSGI"
"""The framework whose receivers are asked everything."""

READS = {"P06": ("P04", "P12", "P13")}
"""What must be asked for another probe to have something to read."""


@pytest.fixture(scope="module")
def addresses() -> Generator[dict[str, str]]:
    """Return where the receivers of each framework stand."""
    with town() as found:
        yield found


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_each_fault_is_found_and_nothing_else(
    framework: str, addresses: dict[str, str]
) -> None:
    """What the page of probes shows as a table holds."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> set[str]:
        bounds = replace(QUICK, burst=20) if case.fault in SLOW else QUICK
        is_whole = (FULL or framework == WHOLE) and case.fault not in SLOW
        further = (found for name in case.found for found in READS.get(name, ()))
        probes = PROBES if is_whole else only(case.found, case.may, further)
        async with turns:
            return named(
                await probed(asked(addresses[framework], case.fault, bounds), probes),
                Status.FAILED,
            )

    failed = await asyncio.gather(*(one(case) for case in CASES))

    wrong = {
        case.fault: sorted(found)
        for case, found in zip(CASES, failed, strict=True)
        if not set(case.found) <= found <= {*case.found, *case.may}
    }
    assert wrong == {}


def test_each_probe_has_a_fault_and_each_fault_is_tried() -> None:
    """No probe is without something that makes it fail, and no fault stands unused."""
    found = {name for case in CASES for name in case.found}

    assert found == {one.id for one in PROBES}
    assert {case.fault for case in CASES} == set(Fault) - {Fault.NONE}
    assert len(CASES) >= 20


@pytest.mark.parametrize("case", CASES[5:25:5], ids=lambda case: case.fault)
async def test_a_probe_that_is_switched_off_leaves_its_fault_unfound(
    case: Case, addresses: dict[str, str]
) -> None:
    """The negative control: it is this probe that finds it, and none beside it."""
    left = [one for one in PROBES if one.id not in (*case.found, *case.may)]

    found = await probed(asked(addresses[WHOLE], case.fault), left)

    assert named(found, Status.FAILED) == set()


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_a_receiver_without_a_fault_passes_everything(
    framework: str, addresses: dict[str, str]
) -> None:
    """No false alarm, and the framework is told from what its server says."""
    found = await probed(asked(addresses[framework], "none"))

    assert named(found, Status.PASSED) == {one.id for one in PROBES}
    assert found.word == "PASSED"
    assert found.framework == (None if framework == "WSGI" else Framework(framework))


@pytest.mark.parametrize("scheme", SCHEMES[1:])
async def test_each_scheme_passes_what_it_has_a_notion_of(
    scheme: str, addresses: dict[str, str]
) -> None:
    found = await probed(asked(addresses["WSGI"], f"none.{scheme}"))

    lacking = {
        "github": {"P09", "P10", "P11", "P16", "P21"},
        "shopify": {"P09", "P10", "P11", "P16", "P21"},
        "slack": {"P11", "P21"},
        "standard": {"P21"},
    }
    assert named(found, Status.NOT_APPLICABLE) == lacking[scheme]
    assert named(found, Status.PASSED) == {one.id for one in PROBES} - lacking[scheme]


async def test_a_slow_receiver_on_a_busy_machine_is_no_fault() -> None:
    """It takes 0.1 s for each delivery while other programs want every processor twice."""
    busy = [
        multiprocessing.get_context("spawn").Process(target=_compute, daemon=True)
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    for one in busy:
        one.start()
    try:
        with town(delay=0.1) as addresses:
            found = await asyncio.gather(
                *(probed(asked(address, "none")) for address in addresses.values())
            )
    finally:
        for one in busy:
            one.kill()

    assert [named(one, Status.FAILED, Status.BLOCKED) for one in found] == [set()] * 4


def _compute() -> None:
    while True:
        sum(range(10_000))


async def test_without_a_counter_effects_are_untested_and_not_passed(
    addresses: dict[str, str],
) -> None:
    what = replace(asked(addresses["WSGI"], "no-memory"), effects_url=None, state_url=None)

    found = await probed(what)

    assert named(found, Status.UNTESTED) == {"P15", "P16", "P17", "P19", "P20", "P21", "P23"}
    assert named(found, Status.FAILED) == set()
    assert (found.holds, found.word) == (True, "NO FAULT FOUND")


async def test_when_the_first_fails_the_rest_is_blocked(addresses: dict[str, str]) -> None:
    found = await probed(asked(addresses["Django"], "login"))

    assert named(found, Status.FAILED) == {"P01"}
    assert named(found, Status.BLOCKED) == {one.id for one in PROBES} - {"P01"}
    assert found.deliveries == 1
    assert "csrf_exempt" in found.results[0].fix


# The command


def command(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `proveout audit webhook` in a folder where there is no project."""
    (folder / "event.json").write_bytes(PAYLOAD)
    return subprocess.run(
        [sys.executable, "-P", "-m", "proveout", "audit", "webhook", *words],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "SHOP_SECRET": SECRET, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def options(address: str, name: str) -> tuple[str, ...]:
    """Return the words by which a shop is probed."""
    return (
        f"{address}/{name}/webhook",
        *("--scheme", "stripe", "--secret-env", "SHOP_SECRET", "--payload", "event.json"),
        *("--effects-url", f"{address}/{name}/effects/{{id}}"),
        *("--state-url", f"{address}/{name}/state/{{id}}"),
    )


def test_the_command_says_what_fails_and_how_to_mend_it(
    addresses: dict[str, str], tmp_path: Path
) -> None:
    """In 80 columns, in the framework's words, and on a page; the secret is on neither."""
    done = command(tmp_path, *options(addresses["Flask"], "tells-secret"), "--html", "found.html")

    page = (tmp_path / "found.html").read_text("utf-8")
    assert done.returncode == 1, done.stderr
    assert "✗ P06" in done.stdout
    assert "FAILED  22 passed, 1 failed; of those that failed 1 high" in done.stdout
    assert "Run without debug=True" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "Errors show no secret" in page
    assert "<script" not in page
    for text in (done.stdout, done.stderr, page):
        assert SECRET not in text
        assert SECRET.removeprefix("whsec_") not in text


def test_programs_read_one_object(addresses: dict[str, str], tmp_path: Path) -> None:
    done = command(tmp_path, *options(addresses["FastAPI"], "none"), "--json")

    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (found["schema"], found["framework"], found["holds"]) == ("probes.v1", "FastAPI", True)
    assert [one["id"] for one in found["probes"]] == [f"P{n:02}" for n in range(1, 24)]
    assert {one["status"] for one in found["probes"]} == {"passed"}
    assert all(one["sent"] and one["received"] and one["why"] for one in found["probes"])


async def test_effects_are_counted_by_a_command_too(
    addresses: dict[str, str], tmp_path: Path
) -> None:
    """It runs without a shell, and prints a number or what the URL would answer."""
    address = addresses["WSGI"]
    script = tmp_path / "count.py"
    script.write_text(
        "import sys, urllib.request\n"
        f"print(urllib.request.urlopen('{address}/no-memory/effects/' + sys.argv[1])"
        ".read().decode())\n",
        "utf-8",
    )
    counted = f"{sys.executable} -I -S {script} {{id}}"
    what = replace(asked(address, "no-memory"), effects_url=None, effects_command=counted)

    found = await probed(what, only(("P15",)))

    assert named(found, Status.FAILED) == {"P15"}
    assert "3 effects" in found.results[1].received


REFUSED = re.compile(r"^error\[([a-z-]+)\]", re.MULTILINE)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Return the exit code, the kind of error and all that was said of a command in vain."""
    code = run(["audit", "webhook", *words])
    said = "".join(capsys.readouterr())
    return code, REFUSED.findall(said)[0], said


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Return the options that every audit needs, good ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    monkeypatch.setenv("API_KEY", "sk_live_5f2a")
    (tmp_path / "event.json").write_bytes(PAYLOAD)
    (tmp_path / "list.json").write_text("[1]", "utf-8")
    (tmp_path / "nan.json").write_text('{"id": NaN}', "utf-8")
    (tmp_path / "huge.json").write_text(json.dumps({"id": "x" * 200_000}), "utf-8")
    return ("--scheme", "stripe", "--secret-env", "SHOP_SECRET", "--payload", "event.json")


@pytest.mark.parametrize(
    ("url", "code", "kind"),
    [
        ("http://127.0.0.1:1/webhook", 6, "receiver-not-reachable"),
        ("http://no-such-host.invalid/webhook", 6, "receiver-not-reachable"),
        (f"{HTTP}192.0.2.1/webhook", 3, "host-not-allowed"),
        (f"{HTTP}0.0.0.0/webhook", 3, "host-not-allowed"),
        ("ftp://127.0.0.1/webhook", 2, "bad-address"),
        ("127.0.0.1:8000/webhook", 2, "bad-address"),
        ("http://ana:hush-hush@127.0.0.1/webhook", 2, "bad-address"),
        ("http://bücher.example/webhook", 2, "bad-address"),
        ("http://127.0.0.1:99999/webhook", 2, "bad-address"),
        ("http://127.0.0.1/a b", 2, "bad-address"),
        (f"{HTTP}/webhook", 2, "bad-address"),
    ],
)
def test_an_address_that_cannot_be_probed_is_refused(
    url: str, code: int, kind: str, usual: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    found = refused(capsys, url, *usual)

    assert found[:2] == (code, kind)
    assert "hush-hush" not in found[2]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("--secret-env", "NOT_SET_AT_ALL"), "no-secret"),
        (("--secret-env", "whsec_c2VjcmV0"), "no-secret"),
        (("--secret-env", "API_KEY"), "bad-secret"),
        (("--payload", "missing.json"), "no-payload"),
        (("--payload", "list.json"), "bad-payload"),
        (("--payload", "nan.json"), "bad-payload"),
        (("--payload", "huge.json"), "bad-payload"),
        (("--effects-url", "http://127.0.0.1:1/effects"), "bad-address"),
        (("--effects-url", f"{HTTP}192.0.2.1/{{id}}"), "host-not-allowed"),
        (("--effects-command", "count"), "bad-address"),
        (("--scheme", "twilio"), "mistake"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    words: tuple[str, ...],
    kind: str,
    usual: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And what was written where a secret does not belong is not repeated."""
    code, found, said = refused(capsys, "http://127.0.0.1:1/webhook", *usual, *words)

    assert (code, found) == (3 if kind == "host-not-allowed" else 2, kind)
    assert "c2VjcmV0" not in said
    assert "5f2a" not in said


def test_the_audit_of_a_folder_is_as_it_was(
    usual: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the word `webhook` right behind `audit` makes it another command."""
    assert usual
    assert run(["audit", "elsewhere", "webhook"]) == 2
    assert "URL" not in "".join(capsys.readouterr())
