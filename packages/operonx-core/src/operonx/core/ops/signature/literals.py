"""What the source of a function tells of its ports: the dicts that it returns or yields.

Only the function's own statements count, never those of functions, lambdas and classes in
it. Where the source cannot be had, or is not that of the running code, nothing is told.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Final, cast

from . import ending

__all__ = ["SourceFacts", "may_end", "source_facts"]

_MAX_LINES_TO_CLOSE: Final = 60
"""Lines to add behind the last one that has code, to find the closing brackets."""

_FIRST_LINE: Final = 2
"""Where a `def` begins in what is parsed: behind one line that may be needed to indent it."""
_ONE_INSTRUCTION: Final = 4
"""Bytes of a function with one instruction, behind the one that all begin with."""
_GENERATOR: Final = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_ENDINGS: Final = (ending.final, ending.Final)
_ENDING_NAMES: Final = frozenset({"final", "Final"})
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the statements of one function tell."""

    keys: tuple[tuple[int, tuple[str, ...] | None], ...]
    """Line and keys of each dict literal returned or yielded; None for `{**values}`."""
    gives_nothing: bool
    """Whether no statement returns (or in a generator yields) a value."""
    final: tuple[tuple[int, tuple[str, ...] | None], ...]
    """Line and keywords of each `yield final(...)`; None for `final(**values)`."""


def source_facts(function: FunctionType) -> SourceFacts | None:
    """Read the returns and yields of a function, or None where its source is not to be had.

    Example:
        ```python
        source_facts(lambda x: {"y": x}).keys  # ((1, ("y",)),)
        ```
    """
    code = function.__code__
    lines = _source_lines(function)
    found = _lambda_body(code, lines) if code.co_name == "<lambda>" else _def_body(code, lines)
    if found is None:
        return None
    body, offset = found
    values = list(_given_values(body, is_generator=bool(code.co_flags & _GENERATOR)))
    ends = [one for one in values if isinstance(one, ast.Call) and _is_ending(one, function)]
    rest = [arm for one in values if one not in ends for arm in _arms(one)]
    facts = SourceFacts(
        keys=tuple((d.lineno + offset, _keys(d)) for d in rest if isinstance(d, ast.Dict)),
        gives_nothing=not rest,
        final=tuple((call.lineno + offset, _keywords(call)) for call in ends),
    )
    return facts if _is_of(facts, code) else None


def may_end(function: FunctionType) -> bool:
    """Tell whether a function mentions `final`, cheaply: its source is read only then.

    Example:
        ```python
        may_end(lambda: (yield final(text="")))  # True
        ```
    """
    code = function.__code__
    names = {*code.co_names, *code.co_freevars, *code.co_varnames, *code.co_cellvars}
    return not names.isdisjoint(_ENDING_NAMES) or any(
        _marks_an_end(_lookup(function, name)) for name in names
    )


def _marks_an_end(value: object) -> bool:
    # By identity: a global may be a ref, whose `==` is an expression and not an answer.
    return any(value is ending_name for ending_name in _ENDINGS)


def _source_lines(function: FunctionType) -> list[str]:
    filename = function.__code__.co_filename
    linecache.checkcache(filename)  # the file may have been edited and loaded again
    return linecache.getlines(filename, function.__globals__)


def _def_body(code: CodeType, lines: list[str]) -> tuple[list[ast.stmt], int] | None:
    """Parse the lines of a `def`, and give its statements and what to add to their lines."""
    first = code.co_firstlineno - 1
    last = _block_end(lines, first, _last_line(code))
    # A method stands deeper than column 0 while its strings may not: dedenting would fail.
    indented = lines[first : first + 1] and lines[first][:1] in (" ", "\t")
    head = "if 1:\n" if indented else "\n"
    for end in range(last, min(last + _MAX_LINES_TO_CLOSE, len(lines)) + 1):
        try:
            node = ast.parse(head + "".join(lines[first:end])).body[0]
        except (SyntaxError, ValueError, IndexError):
            continue  # brackets are still open
        node = node.body[0] if isinstance(node, ast.If) else node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        return (node.body, code.co_firstlineno - _FIRST_LINE) if _is_def_of(node, code) else None
    return None


def _block_end(lines: list[str], first: int, last: int) -> int:
    """Add the lines of a block that have no code, as those behind a `raise`."""
    depth = _depth(lines[first]) if first < len(lines) else 0
    while last < len(lines) and (not lines[last].strip() or _depth(lines[last]) > depth):
        last += 1
    return last


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _last_line(code: CodeType) -> int:
    ends = [end for _, end, _, _ in code.co_positions() if end is not None]
    inner = [_last_line(one) for one in code.co_consts if isinstance(one, CodeType)]
    return max([code.co_firstlineno, *ends, *inner])


def _is_def_of(node: ast.FunctionDef | ast.AsyncFunctionDef, code: CodeType) -> bool:
    """Tell whether a `def` is that of the code: the file may have changed since."""
    first = min(one.lineno for one in (node, *node.decorator_list))
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    count = code.co_argcount + code.co_kwonlyargcount
    same_place = node.name == code.co_name and first == _FIRST_LINE
    return same_place and tuple(names) == code.co_varnames[:count]


def _lambda_body(code: CodeType, lines: list[str]) -> tuple[list[ast.stmt], int] | None:
    """Parse the expression of a lambda: where it stands is known to the column.

    Lines would not do, since one may hold several lambdas.
    """
    spans = [
        ((line, column), (end, end_column))
        for line, end, column, end_column in code.co_positions()
        if line and end and column is not None and end_column is not None
    ]
    spans = [(start, end) for start, end in spans if start < end]
    if not spans:  # 3.12 gives a constant no place, but `lambda: None` tells by itself
        is_none = code.co_consts == (None,) and len(code.co_code) == _ONE_INSTRUCTION
        return ([], 0) if is_none else None
    (line, column), (end, end_column) = min(s for s, _ in spans), max(e for _, e in spans)
    text = [one.encode() for one in lines[line - 1 : end]]
    if len(text) != end - line + 1:
        return None
    text[-1] = text[-1][:end_column]
    text[0] = text[0][column:]
    try:
        body = ast.parse(b"(" + b"".join(text) + b"\n)").body
    except (SyntaxError, ValueError):
        return None
    return [ast.Return(one.value) for one in body if isinstance(one, ast.Expr)], line - 1


def _given_values(body: list[ast.stmt], *, is_generator: bool) -> Iterator[ast.expr]:
    """Give the values that statements return, or yield, but None."""
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, _SCOPES):
            continue
        stack += reversed(list(ast.iter_child_nodes(node)))
        if isinstance(node, ast.YieldFrom):
            yield node
        elif isinstance(node, ast.Yield if is_generator else ast.Return):
            value = node.value
            if not (value is None or (isinstance(value, ast.Constant) and value.value is None)):
                yield value


def _arms(value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(value, ast.IfExp):
        yield from _arms(value.body)
        yield from _arms(value.orelse)
    elif isinstance(value, ast.NamedExpr):
        yield from _arms(value.value)
    else:
        yield value


def _keys(node: ast.Dict) -> tuple[str, ...] | None:
    """Give the keys of a dict literal, or None where one is no constant string."""
    keys = [one.value for one in node.keys if isinstance(one, ast.Constant)]
    names = [key for key in keys if isinstance(key, str)]
    return tuple(dict.fromkeys(names)) if len(names) == len(node.keys) else None


def _keywords(call: ast.Call) -> tuple[str, ...] | None:
    names = [one.arg for one in call.keywords if one.arg is not None]
    return tuple(names) if len(names) == len(call.keywords) and not call.args else None


def _is_ending(call: ast.Call, function: FunctionType) -> bool:
    """Tell whether a call is one of `final`, under whatever name it was imported."""
    if isinstance(call.func, ast.Name) and call.func.id in _own_variables(function.__code__):
        # What an import in the function gives it can but be believed.
        return call.func.id in _ENDING_NAMES
    return _marks_an_end(_named_by(call.func, function))


def _own_variables(code: CodeType) -> tuple[str, ...]:
    parameters = code.co_argcount + code.co_kwonlyargcount
    return code.co_varnames[parameters:] + code.co_cellvars


def _named_by(node: ast.expr, function: FunctionType) -> object:
    """Give what `final` or `core.final` stands for in a function, or None."""
    if isinstance(node, ast.Name):
        is_local = node.id in function.__code__.co_varnames
        return None if is_local else _lookup(function, node.id)
    if isinstance(node, ast.Attribute):
        owner = _named_by(node.value, function)
        # Only modules: any other attribute may run code.
        return getattr(owner, node.attr, None) if isinstance(owner, ModuleType) else None
    return None


def _lookup(function: FunctionType, name: str) -> object:
    """Give what a global or enclosing name stands for, or None."""
    if name in function.__code__.co_freevars:
        cells = function.__closure__ or ()
        cell = cells[function.__code__.co_freevars.index(name)]
        try:
            return cell.cell_contents
        except ValueError:  # not assigned yet
            return None
    return function.__globals__.get(name)


def _is_of(facts: SourceFacts, code: CodeType) -> bool:
    """Tell whether all names found are constants of the code: the file may have changed."""
    constants: set[str] = set()
    for constant in cast("tuple[object, ...]", code.co_consts):
        # Several keys stand in one tuple.
        many = cast("tuple[object, ...]", constant) if isinstance(constant, tuple) else (constant,)
        constants.update(one for one in many if isinstance(one, str))
    return all(constants.issuperset(names or ()) for _, names in facts.keys + facts.final)
