"""The tables of `proveout.toml`, and every table within them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.faces.keys.choice import CHOICE
from proveout.faces.keys.doors import ACCESS, SOURCE, TELEMETRY
from proveout.faces.keys.key import Key, Kind, Table
from proveout.faces.keys.models import MODELS
from proveout.faces.keys.production import CHANNEL, PRODUCTION
from proveout.faces.keys.prove import PROVE
from proveout.faces.keys.review import GROUP, QUEUE
from proveout.faces.keys.workflow import WORKFLOW

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            name="channels",
            kind=Kind.NAMED_TABLES,
            holds=CHANNEL,
            default="none",
            example='{ oncall = { url_env = "ONCALL_URL" } }',
            meaning="Ways to reach people, by the names that the escalation uses.",
        ),
        Key(
            name="models",
            kind=Kind.TABLE,
            holds=MODELS,
            default="not metered",
            example='{ meter = "proxy" }',
            meaning="How calls of models are counted, and what they cost.",
        ),
        Key(
            name="choice",
            kind=Kind.TABLE,
            holds=CHOICE,
            default="nothing known",
            example='{ permissions = ["read tickets"] }',
            meaning="What building or buying rests on beside the experiment.",
        ),
        Key(
            name="access",
            kind=Kind.TABLE,
            holds=ACCESS,
            example='{ requests = "600 per minute" }',
            meaning="Who may come in, and how often.",
        ),
        Key(
            name="telemetry",
            kind=Kind.TABLE,
            holds=TELEMETRY,
            example='{ trace_link = "https://traces.example.org/trace/{trace}" }',
            meaning="What is told outside of runs.",
        ),
        Key(
            name="review",
            kind=Kind.NAMED_TABLES,
            holds=QUEUE,
            default="none",
            example='{ refunds = { within = "30 min", on_expiry = "reject", people = ["leads"] } }',
            meaning="What holds for the queues of reviews; a queue that is not named has no rules.",
        ),
        Key(
            name="groups",
            kind=Kind.NAMED_TABLES,
            holds=GROUP,
            default="none",
            example='{ leads = { people = ["ana", "jo"] } }',
            meaning="People under one name.",
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
