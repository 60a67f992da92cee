"""Commands that list, show and export what drills have shown."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import click

from proveout.domain.record import Kind
from proveout.errors import Mistake
from proveout.faces.cli.ledger import entry_words
from proveout.faces.cli.output import answer, answer_json, clean, say, sign, strong, table
from proveout.faces.cli.release import SHORT, when

if TYPE_CHECKING:
    from proveout.domain.ledger import LedgerEntry
    from proveout.faces.project import Project
    from proveout.ready.envelope import Filed, Refused

OFFLINE = {"verify.py.in": "verify.py", "verify.md.in": "README.md"}
"""What an export takes along, so that an auditor needs nothing of ours."""


class NoSuchEvidence(Mistake):
    """No evidence is kept under that digest, or under more than one that begin so."""

    code = "no-such-evidence"


class NotEmpty(Mistake):
    """The folder holds something already."""

    code = "not-empty"


@runtime_checkable
class Publishes(Protocol):
    """A signer whose public key others may have."""

    def public_pem(self) -> bytes:
        """Return the public key as PEM."""
        ...


@click.group()
def evidence() -> None:
    """List, show and export what drills have shown."""


@evidence.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one evidence.v1 a line.")
def list_evidence(as_json: bool) -> None:
    """List all evidence that is kept, the newest first."""
    good, bad = asyncio.run(_filed())
    if as_json:
        for one in good:
            answer_json(evidence_v1(one))
        for one in bad:
            words = {"schema": "evidence.v1", "digest": one.name, "refused": one.doubt}
            answer_json({**words, "why": one.why})
    elif not good and not bad:
        say("no drill has shown anything yet: proveout drill --due")
    else:
        table(
            [
                (
                    one.digest[:SHORT],
                    one.evidence.claim,
                    one.evidence.result,
                    f"control {one.evidence.control}",
                    when(one.evidence.ended),
                    one.evidence.summary,
                )
                for one in good
            ]
            + [(one.name[:SHORT], "", one.doubt.upper(), "", "", one.why) for one in bad],
            ("digest", "claim", "result", "control", "ended", "what it showed"),
        )


async def _filed() -> tuple[list[Filed], tuple[Refused, ...]]:
    from proveout.faces.operating import operating
    from proveout.ready.envelope import filed

    async with operating() as project:
        kept = await project.store.records(Kind.EVIDENCE)
        good, bad = filed(kept, project.office.signer)
    return sorted(good, key=lambda one: one.evidence.ended, reverse=True), bad


def evidence_v1(one: Filed) -> dict[str, Any]:
    """Return evidence as the object that callers outside rely on."""
    found = one.evidence
    return {
        "schema": "evidence.v1",
        "digest": one.digest,
        "claim": found.claim,
        "bar": found.bar,
        "release": found.release,
        "result": found.result,
        "control": found.control,
        "started_at": found.started.isoformat(),
        "ended_at": found.ended.isoformat(),
        "summary": found.summary,
        "figures": found.figures,
        "depends": found.depends,
        "engine": found.engine,
        "by": found.by,
        "refused": None,
    }


@evidence.command("show")
@click.argument("digest")
@click.option("--json", "as_json", is_flag=True, help="Print the signed envelope itself.")
def show_evidence(digest: str, as_json: bool) -> None:
    """Show what one drill has shown, once its signature was found to be ours."""
    one, envelope = asyncio.run(_one(digest))
    if as_json:
        answer(envelope.decode())
        return
    found = one.evidence
    answer(f"{strong(found.claim)}  {found.result} · control {found.control}")
    answer(f"    {clean(found.summary)}")
    answer(f"    digest    {one.digest}")
    answer(f"    release   {found.release}")
    answer(f"    ended     {when(found.ended)} · engine {found.engine} · bar {found.bar}")
    answer(f"    by        {clean(found.by)}")
    answer()
    rows = [(name, str(figure)) for name, figure in found.figures.items()]
    table(rows, ("figure", "value"))


async def _one(digest: str) -> tuple[Filed, bytes]:
    from proveout.faces.operating import operating
    from proveout.ready.envelope import Filed, opened

    async with operating() as project:
        kept = await project.store.records(Kind.EVIDENCE)
        names = [name for name in kept if name.startswith(digest)]
        if len(names) != 1:
            raise NoSuchEvidence(
                f"{len(names)} pieces of evidence are called {digest!r}",
                why=f"{len(kept)} are kept",
                fix=("proveout evidence list",),
            )
        [name] = names
        found = Filed(digest=name, evidence=opened(kept[name], project.office.signer))
        return found, kept[name]


@evidence.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
def export(folder: Path) -> None:
    """Write all evidence and the ledger into FOLDER, to be verified without us."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(f"{folder} holds something already", fix=("name another folder",))
    found = asyncio.run(_exported())
    _write(folder, found)
    count, entries = len(found.envelopes), len(found.entries)
    answer(f"{sign('ok')} wrote {folder}: {count} envelopes, {entries:,} entries of the ledger")
    answer(f"    an auditor runs: python {folder / 'verify.py'}")


class _Exported(NamedTuple):
    """What an auditor gets."""

    envelopes: dict[str, bytes]
    entries: list[LedgerEntry]
    pem: bytes


async def _exported() -> _Exported:
    from proveout.faces.operating import operating

    async with operating() as project:
        kept = await project.store.records(Kind.EVIDENCE)
        return _Exported(kept, await project.store.whole_ledger(), _public_key(project))


def _write(folder: Path, found: _Exported) -> None:
    (folder / "evidence").mkdir(parents=True)
    for name, envelope in found.envelopes.items():
        (folder / "evidence" / f"{name}.json").write_bytes(envelope)
    lines = [json.dumps(entry_words(one)) for one in found.entries]
    (folder / "ledger.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    (folder / "key.pem").write_bytes(found.pem)
    template = files("proveout.faces") / "template"
    for source, name in OFFLINE.items():
        (folder / name).write_text((template / source).read_text("utf-8"), "utf-8")


def _public_key(project: Project) -> bytes:
    signer = project.office.signer
    if not isinstance(signer, Publishes):
        raise Mistake("the key that signs here has no public half to export")
    return signer.public_pem()
