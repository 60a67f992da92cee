"""Evidence in its envelope: read by others, refused when it was changed."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from doubles.readiness import SUBJECT, evidence
from proveout.adapters.keyfile import KeyFile
from proveout.domain.evidence import DrillResult
from proveout.ready.envelope import (
    PAYLOAD,
    Doubt,
    EvidenceRefused,
    UnwritableEvidence,
    digest,
    filed,
    opened,
    pae,
    seal,
    statement,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from proveout.domain.evidence import Evidence


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    return KeyFile(tmp_path_factory.mktemp("ours") / "key")


def doubt(envelope: bytes, signer: KeyFile) -> Doubt:
    with pytest.raises(EvidenceRefused) as caught:
        opened(envelope, signer)
    assert caught.value.why
    return caught.value.doubt


def signed(payload: bytes, signer: KeyFile, kind: str = PAYLOAD) -> bytes:
    """Return an envelope of any content that our own key signed."""
    signature = signer.sign(pae(kind, payload))
    sig = base64.b64encode(bytes.fromhex(signature.value)).decode()
    return json.dumps(
        {
            "payloadType": kind,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": signature.key, "sig": sig}],
        }
    ).encode()


def test_what_is_signed_is_encoded_as_the_specification_shows() -> None:
    """The example of the DSSE protocol, byte for byte."""
    example = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"

    assert pae("http://example.com/HelloWorld", b"hello world") == example


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("", b"", b"DSSEv1 0  0 "),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}", b"\x00 1 ", b"DSSEv1 2 \xc3\xa9 4 \x00 1 "),
    ],
)
def test_lengths_are_counted_in_bytes(kind: str, body: bytes, expected: bytes) -> None:
    """Two different contents never sign alike."""
    assert pae(kind, body) == expected


def test_the_statement_is_in_toto_about_the_release() -> None:
    """Tools that know in-toto find subject and predicate where they look."""
    words = json.loads(statement(evidence("halt")))

    assert words["_type"] == "https://in-toto.io/Statement/v1"
    assert words["subject"] == [{"name": "triage", "digest": {"sha256": SUBJECT.release}}]
    assert words["predicateType"] == "urn:proveout:drill:v1"
    assert words["predicate"]["control"] == "failed"
    assert words["predicate"]["figures"] == {"lost": 0, "lost_without": 14}


def test_the_same_evidence_gives_the_same_bytes(signer: KeyFile) -> None:
    """Whatever the order in which its figures were counted."""
    one = evidence("halt", figures={"a": 1, "b": 2})
    two = evidence("halt", figures={"b": 2, "a": 1})

    assert seal(one, signer) == seal(two, signer)
    assert digest(seal(one, signer)) != digest(seal(evidence("halt"), signer))


def test_an_envelope_opens_to_what_was_sealed(signer: KeyFile) -> None:
    """Every field comes back."""
    proof = evidence("halt", figures={"x": 1.5, "words": ["a", None], "in": {"n": -1}})

    assert opened(seal(proof, signer), signer) == proof


@given(
    summary=st.text(st.characters(codec="utf-8")),
    figures=st.dictionaries(
        st.text(st.characters(codec="utf-8")),
        st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    ),
    seed=st.integers(0, 2**63),
)
def test_any_evidence_survives_its_envelope(
    signer: KeyFile, summary: str, figures: dict[str, Any], seed: int
) -> None:
    """Texts of any script and figures of any size."""
    proof = evidence("halt", summary=summary, figures=figures, seed=seed)

    assert opened(seal(proof, signer), signer) == proof


def test_a_stranger_verifies_it_with_the_public_key_alone(signer: KeyFile) -> None:
    """Nothing of ours is needed but the PEM: the recipe of the specification is enough."""
    words = json.loads(seal(evidence("halt"), signer))
    public = serialization.load_pem_public_key(signer.public_pem())
    assert isinstance(public, Ed25519PublicKey)

    body, kind = base64.b64decode(words["payload"]), words["payloadType"]
    covered = f"DSSEv1 {len(kind)} {kind} {len(body)} ".encode() + body

    public.verify(base64.b64decode(words["signatures"][0]["sig"]), covered)
    assert words["signatures"][0]["keyid"] == signer.key_id


@pytest.mark.parametrize(
    "figures",
    [{"x": float("nan")}, {"x": float("inf")}, {"x": object()}, {"x": b"\xff"}, {"x": "\ud800"}],
    ids=["nan", "infinite", "object", "bytes", "surrogate"],
)
def test_figures_that_nobody_could_read_are_a_mistake(figures: dict[str, Any]) -> None:
    """They are refused before they are signed."""
    with pytest.raises(UnwritableEvidence):
        statement(evidence("halt", figures=figures))


def believed(envelope: bytes, signer: KeyFile) -> Evidence | None:
    with suppress(EvidenceRefused):
        return opened(envelope, signer)
    return None


def test_every_changed_byte_is_noticed(signer: KeyFile) -> None:
    """But for the bits that base64 leaves unused, which change nothing that is said."""
    proof = evidence("halt")
    whole = seal(proof, signer)

    found = [
        believed(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :], signer)
        for place, byte in enumerate(whole)
    ]

    assert [one for one in found if one not in (None, proof)] == []
    assert found.count(None) >= len(whole) - 2


def _with_payload(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def spoil(words: dict[str, Any]) -> None:
        inner = json.loads(base64.b64decode(words["payload"]))
        change(inner)
        words["payload"] = base64.b64encode(json.dumps(inner).encode()).decode()

    return spoil


TAMPERED: dict[str, Callable[[dict[str, Any]], None]] = {
    "result": _with_payload(lambda one: one["predicate"].update(result="PASSED")),
    "subject": _with_payload(lambda one: one["subject"][0].update(name="another")),
    "type": lambda one: one.update(payloadType="text/plain"),
    "signature": lambda one: one["signatures"][0].update(sig=base64.b64encode(b"0" * 64).decode()),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_evidence_is_told_from_foreign(signer: KeyFile, name: str) -> None:
    """It names our key, and our key did not sign this."""
    words = json.loads(seal(evidence("halt", result=DrillResult.FAILED), signer))
    TAMPERED[name](words)

    assert doubt(json.dumps(words).encode(), signer) is Doubt.TAMPERED


def test_foreign_evidence_names_the_key_that_signed_it(signer: KeyFile, tmp_path: Path) -> None:
    """Sealed correctly, by a key that is not ours."""
    other = KeyFile(tmp_path / "other")

    with pytest.raises(EvidenceRefused) as caught:
        opened(seal(evidence("halt"), other), signer)

    assert caught.value.doubt is Doubt.FOREIGN
    assert other.key_id in caught.value.why


def test_one_of_several_signatures_is_enough_when_it_is_ours(
    signer: KeyFile, tmp_path: Path
) -> None:
    """An auditor may add a signature of their own."""
    other = KeyFile(tmp_path / "other")
    words, theirs = (json.loads(seal(evidence("halt"), key)) for key in (signer, other))
    words["signatures"].insert(0, theirs["signatures"][0])

    assert opened(json.dumps(words).encode(), signer) == evidence("halt")


MALFORMED = {
    "empty": b"",
    "not JSON": b"{",
    "list": b"[]",
    "null": b"null",
    "no payload": b'{"payloadType": "x", "signatures": []}',
    "no signature": b'{"payload": "", "payloadType": "x", "signatures": []}',
    "not base64": b'{"payload": "%%", "payloadType": "x", "signatures": []}',
    "text for signatures": b'{"payload": "", "payloadType": "x", "signatures": "abc"}',
    "surrogate": b'{"payload": "", "payloadType": "\\ud800", "signatures": [{}]}',
    "deep": b"[" * 100_000,
    "not text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_envelope_is_malformed(signer: KeyFile, name: str) -> None:
    assert doubt(MALFORMED[name], signer) is Doubt.MALFORMED


@given(st.binary(max_size=200))
def test_whatever_is_brought_is_refused_and_nothing_else(signer: KeyFile, data: bytes) -> None:
    """No bytes of a stranger raise another error."""
    assert doubt(data, signer) in set(Doubt)


UNREADABLE: dict[str, Callable[[dict[str, Any]], None]] = {
    "other type": lambda one: one.update(_type="https://example.com/v0"),
    "other predicate": lambda one: one.update(predicateType="urn:other"),
    "no predicate": lambda one: one.pop("predicate"),
    "no subject": lambda one: one.update(subject=[]),
    "other release": lambda one: one["subject"][0]["digest"].update(sha256="f" * 64),
    "no such result": lambda one: one["predicate"].update(result="FINE"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_statement_that_we_signed_must_be_about_a_drill(signer: KeyFile, name: str) -> None:
    """A signature does not make evidence of something else."""
    words = json.loads(statement(evidence("halt")))
    UNREADABLE[name](words)

    assert doubt(signed(json.dumps(words).encode(), signer), signer) is Doubt.MALFORMED


def test_another_type_of_payload_is_malformed_although_we_signed_it(signer: KeyFile) -> None:
    envelope = signed(statement(evidence("halt")), signer, kind="text/plain")

    assert doubt(envelope, signer) is Doubt.MALFORMED


def test_what_is_filed_is_sorted_into_believed_and_not(signer: KeyFile, tmp_path: Path) -> None:
    """Good evidence counts although other is spoiled; each refusal says why."""
    good = seal(evidence("halt"), signer)
    foreign = seal(evidence("halt"), KeyFile(tmp_path / "other"))
    kept = {digest(good): good, digest(foreign): foreign, "f" * 64: good, digest(b"{}"): b"{}"}

    believed, refused = filed(kept, signer)

    assert [(one.digest, one.evidence) for one in believed] == [(digest(good), evidence("halt"))]
    assert [(one.name, one.doubt) for one in refused] == [
        (digest(foreign), Doubt.FOREIGN),
        ("f" * 64, Doubt.TAMPERED),
        (digest(b"{}"), Doubt.MALFORMED),
    ]
