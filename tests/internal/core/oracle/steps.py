"""The steps that write one op, or a few that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .writing import DEEPEST, Ref, Writer, both, collected, is_prefix, result_of

__all__ = ["BranchSteps", "FailureSteps", "PlainSteps", "StreamSteps"]

_PLAIN_KINDS = {"maybe_none": "any", "numbers": "list", "as_list": "list", "as_dict": "any"}


class PlainSteps(Writer):
    """Ops without a stream of their own, and edges."""

    def plain(self) -> None:
        """One op over one or two refs."""
        ref = self.argument()
        if ref is None:
            return
        function = self.pick(
            ["inc", "ainc", "add", "aadd", "pair", "numbers", "maybe_none", "tinc", "as_dict",
             "sink", "say"]
        )  # fmt: skip
        own = replace(ref, kind=_PLAIN_KINDS.get(function, "int"), op=None)
        arguments = f"x={ref.text}"
        if function in ("add", "aadd"):
            other = self.beside(ref.axes, ref.needs)
            if other is not None:
                arguments += f", y={other.text}"
                own = both(own, other)
        ports = result_of(own)
        if function == "pair":
            ports = {"low": own, "high": own}
        elif function in ("sink", "say"):
            ports = {}
        self.call(function, arguments, ports, own, "concurrency=1" if self.chance(10) else "")

    def chain(self) -> None:
        """Many ops in a row."""
        ref = self.argument()
        if ref is None:
            return
        for _ in range(self.integer(2, 12)):
            own = replace(ref, kind="int", op=None)
            name = self.call(self.pick(["inc", "ainc"]), f"x={ref.text}", result_of(own), own)
            ref = self.read(replace(own, text=f'{name}["result"]', op=name))
        self.block.unread[name] = ref  # pyright: ignore[reportPossiblyUnboundVariable]  # two ops at least

    def fan(self) -> None:
        """Many ops over one ref, and one that reads them all."""
        ref = self.argument()
        if ref is None:
            return
        own = replace(ref, kind="int", op=None)
        names = [
            self.call("ainc", f"x={ref.text}", result_of(own), own)
            for _ in range(self.integer(2, 8))
        ]
        for name in names:
            self.block.unread.pop(name)
        joined = ", ".join(f'{name}["result"]' for name in names)
        self.call("inc", f"x=[{joined}]", result_of(own), own)

    def edge(self) -> None:
        """An op ordered after another that it does not read."""
        if not self.block.ops:
            return
        source = self.pick(self.block.ops[::-1])
        ref = self.beside((), source.needs)
        if ref is None:
            return
        own = replace(ref, kind="int", needs=(*ref.needs, *source.needs), op=None)
        name = self.call("inc", f"x={ref.text}", result_of(own), own)
        self.write(f"{source.text} >> {'~' if self.chance(30) else ''}{name}")


class StreamSteps(Writer):
    """Ops that open, read, pair and close streams."""

    def generator(self) -> None:
        """A generator op of any kind."""
        ref = self.argument()
        if ref is None or len(ref.axes) >= DEEPEST:
            return
        function = self.pick(["count", "acount", "tally", "atally", "breaks", "abreaks"])
        policies = self.contained() if function in ("breaks", "abreaks") else ""
        if self.chance(10):
            policies += f"max_open={self.integer(1, 3)}, "
        if self.chance(10):
            policies += "concurrency=1, "
        own = replace(ref, kind="int", op=None)
        item = replace(own, axes=(*ref.axes, self.next_name()))
        ports = result_of(item)
        arguments = f"n={ref.text}"
        if function in ("tally", "atally"):
            ports = {"part": item, "place": item, "total": own}
        elif function in ("breaks", "abreaks"):
            arguments += f", after={self.integer(0, 2)}"
        elif self.chance(50):
            arguments += ", extra=1"
        self.call(function, arguments, ports, own, policies)

    def each(self) -> None:
        """A list fanned out."""
        ref = self.recent(lambda one: one.kind == "list" and len(one.axes) < DEEPEST)
        if ref is None:
            return
        self.read(ref)
        item = replace(ref, axes=(*ref.axes, self.next_name()), kind="any")
        ports = {"item": item, "index": replace(item, kind="int")}
        self.call("each", ref.text, ports, replace(ref, op=None))

    def collecting(self) -> None:
        """An op over a stream collected, over one axis or more."""
        ref = self.stream()
        if ref is None:
            return
        if self.chance(30):
            ref = replace(ref, text=f"{ref.text}.or_else(0)", needs=())
        outer = [axis for axis in ref.axes[:-1] if any(op.text == axis for op in self.block.ops)]
        if outer and self.chance(30):
            per = self.pick(outer)
            axes = ref.axes[: ref.axes.index(per) + 1]
            ref = replace(ref, text=f"{ref.text}.collect(per={per})", axes=axes, kind="list")
        else:
            ref = collected(ref)
            while ref.axes and self.chance(40):
                ref = collected(ref)
        own = replace(ref, kind="int", op=None)
        self.call(self.pick(["inc", "ainc"]), f"x={ref.text}", result_of(own), own)

    def consumer(self) -> None:
        """An op that is handed the stream itself."""
        ref = self.stream()
        if ref is None:
            return
        function = self.pick(
            ["total", "ttotal", "head", "sums", "halves", "tsums", "picky", "tpicks"]
        )
        own = replace(ref, axes=ref.axes[:-1], kind="int", op=None)
        arguments = f"items={ref.text}.stream()"
        if self.chance(40):
            other = self.beside(own.axes, ref.needs)
            # A stream is read once, so its reader must not fire for the items of another.
            if other is not None and is_prefix(other.axes, own.axes):
                arguments += f", plus={other.text}"
                own = both(own, other)
        streams = function in ("sums", "halves", "tsums", "tpicks")
        axes = (*own.axes, self.next_name()) if streams else own.axes
        policies = 'on_error="skip", ' if self.chance(40) else ""
        if function in ("picky", "tpicks"):
            policies += self.pick(["", "retry=Retry(2, backoff=0), "])
            stand_ins = ["tsums"] if streams else ["total", "without", "7"]
            policies += self.pick(["", f"fallback={self.pick(stand_ins)}, "])
        self.call(function, arguments, result_of(replace(own, axes=axes)), own, policies)

    def batched(self) -> None:
        """An op over lists of so many items."""
        ref = self.stream()
        if ref is None:
            return
        name = self.name("b")
        self.write(f"{name} = {ref.text}.batch({self.integer(1, 3)})")
        made = Ref(name, (*ref.axes[:-1], name), "list", ref.needs)
        own = replace(made, kind="int")
        self.call(self.pick(["inc", "ainc"]), f"x={name}", result_of(own), own)
        if self.chance(30):
            self.block.refs.append(made)

    def zipped(self) -> None:
        """Two streams paired, mostly made from one, so that their lengths are equal."""
        left = self.recent(lambda one: bool(one.axes))
        if left is None:
            return
        unequal = self.chance(15)
        right = self.recent(
            lambda one: (
                is_prefix(one.axes[:-1], left.axes[:-1])
                and len(one.axes) == len(left.axes)
                and (one.axes == left.axes or unequal)
                and all(dict(left.needs).get(key, arm) == arm for key, arm in one.needs)
            )
        )
        if right is None:
            return
        self.read(left)
        self.read(right)
        sides = both(left, right)
        item = replace(sides, axes=(*left.axes[:-1], self.next_name()))
        own = replace(sides, axes=left.axes[:-1], op=None)
        ports = {"p": replace(item, kind=left.kind), "q": replace(item, kind=right.kind)}
        self.call("zip_streams", f"p={left.text}, q={right.text}", ports, own)


class FailureSteps(Writer):
    """Ops that fail, and what takes their failures."""

    def failing(self) -> None:
        """An op that fails on some inputs, with policies."""
        ref = self.argument()
        if ref is None:
            return
        function = self.pick(["fails", "afails", "flaky", "misshapen"])
        policies = self.contained()
        if self.chance(30):
            policies += f"retry=Retry({self.integer(1, 3)}), "
        if self.chance(25):
            policies += self.pick(["fallback=stand_in, ", "fallback=7, "])
        if function == "misshapen":
            policies = policies.replace("fallback=7, ", "")
        own = replace(ref, kind="int", op=None)
        self.call(function, f"x={ref.text}", result_of(own), own, policies)

    def routed(self) -> None:
        """An op whose error is read, the op that reads it, and maybe what joins the two."""
        ref = self.argument()
        function = self.pick(["fails", "afails", "breaks"])
        streams = function == "breaks"
        if ref is None or len(ref.axes) + streams > DEEPEST:
            return
        name = self.next_name()
        own = replace(ref, kind="int", needs=(*ref.needs, (name, 0)), op=None)
        axes = (*ref.axes, name) if streams else ref.axes
        argument = f"{'n' if streams else 'x'}={ref.text}"
        self.call(function, argument, result_of(replace(own, axes=axes)), own)
        handler = replace(own, needs=(*ref.needs, (name, 1)))
        key = self.pick(["type", "op", "message"])
        other = self.call("inc", f'x={name}.error["{key}"]', result_of(handler), handler)
        if not streams and self.chance(70):
            self.first_of([name, other], replace(own, needs=ref.needs))


class BranchSteps(Writer):
    """Branches, and what joins their arms."""

    def branch(self) -> None:
        """A branch with its arms, and maybe what joins them."""
        subject = self.recent(lambda one: one.kind == "int")
        if subject is None:
            return
        self.read(subject)
        branch = self.name("if")
        arms: list[tuple[str, Ref]] = []
        for index in range(self.integer(1, 3)):
            ref = self.beside(subject.axes, subject.needs) or subject
            read = both(replace(subject, kind="int", op=None), ref)
            own = replace(read, needs=(*read.needs, (branch, index)))
            name = self.call(self.pick(["inc", "ainc"]), f"x={ref.text}", result_of(own), own)
            arms.append((name, own))
        self._write_branch(branch, subject, [name for name, _ in arms])
        longest = max((own for _, own in arms), key=lambda own: len(own.axes))
        if len(arms) > 1 and all(is_prefix(own.axes, longest.axes) for _, own in arms):
            self._join(arms, replace(longest, needs=subject.needs))

    def _write_branch(self, branch: str, subject: Ref, arms: Sequence[str]) -> None:
        has_else = len(arms) > 1 and self.chance(60)
        named = arms[:-1] if has_else else arms
        if self.chance(30):
            cases = ", ".join(f"{index}: {name}" for index, name in enumerate(named))
            default = f", default={arms[-1]}" if has_else else ""
            self.write(
                f"{branch} = switch({subject.text} % {len(named) + 1}, {{{cases}}}{default})"
            )
            return
        chain = f"if_({subject.text} % 2 == {self.integer(0, 1)}, {named[0]})"
        for name in named[1:]:
            chain += f".elif_({subject.text} > {self.integer(0, 60)}, {name})"
        self.write(f"{branch} = {chain}{f'.else_({arms[-1]})' if has_else else ''}")

    def _join(self, arms: Sequence[tuple[str, Ref]], own: Ref) -> None:
        names = [name for name, _ in arms]
        how = self.pick(["nothing", "first_of", "soft", "or_else", "one output"])
        made = replace(own, kind="int", op=None)
        if how == "first_of":
            self.first_of(names, own)
        elif how == "soft":
            alone = replace(made, axes=(), needs=())
            name = self.call("inc", 'x=PARENT["p"]', result_of(alone), alone)
            self.write(f"[{', '.join(names)}] >> ~{name}")
        elif how == "or_else":
            text = f'{names[0]}["result"].or_else({names[1]}["result"].or_else(4))'
            self.call("inc", f"x={text}", result_of(made), made)
            self.block.unread.pop(names[0], None)
            self.block.unread.pop(names[1], None)
        elif how == "one output" and len({arm.axes for _, arm in arms}) == 1:
            self._share(names, made)

    def _share(self, names: Sequence[str], own: Ref) -> None:
        key = self.name("o")
        for name in names:
            self.block.unread.pop(name, None)
            self.write(f'{name}["result"] >> PARENT["{key}"]')
            self.block.writes[key] = f'{name}["result"]'
        self.block.outputs.append(replace(own, text=key))

    def merge(self) -> None:
        """`first_of` of any two refs."""
        left = self.recent()
        if left is None:
            return
        right = self.recent(
            lambda one: is_prefix(one.axes, left.axes) or is_prefix(left.axes, one.axes)
        )
        if right is None:
            return
        made = replace(both(self.read(left), self.read(right)), kind="int", needs=(), op=None)
        text = f"first_of({left.text}, {right.text})"
        self.call(self.pick(["inc", "ainc"]), f"x={text}", result_of(made), made)
