"""Sources of deliveries, and further files: what `proveout.toml` lets into a workflow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from proveout.domain.delivery import Scheme
from proveout.domain.duration import shown
from proveout.faces.keys.key import VARIABLE_PATTERN

if TYPE_CHECKING:
    from proveout.faces.settings_reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """Who may start runs by signed deliveries.

    Attributes:
        secret_env: the variables that hold its secrets, and never a secret; more than one
            while a secret is being changed.
        types: of the events that start a run; empty for all.
        input: the keys, from the outside in and with dots between them, under which the
            workflow's input stands; "" for the whole body.
    """

    name: str
    scheme: Scheme
    secret_env: tuple[str, ...]
    types: tuple[str, ...] = ()
    input: str = ""


def read_sources(root: Reader) -> tuple[SourceSettings, ...]:
    """Return every source of the file, in its order.

    Raises:
        SettingsMistake: one of them is not what it must be.
    """
    return tuple(
        SourceSettings(
            name=name,
            scheme=Scheme(row.choice("scheme")),
            secret_env=_variables(row),
            types=row.texts("types"),
            input=_place(row),
        )
        for name, row in root.named("sources")
    )


def read_patterns(row: Reader) -> tuple[str, ...]:
    """Return the patterns of further files, none of which leaves the project's folder.

    Raises:
        SettingsMistake: one of them does.
    """
    patterns = row.texts("files")
    for at, pattern in enumerate(patterns):
        path = PurePosixPath(pattern)
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise row.mistake(
                f"files cannot name {shown(pattern)}",
                "files",
                at,
                why="a release takes along what stands in the folder of this file",
                fix=(row.example("files"),),
            )
    return patterns


def _variables(row: Reader) -> tuple[str, ...]:
    names = row.one_or_more("secret_env")
    if not names:
        raise row.mistake(
            "secret_env names no variable", "secret_env", fix=(row.example("secret_env"),)
        )
    for name in names:
        if not re.fullmatch(VARIABLE_PATTERN, name):
            # What stands there may be the secret itself: it is not shown.
            raise row.mistake(
                "secret_env must be the name of a variable, never the secret itself",
                "secret_env",
                why="names of variables are capital letters, digits and _; this file is read, "
                "copied and committed, so a secret that stood in it must be changed",
                fix=(row.example("secret_env"), "export STRIPE_WEBHOOK_SECRET=…"),
            )
    return names


def _place(row: Reader) -> str:
    text = row.text("input")
    if text and not re.fullmatch(r"[^.\s]+(?:\.[^.\s]+)*", text):
        raise row.mistake(
            f"input {shown(text)} is no path into the body",
            "input",
            why='keys from the outside in, with dots between them; "" is the whole body',
            fix=(row.example("input"),),
        )
    return text
