"""`proveout init`: a project that is proved as it is written, whole or not at all."""

from __future__ import annotations

import json
import keyword
import os
import re
import resource
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.domain.criterion import Worth
from proveout.domain.money import Usd
from proveout.domain.verdict import Verdict
from proveout.errors import Mistake
from proveout.faces import dataset_file, entry
from proveout.faces.asked import ownership_of
from proveout.faces.cli.main import COMMANDS
from proveout.faces.init import LONGEST_NAME, InitMistake, package_of, write_project
from proveout.faces.project import Project
from proveout.faces.settings import load
from proveout.prove.judge import Course, bounds_of, make_test, verdict_of
from proveout.prove.layout import Layout
from proveout.prove.lock import case_digest, draw_order
from proveout.prove.observe import worth_of
from proveout.ready.people import is_known

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from proveout.domain.experiment import Plan
    from proveout.prove.judge import Test

SHARED = "triage-that-tests-import"
PACKAGE = "triage_that_tests_import"
NAME = "triage-that-nobody-imports"
FILES = {
    ".gitignore",
    "README.md",
    "RUNBOOK.md",
    "cases.jsonl",
    "proveout.toml",
    "triage_that_nobody_imports/__init__.py",
    "triage_that_nobody_imports/workflow.py",
}
MISSED = {
    "mail-04": "nothing that it says is a word of the rules",
    "mail-18": "it names what it is not about",
    "mail-29": "its words are misspelled",
}
SEEDS = range(300)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """Return a project that was just written, whose package is forgotten afterwards."""
    folder = tmp_path_factory.mktemp("a place with spaces")
    write_project(SHARED, folder)
    path = list(sys.path)
    yield folder / SHARED
    sys.path[:] = path
    for module in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[module]


# What is written


def test_every_file_has_a_meaning_and_nothing_else_is_written(tmp_path: Path) -> None:
    """What is told is what stands there, each line short enough for a terminal."""
    written = write_project(NAME, tmp_path)

    files = {str(path.relative_to(tmp_path / NAME)) for path in files_in(tmp_path)}
    assert files == FILES
    assert {one.path for one in written} == {tmp_path / NAME / file for file in files}
    assert all(0 < len(one.meaning) <= 27 for one in written)


def test_what_is_written_can_be_used_by_whom_the_umask_lets(tmp_path: Path) -> None:
    """The project is as open as any other folder its owner makes."""
    write_project(NAME, tmp_path)

    (tmp_path / "usual").mkdir()
    usual, made = (tmp_path / "usual").stat().st_mode, (tmp_path / NAME).stat().st_mode
    assert made == usual


def test_no_placeholder_is_left(project: Path) -> None:
    """Every name was filled in."""
    texts = [path.read_text(encoding="utf-8") for path in files_in(project)]

    assert not [text for text in texts if "{{" in text or "}}" in text]


def test_the_settings_load_and_name_the_project(project: Path) -> None:
    """They hold no error, and what nobody knows yet is said to be so."""
    found = load(project / "proveout.toml")

    assert found.workflow.name == SHARED
    assert found.workflow.entry == f"{PACKAGE}.workflow:triage"
    assert found.workflow.owner == "not known yet"
    [experiment] = found.experiments
    assert experiment.name == SHARED
    assert experiment.plan.budget.calls == 200
    assert experiment.plan.budget.money is None
    assert experiment.worth_asked
    assert found.production is not None
    assert found.production.runbook == project / "RUNBOOK.md"


def test_what_only_the_user_can_know_is_marked_and_counts_as_unknown(project: Path) -> None:
    """Each line marked "yours" is one that the drill of ownership asks for, and no other is."""
    text = (project / "proveout.toml").read_text(encoding="utf-8")

    named = ownership_of(load(project / "proveout.toml")).named

    unknown = {what for what, who in named.items() if not is_known(who)}
    assert text.count("# yours") == len(unknown) == 7
    assert {"owner", "operator", "escalation", "support hours"} < unknown
    assert named["runbook"] == "RUNBOOK.md"


def test_the_lines_that_are_marked_are_all_that_must_be_filled_in(tmp_path: Path) -> None:
    """With a name on each, nobody is asked for any more."""
    write_project(NAME, tmp_path)

    named = ownership_of(load(filled_in(tmp_path / NAME))).named

    assert [what for what, who in named.items() if not is_known(who)] == []


def test_the_runbook_holds_commands_that_exist(project: Path) -> None:
    """Whoever is called at night types them as they stand."""
    commands = ownership_of(load(project / "proveout.toml")).runbook

    assert len(commands) >= 5
    assert {words[1] for words in commands} <= set(COMMANDS)


def test_the_cases_differ_and_are_labelled(project: Path) -> None:
    """Sixty mails, none twice, every topic several times, and slices to look at."""
    cases = dataset_file.load(project / "cases.jsonl").cases

    assert len({case_digest(case) for case in cases}) == 60
    topics = [str(case.expected) for case in cases]
    assert min(topics.count(topic) for topic in topics) >= 7
    assert all(case.tags[0] == case.expected for case in cases)
    assert {"short", "angry", "question"} <= {tag for case in cases for tag in case.tags}


def test_no_case_holds_a_name_or_an_address(project: Path) -> None:
    """Nothing in the mails could belong to a person or to a company's site."""
    text = (project / "cases.jsonl").read_text(encoding="utf-8")

    assert not re.search(r"@|https?:|www\.|\+\d{2}|\d{6,}", text)


# The workflow


def test_the_rules_miss_three_mails_and_each_teaches_something(project: Path) -> None:
    """They are right about most mails, and wrong where rules are."""
    passed = answers(project)

    assert {case for case, right in passed.items() if not right} == set(MISSED)


def test_confidence_says_when_a_person_is_needed(project: Path) -> None:
    """One topic is sure, two are not, none is no answer at all."""
    workflow = module_of(project)

    sure, torn, lost = (
        workflow.classify(workflow.Mail("T-1", "", text))
        for text in ("The invoice is wrong", "An invoice for the parcel", "Hello there")
    )

    assert (sure.topic, sure.confidence) == ("billing", 1.0)
    assert torn.confidence < workflow.SURE
    assert (lost.topic, lost.confidence) == ("general", 0.0)


def test_a_reply_that_is_sent_stands_in_the_outbox_with_its_key(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside a run the effect is the plain function."""
    monkeypatch.chdir(project)
    workflow = module_of(project)
    reply = workflow.Reply("T-1", "general", "“Grüße”")

    workflow.send(reply, idempotency_key="k-1")

    [line] = (project / "outbox.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"key": "k-1", **asdict(reply)}
    (project / "outbox.jsonl").unlink()


def test_the_workflow_pleases_strict_tools(project: Path, tmp_path: Path) -> None:
    """It is the first code that a user sees: typed, formatted, nothing to complain about."""
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps({"typeCheckingMode": "strict", "include": [str(project)]}))
    tools = (
        ("pyright", f"--project={config}", f"--pythonpath={sys.executable}"),
        ("ruff", "check", "--isolated", "--no-cache"),
        ("ruff", "format", "--isolated", "--no-cache", "--check", "--line-length=100"),
    )

    said = [
        subprocess.run(
            [sys.executable, "-m", *tool], cwd=project, capture_output=True, text=True, check=False
        )
        for tool in tools
    ]

    assert [one.stdout + one.stderr for one in said if one.returncode] == []


# The verdict


def test_the_verdict_is_go_in_any_order_at_all(project: Path) -> None:
    """No order of the right answers and the misses makes a criterion fail, or stay open."""
    passed = answers(project)
    plan = plan_of(project)

    ends = {
        (criterion.name, end)
        for criterion in plan.criteria
        for end in all_ends(
            make_test(criterion, bounds_of(plan, Layout(order=tuple(range(len(passed)))))),
            *values_of(plan, criterion.name),
            failing=0 if criterion.name == "in time" else len(MISSED),
        )
    }

    assert ends == {(criterion.name, "go") for criterion in plan.criteria}


def test_the_verdict_falls_long_before_the_cases_end(project: Path) -> None:
    """Under half of them on average, and well under two thirds in the worst of many orders."""
    passed = list(answers(project).values())
    plan = plan_of(project)

    ended = [verdict_at(plan, passed, seed) for seed in SEEDS]

    assert {verdict for verdict, _ in ended} == {Verdict.GO}
    cases = [count for _, count in ended]
    assert sum(cases) / len(cases) < 30
    assert max(cases) <= 40


def test_two_slow_answers_do_not_turn_the_verdict(project: Path) -> None:
    """A machine that stutters at the start still ends with GO."""
    plan = plan_of(project)
    [in_time] = [one for one in plan.criteria if one.name == "in time"]

    test = make_test(in_time, bounds_of(plan, Layout(order=tuple(range(60)))))
    for value in [0, 0, *[1] * 58]:
        test = test.observe(value)

    assert test.decision == "go"


async def test_the_experiment_ends_with_go_and_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    """The real engine runs what was written, offline; effects stay captured."""
    monkeypatch.setenv("PROVEOUT_STORE", f"sqlite:///{tmp_path / 'proveout.db'}")

    async with Project.open(project / "proveout.toml") as opened:
        conductor = await opened.conductor(opened.experiment())
        account = await conductor.conduct()

    assert account.own.verdict is Verdict.GO
    assert account.own.errors == 0
    assert account.own.cases < 60
    assert not (project / "outbox.jsonl").exists()


# Names


@pytest.mark.parametrize(
    "name", ["z", "Z9", "support-triage", "a--b", "a_b-c", "x-", "CamelCase", "q" * LONGEST_NAME]
)
def test_a_name_becomes_a_package(tmp_path: Path, name: str) -> None:
    """Dashes become underscores, capitals small letters; the workflow keeps the name."""
    write_project(name, tmp_path)

    package = name.replace("-", "_").lower()
    assert (tmp_path / name / package / "workflow.py").is_file()
    assert load(tmp_path / name / "proveout.toml").workflow.name == name


@given(name=st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,63}", fullmatch=True))
@settings(max_examples=60)
def test_every_name_that_is_taken_at_all_gives_a_project_that_loads(name: str) -> None:
    """Whatever is not refused can be imported and proved."""
    try:
        package = package_of(name)
    except InitMistake:
        return

    with tempfile.TemporaryDirectory() as folder:
        write_project(name, Path(folder))

        found = load(Path(folder) / name / "proveout.toml").workflow
        assert found.entry == f"{package}.workflow:triage"
        assert package.isidentifier()
        assert not keyword.iskeyword(package)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../above",
        "a/b",
        "a\\b",
        "/tmp",  # noqa: S108 - a name that must be refused
        "9lives",
        "-x",
        "_x",
        "two words",
        "dot.ted",
        "line\n",
        "nul\x00",
        "esc\x1b[31m",
        "{{name}}",
        "größe",
        "ｔriage",  # noqa: RUF001 - a letter that looks like another
        "mail²",
        "сopy",  # noqa: RUF001 - a letter that looks like another
        "a\u202eb",
        "\ud83d",
        "📮",
        "q" * (LONGEST_NAME + 1),
        "class",
        "lambda",
        "json",
        "JSON",
        "test",
        "__future__",
        "concurrent",
        "proveout",
        "ProveOut",
        "click",
        "pydantic-core",
        "asyncpg",
    ],
)
def test_a_name_that_cannot_be_is_refused_with_one_that_can(tmp_path: Path, name: str) -> None:
    """Odd characters, and names that would hide a module from its users."""
    with pytest.raises(InitMistake) as caught:
        write_project(name, tmp_path)

    assert caught.value.code == "init"
    assert isinstance(caught.value, Mistake)
    assert caught.value.message.isprintable()
    assert list(tmp_path.iterdir()) == []
    [fix] = caught.value.fix
    assert package_of(fix.removeprefix("proveout init "))


# Places


def test_a_second_time_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    """What was changed since the first time is never overwritten."""
    write_project(NAME, tmp_path)
    (tmp_path / NAME / "cases.jsonl").write_text("mine\n")
    before = contents(tmp_path)

    with pytest.raises(InitMistake, match="not empty") as caught:
        write_project(NAME, tmp_path)

    assert contents(tmp_path) == before
    assert caught.value.fix[0] == f"proveout init {NAME}-2"


def test_any_file_in_the_folder_is_enough_to_refuse_it(tmp_path: Path) -> None:
    """A hidden file too: it is somebody's."""
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / ".keep").touch()

    with pytest.raises(InitMistake, match="not empty"):
        write_project(NAME, tmp_path)

    assert set(contents(tmp_path)) == {f"{NAME}/.keep"}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """It was most likely made for this."""
    (tmp_path / NAME).mkdir()

    write_project(NAME, tmp_path)

    assert {path.removeprefix(f"{NAME}/") for path in contents(tmp_path)} == FILES


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_what_is_no_folder_is_refused(tmp_path: Path, kind: str) -> None:
    """Neither a file nor a link is replaced, wherever it leads."""
    (tmp_path / "elsewhere").mkdir()
    if kind == "file":
        (tmp_path / NAME).write_text("mine")
    else:
        (tmp_path / NAME).symlink_to(tmp_path / ("elsewhere" if kind == "link" else "nowhere"))

    with pytest.raises(InitMistake, match="no folder"):
        write_project(NAME, tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {NAME, "elsewhere"}
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_place_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """The folder around the project is not made up."""
    with pytest.raises(InitMistake, match="cannot be written") as caught:
        write_project(NAME, tmp_path / "missing")

    assert caught.value.why == "No such file or directory"
    assert list(tmp_path.iterdir()) == []


def test_a_place_inside_a_file_is_refused(tmp_path: Path) -> None:
    """A file is no folder to write into."""
    (tmp_path / "file").touch()

    with pytest.raises(InitMistake, match="cannot be written"):
        write_project(NAME, tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_is_closed_is_refused(tmp_path: Path) -> None:
    """Permissions are respected, and named."""
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(InitMistake, match="cannot be written") as caught:
            write_project(NAME, tmp_path)
    finally:
        tmp_path.chmod(0o755)

    assert caught.value.why == "Permission denied"


def test_a_project_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    """Where the disk takes no more in the middle, the half that was written is removed."""
    with largest_file(8_000), pytest.raises(InitMistake, match="cannot be written") as caught:
        write_project(NAME, tmp_path)

    assert caught.value.why == "File too large"
    assert list(tmp_path.iterdir()) == []


def test_of_two_at_once_one_is_refused(tmp_path: Path) -> None:
    """Whoever comes second finds the place taken, never half a project."""

    def attempt(_: int) -> bool:
        try:
            write_project(NAME, tmp_path)
        except InitMistake:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(attempt, range(8)))

    assert sum(done) == 1
    assert {path.removeprefix(f"{NAME}/") for path in contents(tmp_path)} == FILES
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


# What the tests share


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the files that were written, without what importing them leaves."""
    kept = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return (path for path in kept if path.is_file())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in files_in(folder)}


@contextmanager
def largest_file(size: int) -> Generator[None]:
    """Let the system refuse to make any file larger than `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def filled_in(project: Path) -> Path:
    """Return the settings of a project with every line that is marked "yours" filled in."""
    path = project / "proveout.toml"
    text = path.read_text(encoding="utf-8").replace("not known yet", "ana")
    path.write_text(re.sub(r"^#(?=\w+ = .*# yours)", "", text, flags=re.MULTILINE))
    return path


def plan_of(project: Path) -> Plan:
    [experiment] = load(project / "proveout.toml").experiments
    return experiment.plan


def module_of(project: Path) -> Any:
    entry.load(f"{PACKAGE}.workflow:triage", project)
    return sys.modules[f"{PACKAGE}.workflow"]


def answers(project: Path) -> dict[str, bool]:
    """Return whether each case is routed right, by its id."""
    workflow = module_of(project)
    found: dict[str, bool] = {}
    for case in dataset_file.load(project / "cases.jsonl").cases:
        mail = workflow.Mail(**cast("dict[str, str]", case.value))
        reply = workflow.write(mail, workflow.classify(mail))
        found[case.id] = workflow.routed(asdict(reply), case)
    return found


def values_of(plan: Plan, name: str) -> tuple[float, float]:
    """Return what a criterion reads of a case that passes, and of one that fails."""
    [measure] = [one.measure for one in plan.criteria if one.name == name]
    if not isinstance(measure, Worth):
        return 1.0, 0.0
    price = plan.candidates[0].price_per_call or Usd(0)
    good, bad = (float(worth_of(measure, price, success=success)) for success in (True, False))
    return good, bad


def all_ends(test: Test, good: float, bad: float, *, failing: int, size: int = 60) -> set[str]:
    """Return how a test ends over every order of `size` cases of which some fail.

    What a test knows depends on how many passed and failed, not on their order, but for
    bounded values, where all orders are gone through.
    """
    ends: set[str] = set()
    live: dict[object, tuple[Test, int]] = {(): (test, 0)}
    for count in range(size):
        following: dict[object, tuple[Test, int]] = {}
        for state, failed in live.values():
            for value, fails in ((good, failed), (bad, failed + 1)):
                if fails > failing or count + 1 - fails > size - failing:
                    continue
                after = state.observe(value)
                if after.decision is not None:
                    ends.add(after.decision)
                else:
                    known = (fails, round(after.log_e_go, 9), round(after.log_e_nogo, 9))
                    following[known] = after, fails
        live = following
    return ends | {"open" for _ in live}


def verdict_at(plan: Plan, passed: list[bool], seed: int) -> tuple[Verdict, int]:
    """Return the verdict in the order that `seed` draws, and the cases it took."""
    bounds = bounds_of(plan, Layout(order=tuple(range(len(passed)))))
    courses = [Course(one, make_test(one, bounds)) for one in plan.criteria]
    for count, index in enumerate(draw_order(seed, range(len(passed))), 1):
        for course in courses:
            good, bad = values_of(plan, course.criterion.name)
            is_good = passed[index] or course.criterion.name == "in time"
            course.observe(good if is_good else bad)
        if (verdict := verdict_of(courses)) is not Verdict.UNDECIDED:
            return verdict, count
    return Verdict.UNDECIDED, len(passed)
