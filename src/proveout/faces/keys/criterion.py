"""The keys of a criterion."""

from __future__ import annotations

from proveout.faces.keys.key import Key, Kind, Table

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
