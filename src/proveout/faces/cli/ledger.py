"""Commands that show the ledger, and verify it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.ledger import Break, breaks
from proveout.domain.record import Kind
from proveout.faces.cli.output import answer, answer_json, clean, faint, say, sign, table
from proveout.faces.cli.release import SHORT, when

if TYPE_CHECKING:
    from proveout.domain.ledger import LedgerEntry


@click.group()
def ledger() -> None:
    """Show who decided what, and verify that nothing was changed since."""


@ledger.command("show")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    help="Most entries to show.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one ledger-entry.v1 a line.")
def show_ledger(limit: int, as_json: bool) -> None:
    """Show entries, the newest first: who did what to what, and why."""
    entries = asyncio.run(_entries(limit))
    if as_json:
        for one in entries:
            answer_json({"schema": "ledger-entry.v1", **entry_words(one)})
    elif not entries:
        say("nothing was decided yet")
    else:
        table(
            [(str(one.seq), when(one.at), one.actor, one.act, _about(one)) for one in entries],
            ("entry", "at", "who", "did", "what"),
        )


def _about(one: LedgerEntry) -> str:
    facts: dict[str, Any] = json.loads(one.facts)
    reason = f": {facts['reason']}" if facts.get("reason") else ""
    return f"{one.subject}{reason}"


def entry_words(one: LedgerEntry) -> dict[str, Any]:
    """Return an entry as plain data from which its hash can be computed again.

    The facts stay the text that was hashed.
    """
    return {
        "seq": one.seq,
        "at": one.at.isoformat(),
        "actor": one.actor,
        "act": one.act,
        "subject": one.subject,
        "facts": one.facts.decode(),
        "previous": one.previous,
        "hash": one.hash,
        "signature": {"key": one.signature.key, "value": one.signature.value},
    }


async def _entries(limit: int) -> list[LedgerEntry]:
    from proveout.faces.operating import operating

    async with operating() as project:
        return await project.store.ledger(limit=limit)


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print one ledger.v1.")
def verify(as_json: bool) -> int:
    """Verify the chain, every signature, its end, and that all evidence is there.

    Exits 0 when all holds, and 1 with every place where it does not.
    """
    count, found = asyncio.run(_verify())
    if as_json:
        words = [{"entry": one.seq, "what": one.what} for one in found]
        answer_json({"schema": "ledger.v1", "entries": count, "holds": not found, "breaks": words})
    else:
        for one in found:
            answer(f"{sign('no')} entry {one.seq}: {clean(one.what)}")
        if not found:
            answer(f"{sign('ok')} {count:,} entries: chained, signed with our key, none missing")
        else:
            answer(f"    {faint('what was changed can be found in a backup of the store')}")
    return 1 if found else 0


async def _verify() -> tuple[int, list[Break]]:
    from proveout.faces.operating import operating
    from proveout.release.decide import ledger_name

    async with operating() as project:
        office = project.office
        entries = await project.store.whole_ledger()
        anchor = office.signer.anchor(await ledger_name(office.store))
        found = breaks(entries, office.signer.is_ours, anchor)
        kept = await project.store.records(Kind.EVIDENCE)
    return len(entries), found + _lost(entries, set(kept))


def _lost(entries: list[LedgerEntry], kept: set[str]) -> list[Break]:
    """Return the entries whose evidence is gone: a failure could be hidden by removing it."""
    from proveout.faces.readiness import evidence_named

    named = evidence_named(entries)
    return [
        Break(seq=seq, what=f"its evidence {digest[:SHORT]} is gone")
        for digest, seq in named.items()
        if digest not in kept
    ]
