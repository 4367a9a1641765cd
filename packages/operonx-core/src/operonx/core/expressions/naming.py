"""The name of the variable that a running call is being assigned to.

The name is read from the calling frame's bytecode, never from source lines: these may be
missing, stale, or hold two calls. What the compiler emits after a call says where its
result goes; a short look ahead is enough, and anything unusual there means "no name".
"""

from __future__ import annotations

import dis
import sys
import weakref
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["assigned_name", "calling_frame"]

calling_frame: Final = sys._getframe  # pyright: ignore[reportPrivateUsage] - nothing else is as quick
"""`calling_frame(1)` is the frame of whoever called the function that asks."""

_KNOWN_BYTECODE: Final = sys.implementation.name == "cpython" and (3, 11) <= sys.version_info[
    :2
] <= (3, 13)
"""Bytecode differs between versions; guessing on one never looked at could give wrong names."""

_MAX_STEPS: Final = 24
"""Instructions to look at after the call: an awaited `with` in a conditional needs nine."""

_CALLS: Final = frozenset(
    {
        "CALL",
        "CALL_KW",
        "CALL_FUNCTION_EX",
        # An operator calls a method: `x = a > b`, `x = a["k"]`.
        "BINARY_OP",
        "BINARY_SUBSCR",
        "COMPARE_OP",
        # `__enter__`: what it returns is what `as` names.
        "BEFORE_WITH",
        "BEFORE_ASYNC_WITH",
    }
)
_TRANSPARENT: Final = frozenset(
    # The value goes on under the same name: `x = await f()` and `with f() as x` too.
    {"CACHE", "NOP", "EXTENDED_ARG", "END_SEND", "BEFORE_WITH", "BEFORE_ASYNC_WITH"}
)
_NAME_STORES: Final = frozenset({"STORE_NAME", "STORE_GLOBAL"})
_SLOT_STORES: Final = frozenset({"STORE_FAST", "STORE_DEREF"})
_PAIR_STORES: Final = frozenset({"STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST"})
_STORES: Final = _NAME_STORES | _SLOT_STORES | _PAIR_STORES

_Names: TypeAlias = dict[int, str | None]
_found: dict[int, tuple[weakref.ref[CodeType], _Names]] = {}
"""Names by `f_lasti`, by the id of the code: hashing a code object reads all of it."""


def assigned_name(frame: FrameType) -> str | None:
    """Give the name of the variable that the call running in `frame` is assigned to.

    Understands plain, annotated and chained assignments (the first target counts), the walrus,
    `with ... as`, `await`, conditional expressions and the last call of a method chain.

    Args:
        frame: A frame that is executing a call, such as `sys._getframe(1)` in the callee.

    Returns:
        The name, or None where the result goes elsewhere: into an argument, a container, an
        attribute, an unpacked tuple, a `return`; or where the bytecode is not known.

    Example:
        ```python
        def op():
            return assigned_name(sys._getframe(1))

        answer = op()  # "answer"
        ```
    """
    code = frame.f_code
    entry = _found.get(id(code))
    # An id may be that of a code object long gone; only the reference tells.
    names = entry[1] if entry is not None and entry[0]() is code else _remember(code)
    offset = frame.f_lasti
    try:
        return names[offset]
    except KeyError:
        name = names[offset] = _find(code, offset)
        return name


def _remember(code: CodeType) -> _Names:
    key = id(code)
    names: _Names = {}
    _found[key] = (weakref.ref(code, lambda _: _found.pop(key, None)), names)
    return names


def _find(code: CodeType, offset: int) -> str | None:
    if not _KNOWN_BYTECODE or offset < 0:
        return None
    try:
        start = _after_call(code.co_code, offset)
        return None if start is None else _target(code, start)
    except IndexError:  # the code ended, or names a variable that is not there
        return None


def _after_call(bytecode: bytes, offset: int) -> int | None:
    """Give the offset of what follows the call at `offset`, or None if there is no call."""
    # A running Python function leaves `f_lasti` at the last cache entry of its call (3.11).
    while dis.opname[bytecode[offset]] == "CACHE":
        offset -= 2
    if dis.opname[bytecode[offset]] == "PRECALL":  # 3.11 calls some builtins from here
        offset = _after_caches(bytecode, offset + 2)
    return offset + 2 if dis.opname[bytecode[offset]] in _CALLS else None


def _target(code: CodeType, offset: int) -> str | None:
    """Follow the value on top of the stack from `offset` until it is stored or used."""
    bytecode = code.co_code
    copied = awaited = False
    extended = 0
    for _ in range(_MAX_STEPS):
        name, arg = dis.opname[bytecode[offset]], bytecode[offset + 1] | extended
        offset += 2
        extended = arg << 8 if name == "EXTENDED_ARG" else 0
        if name in _STORES:
            return _stored(code, name, arg, offset, copied=copied)
        if name == "COPY" and arg == 1:  # `a = b = f()` and the walrus
            copied = True
        elif name == "JUMP_FORWARD":  # the first arm of `f() if c else g()`
            offset += 2 * arg
        elif name == "GET_AWAITABLE":
            awaited = True
        elif name == "SEND" and awaited:
            offset, awaited = _after_caches(bytecode, offset) + 2 * arg, False
        elif name == "LOAD_CONST" and awaited:
            continue  # the None that the awaited one is sent first
        elif name not in _TRANSPARENT:
            return None
    return None


def _after_caches(bytecode: bytes, offset: int) -> int:
    """Skip the inline caches at `offset`: jumps count from behind them."""
    while dis.opname[bytecode[offset]] == "CACHE":
        offset += 2
    return offset


def _stored(code: CodeType, store: str, arg: int, after: int, *, copied: bool) -> str | None:
    """Name the variable of a store, unless it is one of a tuple's: `a, b = f(), g()`.

    The compiler stores these in any order, depending on their scope, so that only some could
    be named; a second store without a copy of the value is what gives them away.
    """
    in_tuple = store == "STORE_FAST_STORE_FAST" or dis.opname[code.co_code[after]] in _STORES
    if in_tuple and not copied:
        return None
    if store in _NAME_STORES:
        return code.co_names[arg]
    slot = arg >> 4 if store in _PAIR_STORES else arg
    cells = tuple(cell for cell in code.co_cellvars if cell not in code.co_varnames)
    return (code.co_varnames + cells + code.co_freevars)[slot]
