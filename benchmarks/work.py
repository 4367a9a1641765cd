"""The work itself: plain functions that every contender calls, so that only the engine differs.

Standard library only, as each peer imports this from an environment of its own.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TypedDict

#: The input of every shape that takes one number.
SEED = 1

#: Seconds that a waiting or blocking op takes.
WAIT_SECONDS = 0.05

#: How many iterations the loop of the production mix makes.
MIX_ITERATIONS = 3

#: Points above which the production mix takes its express arm.
MIX_THRESHOLD = 60

#: The input of the production mix.
ORDER = {"customer": "ada", "amounts": [3, 1, 4, 1, 5, 9, 2, 6]}


# --- arithmetic: chains, fans, branches, streams ---------------------------------------------


def inc(x: int) -> int:
    """Add one."""
    return x + 1


async def inc_async(x: int) -> int:
    """Add one, after letting the event loop go round once."""
    await asyncio.sleep(0)
    return x + 1


def total(values: list[int]) -> int:
    """Sum a list."""
    return sum(values)


def halve(x: int) -> int:
    """Halve, rounding down."""
    return x // 2


def triple(x: int) -> int:
    """Three times, plus one."""
    return 3 * x + 1


def source(n: int) -> Iterator[int]:
    """Yield 0 to n - 1."""
    yield from range(n)


class Tally:
    """Counts what a stream brings, without keeping it."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.count = 0
        self.sum = 0

    def add(self, value: int) -> None:
        """Count one value."""
        self.count += 1
        self.sum += value

    def take(self) -> list[int]:
        """Return `[count, sum]` and start again at nothing."""
        taken = [self.count, self.sum]
        self.count = self.sum = 0
        return taken


# --- waiting and blocking --------------------------------------------------------------------


async def wait_async(x: int) -> int:
    """Wait on the event loop."""
    await asyncio.sleep(WAIT_SECONDS)
    return x


def wait_def(x: int) -> int:
    """Wait in the calling thread."""
    time.sleep(WAIT_SECONDS)
    return x


# --- the production mix ----------------------------------------------------------------------
#
# 20 ops, 37 firings: validate; credit, history and stock at the same time; score; a branch to
# express or review; accept; a nested graph of base, levy and rounded; a loop of refine and advance,
# three times; each amount through price and tax; a collect into total; invoice; receipt.


class Order(TypedDict):
    """A validated order."""

    customer: str
    amounts: list[int]


class Receipt(TypedDict):
    """What the mix gives."""

    customer: str
    level: int
    total: int


def validate(order: dict) -> Order:  # type: ignore[type-arg]  # peers hand in plain dicts
    """Check the order's shape and split it."""
    customer, amounts = order["customer"], order["amounts"]
    if not isinstance(customer, str) or not all(isinstance(a, int) for a in amounts):
        msg = f"not an order: {order!r}"
        raise TypeError(msg)
    return {"customer": customer, "amounts": amounts}


async def credit(customer: str) -> int:
    """Look up the customer's credit."""
    await asyncio.sleep(0)
    return 10 * len(customer)


async def history(customer: str) -> int:
    """Look up the customer's history."""
    await asyncio.sleep(0)
    return sum(map(ord, customer)) % 50


async def stock(amounts: list[int]) -> int:
    """Look up what is in stock."""
    await asyncio.sleep(0)
    return 5 * len(amounts)


def score(credit: int, history: int, stock: int) -> int:
    """Join the three look-ups into points."""
    return credit + history + stock


async def express(points: int) -> int:
    """The arm of many points."""
    await asyncio.sleep(0)
    return points + 7


def review(points: int) -> int:
    """The arm of few points."""
    return points - 7


def accept(level: int) -> int:
    """Go on with whichever arm was taken."""
    return level % 100


def base(level: int) -> int:
    """Nested graph, first op: a base rate."""
    return 100 + level


async def levy(rate: int) -> int:
    """Nested graph, second op: a levy on the rate."""
    await asyncio.sleep(0)
    return rate + rate // 10


def rounded(rate: int) -> int:
    """Nested graph, third op: round to fives."""
    return rate - rate % 5


async def refine(rate: int) -> int:
    """Loop, first op: one step of a refinement."""
    await asyncio.sleep(0)
    return (rate * 3 + 1) % 1000


def advance(count: int) -> int:
    """Loop, second op: count the iterations."""
    return count + 1


async def price(amount: int, rate: int) -> int:
    """Price one item of the order."""
    await asyncio.sleep(0)
    return amount * rate


def tax(amount: int) -> int:
    """Tax one item of the order."""
    return amount + amount // 5


def invoice(customer: str, level: int, subtotal: int) -> Receipt:
    """Put the parts together."""
    return {"customer": customer, "level": level, "total": subtotal}


def receipt(customer: str, level: int, total: int) -> Receipt:
    """Add the fee: the last op."""
    return {"customer": customer, "level": level, "total": total + 1}


# --- what every contender must give ----------------------------------------------------------


def collatz(steps: int) -> int:
    """Ten branches in a row, by hand: increment, then halve the even and triple the odd."""
    x = SEED
    for _ in range(steps):
        x = inc(x)
        x = halve(x) if x % 2 == 0 else triple(x)
    return x


def streamed(n: int) -> list[int]:
    """`[count, sum]` of 0 to n - 1, each incremented twice."""
    return [n, n * (n - 1) // 2 + 2 * n]


#: What each workload gives at a size; nothing is timed before a contender has given the same.
EXPECTED: dict[str, Callable[[int], object]] = {
    "chain": lambda n: SEED + n,
    "fan_def": lambda n: n * (SEED + 1),
    "fan_async": lambda n: n * (SEED + 1),
    "nested": lambda n: SEED + n,
    "branches": collatz,
    "mix": lambda _: {"customer": "ada", "level": 21, "total": 19453},
    "stream": streamed,
    "drain": streamed,
    "loop": lambda n: n,
    "wait_async": lambda n: n * SEED,
    "wait_def": lambda n: n * SEED,
    "concurrent": lambda n: n * (SEED + 10),
    "blocking": lambda n: n * SEED,
}
