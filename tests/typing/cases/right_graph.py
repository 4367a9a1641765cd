"""A graph with all the forms of typed code; both checkers accept it and know the types."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, TypedDict, assert_type

from operonx.core import (
    END,
    PARENT,
    START,
    GraphOp,
    Operon,
    Rate,
    Retry,
    RunContext,
    State,
    Static,
    Stream,
    batch,
    collect,
    contains,
    each,
    edge,
    emit,
    error_of,
    first_of,
    flatten,
    graph,
    if_,
    is_none,
    length,
    op,
    or_else,
    race,
    soft,
    stream,
    switch,
    template,
)


class Page(TypedDict):
    text: str
    size: int


@op
def plain(url: str) -> Page:
    return {"text": url, "size": len(url)}


@op
async def fetched(url: str) -> Page:
    return {"text": url, "size": len(url)}


@op
def split(text: str) -> Iterator[str]:
    yield from text.split()


@op(timeout=3.0)
async def typed_out(text: str) -> AsyncIterator[str]:
    yield text


@op(run_in="inline")
def shout(text: str, times: int = 1) -> str:
    return text.upper() * times


@op(timeout=2.0)
async def slow(text: str) -> str:
    return text


@op(max_open=3)
def parts(text: str) -> Iterator[str]:
    yield text


@op
def joined(texts: list[str]) -> str:
    return " ".join(texts)


@op
def with_run(run: RunContext, name: str) -> int:
    return len(run.run_id + name)


@op(timeout=1.0)
async def with_run_async(run: RunContext, name: str) -> AsyncIterator[int]:
    yield len(run.run_id + name)


@op
def run_last(name: str, run: RunContext | None = None) -> int:
    return len(name) if run is None else run.attempt


@op
def show(value: object, width: int = 3) -> str:
    return str(value)[:width]


@op
def told(error: object) -> str:
    return str(error)


@op
def summed(numbers: Stream[int]) -> int:
    return sum(numbers)


@op
async def counted(texts: Stream[str]) -> AsyncIterator[int]:
    number = 0
    async for text in texts:
        number += len(text)
        yield number


with GraphOp("typed", inputs={"url": str, "pages": list[str]}) as g:
    page = assert_type(plain(PARENT["url"]), Page)
    other = assert_type(fetched(url=page["text"]), Page)
    word = assert_type(split(text=page["text"]), str)
    letter = assert_type(typed_out(text=word), str)
    loud = assert_type(shout(letter, times=page["size"]), str)
    waited = assert_type(slow.with_(name="w", timeout=1.0)(text=loud), str)
    part = assert_type(parts(text=waited), str)
    whole = assert_type(joined(texts=collect(loud)), str)
    number = assert_type(with_run(name=whole), int)
    numbers = assert_type(with_run_async(name=whole), int)
    last = assert_type(run_last(name=whole), int)
    show(value=last, width=number)
    item = each(["a", "b"])
    each_loud = shout(text=item["item"], times=item["index"])
    assert_type(collect(each_loud), list[str])
    assert_type(first_of(page, other)["text"], str)
    assert_type(or_else(whole, "none"), str)
    text = assert_type(template("{a} and {b}", a=whole, b=last), str)
    told(error=error_of(whole))
    assert_type(summed(numbers=stream(item["index"])), int)
    assert_type(counted(texts=stream(loud)), int)
    assert_type(batch(loud, 3), list[str])
    assert_type(race(whole, loud), str)
    assert_type(length(whole), int)
    assert_type(contains(whole, "a"), bool)
    assert_type(is_none(whole), bool)
    assert_type(flatten(collect(batch(loud, 3))), list[str])
    if_(length(whole) > 3, page).elif_(is_none(whole), other).else_(last)
    switch(whole, {"a": page, "b": [other]}, default=last)
    slow.with_(retry=Retry(3), rate=Rate(5), on_error="skip", run_in="inline")(text=whole)
    START >> page
    edge(page, other)
    edge(page, soft(number))
    edge([page, other], [last, soft(numbers)])
    whole >> END
    page["text"] >> PARENT["text"]


@graph
def titled(url: str) -> Page:
    found = fetched(url=url)
    return {"text": shout(text=found["text"]), "size": found["size"]}


@graph(timeout=3.0)
def sized(url: str, limit: Static[int] = 3) -> str:
    return shout(text=url, times=min(limit, 3))


@graph.loop(until="text == 'done'", max_iterations=3, on_error="skip")
def repeated(text: str = "") -> str:
    return shout(text=text)


@graph.loop(until="words.len() >= limit")
def gathered(
    limit: int,
    words: list[str] = State([], reducer="append"),
    counts: dict[str, int] = State({}, "merge"),
    given: list[str] = State(reducer="extend"),
) -> dict[str, Any]:
    word = shout(text="a", times=length(words))
    return {"words": word, "counts": {"a": length(word)}, "given": words}


with GraphOp("outer", inputs={"url": str}) as outer:
    title = assert_type(titled(url=PARENT["url"]), Page)
    title["text"] >> PARENT["text"]
    assert_type(sized.with_(name="s", timeout=1.0)(url=title["text"], limit=2), str)
    assert_type(repeated(text=title["text"]), str)
    lists = gathered(limit=3, given=["b"])
    shout(text=lists["words"][-1], times=lists["counts"]["a"])
    assert_type(State([title["text"]], reducer="append"), list[str])

with GraphOp("blocks", inputs={"url": str}) as blocks:
    with GraphOp("inner", inputs=["url"], url=PARENT["url"]) as inner:
        plain(url=PARENT["url"]) >> END
    text = assert_type(shout(text=inner["text"], times=inner["size"]), str)
    failed = assert_type(shout(text=inner.error["message"]), str)
    with GraphOp.loop(until=PARENT["n"] >= 3, n=State(0, reducer="sum")) as loop:
        with_run(name="abc") >> PARENT["n"]
    rounds = assert_type(shout(text=text, times=loop["n"]), str)
    each_round = assert_type(shout(text="a", times=loop.iterations["n"]), str)
    rest = assert_type(shout(text="b"), str)
    route = switch(text, {"a": rounds}, default=rest)
    chosen = assert_type(shout(text=route["result"]), str)
    assert_type(emit("progress", each_round), None)
    assert_type(emit.with_(name="said")(channel="progress", value=chosen), None)

engine = Operon(outer)
again = Operon(titled)
