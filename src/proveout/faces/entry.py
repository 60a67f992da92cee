"""Entries: finding the function that `module:attribute` names, and its source."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.criterion import Lead, Scored, scored_of
from proveout.domain.experiment import OWN
from proveout.domain.workflow import NOT_DECLARED, Effect, Step, Workflow
from proveout.errors import Mistake
from proveout.faces import elsewhere
from proveout.faces.carried import carried
from proveout.prove.built_in import built_in
from proveout.prove.lock import digest
from proveout.release import sources
from proveout.run.payload import signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    from proveout.domain.criterion import Criterion
    from proveout.domain.experiment import Candidate, Plan
    from proveout.prove.score import Scorer


class EntryMistake(Mistake):
    """An entry, or a score, cannot be found or imported."""

    code = "entry"


def load(entry: str, folder: Path) -> object:
    """Return what `module:attribute` names, imported with `folder` first on the path.

    A folder `src` within it comes next, where there is one.

    Raises:
        EntryMistake: the module cannot be imported, or has no such attribute.
    """
    module_name, _, attribute = entry.partition(":")
    module = _module(module_name, folder, entry)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise EntryMistake(
                f"{module_name} has no {attribute}",
                why=f"the entry is {entry}, found in {module.__file__}",
                fix=(f"define {attribute} in {module.__file__}",),
            )
        found = getattr(found, part)
    return found


def _module(name: str, folder: Path, entry: str) -> ModuleType:
    for root in reversed(sources.roots(folder)):
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]
        why = f"there is no {name} in {folder}" if missing else _last_line(error)
        raise EntryMistake(
            f"{name} cannot be imported: {type(error).__name__}: {error}",
            why=why,
            fix=(f'set entry = "module:function" in proveout.toml, now {entry}',),
        ) from error


def _last_line(error: BaseException) -> str:
    """Return where in the user's code an import failed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def load_score(name: str, folder: Path | None = None) -> Scorer:
    """Return the score function that `module:function` names.

    Raises:
        EntryMistake: it cannot be found, or is no function.
    """
    found = load(name, folder or Path.cwd())
    if not callable(found):
        raise EntryMistake(
            f"the score {name} is no function",
            why="a score is called as (result, case) and returns True, False or a number",
        )
    return cast("Scorer", found)


def scorers(criteria: Iterable[Criterion], folder: Path | None = None) -> Mapping[str, Scorer]:
    """Return what measures each criterion that has a score, by the criterion's name.

    Where people decide on answers there is nothing to call.

    Raises:
        EntryMistake: a score of the user's cannot be found, or is no function.
    """
    return {
        one.name: built_in(scored) or load_score(scored.score, folder)
        for one in criteria
        if (scored := scored_of(one.measure)) is not None and not scored.is_decided
    }


def as_workflow(found: object, entry: str) -> Workflow[..., Any]:
    """Return an entry as a workflow; a plain function, a graph or an agent runs as one step.

    Raises:
        EntryMistake: it cannot be called.
        CannotCarry: it is a graph or an agent that cannot run as it is.
    """
    if isinstance(found, Workflow):
        return found  # pyright: ignore[reportUnknownVariableType] - its parameters are the user's
    if (object_ := carried(found, entry)) is not None:
        return object_
    if isinstance(found, Step) or not callable(found):
        raise EntryMistake(
            f"{entry} is no workflow",
            why="an entry is a function, marked with @workflow or not, a compiled graph of"
            " LangGraph, or an agent of pydantic-ai or the OpenAI Agents SDK",
            fix=("put @workflow on the function that calls the steps",),
        )
    return Workflow(found, as_step=True)


def code_digest(
    entry: str,
    folder: Path | None = None,
    also: Sequence[str] = (),
    include: Sequence[str] = (),
) -> str:
    """Return the hexadecimal SHA-256 of all that executes with an entry, as a release has it.

    Args:
        entry: `module:attribute`; nothing is imported.
        folder: the project's; None for the one that the entry was imported from.
        also: the scores.
        include: patterns of further files.

    Raises:
        EntryElsewhere: the entry is not in the folder.
    """
    start = folder or _imported_from(entry)
    return sources.code_digest(sources.executed(entry, also, start, include), start)


def _imported_from(entry: str) -> Path:
    """Return the folder that holds the top module of an imported entry."""
    module = sys.modules[entry.partition(":")[0].partition(".")[0]]
    if hasattr(module, "__path__"):
        return Path(next(iter(module.__path__))).parent
    return Path(module.__file__ or "").parent


def with_code(
    plan: Plan,
    folder: Path | None = None,
    also: Sequence[str] = (),
    include: Sequence[str] = (),
) -> Plan:
    """Return a plan whose candidates name the digest of the source that executes.

    So do its scores that are functions of the user's, as far as their source is no part of the
    workflow's own code: what a verdict is judged by cannot change under its lock.

    Args:
        plan: what an experiment is about.
        folder: the project's; None for the one that each entry was imported from.
        also: the scores of every experiment of the project, as `scores_of` gives them: a
            release takes them all, and its code must be what the experiment locked.
        include: patterns of further files.
    """

    def code_of(one: Candidate) -> str:
        if isinstance(one.entry, str):
            return code_digest(one.entry, folder, also, include)
        return elsewhere.code_of(one.entry, folder or Path.cwd())

    candidates = tuple(replace(one, code=code_of(one)) for one in plan.candidates)
    return replace(with_sources(plan, folder, also, include), candidates=candidates)


def with_sources(
    plan: Plan,
    folder: Path | None = None,
    also: Sequence[str] = (),
    include: Sequence[str] = (),
) -> Plan:
    """Return a plan whose scores name the digest of their source; arguments as for `with_code`."""
    own = next((one.entry for one in plan.candidates if one.name == OWN), None)
    if not isinstance(own, str) or not scores_of((plan,)):
        return plan
    start = folder or _imported_from(own)
    code = frozenset(sources.executed(own, also, start, include))

    def sourced(one: Criterion) -> Criterion:
        match one.measure:
            case Scored() as scored:
                source = _source(scored.score, start, code)
                return replace(one, measure=replace(scored, source=source))
            case Lead(scored=scored) as lead:
                source = _source(scored.score, start, code)
                return replace(one, measure=replace(lead, scored=replace(scored, source=source)))
            case _:
                return one

    return replace(plan, criteria=tuple(map(sourced, plan.criteria)))


def _source(score: str, folder: Path, code: frozenset[Path]) -> str:
    """Return the digest of what a score executes beside `code`, "" where that is nothing."""
    if ":" not in score:
        return ""
    try:
        files = [path for path in sources.executed(score, (), folder, ()) if path not in code]
    except sources.EntryElsewhere:
        return _installed(score.partition(":")[0])
    return sources.code_digest(files, folder) if files else ""


def _installed(module: str) -> str:
    """Return the digest of the file of a module that stands in no file of the project."""
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return ""  # whoever imports it says so
    path = Path(found.origin) if found is not None and found.has_location and found.origin else None
    return "" if path is None else digest(path.read_bytes())


def scores_of(plans: Iterable[Plan]) -> tuple[str, ...]:
    """Return the entries of all scores that are functions of the user's, sorted."""
    measures = (scored_of(one.measure) for plan in plans for one in plan.criteria)
    names = {measure.score for measure in measures if measure is not None}
    return tuple(sorted(name for name in names if ":" in name))


def undeclared_effects(entry: str) -> list[str]:
    """Return the effects of an imported entry's package that need an `in_trial` value."""
    return sorted({effect.name for effect in _effects(entry) if is_undeclared(effect)})


def effect_named(entry: str, name: str) -> Effect[..., Any] | None:
    """Return the effect of that name in an imported entry's package, if there is one."""
    return next((effect for effect in _effects(entry) if effect.name == name), None)


def _effects(entry: str) -> Iterator[Effect[..., Any]]:
    top = entry.partition(":")[0].partition(".")[0]
    for name, module in list(sys.modules.items()):
        if name == top or name.startswith(f"{top}."):
            for value in list(vars(module).values()):
                if isinstance(value, Effect):
                    yield value  # pyright: ignore[reportUnknownVariableType] - its parameters are the user's


def is_undeclared(effect: Effect[..., Any]) -> bool:
    """Whether a captured call of `effect` would return None against its annotation."""
    return effect.in_trial is NOT_DECLARED and signature(effect.function).needs_result
