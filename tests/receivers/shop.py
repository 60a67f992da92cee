"""What every receiver does with a delivery, correctly but for one fault.

Signatures are checked by code of its own, so that the probes are not held against what signs
them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from receivers.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECRET = "whsec_" + base64.b64encode(b"not a secret, for it is here").decode()
OTHER = "whsec_" + base64.b64encode(b"the secret of another endpoint").decode()

KNOWN = {"invoice.paid"}
TOLERANCE = 300
SHORT = 100_000
SLOW = 1.3
ONE_BY_ONE = 0.3
GAP = 0.15
HOLD = 0.5
ROOM = 4
"""Deliveries that a throttled receiver works on at once."""

Said = tuple[int, str]
"""A status and a text."""


class Bad(Exception):
    """A delivery is turned away."""


class Broken(Exception):
    """The work on an event failed; the framework makes a 500 of it."""


@dataclass
class Shop:
    """A receiver's memory and its work."""

    fault: Fault = Fault.NONE
    scheme: str = "stripe"
    delay: float = 0.0
    effects: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    done: set[str] = field(default_factory=set[str])
    state: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    poisons: set[str] = field(default_factory=set[str])
    trusted: set[str] = field(default_factory=set[str])
    lock: threading.Lock = field(default_factory=threading.Lock)
    busy: int = 0

    def receive(
        self, headers: Mapping[str, str], raw: bytes, is_gone: Callable[[], bool] = lambda: False
    ) -> Said:
        """Return how a delivery is answered.

        Raises:
            Broken: the work failed, or the fault is one that crashes.
        """
        if self.fault is Fault.THROTTLED:
            return self._throttled(headers, raw)
        if self.delay:
            time.sleep(self.delay)  # noqa: TID251 - a slow receiver
        return self._received(headers, raw, is_gone)

    def _throttled(self, headers: Mapping[str, str], raw: bytes) -> Said:
        with self.lock:
            self.busy += 1
            is_full = self.busy > ROOM
        try:
            time.sleep(HOLD)  # noqa: TID251 - the fault
            return (429, "later") if is_full else self._received(headers, raw, lambda: False)
        finally:
            with self.lock:
                self.busy -= 1

    def _received(
        self, headers: Mapping[str, str], raw: bytes, is_gone: Callable[[], bool]
    ) -> Said:
        if len(raw) > SHORT and self.fault is Fault.SHORT_BODY:
            return 413, "too long"
        if self.fault is Fault.ACTS_FIRST:
            self._act_unchecked(headers, raw)
        try:
            self._check(headers, raw)
            event = self._parse(raw)
        except Bad as error:
            return 400, self._excuse(headers, raw, str(error))
        return self._handle(headers, event, is_gone)

    # The signature

    def _check(self, headers: Mapping[str, str], raw: bytes) -> None:
        """Leave quietly when the signature is good and fresh.

        Raises:
            Bad: it is not.
        """
        name = SIGNATURES[self.scheme]
        given = headers.get(name, "")
        if not given:
            if self.fault is Fault.UNSIGNED:
                return
            raise Bad("no signature")
        if self.fault is Fault.UNCHECKED or given in self.trusted:
            return
        if self.fault is Fault.HEADER_CRASH:
            self._read_carelessly(given)
        moment, signatures = self._read(headers, given)
        self._compare(headers, raw, moment, signatures)
        self._check_age(moment)
        if self.fault is Fault.SEEN_SIGNATURE:
            self.trusted.add(given)

    def _read_carelessly(self, given: str) -> None:
        """Read a header as if it could not be malformed."""
        try:
            parts = dict(part.split("=", 1) for part in given.split(","))
            hmac.compare_digest(parts["v1"], "0" * 64)
            int(parts["t"])
        except Exception as error:
            raise Broken from error

    def _read(self, headers: Mapping[str, str], given: str) -> tuple[str, list[str]]:
        match self.scheme:
            case "stripe":
                pairs = [part.partition("=")[::2] for part in given.split(",")]
                moment = next((value for key, value in pairs if key == "t"), "")
                found = [value for key, value in pairs if key == "v1"]
            case "standard":
                moment = headers.get("webhook-timestamp", "")
                found = [one[3:] for one in given.split(" ") if one.startswith("v1,")]
            case "slack":
                moment, found = headers.get("x-slack-request-timestamp", ""), [given[3:]]
            case "github":
                moment, found = "", [given.removeprefix("sha256=")]
            case _:
                moment, found = "", [given]
        return moment, found[:1] if self.fault is Fault.FIRST_SIGNATURE else found

    def _compare(
        self, headers: Mapping[str, str], raw: bytes, moment: str, given: list[str]
    ) -> None:
        secrets = [OTHER if self.fault is Fault.WRONG_KEY else SECRET]
        if self.fault is Fault.EMPTY_KEY:
            secrets.append("")
        for secret in secrets:
            right = signature(self.scheme, secret, headers, moment, raw)
            if any(hmac.compare_digest(one.encode(), right.encode()) for one in given):
                return
        raise Bad("wrong signature")

    def _check_age(self, moment: str) -> None:
        if self.scheme in ("github", "shopify") or self.fault is Fault.NO_AGE:
            return
        if not moment.isascii() or not moment.isdigit() or len(moment) > 12:
            raise Bad("no time")
        age = time.time() - int(moment)
        most = 60 if self.fault is Fault.NARROW else TOLERANCE
        least = 1 if self.fault is Fault.NO_FUTURE else most
        if age > most or -age > least:
            raise Bad("too old, or still to come")

    def _excuse(self, headers: Mapping[str, str], raw: bytes, why: str) -> str:
        """Return what is said of a bad delivery; some say too much."""
        match self.fault:
            case Fault.TELLS_KEY:
                return f"{why}: the secret is {SECRET}"
            case Fault.TELLS_SIGNATURE:
                moment, _ = self._read(headers, headers.get(SIGNATURES[self.scheme], ""))
                return f"{why}: expected {signature(self.scheme, SECRET, headers, moment, raw)}"
            case Fault.TRACEBACK:
                return traceback.format_exc()
            case _:
                return why

    # The event

    def _parse(self, raw: bytes) -> dict[str, Any]:
        try:
            text = raw.decode("ascii" if self.fault is Fault.ASCII else "utf-8")
            event: Any = json.loads(text)
        except ValueError as error:
            if self.fault is Fault.JSON_CRASH:
                raise Broken from error
            raise Bad("no JSON") from None
        if not isinstance(event, dict):
            raise Bad("no object")
        return cast("dict[str, Any]", event)

    def _act_unchecked(self, headers: Mapping[str, str], raw: bytes) -> None:
        try:
            event = json.loads(raw)
            name = self._name(headers, event)
        except (ValueError, AttributeError):
            return
        if event.get("livemode") is not False and event.get("type") in KNOWN:
            self._once(name, name, event)

    def _name(self, headers: Mapping[str, str], event: dict[str, Any]) -> str:
        key = ID_HEADERS.get(self.scheme)
        name = (
            headers.get(key) if key else event.get("event_id" if self.scheme == "slack" else "id")
        )
        return str(name)

    def _handle(  # noqa: PLR0911 - one way out for each fault
        self, headers: Mapping[str, str], event: dict[str, Any], is_gone: Callable[[], bool]
    ) -> Said:
        if self.fault is Fault.KNOWN_TYPES and event.get("type") not in KNOWN:
            return 400, "unknown type"
        if event.get("livemode") is False and self.fault is not Fault.TEST_ACTS:
            return 200, "test mode"
        if event.get("type") not in KNOWN and self.scheme == "stripe":
            return 200, "not ours"
        name = self._name(headers, event)
        match self.fault:
            case Fault.NO_MEMORY:
                return self._work(name, event)
            case Fault.LOOK_THEN_ACT:
                return self._look_then_act(name, event)
            case Fault.REMEMBERS_FIRST | Fault.GIVES_UP:
                return self._remember_first(name, event, is_gone)
            case Fault.BY_SIGNATURE:
                return self._once(headers[SIGNATURES[self.scheme]], name, event)
            case _:
                return self._once(name, name, event)

    def _look_then_act(self, name: str, event: dict[str, Any]) -> Said:
        if name in self.done:
            return 200, "known"
        time.sleep(GAP)  # noqa: TID251 - the fault
        said = self._work(name, event)
        self.done.add(name)
        return said

    def _remember_first(
        self, name: str, event: dict[str, Any], is_gone: Callable[[], bool]
    ) -> Said:
        with self.lock:
            if name in self.done:
                return 200, "known"
            self.done.add(name)
        if self.fault is Fault.REMEMBERS_FIRST:
            return self._work(name, event)
        time.sleep(GAP)  # noqa: TID251 - the fault
        if is_gone():
            return 200, "nobody listens"
        try:
            return self._work(name, event)
        except Broken:
            self.done.discard(name)
            raise

    def _once(self, known: str, name: str, event: dict[str, Any]) -> Said:
        """Work on an event once: whoever comes second waits, and finds it done or undone."""
        with self.lock:
            if known in self.done:
                if self.fault is Fault.UNIQUE_CRASH:
                    raise Broken("unique constraint")
                return 200, "known"
            try:
                said = self._work(name, event)
            except Broken:
                if self.fault is Fault.SWALLOWS:
                    return 200, "done"
                raise
            self.done.add(known)
            return said

    def _work(self, name: str, event: dict[str, Any]) -> Said:
        about = event.get("data", {}).get("object", {})
        if self.fault in (Fault.ONE_BY_ONE, Fault.SLOW):
            time.sleep(ONE_BY_ONE if self.fault is Fault.ONE_BY_ONE else SLOW)  # noqa: TID251 - the fault
        poison = about.get("poison")
        if poison is not None and poison not in self.poisons:
            self.poisons.add(poison)
            raise Broken("poisoned")
        self.effects[name] += 1
        made = float(event.get("created", 0))
        before, _ = self.state.get(str(about.get("id")), (0.0, ""))
        if made >= before or self.fault is Fault.LAST_WINS:
            self.state[str(about.get("id"))] = (made, str(about.get("status")))
        return 200, "done"


SIGNATURES = {
    "stripe": "stripe-signature",
    "github": "x-hub-signature-256",
    "standard": "webhook-signature",
    "slack": "x-slack-signature",
    "shopify": "x-shopify-hmac-sha256",
}
ID_HEADERS = {
    "github": "x-github-delivery",
    "standard": "webhook-id",
    "shopify": "x-shopify-webhook-id",
}


def signature(scheme: str, secret: str, headers: Mapping[str, str], moment: str, raw: bytes) -> str:
    """Return the bare signature that a secret makes, by each provider's documentation."""
    key = secret.encode()
    match scheme:
        case "stripe":
            return hmac.new(key, moment.encode() + b"." + raw, hashlib.sha256).hexdigest()
        case "slack":
            return hmac.new(key, b"v0:" + moment.encode() + b":" + raw, hashlib.sha256).hexdigest()
        case "github":
            return hmac.new(key, raw, hashlib.sha256).hexdigest()
        case "shopify":
            return base64.b64encode(hmac.new(key, raw, hashlib.sha256).digest()).decode()
        case _:
            key = base64.b64decode(secret.removeprefix("whsec_"))
            text = f"{headers.get('webhook-id', '')}.{moment}.".encode() + raw
            return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


class Mall:
    """Every shop of one server, by its name in the path: made when it is first asked for."""

    def __init__(self, delay: float = 0.0) -> None:
        self._delay = delay
        self._shops: dict[str, Shop] = {}
        self._lock = threading.Lock()

    def shop(self, name: str) -> Shop:
        """Return a shop; "slow" has one fault, "none.github" none and another scheme."""
        fault, _, scheme = name.partition(".")
        with self._lock:
            if name not in self._shops:
                self._shops[name] = Shop(
                    fault=Fault(fault), scheme=scheme or "stripe", delay=self._delay
                )
            return self._shops[name]
