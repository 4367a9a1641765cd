"""Secrets are shown nowhere, and nothing else is hidden."""

# What an op takes and does not look at is what its test hands it.
# ruff: noqa: ARG001

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operonx.core import PARENT, GraphOp, InputError, Operon, OpError, op
from operonx.core.expressions.printing import show_value
from operonx.core.redaction import is_secret, is_secret_name, scrubbed, shortened

HIDDEN_NAMES = """
    key api_key apiKey APIKey OPENAI_API_KEY x-api-key X-Api-Key openaiApiKey apikey access_key
    token accessToken auth_token authtoken bearer Bearer auth Authorization proxy-authorization
    password PASSWORD db_password passwordHash passwd pwd userPwd PWD1 passphrase passcode otp jwt
    secret client_secret secrets credential credentials creds cookie cookies Set-Cookie session
    session_id sessionid signature private private_key privateKey PRIVATE api_keys access_tokens
    OAuth keyId
"""
SHOWN_NAMES = """
    max_tokens maxTokens token_count tokenCount total_tokens tokens prompt_tokens token_limit
    keyboard monkey author authority key_count primary_key sort_key public_key keys keywords turkey
    secretary compass bypass passenger passed tokenizer text x url config headers name donkey hockey
    privately signal obsession cookiecutter num_tokens
"""


@pytest.mark.parametrize("name", HIDDEN_NAMES.split())
def test_a_name_with_a_secret_word_is_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", SHOWN_NAMES.split())
def test_other_names_are_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("value", [None, True, False, ""])
def test_what_tells_nothing_is_shown(value: object) -> None:
    assert not is_secret("api_key", value)
    assert is_secret("api_key", 0)


@dataclass
class Config:
    host: str
    pwd: str
    extra: Any = None


HIDDEN = [
    {"api_key": "hush"},
    {"a": [{"b": ({"Authorization": "hush"},)}]},
    {"credentials": {"user": "hush", "more": ["hush", ("hush",)]}, "n": 1},
    {"token": b"hush"},
    {"pwd": "with 'both\" quotes, hush"},
    {b"cookie": "hush"},
    [("Authorization", "hush"), (b"x-api-key", b"hush")],
    Config("host", "hush", {"session": "hush"}),
    Config("host", "", [Config("h", "hush")]),
    {"secret": Config("hush", "hush")},
    '{"api_key": "hush", "n": 1}',
    '{"body": "{\\"api_key\\": \\"hush\\"}"}',
    {"body": '{"api_key": "hush it\'s"}'},
    "password=hush",
    "PASSWORD=hush\nUSER=me",
    "https://host/?n=1&api_key=hush&m=2",
    "https://me:hush@host/",
    "postgres://me:hu/hush@host/db",
    "https://hush@host/",
    f"https://me:hush{'x' * 5000}",
    {"dsn": "redis://:hush@host:6379/0"},
    "Authorization: Bearer hush",
    "authorization: Basic hush",
    "curl -H 'Bearer hush'",
    ["sk-hush1", "sk-hushhushhushhush"],
    "ghp_hushhush",
    "eyJhush.hushhush.hush",
    "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("value", HIDDEN, ids=str)
def test_a_secret_is_not_shown_however_deep(value: object) -> None:
    assert "hush" not in show_value(value, 10_000)
    assert "hush" not in show_value(value)
    assert "<redacted>" in show_value(value, 10_000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"api_key": "hush", "n": 2}, "{'api_key': <redacted>, 'n': 2}"),
        (
            {"api_key": None, "pwd": "", "private": True},
            "{'api_key': None, 'pwd': '', 'private': True}",
        ),
        (["password=a", "b"], "['password=<redacted>', 'b']"),
        (Config("h", "x", 1), "Config(host='h', pwd=<redacted>, extra=1)"),
        ("https://me:pw@host:80/?a=1", "'https://<redacted>@host:80/?a=1'"),
    ],
)
def test_only_the_secret_is_hidden(value: object, text: str) -> None:
    assert text == show_value(value, 100)


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 100, "author": "Ada", "keyboard": "qwerty"},
        "http://host:8080/path?x=1",
        "http://host:8080",
        ["http://a:80,http://b:90", "user@host"],
        ["token", "text"],
        "sk-learn",
        "key == 3",
    ],
)
def test_what_is_no_secret_is_shown_as_it_is(value: object) -> None:
    assert repr(value) == show_value(value, 1000)


@given(st.text(), st.integers(0, 50))
def test_any_text_can_be_shortened(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= max(limit, len("<redacted>")) + 3
    assert scrubbed(text) == text or "<redacted>" in scrubbed(text)


def test_a_long_text_takes_no_long_time() -> None:
    for part in ("sk-", "://a:b", "key", "key=", "('", "a.", "(", "\\'"):
        shortened(part * 1_000_000, 60)


# -- where they would be shown


class Login(TypedDict):
    user: str
    password: str


@op
def call(url: str, config: Any, auth: Any, max_tokens: int) -> int:
    raise ValueError("boom")


def test_an_op_error_shows_no_secret_of_its_inputs() -> None:
    with GraphOp(name="g", inputs=["url", "config", "auth"]) as g:
        r: Any = call(
            url=PARENT["url"], config=PARENT["config"], auth=PARENT["auth"], max_tokens=100
        )
        r["result"] >> PARENT["r"]
    inputs = {"url": "https://u:hush@h/", "config": {"a": {"api_key": "hush"}}, "auth": "hush"}
    with pytest.raises(OpError) as caught:
        Operon(g).run_sync(inputs)
    assert {
        "url": "'https://<redacted>@h/'",
        "config": "{'a': {'api_key': <redacted>}}",
        "auth": "<redacted>",
        "max_tokens": "100",
    } == caught.value.inputs
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "name", "value", "message"),
    [
        (str, "secret", 4711, "input `secret`: expected `str`, got `int`;"),
        (list[str], "api_keys", ["a", 4711], "item 1: expected `str`, got `int`;"),
        (int, "url", "http://u:4711@h", "got `str` 'http://<redacted>@h'"),
        (int, "config", {"pwd": "4711"}, "got `dict` {'pwd': <redacted>}"),
        (dict[str, str], "config", {"pwd": 4711}, "'pwd': expected `str`, got `int`;"),
        (
            Login,
            "login",
            {"user": "me", "password": 4711},
            "`password`: expected `str`, got `int`;",
        ),
        (Login, "login", {"user": 12, "password": "4711"}, "`user`: expected `str`, got `int` 12;"),
    ],
)
def test_an_input_error_shows_no_secret(
    annotation: Any, name: str, value: object, message: str
) -> None:
    @op(returns="y")
    def echo(x: Any) -> Any:
        return x

    with GraphOp(name="g", inputs={name: annotation}) as g:
        echo(x=PARENT[name])["y"] >> PARENT["y"]
    with pytest.raises(InputError) as caught:
        Operon(g).run_sync({name: value})
    assert message in str(caught.value)
    assert "4711" not in str(caught.value)


def test_a_printed_expression_shows_no_secret() -> None:
    with GraphOp(name="g", inputs=["x"]):
        made: Any = call(url="", config={"pwd": "hush", "x": PARENT["x"]}, auth=None, max_tokens=1)
        made["result"] >> PARENT["r"]
        text = repr(made.inputs["config"])
    assert "{'pwd': <redacted>, 'x': PARENT[\"x\"]}" == text
