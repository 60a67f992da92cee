"""Test notices: whether a channel takes one, before it is needed."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from proveout.domain.alert import Notice, NoticeKind, Severity
from proveout.errors import Mistake, Outage
from proveout.faces.project import channels
from proveout.faces.settings import load
from proveout.faces.watching import notifier_of
from proveout.ports.notifier import NotAccepted
from proveout.watch.deliver import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proveout.faces.project import Project
    from proveout.ports.notifier import Notifier


class NoReceiver(Mistake):
    """No channel is declared that could be tested, or it has no address."""

    code = "no-receiver"


class NotTaken(Outage):
    """A channel did not take a test notice, so it is not declared."""

    code = "not-taken"


async def send_tests(
    project: Project, names: Sequence[str], by: str, environ: Mapping[str, str]
) -> list[Notice]:
    """Hand a test notice to each of these channels, or to all; return how they took it.

    Raises:
        NoReceiver: there is no channel, or none of that name.
    """
    known = [one.name for one in project.settings.channels]
    if unknown := [one for one in names if one not in known]:
        raise NoReceiver(
            f"there is no channel {unknown[0]}",
            why=f"declared are {', '.join(known)}" if known else "none is declared",
            fix=(f"proveout alerts add {unknown[0]} --env VARIABLE",),
        )
    if not known:
        raise NoReceiver("no receiver set", fix=("proveout alerts add oncall --env ONCALL_URL",))
    notifier = await asyncio.to_thread(notifier_of, project, environ)
    variables = {one.name: one.url_env for one in project.settings.channels}
    found: list[Notice] = []
    for name in names or known:
        notice = _notice(project, name, by)
        if notifier.reaches(name):
            found.append(await _try(notifier, notice, project))
        else:
            found.append(replace(notice, trouble=f"{variables[name]} is not set"))
    return found


def _notice(project: Project, to: str, by: str) -> Notice:
    bench = project.bench
    return Notice(
        id=bench.ids.new(),
        to=to,
        kind=NoticeKind.TEST,
        severity=Severity.TICKET,
        title=f"[test] {project.name}: would you see this?",
        body=f"{by} tests whether alerts of {project.name} reach you. Tell them that this did.",
        subjects=(),
        created=bench.clock.now(),
    )


async def _try(notifier: Notifier, notice: Notice, project: Project) -> Notice:
    try:
        await asyncio.wait_for(notifier.tell(notice), PATIENCE)
    except (NotAccepted, TimeoutError) as error:
        return replace(notice, trouble=f"{error}" or f"no answer within {PATIENCE:g} s")
    return replace(notice, accepted=project.bench.clock.now())


async def declare_channel(
    project: Project, name: str, variable: str, by: str, environ: Mapping[str, str]
) -> None:
    """Add a channel to the project's `proveout.toml`, once its address took a test notice.

    Raises:
        NoReceiver: the variable is not set.
        NotTaken: the address took no notice.
        Mistake: there is such a channel, or it would not be one.
    """
    if name in {one.name for one in project.settings.channels}:
        raise Mistake(f"there is a channel {name}", fix=(f"proveout alerts test {name}",))
    if not environ.get(variable):
        raise NoReceiver(f"{variable} is not set", fix=(f"export {variable}=…",))
    tried = await asyncio.to_thread(channels, {name: environ[variable]}, lambda _: "", "")
    taken = await _try(tried, _notice(project, name, by), project)
    if taken.accepted is None:
        raise NotTaken(f"{name} is not declared: {taken.trouble}", fix=("mend its address",))
    await asyncio.to_thread(_append, project, name, variable)


def _append(project: Project, name: str, variable: str) -> None:
    """Write the table at the end of the file, whole or not at all, where it can be read so."""
    path = project.settings.path
    before = path.read_bytes()
    end = b"" if before.endswith(b"\n") else b"\n"
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(before + end + f'\n[channels.{name}]\nurl_env = "{variable}"\n'.encode())
        shutil.copymode(path, beside)
        load(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
