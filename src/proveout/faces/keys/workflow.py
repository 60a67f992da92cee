"""The keys of `[workflow]`."""

from __future__ import annotations

from proveout.faces.keys.key import Key, Kind, Table

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
