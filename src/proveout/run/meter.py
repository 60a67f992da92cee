"""Metering models: what each run may spend on them, and what it has spent.

What a step has spent is durable before its result is, so that a resumed run, which does
not call the step again, still knows it.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Protocol

from proveout.domain.model_answer import Recording
from proveout.domain.model_call import FREE, JUDGES, ModelCall, Tokens, counted
from proveout.domain.money import Usd
from proveout.domain.unit import Charge, UnitId
from proveout.errors import Outage
from proveout.ports.meter import Begun, Denied, Said
from proveout.ports.store import ModelCalls, Writes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Sequence
    from datetime import datetime

    from proveout.domain.journal import Place
    from proveout.domain.model_call import Caller
    from proveout.domain.run import RunId
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.meter import Asked, Prices, Substitute

BYTES_PER_TOKEN = 4
"""Bytes of a request that make about one token, for what is reserved before a call."""

MOST_TOKENS = 2**31 - 1

MOST_OF_ONE = 1024 * 1024
"""Bytes of an answer that is recorded; a longer one is not."""

MOST_OF_ALL = 256 * 1024 * 1024
"""Bytes of all answers that one process records."""

ABOUT_THE_REQUEST = frozenset({400, 404, 413, 422})
"""Statuses of errors that the same request would get again."""

UNBILLED = 400
"""The first status of answers that vendors do not bill."""


class NoVendor(Outage):
    """No call of a model has reached its vendor; the trials that asked were not judged."""

    code = "no-vendor"


class MeteredStore(Writes, ModelCalls, Protocol):
    """Where calls are kept, and read again."""


UNANSWERED = Said(model="", status=0, tokens=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A call that was let through and has not ended.

    Attributes:
        reserved: what it is taken to cost until its cost is known.
    """

    caller: Caller
    asked: Asked
    reserved: Usd
    started: datetime
    at: float


@dataclass(frozen=True, slots=True)
class _Ended:
    """A call that has ended and is not durable yet, with its recording."""

    call: ModelCall
    recording: Recording | None


class Unpriced:
    """Prices that nobody needs: what a drill asks, it asks of nobody."""

    def cost(
        self, provider: str, models: Sequence[str], tokens: Tokens, at: datetime
    ) -> Usd | None:
        """Return None, whatever the call."""
        del provider, models, tokens, at


class ModelMeter:
    """Counts the calls of models that the runs of this process make; see `ports/meter.py`.

    With a cap, a call is let through only while what its run has spent, with what its open
    calls are taken to cost, stays within it. What a call will cost is estimated from the size
    of the request and the longest answer that it asks for. A substitute answers calls that may
    be made in the place of their vendors; what they ask for is then asked of nobody.

    Where it records, what vendors answer is kept with the calls, but for answers to be tried
    again, such as a 429.
    """

    def __init__(
        self,
        store: MeteredStore,
        clock: Clock,
        ids: Ids,
        prices: Prices,
        *,
        cap: Usd | None = None,
        substitute: Substitute | None = None,
        records: bool = False,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._prices = prices
        self._cap = cap
        self._substitute = substitute
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}
        self._spent: dict[RunId, Usd] = {}
        self._uncharged: dict[tuple[RunId, Place | None], list[_Ended]] = {}
        self._room = MOST_OF_ALL if records else 0
        self._tell: Callable[[RunId, float, int], object] | None = None
        self._has_reached = False
        self._asking: set[RunId] = set()

    @contextmanager
    def telling(self, tell: Callable[[RunId, float, int], object]) -> Generator[None]:
        """Tell of each call that ends while the block lasts, in the thread in which it ends.

        Args:
            tell: is given who made it, when it began by the clock's `monotonic`, and the HTTP
                status, 0 where no answer came.
        """
        before, self._tell = self._tell, tell
        try:
            yield
        finally:
            self._tell = before

    def begin(self, caller: Caller | None, asked: Asked) -> Begun | Denied:
        """Reserve what a call may cost, or say why it may not be made."""
        if caller is None:
            return Denied(code="unknown-caller", message=UNKNOWN_CALLER)
        if caller == JUDGES:
            return Begun("")
        reserved = self._estimate(asked)
        if reserved is None and self._cap is not None:
            return Denied(code="unknown-price", message=unknown_price(asked.model, self._cap))
        reserved = reserved or Usd(0)
        with self._lock:
            taken = self._taken(caller.run)
            if self._cap is not None and taken + reserved > self._cap:
                return Denied(code="cap-reached", message=_cap_reached(self._cap, taken, reserved))
            instead = None if self._substitute is None else self._substitute.answer(caller, asked)
            if isinstance(instead, Denied):
                return instead
            id_ = self._ids.new()
            self._open[id_] = _Open(
                caller=caller,
                asked=asked,
                reserved=reserved,
                started=self._clock.now(),
                at=self._clock.monotonic(),
            )
            keeps = min(MOST_OF_ONE, self._room) if instead is None else 0
        return Begun(id_, instead, keeps)

    def end(self, id_: str, said: Said) -> None:
        """Count a call that has ended; one that was given up before is counted already."""
        with self._lock:
            if (call := self._open.pop(id_, None)) is not None:
                self._count(id_, call, said)
        if call is not None and self._tell is not None:
            self._tell(call.caller.run, call.at, said.status)

    def unreached(self, run: RunId) -> NoVendor | None:
        """Return what is wrong where a run called models, and no call here reached a vendor.

        It is None once any call of this process has reached one: a vendor that is gone for a
        while is what a workflow has to live with.
        """
        with self._lock:
            if self._has_reached or run not in self._asking:
                return None
        return NoVendor(
            "no call of a model has reached its vendor",
            why="its address refused the connection, or its name is not known: that is the"
            " wiring, and says nothing about the workflow",
            fix=(
                "check the network, OPENAI_BASE_URL and ANTHROPIC_BASE_URL",
                "proveout prove    goes on with the same trials",
            ),
        )

    async def recall(self, run: RunId, ended: Collection[Place]) -> None:
        """Take into account what a run spent before this attempt.

        Args:
            run: that goes on.
            ended: its steps that are not called again; what others spent they spend anew.

        Raises:
            Outage: the store cannot be reached.
        """
        known = (await self._store.model_calls(run)).get(run, [])
        calls = [call for call in counted(known) if call.caller.place in ended]
        cap = self._cap or FREE
        with self._lock:
            self._spent[run] = total(cap if call.cost is None else call.cost for call in calls)

    async def charge_rest(self) -> None:
        """Return when every call that has ended is durable, whoever made it.

        Raises:
            Outage: the store cannot be reached.
        """
        for run in dict.fromkeys(run for run, _ in list(self._uncharged)):
            await self.charge(run)

    async def charge(self, run: RunId, place: Place | None = None) -> None:
        """Return when every call of a run that has ended is durable.

        Args:
            run: whose calls.
            place: the step that has ended, whose open calls nobody waits for any more; None
                where the run's attempt has.

        Raises:
            Outage: the store cannot be reached; what is not durable stays to be charged.
        """
        with self._lock:
            self._give_up(run, place)
            keys = [key for key in self._uncharged if key[0] == run and place in (None, key[1])]
            taken = {key: self._uncharged.pop(key) for key in keys}
            if place is None:
                self._spent.pop(run, None)
                self._asking.discard(run)
        ended = [one for each in taken.values() for one in each]
        if not ended:
            return
        unit = Charge(
            id=UnitId(self._ids.new()),
            calls=tuple(one.call for one in ended),
            recordings=tuple(one.recording for one in ended if one.recording is not None),
        )
        try:
            await self._store.write(unit)
        except BaseException:
            with self._lock:
                for key, each in taken.items():
                    self._uncharged.setdefault(key, [])[:0] = each
            raise

    def _give_up(self, run: RunId, place: Place | None) -> None:
        for id_, call in list(self._open.items()):
            if call.caller.run == run and place in (None, call.caller.place):
                self._count(id_, self._open.pop(id_), UNANSWERED)

    def _taken(self, run: RunId) -> Usd:
        """Return what a run has spent, with what its open calls are taken to cost."""
        mine = (call.reserved for call in self._open.values() if call.caller.run == run)
        return total((self._spent.get(run, Usd(0)), *mine))

    def _count(self, id_: str, call: _Open, said: Said) -> None:
        if said.tokens is not None and not is_sensible(said.tokens):
            said = replace(said, tokens=None)
        cost = self._cost(call, said)
        run = call.caller.run
        self._asking.add(run)
        self._has_reached |= said.is_sent
        # What nobody knows the cost of counts as it was reserved: it may have been billed.
        self._spent[run] = self._spent.get(run, Usd(0)) + (call.reserved if cost is None else cost)
        counted = ModelCall(
            id=id_,
            caller=call.caller,
            provider=call.asked.provider,
            asked=call.asked.model,
            answered=said.model,
            status=said.status,
            tokens=said.tokens,
            cost=cost,
            started=call.started,
            elapsed=self._clock.monotonic() - call.at,
        )
        ended = _Ended(counted, self._record(id_, call, said))
        self._uncharged.setdefault((run, call.caller.place), []).append(ended)

    def _record(self, id_: str, call: _Open, said: Said) -> Recording | None:
        answer = said.answer
        if answer is None or not (answer.status < UNBILLED or answer.status in ABOUT_THE_REQUEST):
            return None
        if len(answer.body) > self._room:
            return None
        self._room -= len(answer.body)
        return Recording(call=id_, run=call.caller.run, digest=call.asked.digest, answer=answer)

    def _estimate(self, asked: Asked) -> Usd | None:
        read = asked.size // BYTES_PER_TOKEN
        tokens = Tokens(
            read=read,
            cached=0,
            written=asked.most or 0,
            stored=read if asked.stores else 0,
            stored_hour=read if asked.stores_hour else 0,
        )
        return self._prices.cost(asked.provider, (asked.model,), tokens, self._clock.now())

    def _cost(self, call: _Open, said: Said) -> Usd | None:
        if not said.is_sent:
            return Usd(0)
        if said.tokens is None:
            return Usd(0) if said.status >= UNBILLED else None
        models = (said.model, call.asked.model)
        return self._prices.cost(call.asked.provider, models, said.tokens, call.started)


class MeterHere:
    """The meter of this process, while there is one; without it calls pass uncounted."""

    def __init__(self) -> None:
        self._meter: ModelMeter | None = None

    def begin(self, caller: Caller | None, asked: Asked) -> Begun | Denied:
        """Do as the meter does, or let the call pass."""
        return Begun("") if self._meter is None else self._meter.begin(caller, asked)

    def end(self, id_: str, said: Said) -> None:
        """Do as the meter does; a call that passed uncounted stays so."""
        if self._meter is not None and id_:
            self._meter.end(id_, said)

    @contextmanager
    def set(self, meter: ModelMeter) -> Generator[None]:
        """Let `meter` be the one of this process while the block lasts."""
        before, self._meter = self._meter, meter
        try:
            yield
        finally:
            self._meter = before


HERE = MeterHere()

UNKNOWN_CALLER = (
    "Proveout cannot tell which step of which run makes this call, so it cannot be counted:"
    " the client is not built on httpx, or the call is made outside of a run, or in a thread"
    " that was started without the step's context."
    " Add proveout.caller_headers() to its headers, or remove meter from [models]."
)


def unknown_price(model: str, cap: Usd) -> str:
    """Return why a call of a model without a known price is denied under a cap."""
    return (
        f"the price of {model} is not known, so cap_per_call {cap} could not be kept;"
        f' declare it in proveout.toml: [[models.prices]] model = "{model}",'
        ' read = "… USD", written = "… USD" per million tokens'
    )


def _cap_reached(cap: Usd, taken: Usd, reserved: Usd) -> str:
    return (
        f"this run has spent {taken} on models, and the call may cost {reserved}:"
        f" together more than cap_per_call {cap}"
    )


def is_sensible(tokens: Tokens) -> bool:
    """Whether a vendor can have meant these counts."""
    return all(0 <= count <= MOST_TOKENS for count in astuple(tokens))


def total(amounts: Iterable[Usd]) -> Usd:
    """Return the exact sum."""
    return sum(amounts, Usd(0))
