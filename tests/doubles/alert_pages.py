"""The pages about alerts, in the states worth seeing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from proveout.domain.alert import (
    Acknowledgement,
    AlertState,
    Escalation,
    Rule,
    Severity,
    Silence,
)
from proveout.faces.alert_views import Seen
from proveout.faces.web.alerts import AcknowledgePage, AlertPage, AlertRow, AlertsPage, Rung

NOW = datetime(2026, 11, 22, 12, 42, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

ROWS = (
    AlertRow(
        id="01JE2A",
        status="PAGE",
        summary="6 of 6 calls of models failed within 5 min",
        note="",
        since=NOW - 12 * MINUTE,
        told=("oncall",),
        next="Ben Okafor",
        due=NOW + 3 * MINUTE,
    ),
    AlertRow(
        id="01JE2B",
        status="FOLLOWS",
        summary="17 of 240 runs failed or were late within 1 h",
        note="follows from: 6 of 6 calls of models failed within 5 min",
        since=NOW - 11 * MINUTE,
        told=(),
    ),
    AlertRow(
        id="review:01JE0008",
        status="ACKNOWLEDGED",
        summary="a review in support waits for an answer until 2026-11-22 12:50 UTC",
        note="taken by Mara Klein",
        since=NOW - 21 * MINUTE,
        told=("oncall", "Ben Okafor"),
    ),
    AlertRow(
        id="01JE2C",
        status="SILENCED",
        summary="a run costs $0.031 on average, over $0.02",
        note="silenced by ana: the price list is old",
        since=NOW - timedelta(hours=5),
        told=(),
    ),
    AlertRow(
        id="01JE2D",
        status="TICKET",
        summary="2 runs are dead",
        note="",
        since=NOW - timedelta(hours=1),
        told=("oncall",),
        next="oncall",
        due=NOW + timedelta(hours=23),
    ),
)

SILENCE = Silence(
    id="01JE30",
    rule=Rule.COST,
    by="ana",
    reason="The price list is old; a new one comes on Monday.",
    begins=NOW - timedelta(hours=5),
    ends=NOW + timedelta(hours=19),
)

ALERTS = AlertsPage(
    rows=ROWS, silences=(SILENCE,), receivers=("oncall",), unreached=("Ben Okafor",)
)
NO_ALERTS = AlertsPage(rows=(), silences=())

SEEN = Seen(
    id="01JE2A",
    subject="alert:01JE2A",
    rule="models",
    severity=Severity.PAGE,
    summary="6 of 6 calls of models failed within 5 min",
    detail="Turned away, answered by an error of the vendor's, or not answered.",
    since=NOW - 12 * MINUTE,
    state=AlertState.OPEN,
    escalation=Escalation(subject="alert:01JE2A", begun=NOW - 12 * MINUTE),
)

ALERT = AlertPage(
    seen=SEEN,
    row=ROWS[0],
    round=2,
    rungs=(
        Rung(to="oncall", after=0 * MINUTE, at=NOW - 12 * MINUTE, accepted=True),
        Rung(to="leads", after=5 * MINUTE, at=NOW - 7 * MINUTE, trouble="no answer within 30 s"),
        Rung(
            to="Ben Okafor",
            after=15 * MINUTE,
            due=NOW + 3 * MINUTE,
            is_reached=False,
            is_next=True,
        ),
        Rung(to="director", after=60 * MINUTE, due=NOW + 48 * MINUTE),
    ),
)
TAKEN = AlertPage(
    seen=replace(
        SEEN,
        state=AlertState.ACKNOWLEDGED,
        taken=Acknowledgement(
            subject="alert:01JE2A", by="Mara Klein", at=NOW, until=NOW + timedelta(hours=1)
        ),
    ),
    row=replace(ROWS[0], status="ACKNOWLEDGED", note="taken by Mara Klein", next="", due=None),
    rungs=ALERT.rungs[:1],
)
OVER = AlertPage(seen=replace(SEEN, state=AlertState.RESOLVED, resolved=NOW), row=ROWS[0], rungs=())
LINK = AcknowledgePage(
    token="5f2c5f2c.1795351325.0f0f",  # noqa: S106 - no secret
    summary="[page] support-triage: 6 of 6 calls of models failed within 5 min",
    body="6 of 6 calls of models failed within 5 min\nTurned away, or not answered.",
    to="oncall",
)
LINK_TAKEN = replace(LINK, taken=True, until=NOW + timedelta(hours=1))
