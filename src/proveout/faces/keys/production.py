"""The keys of `[production]`, and of the channels that reach its people."""

from __future__ import annotations

from proveout.faces.keys.key import Key, Kind, Table

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
        Key(
            name="reviews",
            kind=Kind.SHARE,
            example="0.95",
            meaning="The share of reviews that must be answered before their deadline.",
        ),
        Key(
            name="cost",
            kind=Kind.MONEY,
            example='"0.02 USD"',
            meaning="The most that the models of a run may cost, on average over a day.",
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
            meaning="Who is told: the name of a channel, or of a person whom no channel reaches.",
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


ALERTS = Table(
    title="[production.alerts]",
    keys=(
        Key(
            name="first_wait",
            kind=Kind.DURATION,
            default="30 s",
            example='"30 s"',
            meaning="How long a first alert waits for others, to be told of together.",
        ),
        Key(
            name="repeat",
            kind=Kind.DURATION,
            default="1 h",
            example='"1 h"',
            meaning="When nobody answered, the first tier is told again so long after the last.",
        ),
        Key(
            name="loops",
            kind=Kind.WHOLE,
            default="any number",
            example="9",
            meaning="How often everybody is told again at most.",
        ),
        Key(
            name="lapse",
            kind=Kind.DURATION,
            default="1 h",
            example='"1 h"',
            meaning="How long an acknowledgement lasts; then the first tier is told again.",
        ),
        Key(
            name="unanswered",
            kind=Kind.DURATION,
            default="half of its time",
            example='"30 min"',
            meaning="When a review that nobody answered is escalated, after it was opened.",
        ),
    ),
)


ARRIVALS = Table(
    title="[production.arrivals]",
    keys=(
        Key(
            name="cron",
            kind=Kind.TEXT,
            required=True,
            example='"0 18 * * MON-FRI"',
            meaning="At these moments something must have arrived.",
        ),
        Key(
            name="zone",
            kind=Kind.TEXT,
            default='"UTC"',
            example='"Europe/Berlin"',
            meaning="Whose wall clock that is, by its IANA name.",
        ),
        Key(
            name="within",
            kind=Kind.DURATION,
            required=True,
            example='"9 h"',
            meaning="In this time before.",
        ),
    ),
)


SYNTHETIC = Table(
    title="[production.synthetic]",
    keys=(
        Key(
            name="schedule",
            kind=Kind.NAME,
            required=True,
            example='"probe"',
            meaning="The schedule whose runs must succeed, as a sign that everything works.",
        ),
        Key(
            name="within",
            kind=Kind.DURATION,
            required=True,
            example='"5 min"',
            meaning="In this time after they were due.",
        ),
    ),
)


HEARTBEAT = Table(
    title="[production.heartbeat]",
    keys=(
        Key(
            name="url_env",
            kind=Kind.TEXT,
            required=True,
            example='"HEARTBEAT_URL"',
            meaning="The variable that holds the address to call while watch is kept.",
        ),
        Key(
            name="every",
            kind=Kind.DURATION,
            default="5 min",
            example='"5 min"',
            meaning="How often it is called.",
        ),
    ),
)


CHANNEL = Table(
    title="[channels.NAME]",
    keys=(
        Key(
            name="url_env",
            kind=Kind.TEXT,
            required=True,
            example='"ONCALL_URL"',
            meaning="The variable that holds the channel's address, as apprise writes it.",
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
        Key(
            name="alerts",
            kind=Kind.TABLE,
            holds=ALERTS,
            example='{ repeat = "1 h", lapse = "1 h" }',
            meaning="How long alerts wait, repeat and stay acknowledged.",
        ),
        Key(
            name="arrivals",
            kind=Kind.TABLE,
            holds=ARRIVALS,
            example='{ cron = "0 18 * * MON-FRI", within = "9 h" }',
            meaning="When something must have arrived.",
        ),
        Key(
            name="synthetic",
            kind=Kind.TABLE,
            holds=SYNTHETIC,
            example='{ schedule = "probe", within = "5 min" }',
            meaning="An item on a schedule that must come through.",
        ),
        Key(
            name="heartbeat",
            kind=Kind.TABLE,
            holds=HEARTBEAT,
            example='{ url_env = "HEARTBEAT_URL", every = "5 min" }',
            meaning="Who outside notices when nobody keeps watch any more.",
        ),
        Key(
            name="console",
            kind=Kind.TEXT,
            example='"https://proveout.example.org"',
            meaning="The address of the console, for links in notices.",
        ),
    ),
)
