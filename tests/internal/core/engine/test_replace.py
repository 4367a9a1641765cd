"""`Operon(replace={"path": fake})`: another function in an op's place, all else as it was."""

# What an op takes and does not look at is what its test hands it.
# ruff: noqa: ARG001

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from operonx.core import PARENT, GraphOp, Operon, OpError, Retry, each, graph, op

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op(retry=Retry(attempts=3))
async def fetch(url: str) -> str:
    raise LookupError("no network")


@op
async def tokens(text: str) -> AsyncIterator[str]:
    raise LookupError("no network")
    yield text


@op
def shout(text: str) -> str:
    return text.upper()


def author() -> GraphOp:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["url"], url=PARENT["url"]) as sub:
            page = fetch(url=PARENT["url"])
            page >> PARENT["text"]
        t = tokens(text=sub["text"])
        s = shout(text=t)
        s >> PARENT["out"]
    return g


def plain_tokens(text: str) -> Iterator[str]:
    yield from text


async def async_tokens(text: str) -> AsyncIterator[str]:
    for letter in text:
        yield letter


def doubled(url: str) -> str:
    return url * 2


def plain_page(url: str) -> str:
    return url[-2:]


async def async_page(url: str) -> str:
    return url[-2:]


@pytest.mark.parametrize("page", [plain_page, async_page], ids=["def", "async def"])
@pytest.mark.parametrize("stream", [plain_tokens, async_tokens])
async def test_functions_of_any_kind_stand_in(page: Any, stream: Any) -> None:
    engine = Operon(author(), replace={"g.sub.page": page, "g.t": stream})
    for _ in range(3):
        assert {"out": ["X", "Y"]} == dict(await engine.run({"url": "http://xy"}))


async def test_frames_are_those_of_the_op_it_stands_for() -> None:
    engine = Operon(author(), replace={"g.sub.page": op(async_page), "g.t": plain_tokens})
    paths = {frame.op_name async for frame in engine.stream({"url": "http://xy"})}
    assert {"g.sub.page", "g.t", "g.s"} == paths


async def test_policies_stay_those_of_the_op() -> None:
    calls: list[str] = []

    def fails_twice(url: str) -> str:
        calls.append(url)
        if len(calls) < 3:
            raise ValueError
        return "ab"

    engine = Operon(author(), replace={"g.sub.page": fails_twice, "g.t": plain_tokens})
    assert {"out": ["A", "B"]} == dict(await engine.run({"url": "u"}))
    assert ["u", "u", "u"] == calls


async def test_other_engines_of_the_graph_are_not_changed() -> None:
    g = author()
    Operon(g, replace={"g.sub.page": async_page, "g.t": plain_tokens})
    with pytest.raises(OpError, match="no network") as caught:
        await Operon(g).run({"url": "u"})
    assert "g.sub.page" == caught.value.op


async def test_a_fake_that_returns_the_wrong_shape_fails_as_the_op() -> None:
    @op(outputs=["a", "b"])
    def two() -> dict[str, int]:
        return {"a": 1, "b": 2}

    with GraphOp(name="g") as g:
        t = two()
        t["a"] >> PARENT["a"]
        t["b"] >> PARENT["b"]

    @op(outputs=["a", "b"])
    def short() -> dict[str, int]:
        return {"a": 1}

    with pytest.raises(OpError, match="lacks `b`") as caught:
        await Operon(g, replace={"g.t": short}).run()
    assert "g.t" == caught.value.op


def lacking(other: int) -> str:
    return ""


def other_ports(url: str) -> dict[str, int]:
    return {"body": 1, "status": 2}


def wanting_more(url: str, key: str, port: int = 80) -> str:
    return f"{url}{key}{port}"


@pytest.mark.parametrize(
    ("replace", "message"),
    [
        ({"g.sub.pge": async_page}, "did you mean `g.sub.page`"),
        ({"page": async_page}, "no op `page`"),
        ({"g.sub": async_page}, "is a graph; replace the ops in it: `g.sub.page`"),
        ({"g.sub.page": lacking}, "`url`"),
        ({"g.sub.page": wanting_more}, "requires `key`, which `g.sub.page` is not given.*`url`"),
        ({"g.sub.page": op(wanting_more)}, "requires `key`"),
        ({"g.sub.page": async_tokens}, "`url`|generators"),
        ({"g.t": shout}, "generators"),
        ({"g.sub.page": op(other_ports)}, "ports"),
    ],
    ids=[
        "typo",
        "name",
        "graph",
        "parameter",
        "more",
        "more of an op",
        "generator",
        "no generator",
        "ports",
    ],
)
async def test_what_cannot_stand_in_is_refused_when_the_engine_is_made(
    replace: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Operon(author(), replace=replace)


@graph
def nested(url: str) -> Any:
    return fetch(url=url)


@pytest.mark.parametrize("fake", [None, 3, nested, nested.build(), author()])
async def test_what_is_no_function_is_refused_when_the_engine_is_made(fake: Any) -> None:
    with pytest.raises(
        TypeError, match=r"replace: .* in the place of `g\.sub\.page`, got "
    ) as caught:
        Operon(author(), replace={"g.sub.page": fake})
    assert repr(fake) in str(caught.value)


@pytest.mark.parametrize("replace", [[], 0, [async_page]])
async def test_what_is_no_mapping_is_refused_also_where_it_is_empty(replace: Any) -> None:
    with pytest.raises(TypeError, match=r"replace=.*: takes a mapping"):
        Operon(author(), replace=replace)


@pytest.mark.parametrize("ports", [[1], ["out", None], 5])
async def test_ports_that_are_no_names_are_refused(ports: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(f"ports={ports!r}: takes a list")):
        Operon(author()).stream({"url": "u"}, ports=ports)


async def test_an_op_in_a_stream_is_replaced_for_every_item() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        page = fetch(url=item["item"])
        page >> PARENT["out"]
    engine = Operon(g, replace={"g.page": doubled})
    assert {"out": ["aa", "bb"]} == dict(await engine.run({"xs": ["a", "b"]}))


@pytest.mark.parametrize("kind", [Mock, AsyncMock])
async def test_a_mock_stands_in_and_notes_what_it_was_given(kind: Any) -> None:
    page = kind(return_value="xy")
    engine = Operon(author(), replace={"g.sub.page": page, "g.t": plain_tokens})
    assert {"out": ["X", "Y"]} == dict(await engine.run({"url": "u"}))
    page.assert_called_once_with(url="u")


async def test_an_op_in_the_place_of_its_path_is_told_its_path() -> None:
    replace: Any = {fetch: async_page}
    with pytest.raises(TypeError, match=r"got <op fetch> as a path; write 'g\.sub\.page'"):
        Operon(author(), replace=replace)
    listed: Any = [async_page]
    with pytest.raises(TypeError, match="takes a mapping"):
        Operon(author(), replace=listed)


@op(run_in="process")
def in_process(x: int) -> int:
    return x * 2


@pytest.mark.parametrize("kind", ["lambda", "mock", "async mock", "op"])
async def test_what_replaces_an_op_of_a_process_runs_in_this_one(kind: str) -> None:
    seen: list[int] = []

    @op
    def local(x: int) -> int:
        seen.append(x)
        return 7

    fakes: dict[str, Any] = {
        "lambda": lambda x: 6 + len(str(x)),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        "mock": Mock(return_value=7),
        "async mock": AsyncMock(return_value=7),
        "op": local,
    }
    with GraphOp(name="g") as g:
        in_process(x=PARENT["x"]) >> PARENT["out"]
    engine = Operon(g, replace={"g.in_process": fakes[kind]})
    assert {"out": 7} == dict(await engine.run({"x": 1}))
    assert kind != "op" or [1] == seen
