"""A generator opens a stream: its items are worked on side by side, and collected in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from operonx.core import Operon, Stream, collect, graph, op, stream


@op
def sentences(text: str) -> Iterator[str]:
    """Give a text's sentences, one at a time."""
    for sentence in text.split(". "):
        yield sentence.strip(".")


@op
async def shout(text: str) -> str:
    """Take the longer, the shorter the text."""
    await asyncio.sleep(0.02 / len(text))
    return text.upper()


@op
async def pairs(items: Stream[str]) -> AsyncIterator[str]:
    """Join each two items: an op that is handed the stream itself may give more items or fewer."""
    left = ""
    async for item in items:
        if left:
            yield f"{left} + {item}"
        left = "" if left else item


@graph
def shouting(text: str) -> dict[str, list[str]]:
    """Wire it."""
    loud = shout(text=sentences(text=text))
    return {"all": collect(loud), "pairs": collect(pairs(items=stream(loud)))}


async def main() -> None:
    """Show the frames of one op in order, then the result."""
    text = "Wait. The second one is longer. So. This is the end."
    async with Operon(shouting).stream({"text": text}, order="index") as run:
        async for frame in run:
            if frame.op_name == "shouting.loud":
                print(frame.ctx, frame.outputs["result"])
    print(run.result["pairs"])


asyncio.run(main())

# Output:
# (('shouting.sentences', 0),) WAIT
# (('shouting.sentences', 1),) THE SECOND ONE IS LONGER
# (('shouting.sentences', 2),) SO
# (('shouting.sentences', 3),) THIS IS THE END
# ['WAIT + THE SECOND ONE IS LONGER', 'SO + THIS IS THE END']
