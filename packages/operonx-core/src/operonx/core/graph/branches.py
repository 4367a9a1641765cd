"""Branches: `if_(cond, op).elif_(cond, op).else_(op)` and `switch(ref, {...}, default=op)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from operonx.core.expressions.building import building_graph
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.refs import Binary, Choice, Chosen, Constant, Expression, lift
from operonx.core.ops.base import Op
from operonx.core.ops.signature import Port

__all__ = ["Arm", "BlockFactory", "BranchOp", "SwitchOp", "if_", "switch"]


@dataclass(slots=True, eq=False)
class Arm:
    """One way a branch may go."""

    condition: Expression | None
    """None always matches: the `else_` arm."""
    targets: list[Op | str]
    """Ops of the same graph; names are resolved when the graph is built."""

    def resolved(self) -> list[Op]:
        """Return the targets that are ops."""
        return [target for target in self.targets if isinstance(target, Op)]


class BranchOp(Op):
    """Chooses which of its targets fire. Its port `chosen` has the names of those that do."""

    kind: ClassVar[str] = "branch"
    calls: ClassVar[bool] = True
    default_name: ClassVar[str] = "branch"

    def __init__(self, name: str | None, *, named: bool) -> None:
        super().__init__(name or self.default_name, named=named)
        self.arms: list[Arm] = []
        """The ways it may go, in the order in which they are tried."""
        self._takes_name = name is None

    @property
    def ports(self) -> tuple[Port, ...]:
        """One port, `chosen`: a list of names."""
        return (Port("chosen", list[str]),)

    def port_hint(self, port: str) -> str:
        """Say how to read a port of the chosen target."""
        targets = [target for arm in self.arms for target in arm.resolved()]
        texts = [
            one.name if len(one.all_ports()) == 1 else f'{one.name}["{port}"]' for one in targets
        ]
        return f"read that of the target that fired: `first_of({', '.join(texts) or 'a, b'})`"

    def value_hint(self) -> str:
        """Say how to read what the chosen target gives."""
        return "return what its targets give: `first_of(a, b)`, which takes the one that fired"

    def elif_(self, condition: object, target: object) -> BranchOp:
        """Add an arm that is tried where those before it did not match."""
        self.add_arm(lift(condition), target)
        self._rename_from(calling_frame(1))
        return self

    if_ = elif_

    def else_(self, target: object) -> BranchOp:
        """Add the arm for where no other matched."""
        self.add_arm(None, target)
        self._rename_from(calling_frame(1))
        return self

    def add_arm(self, condition: Expression | None, target: object) -> None:
        """Add an arm for one target or a list of them; no condition always matches."""
        self.graph.require_open(f"branch `{self.name}`")
        if self.arms and self.arms[-1].condition is None:
            raise TypeError(f"branch `{self.name}`: nothing can follow `.else_(...)`")
        targets: list[Op | str] = []
        given = cast("list[object]", target) if isinstance(target, (list, tuple)) else [target]
        for item in given:
            if not isinstance(item, (Op, str)):
                raise TypeError(
                    f"branch `{self.name}`: a target is an op or its name, got {item!r}"
                )
            targets.append(item)
        self.arms.append(Arm(condition, targets))

    def _rename_from(self, frame: Any) -> None:
        # The last call of a chain is the one that is assigned.
        name = assigned_name(frame) if self._takes_name else None
        if name is not None:
            self._takes_name = False
            self.graph.rename(self, name)


class SwitchOp(BranchOp):
    """A branch on equality; `switch(...)["reply"]` reads the arm that was chosen."""

    kind: ClassVar[str] = "switch"
    default_name: ClassVar[str] = "switch"

    def __init__(self, name: str | None, subject: Expression, *, named: bool) -> None:
        super().__init__(name, named=named)
        self.subject = subject
        """What the cases are compared with."""
        self._choice: Choice | None = None

    def value_hint(self) -> str:
        """Say how to read what the chosen target gives."""
        targets = [target for arm in self.arms for target in arm.resolved()]
        ports = [port.name for target in targets[:1] for port in target.all_ports()]
        name = ports[0] if ports else "port"
        return f'return what the chosen target gives: `{self.name}["{name}"]`'

    def __getitem__(self, port: str) -> Any:
        if port == "chosen" or not isinstance(cast("object", port), str):
            return super().__getitem__(port)
        if self._choice is None:
            self._choice = Choice((), race=False)
            self.resolve_choice()
        return Chosen(self._choice, port)

    def resolve_choice(self) -> None:
        """Let what reads this switch read all its targets; some were only names until now."""
        if self._choice is not None:
            targets = (target for arm in self.arms for target in arm.resolved())
            self._choice.options = tuple(dict.fromkeys(targets))


class BlockFactory:
    """A building block that takes its name as `block.with_(name="x")(...)` or `name="x"`."""

    __slots__ = ("_name",)

    def __init__(self, name: str | None = None) -> None:
        self._name = name

    def with_(self, *, name: str) -> Any:
        """Set the name of one use."""
        return type(self)(name)

    def _named(self, given: str | None, frame: Any) -> tuple[str | None, bool]:
        explicit = self._name if given is None else given
        if explicit is not None:
            return explicit, True
        return assigned_name(frame), False

    @staticmethod
    def _graph(what: str) -> Any:
        graph = building_graph()
        if graph is None:
            raise TypeError(f"`{what}` adds to a graph: use it in a graph block")
        return graph


class _If(BlockFactory):
    """Fire a target only where a condition holds: `if_(condition, target)`.

    The conditions are tried in order, and the targets not chosen are skipped.

    Example:
        ```python
        if_(a["score"] > 0.5, accept).elif_(a["score"] > 0.2, ask).else_(reject)
        ```
    """

    __slots__ = ()

    def __call__(self, condition: object, target: object, *, name: str | None = None) -> BranchOp:
        """Fire `target` only where `condition` holds.

        Args:
            condition: A ref expression that gives a boolean.
            target: An op of this graph or its name, or a list of these.
            name: The branch's name.

        Returns:
            The branch, for `.elif_(condition, target)` and `.else_(target)`.
        """
        graph = self._graph("if_")
        own, named = self._named(name, calling_frame(1))
        branch = BranchOp(own, named=named)
        graph.add_op(branch)
        branch.add_arm(lift(condition), target)
        return branch


class _Switch(BlockFactory):
    """Fire the target of the case that a value equals: `switch(ref, {case: target}, default=op)`.

    `switch(...)["reply"]` reads port `reply` of the chosen target.

    Example:
        ```python
        switch(kind, {"refund": pay_back, "sales": offer}, default=apologise)
        ```
    """

    __slots__ = ()

    def __call__(
        self,
        subject: object,
        cases: Mapping[Any, object],
        *,
        default: object = None,
        name: str | None = None,
    ) -> SwitchOp:
        """Fire the target of the case that the subject equals.

        Args:
            subject: A ref.
            cases: Targets (ops, their names, or lists) by text, number or boolean.
            default: The target where no case matches; None skips all.
            name: The branch's name.

        Returns:
            The branch; `switch(...)["reply"]` reads port `reply` of the chosen target.

        Raises:
            TypeError: If a case is no text, number or boolean, or there is none.
        """
        graph = self._graph("switch")
        own, named = self._named(name, calling_frame(1))
        ref = lift(subject)
        branch = SwitchOp(own, ref, named=named)
        graph.add_op(branch)
        if not isinstance(cast("object", cases), Mapping) or not cases:
            raise TypeError(f"switch: takes targets by case, `{{'refund': op}}`, got {cases!r}")
        for case, target in cases.items():
            if not isinstance(case, (str, int, float)) or repr(case) == "nan":
                raise TypeError(f"switch: a case is a text, number or boolean, got {case!r}")
            branch.add_arm(Binary("==", ref, Constant(case)), target)
        if default is not None:
            branch.add_arm(None, default)
        return branch


if_: _If = _If()
switch: _Switch = _Switch()
