"""What a `@graph` function says that it returns, against what it returned."""

from __future__ import annotations

from collections.abc import Mapping
from types import GenericAlias
from typing import TYPE_CHECKING, Any, cast, get_origin

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.refs import Operators
from operonx.core.graph.inference import is_stream_type
from operonx.core.ops.base import Op
from operonx.core.ops.signature.results import UNKNOWN, item_type, told_by, value_type
from operonx.core.schema import (
    assignable,
    field_annotations,
    is_typed_dict,
    plain,
    required_keys,
    type_name,
)

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.graph import GraphOp

__all__ = ["check_returned"]

_HINT = "mend the annotation, or return what it says"


def check_returned(graph: GraphOp, analysis: Analysis) -> None:
    """Compare the return annotation of a `@graph` function with the outputs.

    Nothing is said where it names no keys and no type (`dict`, `Any`, none), and where what it
    returned is not known.
    """
    if graph.returned is None or analysis.unknown:
        return
    annotation, value = graph.returned
    if value is None or _says_nothing(annotation):
        return
    if isinstance(value, Op) and value.ports is None:
        return
    _Returned(graph, analysis, annotation).check(value)


def _says_nothing(annotation: Any) -> bool:
    bare = plain(annotation)
    cls = get_origin(bare) or bare
    # Who annotates what is there while the graph is built says nothing of the outputs.
    of_building = isinstance(cls, type) and issubclass(cls, Operators)
    return bare is Any or bare is object or of_building or is_stream_type(bare)


class _Returned:
    """The outputs of one graph function, and what it says of them."""

    def __init__(self, graph: GraphOp, analysis: Analysis, annotation: Any) -> None:
        self.graph = graph
        self.analysis = analysis
        self.annotation = annotation
        self.types = {port.name: port.annotation for port in analysis.outputs}

    def check(self, value: object) -> None:
        keys, is_one = _keys(value)
        fields = field_annotations(plain(self.annotation))
        if is_one and (fields is None or fields.keys() != {*keys}):
            self._check_type(keys[0], self.annotation)
        elif fields is not None:
            self._check_fields(keys, fields)
        elif told_by(self.annotation, {}) is None:
            for key in keys:
                self._check_type(key, value_type(self.annotation))
        elif keys or told_by(self.annotation, {}) != ((), "none"):
            what = f"it gives {listed(keys, 'no outputs')}, but is annotated {self._text()}"
            hint = "annotate a TypedDict of its outputs or `dict[str, Any]`, or return one value"
            self.graph.report(self.graph, what, hint=hint, ref="return")

    def _check_fields(self, keys: list[str], fields: Mapping[str, Any]) -> None:
        for key in keys:
            if key in fields:
                self._check_type(key, fields[key])
            else:
                what = f"output `{key}` is not in {self._text()}, which has {listed(fields)}"
                hint = did_you_mean(key, fields) or _HINT
                self.graph.report(self.graph, what, hint=hint, ref=key)
        bare = plain(self.annotation)
        required = required_keys(bare) if is_typed_dict(get_origin(bare) or bare) else fields
        for key in fields:
            if key in required and key not in self.types:
                what = f"no output `{key}`, which its annotation {self._text()} has"
                hint = f"return it, or `NotRequired` in `{type_name(self.annotation)}`"
                self.graph.report(self.graph, what, hint=hint, ref=key)

    def _check_type(self, key: str, wanted: Any) -> None:
        found = self.types.get(key, Any)
        if self._fits(key, found, wanted):
            return
        what = f"output `{key}` is `{type_name(found)}`, but its annotation says"
        self.graph.report(self.graph, f"{what} `{type_name(wanted)}`", hint=_HINT, ref=key)

    def _fits(self, key: str, found: Any, wanted: Any) -> bool:
        if found is wanted or assignable(found, wanted):
            return True
        # Of a stream the annotation may name an item, as a call types, or all that leaves.
        axes = self.analysis.output_axes.get(key, ())
        item = item_type(wanted)
        if axes and item is not UNKNOWN and assignable(found, item):
            return True
        for _ in axes:
            found = GenericAlias(list, (found,))
            if assignable(found, wanted):
                return True
        return False

    def _text(self) -> str:
        return f"`-> {type_name(self.annotation)}`"


def _keys(value: object) -> tuple[list[str], bool]:
    """Give the outputs that a returned value makes, and whether it is one value."""
    if isinstance(value, Op):
        keys = [port.name for port in value.all_ports()]
        return keys, len(keys) == 1
    if isinstance(value, Mapping):
        return [*cast("Mapping[str, Any]", value)], False
    return ["result"], True
