"""Policies: try again, give up after a time, fall back to something else."""

from __future__ import annotations

import asyncio

from operonx.core import Operon, Retry, RunContext, graph, op


@op(retry=Retry(attempts=3, backoff=0.01, on=(ConnectionError,)))
async def fetch(run: RunContext, name: str) -> str:
    """Fail twice, then answer."""
    if run.attempt < 3:
        raise ConnectionError("no answer")
    return f"{name} at attempt {run.attempt}"


@op
def remember(name: str) -> str:
    """Answer at once; it has the ports of `search`, so it may stand in for it."""
    return f"{name}, as it was yesterday"


@op(timeout=0.05, retry=Retry(attempts=2), fallback=remember)
async def search(name: str) -> str:
    """Take too long, at every attempt."""
    await asyncio.sleep(60)
    return f"{name}, fresh"


@graph
def look_up(name: str) -> dict[str, str]:
    """Wire it; a use may set policies of its own."""
    plain = search.with_(name="plain", fallback="nothing found")(name=name)
    return {"fetched": fetch(name=name), "found": search(name=name), "plain": plain}


result = Operon(look_up).run_sync({"name": "page"})
for name in ("fetched", "found", "plain"):
    print(f"{name}: {result[name]}")

# Output:
# fetched: page at attempt 3
# found: page, as it was yesterday
# plain: nothing found
