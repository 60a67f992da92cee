"""The keys of `[choice]`."""

from __future__ import annotations

from proveout.faces.keys.key import Key, Kind, Table

OFFER = Table(
    title="[choice.candidates.NAME]",
    keys=(
        Key(
            name="permissions",
            kind=Kind.TEXTS,
            default="not known",
            example='["read tickets", "send replies"]',
            meaning="The access that it asks for.",
        ),
        Key(
            name="webhooks",
            kind=Kind.TEXT,
            example='"https://vendor.example/docs/webhooks"',
            meaning="Where it is shown how it tells of what happened, or no.",
        ),
        Key(
            name="export",
            kind=Kind.TEXT,
            example='"export of 12 November: 400 tickets"',
            meaning="Where it is shown that all its data can be taken out, or no.",
        ),
        Key(
            name="audit_log",
            kind=Kind.TEXT,
            example='"no"',
            meaning="Where it is shown who did what in it, or no.",
        ),
        Key(
            name="deletion",
            kind=Kind.TEXT,
            example='"contract, section 9"',
            meaning="Where it is shown that a customer can be erased, or no.",
        ),
        Key(
            name="objectives",
            kind=Kind.TEXT,
            example='"contract, section 4: 99.5 %"',
            meaning="Where it is shown what it promises to hold, or no.",
        ),
    ),
)


CHOICE = Table(
    title="[choice]",
    keys=(
        Key(
            name="permissions",
            kind=Kind.TEXTS,
            default="not known",
            example='["read tickets", "send replies"]',
            meaning="The access that is granted to whoever is chosen.",
        ),
        Key(
            name="exceptional",
            kind=Kind.TEXT,
            default="exceptional",
            example='"exceptional"',
            meaning="The tag of the cases that are judged apart.",
        ),
        Key(
            name="candidates",
            kind=Kind.NAMED_TABLES,
            holds=OFFER,
            default="nothing known",
            example='{ workflow = { permissions = ["read tickets"], export = "tried it" } }',
            meaning="What is known of each candidate: access, and what operating it needs.",
        ),
    ),
)
