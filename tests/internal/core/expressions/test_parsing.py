"""`until` as text is read part by part; what the language lacks is refused with its text."""

from __future__ import annotations

import re

import pytest

from operonx.core.expressions.parsing import parse_expression
from operonx.core.expressions.refs import ParentRef


def read(text: str) -> str:
    return repr(parse_expression(text, lambda name: ParentRef(None, name)))


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("n >= 3", "<n> >= 3"),
        ("1 < n < 3", "(1 < <n>) & (<n> < 3)"),
        ("a and b and not c", "(<a> & <b>) & (~<c>)"),
        ("a or b", "<a> | <b>"),
        ("'x' in xs", "<xs>.contains('x')"),
        ("1 not in xs", "~<xs>.contains(1)"),
        ("x is None", "<x>.is_none()"),
        ("x is not None", "~<x>.is_none()"),
        ("-x + 1", "(-<x>) + 1"),
        ("xs.len() > 0", "<xs>.len() > 0"),
        ("xs[0]['k'] == [1, y]", '<xs>[0]["k"] == [1, <y>]'),
    ],
)
def test_text_becomes_an_expression(text: str, read_as: str) -> None:
    assert re.sub(r"<(\w+)>", r'PARENT["\1"]', read_as) == read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n >=", "is no expression: invalid syntax"),
        ("", "is no expression"),
        ("n\0", "null bytes"),
        ("f(n)", "`f(n)` has no place in an expression"),
        ("lambda: 1", "has no place in an expression"),
        ("[x for x in xs]", "has no place in an expression"),
        ("n ** 2", "`n ** 2` has no place in an expression"),
        ("__import__('os').system('ls')", "no method `.system` with 1 arguments"),
        ("xs.pop()", "no method `.pop` with 0 arguments; known: contains, flatten, is_none, len"),
        ("xs.len(1)", "no method `.len` with 1 arguments"),
        ("n is 3", "`is` compares with None only; write `==`"),
        ("n" + " + 1" * 5_000, "nested too deeply"),
    ],
)
def test_what_the_language_lacks_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at below
        read(text)
    assert message in str(caught.value)
