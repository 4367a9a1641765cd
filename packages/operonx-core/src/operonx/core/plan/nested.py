"""Graphs inside graphs become the nodes of their ops, with an enter and a done where need be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from operonx.core.expressions.refs import Constant
from operonx.core.plan.endings import done_of
from operonx.core.plan.guards import Guard
from operonx.core.plan.nodes import EnterNode, MarkNode, Node, Region
from operonx.core.plan.ordering import all_needs
from operonx.core.plan.places import Place
from operonx.core.plan.scopes import Scope, new_scope

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.plan.lowering import Lowering

__all__ = ["input_places", "lower_graph", "own_guard"]


def input_places(lowering: Lowering, scope: Scope, op: GraphOp, path: str) -> dict[str, Place]:
    """Return where the inputs of a nested graph are, seen from outside it."""
    places: dict[str, Place] = {}
    analysis = op.analysis
    assert analysis is not None  # built, as it was left
    for key, given in analysis.inputs.items():
        expression = op.inputs.get(key, Constant(given.default))
        places[key] = lowering.values.place(scope, expression, path)
    return places


def lower_graph(lowering: Lowering, scope: Scope, op: GraphOp) -> Iterator[Scope]:
    """Make what a nested graph needs besides its ops; yields it, to be lowered."""
    region = lowering.own_region(scope, op)
    path = scope.path_of(op)
    places = input_places(lowering, scope, op, path)
    needs = all_needs(
        lowering, scope, op, [need for place in places.values() for need in place.needs]
    )
    base = scope.base + scope.analysis.axes.get(op, ())
    guard = own_guard(lowering, scope, op, region)
    plain = guard is None and op.policies.concurrency is None
    inner = new_scope(op, path, base)
    distinct = list(dict.fromkeys(needs))
    local = all(node.region is region for node in distinct)
    bare = all(_is_bare(place) for place in places.values())
    if plain and bare and local and len(distinct) <= 1:
        # Such a graph costs nothing: its ops wait for what it would wait for.
        inner.enter = distinct[0] if distinct else scope.enter
        _cover(inner.enter, MarkNode(region, path, op))
        inner.parents = places
        yield inner
        _keep_outputs(lowering, inner)
        return
    enter = EnterNode(region, path, op)
    lowering.builder.take(enter, needs)
    enter.own_guard = guard
    inner.enter = enter
    inner.parents = _entered(enter, places)
    lowering.finish_op(scope, op, enter)
    with lowering.builder.guarded(guard):
        yield inner
        _keep_outputs(lowering, inner)
        if not plain:
            _add_done(lowering, scope, enter, op)


def _cover(enter: Node | None, mark: MarkNode) -> None:
    """Let a graph that was flattened away be noted as skipped with what its ops wait for."""
    region = mark.region
    holder = enter if enter is not None and enter.region is region else region.owner
    if holder is not None:
        holder.covers.append(mark)


def _entered(enter: EnterNode, places: dict[str, Place]) -> dict[str, Place]:
    """Return where the inputs are inside the graph: what may raise is computed as it is entered."""
    inside = dict(places)
    for key, place in places.items():
        if not _is_bare(place):
            slot = enter.region.new_slot()
            enter.inputs.append((slot, place.reader(enter.region)))
            inside[key] = Place(enter.region, slot, None, ())
    return inside


def _add_done(lowering: Lowering, scope: Scope, enter: EnterNode, op: GraphOp) -> None:
    """Make the node that ends what `enter` began: its guard, its place."""
    guard = enter.own_guard
    enter.done = done_of(lowering, scope, op)
    enter.done.own_guard = guard
    enter.done.enter = enter
    if guard is not None:
        guard.done = enter.done
        if guard.contains:
            scope.exits[op] = enter.done


def _keep_outputs(lowering: Lowering, scope: Scope) -> None:
    """Make all outputs now, so that they belong to the graph's own nodes."""
    for key in scope.analysis.writers:
        lowering.values.output(scope.graph, key)
    first, _ = lowering.spans[scope.graph]
    lowering.spans[scope.graph] = (first, len(lowering.builder.nodes))


def own_guard(lowering: Lowering, scope: Scope, op: GraphOp, region: Region) -> Guard | None:
    """Return the guard of a graph that may be ended as a whole, or None."""
    contains = op.policies.on_error == "skip" or op in scope.routed or op in scope.raced
    if not contains and op.policies.timeout is None:
        return None
    return Guard(op, lowering.builder.guard, region, region.new_slot(), contains)


def _is_bare(place: Place) -> bool:
    return place.slot is not None and not place.checked
