"""The functions of refs: what each takes, `template` above all."""

from __future__ import annotations

from typing import Any

import pytest

import operonx.core as core
from operonx.core import PARENT, template

X: Any = PARENT["x"]


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        ("{a}", {}, "no value for `a`; the text has `a`."),
        ("{text}", {"txt": 1}, "no value for `text`; the text has `text`. did you mean `txt`?"),
        ("{a}", {"a": 1, "b": 2}, "no field `b`; the text has `a`."),
        ("{0}", {}, "a field is a plain name in braces, got {0}"),
        ("{a.b}", {}, "a field is a plain name in braces, got {a.b}"),
        ("{a!r}", {"a": 1}, "a field is a plain name in braces"),
        ("{a:>3}", {"a": 1}, "a field is a plain name in braces"),
        ("{", {}, "a brace in the text is written `{{` or `}}`"),
        ("}", {}, "a brace in the text is written `{{` or `}}`"),
    ],
)
def test_a_wrong_template_is_explained(text: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at below
        template(text, **fields)
    assert message in str(caught.value)


def test_a_template_is_a_text() -> None:
    wrong: Any = PARENT["x"]
    with pytest.raises(TypeError, match="`template` takes a text"):
        template(wrong)


def test_braces_are_doubled_and_a_field_may_repeat() -> None:
    assert "template('{{{a}}} {a}', a=1)" == repr(template("{{{a}}} {a}", a=1))


@pytest.mark.parametrize(
    "function", [core.collect, core.stream, core.length, core.is_none, core.flatten]
)
def test_a_function_of_refs_takes_a_ref(function: Any) -> None:
    with pytest.raises(TypeError, match="takes a ref, got 3"):
        function(3)


def test_a_choice_takes_two_or_more_refs() -> None:
    with pytest.raises(TypeError, match="two or more refs or ops, got 1"):
        core.first_of(X)
    with pytest.raises(TypeError, match="takes refs or ops, got 3"):
        core.race(X, 3)
