"""`template` takes plain fields only, each with a value."""

from __future__ import annotations

from typing import Any

import pytest

from operonx.core import PARENT, template


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
