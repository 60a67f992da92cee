"""One pass over the syntax tree of a file: what stands in which function, in order."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Handed: TypeAlias = tuple[ast.expr | None, bool]
"""What a name was bound to, and whether that is a type which it is an instance of."""

_LEAVES = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.Constant)


@dataclass(eq=False, slots=True, kw_only=True)
class Scope:
    """A function, or the module itself, with what stands directly in it.

    Attributes:
        outer: the scope that it stands in; None for the module.
        owner: name of the class that it is a method of, or "".
        calls: in the order of the text; those of functions within it are not among them.
        bound: what each of its own names was first bound to.
    """

    node: FunctionNode | ast.Module
    outer: Scope | None = None
    owner: str = ""
    calls: list[ast.Call] = field(default_factory=list[ast.Call])
    globals: list[ast.Global] = field(default_factory=list[ast.Global])
    loops: list[ast.While] = field(default_factory=list[ast.While])
    comparisons: list[ast.Compare] = field(default_factory=list[ast.Compare])
    handlers: list[ast.ExceptHandler] = field(default_factory=list[ast.ExceptHandler])
    bound: dict[str, Handed] = field(default_factory=dict[str, Handed])

    @property
    def name(self) -> str:
        """Its name; "" for the module."""
        return "" if isinstance(self.node, ast.Module) else self.node.name

    @property
    def is_async(self) -> bool:
        """Whether it runs on an event loop."""
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def parameters(self) -> list[ast.arg]:
        """What it is called with."""
        return [] if isinstance(self.node, ast.Module) else parameters(self.node.args)

    def default(self, parameter: str) -> ast.expr | None:
        """Return what a parameter is where nobody gives it; None where somebody must."""
        if isinstance(self.node, ast.Module):
            return None
        args = self.node.args
        places = [one.arg for one in (*args.posonlyargs, *args.args)]
        found = dict(zip(reversed(places), reversed(args.defaults), strict=False))
        for one, value in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            if value is not None:
                found[one.arg] = value
        return found.get(parameter)


@dataclass(eq=False, slots=True, kw_only=True)
class Tree:
    """A syntax tree, read once.

    Attributes:
        up: the node that holds each node.
        imports: full name of each imported name.
        attributes: what `self.NAME` was bound to, by class and name.
        classes: every class by its name.
    """

    module: Scope
    functions: list[Scope] = field(default_factory=list[Scope])
    up: dict[ast.AST, ast.AST] = field(default_factory=dict[ast.AST, ast.AST])
    imports: dict[str, str] = field(default_factory=dict[str, str])
    attributes: dict[tuple[str, str], Handed] = field(default_factory=dict[tuple[str, str], Handed])
    classes: dict[str, ast.ClassDef] = field(default_factory=dict[str, ast.ClassDef])

    @property
    def scopes(self) -> list[Scope]:
        """The module and every function."""
        return [self.module, *self.functions]

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what holds a node, from the inside out, up to its function."""
        while (node := self.up.get(node, node)) in self.up:
            if isinstance(node, FunctionNode | ast.Lambda):
                return
            yield node

    def statement(self, node: ast.AST) -> ast.AST:
        """Return the statement that a node is part of."""
        while not isinstance(node, ast.stmt) and node in self.up:
            node = self.up[node]
        return node


def parameters(args: ast.arguments) -> list[ast.arg]:
    """Return every named parameter, in order."""
    return [*args.posonlyargs, *args.args, *args.kwonlyargs]


def read(module: ast.Module) -> Tree:
    """Return what stands where; the depth of the tree does not matter."""
    tree = Tree(module=Scope(node=module))
    left: list[tuple[ast.AST, Scope, str]] = [(module, tree.module, "")]
    while left:
        node, scope, owner = left.pop()
        _note(tree, node, scope)
        inner, inner_owner = scope, owner
        if isinstance(node, FunctionNode):
            inner = Scope(node=node, outer=scope, owner=owner)
            inner_owner = ""
            tree.functions.append(inner)
            for one in parameters(node.args):
                inner.bound[one.arg] = (one.annotation, True)
        elif isinstance(node, ast.ClassDef):
            inner_owner = node.name
            tree.classes[node.name] = node
        children = list(_children(node))
        for child, is_body in reversed(children):
            tree.up[child] = node
            left.append((child, inner, inner_owner) if is_body else (child, scope, owner))
    tree.functions.sort(key=lambda one: getattr(one.node, "lineno", 0))
    return tree


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Yield what a node holds, and whether it is inside the scope that the node opens."""
    opens = isinstance(node, FunctionNode)
    for name in node._fields:
        value = getattr(node, name, None)
        is_body = not opens or name == "body"
        if isinstance(value, list):
            items: list[object] = value  # pyright: ignore[reportUnknownVariableType] - any list
            for one in items:
                if isinstance(one, ast.AST) and not isinstance(one, _LEAVES):
                    yield one, is_body
        elif isinstance(value, ast.AST) and not isinstance(value, _LEAVES):
            yield value, is_body


def _note(tree: Tree, node: ast.AST, scope: Scope) -> None:  # noqa: C901, PLR0912 - a table
    match node:
        case ast.Call():
            scope.calls.append(node)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind(tree, scope, target, (value, False))
        case ast.AnnAssign(target=target, annotation=annotation, value=value):
            _bind(tree, scope, target, (annotation, True) if value is None else (value, False))
        case ast.NamedExpr(target=target, value=value):
            _bind(tree, scope, target, (value, False))
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            _bind(tree, scope, target, (value, False))
        case ast.Import(names=names):
            for one in names:
                full = one.name if one.asname else one.name.partition(".")[0]
                tree.imports[one.asname or full] = full
        case ast.ImportFrom(names=names, module=module, level=level):
            for one in names:
                tree.imports[one.asname or one.name] = f"{'.' * level}{module or ''}.{one.name}"
        case ast.Global():
            scope.globals.append(node)
        case ast.While():
            scope.loops.append(node)
        case ast.Compare():
            scope.comparisons.append(node)
        case ast.ExceptHandler():
            scope.handlers.append(node)
        case _:
            pass


def _bind(tree: Tree, scope: Scope, target: ast.expr, handed: Handed) -> None:
    value, _ = handed
    if isinstance(value, ast.Constant):
        return
    match target:
        case ast.Name(id=name):
            scope.bound.setdefault(name, handed)
        case ast.Attribute(value=ast.Name(id="self"), attr=attr) if scope.owner:
            tree.attributes.setdefault((scope.owner, attr), handed)
        case _:
            pass
