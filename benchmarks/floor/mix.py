"""The production mix by hand: concurrent wherever an engine would be."""

import asyncio

from benchmarks import work
from benchmarks.contender import Run


def mix(_size: int) -> Run:
    """One order from validation to receipt."""

    async def run() -> work.Receipt:
        order = work.validate(work.ORDER)
        customer, amounts = order["customer"], order["amounts"]
        points = work.score(
            *await asyncio.gather(
                work.credit(customer), work.history(customer), work.stock(amounts)
            )
        )
        if points > work.MIX_THRESHOLD:
            level = work.accept(await work.express(points))
        else:
            level = work.accept(work.review(points))
        rate = await _refined(await _pricing(level))
        lines = await asyncio.gather(*(_line(amount, rate) for amount in amounts))
        bill = work.invoice(customer, level, work.total(lines))
        return work.receipt(**bill)

    return run


async def _pricing(level: int) -> int:
    return work.rounded(await work.levy(work.base(level)))


async def _refined(rate: int) -> int:
    count = 0
    while count < work.MIX_ITERATIONS:
        rate = await work.refine(rate)
        count = work.advance(count)
    return rate


async def _line(amount: int, rate: int) -> int:
    return work.tax(await work.price(amount, rate))
