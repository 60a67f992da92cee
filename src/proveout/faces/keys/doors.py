"""The keys of `[sources]`, `[access]` and `[telemetry]`: who comes in, what is told outside."""

from __future__ import annotations

from proveout.faces.keys.key import Key, Kind, Table

SOURCE = Table(
    title="[sources.NAME]",
    keys=(
        Key(
            name="scheme",
            kind=Kind.TEXT,
            required=True,
            choices=("stripe", "github", "standard", "slack", "shopify"),
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


OIDC = Table(
    title="[access.oidc]",
    keys=(
        Key(
            name="issuer",
            kind=Kind.TEXT,
            required=True,
            example='"https://login.example.org"',
            meaning="The identity provider, as it calls itself; over TLS, or on this machine.",
        ),
        Key(
            name="client",
            kind=Kind.TEXT,
            required=True,
            example='"proveout"',
            meaning="What we are called there.",
        ),
        Key(
            name="secret_env",
            kind=Kind.TEXT,
            default="no secret",
            example='"OIDC_SECRET"',
            meaning="The variable that holds our secret there.",
        ),
        Key(
            name="scopes",
            kind=Kind.TEXTS,
            default='`["openid", "profile", "email"]`',
            example='["openid", "email", "groups"]',
            meaning="What we ask to be told.",
        ),
        Key(
            name="name",
            kind=Kind.TEXT,
            default='`"email"`, which must be verified',
            example='"preferred_username"',
            meaning="The claim that people are called by here.",
        ),
        Key(
            name="claim",
            kind=Kind.TEXT,
            default='`"groups"`',
            example='"roles"',
            meaning="The claim that says what somebody is.",
        ),
        Key(
            name="viewers",
            kind=Kind.TEXTS,
            default="nobody",
            example='["proveout-viewers"]',
            meaning="Values of the claim that stand for the role viewer.",
        ),
        Key(
            name="reviewers",
            kind=Kind.TEXTS,
            default="nobody",
            example='["proveout-reviewers"]',
            meaning="Values of the claim that stand for the role reviewer.",
        ),
        Key(
            name="operators",
            kind=Kind.TEXTS,
            default="nobody",
            example='["proveout-operators"]',
            meaning="Values of the claim that stand for the role operator.",
        ),
        Key(
            name="owners",
            kind=Kind.TEXTS,
            default="nobody",
            example='["proveout-owners"]',
            meaning="Values of the claim that stand for the role owner.",
        ),
    ),
)


ACCESS = Table(
    title="[access]",
    keys=(
        Key(
            name="requests",
            kind=Kind.RATE,
            default='"60000 per minute"',
            example='"600 per minute"',
            meaning="Most requests of one API key.",
        ),
        Key(
            name="oidc",
            kind=Kind.TABLE,
            holds=OIDC,
            default="passwords only",
            example='{ issuer = "https://login.example.org", client = "it", owners = ["it"] }',
            meaning="Which identity provider vouches for people.",
        ),
    ),
)


TELEMETRY = Table(
    title="[telemetry]",
    keys=(
        Key(
            name="trace_link",
            kind=Kind.TEXT,
            default="no link",
            example='"https://traces.example.org/trace/{trace}"',
            meaning="Where a trace is looked at; `{trace}` and `{run}` stand for the ids.",
        ),
        Key(
            name="bodies",
            kind=Kind.TRUE,
            default="`false`",
            example="true",
            meaning="Whether traces hold inputs, results and words of errors.",
        ),
    ),
)
