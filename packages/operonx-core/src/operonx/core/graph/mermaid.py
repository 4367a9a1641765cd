"""A built graph as a Mermaid flowchart; `docs/how-to/see-a-graph.md` is its legend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from operonx.core.expressions.printing import show
from operonx.core.graph.arrows import Arrow, arrows_of
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.show import own_axes, policy_texts, printable
from operonx.core.graph.zips import ZipOp

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = ["is_drawable", "to_mermaid"]

_LONGEST_WORD: Final = 50
_LONGEST_LINE: Final = 100
"""Characters of a label's line; Mermaid wraps at spaces. What is longer pushes all else away."""
_MAX_TEXT: Final = 50_000
_MAX_ARROWS: Final = 499
"""What Mermaid draws unless told otherwise; far more keeps a browser busy for minutes."""
_PLAIN: Final = frozenset(" _=.,?!'()[]{}/+-|@")
"""Characters that mean nothing to Mermaid, Markdown or HTML inside a quoted label."""


def to_mermaid(graph: GraphOp) -> str:
    """Return a graph as Mermaid text; nested graphs are boxes, soft edges dotted."""
    ids: dict[Op, str] = {graph: "g"}
    for number, op in enumerate(graph.walk()):
        ids[op] = f"n{number}"
    return "\n".join(["flowchart TB", *_lines(graph, ids)])


def is_drawable(text: str) -> bool:
    """Return whether Mermaid, as it comes, draws a text of `to_mermaid`."""
    # Labels have no `>` of their own, so each is an arrow's.
    return len(text) <= _MAX_TEXT and text.count("->") <= _MAX_ARROWS


def _lines(graph: GraphOp, ids: dict[Op, str]) -> Iterator[str]:
    # Open graphs with what is left of their ops: graphs may be nested deeper than Python recurses.
    open_graphs: list[tuple[GraphOp, Iterator[Op]]] = [(graph, iter(graph.ops))]
    yield from _opening(graph, ids[graph], "  ")
    while open_graphs:
        current, left = open_graphs[-1]
        indent = "  " * (len(open_graphs) + 1)
        op = next(left, None)
        if op is None:
            open_graphs.pop()
            yield indent + _closing(current, ids[current])
            yield from (indent + _edge(arrow, current, ids) for arrow in arrows_of(current))
            yield f"{indent[2:]}end"
        elif isinstance(op, GraphOp):
            open_graphs.append((op, iter(op.ops)))
            yield from _opening(op, ids[op], indent)
        else:
            yield indent + _node(op, ids[op])


def _opening(graph: GraphOp, key: str, indent: str) -> Iterator[str]:
    # A title of several lines would run into what is in the box, so START has what else is told.
    yield f'{indent}subgraph {key}["{_label([graph.name])}"]'
    # Without this Mermaid turns a box by ninety degrees against the one around it.
    yield f"{indent}  direction TB"
    yield f'{indent}  {key}_start(["{_label(["START", *_details(graph)])}"])'


def _closing(graph: GraphOp, key: str) -> str:
    until: list[str] = []
    if isinstance(graph, LoopOp) and graph.until is not None:
        until = [f"loop until {show(graph.until)}", f"max_iterations={graph.max_iterations}"]
    return f'{key}_end(["{_label(["END", *until])}"])'


def _details(op: Op) -> list[str]:
    # Where an op runs changes nothing of what a drawing tells.
    policies = [text for name, text in policy_texts(op) if name != "run_in"]
    return [text for text in (own_axes(op), *policies) if text]


def _node(op: Op, key: str) -> str:
    subject = [show(op.subject)] if isinstance(op, SwitchOp) else []
    label = _label([op.name, *subject, *_details(op)])
    if isinstance(op, BranchOp):
        return f'{key}{{"{label}"}}'
    if isinstance(op, ZipOp):
        return f'{key}[/"{label}"\\]'
    if op.opens_axis:
        return f'{key}[/"{label}"/]'
    return f'{key}["{label}"]'


def _edge(arrow: Arrow, graph: GraphOp, ids: dict[Op, str]) -> str:
    source = f"{ids[graph]}_start" if arrow.source is None else ids[arrow.source]
    target = f"{ids[graph]}_end" if arrow.target is None else ids[arrow.target]
    line = "-.->" if arrow.soft else "-->"
    label = f'|"{_label([", ".join(arrow.labels)])}"|' if arrow.labels else ""
    return f"{source} {line}{label} {target}"


def _label(lines: list[str]) -> str:
    return "<br/>".join(_escape(_short(printable(line))) for line in lines)


def _short(text: str) -> str:
    return _cut(" ".join(_cut(word, _LONGEST_WORD) for word in text.split(" ")), _LONGEST_LINE)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _escape(text: str) -> str:
    # What a text starts with can make a list or a heading of it, so only letters do.
    return "".join(
        char if char.isalpha() or (place and (char.isalnum() or char in _PLAIN)) else _code(char)
        for place, char in enumerate(text)
    )


def _code(char: str) -> str:
    return f"#{ord(char)};"
