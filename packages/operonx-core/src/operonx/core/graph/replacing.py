"""Functions that stand in for ops in one engine: what `Operon(replace=...)` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from operonx.core.errors import did_you_mean, listed
from operonx.core.ops.decorator import op
from operonx.core.ops.factory import OpFactory
from operonx.core.ops.function import FuncOp, OpDefinition

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp

__all__ = ["replacements"]


def replacements(graph: GraphOp, replace: Mapping[str, Any]) -> dict[str, OpDefinition]:
    """Return what runs in place of ops, by their paths.

    Raises:
        ValueError: If a path is unknown, or what stands in does not fit the op.
    """
    ops = {one.path: one for one in graph.walk()}
    replaced: dict[str, OpDefinition] = {}
    for path, fake in replace.items():
        target = ops.get(path)
        if target is None:
            hint = did_you_mean(path, ops)
            raise ValueError(f"replace: there is no op `{path}`" + (f"; {hint}" if hint else ""))
        if not isinstance(target, FuncOp):
            raise ValueError(  # noqa: TRY004 - the path is wrong, not the type of an argument
                f"replace: `{path}` calls no function; it is a {target.kind}"
            )
        replaced[path] = _fitting(path, target, fake)
    return replaced


def _fitting(path: str, target: FuncOp, fake: Any) -> OpDefinition:
    if isinstance(fake, OpFactory):
        definition: OpDefinition = fake.definition
    else:
        # A plain function or lambda stands in as it is, so its ports are those of the op.
        definition = op(fake).definition.with_ports_of(target.signature)
    signature = definition.signature
    names = {p.name for p in signature.parameters if p.role != "context"}
    unknown = [name for name in target.inputs if name not in names]
    if unknown and not signature.accepts_extra:
        raise ValueError(f"replace: `{path}` is given {listed(unknown)}, which {fake!r} lacks")
    if signature.is_generator != target.signature.is_generator:
        raise ValueError(f"replace: `{path}` and {fake!r} are not both generators")
    ports = {port.name for port in signature.ports or ()}
    wanted = {port.name for port in target.ports or ()}
    if signature.ports is not None and target.ports is not None and ports != wanted:
        raise ValueError(
            f"replace: `{path}` has ports {listed(sorted(wanted), 'none')}, "
            f"{fake!r} has {listed(sorted(ports), 'none')}"
        )
    return definition
