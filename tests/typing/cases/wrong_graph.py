"""Mistakes in a graph that both checkers see."""

from collections.abc import Iterator
from typing import TypedDict

from operonx.core import (
    PARENT,
    GraphOp,
    RunContext,
    State,
    Stream,
    collect,
    each,
    emit,
    graph,
    op,
    stream,
)


class Page(TypedDict):
    text: str
    size: int


@op
def plain(url: str) -> Page:
    return {"text": url, "size": len(url)}


@op(timeout=1.0)
async def fetched(url: str) -> Page:
    return {"text": url, "size": len(url)}


@op
def split(text: str) -> Iterator[str]:
    yield from text.split()


@op
def joined(texts: list[str]) -> str:
    return " ".join(texts)


@op
def with_run(run: RunContext, name: str) -> int:
    return len(run.run_id + name)


@op
def summed(numbers: Stream[int]) -> int:
    return sum(numbers)


@graph
def titled(url: str) -> Page:
    return plain(url=url)


with GraphOp("typed", inputs={"url": str}):
    page = plain(url=PARENT["url"])
    plain(ulr=PARENT["url"])  # E: mypy=call-arg pyright=reportCallIssue pyright=reportCallIssue
    plain(url=3)  # E: mypy=arg-type pyright=reportArgumentType
    plain()  # E: mypy=call-arg pyright=reportCallIssue
    page["txt"]  # E: mypy=misc pyright=reportGeneralTypeIssues
    fetched(url=page["size"])  # E: mypy=arg-type pyright=reportArgumentType
    word = split(text=page["text"])
    joined(texts=word)  # E: mypy=arg-type pyright=reportArgumentType
    joined(texts=collect(page["size"]))  # E: mypy=arg-type pyright=reportArgumentType
    with_run(namee=word)  # E: mypy=call-arg pyright=reportCallIssue pyright=reportCallIssue
    with_run(name=1)  # E: mypy=arg-type pyright=reportArgumentType
    with_run()  # E: mypy=call-arg pyright=reportCallIssue
    item = each([1, 2])
    split(text=item["item"])  # E: mypy=arg-type pyright=reportArgumentType
    item["itemm"]  # E: mypy=typeddict-item pyright=reportGeneralTypeIssues
    titled(page=word)  # E: mypy=call-arg pyright=reportCallIssue pyright=reportCallIssue
    titled(url=page)  # E: mypy=arg-type pyright=reportArgumentType
    summed(numbers=item["item"])  # E: mypy=arg-type pyright=reportArgumentType
    summed(numbers=stream(word))  # E: mypy=arg-type pyright=reportArgumentType
    joined(texts=stream(word))  # E: mypy=arg-type pyright=reportArgumentType
    plain.with_(timout=3.0)(url="")  # E: mypy=call-arg pyright=reportCallIssue
    plain.with_(timeout="3")(url="")  # E: mypy=arg-type pyright=reportArgumentType
    plain.with_(on_error="ignore")(url="")  # E: mypy=arg-type pyright=reportArgumentType
    emit(chanel="a", value=word)  # E: mypy=call-arg pyright=reportCallIssue pyright=reportCallIssue
    emit("progress")  # E: mypy=call-arg pyright=reportCallIssue
    titled.with_(retry=3)(url="")  # E: mypy=call-arg pyright=reportCallIssue

op(timeoutt=3)  # E: mypy=call-overload pyright=reportCallIssue
State([], reducer="mean")  # E: mypy=call-overload pyright=reportArgumentType
ns: list[int] = State("a", "append")  # E: mypy=call-overload pyright=reportAssignmentType
