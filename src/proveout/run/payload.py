"""Values to bytes of JSON and back: how inputs and outputs travel."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import to_jsonable_python

from proveout.domain.workflow import KEY_ARGUMENT, name_of
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LIMIT = 1 << 20
"""Most bytes that one payload may have."""

PREVIEW = 200
"""Characters of a step's arguments that its entry keeps."""


LITERALS: Mapping[type, Callable[[object], bytes]] = {
    int: lambda value: b"%d" % cast("int", value),
    bool: lambda value: b"true" if value else b"false",
    type(None): lambda _: b"null",
}
"""Plain values that need no encoder; an int of more digits than Python writes is refused by it."""


class Unjournalable(Mistake):
    """A value cannot travel as JSON."""

    code = "not-json"


class PayloadTooLarge(Mistake):
    """A value is over the limit of one payload."""

    code = "payload-too-large"


class WrongShape(Mistake):
    """A value is not what the annotation says."""

    code = "wrong-shape"


class Shape:
    """What a parameter or a result is annotated as."""

    def __init__(self, annotation: Any) -> None:
        """Prepare to take values of `annotation` apart and put them together.

        Raises:
            Unjournalable: no JSON stands for such values.
        """
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        except (PydanticUserError, PydanticUndefinedAnnotation) as error:
            name = getattr(annotation, "__name__", annotation)
            raise _unjournalable(f"the type {name}", error) from error

    def encode(self, value: object, what: str) -> bytes:
        """Return `value` as bytes of JSON; `what` names it in an error."""
        try:
            plain = self._adapter.dump_python(value, mode="json", warnings="none")
        except (ValueError, TypeError, RecursionError) as error:
            raise _unjournalable(what, error) from error
        data = to_json(plain, what)
        # Where no annotation says float, pydantic writes null for what is no number.
        if b"null" in data and not _is_finite(self._adapter.dump_python(value, warnings="none")):
            raise _unjournalable(what, ValueError("a number in it is NaN or infinite"))
        return data

    def decode(self, data: bytes, what: str) -> Any:
        """Return the value that `data` stands for, as the annotation says.

        Raises:
            WrongShape: it does not fit the annotation.
        """
        try:
            return self._adapter.validate_json(data)
        except ValidationError as error:
            raise WrongShape(f"{what} has the wrong shape: {say(error)}") from error


def to_json(value: object, what: str, *, canonical: bool = False) -> bytes:
    """Return plain data as bytes of JSON; NaN, infinity and broken text are refused."""
    literal = LITERALS.get(type(value))
    try:
        data = literal(value) if literal else _dump(value, canonical).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise _unjournalable(what, error) from error
    if len(data) > LIMIT:
        raise PayloadTooLarge(
            f"{what} has {len(data):,} bytes; the limit is {LIMIT:,}",
            why="payloads are kept with every run",
            fix=("store the content where it belongs and pass a reference to it",),
        )
    return data


def _dump(value: object, canonical: bool) -> str:
    encoder = CANONICAL if canonical else PLAIN
    try:
        return encoder.encode(value)
    except TypeError:  # a key that is no text
        return encoder.encode(to_jsonable_python(value))


def _plain(value: object) -> object:
    """Return the next level of `value` in JSON's terms; a set has the same order everywhere."""
    if isinstance(value, AbstractSet):
        members = cast("AbstractSet[object]", value)
        return sorted(members, key=lambda member: _dump(member, canonical=True))
    if isinstance(value, Iterator):
        raise ValueError("an iterator can be read only once; pass a list")  # noqa: TRY004 - see _dump
    if isinstance(value, BaseModel):
        return value.model_dump()
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return to_jsonable_python(value)


PLAIN = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain)
CANONICAL = json.JSONEncoder(
    allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain, sort_keys=True
)
"""Made once: a run of three steps writes ten values."""


def _is_finite(value: object) -> bool:
    """Whether every number in plain data is one."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, float) and not math.isfinite(part):
            return False
        if isinstance(part, Mapping):
            left.extend(cast("Mapping[object, object]", part).values())
        elif isinstance(part, list | tuple | set | frozenset):
            left.extend(cast("Iterable[object]", part))
    return True


def _unjournalable(what: str, error: Exception) -> Unjournalable:
    return Unjournalable(
        f"{what} cannot be kept as JSON: {str(error)[:300]}",
        why="inputs and outputs travel as JSON: no NaN, no infinity, no half characters",
    )


def say(error: ValidationError) -> str:
    """Return what pydantic found, in one line."""
    parts: list[str] = []
    for fault in error.errors(include_url=False, include_input=False)[:3]:
        where = ".".join(str(part) for part in fault["loc"])
        parts.append(f"{where}: {fault['msg']}" if where else fault["msg"])
    return "; ".join(parts)


def digest(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of `data`, shortened to 32 characters."""
    return hashlib.sha256(data).hexdigest()[:32]


def preview(arguments: bytes) -> str:
    """Return the beginning of some arguments."""
    text = arguments.decode()
    return text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…"


@dataclass(frozen=True)
class Signature:
    """The parameters and the result of a function, ready to travel."""

    function: Callable[..., Any]

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(self.function, include_extras=True)
        except (NameError, TypeError) as error:
            raise Mistake(
                f"the annotations of {self.function.__name__} cannot be read: {error}",
                why="values are checked against them when they travel",
                fix=("import the named types at the top of the module, outside TYPE_CHECKING",),
            ) from error

    @cached_property
    def result(self) -> Shape:
        """What the function returns."""
        return Shape(self._hints.get("return", Any))

    @property
    def needs_result(self) -> bool:
        """Whether the annotation promises a value other than None."""
        return self._hints.get("return", None) not in (None, type(None), Any)

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """Return the arguments of a call as canonical JSON, its idempotency key left out."""
        bound = self._bound(args, kwargs)
        bound.pop(KEY_ARGUMENT, None)
        return to_json(bound, f"an argument of {self.function.__name__}", canonical=True)

    def _bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name; a call by position alone is the usual one."""
        names = self._positions
        if names is not None and not kwargs and len(args) == len(names):
            return dict(zip(names, args, strict=True))
        return self._signature.bind(*args, **kwargs).arguments

    @cached_property
    def _positions(self) -> tuple[str, ...] | None:
        """The names of the parameters where each takes one argument by position."""
        parameters = self._signature.parameters.values()
        named = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
        return tuple(p.name for p in parameters) if {p.kind for p in parameters} <= named else None

    def inputs(self, value: bytes) -> dict[str, Any]:
        """Return the keyword arguments that a workflow's input stands for.

        One parameter takes the input itself; several take an object with their names;
        none takes null or an empty object.

        Raises:
            WrongShape: the input does not fit.
        """
        parameters = list(self._signature.parameters.values())
        self._check_named(parameters)
        if len(parameters) == 1:
            return {parameters[0].name: self._input(parameters[0].name, value)}
        given = _object(value, [parameter.name for parameter in parameters])
        missing = [p.name for p in parameters if p.default is p.empty and p.name not in given]
        if missing:
            raise WrongShape(f"the input lacks {', '.join(missing)}")
        return {name: self._input(name, json.dumps(part).encode()) for name, part in given.items()}

    def _check_named(self, parameters: list[inspect.Parameter]) -> None:
        """Leave quietly when every parameter can be given by its name."""
        named = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
        for parameter in parameters:
            if parameter.kind not in named:
                raise WrongShape(
                    f"{name_of(self.function)} takes {parameter}, which no input can name",
                    why="an input is given to parameters by their names",
                )

    def _input(self, name: str, data: bytes) -> Any:
        return _shape(self, name).decode(data, f"the input {name}")

    def shape_of(self, name: str) -> Shape:
        """Return the shape of the parameter `name`."""
        return Shape(self._hints.get(name, Any))


def _object(value: bytes, names: list[str]) -> dict[str, Any]:
    """Return the object that `value` holds, with no other keys than `names`."""
    try:
        given: Any = json.loads(value)
    except ValueError as error:
        raise WrongShape(f"the input is no JSON: {error}") from error
    if not names:
        if given:
            raise WrongShape("the workflow takes no input")
        return {}
    if not isinstance(given, dict) or not set(cast("dict[str, Any]", given)) <= set(names):
        raise WrongShape(f"the input must be an object with {', '.join(names)}")
    return cast("dict[str, Any]", given)


@lru_cache(maxsize=1024)
def _shape(signature: Signature, name: str) -> Shape:
    return signature.shape_of(name)


@lru_cache(maxsize=1024)
def signature(function: Callable[..., Any]) -> Signature:
    """Return the signature of `function`, read once."""
    return Signature(function)
