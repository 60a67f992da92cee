"""The sample payload, and the events that are made of it."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.delivery import Scheme
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proveout.ready.probes.contract import Contract

LARGEST = 100_000
"""Bytes of a sample payload; the largest probe is three times as long."""

TIME_KEYS = ("created", "created_at", "updated_at", "timestamp", "event_time", "event_ts")
"""Keys under which events say when they happened; those that the sample has are kept true."""

UPDATE_KEYS = ("updated", "updated_at")
"""Keys under which objects say when they changed."""

_WORDED = {"created_at", "updated_at", "timestamp"}
"""Keys under which a moment is written in words where the sample has none."""

_MILLISECONDS = 100_000_000_000
"""From here on a number is milliseconds since 1970, and not seconds."""

_FALLBACK_TYPES = {Scheme.GITHUB: "push", Scheme.SHOPIFY: "orders/create"}

_GITHUB_KINDS = (
    ("pull_request", "pull_request"),
    ("comment", "issue_comment"),
    ("issue", "issues"),
    ("release", "release"),
    ("zen", "ping"),
)


class BadPayload(Mistake):
    """The sample payload is not one JSON object of a reasonable size."""

    code = "bad-payload"


class Form(Enum):
    """How a body is written; a receiver that keeps the raw bytes cannot tell them apart."""

    SPACED = (", ", ": "), True, None
    COMPACT = (",", ":"), False, None
    PRETTY = (",", ": "), False, 2

    def write(self, content: Mapping[str, Any]) -> bytes:
        """Return the content as JSON."""
        between, is_ascii, indent = self.value
        return json.dumps(
            content, separators=between, ensure_ascii=is_ascii, indent=indent
        ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, made for one probe.

    Attributes:
        id: of the event, the same each time it is sent.
        object: of what it is about; None where the sample names nothing.
        type: None for that of the sample.
        made: when it happened.
        status: of its object from then on; None for that of the sample.
        poison: makes a handler that cooperates fail once; None for no field at all.
        further: fields beside those of its object.
    """

    id: str
    object: str | int | None
    made: datetime
    type: str | None = None
    status: str | None = None
    is_live: bool = True
    poison: str | None = None
    further: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A payload that the receiver takes.

    Attributes:
        event_type: what stands in the header of schemes that name the type there.
    """

    content: Mapping[str, Any] = field(repr=False)
    contract: Contract
    event_type: str

    @property
    def place(self) -> tuple[str, ...] | None:
        """The keys to the object that the event is about, or None."""
        whole = ((),) if self.contract.scheme is Scheme.SHOPIFY else ()
        for path in (("data", "object"), ("data",), *whole):
            found = _at(self.content, path)
            if isinstance(found, dict) and _is_about(cast("dict[str, Any]", found), path):
                return path
        return None

    @property
    def status(self) -> str | None:
        """The status of the object in the sample."""
        found = self._object().get("status")
        return found if isinstance(found, str) else None

    def has_time(self) -> bool:
        """Whether its events say when they happened."""
        return self.contract.time_key is not None or any(key in self.content for key in TIME_KEYS)

    def fresh_object(self, chance: str) -> str | int | None:
        """Return the id of an object that the receiver has never heard of."""
        known = self._object().get("id")
        if isinstance(known, str):
            return f"{_stem(known)}{_digest(chance)[:20]}"
        return int(_digest(chance)[:12], 16) if isinstance(known, int) else None

    def fresh_event(self, chance: str) -> str:
        """Return the id of an event that the receiver has never heard of."""
        text = _digest(chance)
        match self.contract.scheme:
            case Scheme.GITHUB | Scheme.SHOPIFY:
                return str(uuid.UUID(text[:32]))
            case Scheme.SLACK:
                return f"Ev{text[:10].upper()}"
            case Scheme.STANDARD:
                return f"msg_{text[:24]}"
            case Scheme.STRIPE:
                return f"evt_{text[:24]}"

    def content_of(self, event: Event) -> dict[str, Any]:
        """Return the payload of an event."""
        content = copy.deepcopy(dict(self.content))
        self._identify(content, event)
        if event.type is not None and self.contract.type_path:
            _put(content, self._type_path(), event.type)
        _retime(content, TIME_KEYS, event.made, always=self.contract.time_key)
        if self.contract.scheme is Scheme.STRIPE:
            content["livemode"] = event.is_live
        self._describe(content, event)
        return content

    def _identify(self, content: dict[str, Any], event: Event) -> None:
        if self.contract.id_key is not None:
            content[self.contract.id_key] = event.id
        elif self.place and isinstance(content.get("id"), str):
            content["id"] = event.id

    def _describe(self, content: dict[str, Any], event: Event) -> None:
        place = self.place
        about = content if place is None else _at(content, place)
        if place is not None and event.object is not None:
            about["id"] = event.object
        if event.status is not None:
            about["status"] = event.status
        _retime(about, UPDATE_KEYS, event.made)
        if event.poison is not None:
            _put(content, ("data", "object", "poison"), event.poison)
        about.update(event.further)

    def _type_path(self) -> tuple[str, ...]:
        path = self.contract.type_path
        return path if isinstance(_at(self.content, path[:-1]), dict) else path[-1:]

    def _object(self) -> dict[str, Any]:
        return {} if self.place is None else _at(self.content, self.place)


def read_sample(data: bytes, contract: Contract, event_type: str | None = None) -> Sample:
    """Return the sample that a file holds.

    Raises:
        BadPayload: it is too large, or no JSON object.
    """
    if len(data) > LARGEST:
        raise BadPayload(
            f"the payload has {len(data):,} bytes; at most {LARGEST:,} are taken",
            why="every probe sends it, and one of them makes it 300 kB long",
            fix=("give the payload of one event",),
        )
    try:
        content: object = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        content = error
    if not isinstance(content, dict):
        said = f": {content}" if isinstance(content, Exception) else ""
        raise BadPayload(
            f"the payload is not one JSON object{said}",
            why="events of all five providers are JSON objects",
            fix=("copy an event from the provider's log into the file",),
        )
    found = cast("dict[str, Any]", content)
    kind = event_type or _kind_of(found, contract.scheme)
    return Sample(content=found, contract=contract, event_type=kind)


def _kind_of(content: Mapping[str, Any], scheme: Scheme) -> str:
    """Return the type that the sample has, or the likeliest one."""
    named = content.get("type")
    if isinstance(named, str) and re.fullmatch(r"[!-~]{1,100}", named):
        return named
    if scheme is Scheme.GITHUB:
        kinds = [kind for key, kind in _GITHUB_KINDS if key in content]
        return kinds[0] if kinds else _FALLBACK_TYPES[scheme]
    return _FALLBACK_TYPES.get(scheme, "event")


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _at(content: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        content = cast("dict[str, Any]", content).get(key) if isinstance(content, dict) else None
    return content


def _is_about(found: dict[str, Any], path: tuple[str, ...]) -> bool:
    """Whether an object is what an event is about: it has an id, or stands where objects do."""
    return path == ("data", "object") or isinstance(found.get("id"), str | int)


def _put(content: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *parents, last = path
    for key in parents:
        if not isinstance(content.get(key), dict):
            content[key] = {}
        content = content[key]
    content[last] = value


def _retime(
    content: dict[str, Any], keys: Iterable[str], made: datetime, always: str | None = None
) -> None:
    """Write when it happened under each of the keys that is there, and under `always`."""
    for key in keys:
        if key in content or key == always:
            content[key] = _moment(key, content.get(key), made)


def _moment(key: str, sample: object, made: datetime) -> Any:
    """Return a moment written as the sample writes it, or as its key suggests."""
    seconds = made.timestamp()
    like = "" if sample is None and key in _WORDED else sample
    match like:
        case str() if re.fullmatch(r"\d+\.\d+", like):
            return f"{seconds:.6f}"
        case str():
            return made.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case int() if like >= _MILLISECONDS:
            return int(seconds * 1000)
        case float():
            return seconds
        case _:
            return int(seconds)


def _stem(known: str) -> str:
    """Return how ids of that kind begin: "in_" of "in_1MtHbELkdIwHu7ix"."""
    return known[: known.rfind("_") + 1][:20] or "probe_"


def _digest(chance: str) -> str:
    return hashlib.sha256(chance.encode()).hexdigest()
