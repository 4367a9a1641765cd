"""The production mix: what several steps read is in the state, the rest flows along the edges."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from pydantic_graph import GraphBuilder, StepContext, reduce_list_append, reduce_null

from benchmarks import work
from benchmarks.contender import Run


@dataclass
class Mix:
    """The state of one order."""

    customer: str = ""
    amounts: list[int] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    level: int = 0
    rate: int = 0
    count: int = 0


Context = StepContext[Mix, None, Any]


async def _validate(ctx: Context) -> None:
    order = work.validate(ctx.inputs)
    ctx.state.customer, ctx.state.amounts = order["customer"], order["amounts"]


async def _credit(ctx: Context) -> None:
    ctx.state.found["credit"] = await work.credit(ctx.state.customer)


async def _history(ctx: Context) -> None:
    ctx.state.found["history"] = await work.history(ctx.state.customer)


async def _stock(ctx: Context) -> None:
    ctx.state.found["stock"] = await work.stock(ctx.state.amounts)


async def _score(ctx: Context) -> int:
    return work.score(**ctx.state.found)


async def _express(ctx: Context) -> int:
    return await work.express(ctx.inputs)


async def _review(ctx: Context) -> int:
    return work.review(ctx.inputs)


async def _accept(ctx: Context) -> int:
    ctx.state.level = work.accept(ctx.inputs)
    return ctx.state.level


async def _base(ctx: StepContext[None, None, int]) -> int:
    return work.base(ctx.inputs)


async def _levy(ctx: StepContext[None, None, int]) -> int:
    return await work.levy(ctx.inputs)


async def _rounded(ctx: StepContext[None, None, int]) -> int:
    return work.rounded(ctx.inputs)


async def _refine(ctx: Context) -> None:
    ctx.state.rate = await work.refine(ctx.state.rate)


async def _advance(ctx: Context) -> int:
    ctx.state.count = work.advance(ctx.state.count)
    return ctx.state.count


async def _items(ctx: Context) -> list[int]:
    return ctx.state.amounts


async def _price(ctx: Context) -> int:
    return await work.price(ctx.inputs, ctx.state.rate)


async def _tax(ctx: Context) -> int:
    return work.tax(ctx.inputs)


async def _total(ctx: Context) -> int:
    return work.total(ctx.inputs)


async def _invoice(ctx: Context) -> Any:  # a receipt
    return work.invoice(ctx.state.customer, ctx.state.level, ctx.inputs)


async def _receipt(ctx: Context) -> Any:  # a receipt
    return work.receipt(**ctx.inputs)


def _line(g: Any, *places: Any) -> None:  # a builder and its nodes
    """Put nodes one after the other."""
    g.add(*(g.edge_from(a).to(b) for a, b in itertools.pairwise(places)))


def _pricing() -> Any:  # a graph
    g = GraphBuilder(input_type=int, output_type=int)
    steps = [g.step(_base), g.step(_levy), g.step(_rounded)]
    _line(g, g.start_node, *steps, g.end_node)
    return g.build()


def _mix() -> Any:  # a graph
    g = GraphBuilder(state_type=Mix, input_type=dict, output_type=dict)
    pricing = _pricing()

    async def price_level(ctx: Context) -> None:
        ctx.state.rate = await pricing.run(inputs=ctx.inputs)

    validate, score, accept = g.step(_validate), g.step(_score), g.step(_accept)
    look_ups = [g.step(_credit), g.step(_history), g.step(_stock)]
    found = g.join(reduce_null, initial=None, node_id="found")
    express, review = g.step(_express), g.step(_review)
    refine, advance, items = g.step(_refine), g.step(_advance), g.step(_items)
    lines = g.join(reduce_list_append, initial_factory=list, node_id="lines")
    arm = (
        g.decision(node_id="arm")
        .branch(g.match(int, matches=lambda points: points > work.MIX_THRESHOLD).to(express))
        .branch(g.match(int).to(review))
    )
    enough = (
        g.decision(node_id="enough")
        .branch(g.match(int, matches=lambda count: count < work.MIX_ITERATIONS).to(refine))
        .branch(g.match(int).to(items))
    )
    price, tax = g.step(_price), g.step(_tax)
    g.add(g.edge_from(validate).to(*look_ups), g.edge_from(*look_ups).to(found))
    g.add(g.edge_from(express, review).to(accept), g.edge_from(items).map().to(price))
    _line(g, g.start_node, validate)
    _line(g, found, score, arm)
    _line(g, accept, g.step(price_level), refine, advance, enough)
    _line(g, price, tax, lines, g.step(_total), g.step(_invoice), g.step(_receipt), g.end_node)
    return g.build()


def mix(_size: int) -> Run:
    """One order from validation to receipt."""
    graph = _mix()

    async def run() -> Any:  # a receipt
        return await graph.run(state=Mix(), inputs=work.ORDER)

    return run
