"""What a mistake in the use of an op says, and how to mend it."""

from typing import Any

import pytest

from operonx.core import END, PARENT, START, GraphOp, Retry, collect, each, op


@op
def up(text: str) -> str:
    return text.upper()


@op
def anything(text: str) -> dict[str, Any]:
    return {text: text}


def test_open_ports_say_how_to_have_one_port_or_named_ones() -> None:
    def build() -> None:
        with GraphOp("g", inputs={"text": str}):
            loose: Any = anything(text=PARENT["text"])
            up(text=loose)

    with pytest.raises(TypeError, match="make the whole dict one port") as raised:
        build()
    message = str(raised.value)
    assert "op `loose` has open ports" in message
    assert '`@op(returns="name")`' in message
    assert "TypedDict or `@op(outputs=[...])`" in message
    assert "an op without ports" not in message


def test_a_misspelt_policy_of_op_is_named() -> None:
    with pytest.raises(TypeError, match="no policy `timeoutt`; did you mean `timeout`"):
        op(timeoutt=3)(lambda text: text)  # type: ignore[call-overload]  # that is the mistake


def test_a_misspelt_setting_of_op_is_named() -> None:
    with pytest.raises(TypeError, match="no policy `output`; did you mean `outputs`"):
        op(output=["a"])(lambda text: text)  # type: ignore[call-overload]  # that is the mistake


def test_a_misspelt_policy_of_one_use_is_named() -> None:
    with pytest.raises(TypeError, match="no policy `retri`; did you mean `retry`"):
        up.with_(retri=Retry())  # type: ignore[call-arg]  # that is the mistake


def test_policies_are_set_before_the_call() -> None:
    with GraphOp("g", inputs={"text": str}):
        shout: Any = up(text=PARENT["text"])
        START >> shout >> END
        with pytest.raises(TypeError, match=r"set before the call.*`up\.with_\(name=...\)\(...\)`"):
            shout.with_(name="loud")


def test_collect_per_takes_an_op() -> None:
    with GraphOp("g", inputs={"texts": list[str]}):
        one: Any = each(PARENT["texts"])
        shout: Any = up(text=one["item"])
        shout >> END
        with pytest.raises(TypeError, match="per= takes an op"):
            collect(shout, per=one["item"])
        with pytest.raises(TypeError, match="per= takes an op"):
            shout.collect(per="one")
