"""A graph is an op of another graph; its stream passes through to the outer one."""

from __future__ import annotations

from collections.abc import Iterator

from operonx.core import Operon, collect, each, graph, op


@op
def lines(text: str) -> Iterator[str]:
    """Give the lines of a text."""
    yield from text.splitlines()


@op
def count_words(text: str) -> int:
    """Count words."""
    return len(text.split())


@op
def total(counts: list[int]) -> int:
    """Add up."""
    return sum(counts)


@graph
def lengths(text: str) -> int:
    """Give one number a line: a stream, which is the graph's output as it is."""
    return count_words(text=lines(text=text))


@graph
def poems(texts: list[str]) -> dict[str, int]:
    """Run `lengths` once for every text."""
    words = lengths(text=each(texts)["item"])
    sums = total(counts=collect(words))
    return {"words": words, "sums": sums, "in all": total(counts=collect(sums))}


print(poems.build())
result = Operon(poems).run_sync({"texts": ["one two\nthree", "four", ""]})
print(result["words"], result["sums"], result["in all"])

# Output:
# graph poems(texts: list[str])
#   each(list=PARENT["texts"]) -> item[each], index: int[each]
#   graph words(text: str) for each [each]
#     lines(text=PARENT["text"]) -> result: str[lines]
#     count_words(text=lines["result"]) -> result: int[lines]
#     count_words["result"] >> result[lines]
#     text = each["item"]
#   sums(counts=words["result"].collect()) -> result: int[each]
#   total(counts=sums["result"].collect()) -> result: int
#   words["result"] >> words[each][lines]
#   sums["result"] >> sums[each]
#   total["result"] >> in all
# [[2, 1], [1], []] [3, 1, 0] 4
