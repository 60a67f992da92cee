"""What `proveout.toml` may hold: one table of keys for the loader, the docs and editors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from proveout.domain.duration import DURATION_PATTERN
from proveout.faces import units

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema: TypeAlias = "dict[str, object]"

NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
VARIABLE_PATTERN = "^[A-Z_][A-Z0-9_]{0,63}$"
HEADER_PATTERN = "^[A-Za-z][A-Za-z0-9-]{0,63}$"
ENTRY_PATTERN = r"^[^\s:]+:[^\s:]+$"
NOT_ASKED = "not asked"
ANSWERS_BY = ("entry", "url", "command", "answers")
"""What a candidate may be, one of them each."""


class Kind(StrEnum):
    """How the value of a key is written."""

    TEXT = "text"
    TEXTS = "list of texts"
    NAME = "name"
    ENTRY = "module:attribute"
    FILE = "path"
    WHOLE = "whole number"
    NUMBER = "number"
    SHARE = "number between 0 and 1"
    PART = "number above 0, at most 1"
    TRUE = "true or false"
    DURATION = "duration"
    MONEY = "money"
    BOUND = "number, or money for a cost"
    CAP = "true or money"
    TOLERANCE = "number, or percentage"
    RATE = "rate"
    MONEY_RATE = "rate of money"
    PATTERNS = "list of patterns"
    VARIABLES = "name of a variable, or list of names"
    TABLE = "table"
    TABLES = "list of tables"
    TABLE_OR_TABLES = "table, or list of tables"
    NAMED_TABLES = "table of named tables"
    NAMED_DURATIONS = "table of named durations"
    NAMED_VARIABLES = "table of names of variables"
    ANYTHING = "any value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a table.

    Attributes:
        meaning: one line for the docs and for editors.
        example: a value as it is written in TOML.
        default: what holds where the key is absent, as it is read by a person.
        choices: the only values, where they can be listed.
        later: values that are known and that this version does not support yet.
        holds: what a table, or each of a list of tables, may hold.
        instead: what to write in this version, where the key is not supported yet.
    """

    name: str
    kind: Kind
    meaning: str
    example: str
    default: str = ""
    required: bool = False
    choices: tuple[str | int, ...] = ()
    later: tuple[str, ...] = ()
    holds: Table | None = None
    instead: str = ""

    @property
    def is_supported(self) -> bool:
        """Whether this version reads the key."""
        return not self.instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table and its keys, in the order of the docs.

    Attributes:
        title: the table as messages name it.
        one_of: groups of keys of which exactly one is given.
        any_of: keys of which at least one is given.
    """

    title: str
    keys: tuple[Key, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    any_of: tuple[str, ...] = ()

    def key(self, name: str) -> Key:
        """Return the key called `name`.

        Raises:
            KeyError: the table has no such key.
        """
        for key in self.keys:
            if key.name == name:
                return key
        raise KeyError(name)


SCHEDULE = Table(
    title="[[workflow.schedules]]",
    keys=(
        Key(
            name="name",
            kind=Kind.NAME,
            required=True,
            example='"morning"',
            meaning="Names the schedule; with the moment of a tick it is the key of its run.",
        ),
        Key(
            name="cron",
            kind=Kind.TEXT,
            required=True,
            example='"0 6 * * MON-FRI"',
            meaning="When: minute, hour, day of the month, month and day of the week.",
        ),
        Key(
            name="zone",
            kind=Kind.TEXT,
            default='"UTC"',
            example='"Europe/Berlin"',
            meaning="Whose wall clock that is, by its IANA name.",
        ),
        Key(
            name="missed",
            kind=Kind.TEXT,
            default='"last"',
            choices=("skip", "last", "all"),
            example='"last"',
            meaning="Which of the ticks fire at which no server ran.",
        ),
        Key(
            name="input",
            kind=Kind.ANYTHING,
            default="{}",
            example='{ report = "daily" }',
            meaning="The input of each run.",
        ),
    ),
)

WORKFLOW = Table(
    title="[workflow]",
    keys=(
        Key(
            name="name",
            kind=Kind.NAME,
            required=True,
            example='"support-triage"',
            meaning="The workflow's name, in ids, addresses and file names.",
        ),
        Key(
            name="entry",
            kind=Kind.ENTRY,
            required=True,
            example='"support_triage.workflow:triage"',
            meaning="Where the function, graph or agent stands, seen from the folder of this file.",
        ),
        Key(
            name="question",
            kind=Kind.TEXT,
            example='"Can support mail be answered without a person reading it first?"',
            meaning="What the proof of concept is to answer.",
        ),
        Key(
            name="owner",
            kind=Kind.TEXT,
            example='"Ana Duarte"',
            meaning="Who answers for the workflow.",
        ),
        Key(
            name="operator",
            kind=Kind.TEXT,
            example='"Ben Okafor"',
            meaning="Who runs it, and is called when it breaks.",
        ),
        Key(
            name="reviewer",
            kind=Kind.TEXT,
            example='"support leads"',
            meaning="Who decides what the workflow leaves to a person.",
        ),
        Key(
            name="downstream",
            kind=Kind.TEXT,
            example='"help desk API"',
            meaning="Which system receives the results.",
        ),
        Key(
            name="assumptions",
            kind=Kind.TEXTS,
            example='["English mail only", "fewer than 300 a day"]',
            meaning="What is taken for granted until promotion asks about it.",
        ),
        Key(
            name="testers",
            kind=Kind.TEXTS,
            example='["ana@example.org"]',
            meaning="Who may use it during the proof of concept.",
        ),
        Key(
            name="files",
            kind=Kind.PATTERNS,
            example='["prompts/**"]',
            meaning="What a release takes along beside the code that the entry imports.",
        ),
        Key(
            name="concurrency",
            kind=Kind.WHOLE,
            default="no limit",
            example="8",
            meaning="Most runs at once, under all workers of all releases; trials left out.",
        ),
        Key(
            name="intake",
            kind=Kind.WHOLE,
            default="no limit",
            example="10000",
            meaning="Most runs that may wait for their first start; past it new ones are refused.",
        ),
        Key(
            name="schedules",
            kind=Kind.TABLES,
            holds=SCHEDULE,
            default="none",
            example='[{ name = "morning", cron = "0 6 * * *" }]',
            meaning="Runs that are asked for by the clock.",
        ),
        Key(
            name="retention",
            kind=Kind.DURATION,
            default="for ever",
            example='"90 days"',
            meaning="How long inputs, results, journal values and errors of ended runs are kept.",
        ),
        Key(
            name="keys",
            kind=Kind.DURATION,
            default='"400 days"',
            example='"400 days"',
            meaning="How long pruned runs are known by their keys, and deliveries by event ids.",
        ),
    ),
)

BUDGET = Table(
    title="[prove.budget]",
    any_of=("calls", "money"),
    keys=(
        Key(
            name="calls",
            kind=Kind.WHOLE,
            example="3000",
            meaning="The most calls that trials may make, repeats included.",
        ),
        Key(
            name="money",
            kind=Kind.MONEY,
            example='"20 USD"',
            meaning="The most that all calls may cost; needs cap_per_call or price_per_call.",
        ),
    ),
)

CRITERION = Table(
    title="[[prove.criteria]]",
    one_of=(("score", "latency", "cost"), ("floor", "ceiling")),
    keys=(
        Key(
            name="name",
            kind=Kind.TEXT,
            default="its measure",
            example='"correct routing"',
            meaning="What the report calls the criterion.",
        ),
        Key(
            name="score",
            kind=Kind.TEXT,
            example='"exact"',
            meaning="Measured by a score that comes with Proveout, by a function of the "
            "entry's module, by module:function, or by people (accepted unedited).",
        ),
        Key(
            name="field",
            kind=Kind.TEXT,
            default="the whole result",
            example='"label.team"',
            meaning="The only part of the result that the score reads.",
        ),
        Key(
            name="fields",
            kind=Kind.TEXTS,
            default="all that a case expects",
            example='["team", "order.total"]',
            meaning='What "fields" and "share of fields" compare.',
        ),
        Key(
            name="choices",
            kind=Kind.TEXTS,
            example='["billing", "shipping", "other"]',
            meaning='What "choice" chooses among.',
        ),
        Key(
            name="tolerance",
            kind=Kind.TOLERANCE,
            default="none",
            example='"2%"',
            meaning='How far a "number" may lie off: a distance, or a share of what is expected.',
        ),
        Key(
            name="pattern",
            kind=Kind.TEXT,
            example="'^INV-[0-9]{6}$'",
            meaning='The regular expression that "pattern" looks for.',
        ),
        Key(
            name="judge",
            kind=Kind.TRUE,
            default="false",
            example="true",
            meaning="The score is a judge, such as a model: it is called once for each answer, "
            "and its opinion is kept.",
        ),
        Key(
            name="labels",
            kind=Kind.PART,
            default="none: nobody checks the judge",
            example="0.25",
            meaning="The share of the cases that a person labels, too, with proveout label.",
        ),
        Key(
            name="latency",
            kind=Kind.DURATION,
            example='"4 s"',
            meaning="Measured by the share of cases that are answered within this time.",
        ),
        Key(
            name="cost",
            kind=Kind.CAP,
            example='"0.05 USD"',
            meaning="Measured by what a case costs, up to this cap; true takes cap_per_call.",
        ),
        Key(
            name="lead_over",
            kind=Kind.TEXT,
            example='"vendor"',
            meaning="Measured by how far the workflow's score lies above that candidate's, "
            "case by case.",
        ),
        Key(
            name="floor",
            kind=Kind.BOUND,
            example="0.85",
            meaning="Higher is better: at or below this it is not good enough.",
        ),
        Key(
            name="ceiling",
            kind=Kind.BOUND,
            example="0.02",
            meaning="Lower is better: at or above this it is not good enough.",
        ),
        Key(
            name="target",
            kind=Kind.BOUND,
            required=True,
            example="0.90",
            meaning="What is hoped for; ruled out means NO-GO.",
        ),
        Key(
            name="low",
            kind=Kind.NUMBER,
            example="0",
            meaning="The least value of a graded score; without low and high it is pass or fail.",
        ),
        Key(
            name="high",
            kind=Kind.NUMBER,
            example="5",
            meaning="The greatest value of a graded score.",
        ),
        Key(
            name="variance_guess",
            kind=Kind.NUMBER,
            example="1.2",
            default="from the range and the floor",
            meaning="The expected variance of a graded score, or of a lead; a good guess saves "
            "calls.",
        ),
    ),
)

BASELINE = Table(
    title="[prove.worth.baseline]",
    keys=(
        Key(
            name="minutes",
            kind=Kind.NUMBER,
            required=True,
            example="4",
            meaning="Minutes that a person spends on a case today.",
        ),
        Key(
            name="person_hour",
            kind=Kind.MONEY,
            required=True,
            example='"38 USD"',
            meaning="What an hour of that person costs.",
        ),
    ),
)

WORTH = Table(
    title="[prove.worth]",
    keys=(
        Key(
            name="value_per_success",
            kind=Kind.MONEY,
            required=True,
            example='"1.20 USD"',
            meaning="What a right answer earns.",
        ),
        Key(
            name="loss_per_error",
            kind=Kind.MONEY,
            required=True,
            example='"6 USD"',
            meaning="What a wrong answer costs.",
        ),
        Key(
            name="baseline",
            kind=Kind.TABLE,
            holds=BASELINE,
            example='{ minutes = 4, person_hour = "38 USD" }',
            meaning="Today's way of doing it, which a case saves.",
        ),
        Key(
            name="volume",
            kind=Kind.RATE,
            example='"300 per day"',
            meaning="How many cases are expected.",
        ),
        Key(
            name="fixed_cost",
            kind=Kind.MONEY_RATE,
            example='"900 USD per month"',
            meaning="What running it costs whatever the volume.",
        ),
        Key(
            name="worst",
            kind=Kind.MONEY,
            default="baseline saved - loss_per_error - the most a call can cost",
            example='"-7 USD"',
            meaning="The most that one case can lose.",
        ),
        Key(
            name="best",
            kind=Kind.MONEY,
            default="value_per_success + baseline saved",
            example='"4 USD"',
            meaning="The most that one case can gain.",
        ),
        Key(
            name="target",
            kind=Kind.MONEY,
            default="a quarter of best",
            example='"1 USD"',
            meaning="The hoped-for gain of a case; the floor is 0.",
        ),
    ),
)

CANDIDATE = Table(
    title="[prove.candidates.NAME]",
    one_of=(ANSWERS_BY,),
    keys=(
        Key(
            name="entry",
            kind=Kind.ENTRY,
            example='"vendor_adapter:answer"',
            meaning="Where the candidate's function, graph or agent stands.",
        ),
        Key(
            name="url",
            kind=Kind.TEXT,
            example='"https://vendor.example/answer"',
            meaning="Where a case's input is posted as JSON, and the answer comes back as JSON.",
        ),
        Key(
            name="command",
            kind=Kind.TEXTS,
            example='["./answer", "--fast"]',
            meaning="A program that reads an input a line and writes an answer a line, as JSON.",
        ),
        Key(
            name="answers",
            kind=Kind.FILE,
            example='"answers.jsonl"',
            meaning="Answers that were given before, as JSON Lines; exploratory.",
        ),
        Key(
            name="headers_env",
            kind=Kind.NAMED_VARIABLES,
            example='{ Authorization = "VENDOR_KEY" }',
            default="none",
            meaning="Headers for url, each with the variable that holds its value.",
        ),
        Key(
            name="timeout",
            kind=Kind.DURATION,
            example='"20 s"',
            default='"60 s"',
            meaning="How long url or command may take for one whole answer.",
        ),
        Key(
            name="allow_private",
            kind=Kind.TEXTS,
            example='["localhost"]',
            default="none",
            meaning="The host of url, where it stands on this machine or in its network.",
        ),
        Key(
            name="reuse",
            kind=Kind.TRUE,
            example="true",
            default="false",
            meaning="url or command answers as it did before: a later look need not ask again.",
        ),
        Key(
            name="price_per_call",
            kind=Kind.MONEY,
            example='"0.01 USD"',
            meaning="What one call of this candidate costs.",
        ),
        Key(
            name="headers",
            kind=Kind.TEXT,
            example='"…"',
            instead='headers_env = { Authorization = "VENDOR_KEY" }',
            meaning="Headers for a candidate behind HTTP.",
        ),
        Key(
            name="rate",
            kind=Kind.TEXT,
            example='"…"',
            instead="concurrency = 2 under [prove]",
            meaning="The most calls that a candidate takes in a time.",
        ),
    ),
)

PROVE = Table(
    title="[prove]",
    keys=(
        Key(
            name="name",
            kind=Kind.NAME,
            default="the workflow's name",
            example='"reply-v3"',
            meaning="The experiment's name.",
        ),
        Key(
            name="dataset",
            kind=Kind.FILE,
            required=True,
            example='"cases.jsonl"',
            meaning="The cases, as JSON Lines, seen from the folder of this file.",
        ),
        Key(
            name="time_box",
            kind=Kind.DURATION,
            required=True,
            example='"10 days"',
            meaning="After this time no new trials run.",
        ),
        Key(
            name="budget",
            kind=Kind.TABLE,
            required=True,
            holds=BUDGET,
            example='{ calls = 3000, money = "20 USD" }',
            meaning="The most that trials may use.",
        ),
        Key(
            name="criteria",
            kind=Kind.TABLES,
            required=True,
            holds=CRITERION,
            example='[{ score = "exact", floor = 0.85, target = 0.90 }]',
            meaning="What must be shown.",
        ),
        Key(
            name="worth",
            kind=Kind.TABLE,
            holds=WORTH,
            choices=(NOT_ASKED,),
            default=NOT_ASKED,
            example='{ value_per_success = "1.20 USD", loss_per_error = "6 USD" }',
            meaning='Whether it pays; "not asked" blocks promotion.',
        ),
        Key(
            name="candidates",
            kind=Kind.NAMED_TABLES,
            holds=CANDIDATE,
            default="the workflow alone",
            example='{ vendor = { url = "https://vendor.example/answer" } }',
            meaning="What else is judged, on the same cases.",
        ),
        Key(
            name="claim",
            kind=Kind.TEXT,
            choices=("these cases", "future traffic"),
            default="these cases",
            example='"future traffic"',
            meaning="What the verdict speaks of.",
        ),
        Key(
            name="wrong_go",
            kind=Kind.SHARE,
            default="0.05",
            example="0.05",
            meaning="Chance of GO although a criterion is at its floor.",
        ),
        Key(
            name="wrong_no_go",
            kind=Kind.SHARE,
            default="0.05",
            example="0.05",
            meaning="Chance of NO-GO although all criteria are at their targets.",
        ),
        Key(
            name="concurrency",
            kind=Kind.WHOLE,
            default="8",
            example="8",
            meaning="The most trials in flight at once.",
        ),
        Key(
            name="price_per_call",
            kind=Kind.MONEY,
            example='"0.004 USD"',
            meaning="What one call of the workflow costs.",
        ),
        Key(
            name="cap_per_call",
            kind=Kind.MONEY,
            default="the dearest price_per_call",
            example='"0.02 USD"',
            meaning="The most that one call can cost; reserved before it is made.",
        ),
        Key(
            name="pick",
            kind=Kind.TEXT,
            choices=("best",),
            example='"best"',
            meaning="With several candidates: share the error rates, since the best is taken.",
        ),
        Key(
            name="estimand",
            kind=Kind.TEXT,
            choices=("per request", "per source"),
            default="per request",
            example='"per source"',
            meaning="What is averaged where cases share a source.",
        ),
        Key(
            name="repeats",
            kind=Kind.WHOLE,
            default="1",
            example="3",
            meaning="Trials of each case, whose mean counts; new cases show more than repeats.",
        ),
    ),
)

OBJECTIVE = Table(
    title="[production.objective]",
    keys=(
        Key(
            name="success",
            kind=Kind.SHARE,
            required=True,
            example="0.99",
            meaning="The share of runs that must succeed.",
        ),
        Key(
            name="within",
            kind=Kind.DURATION,
            required=True,
            example='"60 s"',
            meaning="The time in which they must, not counting people.",
        ),
    ),
)

ESCALATION = Table(
    title="[[production.escalation]]",
    keys=(
        Key(
            name="to",
            kind=Kind.TEXT,
            required=True,
            example='"oncall@example.org"',
            meaning="Who is told.",
        ),
        Key(
            name="after",
            kind=Kind.DURATION,
            default="0 min",
            example='"15 min"',
            meaning="How long nobody answered before.",
        ),
    ),
)

SUPPORT = Table(
    title="[production.support]",
    keys=(
        Key(
            name="hours",
            kind=Kind.TEXT,
            example='"Mon-Fri 9-17 Europe/Berlin"',
            meaning="When somebody is there.",
        ),
        Key(
            name="first_answer",
            kind=Kind.DURATION,
            example='"4 h"',
            meaning="How soon a customer hears from a person.",
        ),
        Key(
            name="not_supported",
            kind=Kind.TEXTS,
            example='["attachments"]',
            meaning="What customers are told not to expect.",
        ),
    ),
)

PRODUCTION = Table(
    title="[production]",
    keys=(
        Key(
            name="profile",
            kind=Kind.TEXT,
            choices=("internal", "customer", "money"),
            example='"customer"',
            meaning="Who is hurt when it breaks; chooses the claims of the bar.",
        ),
        Key(
            name="peak",
            kind=Kind.RATE,
            example='"40 per minute"',
            meaning="The most requests that are expected.",
        ),
        Key(
            name="headroom",
            kind=Kind.NUMBER,
            default="2",
            example="2",
            meaning="The load drill runs at peak times this.",
        ),
        Key(
            name="window",
            kind=Kind.DURATION,
            default="12 weeks",
            example='"12 weeks"',
            meaning="The time in which the release plan must fit.",
        ),
        Key(
            name="objective",
            kind=Kind.TABLE,
            holds=OBJECTIVE,
            example='{ success = 0.99, within = "60 s" }',
            meaning="The bound that production must hold.",
        ),
        Key(
            name="escalation",
            kind=Kind.TABLES,
            holds=ESCALATION,
            example='[{ to = "oncall@example.org", after = "0 min" }]',
            meaning="Who is told next, and when.",
        ),
        Key(
            name="support",
            kind=Kind.TABLE,
            holds=SUPPORT,
            example='{ hours = "Mon-Fri 9-17 Europe/Berlin", first_answer = "4 h" }',
            meaning="What customers may expect.",
        ),
        Key(
            name="policy",
            kind=Kind.NAMED_DURATIONS,
            example='{ worker-loss = "14 days" }',
            meaning="How long the evidence of a claim lasts, by the claim's name.",
        ),
        Key(
            name="runbook",
            kind=Kind.FILE,
            example='"RUNBOOK.md"',
            meaning="What the operator does when it breaks, seen from the folder of this file.",
        ),
    ),
)

SOURCE = Table(
    title="[sources.NAME]",
    keys=(
        Key(
            name="scheme",
            kind=Kind.TEXT,
            required=True,
            choices=("stripe", "github", "standard"),
            example='"stripe"',
            meaning="How its deliveries are signed.",
        ),
        Key(
            name="secret_env",
            kind=Kind.VARIABLES,
            required=True,
            example='"STRIPE_WEBHOOK_SECRET"',
            meaning="The variable that holds its secret; several while it is being changed.",
        ),
        Key(
            name="types",
            kind=Kind.TEXTS,
            default="all",
            example='["invoice.paid"]',
            meaning="The types of events that start a run.",
        ),
        Key(
            name="input",
            kind=Kind.TEXT,
            default="the whole body",
            example='"data.object"',
            meaning="Where in the body the workflow's input stands.",
        ),
    ),
)

MODEL_PRICE = Table(
    title="[[models.prices]]",
    keys=(
        Key(
            name="model",
            kind=Kind.TEXT,
            required=True,
            example='"gpt-5-mini"',
            meaning="The model, as it is asked for or as it calls itself.",
        ),
        Key(
            name="read",
            kind=Kind.MONEY,
            required=True,
            example='"0.25 USD"',
            meaning="What a million tokens of requests cost.",
        ),
        Key(
            name="written",
            kind=Kind.MONEY,
            required=True,
            example='"2 USD"',
            meaning="What a million tokens of answers cost.",
        ),
        Key(
            name="cached",
            kind=Kind.MONEY,
            default="read",
            example='"0.025 USD"',
            meaning="What a million tokens of requests cost that came from a cache.",
        ),
        Key(
            name="stored",
            kind=Kind.MONEY,
            default="read",
            example='"0.30 USD"',
            meaning="What a million tokens of requests cost that were put into a cache.",
        ),
    ),
)

MODELS = Table(
    title="[models]",
    keys=(
        Key(
            name="meter",
            kind=Kind.TEXT,
            default="not metered",
            choices=("proxy", "transport"),
            example='"proxy"',
            meaning="How calls of models are counted: by a proxy on this machine, to which the "
            "vendors' clients are pointed, or by clients that use Proveout's transport.",
        ),
        Key(
            name="prices",
            kind=Kind.TABLES,
            holds=MODEL_PRICE,
            default="the public price list",
            example='[{ model = "gpt-5-mini", read = "0.25 USD", written = "2 USD" }]',
            meaning="What models cost that the public price list lacks, or lists otherwise.",
        ),
        Key(
            name="record",
            kind=Kind.TRUE,
            default="true",
            example="false",
            meaning="Whether what models answer in trials is kept in the store, so that drills "
            "answer from it and ask no vendor.",
        ),
    ),
)

ROOT = Table(
    title="the file",
    keys=(
        Key(
            name="workflow",
            kind=Kind.TABLE,
            required=True,
            holds=WORKFLOW,
            example='{ name = "support-triage", entry = "support_triage.workflow:triage" }',
            meaning="The one function being carried to production, and its people.",
        ),
        Key(
            name="prove",
            kind=Kind.TABLE_OR_TABLES,
            holds=PROVE,
            default="no experiment",
            example='{ dataset = "cases.jsonl", time_box = "10 days", budget = { calls = 3000 }, '
            'criteria = [{ score = "exact", floor = 0.85, target = 0.90 }] }',
            meaning="An experiment; several are written [[prove]].",
        ),
        Key(
            name="production",
            kind=Kind.TABLE,
            holds=PRODUCTION,
            example='{ profile = "customer" }',
            meaning="What production asks for.",
        ),
        Key(
            name="sources",
            kind=Kind.NAMED_TABLES,
            holds=SOURCE,
            default="none",
            example='{ billing = { scheme = "stripe", secret_env = "STRIPE_WEBHOOK_SECRET" } }',
            meaning="Who may start runs by signed deliveries.",
        ),
        Key(
            name="models",
            kind=Kind.TABLE,
            holds=MODELS,
            default="not metered",
            example='{ meter = "proxy" }',
            meaning="How calls of models are counted, and what they cost.",
        ),
    ),
)


def every_table() -> Iterator[Table]:
    """Yield every table of the file, the outer ones first."""
    waiting = [ROOT]
    while waiting:
        table = waiting.pop(0)
        yield table
        waiting += [key.holds for key in table.keys if key.holds]


class SettingsRow(NamedTuple):
    """One line of the table of settings in the docs."""

    key: str
    type: str
    default: str
    meaning: str


def settings_table() -> list[SettingsRow]:
    """Return every key with its type, default and meaning, in the order of the file."""
    return list(_rows(ROOT, ""))


def _rows(table: Table, prefix: str) -> Iterator[SettingsRow]:
    for key in table.keys:
        path = prefix + key.name
        default = "required" if key.required else key.default or "empty"
        meaning = key.meaning
        if not key.is_supported:
            default, meaning = "", f"{meaning} Not supported in this version."
        yield SettingsRow(path, _type(key), default, meaning)
        if key.holds:
            yield from _rows(key.holds, path + _DEEPER.get(key.kind, "."))


_DEEPER = {Kind.TABLES: "[].", Kind.NAMED_TABLES: ".NAME."}


def _type(key: Key) -> str:
    choices = " or ".join(f'"{choice}"' for choice in key.choices if isinstance(choice, str))
    if key.holds and choices:
        return f"{key.kind}, or {choices}"
    return choices or key.kind


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of `proveout.toml`, for editors.

    It holds what an editor can see in one value: names, types, units, choices. What takes
    two keys to see (a target below its floor, a missing file) is left to the loader.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "proveout.toml",
        "description": "One AI workflow, what must be shown of it, and what production asks for.",
        **_table(ROOT),
    }


def _table(table: Table) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {key.name: _key(key) for key in table.keys},
        "required": [key.name for key in table.keys if key.required],
        "additionalProperties": False,
    }
    if table.one_of:
        schema["allOf"] = [
            {"oneOf": [{"required": [name]} for name in group]} for group in table.one_of
        ]
    if table.any_of:
        schema["anyOf"] = [{"required": [name]} for name in table.any_of]
    return schema


def _key(key: Key) -> Schema:
    if not key.is_supported:
        return {"not": {}, "description": f"{key.meaning} Not supported in this version."}
    shape = _shape(key)
    if key.choices:
        listed: Schema = {"enum": list(key.choices)}
        shape = {"anyOf": [listed, shape]} if key.holds else listed
    return {"description": key.meaning, **shape}


def _shape(key: Key) -> Schema:
    if key.holds is None:
        return _SHAPES[key.kind]
    held = _table(key.holds)
    tables: Schema = {"type": "array", "minItems": 1, "items": held}
    match key.kind:
        case Kind.TABLES:
            return tables
        case Kind.TABLE_OR_TABLES:
            return {"anyOf": [held, tables]}
        case Kind.NAMED_TABLES:
            return {"type": "object", "propertyNames": _NAME, "additionalProperties": held}
        case _:
            return held


_NAME: Schema = {"type": "string", "pattern": NAME_PATTERN}
_TEXT: Schema = {"type": "string"}
_VARIABLE: Schema = {"type": "string", "pattern": VARIABLE_PATTERN}
_DURATION: Schema = {"type": "string", "pattern": DURATION_PATTERN}
_MONEY: Schema = {"type": "string", "pattern": units.MONEY_PATTERN}
_SHAPES: dict[Kind, Schema] = {
    Kind.TEXT: _TEXT,
    Kind.TEXTS: {"type": "array", "items": _TEXT},
    Kind.PATTERNS: {"type": "array", "items": {"type": "string", "minLength": 1}},
    Kind.VARIABLES: {"anyOf": [_VARIABLE, {"type": "array", "minItems": 1, "items": _VARIABLE}]},
    Kind.NAME: _NAME,
    Kind.ENTRY: {"type": "string", "pattern": ENTRY_PATTERN},
    Kind.FILE: {"type": "string", "minLength": 1},
    Kind.WHOLE: {"type": "integer", "minimum": 1},
    Kind.NUMBER: {"type": "number"},
    Kind.SHARE: {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    Kind.PART: {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    Kind.TRUE: {"type": "boolean"},
    Kind.DURATION: _DURATION,
    Kind.MONEY: _MONEY,
    Kind.BOUND: {"anyOf": [{"type": "number"}, _MONEY]},
    Kind.TOLERANCE: {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$"},
        ]
    },
    Kind.CAP: {"anyOf": [{"enum": [True]}, _MONEY]},
    Kind.RATE: {"type": "string", "pattern": units.RATE_PATTERN},
    Kind.MONEY_RATE: {"type": "string", "pattern": units.MONEY_RATE_PATTERN},
    Kind.NAMED_DURATIONS: {
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": _DURATION,
    },
    Kind.NAMED_VARIABLES: {
        "type": "object",
        "propertyNames": {"type": "string", "pattern": HEADER_PATTERN},
        "additionalProperties": _VARIABLE,
    },
    Kind.ANYTHING: {"type": ["object", "array", "string", "number", "boolean"]},
}
