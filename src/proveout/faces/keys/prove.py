"""The keys of `[prove]`, but for its criteria."""

from __future__ import annotations

from proveout.faces.keys.criterion import CRITERION
from proveout.faces.keys.key import NOT_ASKED, Key, Kind, Table

ANSWERS_BY = ("entry", "url", "command", "answers")
"""What a candidate may be, one of them each."""

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
