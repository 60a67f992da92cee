"""How a secret is written in each scheme, and that it is never shown."""

from __future__ import annotations

import pytest

from proveout.adapters.hooks.envelope import BadSecret
from proveout.adapters.hooks.table import parse_secret, parse_their_secret
from proveout.domain.delivery import Scheme
from proveout.errors import Mistake

BAD_SECRETS = [
    *((scheme, text) for scheme in Scheme for text in ("", " ", "whsec_", " 5f2a", "5f2a\n")),
    (Scheme.STRIPE, "sk_live_5f2a"),
    (Scheme.STRIPE, "5f2a"),
    (Scheme.STRIPE, "whsec_5f2\u00e9"),
    (Scheme.GITHUB, "5f2a\udcff"),
    (Scheme.GITHUB, "5f2a\ud800"),
    (Scheme.STANDARD, "ZWFjaCB3b3JkIG9mIHRoaXMgaXMgbWFkZSB1cA=="),
    (Scheme.STANDARD, "whsec_5f2a"),
    (Scheme.STANDARD, "whsec_ZWFjaCB3b3JkIG9mIHRoaXMgaXMgbWFkZSB1c"),
    (Scheme.STANDARD, "whsec_ZWFjaCB3b3JkIG9mIHRoaXMgaXMgbWFkZSB1*cA=="),
    (Scheme.STANDARD, "whsec_ZWFjaCB3b3JkIG9mIHRoaXMgaXMgbWFkZSB1\u00e9A=="),
    (Scheme.STANDARD, "whsk_ZWFjaCB3b3JkIG9mIHRoaXMgaXMgbWFkZSB1cA=="),
]
for anything in (Scheme.GITHUB, Scheme.SLACK, Scheme.SHOPIFY):  # any text may be theirs
    BAD_SECRETS.remove((anything, "whsec_"))


@pytest.mark.parametrize(("scheme", "text"), BAD_SECRETS)
def test_a_secret_of_the_wrong_form_is_a_mistake(scheme: Scheme, text: str) -> None:
    """It is told when the settings are read, and the text is in no part of the error."""
    with pytest.raises(BadSecret) as no:
        parse_secret(scheme, text)

    error = no.value
    assert isinstance(error, Mistake)
    assert error.__context__ is None
    if len(text.strip()) > len("whsec_"):
        assert text.strip() not in repr(error) + error.message + error.why + "".join(error.fix)
    assert "5f2a" not in error.message + error.why + "".join(error.fix)


@pytest.mark.parametrize(
    ("scheme", "text", "key"),
    [
        (Scheme.STRIPE, "whsec_abc", b"whsec_abc"),
        (Scheme.GITHUB, "a cat, un \u00e9l\u00e9phant", "a cat, un \u00e9l\u00e9phant".encode()),
        (
            Scheme.STANDARD,
            "whsec_ZWFjaCB3b3JkIG9mIHRoaXMgaXMgbWFkZSB1cA==",
            b"each word of this is made up",
        ),
        (
            Scheme.STANDARD,
            "whsec_ZWFjaCB3b3JkIG9mIHRoaXMgaXMgbWFkZSB1cA",
            b"each word of this is made up",
        ),
    ],
)
def test_a_secret_becomes_its_key(scheme: Scheme, text: str, key: bytes) -> None:
    """Stripe signs with the text itself, the standard with what its base64 holds."""
    assert parse_secret(scheme, text) == key


@pytest.mark.parametrize(
    ("scheme", "text", "key"),
    [
        (Scheme.STRIPE, "topsecret", b"topsecret"),
        (Scheme.STANDARD, "ZWFjaA==", b"each"),
        (Scheme.STANDARD, "whsec_ZWFjaA", b"each"),
        (Scheme.SHOPIFY, "hush", b"hush"),
    ],
)
def test_a_secret_of_somebody_elses_receiver_may_be_shorter(
    scheme: Scheme, text: str, key: bytes
) -> None:
    """What their receiver was given is theirs to choose."""
    assert parse_their_secret(scheme, text) == key


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        (Scheme.STRIPE, "sk_live_5f2a"),
        (Scheme.STANDARD, "5f2a*"),
        (Scheme.STANDARD, "whsec_"),
        (Scheme.SLACK, ""),
        (Scheme.SHOPIFY, "5f2a\n"),
    ],
)
def test_what_nothing_can_be_signed_with_is_a_mistake_for_theirs_too(
    scheme: Scheme, text: str
) -> None:
    with pytest.raises(BadSecret) as no:
        parse_their_secret(scheme, text)

    assert "5f2a" not in no.value.message + no.value.why + "".join(no.value.fix)
