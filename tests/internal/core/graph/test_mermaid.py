"""The Mermaid text of a graph: one declaration an op, edges between what is declared, balanced."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, GraphOp, each, if_, switch, zip_streams

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Callable[..., Any]] = core.op

NODE = re.compile(r'^(n\d+)(\["[^"]*"\]|\{"[^"]*"\}|\[/"[^"]*"/\])$')
STOP = re.compile(r"^(g|n\d+)_end\(\[END\]\)$")
BOX = re.compile(r'^subgraph (g|n\d+)\["[^"]*"\]$')
EDGE = re.compile(r'^((?:g|n\d+)(?:_end)?) (?:-->|-\.->)(?:\|"[^"]*"\|)? ((?:g|n\d+)(?:_end)?)$')


@op(returns="y")
def kept(x: Any) -> Any:
    return x


def every_kind() -> GraphOp:
    with GraphOp("every kind") as g:
        item = each(PARENT["items"])["item"]
        a = kept(x=item)
        b = kept(x=a["y"]['"quoted" <tag> & more | [brackets]'])
        pair = zip_streams(one=a, two=b)
        if_(a["y"] == '"]', b).else_(a_hook := kept(x=item))
        a_hook["y"].collect() >> PARENT["hook"]
        pair["one"].collect() >> PARENT["pairs"]
        route = switch(PARENT["k"], {"x": "late"})
        late = kept(x=1)
        with GraphOp("inner", x=late) as inner:
            kept(x=PARENT["x"]) >> END
        with GraphOp.loop(until="n >= 3", n=inner["y"]) as loop:
            kept(x=PARENT["n"] + 1)["y"] >> PARENT["n"]
        late >> ~kept(x=route["y"]) >> END
        loop >> END
        b["y"].collect() >> PARENT["o"]
    return g


def problems(text: str) -> list[str]:
    """Check the part of Mermaid's flowchart grammar that is used."""
    lines = [line.strip() for line in text.splitlines()]
    if lines[0] != "flowchart TB":
        return ["the first line"]
    declared = {m[1] for line in lines if (m := NODE.match(line) or BOX.match(line))}
    declared |= {f"{m[1]}_end" for line in lines if (m := STOP.match(line))}
    found: list[str] = []
    depth = 0
    for line in lines[1:]:
        depth += bool(BOX.match(line)) - (line == "end")
        edge = EDGE.match(line)
        known = NODE.match(line) or STOP.match(line) or BOX.match(line) or line == "end"
        if not (known or (edge and {edge[1], edge[2]} <= declared)) or depth < 0:
            found.append(line)
    return found + (["unbalanced"] if depth else [])


def test_a_graph_of_every_kind_of_op_is_a_flowchart() -> None:
    assert [] == problems(every_kind().to_mermaid())


@pytest.mark.parametrize("text", ['flowchart TB\n  n1["a"b"]', "flowchart TB\n  n1 --> n2"])
def test_the_check_sees_what_is_wrong(text: str) -> None:
    assert problems(text)


def test_a_notebook_is_given_the_drawing_and_the_text() -> None:
    g = every_kind()
    bundle = g._repr_mimebundle_(include=None, exclude=None)  # pyright: ignore[reportPrivateUsage] - IPython calls it
    assert {"text/vnd.mermaid": g.to_mermaid(), "text/plain": str(g)} == bundle


def test_soft_edges_are_dotted() -> None:
    with GraphOp("g") as g:
        a = kept(x=1)
        b = kept(x=2)
        a >> ~b >> END
    assert "n0 -.-> n1" in g.to_mermaid()
