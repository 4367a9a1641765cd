"""An op asks whoever watches the run, and waits for the answer; meanwhile other ops go on."""

from __future__ import annotations

import asyncio

from operonx.core import Operon, RunContext, collect, each, graph, op


@op
async def pay(run: RunContext, amount: int) -> str:
    """Ask before paying much."""
    if amount > 100 and not await run.ask({"pay": amount}):
        return f"{amount}: refused"
    return f"{amount}: paid"


@graph
def payments(amounts: list[int]) -> list[str]:
    """Wire it."""
    return collect(pay(amount=each(amounts)["item"]))


async def main() -> None:
    """Refuse what is above 500."""
    handle = Operon(payments).start({"amounts": [20, 300, 900]})
    async for question in handle.questions():
        allowed = question.payload["pay"] <= 500
        print(f"{question.op} asks {question.payload}: {'yes' if allowed else 'no'}")
        await question.answer(allowed)
    print((await handle.result())["result"])


asyncio.run(main())

# Output:
# payments.pay asks {'pay': 300}: yes
# payments.pay asks {'pay': 900}: no
# ['20: paid', '300: paid', '900: refused']
