"""Secrets are found by their form, shown by their place, and never by their value."""

from __future__ import annotations

import pytest

from proveout.errors import Refusal
from proveout.release.secrets_found import SecretInRelease, refuse_secrets

BODY = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kL9nP2rS5uV8xA"
"""Fifty characters; tokens are joined here, so that this file holds none."""

UPPER = "QX7B2MZ4KD9WPLTA"
TOKENS = {
    "an Anthropic key": "sk-ant-" + "api03-" + BODY,
    "an OpenAI key": "sk-" + "proj-" + BODY,
    "an OpenAI key, older": "sk-" + BODY[:20] + "T3Blb" + "kFJ" + BODY[20:40],
    "an OpenAI key, of 48": "sk-" + BODY[:48],
    "an AWS access key": "AK" + "IA" + UPPER,
    "an AWS access key for a session": "AS" + "IA" + UPPER,
    "a GitHub token": "gh" + "p_" + BODY[:36],
    "a GitHub token, fine-grained": "github" + "_pat_" + BODY,
    "a live Stripe key": "sk" + "_live_" + BODY[:24],
    "a live Stripe key, restricted": "rk" + "_live_" + BODY[:24],
    "a webhook's signing secret": "whsec" + "_" + BODY[:32],
    "a Slack token": "xo" + "xb-" + "123456789012-" + BODY[:24],
    "a Slack webhook": "hooks.slack" + ".com/services/T12345678/B12345678/" + BODY[:24],
    "a Google key": "AI" + "za" + BODY[:35],
    "a Google client's secret": "GOC" + "SPX-" + BODY[:28],
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + BODY + "\n",
}


def leaks(name: str, text: str) -> SecretInRelease:
    with pytest.raises(SecretInRelease) as caught:
        refuse_secrets({"app/ok.py": b"x = 1\n", name: text.encode()})
    return caught.value


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_is_refused_by_its_place_and_kind(kind: str) -> None:
    """The file, the line and what it is; the value stands in no part of the refusal."""
    token = TOKENS[kind]

    refusal = leaks("app/flow.py", f"import os\n\nkey = '{token}'\n")

    (leak,) = refusal.leaks
    assert isinstance(refusal, Refusal)
    assert refusal.message == f"app/flow.py:3 holds {kind.partition(',')[0].partition(' for ')[0]}"
    assert (leak.path, leak.line) == ("app/flow.py", 3)
    assert BODY[5:15] not in f"{refusal.message}{refusal.why}{refusal.fix}{refusal!r}"
    assert UPPER not in f"{refusal.message}{refusal.why}{refusal.fix}{refusal!r}"
    assert any("os.environ" in fix for fix in refusal.fix)


@pytest.mark.parametrize("kind", TOKENS)
def test_a_line_that_says_so_holds_no_secret(kind: str) -> None:
    """The mark counts on its own line, and on no other."""
    line = f"key = '{TOKENS[kind].partition(chr(10))[0]}'"
    rest = TOKENS[kind].partition("\n")[2]

    refuse_secrets({"a.py": f"{line}  # proveout: not a secret\n{rest}".encode()})

    refusal = leaks("a.py", f"# proveout: not a secret\n{line}\n{rest}")
    assert [leak.line for leak in refusal.leaks] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "key = os.environ['OPENAI_API_KEY']",
        "the key starts with sk-proj- or sk-ant-",
        "sk-proj-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AK" + "IAIOSFODNN7EXAMPLE",
        "sk" + "_test_" + BODY[:24],
        "task-" + BODY[:48],
        "desk-ant-" + BODY,
        "import skimage  # sk-learn-is-a-package-with-a-long-name",
        "if '-----BEGIN PRIVATE " + "KEY-----' in text: ...",
        BODY * 20,
        "d" * 64,
        "whsec_...",
    ],
)
def test_what_only_resembles_a_token_is_none(text: str) -> None:
    """Placeholders, test keys, digests and other words: a false alarm teaches to mark all."""
    refuse_secrets({"app/flow.py": text.encode(), "data.bin": bytes(range(256)) * 50})


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "app/.env.production",
        "app/prod.env",
        "app/server.pem",
        "app/TLS.KEY",
        "app/id_rsa",
        "app/credentials.json",
        "app/client_secret_42.json",
        "app/secrets.toml",
        ".netrc",
    ],
)
def test_a_file_may_be_a_secret_by_its_name(name: str) -> None:
    """Whatever it holds; its first line may say that it is none."""
    refusal = leaks(name, "a=b\n")

    assert refusal.leaks[0].line is None
    assert refusal.message.startswith(f"{name} holds ")
    refuse_secrets({name: b"# proveout: not a secret\na=b\n"})


@pytest.mark.parametrize("name", [".env.example", "env.py", "keys.py", "id_rsa.pub", "key.md"])
def test_other_names_are_no_secret(name: str) -> None:
    refuse_secrets({name: b"a=b\n"})


def test_a_certificate_is_public() -> None:
    """A file that holds both is not."""
    public = "-----BEGIN CERTIFICATE-----\n" + BODY + "\n-----END CERTIFICATE-----\n"

    refuse_secrets({"app/ca.pem": public.encode()})

    assert len(leaks("app/ca.pem", public + TOKENS["a private key"]).leaks) == 2


def test_every_secret_is_named_at_once() -> None:
    """In the order of the files, and not more lines than a person reads."""
    token = TOKENS["a GitHub token"]

    refusal = leaks("b.py", f"'{token}'\n" * 30)

    assert len(refusal.leaks) == 30
    assert refusal.message.endswith("and 10 more")
