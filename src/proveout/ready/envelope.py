"""Evidence as others can read and verify it: an in-toto statement in a DSSE envelope.

Source:
    in-toto Attestation Framework, Statement v1; Dead Simple Signing Envelope v1.0.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.evidence import Evidence
from proveout.domain.ledger import Signature
from proveout.domain.record import decode, encode
from proveout.errors import Mistake, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.ports.signer import Signer

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:proveout:drill:v1"
PAYLOAD = "application/vnd.in-toto+json"


class Doubt(StrEnum):
    """Why an envelope is not believed."""

    MALFORMED = "malformed"
    TAMPERED = "tampered"
    FOREIGN = "foreign"


class EvidenceRefused(Refusal):
    """The envelope is not evidence that our key signed."""

    code = "evidence-refused"

    def __init__(self, doubt: Doubt, why: str) -> None:
        super().__init__(
            f"the evidence is {doubt}",
            why=why,
            fix=("proveout ledger verify", "repeat the drill: proveout drill NAME"),
        )
        self.doubt = doubt


class UnwritableEvidence(Mistake):
    """The figures of a drill cannot be written down."""

    code = "unwritable-evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Evidence that our key signed, under the digest of its envelope."""

    digest: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An envelope that is kept and not believed.

    Attributes:
        name: under which it is kept.
    """

    name: str
    doubt: Doubt
    why: str


def statement(evidence: Evidence) -> bytes:
    """Return the evidence as an in-toto statement about its release, the same bytes each time.

    Raises:
        UnwritableEvidence: a figure is no number, text, list or table that JSON can hold.
    """
    try:
        # The strict writer goes first: the other one lets pass what is not a number.
        json.dumps(evidence.figures, allow_nan=False)
        return _canonical(
            {
                "_type": STATEMENT,
                "subject": [{"name": evidence.workflow, "digest": {"sha256": evidence.release}}],
                "predicateType": PREDICATE,
                "predicate": json.loads(encode(evidence)),
            }
        )
    except (TypeError, ValueError) as error:
        raise UnwritableEvidence(
            f"a figure of the drill {evidence.claim} cannot be written",
            why=str(error),
            fix=("figures are plain finite numbers and texts",),
        ) from None


def pae(kind: str, body: bytes) -> bytes:
    """Return what a DSSE signature covers: type and body, each behind its length in bytes."""
    name = kind.encode()
    return b" ".join((b"DSSEv1", b"%d" % len(name), name, b"%d" % len(body), body))


def seal(evidence: Evidence, signer: Signer) -> bytes:
    """Return the envelope around the evidence, signed with our key.

    Raises:
        UnwritableEvidence: a figure cannot be written.
    """
    payload = statement(evidence)
    signature = signer.sign(pae(PAYLOAD, payload))
    words = {
        "payloadType": PAYLOAD,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {
                "keyid": signature.key,
                "sig": base64.b64encode(bytes.fromhex(signature.value)).decode(),
            }
        ],
    }
    return _canonical(words)


def digest(envelope: bytes) -> str:
    """Return the hexadecimal SHA-256 by which an envelope is known."""
    return hashlib.sha256(envelope).hexdigest()


def opened(envelope: bytes, signer: Signer) -> Evidence:
    """Return the evidence inside, once its signature was found to be ours.

    Raises:
        EvidenceRefused: the envelope is malformed, was changed, or another key signed it.
    """
    kind, payload, signatures = _unwrapped(envelope)
    covered = pae(kind, payload)
    if not any(signer.is_ours(covered, one) for one in signatures):
        raise _unsigned(signatures, ours=signer.sign(covered).key)
    if kind != PAYLOAD:
        raise EvidenceRefused(Doubt.MALFORMED, f"its payload is of the type {kind!r}")
    return _evidence(payload)


def filed(
    envelopes: Mapping[str, bytes], signer: Signer
) -> tuple[tuple[Filed, ...], tuple[Refused, ...]]:
    """Return what is believed of envelopes that are kept by digest, and what is not, and why."""
    good: list[Filed] = []
    bad: list[Refused] = []
    for name, envelope in envelopes.items():
        try:
            good.append(_filed(name, envelope, signer))
        except EvidenceRefused as error:
            bad.append(Refused(name=name, doubt=error.doubt, why=error.why))
    return tuple(good), tuple(bad)


def _filed(name: str, envelope: bytes, signer: Signer) -> Filed:
    if name != digest(envelope):
        raise EvidenceRefused(Doubt.TAMPERED, "it is kept under the digest of another one")
    return Filed(digest=name, evidence=opened(envelope, signer))


def _canonical(words: object) -> bytes:
    return json.dumps(words, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _unwrapped(envelope: bytes) -> tuple[str, bytes, list[Signature]]:
    """Return type, payload and signatures of an envelope, none of them verified."""
    try:
        words = cast("dict[str, Any]", json.loads(envelope))
        payload = base64.b64decode(words["payload"], validate=True)
        signatures = [
            Signature(
                key=str(one["keyid"]), value=base64.b64decode(one["sig"], validate=True).hex()
            )
            for one in words["signatures"]
        ]
        kind = str(words["payloadType"])
        kind.encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise EvidenceRefused(Doubt.MALFORMED, "it is no DSSE envelope") from None
    if not signatures:
        raise EvidenceRefused(Doubt.MALFORMED, "nobody signed it")
    return kind, payload, signatures


def _unsigned(signatures: list[Signature], ours: str) -> EvidenceRefused:
    if ours in {one.key for one in signatures}:
        return EvidenceRefused(
            Doubt.TAMPERED, f"it names our key {ours}, and our key did not sign this content"
        )
    return EvidenceRefused(
        Doubt.FOREIGN, f"it is signed by the key {signatures[0].key!r}, and ours is {ours}"
    )


def _evidence(payload: bytes) -> Evidence:
    try:
        words = cast("dict[str, Any]", json.loads(payload))
        if (words["_type"], words["predicateType"]) != (STATEMENT, PREDICATE):
            raise EvidenceRefused(Doubt.MALFORMED, "it states something else than a drill")
        evidence = decode(Evidence, json.dumps(words["predicate"]).encode())
        about = words["subject"][0]["digest"]["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise EvidenceRefused(Doubt.MALFORMED, "its statement cannot be read") from None
    if about != evidence.release:
        raise EvidenceRefused(Doubt.MALFORMED, "it speaks of one release and names another")
    return evidence
