"""`first_of`, `race` and `.or_else`: a node that takes an option, and what reads that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.expressions.refs import Choice, Expression, OrElse, lift
from operonx.core.graph.analysis import op_leaves
from operonx.core.plan.nodes import AllNode, ChoiceNode, Node, Region
from operonx.core.plan.places import Place

if TYPE_CHECKING:
    from operonx.core.plan.lowering import Lowering
    from operonx.core.plan.scopes import Scope

__all__ = ["choice_place"]


def choice_place(
    lowering: Lowering,
    scope: Scope,
    expression: Expression,
    key: Choice | OrElse,
    options: tuple[Expression, ...],
    path: str,
) -> Place:
    """Return where the value of the option that is taken is read.

    Args:
        lowering: The plan being made.
        scope: The graph it was written in.
        expression: What reads the choice.
        key: The choice; its readers share one node.
        options: What is read of each option.
        path: Path of the op that reads it.
    """
    region = lowering.region_of(lowering.values.axes(scope, expression))
    parts = [lowering.values.compile(scope, option, region, path) for option in options]
    node = lowering.values.choices.get(key)
    if node is None:
        node = _add_choice(lowering, region, key, [needs for _, needs in parts], path)
        lowering.values.choices[key] = node
    readers = [evaluate for evaluate, _ in parts]
    slot = node.slot

    def read(inst: Any) -> Any:
        chosen: int = inst.slots[slot]
        return readers[chosen](inst)

    return Place(region, None, read, (node,))


def _add_choice(
    lowering: Lowering,
    region: Region,
    key: Choice | OrElse,
    needs: list[tuple[Node, ...]],
    path: str,
) -> ChoiceNode:
    options = [_single(lowering, region, option, path) for option in needs]
    race = isinstance(key, Choice) and key.race
    node = ChoiceNode(region, path, len(options), race=race)
    node.options = options
    node.strict = needs[0] if isinstance(key, OrElse) else ()
    lowering.builder.take(node)
    for number, option in enumerate(options):
        option.reports.append((node, number))
    if race and isinstance(key, Choice):
        _note_losers(lowering, node, key)
    return node


def _single(lowering: Lowering, region: Region, needs: tuple[Node, ...], path: str) -> Node:
    """Return one node of `region` that fires if all of `needs` did."""
    distinct = list(dict.fromkeys(needs))
    if len(distinct) == 1 and distinct[0].region is region:
        return distinct[0]
    relay = AllNode(region, path)
    lowering.builder.take(relay, distinct)
    return relay


def _note_losers(lowering: Lowering, node: ChoiceNode, choice: Choice) -> None:
    """Note for each option the nodes that nothing but this race waits for."""
    for option in choice.options:
        ops = [source for _, source in op_leaves(lift(option))]
        lost = [lowering.nodes[op] for op in ops if op in lowering.nodes]
        node.losers.append(tuple(one for one in lost if one.may_lose))
