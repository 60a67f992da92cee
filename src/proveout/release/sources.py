"""Sources: the files of a project that execute, found without importing any."""

from __future__ import annotations

import ast
import warnings
from importlib.machinery import all_suffixes
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from proveout.errors import Mistake, Refusal
from proveout.prove.lock import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

Contents: TypeAlias = "Mapping[str, bytes]"
"""Bytes of files, by their POSIX paths within the project."""

_LITTER = frozenset({".DS_Store", "Thumbs.db"})
_IMPORTERS = frozenset({"import_module", "__import__"})


class EntryElsewhere(Mistake):
    """The entry stands in no file of the project, so a release could not take it along."""

    code = "entry-elsewhere"


class NothingMatches(Mistake):
    """A pattern of `files` names nothing that a release could take along."""

    code = "nothing-matches"


class LinkOutside(Refusal):
    """A link leads out of the project, to what another machine does not have."""

    code = "link-outside"


def executed(
    entry: str, also: Sequence[str], folder: Path, include: Sequence[str]
) -> tuple[Path, ...]:
    """Return every file of the project that executes, sorted by its path within `folder`.

    These are the whole top package of the entry with its data (or its one module), each
    local package or module that any of those files imports, and so on. Nothing is imported:
    imports are read from the syntax, wherever in a file they stand. A name that is made
    while running is not seen; `include` is for such files.

    Args:
        entry: `module:attribute`.
        also: further entries, such as scores; one that is not local is left to the environment.
        folder: the project's.
        include: patterns within `folder`; one that names a folder takes all of it.

    Raises:
        EntryElsewhere: the module of the entry is not in `folder`.
        NothingMatches: a pattern names no file.
        LinkOutside: one of the files is a link that leads out of `folder`.
    """
    if not _local(_top(entry), folder):
        raise EntryElsewhere(
            f"there is no {_top(entry)} in {folder}",
            why=f"the entry is {entry}, and a release holds files of the project's folder",
            fix=(f"move {_top(entry)} into the folder", "or call it from a module that is there"),
        )
    found = {path for pattern in include for path in _matches(pattern, folder)}
    found |= _imported([_top(name) for name in (entry, *also)], found, folder)
    return tuple(sorted(found, key=lambda path: relative(path, folder)))


def roots(folder: Path) -> tuple[Path, ...]:
    """Return where the modules of a project are found: its folder, and `src` within it."""
    inner = folder / "src"
    is_root = inner.is_dir() and not (inner / "__init__.py").exists()
    return (folder, inner) if is_root else (folder,)


def relative(path: Path, folder: Path) -> str:
    """Return the POSIX path of `path` within `folder`.

    Raises:
        Mistake: the name is not UTF-8, so it could not be written down.
    """
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Mistake(
            f"the name of {name!a} is not UTF-8",
            why="a release names its files in UTF-8",
            fix=("rename the file",),
        ) from None
    return name


def contents(files: Iterable[Path], folder: Path) -> Contents:
    """Return the bytes of each file by its path within `folder`, each read once."""
    return {relative(path, folder): path.read_bytes() for path in files}


def code_digest(files: Iterable[Path], folder: Path) -> str:
    """Return the hexadecimal SHA-256 of what executes: the files' paths and bytes."""
    return digest_of_files(file_digests(contents(files, folder)))


def file_digests(held: Contents) -> dict[str, str]:
    """Return the hexadecimal SHA-256 of each file."""
    return {name: digest(data) for name, data in held.items()}


def digest_of_files(digests: Mapping[str, str]) -> str:
    """Return the digest of code whose files have these digests, in whatever order."""
    return digest(canonical(digests))


def _top(entry: str) -> str:
    return entry.partition(":")[0].partition(".")[0]


def _imported(tops: Iterable[str], known: Iterable[Path], folder: Path) -> set[Path]:
    """Return the files of all modules that are reached from `tops` and from `known`."""
    waiting = [*tops, *(top for path in known for top in _imports(path))]
    seen: set[str] = set()
    found: set[Path] = set()
    while waiting:
        top = waiting.pop()
        if top in seen:
            continue
        seen.add(top)
        files = _local(top, folder)
        found |= files
        waiting += [name for path in files for name in _imports(path)]
    return found


def _local(top: str, folder: Path) -> set[Path]:
    """Return the files of a local package or module, none where it is not local."""
    for root in roots(folder):
        package = root / top
        if (package / "__init__.py").is_file():
            return set(_within(package, folder))
        for suffix in all_suffixes():
            if (module := root / f"{top}{suffix}").is_file():
                return set(_within(module, folder))
        # Without an __init__.py a folder is a package only where it holds modules; prompts
        # in a folder that is called like an installed package do not hide that package.
        if package.is_dir():
            files = set(_within(package, folder))
            if any(path.suffix == ".py" for path in files):
                return files
    return set()


def _within(path: Path, folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield a file, or every file of a folder that can matter to what executes."""
    whole = path.resolve()
    if not whole.is_relative_to(folder.resolve()):
        raise LinkOutside(
            f"{relative(path, folder)} leads out of {folder}",
            why="a release holds what stands in the project's folder, on every machine",
            fix=("copy the file into the project", "or install it as a package"),
        )
    if path.is_file():
        yield path
    elif path.is_dir() and whole not in above:  # a link to a folder above would never end
        for inner in sorted(path.iterdir()):
            if not is_left_out(inner):
                yield from _within(inner, folder, (*above, whole))


def is_left_out(path: Path) -> bool:
    """Whether a file or folder is litter, hidden, compiled, or another project's environment."""
    if path.name in _LITTER or path.suffix == ".pyc":
        return True
    if not path.is_dir():
        return False
    is_hidden = path.name.startswith(".") or path.name == "__pycache__"
    return is_hidden or (path / "pyvenv.cfg").exists()


def _matches(pattern: str, folder: Path) -> set[Path]:
    parts = PurePosixPath(pattern).parts
    if not parts or ".." in parts or parts[0] == "/":
        raise NothingMatches(
            f"files cannot be {pattern!r}",
            why="a pattern stays within the project's folder",
            fix=('files = ["prompts/**"]',),
        )
    named = [path for path in folder.glob(pattern) if not _is_beneath_left_out(path, folder)]
    found = {file for path in named for file in _within(path, folder)}
    if not found:
        raise NothingMatches(
            f"files = {pattern!r} matches no file",
            why=f"seen from {folder}; hidden folders and virtual environments are left out",
            fix=("mend or remove the pattern in [workflow]",),
        )
    return found


def _is_beneath_left_out(path: Path, folder: Path) -> bool:
    inner = path.relative_to(folder)
    return any(is_left_out(folder / part) for part in (inner, *inner.parents) if part.name)


def _imports(path: Path) -> set[str]:
    """Return the first names of all modules that a file imports; none where it is no Python."""
    if path.suffix != ".py":
        return set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError):
        return set()  # what cannot be parsed cannot be imported; its bytes are taken all the same
    return {name.partition(".")[0] for node in ast.walk(tree) for name in _named(node)}


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module
        case ast.Call(
            func=ast.Name(id=called) | ast.Attribute(attr=called),
            args=[ast.Constant(value=str(module)), *_],
        ) if called in _IMPORTERS:
            yield module
        case _:
            pass
