"""`Operon(replace={"path": fake})`: what runs in the place of ops."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from operonx.core.errors import did_you_mean, listed
from operonx.core.graph.factory import GraphFactory
from operonx.core.graph.graph import GraphOp
from operonx.core.ops.base import Op
from operonx.core.ops.decorator import op
from operonx.core.ops.factory import OpFactory
from operonx.core.ops.function import FuncOp, OpDefinition

__all__ = ["replacements"]


def replacements(graph: GraphOp, replace: Mapping[str, Any]) -> dict[str, OpDefinition]:
    """Return what runs in the place of ops, by path.

    Args:
        graph: The root graph.
        replace: Functions, ops or mocks by op path.

    Raises:
        TypeError: If `replace` is no mapping of paths to functions, ops or mocks.
        ValueError: If there is no such op, it calls no function, or what shall stand in for it
            takes or gives something else.
    """
    if not isinstance(cast("object", replace), Mapping):
        raise TypeError(f'replace={replace!r}: takes a mapping, `{{"graph.op": function}}`')
    ops = {one.path: one for one in graph.walk()}
    replaced: dict[str, OpDefinition] = {}
    for path, fake in replace.items():
        if not isinstance(cast("object", path), str):
            raise TypeError(_not_a_path(path, ops))
        target = ops.get(path)
        if target is None:
            hint = did_you_mean(path, ops)
            raise ValueError(f"replace: there is no op `{path}`" + (f"; {hint}" if hint else ""))
        if not isinstance(target, FuncOp):
            raise ValueError(_calls_nothing(target))  # noqa: TRY004 - the path is wrong
        replaced[path] = _fitting(path, target, fake)
    return replaced


def _not_a_path(key: object, ops: Mapping[str, Op]) -> str:
    paths = [
        path
        for path, one in ops.items()
        if one is key
        or (isinstance(one, FuncOp) and getattr(key, "definition", None) is one.definition)
    ]
    hint = f"; write {' or '.join(map(repr, paths))}" if paths else ""
    return f"replace: takes functions by op path, got {key!r} as a path{hint}"


def _calls_nothing(target: Op) -> str:
    what = f"replace: `{target.path}` calls no function; it is a {target.kind}"
    inside = target.walk() if isinstance(target, GraphOp) else ()
    paths = [one.path for one in inside if isinstance(one, FuncOp)]
    return f"{what}; replace the ops in it: {listed(paths)}" if paths else what


def _fitting(path: str, target: FuncOp, fake: Any) -> OpDefinition:
    if not callable(fake) or isinstance(fake, GraphFactory | Op):
        raise TypeError(
            f"replace: a function, an `@op` or a mock can run in the place of `{path}`, "
            f"got {fake!r}"
        )
    if isinstance(fake, OpFactory):
        definition: OpDefinition = fake.definition
    else:
        # A plain function or lambda stands in as it is, so its ports are those of the op.
        definition = op(_by_name(fake)).definition.with_ports_of(target.signature)
    signature = definition.signature
    names = {p.name for p in signature.parameters if p.role != "context"}
    unknown = [name for name in target.inputs if name not in names]
    if unknown and not signature.accepts_extra:
        raise ValueError(f"replace: `{path}` is given {listed(unknown)}, which {fake!r} lacks")
    lacking = [
        p.name
        for p in signature.parameters
        if p.required and p.role != "context" and p.name not in target.inputs
    ]
    if lacking:
        raise ValueError(
            f"replace: {fake!r} requires {listed(lacking)}, which `{path}` is not given; "
            f"it is given {listed(target.inputs, 'nothing')}"
        )
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


def _by_name(fake: Any) -> Any:
    """Let what takes anything, as a mock does, be called with the op's inputs by name."""
    try:
        kinds = {parameter.kind for parameter in inspect.signature(fake).parameters.values()}
    except (TypeError, ValueError):  # said better where it is read as an op
        return fake
    if kinds != {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        return fake
    call = cast("Callable[..., Any]", fake)

    def stand_in(**inputs: Any) -> Any:
        return call(**inputs)

    async def async_stand_in(**inputs: Any) -> Any:
        return await call(**inputs)

    return async_stand_in if inspect.iscoroutinefunction(fake) else stand_in
