"""What the commands of the chapter `release` promise, whatever became of the working tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doubles.stores import SQLITE
from journeys.site import Site, make_site, slim_python
from proveout.domain.access import Role
from proveout.domain.record import Kind
from proveout.release.environment import environment_folder

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Python of an environment without tools."""
    return slim_python(tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where releases and environments are kept, for all tests of this file."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def site(
    tmp_path: Path, python: str, cache: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> Site:
    """Return a project on each store in turn."""
    return make_site(tmp_path, python, cache, store_url, monkeypatch)


@pytest.fixture
def local(tmp_path: Path, python: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a project whose state is in its own folder, as it is by default."""
    url = f"{SQLITE}{tmp_path / 'a project' / '.proveout' / 'proveout.db'}"
    site = make_site(tmp_path, python, cache, url, monkeypatch)
    monkeypatch.delenv("PROVEOUT_STORE")
    return site


def answered(site: Site, release: str, value: int) -> int:
    """Return what a release answers, in its own environment and from its own files."""
    shown = site.ask("release", "show", release)
    cache = Path(os.environ["PROVEOUT_CACHE"])
    root = cache / "releases" / shown["digest"]
    python = environment_folder(shown["environment"], cache) / "bin" / "python"
    code = f"import sys; sys.path.insert(0, {str(root)!r}); import app; print(app.times({value}))"
    done = subprocess.run(
        [python, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


def unpacked(site: Site, *releases: str) -> None:
    """Have the files of releases where workers would put them."""
    code = (
        "import asyncio, sys\n"
        "from proveout.faces.operating import operating\n"
        "from proveout.faces.released import launch\n"
        "from proveout.release.create import named\n"
        "async def main():\n"
        "    async with operating() as project:\n"
        "        known = await project.store.releases(project.name)\n"
        "        for name in sys.argv[1:]:\n"
        "            await launch(project.store, named(known, name))\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([site.python, "-P", "-c", code, *releases], cwd=site.folder, check=True)


# Creating


def test_the_same_content_is_the_same_release_anywhere(local: Site, tmp_path: Path) -> None:
    """Another folder, another user, another store, another hour: the same digest."""
    first = local.ask("release", "create")
    again = local.ask("release", "create")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(local.folder, elsewhere, ignore=shutil.ignore_patterns(".proveout"))
    (elsewhere / "app.py").touch()
    copy = Site(elsewhere, local.python, "")

    other = copy.ask("release", "create", LOGNAME="ben", TZ="Asia/Tokyo")

    assert (first["name"], first["created"], first["by"]) == ("r1", True, "ana")
    assert (again["digest"], again["created"]) == (first["digest"], False)
    assert (other["digest"], other["created"], other["by"]) == (first["digest"], True, "ben")


def test_one_changed_byte_of_what_executes_is_another_release(local: Site) -> None:
    """The control of the above; what does not execute changes nothing."""
    first = local.ask("release", "create")
    local.write("NOTES.md", "not executed")
    same = local.ask("release", "create")

    local.app(3)
    other = local.ask("release", "create")

    assert same["digest"] == first["digest"]
    assert (other["name"], other["code"] == first["code"]) == ("r2", False)
    assert [one["name"] for one in listed(local)] == ["r2", "r1"]


def test_what_a_release_changes_is_told_line_by_line(local: Site) -> None:
    """Beside what serves, or any other; the first has nothing to be compared with."""
    local.do("release", "create")
    first = local.run("release", "diff", "r1")
    local.app(3, before="# it answers thrice\n")
    local.do("release", "create")

    shown = local.do("release", "diff", "r2")
    found = local.ask("release", "diff", "r1", "r2")
    same = local.do("release", "diff", "r1", "r1")
    unknown = local.run("release", "diff", "r1", "r9")

    assert (first.returncode, "nothing to compare r1 with" in first.stderr) == (2, True)
    assert "    +# it answers thrice\n" in shown
    assert "    -    return n * 2\n" in shown
    assert (found["schema"], found["before"], found["after"]) == ("release-diff.v1", "r2", "r1")
    assert [(one["name"], one["act"]) for one in found["files"]] == [("app.py", "changed")]
    assert "-# it answers thrice" in found["files"][0]["lines"]
    assert (found["same"], found["packages"]) == (False, [])
    assert "r1 executes the same as r1" in same
    assert (unknown.returncode, "there is no release" in unknown.stderr) == (2, True)


def listed(site: Site) -> list[dict[str, Any]]:
    lines = site.do("release", "list", "--json").splitlines()
    return [json.loads(line) for line in lines]


def test_a_release_with_a_secret_is_refused_and_the_secret_is_not_shown(local: Site) -> None:
    """Whoever gets the archive would get the secret."""
    secret = "sk_" + "live_" + "aB3dE6gH9jK2mN5pQ8sT1vW4"
    local.app(2, before=f'KEY = "{secret}"\n')

    done = local.run("release", "create")

    assert done.returncode == 3
    assert "app.py:1" in done.stderr
    assert secret not in done.stdout + done.stderr
    assert listed(local) == []


def test_an_unknown_release_names_those_there_are(local: Site) -> None:
    local.do("release", "create")

    done = local.run("release", "show", "r9")

    assert (done.returncode, "there are r1" in done.stderr) == (2, True)


# Rights


ACTS = (
    ("release", "create"),
    ("canary", "r1", "--share", "5%"),
    ("rollback",),
    ("halt",),
    ("resume",),
    ("drill", "signal"),
    ("promote",),
    ("waive", "halt", "--until", "2030-01-01", "--reason", "why not"),
)
OWNERS_ONLY = {"canary", "promote", "waive"}


def test_a_viewer_may_look_and_no_more(local: Site) -> None:
    """Each deed is refused with exit 4, before anything is written."""
    local.do("release", "create")
    local.know("vera", Role.VIEWER)

    done = {act[0]: local.run(*act, "--json", PROVEOUT_USER="vera") for act in ACTS}

    assert {one.returncode for one in done.values()} == {4}
    errors = [json.loads(one.stdout)["error"]["code"] for one in done.values()]
    assert set(errors) == {"no-right"}
    assert local.ask("ledger", "verify")["entries"] == 1
    assert local.run("status", PROVEOUT_USER="vera").returncode == 0


def test_an_operator_may_operate_and_not_promote(local: Site) -> None:
    """The control of the above: who has the right is not refused for who they are."""
    local.do("release", "create")
    local.know("otto", Role.OPERATOR)

    done = {act[0]: local.run(*act, PROVEOUT_USER="otto").returncode for act in ACTS}

    assert {name for name, code in done.items() if code == 4} == OWNERS_ONLY
    assert (done["release"], done["halt"], done["resume"]) == (0, 0, 0)


# Rollback


def changed(site: Site) -> None:
    site.app(7)


def deleted(site: Site) -> None:
    for path in site.folder.iterdir():
        if path.name != ".proveout":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def broken(site: Site) -> None:
    site.write("proveout.toml", "[workflow\nname =")


def test_where_all_is_proven_no_drill_is_due(site: Site) -> None:
    """It says so, and that the path goes on elsewhere."""
    site.promoted(2)

    done = site.run("drill", "--due")

    assert done.returncode == 0
    assert "nothing is due on r1" in done.stderr
    assert "Next  proveout status" in done.stdout


@pytest.mark.parametrize(
    ("store_url", "spoil"),
    [("sqlite", changed), ("sqlite", broken), ("sqlite", deleted), ("postgres", deleted)],
    indirect=["store_url"],
)
def test_a_rollback_brings_the_old_release_back_without_the_working_tree(
    site: Site, spoil: Callable[[Site], None]
) -> None:
    """The store is enough; what serves then is what served before, byte for byte."""
    first, second = site.promoted(2), site.promoted(3)
    assert "Next  proveout serve" in site.do("enqueue", "toy", "--input", "5")
    spoil(site)

    back = site.ask("rollback", "--reason", "it answers thrice")
    site.do("work", "--release", first, "--until-idle")

    assert (back["schema"], back["from"], back["to"]) == ("rollback.v1", second, first)
    assert (back["in_flight"], back["treatment"]) == (0, "finish")
    assert back["seconds"] < 1
    states = {one["name"]: one["state"] for one in listed(site)}
    assert states == {first: "stable", second: "retired"}
    assert site.results() == [b"10"]
    unpacked(site, first, second)
    assert (answered(site, first, 5), answered(site, second, 5)) == (10, 15)
    assert site.run("halt").returncode == 0
    assert site.run("status").returncode == 1
    assert site.run("resume").returncode == 0
    assert site.run("ledger", "verify").returncode == 0


def test_the_state_in_the_project_folder_is_found_when_the_rest_is_gone(local: Site) -> None:
    """Nobody has to name the store, from a folder within the project either."""
    local.promoted(2)
    local.promoted(3)
    deleted(local)
    (local.folder / "inner").mkdir()
    within = Site(local.folder / "inner", local.python, local.url)

    back = within.ask("rollback")

    assert (back["from"], back["to"]) == ("r2", "r1")


def test_without_a_project_and_without_a_release_the_error_says_so(
    local: Site, tmp_path: Path
) -> None:
    """The control of the above: nothing is made up, and no store either."""
    (tmp_path / "empty").mkdir()
    outside = Site(tmp_path / "empty", local.python, "")

    done = outside.run("rollback", "--json")

    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "no-project"
    assert list((tmp_path / "empty").iterdir()) == []


def install(python: str, version: str, factor: int) -> None:
    """Put a package into an environment as an installer would, built by hand."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    packages = Path(said.stdout.strip())
    for old in packages.glob("multiplier-*.dist-info"):
        shutil.rmtree(old)
    info = packages / f"multiplier-{version}.dist-info"
    info.mkdir()
    files = {
        packages / "multiplier.py": f"FACTOR = {factor}\n",
        info / "METADATA": f"Metadata-Version: 2.1\nName: multiplier\nVersion: {version}\n",
    }
    for path, text in files.items():
        path.write_text(text)
    (info / "RECORD").write_text(
        "".join(f"{p.relative_to(packages)},{hash_of(p)},\n" for p in files)
    )


def hash_of(path: Path) -> str:
    from proveout.release.packages import hash_of  # noqa: PLC0415 - the name is the same

    return hash_of(path, "sha256")


def test_a_rollback_brings_the_old_packages_back_after_an_upgrade(
    local: Site, tmp_path: Path
) -> None:
    """A release runs among the packages it was made with, whatever is installed by now."""
    own = Site(local.folder, slim_python(tmp_path / "python"), local.url)
    install(own.python, "1.0", 2)
    uses = APP_WITH_PACKAGE
    own.write("app.py", uses)
    first = own.ask("release", "create")
    install(own.python, "2.0", 5)

    second = own.ask("release", "create")

    assert (first["code"], first["name"], second["name"]) == (second["code"], "r1", "r2")
    assert first["environment"] != second["environment"]
    unpacked(own, "r1", "r2")
    assert (answered(own, "r1", 10), answered(own, "r2", 10)) == (20, 50)
    kept = own.run("release", "keep", "r1")
    assert (kept.returncode, "environment-changed" in kept.stderr) == (3, True)
    assert own.run("release", "keep", "r2").returncode == 0


APP_WITH_PACKAGE = """
from multiplier import FACTOR

def times(n: int) -> int:
    return n * FACTOR

def answer(n: int) -> int:
    return times(n)
"""


def test_packages_that_are_not_kept_are_a_refusal_with_the_command_that_keeps_them(
    local: Site, tmp_path: Path
) -> None:
    """Nothing else is taken in their place."""
    local.do("release", "create")
    elsewhere = {"PROVEOUT_CACHE": str(tmp_path / "another machine")}

    missing = local.run("drill", "halt", **elsewhere)
    kept = local.run("release", "keep", "r1", **elsewhere)

    assert missing.returncode == 3
    assert "proveout release keep r1" in missing.stderr
    assert kept.returncode == 0
    assert local.ask("release", "show", "r1", **elsewhere)["environment_kept"] is True


def test_a_rollback_asks_no_question_where_nobody_can_answer(local: Site) -> None:
    """It is never disabled: without a terminal it goes ahead."""
    local.promoted(2)
    local.promoted(3)

    done = local.run("rollback")

    assert done.returncode == 0
    assert "r1 serves all new runs" in done.stdout
    assert "Go?" not in done.stdout + done.stderr


def test_on_a_terminal_it_asks_once_and_takes_no_for_an_answer(local: Site) -> None:
    """The question says what will serve, and what becomes of the runs in flight."""
    local.promoted(2)
    local.promoted(3)

    refused = at_a_terminal(local, "n", "rollback")
    serving = local.ask("status")["stable"]
    done = at_a_terminal(local, "y", "rollback", "--in-flight", "park")

    assert "r2 100% → r1 100%. 0 runs in flight finish on r2. Go?" in refused
    assert "nothing was changed" in refused
    assert (serving, local.ask("status")["stable"]) == ("r2", "r1")
    assert (done.count("Go?"), "in flight park" in done) == (1, True)


def at_a_terminal(site: Site, typed: str, *arguments: str) -> str:
    """Return what a command printed to somebody who typed that."""
    ours, its = os.openpty()
    process = subprocess.Popen(
        [site.python, "-P", "-m", "proveout", *arguments],
        cwd=site.folder,
        env={**os.environ, "TERM": "dumb", "PYTHONUTF8": "1"},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    os.write(ours, f"{typed}\n".encode())
    assert process.wait(timeout=60) in {0, 1}
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    return said


def test_there_is_nothing_before_the_first_release(local: Site) -> None:
    """The refusal names what stops everything instead."""
    local.promoted(2)

    done = local.run("rollback")

    assert (done.returncode, "proveout halt" in done.stderr) == (3, True)


# Canary


def test_a_canary_says_first_how_long_it_takes_to_find_a_doubling(local: Site) -> None:
    """And its gate is that of the release which would get the share."""
    local.promoted(2)
    local.app(3)
    local.do("prove")
    local.do("release", "create")
    refused = local.run("canary", "r2", "--share", "5%")
    local.prove_claims("r2")

    started = local.run("canary", "r2", "--share", "5%", "--hold", "2 days")

    assert (refused.returncode, "gate-blocked" in refused.stderr) == (3, True)
    assert started.returncode == 0, started.stderr
    assert "is found" in started.stderr
    assert "r1 95% · r2 5%" in started.stdout
    shown = local.ask("canary")
    assert (shown["release"], shown["share"], shown["is_worse"]) == ("r2", 0.05, False)
    assert local.ask("status")["canary"] == "r2"


@pytest.mark.parametrize("share", ["0%", "100%", "five", "nan", "-3%"])
def test_a_share_that_is_none_is_refused(local: Site, share: str) -> None:
    local.do("release", "create")

    assert local.run("canary", "r1", f"--share={share}").returncode == 2


# Halt and status


def test_what_is_halted_shows_until_it_is_resumed(site: Site) -> None:
    """On the one screen, with who and why; the exit code says that a person is needed."""
    calm = site.run("status")
    site.do("halt", "effect", "tell", "--reason", "it sends twice")

    shown = site.run("status")

    assert (calm.returncode, shown.returncode) == (0, 1)
    assert "effect tell by ana" in shown.stdout
    assert site.ask("status")["halted"] == ["effect:tell"]
    refused = site.run("resume")
    assert refused.returncode == 3
    assert "proveout resume effect:tell" in refused.stderr
    assert site.run("resume", "effect:tell").returncode == 0
    assert site.run("status").returncode == 0


@pytest.mark.parametrize("words", [("effect",), ("workflow", "toy"), ("release", "r9"), ("all",)])
def test_what_cannot_be_halted_is_a_mistake(local: Site, words: tuple[str, ...]) -> None:
    done = local.run("halt", *words)

    assert done.returncode == 2, done.stderr
    assert local.ask("status")["halted"] == []


# The ledger


TAMPERED = {
    "edited": "UPDATE {ledger} SET actor = 'ben' WHERE seq = 2",
    "removed": "DELETE FROM {ledger} WHERE seq = 2",
    "cut off": "DELETE FROM {ledger} WHERE seq > 2",
    "reordered": (
        "UPDATE {ledger} SET seq = CASE seq WHEN 1 THEN 102 ELSE 101 END WHERE seq IN (1, 2)"
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_ledger_that_was_tampered_with_is_found_out(site: Site, how: str) -> None:
    """Whoever has the store's password can change it, and cannot hide it."""
    site.decide(3)
    whole = site.run("ledger", "verify")
    site.tamper(TAMPERED[how])

    found = site.run("ledger", "verify", "--json")

    assert whole.returncode == 0, whole.stdout
    assert found.returncode == 1
    assert json.loads(found.stdout)["breaks"]


def test_evidence_that_was_removed_is_found_out(site: Site) -> None:
    """A failed drill cannot be hidden by deleting what it showed."""
    site.do("release", "create")
    name = site.file("halt", "r1")
    whole = site.run("ledger", "verify")
    site.keep(Kind.EVIDENCE, name, None)

    found = site.ask("ledger", "verify")

    assert whole.returncode == 0
    assert [one["what"] for one in found["breaks"]] == [f"its evidence {name[:12]} is gone"]


def test_the_ledger_tells_who_did_what_and_why(site: Site) -> None:
    site.do("halt", "--reason", "it sends twice")

    [entry] = [json.loads(line) for line in site.do("ledger", "show", "--json").splitlines()]

    assert (entry["actor"], entry["act"], entry["subject"]) == ("ana", "halt", "workflow")
    assert json.loads(entry["facts"])["reason"] == "it sends twice"
    assert "it sends twice" in site.do("ledger", "show")
