"""What the page about security says is held by tests that exist, and by sources that we read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`([a-z_/]+)::(test_\w+)`")

CALLED = {"eval", "exec", "compile", "__import__"}
IMPORTED = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "jsonpickle",
    "telnetlib",
    "ftplib",
}
OF_MODULES = {("os", "system"), ("os", "popen"), ("tempfile", "mktemp"), ("yaml", "load")}


def rows() -> list[str]:
    """Return every row of the page's tables that maps an item to what holds it."""
    lines = PAGE.read_text("utf-8").splitlines()
    return [line for line in lines if re.match(r"\| (?:\d|LLM)", line)]


def test_every_item_names_a_test_that_exists() -> None:
    """A test that is renamed or removed takes its row along."""
    missing: list[str] = []
    for file, name in NAMED.findall(PAGE.read_text("utf-8")):
        path = ROOT / "tests" / f"{file}.py"
        tree = ast.parse(path.read_text("utf-8")) if path.exists() else ast.Module([], [])
        found = {
            one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        if name not in found:
            missing.append(f"{file}::{name}")

    assert missing == []


def test_no_item_is_held_by_nothing() -> None:
    """Each row of the two tables names a test; there are enough of them to be the tables."""
    bare = [row for row in rows() if not NAMED.search(row)]

    assert bare == []
    assert len(rows()) > 40


def dangers(tree: ast.AST) -> list[str]:
    """Return what of a source could run what others wrote."""
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [one.name for one in names if one.name.partition(".")[0] in IMPORTED]
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in IMPORTED:
                found.append(module)
            case ast.Call(func=ast.Name(id=name)) if name in CALLED:
                found.append(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr=name)) if (
                of,
                name,
            ) in OF_MODULES:
                found.append(f"{of}.{name}")
            case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                found.append("shell=True")
            case _:
                pass
    return found


def test_the_sources_call_nothing_dangerous() -> None:
    """No shell, no evaluation, nothing unpickled; the negative control finds each of them."""
    bad = 'import pickle\nfrom marshal import loads\neval("1")\nos.system("x")\nrun(shell=True)'

    found = {
        str(path.relative_to(ROOT)): dangers(ast.parse(path.read_text("utf-8")))
        for path in (ROOT / "src").rglob("*.py")
    }

    assert len(dangers(ast.parse(bad))) == 5
    assert {path: one for path, one in found.items() if one} == {}
