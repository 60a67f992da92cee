"""The second factor: codes of an authenticator app (TOTP, RFC 6238), each of which counts once.

The secret that an app is given is kept nowhere: it is what our signing key makes of a salt, so
a stolen copy of the store tells no codes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyotp.totp import TOTP

from proveout.domain.access import Actor, Right, SecondFactor, User
from proveout.domain.ledger import Signature
from proveout.domain.record import Kind
from proveout.domain.unit import Done, Keep, Put, UnitId
from proveout.errors import Mistake, Outage, Refusal
from proveout.faces.access import of_user
from proveout.release.decide import Decision, decide

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from proveout.faces.access import Access

PERIOD = 30
"""Seconds for which an app shows a code; every app knows this period, six digits and SHA-1."""

DRIFT = 1
"""Codes before and after the current one that count: clocks differ, and typing takes time."""

SALT_BYTES = 16
SECRET_BYTES = 20
"""Bytes of a secret, as RFC 4226 recommends."""

CODE = re.compile(r"\d{6}", re.ASCII)
SALT = re.compile(rf"[0-9a-f]{{{2 * SALT_BYTES}}}")
HALF_WAY = re.compile(r"(\d{1,12})\.([0-9a-f]{128})\.(.+)", re.ASCII)


class WrongCode(Refusal):
    """The code is not the one that the app shows now, or has been used."""

    code = "wrong-code"


class FactorUnreadable(Outage):
    """The second factor was set up with another signing key than this machine has."""

    code = "factor-unreadable"


class NoFactor(Mistake):
    """There is no second factor to take away."""

    code = "no-factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A second factor that somebody may take.

    Attributes:
        salt: to send back with a code.
        secret: what to type into the app, in base 32.
        address: the same as an `otpauth` address, to be shown as a QR code.
    """

    salt: str
    secret: str
    address: str


class SecondFactors:
    """Who shows a code beside the password, and whether a code is right."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._office = access.office

    def offer(self, name: str, issuer: str, salt: str = "") -> Offer:
        """Return a second factor for the user called `name`; nothing of it is kept.

        Args:
            name: of the user.
            issuer: what the app is to call us.
            salt: of an offer made before, to make the same again; "" for a new one.
        """
        salt = salt if SALT.fullmatch(salt) else secrets.token_hex(SALT_BYTES)
        secret, _ = self._secret(name, salt)
        return Offer(
            salt=salt,
            secret=secret,
            address=TOTP(secret, name=name, issuer=issuer).provisioning_uri(),
        )

    async def add(self, actor: Actor, salt: str, code: str) -> None:
        """Have the actor show codes from now on, who has shown one; it replaces one from before.

        Raises:
            WrongCode: the code does not belong to the offer of that salt.
            NoSuchName: the actor is no user.
        """
        if not SALT.fullmatch(salt):
            raise _wrong()
        _, key = self._secret(actor.name, salt)
        factor = SecondFactor(salt=salt, key=key, since=self._office.clock.now())
        await self._spend(actor.name, factor, code)

        async def think() -> Decision:
            user = replace(await self._access.user(actor.name), factor=factor)
            return of_user(actor, "add second factor", user, {})

        await decide(self._office, think)

    async def drop(self, actor: Actor, name: str, code: str | None = None) -> None:
        """Let a user sign in by password alone: oneself with a code, or as an owner anybody.

        Raises:
            NoRight: the actor is neither that user with a code nor an owner.
            NoSuchName: there is no such user.
            NoFactor: they show no code.
            WrongCode: the code is not the one that the app shows now.
        """
        if actor.name != name or code is None:
            actor.check(Right.ADMINISTER)
        factor = (await self._access.user(name)).factor
        if factor is None:
            raise _none(name)
        if code is not None:
            await self._spend(name, factor, code)

        async def think() -> Decision:
            user = await self._access.user(name)
            if user.factor is None:
                raise _none(name)
            return of_user(actor, "drop second factor", replace(user, factor=None), {})

        await decide(self._office, think)

    def half_way(self, user: User, lasts: timedelta) -> str:
        """Return what proves for a while that somebody showed this user's password.

        Raises:
            FactorUnreadable: no code could be compared with anything.
        """
        expires = int((self._office.clock.now() + lasts).timestamp())
        signature = self._office.signer.sign(_half_way(user, expires))
        _check_key(user.name, user.factor, signature.key)
        return f"{expires}.{signature.value}.{user.name}"

    async def whose(self, half_way: str) -> User | None:
        """Return who showed their password and is to show a code; None for nobody, any more."""
        found = HALF_WAY.fullmatch(half_way)
        if found is None or int(found[1]) <= self._office.clock.now().timestamp():
            return None
        user = await self._access.find(found[3])
        if user is None or user.disabled or user.factor is None:
            return None
        signature = Signature(key=user.factor.key, value=found[2])
        is_ours = self._office.signer.is_ours(_half_way(user, int(found[1])), signature)
        return user if is_ours else None

    async def show(self, user: User, code: str) -> None:
        """Leave quietly when the code is the one that the user's app shows now.

        Raises:
            WrongCode: it is not, or was used before.
            FactorUnreadable: this machine has another key than it was set up with.
        """
        if user.factor is not None:
            await self._spend(user.name, user.factor, code)

    async def _spend(self, name: str, factor: SecondFactor, code: str) -> None:
        """Use a code up: of two who show the same one, at most one is let through."""
        secret, key = self._secret(name, factor.salt)
        _check_key(name, factor, key)
        code, now = re.sub(r"\s", "", code), self._step(self._office.clock.now())
        near = range(now - DRIFT, now + DRIFT + 1)
        app = TOTP(secret, interval=PERIOD)
        known = [step for step in near if _same(app.at(step * PERIOD), code)]
        if not CODE.fullmatch(code) or not known:
            raise _wrong()
        used = await self._office.store.records(Kind.USED_CODE)
        over = [one for one in used if int(one.partition(" ")[0]) < near.start]
        unit = Put(
            id=UnitId(self._office.ids.new()),
            keeps=tuple(Keep(kind=Kind.USED_CODE, name=one, body=None) for one in over),
            makes=Keep(kind=Kind.USED_CODE, name=f"{known[0]} {name}", body=b"{}"),
        )
        if not isinstance(await self._office.store.write(unit), Done):
            raise _wrong()

    def _secret(self, name: str, salt: str) -> tuple[str, str]:
        """Return the secret of a user's app in base 32, and the id of the key that it is of."""
        # An Ed25519 signature is the same each time, and nobody without the key can make it.
        signature = self._office.signer.sign(f"proveout second factor\n{name}\n{salt}".encode())
        digest = hashlib.sha256(bytes.fromhex(signature.value)).digest()
        return b32encode(digest[:SECRET_BYTES]).decode(), signature.key

    @staticmethod
    def _step(moment: datetime) -> int:
        return int(moment.timestamp()) // PERIOD


def _check_key(name: str, factor: SecondFactor | None, key: str) -> None:
    if factor is None or factor.key == key:
        return
    raise FactorUnreadable(
        f"the second factor of {name} was set up with another key than this machine has",
        why="its secret is what the signing key makes of it",
        fix=("PROVEOUT_KEY_FILE=FILE proveout serve", f"proveout user drop-factor {name}"),
    )


def _half_way(user: User, expires: int) -> bytes:
    """Return what is signed: another password or another second factor makes it void."""
    salt = "" if user.factor is None else user.factor.salt
    known = hashlib.sha256(user.password.encode()).hexdigest()
    return f"proveout half way in\n{user.name}\n{expires}\n{known}\n{salt}".encode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def _wrong() -> WrongCode:
    return WrongCode(
        "the code is not right",
        why="it is not the one that your app shows now, or it was used already",
        fix=("wait for the next code", "look whether the clock of your device is right"),
    )


def _none(name: str) -> NoFactor:
    return NoFactor(f"{name[:64]} shows no code beside the password", fix=("proveout user list",))
