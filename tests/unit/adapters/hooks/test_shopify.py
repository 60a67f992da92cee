"""Shopify's signatures: base64 over the body, the event in the headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

from proveout.domain.delivery import Flaw, Scheme, Verified
from unit.adapters.hooks.sender import NOW, TEXTS, Sender

SENDER = Sender(scheme=Scheme.SHOPIFY)
BODY = b'{"id": 820982911946154508, "email": "jon@example.com"}'


def test_the_digest_is_that_of_the_body_in_base64() -> None:
    secret = TEXTS[Scheme.SHOPIFY][0].encode()

    headers = dict(SENDER.sign(BODY, event="b54557e4", kind="orders/create"))

    digest = hmac.new(secret, BODY, hashlib.sha256).digest()
    assert headers == {
        b"x-shopify-hmac-sha256": base64.b64encode(digest),
        b"x-shopify-webhook-id": b"b54557e4",
        b"x-shopify-topic": b"orders/create",
    }


def test_the_event_is_told_by_the_headers_and_the_object_by_the_body() -> None:
    headers = SENDER.sign(BODY, event="b54557e4", kind="orders/create")

    assert SENDER.receive(headers, BODY) == Verified(
        event="b54557e4", type="orders/create", object="820982911946154508"
    )


def test_no_time_is_signed() -> None:
    headers = SENDER.sign(BODY)

    assert SENDER.receive(headers, BODY, now=NOW + timedelta(days=365)).event == "evt_1"


def test_a_delivery_without_an_id_is_turned_away() -> None:
    headers = [one for one in SENDER.sign(BODY) if one[0] != b"x-shopify-webhook-id"]

    assert SENDER.refuse(headers, BODY) is Flaw.NO_EVENT_ID
