"""What the commands of the chapter `ready` promise: nothing passes the gate unproven."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.stores import SQLITE
from journeys.site import Site, make_site, slim_python
from proveout.adapters.keyfile import KeyFile
from proveout.adapters.system import SystemClock
from proveout.domain.access import Actor, Role
from proveout.domain.bar import BAR
from proveout.domain.evidence import ControlResult, DrillResult
from proveout.domain.record import Kind
from proveout.faces.project import Project
from proveout.faces.readiness import readiness
from proveout.ready.envelope import digest, opened, seal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.journey

MONTH = timedelta(days=31)


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
    """Return a project on SQLite alone."""
    return make_site(tmp_path, python, cache, f"{SQLITE}{tmp_path / 'store.db'}", monkeypatch)


def claims(site: Site) -> dict[str, dict[str, Any]]:
    return {one["claim"]: one for one in site.ask("audit")["claims"]}


def codes(site: Site) -> set[str]:
    return {one["code"] for one in site.ask("audit")["findings"]}


def proven(site: Site) -> None:
    """Bring a project to where nothing but its assumption is left."""
    site.do("prove")
    site.do("release", "create")
    site.prove_claims("r1")


# Audit


def test_an_audit_of_a_new_project_says_to_prove_first(site: Site) -> None:
    """No claim is proven, and one command is next."""
    found = site.ask("audit")

    assert (found["schema"], found["stage"]) == ("audit.v1", "proof-of-concept")
    assert (found["choice"], found["next"]) == ("prove first", "proveout prove")
    assert {one["claim"] for one in found["claims"]} == {one.name for one in BAR.claims}
    assert {one["status"] for one in found["claims"]} == {"MISSING", "NOT NEEDED"}
    assert found["story"][0]["title"] == "primary question"
    assert len(found["story"]) == 5
    assert "no-verdict" in {one["code"] for one in found["findings"]}


def test_an_audit_fits_eighty_columns_and_ends_with_the_next_command(local: Site) -> None:
    """Open claims come first; without a terminal there is no colour."""
    done = local.run("audit")

    assert done.returncode == 1
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.rstrip().splitlines()[-1].startswith("Next  proveout ")
    assert "NOT READY" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_next_command_leads_to_production(local: Site) -> None:
    """Followed from where a project begins, it goes from command to command to the end."""
    seen = [local.ask("audit")["next"]]
    local.do("prove")
    seen.append(local.ask("audit")["next"])
    local.do("release", "create")
    seen.append(local.ask("audit")["next"])
    local.prove_claims("r1")
    ready = local.ask("audit")

    assert seen == ["proveout prove", "proveout release create", "proveout drill signal"]
    assert (ready["next"], ready["choice"], ready["ready"]) == (
        "proveout promote r1",
        "harden",
        True,
    )
    assert local.run("audit").returncode == 0
    assert "READY  1 assumption left" in local.run("audit").stdout


def test_an_audit_of_another_folder_is_of_what_stands_there(local: Site, tmp_path: Path) -> None:
    """One that is no project is audited as a repository; a project as a project."""
    (tmp_path / "other").mkdir()
    outside = Site(tmp_path / "other", local.python, "")

    named = local.ask("audit", str(tmp_path / "other"))
    there = outside.ask("audit")

    assert (named["schema"], named["stage"]) == (there["schema"], there["stage"])
    assert "workflow" not in named
    assert outside.ask("audit", str(local.folder))["workflow"] == "toy"


def test_what_a_model_or_a_person_wrote_is_harmless_in_the_page(
    local: Site, tmp_path: Path
) -> None:
    """The page of an audit is handed around: nothing in it is markup but ours."""
    text = (local.folder / "proveout.toml").read_text("utf-8")
    local.write("proveout.toml", text.replace("whole numbers only", "<script>alert(1)</script>"))

    local.run("audit", "--html", str(tmp_path / "audit.html"))

    page = (tmp_path / "audit.html").read_text("utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


# The gate


def test_a_promotion_is_refused_with_every_reason_at_once(local: Site) -> None:
    """Claims, verdict, worth, assumptions: whoever reads it knows all that is missing."""
    text = (local.folder / "proveout.toml").read_text("utf-8")
    start, end = text.index("worth ="), text.index("[[prove.criteria]]")
    local.write("proveout.toml", text[:start] + text[end:])
    local.do("release", "create")

    done = local.run("promote", "--json")

    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (3, "gate-blocked")
    for words in ("claims of the production bar", "no experiment", "worth it", "whole numbers"):
        assert words in error["why"]
    assert {f"proveout drill {one.name}" for one in BAR.claims} - {
        one.partition("    ")[0].strip() for one in error["fix"]
    } == {"proveout drill duplicates"}
    assert local.ask("status")["stage"] == "proof-of-concept"


def test_what_is_proven_is_promoted_and_the_ledger_says_on_what(site: Site) -> None:
    """The control of every refusal here."""
    proven(site)
    dry = site.run("promote", "--accept", "whole numbers only=measured", "--dry-run")
    before = site.ask("status")["stage"]

    done = site.ask("promote", "r1", "--accept", "whole numbers only=measured")

    assert (dry.returncode, before) == (0, "proof-of-concept")
    assert "no receiver set: proveout alerts add" in dry.stdout  # drilled at test receivers
    assert (done["schema"], done["stage"]) == ("promotion.v1", "production")
    assert site.ask("status")["stable"] == "r1"
    newest, answered = map(json.loads, site.do("ledger", "show", "--json").splitlines()[:2])
    facts = json.loads(newest["facts"])
    assert (newest["actor"], newest["act"]) == ("ana", "promote")
    assert facts["claims"]["worker-loss"]["status"] == "PROVEN"
    assert facts["claims"]["worker-loss"]["evidence"] in site.records(Kind.EVIDENCE)
    assert facts["assumptions"] == {"whole numbers only": {"how": "measured", "by": "ana"}}
    assert answered["act"] == "answer for"
    assert site.run("ledger", "verify").returncode == 0


def test_an_assumption_is_answered_for_word_by_word(local: Site) -> None:
    """Left open it refuses; misspelled it is a mistake that names the nearest."""
    proven(local)

    left = local.run("promote")
    misspelled = local.run("promote", "--accept", "whole number only=retired")

    assert (left.returncode, "whole numbers only" in left.stderr) == (3, True)
    assert misspelled.returncode == 2
    assert '--accept "whole numbers only"=retired' in misspelled.stderr


async def test_one_open_claim_is_enough_to_refuse(local: Site) -> None:
    """Each claim of the bar that is needed stands in the way by itself."""
    await asyncio.to_thread(proven, local)
    stopped: set[str] = set()

    async with Project.open(local.folder) as project:
        actor = Actor(name="ana", role=Role.OWNER)
        for name, envelope in (await project.store.records(Kind.EVIDENCE)).items():
            await asyncio.to_thread(local.keep, Kind.EVIDENCE, name, None)
            found = await readiness(project)
            if any(one.code == "claim-open" for one in found.reasons(actor)):
                stopped.add(opened(envelope, project.office.signer).claim)
            await asyncio.to_thread(local.keep, Kind.EVIDENCE, name, envelope)
        whole = await readiness(project)

    assert whole.is_ready
    not_needed = {"duplicates", "review"}
    assert stopped == {one.name for one in BAR.claims} - not_needed


# Evidence that does not count


def expired(site: Site) -> str:
    site.file("poison", "r1", age=MONTH)
    return "gives it 30 days"


def without_control(site: Site) -> str:
    site.file("poison", "r1", control=ControlResult.DID_NOT_FAIL)
    return "its control did not fail"


def failed(site: Site) -> str:
    site.file("poison", "r1", result=DrillResult.FAILED)
    return "its drill failed"


def tampered(site: Site) -> str:
    name = site.file("poison", "r1", result=DrillResult.FAILED)
    envelope = json.loads(site.records(Kind.EVIDENCE)[name])
    import base64  # noqa: PLC0415 - only here something is forged

    payload = base64.b64decode(envelope["payload"]).replace(b'"FAILED"', b'"PASSED"')
    envelope["payload"] = base64.b64encode(payload).decode()
    forged = json.dumps(envelope).encode()
    site.keep(Kind.EVIDENCE, name, None)
    site.keep(Kind.EVIDENCE, digest(forged), forged)
    return "tampered"


def foreign(site: Site) -> str:
    key = KeyFile(site.folder / "eve's key")
    name = site.file("halt", "r1")
    ours = KeyFile(site.folder.parent / "key")
    evidence = replace(opened(site.records(Kind.EVIDENCE)[name], ours), claim="poison")
    forged = seal(evidence, key)
    site.keep(Kind.EVIDENCE, digest(forged), forged)
    return "foreign"


def of_another_release(site: Site) -> str:
    site.app(2, before="# another comment\n")
    site.do("release", "create")
    site.file("poison", "r2")
    site.app(2)
    return "the code changed since"


@pytest.mark.parametrize(
    "how",
    [expired, without_control, failed, tampered, foreign, of_another_release],
    ids=lambda how: how.__name__,
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_evidence_that_proves_nothing_opens_no_gate(site: Site, how: Callable[[Site], str]) -> None:
    """The claim stays open, and the audit says why."""
    site.do("prove")
    site.do("release", "create")
    site.prove_claims("r1", but={"poison"})

    reason = how(site)

    found = site.ask("audit", "r1")
    [standing] = [one for one in found["claims"] if one["claim"] == "poison"]
    said = [standing["why"], *standing["refused"], *(one["message"] for one in found["findings"])]
    assert standing["status"] not in {"PROVEN", "WAIVED", "NOT NEEDED"}
    assert any(reason in one for one in said), said
    assert site.run("promote", "r1", "--accept", "whole numbers only").returncode == 3
    site.file("poison", "r1", age=timedelta(seconds=-30))
    assert site.run("promote", "r1", "--accept", "whole numbers only").returncode == 0


def test_a_change_reopens_what_depends_on_it_and_nothing_else(local: Site) -> None:
    """Another owner opens what is about people; another line of code what is about code."""
    proven(local)
    text = (local.folder / "proveout.toml").read_text("utf-8")
    local.write("proveout.toml", text.replace('owner = "ana"', 'owner = "cem"'))
    owner = {name for name, one in claims(local).items() if one["status"] == "EXPIRED"}
    local.write("proveout.toml", text)
    local.app(3)
    local.do("release", "create")

    code = {name for name, one in claims(local).items() if one["status"] == "EXPIRED"}

    assert owner == {"ownership", "escalation"}
    assert {"signal", "worker-loss", "poison", "rollback"} <= code
    assert not {"halt", "ownership", "access"} & code
    assert "stale-verdict" in codes(local)


def test_a_working_tree_that_is_not_the_release_is_said_to_be_so(local: Site) -> None:
    """An audit is about a release, and nobody takes it for what lies in the folder."""
    proven(local)
    same = local.ask("audit")["tree"]

    local.app(3)

    assert (same, local.ask("audit")["tree"]) == ("", "its code")


# Waivers


def day(ahead: int) -> str:
    return (SystemClock().now() + timedelta(days=ahead)).date().isoformat()


def test_a_team_of_one_waives_for_seven_days_at_most(local: Site) -> None:
    """And every audit says that there was no second person."""
    local.do("prove")
    local.do("release", "create")
    local.prove_claims("r1", but={"poison"})
    long = local.run("waive", "poison", "--until", day(8), "--reason", "next week")

    done = local.run("waive", "poison", "--until", day(6), "--reason", "next week")

    assert (long.returncode, "at most 7 days" in long.stderr) == (3, True)
    assert done.returncode == 0, done.stderr
    audit = local.run("audit").stdout
    assert "no second person" in audit
    assert "waived" in audit
    assert local.run("promote", "--accept", "whole numbers only").returncode == 0


def test_two_people_waive_longer_and_neither_can_be_both(local: Site) -> None:
    """The second person must be known, and somebody else."""
    local.know("ana", Role.OWNER)
    local.know("ben", Role.OWNER)
    words = ("waive", "poison", "--until", day(40), "--reason", "the vendor mends it")

    alone, twice, nobody, both = (
        local.run(*words, *second)
        for second in ((), ("--second", "ana"), ("--second", "zoe"), ("--second", "ben"))
    )

    assert [alone.returncode, twice.returncode, nobody.returncode, both.returncode] == [3, 3, 3, 0]
    assert "waiver-active" in codes(local)


def test_a_claim_that_does_not_exist_names_the_nearest(local: Site) -> None:
    waived = local.run("waive", "poisson", "--until", day(3), "--reason", "x")
    drilled = local.run("drill", "worker-los")

    assert (waived.returncode, drilled.returncode) == (2, 2)
    assert "proveout drill poison" in waived.stderr
    assert "proveout drill worker-loss" in drilled.stderr


# Drills


def test_a_drill_creates_the_first_release_and_keeps_what_it_showed(site: Site) -> None:
    """Passed, with a control that failed: the claim is proven for a month."""
    site.do("prove")

    done = site.run("drill", "signal", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    [line] = map(json.loads, done.stdout.splitlines())
    assert (line["schema"], line["result"], line["control"]) == ("drill.v1", "PASSED", "failed")
    assert line["evidence"] in site.records(Kind.EVIDENCE)
    assert "created r1" in done.stderr
    assert claims(site)["signal"]["status"] == "PROVEN"
    assert site.ask("evidence", "list")["claim"] == "signal"
    assert "1 drill on r1, about 10 s" in done.stderr


def test_a_drill_that_cannot_begin_is_aborted_and_leaves_no_evidence(local: Site) -> None:
    """Nothing was proved yet, so there is nothing to drill."""
    done = local.run("drill", "signal", "--json")

    line = json.loads(done.stdout)
    assert (done.returncode, line["result"], line["evidence"]) == (1, "ABORTED", None)
    assert local.records(Kind.EVIDENCE) == {}


def test_a_drill_that_failed_is_kept_and_exits_1(local: Site) -> None:
    """Nobody is named for support, and there is no runbook: that is on record now."""
    local.do("prove")

    done = local.run("drill", "ownership")

    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert claims(local)["ownership"]["status"] == "FAILED"


def test_the_list_of_drills_is_the_bar(local: Site) -> None:
    lines = [json.loads(one) for one in local.do("drill", "--list", "--json").splitlines()]

    assert [one["drill"] for one in lines] == [one.name for one in BAR.claims]
    assert local.run("drill").returncode == 2


# What is handed on


def test_an_auditor_verifies_an_export_without_us(local: Site, tmp_path: Path) -> None:
    """The script that goes along finds nothing wrong, and finds each thing that was changed."""
    proven(local)
    folder = tmp_path / "export"
    local.do("evidence", "export", str(folder))
    whole = verify(folder)
    (first, *_), ledger = sorted((folder / "evidence").iterdir()), folder / "ledger.jsonl"
    envelope, lines = first.read_bytes(), ledger.read_text("utf-8")

    first.write_bytes(envelope.replace(b"keyid", b"keyId"))
    edited = verify(folder)
    first.unlink()
    removed = verify(folder)
    first.write_bytes(envelope)
    ledger.write_text(lines.replace('"actor": "ana"', '"actor": "ben"', 1), "utf-8")
    rewritten = verify(folder)
    ledger.write_text("\n".join(lines.splitlines()[1:]), "utf-8")
    beheaded = verify(folder)

    assert (whole.returncode, "holds" in whole.stdout) == (0, True)
    changed = (edited, removed, rewritten, beheaded)
    assert [one.returncode for one in changed] == [1, 1, 1, 1], [one.stderr for one in changed]
    assert "its name is not its digest" in edited.stdout
    assert "its evidence is missing" in removed.stdout
    assert "changed after it was written" in rewritten.stdout
    assert "does not follow" in beheaded.stdout
    assert local.run("evidence", "export", str(folder)).returncode == 2


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", folder / "verify.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_one_piece_of_evidence_is_shown_by_the_beginning_of_its_digest(local: Site) -> None:
    local.do("release", "create")
    name = local.file("halt", "r1")

    shown = local.do("evidence", "show", name[:8])

    assert "off: 14 lost; on: 0" in shown
    assert digest(local.records(Kind.EVIDENCE)[name]) == name
    assert local.run("evidence", "show", "nothing").returncode == 2


def test_the_plan_lays_what_is_open_against_the_window(local: Site) -> None:
    """Two pages that a founder can hand on, as Markdown and as HTML."""
    local.do("release", "create")
    local.prove_claims("r1", but={"poison"})

    local.do("plan", "--html")

    plan = (local.folder / "RELEASE-PLAN.md").read_text("utf-8")
    support = (local.folder / "SUPPORT.md").read_text("utf-8")
    assert "`proveout drill poison`" in plan
    assert "`proveout drill halt`" not in plan
    assert "ana" in support
    page = (local.folder / "RELEASE-PLAN.html").read_text("utf-8")
    assert "<table>" in page
    assert "<code>proveout drill poison</code>" in page


async def test_readiness_is_gathered_once_for_every_face(
    local: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the command prints is what the API and the console are given."""
    monkeypatch.setenv("PROVEOUT_STORE", local.url)
    printed = await asyncio.to_thread(local.ask, "audit")

    async with Project.open(local.folder) as project:
        found = await readiness(project)

    assert found.next == printed["next"]
    assert [one.claim.name for one in found.standings] == [
        one["claim"] for one in printed["claims"]
    ]
    assert found.is_ready is printed["ready"] is False
