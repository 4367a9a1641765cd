"""The production mix."""

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.operonx._engine import engine_for
from operonx.core import END, PARENT, GraphOp, each, first_of, graph, if_, op

validate = op(work.validate)
credit = op(work.credit)
history = op(work.history)
stock = op(work.stock)
score = op(work.score)
express = op(work.express)
review = op(work.review)
accept = op(work.accept)
base = op(work.base)
levy = op(work.levy)
rounded = op(work.rounded)
refine = op(work.refine)
advance = op(work.advance)
price = op(work.price)
tax = op(work.tax)
total = op(work.total)
invoice = op(work.invoice)
receipt = op(work.receipt)


@graph
def pricing(level: int):  # whatever a graph's factory returns
    """The nested graph."""
    start = base(level=level)
    levied = levy(rate=start)
    return rounded(rate=levied)


def mix_graph() -> GraphOp:
    """Build the mix."""
    with GraphOp(name="mix") as mix:
        order = validate(order=PARENT["order"])
        points = score(
            credit=credit(customer=order["customer"]),
            history=history(customer=order["customer"]),
            stock=stock(amounts=order["amounts"]),
        )
        fast = express(points=points)
        slow = review(points=points)
        if_(points["result"] > work.MIX_THRESHOLD, fast).else_(slow)
        level = accept(level=first_of(fast, slow))
        rate = pricing(level=level)
        with GraphOp.loop(
            until=PARENT["count"] >= work.MIX_ITERATIONS, rate=rate, count=0
        ) as refining:
            refined = refine(rate=PARENT["rate"])
            refined["result"] >> PARENT["rate"]
            counted = advance(count=PARENT["count"])
            counted["result"] >> PARENT["count"]
        line = each(order["amounts"])
        taxed = tax(amount=price(amount=line["item"], rate=refining["rate"]))
        subtotal = total(values=taxed.collect())
        bill = invoice(customer=order["customer"], level=level, subtotal=subtotal)
        receipt(customer=bill["customer"], level=bill["level"], total=bill["total"]) >> END
    return mix


def mix(_size: int) -> Run:
    """One order from validation to receipt."""
    engine = engine_for(mix_graph())

    async def run() -> dict[str, object]:
        return dict(await engine.run(inputs={"order": work.ORDER}))

    return run
