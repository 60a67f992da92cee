"""The keys of `[models]`."""

from __future__ import annotations

from proveout.faces.keys.key import Key, Kind, Table

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
