"""What is known of a repository: what each file does, and which files there are."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from proveout.ready.scan.clients import is_timed, open_clients
from proveout.ready.scan.handlers import HEALTH
from proveout.ready.scan.known import EFFECTS, Does, given, spreads
from proveout.ready.scan.source import Part, part_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.ready.scan.handlers import Handler
    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

LOGGING = frozenset({"logging", "structlog", "loguru", "logbook"})
MONITORING = frozenset(
    {"prometheus_client", "opentelemetry", "sentry_sdk", "datadog", "ddtrace", "statsd", "newrelic"}
    | {"langsmith", "langfuse", "logfire", "arize", "phoenix"}
)
QUEUES = frozenset(
    {"celery", "rq", "dramatiq", "huey", "arq", "procrastinate", "temporalio", "dbos"}
)
EVALS = frozenset(
    {"inspect_ai", "deepeval", "ragas", "pydantic_evals", "promptfoo", "evals", "trulens"}
)

MODELS = frozenset(
    """openai anthropic litellm groq together cohere mistralai ollama replicate huggingface_hub
    transformers vllm llama_cpp langchain langchain_core langchain_openai langchain_anthropic
    langchain_community langgraph pydantic_ai llama_index crewai autogen autogen_agentchat dspy
    haystack instructor semantic_kernel smolagents llmx agents""".split()  # noqa: SIM905 - a list of words reads better so
)

_APPS = re.compile(
    r"fastapi\.FastAPI|flask\.Flask|quart\.Quart|sanic\.Sanic|starlette\.applications\.Starlette"
)

_SERVES = re.compile(r"uvicorn\.run|flask\.Flask\.run|quart\.Quart\.run|sanic\.Sanic\.run")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What one file of Python does.

    Attributes:
        lines: how many it has.
        models: lines of its calls of models.
        effects: how many calls it has of each kind that changes the world.
        webhooks: how many of its handlers are webhooks.
        apps: lines at which it makes a web application.
        is_local: whether it serves one to this machine alone.
        is_healthy: whether it answers, or speaks of, a path that tells whether it lives.
        open_clients: line and name of each client of models that is made without a time-out.
        is_timed: whether a call that could ask a model brings a time-out.
        prints: lines at which it prints.
        logs: whether it imports a library that logs.
        libraries: what it imports, by the first word of the name.
    """

    path: str
    lines: int
    models: tuple[int, ...] = ()
    effects: tuple[tuple[Does, int], ...] = ()
    handlers: int = 0
    webhooks: int = 0
    apps: tuple[int, ...] = ()
    is_local: bool = False
    is_healthy: bool = False
    open_clients: tuple[tuple[int, str], ...] = ()
    is_timed: bool = False
    prints: tuple[int, ...] = ()
    libraries: frozenset[str] = frozenset()

    @property
    def part(self) -> Part:
        """What the file is for."""
        return part_of(self.path)


def facts_of(source: Source) -> FileFacts:
    """Return what one file does."""
    models: list[int] = []
    apps: list[int] = []
    prints: list[int] = []
    is_local = False
    effects: Counter[Does] = Counter()
    for scope in source.tree.scopes:
        for call in scope.calls:
            found = source.does(call, scope)
            if found is Does.MODEL:
                models.append(call.lineno)
            elif found in EFFECTS or found is Does.HTTP_WRITE:
                effects[found] += 1
            elif isinstance(call.func, ast.Name) and call.func.id == "print":
                prints.append(call.lineno)
            elif _APPS.fullmatch(source.name(call, scope)):
                apps.append(call.lineno)
            is_local = is_local or _serves_this_machine(source.name(call, scope), call, scope)
    return FileFacts(
        path=source.path,
        lines=source.text.count("\n") + 1,
        models=tuple(sorted(models)),
        effects=tuple(sorted(effects.items())),
        handlers=len(source.handlers),
        webhooks=sum(1 for _ in source.webhooks),
        apps=tuple(apps),
        is_local=is_local,
        is_healthy=_is_healthy(source),
        open_clients=open_clients(source),
        is_timed=is_timed(source),
        prints=tuple(prints),
        libraries=frozenset(
            full.lstrip(".").partition(".")[0] for full in source.tree.imports.values()
        ),
    )


def _serves_this_machine(name: str, call: ast.Call, scope: Scope) -> bool:
    """Whether a call serves an application to whoever sits before the machine, and nobody else.

    That is what Flask and uvicorn do where no host is said.
    """
    if not _SERVES.fullmatch(name) or spreads(call):
        return False
    host = given(call, "host")
    if isinstance(host, ast.Name):
        host = scope.default(host.id)
    return host is None or (isinstance(host, ast.Constant) and host.value in _THIS_MACHINE)


def _is_healthy(source: Source) -> bool:
    """Whether a handler, or a route that is added by a call, tells whether the service lives."""
    if any(one.is_health or _greets(scope, one) for scope, one in source.handlers.items()):
        return True
    return any(
        isinstance(one, ast.Constant) and isinstance(one.value, str) and HEALTH.search(one.value)
        for scope in source.tree.scopes
        for call in scope.calls
        if _attr(call)
        in (
            "add_api_route",
            "add_url_rule",
            "add_route",
            "Route",
            "path",
            "re_path",
            "include_router",
            "Mount",
            "mount",
        )
        for one in call.args[:2]
    )


def _greets(scope: Scope, found: Handler) -> bool:
    """Whether a handler of "/" does nothing but answer, as a platform's check would ask."""
    return found.path == "/" and "get" in found.verbs and not scope.calls


def _attr(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


# The whole repository

_KINDS = {
    "tests": re.compile(r"(?:^|/)tests?/.*\.py$|(?:^|/)test_[^/]*\.py$|_test\.py$"),
    "evals": re.compile(
        r"(?:^|/)(?:evals?|evaluations?|golden|benchmarks?)/|(?:^|/)(?:promptfoo|eval|evals|golden|cases|dataset)[\w.-]*\.(?:ya?ml|jsonl?|csv|py|toml)$",
        re.IGNORECASE,
    ),
    "pipelines": re.compile(
        r"^\.github/workflows/|^\.gitlab-ci\.yml$|^\.circleci/|^azure-pipelines|^Jenkinsfile$|^\.buildkite/|^bitbucket-pipelines|^\.travis\.yml$"
    ),
    "images": re.compile(r"(?:^|/)(?:Dockerfile|Containerfile)[\w.-]*$", re.IGNORECASE),
    "deployments": re.compile(
        r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$|(?:^|/)(?:Procfile|fly\.toml|render\.yaml|app\.yaml|vercel\.json|serverless\.ya?ml|railway\.(?:toml|json)|Chart\.yaml|kustomization\.ya?ml)$|(?:^|/)(?:k8s|kubernetes|helm|terraform|deploy|deployment|infra)/|\.tf$|\.service$"
    ),
    "dashboards": re.compile(
        r"grafana|dashboards?/|prometheus[\w.-]*\.ya?ml$|alert[\w.-]*\.ya?ml$", re.IGNORECASE
    ),
    "runbooks": re.compile(r"runbook|playbooks?/|on-?call|incident", re.IGNORECASE),
    "owners": re.compile(r"(?:^|/)CODEOWNERS$|(?:^|/)OWNERS$"),
}
"""Files that tell how far a repository is, by what their paths look like."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a repository.

    Attributes:
        name: of its folder.
        paths: of every file that was met, read or not.
    """

    name: str
    files: tuple[FileFacts, ...] = ()
    paths: tuple[str, ...] = ()

    def kept(self, kind: str) -> tuple[str, ...]:
        """Return the files of a kind: one of those that `_KINDS` tells by their paths."""
        return tuple(path for path in self.paths if _KINDS[kind].search(path))

    @cached_property
    def product(self) -> tuple[FileFacts, ...]:
        """The files that are neither tests nor examples."""
        return tuple(one for one in self.files if one.part is Part.PRODUCT)

    @property
    def is_deployed(self) -> bool:
        """Whether a platform is told how to run it."""
        return bool(self.kept("images") or self.kept("deployments"))

    @property
    def lines(self) -> int:
        """Lines of Python, tests and all."""
        return sum(one.lines for one in self.files)

    @property
    def models(self) -> int:
        """How many calls of models there are."""
        return sum(len(one.models) for one in self.product)

    @property
    def handlers(self) -> int:
        """How many functions answer requests."""
        return sum(one.handlers for one in self.product)

    @property
    def webhooks(self) -> int:
        """How many of them are webhooks."""
        return sum(one.webhooks for one in self.product)

    @cached_property
    def effects(self) -> Counter[Does]:
        """How many calls there are of each kind that changes the world."""
        found: Counter[Does] = Counter()
        for one in self.product:
            found.update(dict(one.effects))
        return found

    def uses(self, libraries: Iterable[str]) -> tuple[str, ...]:
        """Return which of some libraries its files import, in order."""
        imported = {name for one in self.files for name in one.libraries}
        return tuple(sorted(imported & set(libraries)))
