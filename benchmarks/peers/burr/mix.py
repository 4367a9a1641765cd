"""The production mix."""

from collections.abc import AsyncIterator
from typing import Any

from burr.core import ApplicationContext, GraphBuilder, State, action, default, expr
from burr.core.parallelism import MapActions, MapStates, RunnableGraph

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.peers.burr.machines import finish


@action(reads=["order"], writes=["customer", "amounts"])
def validate(state: State) -> State:
    """Check the order."""
    return state.update(**work.validate(state["order"]))


@action(reads=["customer"], writes=["found"])
async def credit(state: State) -> State:
    """Look up."""
    return state.update(found=await work.credit(state["customer"]))


@action(reads=["customer"], writes=["found"])
async def history(state: State) -> State:
    """Look up."""
    return state.update(found=await work.history(state["customer"]))


@action(reads=["amounts"], writes=["found"])
async def stock(state: State) -> State:
    """Look up."""
    return state.update(found=await work.stock(state["amounts"]))


class LookUps(MapActions):  # type: ignore[misc]  # the base has no types
    """The three look-ups at the same time."""

    _look_ups = tuple(map(RunnableGraph.create, (credit, history, stock)))

    def is_async(self) -> bool:
        """Run on the event loop."""
        return True

    def actions(self, state: State, context: ApplicationContext, inputs: dict[str, Any]) -> Any:  # noqa: ARG002
        """Give the three."""
        yield from self._look_ups

    async def reduce(self, state: State, states: AsyncIterator[State]) -> State:
        """Keep what they found."""
        return state.update(found=[s["found"] async for s in states])

    @property
    def reads(self) -> list[str]:
        """What the look-ups read."""
        return ["customer", "amounts"]

    @property
    def writes(self) -> list[str]:
        """What `reduce` writes."""
        return ["found"]


@action(reads=["found"], writes=["points"])
def score(state: State) -> State:
    """Join the look-ups."""
    return state.update(points=work.score(*state["found"]))


@action(reads=["points"], writes=["level"])
async def express(state: State) -> State:
    """One arm."""
    return state.update(level=await work.express(state["points"]))


@action(reads=["points"], writes=["level"])
def review(state: State) -> State:
    """The other arm."""
    return state.update(level=work.review(state["points"]))


@action(reads=["level"], writes=["level"])
def accept(state: State) -> State:
    """Go on with either."""
    return state.update(level=work.accept(state["level"]))


@action(reads=["level"], writes=["rate"])
def base(state: State) -> State:
    """Nested, first."""
    return state.update(rate=work.base(state["level"]))


@action(reads=["rate"], writes=["rate"])
async def levy(state: State) -> State:
    """Nested, second."""
    return state.update(rate=await work.levy(state["rate"]))


@action(reads=["rate"], writes=["rate"])
def rounded(state: State) -> State:
    """Nested, third."""
    return state.update(rate=work.rounded(state["rate"]))


PRICING = (
    GraphBuilder()
    .with_actions(base=base, levy=levy, rounded=rounded)
    .with_transitions(("base", "levy"), ("levy", "rounded"))
    .build()
)


@action(reads=["level"], writes=["rate", "count"])
async def pricing(state: State) -> State:
    """Run the nested machine."""
    inner = await finish(PRICING, "base", "rounded", level=state["level"])
    return state.update(rate=inner["rate"], count=0)


@action(reads=["rate"], writes=["rate"])
async def refine(state: State) -> State:
    """Loop, first."""
    return state.update(rate=await work.refine(state["rate"]))


@action(reads=["count"], writes=["count"])
def advance(state: State) -> State:
    """Loop, second."""
    return state.update(count=work.advance(state["count"]))


@action(reads=["amount", "rate"], writes=["priced"])
async def price(state: State) -> State:
    """An item, first."""
    return state.update(priced=await work.price(state["amount"], state["rate"]))


@action(reads=["priced"], writes=["taxed"])
def tax(state: State) -> State:
    """An item, second."""
    return state.update(taxed=work.tax(state["priced"]))


LINE = RunnableGraph(
    GraphBuilder().with_actions(price=price, tax=tax).with_transitions(("price", "tax")).build(),
    entrypoint="price",
    halt_after=["tax"],
)


class Lines(MapStates):  # type: ignore[misc]  # the base has no types
    """Each item through price and tax."""

    def is_async(self) -> bool:
        """Run on the event loop."""
        return True

    def action(self, state: State, inputs: dict[str, Any]) -> RunnableGraph:  # noqa: ARG002
        """Give the machine of one item."""
        return LINE

    def states(self, state: State, context: ApplicationContext, inputs: dict[str, Any]) -> Any:  # noqa: ARG002
        """Give a state for each item."""
        for amount in state["amounts"]:
            yield state.update(amount=amount)

    async def reduce(self, state: State, results: AsyncIterator[State]) -> State:
        """Collect the items."""
        return state.update(lines=[s["taxed"] async for s in results])

    @property
    def reads(self) -> list[str]:
        """What the items need."""
        return ["amounts", "rate"]

    @property
    def writes(self) -> list[str]:
        """What `reduce` writes."""
        return ["lines"]


@action(reads=["lines"], writes=["subtotal"])
def total(state: State) -> State:
    """Sum the items."""
    return state.update(subtotal=work.total(state["lines"]))


@action(reads=["customer", "level", "subtotal"], writes=["bill"])
def invoice(state: State) -> State:
    """Put the parts together."""
    bill = work.invoice(state["customer"], state["level"], state["subtotal"])
    return state.update(bill=bill)


@action(reads=["bill"], writes=["receipt"])
def receipt(state: State) -> State:
    """Add the fee."""
    return state.update(receipt=work.receipt(**state["bill"]))


def mix(_size: int) -> Run:
    """One order from validation to receipt."""
    graph = (
        GraphBuilder()
        .with_actions(
            validate, score, express, review, accept, pricing, refine, advance, total, invoice,
            receipt, look_ups=LookUps(), lines=Lines(),
        )
        .with_transitions(
            ("validate", "look_ups"),
            ("look_ups", "score"),
            ("score", "express", expr(f"points > {work.MIX_THRESHOLD}")),
            ("score", "review", default),
            (["express", "review"], "accept"),
            ("accept", "pricing"),
            ("pricing", "refine"),
            ("refine", "advance"),
            ("advance", "refine", expr(f"count < {work.MIX_ITERATIONS}")),
            ("advance", "lines", default),
            ("lines", "total"),
            ("total", "invoice"),
            ("invoice", "receipt"),
        )
        .build()
    )  # fmt: skip

    async def run() -> Any:  # a receipt
        return (await finish(graph, "validate", "receipt", order=work.ORDER))["receipt"]

    return run
