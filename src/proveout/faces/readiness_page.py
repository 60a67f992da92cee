"""Readiness as files that are handed around: an audit and a plan as one HTML page each."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from proveout.domain.bar import BAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proveout.faces.readiness import Readiness
    from proveout.ready.scan.scan import Located

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid #ddd; }
code { font-size: .9em; }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #16181c; }
  th, td { border-color: #333; } }
"""


def audit_html(found: Readiness, in_code: tuple[Located, ...] = ()) -> str:
    """Return where a workflow stands, and what its code shows, as one page without other files."""
    release = found.release.name if found.release else "no release yet"
    ready = "READY" if found.is_ready else "NOT READY"
    facts = (found.stage, release, f"bar {BAR.version}", f"{found.now:%Y-%m-%d %H:%M} UTC")
    reasons = "; ".join(found.choice.reasons)
    parts = [
        f"<h1>{_text(found.workflow)}: {ready}</h1>",
        f"<p>{_text(' · '.join(facts))}</p>",
        f"<p><strong>{_text(found.choice.way)}</strong>: {_text(reasons)}</p>",
        "<h2>Two stages</h2>",
        _table(
            ("", "proof of concept", "production"),
            ((row.title, row.proof_of_concept, row.production) for row in found.story),
        ),
        "<h2>Findings</h2>",
        _table(
            ("severity", "what", "why it bites", "how to mend it"),
            ((one.severity, one.message, one.why, one.fix) for one in found.findings),
        ),
        "<h2>Findings in the code</h2>",
        _table(
            ("severity", "where", "what", "why it bites", "how to mend it"),
            (
                (one.severity, f"{one.file}:{one.line}", one.message, one.why, one.fix)
                for one in (located.finding for located in in_code)
            ),
        ),
        "<h2>Claims</h2>",
        _table(
            ("claim", "status", "why", "what the drill showed", "valid until"),
            (
                (
                    one.claim.title,
                    one.status,
                    one.why,
                    one.summary,
                    "" if one.until is None else str(one.until.date()),
                )
                for one in sorted(found.standings, key=lambda one: not one.is_open)
            ),
        ),
        f"<p>Next: <code>{_text(found.next)}</code></p>",
    ]
    return _page(f"{found.workflow}: {ready}", parts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["".join(f"<td>{_inline(cell)}</td>" for cell in row) for row in rows]
    if not lines:
        return "<p>none</p>"
    top = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _text(text: str) -> str:
    return html.escape(text)


def _page(title: str, parts: Iterable[str]) -> str:
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{_text(title)}</title><style>{STYLE}</style>\n{chr(10).join(parts)}\n</html>\n"
    )


# Our own Markdown, which has headings, tables, lists and paragraphs

_CODE = re.compile(r"`([^`]*)`")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def document_html(markdown: str) -> str:
    """Return a page that we wrote as Markdown as one page of HTML."""
    title = markdown.partition("\n")[0].lstrip("# ")
    return _page(title, _blocks(markdown))


def _blocks(markdown: str) -> Iterator[str]:
    for block in re.split(r"\n{2,}", markdown.strip()):
        lines = block.splitlines()
        marks = lines[0].partition(" ")[0]
        if set(marks) == {"#"}:
            yield f"<h{len(marks)}>{_inline(lines[0][len(marks) + 1 :])}</h{len(marks)}>"
        elif lines[0].startswith("|"):
            rows = [_cells(line) for line in lines]
            yield _table(rows[0], rows[2:])
        elif lines[0].startswith(("- ", "1. ")):
            kind = "ul" if lines[0].startswith("- ") else "ol"
            items = "".join(f"<li>{_inline(line.partition(' ')[2])}</li>" for line in lines)
            yield f"<{kind}>{items}</{kind}>"
        else:
            yield f"<p>{_inline(' '.join(lines))}</p>"


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", inner))


def _inline(text: str) -> str:
    """Return text as HTML; nothing in it is markup but our own code and bold."""
    safe = _BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", html.escape(text)))
    return re.sub(r"\\(&lt;|&gt;|[\\|*_\[\]])", r"\1", safe)
