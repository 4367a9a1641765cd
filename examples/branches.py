"""A branch fires one arm and skips the others; `first_of` reads the one that fired."""

from __future__ import annotations

from operonx.core import Operon, first_of, graph, if_, op


@op
def refund(order: str) -> str:
    """Answer one who wants money back."""
    return f"Order {order} is refunded."


@op
def apologise(order: str) -> str:
    """Answer one who waits."""
    return f"Order {order} is late, we are sorry."


@op
def thank(order: str) -> str:
    """Answer everybody else."""
    return f"Thank you for order {order}."


@graph
def answer(order: str, days: int, broken: bool) -> dict[str, str]:
    """Wire it."""
    money = refund(order=order)
    sorry = apologise(order=order)
    thanks = thank(order=order)
    if_(broken, money).elif_(days > 7, sorry).else_(thanks)
    return {"text": first_of(money, sorry, thanks), "refunded": money}


engine = Operon(answer)
for days, broken in [(2, True), (9, False), (2, False)]:
    result = engine.run_sync({"order": "A1", "days": days, "broken": broken})
    print(result["text"])

# What was skipped is not there, and the result knows why.
try:
    result["refunded"]
except KeyError as error:
    print(error.args[0])
print(result.why("answer.money"))

# Output:
# Order A1 is refunded.
# Order A1 is late, we are sorry.
# Thank you for order A1.
# output `refunded` is not there: branch `answer.branch` chose `thanks`
# `answer.money` was skipped: branch `answer.branch` chose `thanks`
