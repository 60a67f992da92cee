"""Releases: which one a key starts on, and shares that cannot be what they must not."""

from __future__ import annotations

import hashlib

import pytest

from doubles.deeds import FIRST, SECOND, canary, release
from proveout.domain.release import (
    DRAFT,
    WHOLE,
    Pointer,
    Share,
    effect_scope,
    lot,
    release_scope,
)
from proveout.errors import Mistake

KEYS = [f"order-{n}" for n in range(20_000)]


@pytest.mark.parametrize("points", [-1, 0, WHOLE, WHOLE + 1])
def test_a_share_of_nothing_or_everything_is_no_canary(points: int) -> None:
    """It says so, and how to say it right."""
    with pytest.raises(Mistake, match="no canary") as refused:
        Share(points=points)

    assert refused.value.fix


@pytest.mark.parametrize(("points", "words"), [(1, "0.01%"), (500, "5%"), (WHOLE - 1, "99.99%")])
def test_a_share_is_shown_in_percent(points: int, words: str) -> None:
    share = Share(points=points)

    assert str(share) == words
    assert share.fraction == points / 10_000


def test_a_lot_is_the_same_each_time() -> None:
    """The number is fixed by salt and key alone: stores compute it by themselves."""
    by_hand = int(hashlib.sha256(b"salt:order-1").hexdigest()[:8], 16) % 10_000

    assert lot("salt", "order-1") == by_hand == lot("salt", "order-1")
    assert lot("salt", "заказ-1") != lot("salt", "注文-1")


def test_lots_are_spread_evenly() -> None:
    """Each tenth of the range gets a tenth of 20,000 keys, within four standard deviations."""
    tenths = [0] * 10
    for key in KEYS:
        tenths[lot("salt", key) * 10 // WHOLE] += 1

    assert max(abs(tenth - 2000) for tenth in tenths) < 4 * (20_000 * 0.1 * 0.9) ** 0.5


def test_without_a_stable_release_the_draft_serves() -> None:
    """Also beside a canary: a share of nothing is nothing."""
    assert Pointer(workflow="triage").assigned("order-1") == DRAFT
    assert {Pointer(workflow="triage", canary=canary(9_999)).assigned(key) for key in KEYS} == {
        DRAFT
    }


def test_without_a_canary_everything_is_stable() -> None:
    pointer = Pointer(workflow="triage", stable=FIRST)

    assert {pointer.assigned(key) for key in KEYS} == {FIRST}
    assert pointer.live == (FIRST,)


def of_canary(share: int, salt: str = "salt") -> set[str]:
    """Return the keys that a canary gets."""
    pointer = Pointer(workflow="triage", stable=FIRST, canary=canary(share, salt=salt))
    return {key for key in KEYS if pointer.assigned(key) == SECOND}


@pytest.mark.parametrize("share", [100, 1_000, 5_000, 9_000])
def test_a_canary_gets_its_share_of_the_keys(share: int) -> None:
    """Of 20,000 keys, within four standard deviations of its share."""
    fraction = share / WHOLE

    got = len(of_canary(share))

    assert abs(got - 20_000 * fraction) < 4 * (20_000 * fraction * (1 - fraction)) ** 0.5


def test_a_wider_canary_keeps_the_keys_it_had() -> None:
    """Under the same salt a key that was on the canary stays on it."""
    few, many = of_canary(1_000), of_canary(4_000)

    assert few < many


def test_another_salt_chooses_other_keys() -> None:
    """Negative control: keys are kept by the salt; the next canary meets other customers."""
    one, other = of_canary(1_000), of_canary(1_000, salt="another")

    assert not one <= other
    assert len(one & other) < len(one) / 2


def test_what_is_live_is_stable_first() -> None:
    pointer = Pointer(workflow="triage", stable=FIRST, canary=canary(500))

    assert pointer.live == (FIRST, SECOND)
    assert Pointer(workflow="triage").live == ()


def test_a_release_has_a_short_name() -> None:
    assert release(number=12).name == "r12"


def test_scopes_of_halts_cannot_be_confused() -> None:
    """An effect may be called like anything; its scope is still no release's."""
    assert release_scope(FIRST) == f"release:{FIRST}"
    assert effect_scope("workflow") == "effect:workflow"
    assert effect_scope(FIRST) != release_scope(FIRST)
