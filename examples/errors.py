"""What becomes of an op that fails: its item is skipped, another op handles it, or the run ends."""

from __future__ import annotations

from typing import Any

from operonx.core import Operon, OpError, collect, each, error_of, graph, op, or_else, template


@op
def half(number: int) -> int:
    """Fail for odd numbers."""
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2


@graph
def skipping(numbers: list[int]) -> dict[str, list[int]]:
    """Go on without what failed; `or_else` keeps its place in the list."""
    halves = half.with_(on_error="skip")(number=each(numbers)["item"])
    return {"halves": collect(halves), "in place": collect(or_else(halves, 0))}


@graph
def handling(number: int) -> dict[str, Any]:
    """Read the error: what reads it fires only if the op failed."""
    halved = half(number=number)
    return {"half": halved, "why not": template("no, {x}", x=error_of(halved)["message"])}


@graph
def raising(number: int) -> int:
    """Leave it to the caller."""
    return half(number=number)


result = Operon(skipping).run_sync({"numbers": [4, 5, 6]})
print(result["halves"], result["in place"])
print(result.errors[0])
print(Operon(handling).run_sync({"number": 7}))
try:
    Operon(raising).run_sync({"number": 7})
except OpError as error:
    print(error.op, "|", repr(error.__cause__))

# Output:
# [2, 3] [2, 0, 3]
# op `skipping.halves` at skipping.each[1] failed: ValueError: 5 is odd (inputs: number=5)
# RunResult({'why not': 'no, 7 is odd'})
# raising.half | ValueError('7 is odd')
