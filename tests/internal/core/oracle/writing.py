"""What every step of writing a program needs: choices, the refs there are, and the lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

__all__ = ["Block", "Draw", "Ref", "Writer", "both", "collected", "is_prefix", "result_of"]

T = TypeVar("T")
Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
Arms: TypeAlias = tuple[tuple[str, int], ...]
"""Arms by branch, or by op whose error is read."""

DEEPEST = 3
"""Axes that a ref may have, at most."""

_FORMS: Mapping[str, Sequence[str]] = {
    "int": (
        "{0} + 1",
        "({0} > 30)",
        "{0} % 5",
        "[{0}, 1]",
        '{{"k": {0}}}["k"]',
        "-{0}",
        'template("<{{v}}>", v={0})',
        "{0}.or_else(3)",
        "12 // ({0} % 4)",
    ),
    "list": (
        "{0}.len()",
        "({0}.len() > 1)",
        "{0}.contains(3)",
        "{0}.or_else([])",
        "[{0}]",
        "{0}[0]",
        "({0} + {0})",
    ),
    "any": ("{0}.is_none()", "{0}.or_else(None)", "[{0}]", "({0} == 1)", "(~{0}.is_none())"),
}
"""Expressions over a ref, by its kind; few of them raise."""


@dataclass(frozen=True)
class Ref:
    """Something that can be read in one block."""

    text: str
    axes: tuple[str, ...] = ()
    kind: str = "int"
    """`int`, `list` or `any`."""
    needs: Arms = ()
    op: str | None = None
    """The op that it reads, if it is a plain ref to one."""


@dataclass
class Block:
    """One graph being written."""

    depth: int
    refs: list[Ref] = field(default_factory=list[Ref])
    lines: list[str] = field(default_factory=list[str])
    ops: list[Ref] = field(default_factory=list[Ref])
    """Ops in order, each with its own axes."""
    unread: dict[str, Ref] = field(default_factory=dict[str, Ref])
    """By op: a ref to one of its ports, where nothing reads the op yet."""
    outputs: list[Ref] = field(default_factory=list[Ref])
    """`text` is the output's name, `axes` those inside."""
    writes: dict[str, str] = field(default_factory=dict[str, str])
    """What each output is written from."""


class Writer:
    """Draws choices and writes lines; the steps build on it."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.count = 0
        self.block = Block(0)
        self.containing_ops = 75
        """Of a hundred ops that may fail, how many contain it; of nested graphs likewise."""
        self.containing_graphs = 30

    # -- choices: the first of any options is the simplest

    def integer(self, low: int, high: int) -> int:
        """Draw a whole number."""
        return int(self.draw(st.integers(low, high)))

    def chance(self, percent: int) -> bool:
        """Draw True in so many of a hundred cases; False is the simpler."""
        return self.integer(0, 99) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of several."""
        return options[self.integer(0, len(options) - 1)]

    def name(self, prefix: str) -> str:
        """Return a name that was not there yet."""
        self.count += 1
        return f"{prefix}{self.count}"

    def next_name(self) -> str:
        """Return the name that `call` gives next: an op's own axis is named by it."""
        return f"a{self.count + 1}"

    # -- refs

    def recent(self, accept: Callable[[Ref], bool] = lambda _: True) -> Ref | None:
        """Draw a ref, later ones first; None if none is accepted."""
        options = [ref for ref in reversed(self.block.refs) if accept(ref)]
        return self.pick(options[:12]) if options else None

    def stream(self) -> Ref | None:
        """Draw a ref that carries an axis, and count it as read."""
        ref = self.recent(lambda one: bool(one.axes))
        return None if ref is None else self.read(ref)

    def read(self, ref: Ref) -> Ref:
        """Count what a ref reads as read."""
        if ref.op is not None:
            self.block.unread.pop(ref.op, None)
        return ref

    def beside(self, axes: tuple[str, ...], needs: Arms) -> Ref | None:
        """Draw a ref that can be read beside others, collected where it must be."""
        ref = self.recent(lambda one: _fit(needs, one.needs))
        if ref is None:
            return None
        self.read(ref)
        while not is_prefix(ref.axes, axes) and not is_prefix(axes, ref.axes):
            ref = collected(ref)
        return ref

    def argument(self) -> Ref | None:
        """Draw what an op reads: a ref, now and then collected, or in an expression."""
        ref = self.recent()
        if ref is None:
            return None
        self.read(ref)
        if ref.axes and self.chance(35):
            ref = collected(ref)
        return self.in_expression(ref) if self.chance(40) else ref

    def in_expression(self, ref: Ref, *, as_list: bool = True) -> Ref:
        """Put an expression around a ref; `as_list`: or the ref in a list, which is none itself."""
        forms = [form for form in _FORMS[ref.kind] if as_list or not form.startswith("[")]
        form = self.pick(forms)
        needs = () if "or_else" in form else ref.needs
        return replace(ref, text=form.format(ref.text), kind="any", needs=needs, op=None)

    # -- lines

    def write(self, line: str) -> None:
        """Add a line to the block."""
        self.block.lines.append(line)

    def add(self, name: str, ports: Mapping[str, Ref], own: Ref) -> None:
        """Take in an op that was written."""
        for port, ref in ports.items():
            self.block.refs.append(replace(ref, text=f'{name}["{port}"]', op=name))
        self.block.ops.append(replace(own, text=name))
        if ports:
            self.block.unread[name] = self.block.refs[-1]

    def call(
        self, function: str, arguments: str, ports: Mapping[str, Ref], own: Ref, policies: str = ""
    ) -> str:
        """Write the call of an op, and return its name."""
        name = self.name("a")
        made = f"{function}.with_({policies})" if policies else function
        self.write(f"{name} = {made}({arguments})")
        self.add(name, ports, own)
        return name

    def first_of(self, names: Iterable[str], own: Ref) -> None:
        """Write an op that takes whichever of several fired."""
        names = list(names)
        for name in names:
            self.block.unread.pop(name, None)
        options = ", ".join(f'{name}["result"]' for name in names)
        made = replace(own, kind="int", op=None)
        self.call("inc", f"x=first_of({options})", {"result": made}, made)

    def contained(self) -> str:
        """Draw what becomes of a failure: mostly it is contained."""
        return 'on_error="skip", ' if self.chance(self.containing_ops) else ""


def is_prefix(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Return whether `other` begins with `one`."""
    return other[: len(one)] == one


def both(one: Ref, other: Ref) -> Ref:
    """Return a ref that needs what both need, at the longer of their axes."""
    longer = one if len(one.axes) >= len(other.axes) else other
    return replace(one, axes=longer.axes, needs=tuple(dict.fromkeys((*one.needs, *other.needs))))


def collected(ref: Ref) -> Ref:
    """Return a ref with its last axis collected."""
    return replace(ref, text=f"{ref.text}.collect()", axes=ref.axes[:-1], kind="list", op=None)


def result_of(own: Ref) -> dict[str, Ref]:
    """Return the ports of an op that has `result` alone."""
    return {"result": own}


def _fit(one: Arms, other: Arms) -> bool:
    arms = dict(one)
    return all(arms.get(branch, arm) == arm for branch, arm in other)
