"""Releases of a project: taken from its folder, and made ready to run from the store."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from proveout.faces import entry
from proveout.release import environment as environments
from proveout.release import snapshot as snapshots
from proveout.release import sources
from proveout.release.create import NoSuchRelease, create

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.domain.release import Release
    from proveout.domain.workflow import Workflow
    from proveout.faces.project import Project
    from proveout.faces.settings import Settings
    from proveout.ports.store import Releases
    from proveout.release.create import Created
    from proveout.release.environment import Environment
    from proveout.release.snapshot import Snapshot


def environment_here(settings: Settings) -> Environment:
    """Return the environment that this process runs in, without the project's own files."""
    return environments.describe(sys.path, settings.folder)


def take(settings: Settings, environment: Environment) -> Snapshot:
    """Return the snapshot of what the project's folder would execute now.

    Raises:
        Refusal: a file holds a secret, or there is too much of it.
        Mistake: the entry is not in the folder.
    """
    workflow = settings.workflow
    also = entry.scores_of(one.plan for one in settings.experiments)
    files = sources.executed(workflow.entry, also, settings.folder, workflow.files)
    declared = snapshots.Declared(
        workflow=workflow.name,
        entry=workflow.entry,
        environment=environment.digest,
        scores=also,
    )
    whole = snapshots.take(declared, files, settings.folder)
    code = entry.code_digest(workflow.entry, settings.folder, (), workflow.files)
    return replace(whole, code=code)  # as an experiment locks it: without the scores


async def create_release(project: Project, actor: str) -> Created:
    """Keep what the project's folder executes, and the packages it runs among, as a release."""
    settings = project.settings
    environment = await asyncio.to_thread(environment_here, settings)
    snapshot = await asyncio.to_thread(take, settings, environment)
    await asyncio.to_thread(environments.keep, environment, environments.cache_folder())
    toml = settings.path.read_bytes()
    return await create(project.office, project.name, snapshot, toml, actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a release is started.

    Attributes:
        python: the interpreter of its kept environment.
        root: the folder with its files, first on the path.
        entry: `module:attribute` of its workflow.
    """

    release: Release
    python: Path
    root: Path
    entry: str

    def command(self, *arguments: str) -> list[str]:
        """Return the words that run a module of Proveout in the release's environment."""
        return [str(self.python), "-P", "-m", *arguments]

    def environ(self) -> dict[str, str]:
        """Return the variables for such a process: ours, without what leads back to here."""
        left_out = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONSTARTUP"}
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        # Bytecode is kept, but beside: what a release and its environment hold is verified.
        bytecode = str(environments.cache_folder() / "bytecode")
        return {**kept, "PYTHONPYCACHEPREFIX": bytecode}

    def workflow(self) -> Workflow[..., Any]:
        """Return the workflow, imported from the release's own files into this process."""
        return entry.as_workflow(entry.load(self.entry, self.root), self.entry)


async def launch(store: Releases, release: Release) -> Launch:
    """Return how `release` is started; its files are unpacked and checked.

    Raises:
        NoSuchRelease: the store does not have its files.
        EnvironmentMissing: its packages are not kept on this machine.
        SnapshotBroken: its files are not what its manifest says.
    """
    archive = await store.archive(release.digest)
    if archive is None:
        raise NoSuchRelease(f"the files of {release.name} are gone")
    cache = environments.cache_folder()
    folder = snapshots.release_folder(release.digest, cache)
    root = await asyncio.to_thread(snapshots.unpack, archive, release.manifest, folder)
    return Launch(
        release=release,
        python=environments.python_of(release.environment, cache, release=release.name),
        root=root,
        entry=json.loads(release.manifest)["entry"],
    )
