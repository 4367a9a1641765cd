"""Graphs of ops, written once in Python, checked when built, run and streamed.

Author with `op`, `graph`, `GraphOp`, `PARENT`, `START`, `END`, `each`, `if_`, `switch`,
`zip_streams`, `first_of`, `race`, `template`; run with `Operon`; see what went wrong in the
`errors`. The modules, from the bottom up: `errors`, `streaming`, `schema`, `expressions`, `ops`,
`graph`, `plan`, `engine`, `operon`.
"""

from operonx.core._bootstrap import bootstrap
from operonx.core.engine.frames import Emit, Frame
from operonx.core.engine.handle import RunHandle, RunStream
from operonx.core.engine.questions import Question
from operonx.core.engine.result import RunResult, Skip
from operonx.core.engine.state import MemoryState
from operonx.core.errors import (
    AbandonedThreadWarning,
    BlockingOpWarning,
    BuildError,
    BuildIssue,
    Context,
    EngineError,
    ExpressionError,
    InputError,
    LoopLimitError,
    NoAnswerError,
    OperonxError,
    OperonxWarning,
    OpError,
    OutputError,
    RemoteError,
    RunStateError,
    SpecError,
    StreamError,
    WorkerDiedError,
)
from operonx.core.expressions.functions import (
    batch,
    collect,
    contains,
    first_of,
    flatten,
    is_none,
    length,
    or_else,
    race,
    stream,
    template,
)
from operonx.core.graph.branches import BranchOp, if_, switch
from operonx.core.graph.decorator import graph
from operonx.core.graph.factory import GraphFactory
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.parameters import Static
from operonx.core.graph.states import State
from operonx.core.graph.zips import ZipOp, zip_streams
from operonx.core.operon import Operon
from operonx.core.ops.base import Op, error_of
from operonx.core.ops.builtin import each, emit
from operonx.core.ops.context import CancelledRunError, RunContext
from operonx.core.ops.decorator import op
from operonx.core.ops.edges import END, PARENT, START, edge, soft
from operonx.core.ops.factory import OpFactory
from operonx.core.ops.function import FuncOp
from operonx.core.ops.policies import Policies, Rate, Retry
from operonx.core.ops.signature import final
from operonx.core.streaming import Stream

__all__ = [
    "END",
    "PARENT",
    "START",
    "AbandonedThreadWarning",
    "BlockingOpWarning",
    "BranchOp",
    "BuildError",
    "BuildIssue",
    "CancelledRunError",
    "Context",
    "Emit",
    "EngineError",
    "ExpressionError",
    "Frame",
    "FuncOp",
    "GraphFactory",
    "GraphOp",
    "InputError",
    "LoopLimitError",
    "LoopOp",
    "MemoryState",
    "NoAnswerError",
    "Op",
    "OpError",
    "OpFactory",
    "Operon",
    "OperonxError",
    "OperonxWarning",
    "OutputError",
    "Policies",
    "Question",
    "Rate",
    "RemoteError",
    "Retry",
    "RunContext",
    "RunHandle",
    "RunResult",
    "RunStateError",
    "RunStream",
    "Skip",
    "SpecError",
    "State",
    "Static",
    "Stream",
    "StreamError",
    "WorkerDiedError",
    "ZipOp",
    "batch",
    "bootstrap",
    "collect",
    "contains",
    "each",
    "edge",
    "emit",
    "error_of",
    "final",
    "first_of",
    "flatten",
    "graph",
    "if_",
    "is_none",
    "length",
    "op",
    "or_else",
    "race",
    "soft",
    "stream",
    "switch",
    "template",
    "zip_streams",
]
