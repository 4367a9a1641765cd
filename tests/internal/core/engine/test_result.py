"""A result is a value: it is pickled and copied with all that became of the run."""

from __future__ import annotations

import concurrent.futures
import copy
import gc
import multiprocessing
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from operonx.core import (
    PARENT,
    GraphOp,
    Operon,
    OperonxError,
    RemoteError,
    RunResult,
    each,
    if_,
    op,
)
from operonx.core.engine.scheduler import Run


@op
def double(x: int) -> int:
    return 2 * x


@op(on_error="skip")
def picky(x: int) -> int:
    if x == 1:

        class LocalError(Exception):
            """Cannot be pickled."""

        raise LocalError("no ones")
    return x


@op(returns="held")
def lock(x: int) -> object:
    del x
    return threading.Lock()


def result_of_all_kinds() -> RunResult:
    """Run a graph that has outputs, failures and skips."""
    with GraphOp(name="g") as g:
        double(x=PARENT["x"]) >> PARENT["twice"]
        item = each([0, 1, 2])
        picky(x=item["item"]) >> PARENT["kept"]
        never = double(x=PARENT["x"])
        if_(PARENT["x"] > 9, never)
        never >> PARENT["never"]
    return Operon(g).run_sync({"x": 1})


def pickled(result: RunResult) -> RunResult:
    other: RunResult = pickle.loads(pickle.dumps(result))  # noqa: S301
    return other


@pytest.fixture(params=[pickled, copy.copy, copy.deepcopy])
def copied(request: pytest.FixtureRequest) -> Callable[[RunResult], RunResult]:
    found: Callable[[RunResult], RunResult] = request.param
    return found


def test_a_result_comes_back_whole(copied: Callable[[RunResult], RunResult]) -> None:
    result = result_of_all_kinds()
    other = copied(result)
    assert other is not result
    assert {"twice": 2, "kept": [0, 2]} == dict(other)
    assert (result.run_id, "python") == (other.run_id, other.engine)
    assert dict(result.skipped) == dict(other.skipped)
    assert ["g.picky"] == [error.op for error in other.errors]
    with pytest.raises(KeyError, match="output `never` is not there: ") as caught:
        other["never"]
    with pytest.raises(KeyError) as expected:
        result["never"]
    assert str(expected.value) == str(caught.value)
    for path in ("g.never", "g.double"):
        assert result.why(path) == other.why(path)
    with pytest.raises(KeyError, match=r"did you mean `g\.picky`"):
        other.why("g.pick")


def test_a_contained_error_whose_cause_cannot_follow_has_a_stand_in() -> None:
    cause = pickled(result_of_all_kinds()).errors[0].__cause__
    assert isinstance(cause, RemoteError)
    assert "LocalError: no ones" == cause.message


def test_what_two_outputs_share_stays_shared() -> None:
    with GraphOp(name="g") as g:
        PARENT["xs"] >> PARENT["a"]
        PARENT["xs"] >> PARENT["b"]
        double(x=1) >> PARENT["c"]
    result = pickled(Operon(g).run_sync({"xs": [1]}))
    assert result["a"] is result["b"]


def result_with_a_lock() -> RunResult:
    with GraphOp(name="g") as g:
        double(x=PARENT["x"]) >> PARENT["twice"]
        lock(x=PARENT["x"]) >> PARENT["held"]
    return Operon(g).run_sync({"x": 1})


def test_an_output_that_cannot_be_pickled_is_named() -> None:
    result = result_with_a_lock()
    with pytest.raises(OperonxError) as caught:
        pickle.dumps(result)
    assert (
        "output `held` of the result cannot be pickled: "
        "TypeError: cannot pickle '_thread.lock' object"
    ) == caught.value.message
    assert (
        'let the graph give what can be pickled, or take the outputs that can: `{"a": result["a"]}`'
    ) == caught.value.hint
    assert result["held"] is copy.copy(result)["held"]


def test_a_result_leaves_a_process_pool() -> None:
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        result: Any = pool.submit(result_of_all_kinds).result()
    assert {"twice": 2, "kept": [0, 2]} == dict(result)


def test_a_result_keeps_nothing_of_its_run() -> None:
    with GraphOp(name="g") as g:
        double(x=PARENT["x"]) >> PARENT["twice"]
    result = Operon(g).run_sync({"x": 1})
    gc.collect()
    runs = [one for one in gc.get_objects() if isinstance(one, Run)]
    assert result.run_id not in {run.run_id for run in runs}
    assert result.why("g.double") == "`g.double` was not skipped"
