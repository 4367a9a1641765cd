"""The steps that write a block: nested graphs and loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .writing import DEEPEST, Block, Ref, Writer, both, is_prefix, result_of

__all__ = ["BlockSteps"]

_REDUCERS = {"append": ("[]", "list"), "extend": ("[]", "list"), "sum": ("0", "int"),
             "merge": ("{}", "any")}  # fmt: skip
"""By name: the first state and its kind."""


class BlockSteps(Writer):
    """Graphs in graphs."""

    def step(self) -> None:
        """Write one step; the author chooses."""
        raise NotImplementedError

    def inside(self, inputs: Mapping[str, Ref]) -> Block:
        """Write the block of a nested graph."""
        outer = self.block
        given = {key: ref for key, ref in inputs.items() if ref.kind != "stream"}
        refs = [Ref(f'PARENT["{key}"]', (), ref.kind) for key, ref in given.items()]
        self.block = Block(outer.depth + 1, refs)
        if given.keys() != inputs.keys():
            own = Ref("")
            self.call(self.pick(["total", "ttotal"]), 'items=PARENT["s"]', result_of(own), own)
        for _ in range(self.integer(1, 4)):
            self.step()
        self.close()
        inner, self.block = self.block, outer
        return inner

    def given(self) -> tuple[dict[str, Ref], Ref] | None:
        """Draw what a nested graph is given."""
        first = self.argument()
        if first is None or len(first.axes) >= DEEPEST:
            return None
        inputs, own = {"p": first}, replace(first, op=None)
        second = self.beside(first.axes, first.needs) if self.chance(50) else None
        if second is not None and len(second.axes) < DEEPEST:
            inputs["q"] = second
            own = both(own, second)
        return inputs, own

    def nested(self) -> None:
        """A graph in the graph."""
        given = self.given()
        if given is None:
            return
        inputs, own = given
        stream = self.recent(lambda one: bool(one.axes) and is_prefix(own.axes, one.axes[:-1]))
        if stream is not None and self.chance(20):
            whole = replace(self.read(stream), axes=stream.axes[:-1], kind="stream", op=None)
            inputs["s"] = replace(whole, text=f"{stream.text}.stream()")
            own = both(own, whole)
        inner = self.inside(inputs)
        name = self.name("s")
        bound = ", ".join(f"{key}={ref.text}" for key, ref in inputs.items())
        policies = ', on_error="skip"' if self.chance(self.containing_graphs) else ""
        policies += ", concurrency=1" if self.chance(10) else ""
        self.write(f'with GraphOp(name="{name}", {bound}{policies}) as {name}:')
        self.block.lines += [f"    {line}" for line in inner.lines]
        ports = {
            ref.text: replace(own, axes=(*own.axes, *ref.axes), kind=ref.kind, op=None)
            for ref in inner.outputs
            if len(own.axes) + len(ref.axes) <= DEEPEST
        }
        self.add(name, ports, own)

    def loop(self) -> None:
        """A loop in the graph."""
        given = self.given()
        if given is None:
            return
        inputs, own = given
        reducer = self.pick([None, "append", "sum", "extend", "merge"])
        inside = dict(inputs)
        states = ", ".join(f"{key}={ref.text}" for key, ref in inputs.items())
        if reducer is not None:
            initial, kind = _REDUCERS[reducer]
            inside["r"] = Ref("", (), kind)
            states += f', r=State({initial}, reducer="{reducer}")'
        inner = self.inside(inside)
        name = self.name("l")
        policies = ', on_error="skip"' if self.chance(25) else ""
        self.write(
            f"with GraphOp.loop(until={self._until(inner)}, max_iterations={self.integer(2, 4)}, "
            f'name="{name}", {states}{policies}) as {name}:'
        )
        self.block.lines += [f"    {line}" for line in inner.lines]
        self._write_states(inner, reducer)
        ports = {key: replace(own, kind=ref.kind) for key, ref in inside.items()}
        for ref in inner.outputs:
            ports[ref.text] = replace(own, kind="list" if ref.axes else ref.kind)
        self.add(name, ports, own)
        self._offer_iterations(name, [*inner.outputs, Ref("p", kind="any")], own)

    def _until(self, inner: Block) -> str:
        last = self.integer(0, 2)
        forms = [f"PARENT.iteration >= {last}", f'"iteration == {last}"', 'PARENT["p"] > 60']
        numbers = [ref for ref in inner.outputs if not ref.axes and ref.kind == "int"]
        if numbers:
            forms.append(f'"{numbers[0].text} % 3 == 0 or iteration >= {last}"')
        return self.pick(forms)

    def _write_states(self, inner: Block, reducer: str | None) -> None:
        written = next((ref for ref in inner.outputs if not ref.axes and not ref.needs), None)
        if written is not None and self.chance(80):
            self.write(f'    {inner.writes[written.text]} >> PARENT["p"]')
        if reducer is None:
            return
        for ref in inner.outputs[: self.integer(1, 3)]:
            text = inner.writes[ref.text]
            if reducer == "extend":
                text = f"as_list(x={text})" if ref.kind != "list" else text
            elif reducer == "merge":
                text = f"as_dict(x={text})"
            elif reducer == "sum" and ref.kind != "int":
                text = "PARENT.iteration"
            self.write(f'    {text} >> PARENT["r"]')

    def _offer_iterations(self, name: str, outputs: Sequence[Ref], own: Ref) -> None:
        for ref in outputs:
            axes = (*own.axes, name, *ref.axes)
            if len(axes) <= DEEPEST:
                text = f'{name}.iterations["{ref.text}"]'
                self.block.refs.append(Ref(text, axes, ref.kind, own.needs, op=name))

    def close(self) -> None:
        """Write outputs for all that nothing reads, and for a few things more."""
        block = self.block
        if not block.ops:
            own = Ref("")
            self.call("inc", f"x={block.refs[0].text}", {"result": own}, own)
        chosen = list(block.unread.values())
        while self.chance(25) or not (chosen or block.outputs):
            chosen.append(self.recent() or block.refs[0])
        for ref in chosen:
            key = self.name("o")
            made = self.in_expression(ref, as_list=False) if self.chance(10) else ref
            text = made.text if made is ref else f"({made.text})"
            self.write(f'{text} >> PARENT["{key}"]')
            block.outputs.append(replace(made, text=key, op=None))
            block.writes[key] = ref.text
