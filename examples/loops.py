"""A loop runs its body until a condition holds: here, Newton's method for a square root."""

from __future__ import annotations

import asyncio

from operonx.core import PARENT, GraphOp, Operon, State, op


@op
def better(x: float, guess: float) -> float:
    """Give a better guess."""
    return (guess + x / guess) / 2


@op
def error(x: float, guess: float) -> float:
    """Give how far off the guess is."""
    return abs(guess * guess - x)


with GraphOp(name="root", inputs={"x": float}) as g:
    with GraphOp.loop(
        until="off < 0.000001",
        max_iterations=50,
        x=PARENT["x"],
        guess=1.0,
        history=State([], reducer="append"),
    ) as newton:
        guess = better(x=PARENT["x"], guess=PARENT["guess"])
        off = error(x=PARENT["x"], guess=guess)
        guess >> PARENT["guess"]
        guess >> PARENT["history"]
        off >> PARENT["off"]
    newton["guess"] >> PARENT["root"]
    newton["history"].len() >> PARENT["rounds"]
    newton.iterations["guess"] >> PARENT["guesses"]


async def main() -> None:
    """Watch the guesses as they come, then read the result."""
    engine = Operon(g)
    async for frame in engine.stream({"x": 2.0}, ports=["guesses"]):
        print(frame.ctx, frame.outputs)
    result = await engine.run({"x": 2.0})
    print(f"{result['root']:.6f} after {result['rounds']} rounds")


asyncio.run(main())

# Output:
# (('root.newton', 0),) {'guesses': 1.5}
# (('root.newton', 1),) {'guesses': 1.4166666666666665}
# (('root.newton', 2),) {'guesses': 1.4142156862745097}
# (('root.newton', 3),) {'guesses': 1.4142135623746899}
# 1.414214 after 4 rounds
