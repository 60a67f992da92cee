"""`proveout.toml`: what a founder, an operator and a reviewer can read and sign."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from proveout.domain.criterion import Latency, Lead
from proveout.domain.duration import say_duration, shown
from proveout.domain.experiment import OWN, Budget, Candidate, Claim, ErrorRates, Estimand, Plan
from proveout.domain.review_queue import find_queue
from proveout.faces.keys.root import ROOT
from proveout.faces.settings_access import AccessSettings, read_access
from proveout.faces.settings_candidates import read_candidates
from proveout.faces.settings_choice import ChoiceSettings, read_choice
from proveout.faces.settings_criteria import Prices, read_criteria, read_worth
from proveout.faces.settings_models import ModelSettings, read_models
from proveout.faces.settings_queues import read_groups, read_queues
from proveout.faces.settings_reader import Reader, SettingsMistake
from proveout.faces.settings_schedules import read_schedules
from proveout.faces.settings_sources import read_patterns, read_sources
from proveout.faces.settings_telemetry import TelemetrySettings, read_telemetry
from proveout.faces.settings_watch import (
    ChannelSettings,
    WatchSettings,
    check_target,
    read_channels,
    read_watch,
)
from proveout.faces.toml_lines import find_lines
from proveout.run.prune import KEYS, Keeping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from proveout.domain.criterion import Criterion
    from proveout.domain.money import Usd
    from proveout.domain.review_queue import Queue
    from proveout.domain.schedule import Schedule
    from proveout.faces.settings_sources import SourceSettings
    from proveout.faces.units import Rate

LARGEST = 1024 * 1024
"""Bytes that `proveout.toml` may have."""

_CONCURRENCY = 8
_HEADROOM = 2.0
_WINDOW = timedelta(weeks=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSettings:
    """The one function being carried to production, and its people; "" where not said.

    Attributes:
        entry: `module:attribute`, imported with the folder of the file first on the path.
        downstream: the system that receives the results.
        testers: who may use it during the proof of concept.
        files: patterns of what a release takes along beside the code.
        concurrency: most runs at once under all workers; None for any number.
        intake: most runs that may wait for their first claim; None for any number.
        schedules: in the order of the file.
        retention: for how long payloads are kept once a run has ended; None for ever.
        keys: for how long what is pruned is still known by its key.
    """

    name: str
    entry: str
    question: str = ""
    owner: str = ""
    operator: str = ""
    reviewer: str = ""
    downstream: str = ""
    assumptions: tuple[str, ...] = ()
    testers: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    concurrency: int | None = None
    intake: int | None = None
    schedules: tuple[Schedule, ...] = ()
    retention: timedelta | None = None
    keys: timedelta = KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSettings:
    """One experiment, declared and not yet locked.

    Attributes:
        dataset: an existing file of cases.
        worth_asked: whether one of the criteria is "worth"; if not, promotion is blocked.
    """

    name: str
    dataset: Path
    plan: Plan
    worth_asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSettings:
    """The share of runs that must succeed, within a time that leaves out people.

    Attributes:
        reviews: the share of reviews that must be answered before their deadline; None for any.
        cost: the most that a run may cost on average; None for any.
    """

    success: float
    within: timedelta
    reviews: float | None = None
    cost: Usd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationTier:
    """Who is told when nobody answered for a time."""

    to: str
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportSettings:
    """What customers may expect; None and "" where not said."""

    hours: str = ""
    first_answer: timedelta | None = None
    not_supported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAge:
    """How long the evidence of one claim lasts."""

    claim: str
    at_most: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionSettings:
    """What production asks for; None and "" where not said.

    Attributes:
        profile: "internal", "customer", "money" or "".
        headroom: the load drill runs at peak times this.
        window: the time in which the release plan must fit.
        escalation: in the order in which people are told.
        runbook: an existing file.
        watch: how it is watched.
    """

    profile: str = ""
    peak: Rate | None = None
    headroom: float = _HEADROOM
    window: timedelta = _WINDOW
    objective: ObjectiveSettings | None = None
    escalation: tuple[EscalationTier, ...] = ()
    support: SupportSettings | None = None
    policy: tuple[EvidenceAge, ...] = ()
    runbook: Path | None = None
    watch: WatchSettings = field(default_factory=WatchSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that one `proveout.toml` says.

    Attributes:
        path: the file, absolute.
        folder: where it stands; paths and imports start here.
        experiments: in the order of the file; empty where nothing is to be proved.
        sources: who may start runs by signed deliveries, in the order of the file.
        models: how calls of models are metered.
        choice: what building or buying rests on beside an experiment.
        channels: ways to reach people, by the names that the escalation uses.
        access: who may come in, and how often.
        telemetry: what is told outside of runs.
        queues: what holds for the queues of reviews that have rules.
        groups: the people of each group.
    """

    path: Path
    folder: Path
    workflow: WorkflowSettings
    experiments: tuple[ExperimentSettings, ...] = ()
    production: ProductionSettings | None = None
    sources: tuple[SourceSettings, ...] = ()
    models: ModelSettings = field(default_factory=ModelSettings)
    choice: ChoiceSettings = field(default_factory=ChoiceSettings)
    channels: tuple[ChannelSettings, ...] = ()
    access: AccessSettings = field(default_factory=AccessSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    queues: tuple[Queue, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def queue(self, name: str) -> Queue:
        """Return what holds for a queue of reviews."""
        return find_queue(self.queues, name)

    @property
    def keeping(self) -> Keeping | None:
        """For how long runs are kept; None where their payloads stay for ever."""
        if self.workflow.retention is None:
            return None
        return Keeping(
            workflow=self.workflow.name,
            sources=tuple(one.name for one in self.sources),
            payloads=self.workflow.retention,
            keys=self.workflow.keys,
        )


def load(path: Path) -> Settings:
    """Return what the file at `path` says, checked as far as one file can be.

    Raises:
        SettingsMistake: the file cannot be read, or a line of it cannot be.
    """
    return _read(path, _text_of(path), must_exist=True)


def load_stored(data: bytes, path: Path) -> Settings:
    """Return what a settings file said that was kept with a release.

    The files that it names may be gone, as the file itself may be: `path` is where it stood.

    Raises:
        SettingsMistake: a line of it cannot be.
    """
    return _read(path, data.decode("utf-8-sig"), must_exist=False)


def _read(path: Path, text: str, *, must_exist: bool) -> Settings:
    values, lines = _parsed(path, text), find_lines(text)
    root = Reader(file=path, lines=lines, table=ROOT, path=(), values=values)
    whole_path = path.absolute()
    place = _Place(folder=whole_path.parent, must_exist=must_exist)
    workflow = _workflow(cast("Reader", root.inner("workflow")))
    models = read_models(root.inner("models"))
    experiments = _experiments(root, workflow, models, place)
    candidates = [each.name for one in experiments for each in one.plan.candidates]
    return Settings(
        path=whole_path,
        folder=place.folder,
        workflow=workflow,
        experiments=experiments,
        production=_production(root.inner("production"), place, workflow),
        sources=read_sources(root),
        models=models,
        choice=read_choice(root.inner("choice"), candidates),
        channels=read_channels(root),
        access=read_access(root.inner("access")),
        telemetry=read_telemetry(root.inner("telemetry")),
        queues=read_queues(root),
        groups=read_groups(root),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the files stand that the settings name, and whether they still must."""

    folder: Path
    must_exist: bool

    def holds(self, text: str) -> bool:
        return bool(text) and (not self.must_exist or _is_file(self.folder / text))


# The file


def _text_of(path: Path) -> str:
    data = _bytes_of(path)
    if len(data) > LARGEST:
        raise SettingsMistake(
            "larger than 1 MiB",
            file=path,
            why="settings are written by hand; cases belong in a dataset file",
            fix=('dataset = "cases.jsonl"',),
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsMistake(
            "not UTF-8",
            file=path,
            line=data.count(b"\n", 0, error.start) + 1,
            why="TOML is written in UTF-8",
            fix=("save the file as UTF-8",),
        ) from None
    if not text.strip():
        raise SettingsMistake("the file is empty", file=path, fix=("proveout init NAME",))
    return text


def _bytes_of(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise SettingsMistake(
                "a folder, not a file", file=path, fix=(f"name {path / 'proveout.toml'}",)
            )
        if not path.is_file():
            raise SettingsMistake(
                "no such file",
                file=path,
                why=f"nothing readable stands at {shown(str(path))}",
                fix=("proveout init NAME",),
            )
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, SettingsMistake):
            raise
        raise SettingsMistake("cannot be read", file=path, why=str(error)) from None


def _parsed(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, line = _problem(str(error), text)
        raise SettingsMistake(
            f"not valid TOML: {problem}",
            file=path,
            line=line,
            why="nothing of the file can be read until the line is mended",
            fix=(f"mend line {line} of {path.name}", "proveout config check"),
        ) from None
    except RecursionError:
        raise SettingsMistake("tables or lists are nested too deeply", file=path) from None
    except ValueError:
        raise SettingsMistake("a number has too many digits", file=path) from None


def _problem(message: str, text: str) -> tuple[str, int]:
    """Split what the standard parser says into the problem and its line."""
    problem, _, place = message.rpartition(" (at ")
    line = re.match(r"line (\d+)", place)
    return problem or message, int(line[1]) if line else len(text.rstrip().splitlines())


# The workflow


def _workflow(row: Reader) -> WorkflowSettings:
    return WorkflowSettings(
        name=row.name("name"),
        entry=row.entry("entry"),
        question=row.text("question"),
        owner=row.text("owner"),
        operator=row.text("operator"),
        reviewer=row.text("reviewer"),
        downstream=row.text("downstream"),
        assumptions=row.texts("assumptions"),
        testers=row.texts("testers"),
        files=read_patterns(row),
        concurrency=row.whole("concurrency"),
        intake=row.whole("intake"),
        schedules=read_schedules(row),
        retention=row.duration("retention"),
        keys=_keys(row),
    )


def _keys(row: Reader) -> timedelta:
    """Return how long keys are kept: never shorter than what they protect."""
    payloads, keys = row.duration("retention"), row.duration("keys") or KEYS
    if payloads is not None and keys < payloads:
        raise row.mistake(
            f"keys are kept for {say_duration(keys)}, and payloads for {say_duration(payloads)}",
            "keys" if row.has("keys") else "retention",
            why="a run that is still there is known by its key",
            fix=(f'keys = "{say_duration(payloads)}"',),
        )
    return keys


# Experiments


def _experiments(
    root: Reader, workflow: WorkflowSettings, models: ModelSettings, place: _Place
) -> tuple[ExperimentSettings, ...]:
    found: dict[str, ExperimentSettings] = {}
    for row in root.each("prove"):
        experiment = _experiment(row, workflow, models, place)
        alike = experiment.name.casefold()
        if alike in found:
            raise row.mistake(
                f"two experiments are called {shown(found[alike].name)}",
                *(("name",) if row.has("name") else ()),
                why="the name is the experiment's id and file name; the default is the workflow's",
                fix=(f'name = "{experiment.name}-2"',),
            )
        found[alike] = experiment
    return tuple(found.values())


def _experiment(
    row: Reader, workflow: WorkflowSettings, models: ModelSettings, place: _Place
) -> ExperimentSettings:
    candidates = tuple(
        replace(one, is_metered=models.is_on and _calls_here(one))
        for one in read_candidates(row, workflow.entry, place.holds)
    )
    prices = _prices(row, candidates)
    criteria = read_criteria(row.each("criteria"), workflow.entry, prices)
    _check_timed(row, candidates, criteria)
    worth = _worth(row, prices)
    if worth is None and all(isinstance(one.measure, Lead) for one in criteria):
        raise _leads_alone(row)
    name = row.name("name") or workflow.name
    plan = Plan(
        name=name,
        workflow=workflow.name,
        question=workflow.question,
        claim=Claim(row.choice("claim") or Claim.THESE_CASES),
        criteria=(*criteria, worth) if worth else criteria,
        candidates=candidates,
        budget=_budget(row, prices),
        time_box=cast("timedelta", row.duration("time_box")),
        errors=_error_rates(row),
        concurrency=row.whole("concurrency") or _CONCURRENCY,
        pick_best=row.choice("pick") == "best",
        repeats=row.whole("repeats") or 1,
        estimand=Estimand(row.choice("estimand") or Estimand.PER_REQUEST),
    )
    return ExperimentSettings(
        name=name, dataset=_dataset(row, place), plan=plan, worth_asked=worth is not None
    )


def _check_timed(
    row: Reader, candidates: tuple[Candidate, ...], criteria: tuple[Criterion, ...]
) -> None:
    """Leave quietly when every candidate takes time to answer, or nobody asks how long."""
    read = next((one.name for one in candidates if one.is_exploratory), None)
    timed = [at for at, one in enumerate(criteria) if isinstance(one.measure, Latency)]
    if read is not None and timed:
        raise row.mistake(
            f"the time of candidate {read} cannot be judged",
            "criteria",
            timed[0],
            why="its answers are read from a file, which takes no time at all",
            fix=("ask for latency in another [[prove]], without that candidate",),
        )


def _calls_here(candidate: Candidate) -> bool:
    """Whether a candidate calls models in our own processes, at a price that is not declared."""
    return isinstance(candidate.entry, str) and candidate.price_per_call is None


def _leads_alone(row: Reader) -> SettingsMistake:
    return row.mistake(
        "every criterion is a lead over another candidate",
        "criteria",
        why="whoever leads may still not be good enough, and the others would be judged by nothing",
        fix=("[[prove.criteria]]", 'score = "exact"', "floor = 0.85", "target = 0.90"),
    )


def _prices(row: Reader, candidates: tuple[Candidate, ...]) -> Prices:
    cap = row.money("cap_per_call", zero=False)
    for each in candidates:
        if cap and each.price_per_call and each.price_per_call > cap:
            inside = () if each.name == OWN else ("candidates", each.name)
            raise row.mistake(
                f"price_per_call {each.price_per_call} is more than cap_per_call {cap}",
                *inside,
                "price_per_call",
                why="the cap is the most that one call can cost",
                fix=(f'cap_per_call = "{each.price_per_call.amount} USD"',),
            )
    return Prices(
        cap=cap,
        of={each.name: each.price_per_call for each in candidates},
        metered=frozenset(each.name for each in candidates if each.is_metered),
    )


def _budget(row: Reader, prices: Prices) -> Budget:
    inner = cast("Reader", row.inner("budget"))
    calls, money = inner.whole("calls"), inner.money("money", zero=False)
    if calls is None and money is None:
        raise inner.mistake(
            "budget limits neither calls nor money",
            why="an experiment without a limit is not a proof of concept",
            fix=("budget = { calls = 3000 }",),
        )
    if money is not None:
        _check_money(inner, money, prices)
    return Budget(calls=calls, money=money, cap_per_call=prices.most)


def _check_money(row: Reader, money: Usd, prices: Prices) -> None:
    if prices.most is None:
        raise row.mistake(
            "a budget of money needs to know what a call can cost",
            "money",
            why="each call is reserved at cap_per_call, or else at the price_per_call of its "
            f"candidate; {prices.unknown[0]} has neither",
            fix=('cap_per_call = "0.02 USD"', 'price_per_call = "0.004 USD"'),
        )
    if prices.most > money:
        raise row.mistake(
            f"one call may cost {prices.most}, more than the whole budget of {money}",
            "money",
            why="no call could be made",
            fix=(f'money = "{prices.most.amount * 1000} USD"',),
        )


def _error_rates(row: Reader) -> ErrorRates:
    wrong_go, wrong_no_go = row.share("wrong_go"), row.share("wrong_no_go")
    default = ErrorRates()
    return ErrorRates(
        wrong_go=default.wrong_go if wrong_go is None else wrong_go,
        wrong_no_go=default.wrong_no_go if wrong_no_go is None else wrong_no_go,
    )


def _worth(row: Reader, prices: Prices) -> Criterion | None:
    if isinstance(row.values.get("worth"), str):
        row.choice("worth")
        return None
    inner = row.inner("worth")
    return read_worth(inner, prices) if inner else None


def _dataset(row: Reader, place: _Place) -> Path:
    text = row.text("dataset")
    path = place.folder / text
    if not place.holds(text):
        raise row.mistake(
            f"the dataset {shown(text)} is not a file",
            "dataset",
            why=f"nothing readable stands at {shown(str(path))}",
            fix=(
                'write one case a line: {"input": "…", "expected": "…"}',
                "proveout init NAME makes a folder with a dataset that runs at once",
            ),
        )
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


# Production


def _production(
    row: Reader | None, place: _Place, workflow: WorkflowSettings
) -> ProductionSettings | None:
    if row is None:
        return None
    return ProductionSettings(
        profile=row.choice("profile"),
        peak=row.rate("peak"),
        headroom=row.positive("headroom") or _HEADROOM,
        window=row.duration("window") or _WINDOW,
        objective=_objective(row.inner("objective")),
        escalation=_escalation(row.each("escalation")),
        support=_support(row.inner("support")),
        policy=tuple(EvidenceAge(claim=c, at_most=age) for c, age in row.durations("policy")),
        runbook=_runbook(row, place),
        watch=read_watch(row, workflow.schedules),
    )


def _runbook(row: Reader, place: _Place) -> Path | None:
    if not row.has("runbook"):
        return None
    text = row.text("runbook")
    if not place.holds(text):
        raise row.mistake(
            f"the runbook {shown(text)} is not a file",
            "runbook",
            why=f"nothing readable stands at {shown(str(place.folder / text))}",
            fix=("write down what to do when it breaks, command by command",),
        )
    return place.folder / text


def _objective(row: Reader | None) -> ObjectiveSettings | None:
    if row is None:
        return None
    success, within = row.share("success"), row.duration("within")
    return ObjectiveSettings(
        success=cast("float", success),
        within=cast("timedelta", within),
        reviews=row.share("reviews"),
        cost=row.money("cost", zero=False),
    )


def _escalation(rows: tuple[Reader, ...]) -> tuple[EscalationTier, ...]:
    tiers: list[EscalationTier] = []
    for row in rows:
        tier = EscalationTier(
            to=row.text("to"), after=row.duration("after", zero=True) or timedelta(0)
        )
        check_target(row, tier.to)
        if tiers and tier.after < tiers[-1].after:
            raise row.mistake(
                f"{shown(tier.to)} is told before the tier above it",
                "after",
                why="tiers stand in the order in which people are told",
            )
        tiers.append(tier)
    return tuple(tiers)


def _support(row: Reader | None) -> SupportSettings | None:
    if row is None:
        return None
    return SupportSettings(
        hours=row.text("hours"),
        first_answer=row.duration("first_answer"),
        not_supported=row.texts("not_supported"),
    )
