"""Every rule finds its bad example, and nothing at all is found in its good one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proveout.faces.cli.keep import error_kinds
from proveout.ready.findings import Severity
from proveout.ready.scan import rules
from proveout.ready.scan.catalogue import BY_CODE, RULES
from proveout.ready.scan.known import Does
from proveout.ready.scan.scan import scan

if TYPE_CHECKING:
    from proveout.ready.scan.rule import Rule


def codes(text: str, path: str = "shop/app.py") -> dict[str, list[int]]:
    """Return the lines of what is found in one file, by code."""
    found: dict[str, list[int]] = {}
    for one in scan("shop", {path: text}).found:
        found.setdefault(one.finding.code, []).append(one.finding.line or 0)
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_finds_its_bad_example(rule: Rule) -> None:
    """What the documentation shows as bad is found, at a line that exists, with words."""
    found = [one.finding for one in scan("shop", {"shop/app.py": rule.bad}).found]

    mine = [one for one in found if one.code == rule.code]
    assert mine
    assert all(1 <= (one.line or 0) <= rule.bad.count("\n") for one in mine)
    assert all(one.message and one.why and one.fix for one in mine)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_nothing_is_found_in_a_good_example(rule: Rule) -> None:
    """What the documentation shows as good is good for every other rule, too."""
    found = codes(rule.good)

    assert found == {}


def test_each_rule_is_one_file_that_is_named_for_its_code() -> None:
    """A rule that is written and not listed would find nothing."""
    folder = Path(rules.__path__[0])
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}

    listed = {rule.code.replace("-", "_"): rule for rule in RULES}

    assert set(listed) == files
    assert all(import_module(f"{rules.__name__}.{file}").RULE is listed[file] for file in files)


def test_a_code_means_one_thing() -> None:
    """`proveout explain` knows findings and errors by the same kind of code."""
    assert len(BY_CODE) == len(RULES)
    assert not set(BY_CODE) & set(error_kinds())


def test_every_severity_is_used() -> None:
    """Where all is urgent, nothing is."""
    assert {rule.severity for rule in RULES} == set(Severity)


# What rules leave alone


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "import requests\nrequests.get('https://a.example', **options)\n", id="spread keywords"
        ),
        pytest.param(
            "import requests\nclass Api:\n    def get(self, requests):\n"
            "        requests.get('https://a.example')\n",
            id="a parameter of that name",
        ),
        pytest.param(
            "from urllib.request import urlopen\nurlopen('https://a.example', None, 5)\n",
            id="by place",
        ),
    ],
)
def test_a_timeout_that_may_be_there_is_believed(text: str) -> None:
    """What cannot be seen is not claimed."""
    assert codes(text) == {}


HTTP, MODEL_WAITS, UNSIGNED = "http-no-timeout", "model-no-timeout", "webhook-unsigned"

LEFT_ALONE = {
    "a stream": """\
import httpx


async def read(url):
    async with httpx.AsyncClient(timeout=None) as client, client.stream("GET", url) as answer:
        async for line in answer.aiter_lines():
            yield line
""",
    "a stream of requests": """\
import requests


def read(url):
    yield from requests.get(url, stream=True, timeout=None)
""",
    "no network": """\
from urllib.request import urlopen


def image(url):
    if url.startswith("data:"):
        return urlopen(url).read()
""",
    "a model that is bounded": """\
import asyncio
import litellm


async def ask(prompt):
    return await asyncio.wait_for(litellm.acompletion(model="m", messages=prompt), 30)
""",
    "a client that asks nobody": """\
from anthropic import Anthropic

tokenizer = Anthropic().get_tokenizer()
""",
    "a client that waits a minute": "from groq import Groq\nclient = Groq()\n",
    "what an object remembers": """\
import hashlib


class Catalogue:
    def is_new(self, text):
        signature = hashlib.sha256(text).hexdigest()
        return signature != self._cached_signature
""",
    "the form beside a comparison": """\
import hmac
from base64 import b64decode, b64encode


def is_ours(signature, expected):
    decoded_signature = b64decode(signature)
    if b64encode(decoded_signature).decode() != signature:
        return False
    return hmac.compare_digest(decoded_signature, expected)
""",
    "a post that only asks": """\
import requests


def place(prompt):
    url = "http://localhost:11434/api/generate"
    for attempt in range(3):
        try:
            return requests.post(url=url, json=prompt, timeout=10).json()
        except OSError:
            continue
""",
    "before anything runs": """\
import subprocess


async def lifespan(app):
    subprocess.run(["migrate"], check=True)
    yield
""",
    "a page for oneself": """\
import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/charts")
def charts() -> str:
    return "none"


def ui(host: str = "127.0.0.1") -> None:
    uvicorn.run(app, host=host)
""",
    "what is done later": """\
from time import sleep

from background_task import background
from flask import Flask

app = Flask(__name__)


@app.get("/healthz")
def healthz():
    return "ok"


@background(schedule=1)
def work(event):
    sleep(60)


@app.post("/hooks/shop")
def hook():
    verify_signature()
    work("event")
    return "ok"
""",
    "a webhook that only logs": """from flask import Flask, request

app = Flask(__name__)


@app.get("/healthz")
def healthz():
    return "ok"


@app.post("/webhooks/uninstalled")
def uninstalled():
    app.logger.info(request.get_json())
    return "ok"
""",
}
"""What a rule once objected to, and a reader of it did not."""


@pytest.mark.parametrize("text", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_is_meant_is_left_alone(text: str) -> None:
    """Each was found in a public package, and read."""
    assert codes(text) == {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (LEFT_ALONE["a stream"].replace("stream", "get").replace("aiter_lines", "x"), HTTP),
        (LEFT_ALONE["a stream of requests"].replace("stream=True, ", ""), HTTP),
        (LEFT_ALONE["no network"].replace("data:", "https:"), HTTP),
        (LEFT_ALONE["a model that is bounded"].replace("asyncio.wait_for", "first"), MODEL_WAITS),
        (LEFT_ALONE["a client that asks nobody"].replace(".get_tokenizer()", ""), MODEL_WAITS),
        ("from openai import OpenAI\nclient = OpenAI()\n", MODEL_WAITS),
        (
            LEFT_ALONE["what an object remembers"].replace("_cached_signature", "_signature"),
            "webhook-compare",
        ),
        (
            LEFT_ALONE["what an object remembers"].replace("self._cached", "given"),
            "webhook-compare",
        ),
        (
            LEFT_ALONE["the form beside a comparison"].replace("hmac.compare_digest", "same"),
            "webhook-compare",
        ),
        (LEFT_ALONE["a post that only asks"].replace("generate", "orders"), "effect-in-retry"),
        (LEFT_ALONE["before anything runs"].replace("lifespan", "answer"), "blocks-event-loop"),
        (LEFT_ALONE["a page for oneself"].replace("127.0.0.1", "10.0.0.1"), "no-health-endpoint"),
        (LEFT_ALONE["what is done later"].replace("@background(schedule=1)", ""), "webhook-slow"),
        (LEFT_ALONE["a webhook that only logs"].replace("logger.info", "forget"), UNSIGNED),
        (LEFT_ALONE["a webhook that only logs"].replace(".info(", ".seen = ("), UNSIGNED),
    ],
)
def test_without_what_is_meant_it_is_found(text: str, code: str) -> None:
    """Negative control: the same lines but for the one thing that excuses them."""
    assert code in codes(text)


def test_a_name_is_followed_through_aliases_and_attributes() -> None:
    """The same request, by every way that people write it."""
    text = """\
import requests as r
from requests import get, Session


class Api:
    def __init__(self) -> None:
        self.session = Session()

    def first(self) -> None:
        self.session.get("https://a.example")


def second() -> None:
    get("https://a.example")
    with r.Session() as mine:
        mine.post("https://a.example")
"""
    assert codes(text) == {"http-no-timeout": [10, 14, 16]}


MODEL = """\
from openai import OpenAI
client = OpenAI(timeout=30)

def ask(prompt):
    return client.responses.create(model="m", input=prompt).output_text
"""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("def f():\n    text = ask('x')\n    eval(text.strip())\n", "model-output-eval"),
        (
            "def f():\n    for line in ask('x').splitlines():\n        eval(line)\n",
            "model-output-eval",
        ),
        ("def f(db):\n    q = f'SELECT {ask(1)}'\n    db.execute(q)\n", "model-output-sql"),
        (
            "import os\ndef f():\n    words = {'a': ask('x')}\n    os.system(words['a'])\n",
            "model-output-shell",
        ),
        (
            "import subprocess\ndef f():\n    subprocess.run(['bash', '-c', ask('x')])\n",
            "model-output-shell",
        ),
        (
            "from pathlib import Path\ndef f():\n    Path(ask('x')).write_text('y')\n",
            "model-output-path",
        ),
        (
            "from pathlib import Path\ndef f():\n    (Path('a') / ask('x')).unlink()\n",
            "model-output-path",
        ),
        (
            "import re\ndef f():\n    got = re.search('(.*)', ask('x'))\n    exec(got.group(1))\n",
            "model-output-eval",
        ),
        (
            "from markupsafe import Markup\ndef f():\n    return Markup(ask('x'))\n",
            "model-output-html",
        ),
    ],
)
def test_an_answer_is_followed_to_where_it_does_harm(body: str, code: str) -> None:
    """Through names, loops, formatting, containers, and a function of the same file."""
    assert list(codes(MODEL + body)) == [code]


@pytest.mark.parametrize(
    "body",
    [
        "def f():\n    text = ask('x')\n    text = '1 + 1'\n    eval(text)\n",
        "import shlex, os\ndef f():\n    os.system('echo ' + shlex.quote(ask('x')))\n",
        "def f(db):\n    db.execute('SELECT ?', (ask('x'),))\n",
        "def f():\n    eval('a' if ask('x') == 'yes' else 'b')\n",
        "KNOWN = {'a': '1'}\ndef f():\n    eval(validated(ask('x')))\n",
        "def f(answer):\n    eval(answer)\n",
        "import subprocess\ndef f():\n    subprocess.run(['ffmpeg', ask('x')])\n",
    ],
)
def test_an_answer_that_was_made_harmless_is_left_alone(body: str) -> None:
    """Replaced, quoted, a parameter, only compared, validated, not of a model, no shell."""
    assert codes(MODEL + body) == {}


# Files that are no product


@pytest.mark.parametrize("path", ["tests/test_app.py", "examples/demo.py", "docs/conf.py"])
def test_tests_and_examples_are_read_and_not_judged(path: str) -> None:
    """Nobody waits for them in production; the control is the same text in the product."""
    text = "import requests\nrequests.get('https://a.example')\n"

    assert codes(text, path) == {}
    assert codes(text) == {"http-no-timeout": [2]}


def test_a_key_in_a_test_is_told_as_milder() -> None:
    """It is often a made-up one, and sometimes not."""
    bad = BY_CODE["secret-in-code"].bad

    [found] = scan("shop", {"tests/test_app.py": bad}).found
    [worse] = scan("shop", {"shop/app.py": bad}).found

    assert (found.finding.severity, worse.finding.severity) == (Severity.MEDIUM, Severity.CRITICAL)


def test_a_key_is_found_in_settings_and_never_shown() -> None:
    """`.env`, TOML and YAML are searched; no word of the finding holds the key."""
    key = BY_CODE["secret-in-code"].bad.split('"')[1]

    found = scan("shop", {"deploy/app.yaml": f"env:\n  KEY: {key}\n"}).found

    assert [(one.finding.file, one.finding.line) for one in found] == [("deploy/app.yaml", 2)]
    assert key not in repr(found[0].finding)


KNOWN_CALLS = {
    "openai": ("from openai import OpenAI", "OpenAI().chat.completions.create(x)", "models"),
    "anthropic": ("import anthropic", "anthropic.Anthropic().messages.create(model=x)", "models"),
    "litellm": ("import litellm", "litellm.completion(x)", "models"),
    "langchain": ("from langchain_openai import ChatOpenAI", "ChatOpenAI().invoke(x)", "models"),
    "langgraph": (
        "from langgraph.prebuilt import create_react_agent",
        "create_react_agent(x).invoke(x)",
        "models",
    ),
    "pydantic_ai": ("from pydantic_ai import Agent", "Agent(x).run_sync(x)", "models"),
    "llama_index": ("from llama_index.llms.openai import OpenAI", "OpenAI().complete(x)", "models"),
    "boto3": ("import boto3", "boto3.client('bedrock-runtime').invoke_model(x)", "models"),
    "requests": ("import requests", "requests.post(x)", "writes over HTTP"),
    "httpx": ("import httpx", "httpx.Client().post(x)", "writes over HTTP"),
    "aiohttp": ("import aiohttp", "aiohttp.ClientSession().post(x)", "writes over HTTP"),
    "stripe": ("import stripe", "stripe.Refund.create(charge=x)", "moves money"),
    "smtplib": ("import smtplib", "smtplib.SMTP(x).sendmail(x)", "sends mail"),
    "slack_sdk": (
        "from slack_sdk import WebClient",
        "WebClient().chat_postMessage(x)",
        "sends a message",
    ),
}


@pytest.mark.parametrize("library", KNOWN_CALLS)
def test_a_call_of_a_known_library_is_counted(library: str) -> None:
    """As a call of a model, or as an effect of its kind."""
    imported, call, kind = KNOWN_CALLS[library]

    facts = scan("shop", {"app.py": f"{imported}\n\n\ndef f(x):\n    {call}\n"}).facts

    assert (facts.models if kind == "models" else facts.effects[Does(kind)]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from flask import Flask\na = Flask('x')\n@a.route('/', methods=['POST'])\ndef f(): ...\n",
        "from fastapi import APIRouter\nr = APIRouter()\n@r.post('/a')\nasync def f(): ...\n",
        "from elsewhere import router\n@router.get('/a')\ndef f(): ...\n",
        "from django.http import HttpResponse\ndef f(request): ...\n",
        "from rest_framework.views import APIView\nclass V(APIView):\n    def post(self, r): ...\n",
        "from flask import Flask\ndef m():\n    a = Flask('')\n    @a.get('/')\n    def f(): ...\n",
    ],
)
def test_a_handler_of_requests_is_known(text: str) -> None:
    """However the frameworks mark it."""
    assert scan("shop", {"app.py": text}).facts.handlers == 1


@pytest.mark.parametrize("library", ["sqlalchemy", "psycopg"])
def test_sql_of_a_known_library_is_known(library: str) -> None:
    """A model's words in it are found."""
    text = f"import {library}\n{MODEL}\ndef f(connection):\n    connection.execute(ask(1))\n"

    assert list(codes(text)) == ["model-output-sql"]


def test_a_task_of_celery_is_retried() -> None:
    """What it sends is sent again."""
    assert "effect-in-retry" in codes(BY_CODE["effect-in-retry"].bad)


@pytest.mark.parametrize("mark", ["", "  # proveout: ignore[secret-in-code] revoked"])
def test_no_line_that_holds_a_key_is_quoted(mark: str) -> None:
    """Whatever else was found on it; the page of an audit is handed around."""
    key = BY_CODE["secret-in-code"].bad.split('"')[1]
    word = "Hx7kqP2zR9vLm4WcTa"
    text = f"""\
from openai import OpenAI

client = OpenAI(api_key="{key}"){mark}
other = OpenAI(api_key="{word}"){mark}
"""

    found = scan("shop", {"app.py": text})

    kept = repr((found.found, found.suppressed))
    assert "model-no-timeout" in kept
    assert "secret-in-code" in kept
    assert key not in kept
    assert word not in kept
