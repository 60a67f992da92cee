"""What a model wrote, set into a page as it is."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.known import given
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_RAW = re.compile(
    r"django\.utils\.safestring\.mark_safe|(?:markupsafe|flask|jinja2)\.(?:\w+\.)*Markup"
    r"|(?:fastapi|starlette)\.responses\.HTMLResponse|flask\.render_template_string"
    r"|(?:IPython\.display|streamlit\.components\.v1)\.(?:HTML|html)"
)
_STREAMLIT = re.compile(r"(?:streamlit|st)\.(?:\w+\.)*(?:markdown|write)")


def find(source: Source) -> Iterator[Spot]:
    """Yield where a model's text becomes markup."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            name = source.name(call, scope)
            unsafe = given(call, "unsafe_allow_html")
            is_raw = _RAW.fullmatch(name) or (
                _STREAMLIT.fullmatch(name) and isinstance(unsafe, ast.Constant) and unsafe.value
            )
            values = [*call.args[:1], *(one.value for one in call.keywords if one.arg == "content")]
            if is_raw and any(source.flow(scope).of(one) & Origin.MODEL for one in values):
                yield Spot(line=call.lineno, message=f"{name} shows what a model wrote as HTML")


RULE = Rule(
    code="model-output-html",
    severity=Severity.HIGH,
    title="A model's answer is shown as HTML",
    finds=(
        "`mark_safe`, `Markup`, `HTMLResponse`, `render_template_string` and Streamlit's"
        " `unsafe_allow_html` with what a model wrote."
    ),
    why=(
        "a script in the answer runs in your user's session, and the text that made the model"
        " write it may come from another user"
    ),
    fix="let the template escape it, or clean it with a list of allowed tags (nh3)",
    bad="""\
from fastapi.responses import HTMLResponse
from openai import OpenAI

client = OpenAI(timeout=30)


def page(question: str) -> HTMLResponse:
    said = client.responses.create(model="gpt-5-mini", input=question)
    return HTMLResponse(f"<article>{said.output_text}</article>")
""",
    good="""\
from html import escape

from fastapi.responses import HTMLResponse
from openai import OpenAI

client = OpenAI(timeout=30)


def page(question: str) -> HTMLResponse:
    said = client.responses.create(model="gpt-5-mini", input=question)
    return HTMLResponse(f"<article>{escape(said.output_text)}</article>")
""",
    in_source=find,
)
