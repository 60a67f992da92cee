"""The keys of review queues, and of groups of people."""

from __future__ import annotations

from proveout.faces.keys.key import Key, Kind, Table

QUEUE = Table(
    title="[review.NAME]",
    keys=(
        Key(
            name="people",
            kind=Kind.TEXTS,
            default="whoever may review",
            example='["leads", "ana"]',
            meaning="Names of groups or users who may decide.",
        ),
        Key(
            name="four_eyes",
            kind=Kind.TRUE,
            default="false",
            example="true",
            meaning="An approval takes effect with a second one, by somebody else.",
        ),
        Key(
            name="self_approval",
            kind=Kind.TEXT,
            default='"edits"',
            choices=("none", "edits", "all"),
            example='"none"',
            meaning="What people approve alone though it is their own: nothing, their edits, or "
            "also runs that they asked for. The rest waits for a second person.",
        ),
        Key(
            name="within",
            kind=Kind.DURATION,
            default="no deadline",
            example='"30 min"',
            meaning="The time to decide, where the workflow does not say.",
        ),
        Key(
            name="on_expiry",
            kind=Kind.TEXT,
            default='"park"',
            choices=("park", "reject"),
            example='"reject"',
            meaning="What follows when nobody decided in time, where the workflow does not say.",
        ),
        Key(
            name="sample",
            kind=Kind.PART,
            default="every draft",
            example="0.05",
            meaning="The share of drafts that people see; the others pass as they are.",
        ),
        Key(
            name="seed",
            kind=Kind.TEXT,
            default="the queue's name",
            example='"autumn"',
            meaning="Which drafts those are; another seed draws others.",
        ),
        Key(
            name="reasons",
            kind=Kind.TEXTS,
            default="words alone",
            example='["wrong facts", "tone", "against policy"]',
            meaning="Codes of which a rejection names one.",
        ),
        Key(
            name="most_open",
            kind=Kind.WHOLE,
            default="any number",
            example="500",
            meaning="Most reviews that may wait at once.",
        ),
        Key(
            name="when_full",
            kind=Kind.TEXT,
            default='"slow"',
            choices=("slow", "reject", "park"),
            example='"reject"',
            meaning="What happens past that: new runs are refused until there is room, or the "
            "draft is rejected, or its run parked.",
        ),
        Key(
            name="most_each",
            kind=Kind.WHOLE,
            default="any number",
            example="20",
            meaning="Most reviews that one person may have claimed at once.",
        ),
        Key(
            name="lease",
            kind=Kind.DURATION,
            default='"10 min"',
            example='"5 min"',
            meaning="How long a review stays with who claimed it.",
        ),
    ),
)


GROUP = Table(
    title="[groups.NAME]",
    keys=(
        Key(
            name="people",
            kind=Kind.TEXTS,
            required=True,
            example='["ana", "jo"]',
            meaning="Names of users.",
        ),
    ),
)
