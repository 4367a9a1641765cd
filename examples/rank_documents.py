"""Rank the passages of a folder's Markdown files by a question; no key, no server.

    python examples/rank_documents.py [folder [question]]

A generator reads and cuts the files; passages are cleaned and measured while it goes on reading; a
branch takes code apart otherwise than prose. A collect waits for them all, and a loop widens the
question until its ten best passages stay the same.
"""

from __future__ import annotations

import asyncio
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from operonx.core import Operon, collect, first_of, graph, if_, op

Weights = dict[str, float]


@op
def passages(folder: str, longest: int = 600) -> Iterator[dict[str, str]]:
    """Cut every Markdown file at its blank lines; leave hidden folders alone."""
    names = sorted(file.relative_to(folder) for file in Path(folder).rglob("*.md"))
    for name in (name for name in names if not re.search(r"(^|/)\.", name.as_posix())):
        piece, start = "", 1
        for block in re.split(r"(?<=\n)\n+", Path(folder, name).read_text("utf-8")):
            if len(piece) + len(block) > longest and piece:
                yield {"place": f"{name.as_posix()}:{start}", "text": piece}
                start, piece = start + piece.count("\n"), ""
            piece += f"{block}\n"
        yield {"place": f"{name.as_posix()}:{start}", "text": piece}


@op
def clean(text: str) -> str:
    """Take Markdown's marks away."""
    return " ".join(re.sub(r"<!--.*?-->|\]\([^)]*\)|[#*>`\[\]|]|-{3,}", " ", text).split())


@op
def code_share(text: str) -> float:
    """Give which part of the words look like code, from 0 to 1."""
    return len(re.findall(r"\S*[_(){}=;]\S*", text)) / max(1, len(text.split()))


@op
def readability(text: str) -> float:
    """Give the automated readability index, about the school years that a text asks for."""
    words = re.findall(r"[A-Za-z]+", text) or ["-"]
    sentences = max(1, len(re.findall(r"[.!?](?:\s|$)|\n[|#-]", text)))
    return 4.71 * sum(map(len, words)) / len(words) + 0.5 * len(words) / sentences - 21.43


@op
def code_terms(text: str) -> list[str]:
    """Split names at underscores and capitals."""
    return [name.lower() for name in re.findall(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}", text)]


@op
def prose_terms(text: str) -> list[str]:
    """Take the words, plurals as singulars."""
    return [re.sub(r"(?<=[a-rt-z])s$", "", word) for word in re.findall(r"[a-z]{2,}", text.lower())]


@op
def weigh(terms: list[list[str]]) -> list[Weights]:
    """Weigh terms by tf-idf: what is often here and seldom elsewhere weighs most."""
    spread = Counter(term for passage in terms for term in set(passage))
    idf = {term: math.log(len(terms) / count) for term, count in spread.items()}
    return [{t: n / (n + 1.5) * idf[t] for t, n in Counter(one).items()} for one in terms]


@op
def score(question: list[str], passages: list[Weights], top: int = 10) -> list[int]:
    """Give the numbers of the best passages; a term counts for less, the later it came."""
    worth = {term: 0.8**place for place, term in enumerate(question)}
    points = [sum(w * one.get(term, 0.0) for term, w in worth.items()) for one in passages]
    return sorted(range(len(points)), key=lambda i: (-points[i], i))[:top]


@op
def widen(question: list[str], passages: list[Weights], best: list[int]) -> list[str]:
    """Add the term that weighs most in the best three passages."""
    new = sorted({term for i in best[:3] for term in passages[i]} - set(question))
    weight = {term: sum(passages[i].get(term, 0.0) for i in best[:3]) for term in new}
    return [*question, *sorted(new, key=lambda term: -weight[term])[:1]]


@graph.loop(until="settled or iteration == 9")
def search(question: list[str], passages: list[Weights], best: list[int]) -> dict[str, Any]:
    """Widen the question until its best passages stay the same, at most ten times."""
    now = score(question=question, passages=passages)
    wider = widen(question=question, passages=passages, best=now)
    return {"question": wider, "best": now, "settled": now == best}


@op
def lines(best: list[int], places: list[str], texts: list[str], levels: list[float]) -> list[str]:
    """Write the best passages as lines."""
    return [f"{places[i]:34} level {levels[i]:4.1f}  {texts[i][:60]}" for i in best]


@graph
def rank(folder: str, question: str) -> list[str]:
    """Wire it all."""
    passage = passages(folder=folder)
    text = clean(text=passage["text"])
    level = readability(text=passage["text"])
    share = code_share(text=passage["text"])
    code = code_terms(text=passage["text"])
    prose = prose_terms(text=text)
    if_(share > 0.2, code).else_(prose)
    weights = weigh(terms=collect(first_of(code, prose)))
    found = search(question=prose_terms(text=question), passages=weights, best=[])
    places, texts, levels = collect(passage["place"]), collect(text), collect(level)
    return lines(best=found["best"], places=places, texts=texts, levels=levels)


async def show(folder: str, question: str) -> None:
    """Run it; print its first frames and those of the loop, its result and its timing."""
    began, count = time.perf_counter(), 0
    async with Operon(rank).stream({"folder": folder, "question": question}) as run:
        async for frame in run:
            count += 1
            if count <= 8 or frame.op_name == "rank.found.now":
                place = frame.op_name + "".join(f"[{index}]" for _, index in frame.ctx)
                values = repr(dict(frame.outputs))[:66]
                print(f"{time.perf_counter() - began:6.3f} s  {place:18} {values}")
    print(f"\n{question}?", *run.result["result"], sep="\n  ")
    print(f"\n{count} frames in {time.perf_counter() - began:.3f} s")


if __name__ == "__main__":
    defaults = [str(Path(__file__).resolve().parents[1]), "what happens when a stream fails"]
    asyncio.run(show(*sys.argv[1:], *defaults[len(sys.argv) - 1 :]))

# Output:
# ... s  rank.found.now[0]  {'result': [...
# what happens when a stream fails?
#   ...
# ... frames in ... s
