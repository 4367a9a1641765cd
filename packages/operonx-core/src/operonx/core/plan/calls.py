"""Ops that call a function or a generator become nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operonx.core.expressions.refs import Constant, Expression
from operonx.core.plan.nodes import Argument, CallNode, EndNode, GeneratorNode, Node, Region
from operonx.core.plan.ordering import all_needs
from operonx.core.plan.places import Place

if TYPE_CHECKING:
    from operonx.core.ops.function import FuncOp
    from operonx.core.plan.lowering import Lowering
    from operonx.core.plan.scopes import Scope

__all__ = ["lower_call"]


def lower_call(lowering: Lowering, scope: Scope, op: FuncOp) -> None:
    """Make the node of an op that calls a function or a generator."""
    region = lowering.own_region(scope, op)
    path = scope.path_of(op)
    kind = GeneratorNode if op.signature.is_generator else CallNode
    node = kind(region, path, op)
    needs: list[Node] = []
    for name, expression in op.inputs.items():
        place = _argument_place(lowering, scope, region, expression, path)
        local = place.slot if place.region is region and not place.checked else None
        node.arguments.append(Argument(name, local, place.reader(region)))
        needs.extend(place.needs)
        if place.stream is not None:
            place.stream.readers += 1
            node.streams[name] = place.stream
    lowering.builder.take(node, all_needs(lowering, scope, op, needs))
    if isinstance(node, GeneratorNode):
        _lower_generator(lowering, op, node)
    else:
        _add_ports(node, region, op)
    lowering.finish_op(scope, op, node)


def _argument_place(
    lowering: Lowering, scope: Scope, region: Region, expression: Expression, path: str
) -> Place:
    if isinstance(expression, Constant):
        return Place(region, region.new_slot(expression.value), None, ())
    return lowering.values.place(scope, expression, path)


def _add_ports(node: CallNode, region: Region, op: FuncOp) -> None:
    if op.ports is None:
        node.open_slot = region.new_slot()
    else:
        node.outputs = {port.name: region.new_slot() for port in op.ports}


def _lower_generator(lowering: Lowering, op: FuncOp, node: GeneratorNode) -> None:
    node.child = lowering.builder.add_region(node.region, node.path, node)
    lowering.regions[op] = node.child
    _add_ports(node, node.child, op)
    node.final = {port.name: node.region.new_slot() for port in op.final}
    node.end = EndNode(node.region, node.path, node)
    lowering.builder.take(node.end, [node])
