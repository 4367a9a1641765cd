"""The production mix."""

import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from benchmarks import work
from benchmarks.contender import Run


class Mix(TypedDict, total=False):
    """The state of the whole order."""

    order: dict[str, Any]
    customer: str
    amounts: list[int]
    credit: int
    history: int
    stock: int
    points: int
    level: int
    rate: int
    count: int
    lines: Annotated[list[int], operator.add]
    subtotal: int
    bill: work.Receipt
    receipt: work.Receipt


class Line(TypedDict, total=False):
    """The state of one item."""

    amount: int
    rate: int
    priced: int
    lines: Annotated[list[int], operator.add]


async def _credit(state: Mix) -> Mix:
    return {"credit": await work.credit(state["customer"])}


async def _history(state: Mix) -> Mix:
    return {"history": await work.history(state["customer"])}


async def _stock(state: Mix) -> Mix:
    return {"stock": await work.stock(state["amounts"])}


def _score(state: Mix) -> Mix:
    return {"points": work.score(state["credit"], state["history"], state["stock"])}


def _arm(state: Mix) -> str:
    return "express" if state["points"] > work.MIX_THRESHOLD else "review"


async def _express(state: Mix) -> Mix:
    return {"level": await work.express(state["points"])}


async def _levy(state: Mix) -> Mix:
    return {"rate": await work.levy(state["rate"])}


async def _refine(state: Mix) -> Mix:
    return {"rate": await work.refine(state["rate"])}


def _advance(state: Mix) -> Mix:
    return {"count": work.advance(state["count"])}


def _next(state: Mix) -> Any:  # a node's name, or a send for each item
    if state["count"] < work.MIX_ITERATIONS:
        return "refine"
    return [Send("line", {"amount": a, "rate": state["rate"]}) for a in state["amounts"]]


async def _price(state: Line) -> Line:
    return {"priced": await work.price(state["amount"], state["rate"])}


def _tax(state: Line) -> Line:
    return {"lines": [work.tax(state["priced"])]}


def _invoice(state: Mix) -> Mix:
    return {"bill": work.invoice(state["customer"], state["level"], state["subtotal"])}


class _LineOutput(TypedDict):
    lines: Annotated[list[int], operator.add]


def _line() -> Any:  # a compiled graph
    builder = StateGraph(Line, output_schema=_LineOutput)
    builder.add_node("price", _price)
    builder.add_node("tax", _tax)
    builder.add_edge(START, "price")
    builder.add_edge("price", "tax")
    builder.add_edge("tax", END)
    return builder.compile()


def _pricing() -> Any:  # a compiled graph
    class Pricing(TypedDict, total=False):
        level: int
        rate: int

    builder = StateGraph(Pricing)
    builder.add_node("base", lambda state: {"rate": work.base(state["level"])})
    builder.add_node("levy", _levy)
    builder.add_node("rounded", lambda state: {"rate": work.rounded(state["rate"])})
    builder.add_edge(START, "base")
    builder.add_edge("base", "levy")
    builder.add_edge("levy", "rounded")
    builder.add_edge("rounded", END)
    return builder.compile()


def _add_nodes(builder: Any) -> None:  # a graph builder
    add = builder.add_node
    add("validate", lambda state: work.validate(state["order"]))
    add("look_up_credit", _credit)
    add("look_up_history", _history)
    add("look_up_stock", _stock)
    add("score", _score)
    add("express", _express)
    add("review", lambda state: {"level": work.review(state["points"])})
    add("accept", lambda state: {"level": work.accept(state["level"])})
    add("pricing", _pricing())
    add("refine", _refine)
    add("advance", _advance)
    add("line", _line())
    add("total", lambda state: {"subtotal": work.total(state["lines"])})
    add("invoice", _invoice)
    add("hand_out", lambda state: {"receipt": work.receipt(**state["bill"])})


def _add_edges(builder: Any) -> None:  # a graph builder
    edge = builder.add_edge
    edge(START, "validate")
    look_ups = ["look_up_credit", "look_up_history", "look_up_stock"]
    for name in look_ups:
        edge("validate", name)
    edge(look_ups, "score")
    builder.add_conditional_edges("score", _arm, ["express", "review"])
    for arm in ("express", "review"):
        edge(arm, "accept")
    edge("accept", "pricing")
    edge("pricing", "refine")
    edge("refine", "advance")
    builder.add_conditional_edges("advance", _next, ["refine", "line"])
    for before, after in [("line", "total"), ("total", "invoice"), ("invoice", "hand_out")]:
        edge(before, after)
    edge("hand_out", END)


def mix(_size: int) -> Run:
    """One order from validation to receipt."""
    builder = StateGraph(Mix)
    _add_nodes(builder)
    _add_edges(builder)
    app = builder.compile()

    async def run() -> work.Receipt:
        result = await app.ainvoke({"order": work.ORDER, "count": 0, "lines": []})
        return result["receipt"]

    return run
