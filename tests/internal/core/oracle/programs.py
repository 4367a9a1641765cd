"""Random authoring programs, as text: a failing example is a program to run as it stands.

`programs()` is a Hypothesis strategy. An author keeps, for every ref there is, its axes and the
arms it needs, so that most programs build; those that do not must fail with a `BuildError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

import operonx.core
from operonx.core import GraphOp

from . import library, open_bugs

__all__ = ["Features", "Program", "programs"]

T = TypeVar("T")


@dataclass(frozen=True)
class Features:
    """What programs may use. Those that an open bug spoils are switched off here."""

    streams_only: bool = False
    """Leave out what opens no stream, for tests of windows."""
    max_ops: int = 9
    """Steps of the root block; nested blocks have fewer."""


@dataclass(frozen=True)
class Program:
    """An authoring program and the inputs of one run."""

    text: str
    inputs: Mapping[str, Any]

    def build(self) -> GraphOp:
        """Run the program; it leaves its graph as `g`."""
        scope: dict[str, Any] = {**vars(operonx.core), **vars(library)}
        exec(compile(self.text, "<program>", "exec"), scope)  # noqa: S102 - our own text
        graph = scope["g"]
        assert isinstance(graph, GraphOp)
        return graph

    def __repr__(self) -> str:
        return f"Program of inputs {dict(self.inputs)!r}:\n{self.text}"


@dataclass(frozen=True)
class Ref:
    """Something that can be read."""

    text: str
    axes: tuple[str, ...] = ()
    kind: str = "int"
    """`int`, `list` (of anything), `bool`, or `any`."""
    needs: tuple[tuple[str, int], ...] = ()
    """Arms that it depends on."""
    op: str | None = None
    """The op that it reads, if it is a plain ref to one."""


def _fit(one: Sequence[tuple[str, int]], other: Sequence[tuple[str, int]]) -> bool:
    arms = dict(one)
    return all(arms.get(branch, arm) == arm for branch, arm in other)


@dataclass
class Block:
    """One graph being written."""

    depth: int
    refs: list[Ref] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    ops: list[Ref] = field(default_factory=list)
    """Ops in order, each as a ref with its own axes."""
    unread: dict[str, Ref] = field(default_factory=dict)
    outputs: list[Ref] = field(default_factory=list)
    """What it writes: `text` is the output's name, `axes` those inside."""
    writes: dict[str, str] = field(default_factory=dict)
    """What each output is written from."""


class Author:
    """Writes one program."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], features: Features) -> None:
        self.draw = draw
        self.features = features
        self.count = 0
        self.block = Block(0)

    # -- choices

    def integer(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def chance(self, percent: int) -> bool:
        return self.integer(0, 99) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    # -- refs

    def recent(self, accept: Callable[[Ref], bool] = lambda _: True) -> Ref | None:
        """Draw a ref, later ones first; None if none is accepted."""
        options = [ref for ref in reversed(self.block.refs) if accept(ref)]
        return self.pick(options[:12]) if options else None

    def read(self, ref: Ref) -> Ref:
        """Mark what a ref reads as read."""
        if ref.op is not None:
            self.block.unread.pop(ref.op, None)
        return ref

    def joined(self, axes: tuple[str, ...], needs: Sequence[tuple[str, int]]) -> Ref | None:
        """Draw a second ref that can be read beside the first, collected where it must be."""
        ref = self.recent(lambda one: _fit(needs, one.needs))
        return None if ref is None else self.fitted(self.read(ref), axes)

    @staticmethod
    def fitted(ref: Ref, axes: tuple[str, ...]) -> Ref:
        while not _is_prefix(ref.axes, axes) and not _is_prefix(axes, ref.axes):
            ref = collected(ref)
        return ref

    def spiced(self, ref: Ref) -> Ref:
        """Maybe put an expression around a ref."""
        if not self.chance(40):
            return ref
        text = ref.text
        if ref.kind == "int":
            forms = ["{0} + 1", "({0} > 30)", "{0} % 5", "[{0}, 1]", '{{"k": {0}}}["k"]', "-{0}",
                     'template("<{{v}}>", v={0})', "{0}.or_else(3)", "12 // ({0} % 4)"]
        elif ref.kind == "list":
            forms = ["{0}.len()", "({0}.len() > 1)", "{0}.contains(3)", "{0}.or_else([])",
                     "[{0}]", "{0}[0]", "({0} + {0})"]
        else:
            forms = ["{0}.is_none()", "{0}.or_else(None)", "[{0}]", "({0} == 1)"]
        form = self.pick(forms)
        needs = () if "or_else" in form else ref.needs
        return replace(ref, text=form.format(text), kind="any", needs=needs, op=None)

    def argument(self) -> Ref | None:
        """Draw what an op reads first: a ref, in part collected, in part in an expression."""
        ref = self.recent()
        if ref is None:
            return None
        self.read(ref)
        if ref.axes and self.chance(35):
            ref = collected(ref)
        return self.spiced(ref)

    # -- writing

    def write(self, line: str) -> None:
        self.block.lines.append(line)

    def add(self, name: str, ports: Mapping[str, Ref], own: Ref) -> None:
        """Take in a new op."""
        for port, ref in ports.items():
            text = f'{name}["{port}"]'
            self.block.refs.append(replace(ref, text=text, op=name))
        self.block.ops.append(replace(own, text=name))
        if ports:
            self.block.unread[name] = self.block.refs[-1]

    def call(self, function: str, arguments: str, ports: Mapping[str, Ref], own: Ref,
             policies: str = "") -> str:
        name = self.name("a")
        made = f"{function}.with_({policies})" if policies else function
        self.write(f"{name} = {made}({arguments})")
        self.add(name, ports, own)
        return name

    # -- steps

    def step(self) -> None:
        steps: list[tuple[int, Callable[[], None]]] = [
            (6, self.plain), (5, self.generator), (3, self.consumer), (2, self.batched),
            (2, self.zipped), (4, self.branch), (3, self.merge), (2, self.failing),
            (2, self.routed), (2, self.edge), (2, self.each), (3, self.collecting),
        ]  # fmt: skip
        if self.block.depth < 2:
            steps += [(2, self.nested), (2, self.loop)]
        choice = self.integer(0, sum(weight for weight, _ in steps) - 1)
        for weight, one in steps:
            if choice < weight:
                one()
                return
            choice -= weight

    def plain(self) -> None:
        ref = self.argument()
        if ref is None:
            return
        function = self.pick(["inc", "ainc", "add", "aadd", "pair", "maybe_none", "numbers",
                              "tinc", "sink"])
        own = replace(ref, kind="int")
        arguments = f"x={ref.text}"
        if function in ("add", "aadd"):
            other = self.joined(ref.axes, ref.needs)
            if other is not None:
                arguments += f", y={other.text}"
                own = _both(own, other)
        ports = {"result": own}
        if function == "pair":
            ports = {"low": own, "high": own}
        elif function == "maybe_none":
            ports = {"result": replace(own, kind="any")}
        elif function == "numbers":
            ports = {"result": replace(own, kind="list")}
        elif function == "sink":
            ports = {}
        policies = "concurrency=1" if self.chance(10) else ""
        self.call(function, arguments, ports, own, policies)

    def generator(self) -> None:
        ref = self.argument()
        if ref is None or len(ref.axes) > 2:
            return
        function = self.pick(["count", "acount", "tally", "atally", "breaks", "abreaks"])
        policies = self.containing() if function in ("breaks", "abreaks") else ""
        if self.chance(10):
            policies += f"max_open={self.integer(1, 3)}, "
        own = replace(ref, kind="int", op=None)
        name = f"a{self.count + 1}"
        item = replace(own, axes=(*ref.axes, name))
        ports = {"result": item}
        arguments = f"n={ref.text}"
        if function in ("tally", "atally"):
            ports = {"part": item, "place": item, "total": own}
        elif function in ("breaks", "abreaks"):
            arguments += f", after={self.integer(0, 2)}"
        elif self.chance(50):
            arguments += ", extra=1"
        self.call(function, arguments, ports, own, policies)

    def containing(self) -> str:
        return self.pick(['on_error="skip", ', 'on_error="skip", ', 'on_error="skip", ', ""])

    def each(self) -> None:
        ref = self.recent(lambda one: one.kind == "list" and len(one.axes) < 3)
        if ref is None:
            return
        self.read(ref)
        name = f"a{self.count + 1}"
        item = replace(ref, axes=(*ref.axes, name), kind="any")
        self.call("each", ref.text, {"item": item, "index": replace(item, kind="int")}, ref)

    def collecting(self) -> None:
        ref = self.recent(lambda one: bool(one.axes))
        if ref is None:
            return
        self.read(ref)
        if self.chance(30):
            ref = replace(ref, text=f"{ref.text}.or_else(0)", needs=())
        while ref.axes:
            ref = collected(ref)
            if self.chance(60):
                break
        own = replace(ref, kind="int", op=None)
        self.call(self.pick(["inc", "ainc"]), f"x={ref.text}", {"result": own}, own)

    def consumer(self) -> None:
        ref = self.recent(lambda one: bool(one.axes))
        if ref is None:
            return
        self.read(ref)
        function = self.pick(["total", "ttotal", "head", "sums", "halves", "tsums"])
        own = replace(ref, axes=ref.axes[:-1], kind="int", op=None)
        arguments = f"items={ref.text}.stream()"
        if self.chance(40):
            other = self.joined(own.axes, ref.needs)
            same_place = other is not None and _is_prefix(other.axes, own.axes)
            if other is not None and len(other.axes) < 3 and (
                same_place or open_bugs.CONSUMER_FIRES_PER_ITEM
            ):
                arguments += f", plus={other.text}"
                own = _both(own, other)
        name = f"a{self.count + 1}"
        result = own if function in ("total", "ttotal", "head") else replace(
            own, axes=(*own.axes, name))
        policies = 'on_error="skip"' if self.chance(40) else ""
        self.call(function, arguments, {"result": result}, own, policies)

    def batched(self) -> None:
        ref = self.recent(lambda one: bool(one.axes))
        if ref is None:
            return
        self.read(ref)
        size = self.integer(1, 3)
        name = self.name("b")
        self.write(f"{name} = {ref.text}.batch({size})")
        made = Ref(name, (*ref.axes[:-1], name), "list", ref.needs)
        own = replace(made, kind="int")
        self.call(self.pick(["inc", "ainc"]), f"x={name}", {"result": own}, own)
        if self.chance(30):
            self.block.refs.append(made)

    def zipped(self) -> None:
        left = self.recent(lambda one: bool(one.axes))
        if left is None:
            return
        right = self.recent(
            lambda one: bool(one.axes) and one.axes[:-1] == left.axes[:-1]
            and _fit(left.needs, one.needs)
            and (one.axes == left.axes or self.chance(15))
        )
        if right is None:
            return
        self.read(left)
        self.read(right)
        name = f"a{self.count + 1}"
        both = _both(left, right)
        item = replace(both, axes=(*left.axes[:-1], name))
        own = replace(both, axes=left.axes[:-1], op=None)
        self.call("zip_streams", f"p={left.text}, q={right.text}",
                  {"p": replace(item, kind=left.kind), "q": replace(item, kind=right.kind)}, own)

    def failing(self) -> None:
        ref = self.argument()
        if ref is None:
            return
        function = self.pick(["fails", "afails", "flaky", "misshapen"])
        policies = self.containing()
        if self.chance(30):
            policies += f"retry=Retry({self.integer(1, 3)}), "
        if self.chance(25):
            policies += self.pick(["fallback=7, ", "fallback=stand_in, "])
        own = replace(ref, kind="int", op=None)
        if function == "misshapen":
            policies = policies.replace("fallback=7, ", "")
        self.call(function, f"x={ref.text}", {"result": own}, own, policies)

    def routed(self) -> None:
        """An op whose error is read, the op that reads it, and maybe what joins the two."""
        ref = self.argument()
        if ref is None:
            return
        function = self.pick(["fails", "afails", "breaks"])
        name = self.name("a")
        self.write(f"{name} = {function}({'n' if function == 'breaks' else 'x'}={ref.text})")
        own = replace(ref, kind="int", needs=(*ref.needs, (name, 0)), op=None)
        axes = (*ref.axes, name) if function == "breaks" else ref.axes
        if len(axes) > 3:
            self.block.lines.pop()
            return
        self.add(name, {"result": replace(own, axes=axes)}, own)
        handler = replace(own, needs=(*ref.needs, (name, 1)))
        key = self.pick(["type", "op", "message"])
        other = self.call("inc", f'x={name}.error["{key}"]', {"result": handler}, handler)
        if function == "breaks" and not open_bugs.FIRST_OF_OWN_ERROR:
            self.block.refs = [ref for ref in self.block.refs if ref.op != other]
        elif function != "breaks" and self.chance(70):
            self.first_of([name, other], replace(own, needs=ref.needs))

    def first_of(self, names: Sequence[str], own: Ref) -> None:
        for name in names:
            self.block.unread.pop(name, None)
        options = ", ".join(f'{name}["result"]' for name in names)
        made = replace(own, kind="int", op=None)
        self.call("inc", f"x=first_of({options})", {"result": made}, made)

    def branch(self) -> None:
        """A branch with its arms, and maybe what joins them."""
        subject = self.recent(lambda one: one.kind == "int")
        if subject is None:
            return
        self.read(subject)
        branch = self.name("if")
        arms: list[tuple[str, Ref]] = []
        for index in range(self.integer(1, 3)):
            ref = self.joined(subject.axes, subject.needs) or subject
            both = _both(replace(subject, kind="int", op=None), ref)
            own = replace(both, needs=(*both.needs, (branch, index)))
            name = self.call(self.pick(["inc", "ainc"]), f"x={ref.text}", {"result": own}, own)
            arms.append((name, own))
        self.write_branch(branch, subject, [name for name, _ in arms])
        longest = max((own for _, own in arms), key=lambda own: len(own.axes))
        if len(arms) > 1 and all(_is_prefix(own.axes, longest.axes) for _, own in arms):
            self.join(arms, replace(longest, needs=subject.needs))

    def write_branch(self, branch: str, subject: Ref, arms: Sequence[str]) -> None:
        has_else = len(arms) > 1 and self.chance(60)
        named = [*arms[:-1]] if has_else else [*arms]
        if self.chance(30):
            cases = ", ".join(f"{index}: {name}" for index, name in enumerate(named))
            default = f", default={arms[-1]}" if has_else else ""
            self.write(f"{branch} = switch({subject.text} % {len(named) + 1}, {{{cases}}}{default})")
            return
        chain = f"if_({subject.text} % 2 == {self.integer(0, 1)}, {named[0]})"
        for name in named[1:]:
            chain += f".elif_({subject.text} > {self.integer(0, 60)}, {name})"
        if has_else:
            chain += f".else_({arms[-1]})"
        self.write(f"{branch} = {chain}")

    def join(self, arms: Sequence[tuple[str, Ref]], own: Ref) -> None:
        names = [name for name, _ in arms]
        how = self.pick(["first_of", "soft", "or_else", "nothing"])
        if how == "first_of":
            self.first_of(names, own)
        elif how == "soft":
            made = replace(own, axes=(), kind="int", needs=(), op=None)
            if any(arm.axes for _, arm in arms) and not self.chance(50):
                return
            name = self.call("inc", 'x=PARENT["p"]', {"result": made}, made)
            self.write(f"[{', '.join(names)}] >> ~{name}")
        elif how == "or_else":
            made = replace(own, kind="int", op=None)
            text = f'{names[0]}["result"].or_else({names[1]}["result"].or_else(4))'
            self.call("inc", f"x={text}", {"result": made}, made)
            self.block.unread.pop(names[0], None)
            self.block.unread.pop(names[1], None)

    def merge(self) -> None:
        """`first_of` of any two refs."""
        left = self.recent()
        if left is None:
            return
        right = self.recent(lambda one: _is_prefix(one.axes, left.axes)
                            or _is_prefix(left.axes, one.axes))
        if right is None:
            return
        self.read(left)
        self.read(right)
        made = _both(left, right)
        made = replace(made, kind="int", needs=(), op=None)
        text = f"first_of({left.text}, {right.text})"
        self.call(self.pick(["inc", "ainc"]), f"x={text}", {"result": made}, made)

    def edge(self) -> None:
        """An op without a tie to another, ordered after it."""
        if not self.block.ops:
            return
        source = self.pick(self.block.ops[::-1])
        ref = self.joined((), source.needs)
        if ref is None:
            return
        own = replace(ref, kind="int", needs=(*ref.needs, *source.needs), op=None)
        name = self.call("inc", f"x={ref.text}", {"result": own}, own)
        soft = "~" if self.chance(30) else ""
        self.write(f"{source.text} >> {soft}{name}")

    # -- blocks

    def inner(self, inputs: Mapping[str, Ref]) -> Block:
        """Write the block of a nested graph."""
        outer = self.block
        refs = [Ref(f'PARENT["{key}"]', (), ref.kind) for key, ref in inputs.items()]
        self.block = Block(outer.depth + 1, refs)
        for _ in range(self.integer(1, 4)):
            self.step()
        self.close()
        inner, self.block = self.block, outer
        return inner

    def nested(self) -> None:
        inputs, own = self.given()
        if inputs is None:
            return
        inner = self.inner(inputs)
        if not inner.outputs:
            return
        name = self.name("s")
        settings = ', on_error="skip"' if self.chance(30) else ""
        given = ", ".join(f"{key}={ref.text}" for key, ref in inputs.items())
        self.write(f'with GraphOp(name="{name}", {given}{settings}) as {name}:')
        self.block.lines += [f"    {line}" for line in inner.lines]
        ports = {
            ref.text: replace(own, axes=(*own.axes, *ref.axes), kind=ref.kind, op=None)
            for ref in inner.outputs
            if len(own.axes) + len(ref.axes) <= 3
        }
        self.add(name, ports, own)

    def given(self) -> tuple[dict[str, Ref] | None, Ref]:
        first = self.argument()
        if first is None or len(first.axes) > 2:
            return None, Ref("")
        inputs = {"p": first}
        own = replace(first, op=None)
        if self.chance(50):
            second = self.joined(first.axes, first.needs)
            if second is not None and len(second.axes) <= 2:
                inputs["q"] = second
                own = _both(own, second)
        return inputs, own

    def loop(self) -> None:
        inputs, own = self.given()
        if inputs is None:
            return
        reducer = self.pick([None, "append", "sum", "extend"])
        kinds = {"append": "list", "extend": "list", "sum": "int"}
        inside = dict(inputs)
        if reducer is not None:
            inside["r"] = Ref("", (), kinds[reducer])
        inner = self.inner(inside)
        written = next((ref for ref in inner.outputs if not ref.axes and not ref.needs), None)
        name = self.name("l")
        states = ", ".join(f"{key}={ref.text}" for key, ref in inputs.items())
        if reducer is not None:
            initial = "0" if reducer == "sum" else "[]"
            states += f', r=State({initial}, reducer="{reducer}")'
        limit = self.integer(1, 3)
        until = self.pick([f"PARENT.iteration >= {limit - 1}", f'"iteration == {limit - 1}"',
                           'PARENT["p"] > 60'])
        settings = ', on_error="skip"' if self.chance(25) else ""
        self.write(
            f'with GraphOp.loop(until={until}, max_iterations={self.integer(2, 4)}, name="{name}", '
            f"{states}{settings}) as {name}:"
        )
        self.block.lines += [f"    {line}" for line in inner.lines]
        if written is not None:
            source = inner.writes[written.text]
            self.write(f'    {source} >> PARENT["p"]')
        if reducer is not None:
            self.write_reduced(reducer, inner)
        elif not inner.lines:
            self.write("    pass")
        ports = {key: replace(own, kind=ref.kind) for key, ref in inside.items()}
        for ref in inner.outputs:
            ports[ref.text] = replace(own, kind="list" if ref.axes else ref.kind)
        self.add(name, ports, own)
        self.iterations(name, inner, own)

    def write_reduced(self, reducer: str, inner: Block) -> None:
        for ref in inner.outputs[:2]:
            text = inner.writes[ref.text]
            if reducer == "extend":
                text = f"as_list(x={text})" if ref.kind != "list" else text
            elif reducer == "sum" and ref.kind != "int":
                text = "PARENT.iteration"
            self.write(f'    {text} >> PARENT["r"]')

    def iterations(self, name: str, inner: Block, own: Ref) -> None:
        for ref in inner.outputs:
            axes = (*own.axes, name, *ref.axes)
            if len(axes) <= 3:
                text = f'{name}.iterations["{ref.text}"]'
                self.block.refs.append(Ref(text, axes, ref.kind, own.needs, op=name))

    def close(self) -> None:
        """Write outputs for all that nothing reads, and a few more."""
        block = self.block
        if not block.ops:
            self.call("inc", f"x={block.refs[0].text}", {"result": Ref("")}, Ref(""))
        chosen = list(block.unread.values())
        while not chosen or self.chance(25):
            extra = self.recent(lambda ref: ref.op is not None)
            if extra is None:
                break
            chosen.append(extra)
        for ref in chosen:
            key = self.name("o")
            self.write(f'{ref.text} >> PARENT["{key}"]')
            block.outputs.append(replace(ref, text=key, op=None))
            block.writes[key] = ref.text

    def author(self) -> Program:
        keys = {"p": "int", "q": "int", "items": "list"}
        self.block = Block(0, [Ref(f'PARENT["{key}"]', (), kind) for key, kind in keys.items()])
        for _ in range(self.integer(1, self.features.max_ops)):
            self.step()
        self.close()
        body = "\n".join(f"    {line}" for line in self.block.lines)
        inputs = {
            "p": self.integer(0, 90),
            "q": self.integer(0, 90),
            "items": [self.integer(0, 90) for _ in range(self.integer(0, 3))],
        }
        return Program(f'with GraphOp(name="g", inputs=["p", "q", "items"]) as g:\n{body}\n', inputs)


def _is_prefix(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return other[: len(one)] == one


def _both(one: Ref, other: Ref) -> Ref:
    """Return a ref that needs what both need, at the longer of their axes."""
    longer = one if len(one.axes) >= len(other.axes) else other
    return replace(one, axes=longer.axes, needs=tuple(dict.fromkeys((*one.needs, *other.needs))))


def collected(ref: Ref) -> Ref:
    """Return a ref with its last axis collected."""
    return replace(ref, text=f"{ref.text}.collect()", axes=ref.axes[:-1], kind="list", op=None)


@st.composite
def programs(draw: Callable[[st.SearchStrategy[Any]], Any], features: Features) -> Program:
    """Draw programs."""
    return Author(draw, features).author()
