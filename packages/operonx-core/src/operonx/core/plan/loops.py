"""Loops become nodes, their bodies regions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from operonx.core.expressions.evaluation import Evaluate, compile_expression
from operonx.core.expressions.refs import Expression, IterationRef, ParentRef
from operonx.core.graph.analysis import op_leaves
from operonx.core.ops.policies import UNSET
from operonx.core.plan.endings import take_done
from operonx.core.plan.nested import input_places, own_guard
from operonx.core.plan.nodes import DoneNode, EndNode, LoopNode, LoopWrite, OutputNode
from operonx.core.plan.ordering import all_needs
from operonx.core.plan.places import Place
from operonx.core.plan.scopes import Scope, new_scope
from operonx.core.plan.streams import collected

if TYPE_CHECKING:
    from operonx.core.graph.loops import LoopOp
    from operonx.core.ops.base import Op
    from operonx.core.plan.lowering import Lowering

__all__ = ["lower_loop"]


def lower_loop(lowering: Lowering, scope: Scope, op: LoopOp) -> Iterator[Scope]:
    """Make the nodes of a loop; yields its body, to be lowered."""
    region = lowering.own_region(scope, op)
    path = scope.path_of(op)
    node = LoopNode(region, path, op)
    places = input_places(lowering, scope, op, path)
    node.inputs = [(key, place.reader(region)) for key, place in places.items()]
    needs = [need for place in places.values() for need in place.needs]
    lowering.builder.take(node, all_needs(lowering, scope, op, needs))
    node.own_guard = own_guard(lowering, scope, op, region)
    node.child = lowering.builder.add_region(region, path, node)
    lowering.regions[op] = node.child
    body = new_scope(op, path, (*scope.base, *scope.analysis.axes.get(op, ()), op))
    for key in op.states:
        node.state_slots[key] = node.child.new_slot()
        node.after_slots[key] = node.child.new_slot()
        body.parents[key] = Place(node.child, node.state_slots[key], None, ())
    node.end = EndNode(region, path, node)
    lowering.builder.take(node.end, [node])
    lowering.nodes[op] = node
    lowering.finish_op(scope, op, node)
    with lowering.builder.guarded(node.own_guard):
        yield body
        _lower_body_outputs(lowering, body, node)
    node.done = DoneNode(node.child, path)
    node.done.loop = node
    take_done(lowering, op, node.done, ())
    node.until = _compile_until(op, node)


def _lower_body_outputs(lowering: Lowering, body: Scope, node: LoopNode) -> None:
    for key in [*node.op.states, *body.analysis.writers]:
        if key not in node.outputs:
            node.outputs[key] = node.region.new_slot()
    position = {op: index for index, op in enumerate(body.graph.ops)}
    states = [
        (_first_position(write.expression, position), key, write.expression)
        for key, writes in body.analysis.writers.items()
        if key in node.op.states
        for write in writes
    ]
    for _, key, expression in sorted(states, key=lambda one: one[0]):
        place = lowering.values.place(body, expression, body.path)
        levels = place.region.depth - node.child.depth
        output = _body_output(lowering, body, node, key, place, flatten=True)
        node.writes.append(LoopWrite(key, output.slot, levels > 0, expression))
    for key in body.analysis.writers:
        if key not in node.op.states:
            place = lowering.values.output(body.graph, key)
            output = _body_output(lowering, body, node, key, place, flatten=False)
            node.body_outputs[key] = output.slot
            node.output_ends[key] = EndNode(node.region, node.path, node)
            lowering.builder.take(node.output_ends[key], [node])
    first, _ = lowering.spans[body.graph]
    lowering.spans[body.graph] = (first, len(lowering.builder.nodes))


def _body_output(
    lowering: Lowering, body: Scope, node: LoopNode, key: str, place: Place, *, flatten: bool
) -> OutputNode:
    levels = place.region.depth - node.child.depth
    place = collected(lowering, place, levels, body.path, flatten=flatten)
    output = OutputNode(node.child, body.graph, body.path, key, place.reader(node.child))
    output.owner_region = node.region
    node.child.slots[output.slot] = UNSET
    lowering.builder.take(output, place.needs)
    return output


def _compile_until(op: LoopOp, node: LoopNode) -> Evaluate:
    assert op.until is not None  # validation bound it

    def leaf(part: Expression) -> Evaluate | None:
        match part:
            case IterationRef():
                return lambda inst: inst.index
            case ParentRef(key=key) if key in node.after_slots:
                slot = node.after_slots[key]
                return lambda inst: inst.slots[slot]
            case ParentRef(key=key):
                return _set_slot(node.body_outputs[key], key)
            case _:
                return None

    return compile_expression(op.until, leaf)


def _first_position(expression: Expression, position: dict[Op, int]) -> int:
    return min((position.get(op, 0) for _, op in op_leaves(expression)), default=-1)


def _set_slot(slot: int, key: str) -> Evaluate:
    def read(inst: Any) -> Any:
        value = inst.slots[slot]
        if value is UNSET:
            raise KeyError(f"output `{key}` was skipped in iteration {inst.index}")
        return value

    return read
