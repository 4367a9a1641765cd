"""Branches become nodes, with one for each of their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.expressions.refs import Binary, Constant, Expression
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.plan.nodes import ArmNode, BranchNode, Node
from operonx.core.plan.ordering import all_needs

if TYPE_CHECKING:
    from operonx.core.expressions.evaluation import Evaluate
    from operonx.core.ops.base import Op
    from operonx.core.plan.lowering import Lowering
    from operonx.core.plan.scopes import Scope

__all__ = ["lower_branch"]


def lower_branch(lowering: Lowering, scope: Scope, op: BranchOp) -> None:
    """Make the nodes of a branch and of its word on each target."""
    region = lowering.own_region(scope, op)
    path = scope.path_of(op)
    node = BranchNode(region, path, op)
    needs: list[Node] = []

    def compiled(expression: Expression) -> Evaluate:
        evaluate, found = lowering.values.compile(scope, expression, region, path)
        needs.extend(found)
        return evaluate

    arms: list[tuple[Any, list[Op]]] = []
    if isinstance(op, SwitchOp):
        node.subject = compiled(op.subject)
    for arm in op.arms:
        condition: Any = None
        if isinstance(arm.condition, Binary) and isinstance(op, SwitchOp):
            condition = _case(arm.condition)
        elif arm.condition is not None:
            condition = compiled(arm.condition)
        arms.append((condition, arm.resolved()))
    lowering.builder.take(node, all_needs(lowering, scope, op, needs))
    lowering.finish_op(scope, op, node)
    made: dict[Op, ArmNode] = {}
    for condition, targets in arms:
        for target in targets:
            if target not in made:
                made[target] = ArmNode(node, target.name)
                lowering.builder.take(made[target], [node])
                scope.arms.setdefault(target, []).append(made[target])
        names = [target.name for target in targets]
        node.arms.append((condition, names, {made[target] for target in targets}))


def _case(condition: Binary) -> Any:
    assert isinstance(condition.right, Constant)  # `switch` made it so
    return condition.right.value
