"""One source file as the rules see it: read once, its answers kept."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Flow, Origin, is_of_request
from proveout.ready.scan.handlers import Handler, handler
from proveout.ready.scan.known import Does, does
from proveout.ready.scan.names import Names
from proveout.ready.scan.tree import Scope, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proveout.ready.scan.tree import Tree


class Part(StrEnum):
    """What a file is for, as its path tells."""

    PRODUCT = "product"
    TEST = "test"
    EXAMPLE = "example"


_TEST = re.compile(
    r"(?:^|/)(?:tests?|testing|specs?|fixtures?|mocks?)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$"
)
_EXAMPLE = re.compile(
    r"(?:^|/)(?:examples?|samples?|docs?|demos?|cookbook|tutorials?|notebooks?|benchmarks?|evals?|evaluation)/"
)
_DEFERS = re.compile(r"(?:^|[._])(?:background|db_task|db_periodic_task|run_in_background)$")
"""Decorators after which a plain call returns at once, and the work is done later."""

_DIGESTS = frozenset({"hexdigest", "digest"})
_READS = frozenset({"body", "form", "get_data", "stream", "read"})


def part_of(path: str) -> Part:
    """Return what a file is for.

    >>> part_of("tests/test_app.py"), part_of("shop/app.py")
    (<Part.TEST: 'test'>, <Part.PRODUCT: 'product'>)
    """
    if _TEST.search(path):
        return Part.TEST
    return Part.EXAMPLE if _EXAMPLE.search(path) else Part.PRODUCT


@dataclass(eq=False, kw_only=True)
class Source:
    """One parsed file.

    Attributes:
        path: relative to the repository, with "/".
    """

    path: str
    text: str
    module: ast.Module
    _flows: dict[Scope, Flow] = field(default_factory=dict[Scope, Flow])
    _does: dict[ast.Call, Does] = field(default_factory=dict[ast.Call, Does])

    @cached_property
    def tree(self) -> Tree:
        """What stands where."""
        return read(self.module)

    @cached_property
    def names(self) -> Names:
        """What expressions are called in full."""
        return Names(self.tree)

    @cached_property
    def handlers(self) -> dict[Scope, Handler]:
        """The functions that answer requests."""
        pairs = ((one, handler(one, self.tree, self.names)) for one in self.tree.functions)
        return {scope: found for scope, found in pairs if found is not None}

    @property
    def webhooks(self) -> Iterator[tuple[Scope, Handler]]:
        """The functions that others call when something happened."""
        return ((scope, found) for scope, found in self.handlers.items() if found.is_webhook)

    def name(self, call: ast.Call, scope: Scope) -> str:
        """Return the full name of what is called."""
        return self.names.of(call.func, scope)

    def does(self, call: ast.Call, scope: Scope) -> Does:
        """Return what a call does."""
        if call not in self._does:
            self._does[call] = does(self.name(call, scope), call)
        return self._does[call]

    def calls(
        self, *kinds: Does, within: Iterable[Scope] | None = None
    ) -> Iterator[tuple[Scope, ast.Call]]:
        """Yield every call that does one of these, with where it stands."""
        for scope in self.tree.scopes if within is None else within:
            for call in scope.calls:
                if self.does(call, scope) in kinds:
                    yield scope, call

    def reached(self, scope: Scope) -> Iterator[tuple[Scope, ast.Call]]:
        """Yield the calls of a function, and of those of this file that it calls itself."""
        seen = {scope}
        left = [scope]
        while left:
            now = left.pop()
            for call in now.calls:
                yield now, call
                inner = self._own(call, now)
                if inner is not None and inner not in seen:
                    seen.add(inner)
                    left.append(inner)

    def _own(self, call: ast.Call, scope: Scope) -> Scope | None:
        """Return the function of this file that a call runs; None where it only schedules one."""
        match call.func:
            case ast.Name(id=name):
                found = self._functions.get(("", name))
            case ast.Attribute(value=ast.Name(id="self"), attr=attr):
                found = self._functions.get((scope.owner, attr))
            case _:
                return None
        return None if found is not None and self._is_deferred(found) else found

    def _is_deferred(self, scope: Scope) -> bool:
        """Whether a decorator makes every call of a function a task for somebody else."""
        decorators = [] if isinstance(scope.node, ast.Module) else scope.node.decorator_list
        outer = scope.outer or self.tree.module
        return any(_DEFERS.search(self.names.of(one, outer)) for one in decorators)

    @cached_property
    def _functions(self) -> dict[tuple[str, str], Scope]:
        return {(one.owner, one.name): one for one in self.tree.functions}

    def says(self, scope: Scope, word: str) -> bool:
        """Whether a word stands anywhere in a function, in whatever case."""
        return word in ast.unparse(scope.node).lower()

    # Where values come from

    def flow(self, scope: Scope) -> Flow:
        """Return where the values of a function come from."""
        if scope not in self._flows:
            flow = Flow(self._begins(scope), lambda call: self._returns(call, scope))
            self._flows[scope] = flow
            flow.follow(scope.node.body)
        return self._flows[scope]

    def _begins(self, scope: Scope) -> dict[str, Origin]:
        found = self.handlers.get(scope)
        if found is None:
            return {}
        return {
            one.arg: Origin.REQUEST
            for one in scope.parameters
            if one.arg not in ("self", "cls", "request", "req") and not self._is_handed(one, scope)
        } | {"request.body": Origin.REQUEST}

    def _is_handed(self, parameter: ast.arg, scope: Scope) -> bool:
        """Whether the framework hands it over, and no caller: a session, a setting, a user."""
        default = scope.default(parameter.arg)
        hint = ast.unparse(parameter.annotation) if parameter.annotation else ""
        made = ast.unparse(default) if default else ""
        return (
            "Depends" in made + hint
            or "Security" in made + hint
            or hint in ("int", "float", "bool", "Request", "Session", "Response", "BackgroundTasks")
        )

    def _returns(self, call: ast.Call, scope: Scope) -> Origin:
        """Return what a call's result is made from, where its name alone tells."""
        match self.does(call, scope):
            case Does.MODEL:
                return Origin.MODEL
            case Does.HTTP_READ:
                return Origin.WEB
            case _:
                pass
        return self._of_request(call, scope) or self._of_own(call, scope)

    def _of_request(self, call: ast.Call, scope: Scope) -> Origin:
        """Return whether a call computes a digest, or reads the request."""
        name = self.name(call, scope)
        last = name.rpartition(".")[2]
        if last in _DIGESTS and name.startswith(("hmac.", "hashlib.")):
            return Origin.DIGEST if name.startswith("hmac.") else Origin.HASH
        if not is_of_request(call.func):
            return Origin.NOWHERE
        if last in ("json", "get_json"):
            return Origin.REQUEST | Origin.PARSED
        return Origin.REQUEST if last in _READS else Origin.NOWHERE

    def _of_own(self, call: ast.Call, scope: Scope) -> Origin:
        """Return what a function of this file returns, where it asks a model or signs."""
        own = self._own(call, scope)
        if own is None or own is scope or not (own in self._flows or self._tells(own)):
            return Origin.NOWHERE
        return self.flow(own).returned & (Origin.MODEL | Origin.DIGEST)

    def _tells(self, scope: Scope) -> bool:
        return any(
            self.does(call, scope) is Does.MODEL or self.name(call, scope).startswith("hmac.")
            for call in scope.calls
        )
