"""Test a graph without what it calls: `replace=` puts other functions in the place of its ops."""

from __future__ import annotations

from operonx.core import Operon, first_of, graph, if_, op


@op
async def classify(text: str) -> str:
    """Ask a service, which a test must not."""
    raise ConnectionError(f"nobody to ask about {text!r}")


@op
def praise(text: str) -> str:
    """Answer what was kind."""
    return f"We are glad: {text!r}"


@op
def apologise(text: str) -> str:
    """Answer what was not."""
    return f"We are sorry: {text!r}"


@graph
def answer(text: str) -> dict[str, str]:
    """Wire it."""
    mood = classify(text=text)
    kind = praise(text=text)
    sorry = apologise(text=text)
    if_(mood == "kind", kind).else_(sorry)
    return {"reply": first_of(kind, sorry)}


def angry(text: str) -> str:
    """Stand in for `classify`."""
    return f"angry {text}"


def test_an_op_is_a_function() -> None:
    """Outside a graph, calling an op calls its function."""
    assert praise(text="fine") == "We are glad: 'fine'"


def test_who_complains_gets_an_apology() -> None:
    """A whole run, with one op replaced by a plain function."""
    result = Operon(answer, replace={"answer.mood": angry}).run_sync({"text": "broken"})
    assert result["reply"] == "We are sorry: 'broken'"
    assert result.why("answer.kind").endswith("branch `answer.branch` chose `sorry`")


for test in (test_an_op_is_a_function, test_who_complains_gets_an_apology):
    test()
    print("passed:", test.__doc__)

# Output:
# passed: Outside a graph, calling an op calls its function.
# passed: A whole run, with one op replaced by a plain function.
