"""The oracle: a recursive evaluator of built graphs, written from the contract and nothing else.

It fires the ops of a graph one after the other, each at all its contexts, and keeps everything by
op and context. There is no scheduling: a stream is the list of its items. A failure that ends the
run does not end the evaluation; what depends on it is *dead*, neither fired nor skipped, so that
every failure that the engine may raise is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operonx.core import BranchOp, FuncOp, GraphOp, LoopOp, Op, StreamError, ZipOp
from operonx.core.expressions.refs import (
    Batch,
    Chosen,
    Collect,
    ErrorRef,
    Expression,
    IterationsRef,
    OrElse,
    PortRef,
    StreamOf,
    children,
    walk,
)

from .axes import Axes, Places, axis_name, branches_to, errors_read, reads, writers
from .calling import call
from .outcome import Ctx, Failure, Outcome, Slot, Undetermined
from .values import Values

__all__ = ["evaluate"]
