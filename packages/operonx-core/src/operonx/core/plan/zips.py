"""Pairs of streams become nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operonx.core.plan.nodes import ZipNode, ZipPortNode
from operonx.core.plan.ordering import all_needs
from operonx.core.plan.streams import add_cell, consume

if TYPE_CHECKING:
    from operonx.core.graph.zips import ZipOp
    from operonx.core.plan.lowering import Lowering
    from operonx.core.plan.scopes import Scope

__all__ = ["lower_zip"]


def lower_zip(lowering: Lowering, scope: Scope, op: ZipOp) -> None:
    """Make the nodes of a `zip_streams`."""
    region = lowering.own_region(scope, op)
    path = scope.path_of(op)
    node = ZipNode(region, path, op)
    for side, expression in enumerate(op.inputs.values()):
        cell = add_cell(lowering, lowering.values.place(scope, expression, path), path)
        cell.side = side
        node.cells.append(cell)
    lowering.builder.take(node, all_needs(lowering, scope, op, ()))
    for cell in node.cells:
        consume(node, cell)
    node.child = lowering.builder.add_region(region, path, node)
    lowering.regions[op] = node.child
    for name in op.inputs:
        port = ZipPortNode(node.child, f"{path}.{name}")
        lowering.builder.take(port)
        node.ports.append(port)
    lowering.finish_op(scope, op, node)
