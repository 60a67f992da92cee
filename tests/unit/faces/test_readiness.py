"""What readiness is gathered from: the verdict on record, and what evidence depends on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import FIRST, SECOND, release
from doubles.given import START, Given, locked, want
from proveout.adapters.keyfile import KeyFile
from proveout.adapters.sqlite.store import SqliteStore
from proveout.domain.access import Actor, Role
from proveout.domain.bar import Thing, Trait
from proveout.domain.evidence import ControlResult, DrillResult
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind
from proveout.domain.release import Pointer
from proveout.domain.run import RunState
from proveout.domain.unit import Done, NewRelease
from proveout.domain.verdict import Verdict
from proveout.faces.log import logger
from proveout.faces.operating import SeveralWorkflows, operating
from proveout.faces.place import NoProject
from proveout.faces.project import Project
from proveout.faces.readiness import NothingShown, evidence_named, file_evidence, readiness
from proveout.faces.readiness_facts import Asked, Tree, before_of, depends_of, on_record
from proveout.faces.readiness_page import document_html
from proveout.faces.settings import load, load_stored
from proveout.faces.settings_reader import SettingsMistake
from proveout.prove.lock import canonical
from proveout.ready.rehearse import Rehearsed
from proveout.release.decide import Office, amend

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from doubles.clock import CountedIds, ManualClock
    from proveout.ports.store import LockedExperiment

CODE = "c0" * 32
CRITERIA = [{"type": "Criterion", "name": "right", "measure": {"type": "Scored"}}]
WORTH = [*CRITERIA, {"type": "Criterion", "name": "worth", "measure": {"type": "Worth"}}]
ASKED = {"triage": Asked(dataset="d1", criteria=CRITERIA)}

TOML = """
[workflow]
name = "triage"
entry = "app:answer"
owner = "ana"

[production]
profile = "customer"
escalation = [{ to = "ana" }]

[sources.billing]
scheme = "stripe"
secret_env = "BILLING_SECRET"
"""


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[SqliteStore]:
    """Return an empty store of the simple kind; readiness reads both alike."""
    store = SqliteStore(tmp_path / "store.db", clock)
    yield store
    await store.close()


@pytest.fixture
def given(store: SqliteStore, clock: ManualClock, ids: CountedIds) -> Given:
    """Return what brings the store to where a test begins."""
    return Given(store, clock, ids)


class Tried:
    """Experiments that were concluded in a store."""

    def __init__(self, given: Given) -> None:
        self._given = given

    async def __call__(
        self, verdict: Verdict, *, code: str = CODE, dataset: str = "d1", criteria: Any = None
    ) -> LockedExperiment:
        """Have an experiment end with that verdict after one case."""
        plan = {
            "locked": {
                "criteria": CRITERIA if criteria is None else criteria,
                "candidates": [{"name": "workflow", "code": code}],
            }
        }
        name = self._given.ids.new()
        experiment = locked(
            id=name,
            name="triage",
            lock=name.rjust(64, "0"),
            dataset=dataset,
            plan=canonical(plan),
            locked=self._given.clock.now(),
        )
        kept = await self._given.store.lock(experiment)
        words = canonical({"verdict": verdict, "cases": 1})
        await self._given.store.conclude(kept.id, words)
        self._given.clock.advance(timedelta(hours=1))
        return kept


@pytest.fixture
def tried(given: Given) -> Tried:
    """Return what has experiments be concluded."""
    return Tried(given)


# The verdict on record


async def test_a_verdict_on_exactly_this_has_nothing_changed(
    store: SqliteStore, tried: Tried
) -> None:
    """The control of every test below."""
    await tried(Verdict.GO)

    found = await on_record(store, "triage", CODE, ASKED)

    assert found is not None
    assert (found.verdict.verdict, found.verdict.changed) == (Verdict.GO, ())
    assert (found.worth_asked, found.cases) == (False, 1)


@pytest.mark.parametrize(("labels", "is_unchecked"), [(None, True), (0.25, False)])
async def test_a_verdict_according_to_an_unchecked_judge_is_known_as_one(
    store: SqliteStore, tried: Tried, labels: float | None, is_unchecked: bool
) -> None:
    """It is read from what was locked, beside criteria that ask no judge."""
    measure = {"type": "Scored", "judge": {"type": "Judge", "labels": labels}}
    await tried(Verdict.GO, criteria=[*CRITERIA, {"name": "helpful", "measure": measure}])

    found = await on_record(store, "triage", CODE, ASKED)

    assert found is not None
    assert found.verdict.is_unchecked is is_unchecked


async def test_without_a_verdict_there_is_none_on_record(store: SqliteStore) -> None:
    await store.lock(locked(name="triage"))

    assert await on_record(store, "triage", CODE, ASKED) is None


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"code": "c1" * 32}, ("the code",)),
        ({"dataset": "d0"}, ("the dataset",)),
        ({"criteria": WORTH}, ("the criteria",)),
        ({"code": "c1" * 32, "dataset": "d0"}, ("the code", "the dataset")),
    ],
)
async def test_a_verdict_on_something_else_is_stale_and_says_on_what(
    store: SqliteStore, tried: Tried, changes: dict[str, Any], changed: tuple[str, ...]
) -> None:
    await tried(Verdict.GO, **changes)

    found = await on_record(store, "triage", CODE, ASKED)

    assert found is not None
    assert found.verdict.changed == changed


async def test_of_two_verdicts_on_exactly_this_the_newer_counts(
    store: SqliteStore, tried: Tried
) -> None:
    """A GO that was looked for until it fell does not hide a later NO-GO."""
    await tried(Verdict.GO)
    await tried(Verdict.NO_GO)

    found = await on_record(store, "triage", CODE, ASKED)

    assert found is not None
    assert found.verdict.verdict is Verdict.NO_GO


async def test_a_newer_verdict_on_other_code_says_nothing_of_this(
    store: SqliteStore, tried: Tried
) -> None:
    """What is tried next in the working tree does not touch what was released."""
    await tried(Verdict.GO)
    await tried(Verdict.NO_GO, code="c1" * 32)

    found = await on_record(store, "triage", CODE, ASKED)

    assert found is not None
    assert (found.verdict.verdict, found.verdict.changed) == (Verdict.GO, ())


async def test_worth_is_asked_where_the_locked_criteria_ask_it(
    store: SqliteStore, tried: Tried
) -> None:
    """What the settings ask by now was not asked when the verdict fell."""
    await tried(Verdict.GO, criteria=WORTH)
    asked = {"triage": Asked(dataset="d1", criteria=WORTH)}

    found = await on_record(store, "triage", CODE, asked)

    assert found is not None
    assert found.worth_asked


async def test_a_verdict_was_reached_when_its_last_trial_ended(
    store: SqliteStore, tried: Tried, given: Given
) -> None:
    """And not when the experiment was locked, which may have been long before."""
    experiment = await tried(Verdict.GO)
    run = given.trial(0, experiment=experiment.id)
    await given.enqueue(run)
    [claimed] = await store.claim(want(experiment=experiment.id))
    given.clock.advance(timedelta(days=3))
    assert await store.write(given.settle(claimed, RunState.SUCCEEDED, result=b"1")) == Done()
    ended = given.clock.now()
    given.clock.advance(timedelta(days=1))

    found = await on_record(store, "triage", CODE, ASKED)

    assert found is not None
    assert found.verdict.reached == ended


# What evidence depends on


@pytest.fixture
async def project(tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project of one plain function, on that store, with a key of its own."""
    monkeypatch.setenv("PROVEOUT_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "app.py").write_text("def answer(n: int) -> int:\n    return n\n")
    return reread(tmp_path, store, TOML)


def reread(folder: Path, store: SqliteStore, toml: str) -> Project:
    (folder / "proveout.toml").write_text(toml)
    settings = load(folder / "proveout.toml")
    return Project(settings, store, logger(), f"sqlite:///{folder / 'store.db'}")


@pytest.mark.parametrize(
    ("old", "new", "thing"),
    [
        ('owner = "ana"', 'owner = "ben"', Thing.PEOPLE),
        ('to = "ana"', 'to = "ben"', Thing.PEOPLE),
        ('scheme = "stripe"', 'scheme = "github"', Thing.SOURCES),
        ("BILLING_SECRET", "OTHER_SECRET", Thing.SOURCES),
        ('profile = "customer"', 'profile = "money"', None),
    ],
)
async def test_what_changes_in_the_settings_changes_one_thing(
    store: SqliteStore, project: Project, old: str, new: str, thing: Thing | None
) -> None:
    """Only the claims that depend on it reopen."""
    before = await depends_of(project, FIRST, SECOND, {})
    changed = reread(project.settings.folder, store, TOML.replace(old, new))

    after = await depends_of(changed, FIRST, SECOND, {})

    assert {name for name in before if before[name] != after[name]} == ({thing} if thing else set())


async def test_a_dataset_that_cannot_be_read_is_not_known(project: Project) -> None:
    """A claim that depends on it is never proven by silence."""
    known = await depends_of(project, FIRST, None, {"triage": Asked(dataset="d1", criteria=[])})
    gone = await depends_of(project, FIRST, None, {"triage": Asked(dataset="", criteria=[])})

    assert {Thing.DATASET, Thing.CRITERIA} <= set(known)
    assert not {Thing.DATASET, Thing.CRITERIA} & set(gone)


@pytest.mark.parametrize(
    ("stable", "earlier", "before"),
    [
        (None, [], None),
        (FIRST, [], FIRST),
        (SECOND, [SECOND, FIRST], FIRST),
        (SECOND, [SECOND], None),
    ],
)
def test_a_rollback_leads_to_what_served_before(
    stable: Any, earlier: list[str], before: str | None
) -> None:
    """For the release that serves already, too: its evidence stays as it was."""
    assert before_of(SECOND, Pointer(workflow="triage", stable=stable), earlier) == before


def test_a_tree_says_how_it_differs() -> None:
    one = release(FIRST)

    assert Tree(code=one.code, environment=one.environment).differs_from(one) == ""
    assert Tree(code="x", environment="y").differs_from(one) == "its code and its packages"
    assert "gone" in Tree(trouble="it is gone").differs_from(one)


# All together


async def test_readiness_without_a_release_speaks_of_the_working_tree(project: Project) -> None:
    """It is what a newcomer asks first."""
    found = await readiness(project)

    assert (found.release, found.tree, found.is_ready) == (None, "", False)
    assert found.subject.traits == {Trait.SOURCES, Trait.REVIEWS}
    assert found.next == "proveout prove"
    assert "no-verdict" in {one.code for one in found.findings}


async def test_evidence_and_its_entry_are_kept_together(project: Project, office: Office) -> None:
    """In one commit: what is believed is what the ledger tells of."""
    one = await known(office)

    name = await file_evidence(project, rehearsed(DrillResult.FAILED), one, ANA)

    assert list(await project.store.records(Kind.EVIDENCE)) == [name]
    entries = await project.store.whole_ledger()
    assert evidence_named(entries) == {name: 2}
    facts = json.loads(entries[-1].facts)
    assert (entries[-1].actor, facts["result"], facts["release"]) == ("ana", "FAILED", FIRST)


async def test_an_aborted_drill_leaves_nothing(project: Project, office: Office) -> None:
    """It showed nothing."""
    one = await known(office)

    with pytest.raises(NothingShown):
        await file_evidence(project, rehearsed(DrillResult.ABORTED), one, ANA)

    assert await project.store.records(Kind.EVIDENCE) == {}


ANA = Actor(name="ana", role=Role.OWNER)


@pytest.fixture
def office(store: SqliteStore, clock: ManualClock, ids: CountedIds, tmp_path: Path) -> Office:
    """Return what decisions on the store are taken with."""
    signer = KeyFile(tmp_path / "key")
    return Office(store=store, clock=clock, ids=ids, signer=signer)


async def known(office: Office, workflow: str = "triage", settings: str = TOML) -> Any:
    """Have a release be known, with settings; return it."""
    digest = FIRST if workflow == "triage" else SECOND
    one = release(digest, workflow=workflow)
    deed = Deed(actor="ana", act="create release", subject="r1", facts={})
    new = NewRelease(release=one, archive=b"", settings=settings.encode())
    await amend(office, deed, (new,))
    return one


def rehearsed(result: DrillResult) -> Rehearsed:
    return Rehearsed(
        drill="halt",
        result=result,
        control=ControlResult.FAILED,
        started=START,
        ended=START,
        summary="off: 14 late; on: 0",
        faults=(),
        figures={"late": 0},
        log=(),
    )


# Without the project


async def test_what_was_kept_with_a_release_is_enough_to_operate(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings that name a dataset and a runbook are read although those are gone."""
    toml = TOML.replace("[production]", '[production]\nrunbook = "RUNBOOK.md"')
    await known(office, settings=toml)
    monkeypatch.setenv("PROVEOUT_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.delenv("PROVEOUT_PROJECT", raising=False)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")

    async with operating() as project:
        assert project.name == "triage"
        assert project.settings.production is not None
        assert project.settings.production.runbook is not None


def test_a_file_that_stands_must_hold_what_it_names(tmp_path: Path) -> None:
    """The control of the above: only what was kept may name what is gone."""
    toml = TOML.replace("[production]", '[production]\nrunbook = "RUNBOOK.md"')
    (tmp_path / "proveout.toml").write_text(toml)

    assert load_stored(toml.encode(), tmp_path / "proveout.toml").workflow.owner == "ana"
    with pytest.raises(SettingsMistake, match="RUNBOOK"):
        load(tmp_path / "proveout.toml")


async def test_a_store_of_several_workflows_does_not_guess(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody rolls back somebody else's workflow by standing in the wrong folder."""
    await known(office)
    await known(office, workflow="invoices")
    monkeypatch.setenv("PROVEOUT_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SeveralWorkflows):
        async with operating():
            pass


async def test_where_there_is_neither_the_first_error_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no store is made where there was none."""
    monkeypatch.delenv("PROVEOUT_STORE", raising=False)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NoProject):
        async with operating():
            pass

    assert names_in(tmp_path) == []


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# Pages


def test_our_own_markdown_becomes_a_page_without_foreign_markup() -> None:
    """Headings, tables, lists and paragraphs; everything else is text."""
    page = document_html(
        "# A <b>plan</b>\n\n| a | b |\n| --- | --- |\n| x \\| y | `z` |\n\n- one\n"
    )

    assert "<h1>A &lt;b&gt;plan&lt;/b&gt;</h1>" in page
    assert "<td>x | y</td><td><code>z</code></td>" in page
    assert "<ul><li>one</li></ul>" in page
