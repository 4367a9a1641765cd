"""`outputs=` of an op: its ports forwarded as outputs of the graph that it is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from operonx.core.expressions.refs import ParentRef, PortRef
from operonx.core.graph.parts import Write
from operonx.core.ops.edges import PARENT

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = ["Forward", "targets_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """`outputs={"a": PARENT["b"], "*": PARENT}` of an op."""

    op: Op
    """The op that was given it."""
    targets: dict[str, ParentRef | None]
    """What each port is written to; None for `"*"`."""

    def writes(self) -> list[Write]:
        """Return what is written; ports that are not known are reported to the graph."""
        writes: list[Write] = []
        for port, target in self.targets.items():
            if target is not None:
                writes.append(Write(target.key, PortRef(self.op, port), self.op))
            elif self.op.ports is None:
                self._report_open()
            else:
                rest = [one.name for one in self.op.all_ports() if one.name not in self.targets]
                writes += [Write(name, PortRef(self.op, name), self.op) for name in rest]
        return writes

    def _report_open(self) -> None:
        self.op.graph.report(
            self.op,
            'its ports are only known when it runs, so `outputs={"*": PARENT}` cannot forward them',
            hint=f"name each port, or {self.op.ports_hint()}",
            ref="*",
        )


def targets_of(mapping: object) -> dict[str, ParentRef | None]:
    """Return what `outputs=` writes each port to; None for the rest, `"*"`.

    Raises:
        TypeError: If `mapping` is no mapping of ports to `PARENT` keys.
    """
    if not isinstance(mapping, Mapping):
        raise TypeError(f'outputs={mapping!r}: takes a mapping, `{{"port": PARENT["name"]}}`')
    targets: dict[str, ParentRef | None] = {}
    for port, target in cast("Mapping[object, object]", mapping).items():
        wanted = "PARENT" if port == "*" else 'PARENT["name"]'
        fits = target is PARENT if port == "*" else isinstance(target, ParentRef)
        if not isinstance(port, str) or not fits:
            raise TypeError(f"outputs={{{port!r}: {target!r}}}: takes `{wanted}`")
        targets[port] = target if isinstance(target, ParentRef) else None
    return targets
