"""The pages about who may come in, with facts as a store gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from proveout.faces.web.people import (
    AccessPage,
    AccountPage,
    FactorPage,
    KeyRow,
    SessionRow,
    UserRow,
    example_call,
)

NOW = datetime(2026, 11, 22, 12, 42, 5, tzinfo=UTC)

USERS = (
    UserRow(
        name="ana",
        role="owner",
        disabled=False,
        created=NOW - timedelta(days=90),
        shows_code=True,
    ),
    UserRow(
        name="ben@example.org",
        role="reviewer",
        disabled=False,
        created=NOW - timedelta(days=3),
        by="https://login.example.org",
    ),
    UserRow(name="cleo", role="operator", disabled=True, created=NOW - timedelta(days=40)),
)

SESSION = SessionRow(
    id="4f1d0c77f091",
    user="ana",
    created=NOW - timedelta(hours=3),
    used=NOW - timedelta(minutes=2),
    address="192.0.2.7",
    agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    is_this=True,
)
SESSIONS = (
    SESSION,
    replace(SESSION, id="0b55e1a4c3d2", user="ben@example.org", is_this=False),
    replace(SESSION, id="90ee1d6b0a17", address="", agent="", is_this=False),
)

KEY = KeyRow(
    name="ci",
    role="operator",
    state="valid",
    only=("enqueue", "read"),
    expires=NOW + timedelta(days=80),
    used=NOW - timedelta(minutes=4),
    by="ana",
)

ACCESS = AccessPage(
    users=USERS,
    keys=(
        KEY,
        replace(KEY, name="nightly", only=(), expires=None, used=None),
        replace(KEY, name="old", state="revoked"),
        replace(KEY, name="older", state="expired", expires=NOW - timedelta(days=2)),
    ),
    sessions=SESSIONS,
)

CALL = example_call(
    "https://proveout.example", "support-triage", '{"text": "Where is it?"}', may_enqueue=True
)
FIRST_KEY = AccessPage(
    users=USERS[:1],
    keys=(KEY,),
    sessions=SESSIONS[:1],
    secret="pk_" + "x7" * 21,
    made="ci",
    call=CALL,
)

NO_KEYS = AccessPage(users=USERS[:1], keys=(), sessions=SESSIONS[:1])

ACCOUNT = AccountPage(sessions=SESSIONS[::2], has_password=True)
WITH_CODES = AccountPage(
    sessions=SESSIONS[:1], has_password=True, factor_since=NOW - timedelta(days=12)
)
ELSEWHERE = AccountPage(sessions=SESSIONS[:1], has_password=False)

APP_HOLDS = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
FACTOR = FactorPage(
    address=f"otpauth://totp/Proveout%20answers:ana?secret={APP_HOLDS}&issuer=Proveout%20answers",
    secret=APP_HOLDS,
    salt="0123456789abcdef" * 2,
)
WRONG_CODE = replace(FACTOR, replaces=True, problem="The code is not right.")
