"""Known libraries, as data: which call asks a model, changes the world, or waits on a network."""

from __future__ import annotations

import ast
import re
from enum import StrEnum
from functools import lru_cache


class Does(StrEnum):
    """What a call does, as far as its name tells."""

    MODEL = "asks a model"
    MAIL = "sends mail"
    PAYMENT = "moves money"
    MESSAGE = "sends a message"
    QUEUE = "publishes to a queue"
    HTTP_READ = "reads over HTTP"
    HTTP_WRITE = "writes over HTTP"
    SQL = "runs SQL"
    ORM_WRITE = "writes to the database"
    SLOW = "blocks"
    NOTHING = ""


EFFECTS = frozenset({Does.MAIL, Does.PAYMENT, Does.MESSAGE, Does.QUEUE})
"""What nobody can take back, and what must not happen twice."""

_HTTP = (
    r"(?:requests|httpx|niquests)(?:\.(?:Session|session|Client|AsyncClient))?"
    r"|aiohttp\.ClientSession"
)
_CHAT = (
    r"(?:Chat\w+|\w*LLM\w*|\w*Chain|AzureOpenAI|OpenAI|Anthropic|Bedrock\w*|Ollama"
    r"|init_chat_model|AgentExecutor|create_\w+_agent|with_structured_output)"
)

_ROWS: tuple[tuple[Does, str], ...] = (
    # OpenAI and what speaks its protocol, by whatever name the client goes
    (Does.MODEL, r".*\.chat\.completions\.(?:create|parse|stream|with_raw_response\.create)"),
    (Does.MODEL, r"openai\.(?:\w+\.)*(?:completions|responses)\.(?:create|parse|stream)"),
    (Does.MODEL, r"openai\.(?:ChatCompletion|Completion)\.a?create"),
    (Does.MODEL, r"anthropic\.(?:\w+\.)*(?:messages|completions)\.(?:create|stream|parse)"),
    (Does.MODEL, r"litellm\.(?:Router\.)?a?(?:text_)?(?:completion|responses)"),
    (Does.MODEL, r".*\.generate_content(?:_async|_stream)?"),
    (Does.MODEL, r"(?:boto3|aioboto3)\..*\.(?:invoke_model\w*|converse\w*)"),
    (Does.MODEL, r"\?.*(?:bedrock|runtime)\w*\.(?:invoke_model\w*|converse\w*)"),
    (
        Does.MODEL,
        rf"langchain[\w.]*\.{_CHAT}(?:\.\w+)*\.a?(?:invoke|predict|run|generate|stream|batch|call)",
    ),
    (Does.MODEL, r"langgraph[\w.]*\.(?:compile|create_react_agent)\.a?(?:invoke|stream)"),
    (Does.MODEL, r"pydantic_ai\.(?:\w+\.)*Agent\.(?:run|run_sync|run_stream|iter)"),
    (Does.MODEL, r"agents\.(?:run\.)?Runner\.(?:run|run_sync|run_streamed)"),
    (
        Does.MODEL,
        r"llama_index\.[\w.]*\.(?:llms?|\w*LLM|OpenAI|Anthropic|Settings\.llm)\.a?(?:complete|chat|predict|stream_\w+)",
    ),
    (
        Does.MODEL,
        r"llama_index\.[\w.]*\.(?:as_query_engine|as_chat_engine|\w*QueryEngine|\w*ChatEngine)\.a?(?:query|chat)",
    ),
    (Does.MODEL, r"ollama\.(?:(?:Async)?Client\.)?(?:chat|generate)"),
    (Does.MODEL, r"cohere\.\w+\.(?:chat|generate|chat_stream)"),
    (Does.MODEL, r"mistralai\.(?:\w+\.)*(?:chat|agents)\.(?:complete|stream)(?:_async)?"),
    (Does.MODEL, r"huggingface_hub\.\w*InferenceClient\.(?:text_generation|chat_completion)"),
    (Does.MODEL, r"replicate\.(?:\w+\.)*run"),
    (Does.MODEL, r"crewai\.(?:\w+\.)*Crew\.kickoff\w*"),
    # What nobody can take back
    (Does.MAIL, r"(?:smtplib|aiosmtplib)\.(?:\w+\.)?(?:sendmail|send_message|send)"),
    (Does.MAIL, r"django\.core\.mail\.(?:send_mail|send_mass_mail|mail_admins|mail_managers)"),
    (Does.MAIL, r"django\.core\.mail\.(?:message\.)?Email\w+\.send"),
    (
        Does.MAIL,
        r"(?:sendgrid\.SendGridAPIClient\.send|resend\.Emails\.send|flask_mail\.Mail\.send)",
    ),
    (Does.MAIL, r".*\.(?:send_raw_email|send_templated_email)"),
    (Does.MAIL, r"boto3\..*\.send_email"),
    (Does.MAIL, r"(?:[\w?]+\.)*send_e?mail"),
    (
        Does.PAYMENT,
        r"stripe\.(?:Charge|PaymentIntent|Refund|Transfer|Payout|Invoice|InvoiceItem|Subscription|SetupIntent)\.(?:create|capture|confirm|pay|create_async|capture_async|confirm_async)",
    ),
    (
        Does.PAYMENT,
        r"stripe\.StripeClient\.(?:v1\.)?(?:charges|payment_intents|refunds|transfers|payouts|invoices|invoice_items|subscriptions)\.(?:create|capture|confirm|pay)(?:_async)?",
    ),
    (Does.PAYMENT, r"braintree\.(?:\w+\.)*[Tt]ransaction\.sale"),
    (Does.MESSAGE, r".*\.(?:chat_postMessage|chat_postEphemeral|files_upload_v2)"),
    (Does.MESSAGE, r"twilio\.[\w.]*\.(?:messages|calls)\.create"),
    (Does.QUEUE, r".*\.(?:basic_publish|send_message_batch)"),
    (
        Does.QUEUE,
        r"(?:kafka|aiokafka|confluent_kafka)\.\w*Producer\.(?:send|send_and_wait|produce)",
    ),
    (Does.QUEUE, r"boto3\..*\.(?:publish|put_events|put_record|send_message)"),
    (Does.QUEUE, r"google\.cloud\.pubsub\w*\.PublisherClient\.publish"),
    # The network
    (Does.HTTP_WRITE, rf"(?:{_HTTP})\.(?:post|put|patch|delete)"),
    (Does.HTTP_READ, rf"(?:{_HTTP})\.(?:get|head|options|request|stream)"),
    (Does.HTTP_READ, r"urllib\.request\.urlopen"),
    # Databases
    (
        Does.SQL,
        r"(?:sqlite3|psycopg2?|asyncpg|aiosqlite|MySQLdb|pymysql|sqlalchemy|sqlmodel|databases|django\.db|duckdb)\b.*\.(?:execute|executemany|executescript|fetch|fetchrow|fetchval|raw)",
    ),
    (
        Does.SQL,
        r"[\w?.]*\b(?:cursor|cur|conn|connection|session|db|engine)\.(?:execute|executemany|executescript)",
    ),
    (Does.ORM_WRITE, r".*\.objects\.(?:create|bulk_create|update_or_create)"),
    (Does.ORM_WRITE, r"[\w?.]*\b(?:db_?)?session\.(?:add|add_all|merge|bulk_save_objects)"),
    # What holds its thread
    (Does.SLOW, r"time\.sleep"),
    (Does.SLOW, r"subprocess\.(?:run|call|check_call|check_output|getoutput)"),
    (Does.SLOW, r"os\.system"),
)

_PATTERNS = tuple((does, re.compile(pattern)) for does, pattern in _ROWS)

_LAST = frozenset(
    """create parse stream acreate completion acompletion text_completion atext_completion responses
    aresponses generate_content generate_content_async generate_content_stream invoke ainvoke
    predict apredict run arun generate agenerate astream batch abatch call acall run_sync
    run_stream iter run_streamed complete acomplete chat achat apredict query aquery
    chat_stream complete_async stream_async text_generation chat_completion sendmail send_message
    send send_mail send_mass_mail mail_admins mail_managers send_raw_email send_templated_email
    send_email capture confirm pay create_async capture_async confirm_async sale chat_postMessage
    chat_postEphemeral files_upload_v2 basic_publish send_message_batch send_and_wait produce
    publish put_events put_record post put patch delete get head options request urlopen execute
    executemany executescript fetch fetchrow fetchval raw bulk_create update_or_create add add_all
    merge bulk_save_objects sleep check_call check_output getoutput system""".split()  # noqa: SIM905 - a list of words reads better so
)
_LAST_STARTS = ("invoke_model", "converse", "kickoff", "stream_")

ASYNC_LIBRARIES = re.compile(
    r"Async|aio|agents\.Runner\.run$|Agent\.run$|\.a(?:invoke|completion|predict|generate|create|stream|complete|chat|query|responses)$|_async$"
)
"""Names of calls that are awaited, and hold no thread."""

MODEL_ADDRESSES = re.compile(
    r"https?://(?:api\.openai\.com|api\.anthropic\.com|generativelanguage\.googleapis\.com"
    r"|api\.mistral\.ai|api\.groq\.com|api\.together\.xyz|openrouter\.ai|api\.cohere\.(?:ai|com)"
    r"|api\.deepseek\.com|api-inference\.huggingface\.co|[\w.-]+\.openai\.azure\.com)"
    r"/.*(?:completions|messages|responses|generateContent|generate|chat|models/)"
)
"""Where vendors of models are asked; lists of models and accounts are elsewhere."""

MODEL_CLIENTS = re.compile(
    r"openai\.(?:Async)?(?:Azure)?OpenAI|anthropic\.(?:Async)?Anthropic\w*|groq\.(?:Async)?Groq"
    r"|together\.(?:Async)?Together"
)
"""Constructors of clients of models."""

PATIENT = re.compile(r"openai\..*|anthropic\..*")
"""Those of them that wait for an answer up to ten minutes where nothing is said."""


def does(name: str, call: ast.Call) -> Does:
    """Return what a call of that full name does."""
    last = name.rpartition(".")[2]
    if last not in _LAST and not last.startswith(_LAST_STARTS):
        return Does.NOTHING
    if name.endswith(".messages.create"):
        return _messages(name, call)
    found = _by_name(name)
    if found is Does.HTTP_READ and last == "request":
        return _requested(call)
    if found in (Does.HTTP_READ, Does.HTTP_WRITE) and asks_model_host(call):
        return Does.MODEL
    return found


@lru_cache(maxsize=20_000)
def _by_name(name: str) -> Does:
    return next((kind for kind, pattern in _PATTERNS if pattern.fullmatch(name)), Does.NOTHING)


def _messages(name: str, call: ast.Call) -> Does:
    """Two libraries share the name: Anthropic's takes a model, Twilio's an addressee."""
    given = {one.arg for one in call.keywords}
    if "model" in given or name.startswith("anthropic."):
        return Does.MODEL
    return Does.MESSAGE if "to" in given else Does.NOTHING


def _requested(call: ast.Call) -> Does:
    method = call.args[0] if call.args else None
    if isinstance(method, ast.Constant) and str(method.value).upper() not in {"GET", "HEAD"}:
        return Does.HTTP_WRITE
    return Does.HTTP_READ


def asks_model_host(call: ast.Call) -> bool:
    """Whether a request goes to a vendor of models, as far as its address is written there."""
    return any(
        isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and MODEL_ADDRESSES.match(one.value)
        for argument in call.args[:2]
        for one in ast.walk(argument)
    ) or any(
        isinstance(one.value, ast.Constant)
        and isinstance(one.value.value, str)
        and MODEL_ADDRESSES.match(one.value.value)
        for one in call.keywords
        if one.arg == "url"
    )


def given(call: ast.Call, name: str) -> ast.expr | None:
    """Return what a call gives for a keyword; None where it does not."""
    return next((one.value for one in call.keywords if one.arg == name), None)


def spreads(call: ast.Call) -> bool:
    """Whether a call hands on keywords that nobody can see here."""
    return any(one.arg is None for one in call.keywords)
