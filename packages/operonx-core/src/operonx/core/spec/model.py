"""The shape of a spec, as pydantic models. `schema.json` is made from them.

A model refuses what it does not know, so that nothing in a spec is silently passed over. What only
looking at the whole can tell, such as whether an op that is read exists, is left to `reading`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag, ValidationError
from typing_extensions import TypeAliasType

from operonx.core.errors import SpecError, did_you_mean
from operonx.core.spec.version import require_version

__all__ = ["Spec", "validated"]


class Model(BaseModel):
    """Base of all: it takes no field that it does not know, and converts nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


Name: TypeAlias = Annotated[str, Field(min_length=1)]
Path: TypeAlias = Annotated[str, Field(pattern=r"^[^:]+:[^:]+$")]
"""`package.module:name`."""
Number: TypeAlias = Annotated[int, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Seconds: TypeAlias = Annotated[float, Field(gt=0)]


# -- types


class ListType(Model):
    """`list[items]`."""

    kind: Literal["list"]
    items: Type


class DictType(Model):
    """`dict[keys, values]`."""

    kind: Literal["dict"]
    keys: Type
    values: Type


class TupleType(Model):
    """`tuple[a, b]`, or with `each` a tuple of any length."""

    kind: Literal["tuple"]
    items: list[Type] | None = None
    each: Type | None = None


class UnionType(Model):
    """One of several."""

    kind: Literal["union"]
    members: Annotated[list[Type], Field(min_length=1)]


class LiteralType(Model):
    """One of some values."""

    kind: Literal["literal"]
    values: Annotated[list[JsonValue], Field(min_length=1)]


class RecordType(Model):
    """A dict with known keys; others may be there too."""

    kind: Literal["record"]
    name: Name
    fields: dict[str, Type]
    required: list[str]


class ClassType(Model):
    """A class of Python's; a runtime that has it not takes any value."""

    kind: Literal["class"]
    import_: Annotated[Path, Field(alias="import")]
    arguments: list[Type] | None = None


class LimitedType(Model):
    """A type whose values are limited, as `pydantic.Field` does."""

    kind: Literal["limited"]
    of: Type
    gt: JsonValue = None
    ge: JsonValue = None
    lt: JsonValue = None
    le: JsonValue = None
    multiple_of: JsonValue = None
    min_length: Number | None = None
    max_length: Number | None = None
    pattern: str | None = None


SimpleType: TypeAlias = Literal[
    "any", "none", "bool", "int", "float", "str", "bytes", "array", "list", "dict", "tuple"
]
"""An `int` fits `float`; a boolean fits neither."""


def _type_kind(data: Any) -> str:
    return "simple" if isinstance(data, str) else _kind(data)


def _kind(data: Any) -> str:
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    return str(fields.get("kind"))


Type = TypeAliasType(
    "Type",
    Annotated[
        Annotated[SimpleType, Tag("simple")]
        | Annotated[ListType, Tag("list")]
        | Annotated[DictType, Tag("dict")]
        | Annotated[TupleType, Tag("tuple")]
        | Annotated[UnionType, Tag("union")]
        | Annotated[LiteralType, Tag("literal")]
        | Annotated[RecordType, Tag("record")]
        | Annotated[ClassType, Tag("class")]
        | Annotated[LimitedType, Tag("limited")],
        Discriminator(_type_kind),
    ],
)
"""A type of Python's."""


# -- expressions


class ValueExpression(Model):
    """A constant. What JSON lacks is an object whose one key begins with `$`."""

    kind: Literal["value"]
    value: JsonValue


class PortExpression(Model):
    """An output of an op of the same graph."""

    kind: Literal["port"]
    op: Name
    port: Name


class InputExpression(Model):
    """An input of the graph, or the state of a loop."""

    kind: Literal["input"]
    key: Name


class IterationExpression(Model):
    """The number of the loop's iteration, from 0."""

    kind: Literal["iteration"]


class IterationsExpression(Model):
    """An output of every iteration of a loop, as a stream."""

    kind: Literal["iterations"]
    loop: Name
    port: Name


class ErrorExpression(Model):
    """The error of an op that failed."""

    kind: Literal["error"]
    op: Name


class BatchExpression(Model):
    """A batch of the graph."""

    kind: Literal["batch"]
    name: Name


class ChosenExpression(Model):
    """What a choice of the graph took, or a port of the op that it took."""

    kind: Literal["chosen"]
    choice: Number
    port: Name | None = None


class CaseExpression(Model):
    """A port of the target that a switch chose."""

    kind: Literal["case"]
    switch: Name
    port: Name


class ItemExpression(Model):
    """`of[key]`."""

    kind: Literal["item"]
    of: Expression
    key: Expression


class UnaryExpression(Model):
    """`-of`, or `~of` of a boolean."""

    kind: Literal["unary"]
    symbol: Literal["-", "~"]
    of: Expression


class BinaryExpression(Model):
    """`left symbol right`; `&` and `|` stop at the operand that decides."""

    kind: Literal["binary"]
    symbol: Literal["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "&", "|"]
    left: Expression
    right: Expression


class MethodExpression(Model):
    """`of.name(*arguments)`."""

    kind: Literal["method"]
    name: Literal["len", "contains", "is_none", "flatten"]
    of: Expression
    arguments: list[Expression]


class TemplateExpression(Model):
    """A text whose `{name}` fields are filled."""

    kind: Literal["template"]
    text: str
    fields: dict[str, Expression]


class ItemsExpression(Model):
    """A list or tuple that holds refs."""

    kind: Literal["list", "tuple"]
    items: list[Expression]


class DictExpression(Model):
    """A dict whose values hold refs, as pairs of a constant key and a value."""

    kind: Literal["dict"]
    items: list[Annotated[list[Any], Field(min_length=2, max_length=2)]]


class OrElseExpression(Model):
    """`other` at every context where `of` was skipped."""

    kind: Literal["or_else"]
    of: Expression
    other: Expression


class CollectExpression(Model):
    """The items of a stream as a list."""

    kind: Literal["collect"]
    of: Expression
    per: Name | None = None
    """An op: all axes below those of its ports are removed, into one flat list."""


class StreamExpression(Model):
    """The stream itself."""

    kind: Literal["stream"]
    of: Expression


Expression = TypeAliasType(
    "Expression",
    Annotated[
        ValueExpression
        | PortExpression
        | InputExpression
        | IterationExpression
        | IterationsExpression
        | ErrorExpression
        | BatchExpression
        | ChosenExpression
        | CaseExpression
        | ItemExpression
        | UnaryExpression
        | BinaryExpression
        | MethodExpression
        | TemplateExpression
        | ItemsExpression
        | DictExpression
        | OrElseExpression
        | CollectExpression
        | StreamExpression,
        Field(discriminator="kind"),
    ],
)
"""What a ref carries."""


# -- functions


class Parameter(Model):
    """A parameter of a function."""

    name: Name
    type: Type
    role: Literal["input", "context", "stream"] = "input"
    """`context` is handed the run, `stream` a stream itself."""
    required: bool = True
    keyword_only: bool = False


class Port(Model):
    """An output of a function."""

    name: Name
    type: Type


class Function(Model):
    """A function that ops call, and what a graph must know of it before it runs."""

    import_: Annotated[Path, Field(alias="import")]
    """Where Python finds it."""
    native: Name | None = None
    """The name of the native op that does the same."""
    parameters: list[Parameter]
    extra: bool = False
    """Whether it takes inputs of any name."""
    outputs: list[Port] | None = None
    """None where only its results tell them."""
    final: list[Port] | None = None
    """The ports that a generator fills at its end."""
    generator: bool = False
    is_async: Annotated[bool, Field(alias="async")] = False


# -- policies


class RetryPolicy(Model):
    """How often a failed firing is tried again."""

    attempts: Count
    backoff: Annotated[float, Field(ge=0)] = 0.0
    jitter: Annotated[float, Field(ge=0)] = 0.0
    on: Annotated[list[Path], Field(min_length=1)] | None = None
    """Classes of exceptions; None: all."""


class RatePolicy(Model):
    """At most `count` attempts begin in any `per` seconds."""

    count: Count
    per: Seconds


class FallbackValue(Model):
    """The outputs that stand in for a failed firing's."""

    value: JsonValue


class FallbackFunction(Model):
    """The function that is called after a failed one."""

    function: Number


class GraphPolicies(Model):
    """What a graph takes."""

    timeout: Seconds | None = None
    concurrency: Count | None = None
    on_error: Literal["raise", "skip"] = "raise"


class Policies(GraphPolicies):
    """What an op takes."""

    retry: RetryPolicy | None = None
    fallback: FallbackValue | FallbackFunction | None = None
    rate: RatePolicy | None = None
    max_open: Count | None = None
    run_in: Literal["auto", "inline", "thread", "process"] = "auto"


# -- ops


class FuncNode(Model):
    """An op that calls a function."""

    kind: Literal["func"]
    name: Name
    policies: Policies | None = None
    function: Number
    """Its place in `functions`."""
    inputs: dict[str, Expression]


class ConditionArm(Model):
    """A way that a branch may go; without `when` it always matches."""

    when: Expression | None = None
    targets: list[Name]


class BranchNode(Model):
    """`if_(...)`: the first arm that matches chooses what fires."""

    kind: Literal["branch"]
    name: Name
    policies: GraphPolicies | None = None
    arms: list[ConditionArm]


class CaseArm(Model):
    """A way that a switch may go; without `case` it always matches."""

    case: str | int | float | bool | dict[str, JsonValue] | None = None
    targets: list[Name]


class SwitchNode(Model):
    """`switch(...)`: the case that the subject equals chooses what fires."""

    kind: Literal["switch"]
    name: Name
    policies: GraphPolicies | None = None
    subject: Expression
    arms: list[CaseArm]


class ZipNode(Model):
    """`zip_streams(...)`."""

    kind: Literal["zip"]
    name: Name
    policies: GraphPolicies | None = None
    inputs: dict[str, Expression]


class GraphNode(Model):
    """A graph, or a loop, within a graph; or the root."""

    kind: Literal["graph", "loop"]
    name: Name
    policies: GraphPolicies | None = None
    graph: Number
    """Its place in `graphs`."""
    inputs: dict[str, Expression]


Node = TypeAliasType(
    "Node",
    Annotated[
        FuncNode | BranchNode | SwitchNode | ZipNode | GraphNode, Field(discriminator="kind")
    ],
)
"""An op of a graph."""


# -- graphs


class Default(Model):
    """The value of an input that is not given."""

    value: JsonValue


class Input(Model):
    """An input of a graph."""

    name: Name
    type: Type
    default: Default | None = None
    """None where it is required."""


class State(Model):
    """A loop's state."""

    name: Name
    type: Type
    reducer: Literal["append", "extend", "merge", "sum"] | None = None


class Edge(Model):
    """`from >> to`; a soft one does not bind."""

    from_: Annotated[Name, Field(alias="from")]
    to: Name
    soft: bool = False


class Write(Model):
    """An output of the graph, or a write of a loop's state."""

    to: Name
    value: Expression
    op: Name | None = None
    """The op that was given it as its `outputs=`."""


class Batch(Model):
    """A stream as one of lists of `size` items."""

    name: Name
    of: Expression
    size: Count


class OpOption(Model):
    """A whole op, as an option of a choice."""

    kind: Literal["op"]
    op: Name


class Choice(Model):
    """A `first_of` or `race`; it is one thing however often it is read."""

    takes: Literal["first_of", "race"]
    options: Annotated[list[OpOption | Expression], Field(min_length=2)]


class Body(Model):
    """What a graph is made of."""

    inputs: list[Input] | None = None
    """None where a root graph takes what it reads as `PARENT[...]`."""
    ops: list[Node]
    edges: list[Edge]
    ends: list[Name]
    """The ops whose outputs are the graph's."""
    writes: list[Write]
    batches: list[Batch]
    choices: list[Choice]
    states: list[State] | None = None
    """Of a loop."""
    until: Expression | None = None
    max_iterations: Count | None = None


class Spec(Model):
    """A graph as it was authored."""

    schema_version: Literal[1]
    root: GraphNode
    graphs: Annotated[list[Body], Field(min_length=1)]
    """The root's first; each is one place."""
    functions: list[Function]


def validated(spec: object) -> dict[str, Any]:
    """Return a spec that has the shape of one.

    Raises:
        SpecError: If it has not; names the first places, and what would be right there.
    """
    if not isinstance(spec, Mapping):
        raise SpecError(
            f"a spec is a mapping, got `{type(spec).__name__}`",
            hint="from a file: `json.loads(path.read_text())`",
        )
    data = cast("dict[str, Any]", spec)
    require_version(data.get("schema_version"))
    try:
        Spec.model_validate(data)
    except ValidationError as error:
        raise SpecError(_described(error), hint=_hint(error)) from None
    return data


_MOST_SHOWN = 5


def _described(error: ValidationError) -> str:
    found = error.errors(include_url=False)
    lines = [f"  {_place(one['loc'])}: {one['msg']}" for one in found[:_MOST_SHOWN]]
    if len(found) > _MOST_SHOWN:
        lines.append(f"  and {len(found) - _MOST_SHOWN} more")
    return "this is no spec:\n" + "\n".join(lines)


def _place(steps: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)[1:]


def _hint(error: ValidationError) -> str | None:
    for one in error.errors(include_url=False):
        if one["type"] == "extra_forbidden":
            return did_you_mean(str(one["loc"][-1]), _FIELDS)
    return None


_FIELDS = frozenset(
    field.alias or name
    for model in (Spec, Body, Function, FuncNode, GraphNode, SwitchNode, Policies, Write, Edge)
    for name, field in model.model_fields.items()
)
"""What a misspelt field may have been meant for."""
