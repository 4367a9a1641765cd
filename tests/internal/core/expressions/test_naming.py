"""`assigned_name` finds the variable that a call is assigned to, and never a wrong one."""

# Frames and private parts are what is tested, in code made for it.
# ruff: noqa: S102
# pyright: reportPrivateUsage=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import dis
import gc
import inspect
import sys
import textwrap
import types
from typing import Any, Self

import pytest

from operonx.core.expressions import naming
from operonx.core.expressions.naming import assigned_name

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    pytest.skip("bytecode of other versions is not read", allow_module_level=True)


class Recorder:
    """A callable that notes the name it finds at each call, by its first argument."""

    def __init__(self) -> None:
        self.names: dict[str, str | None] = {}

    def __call__(self, label: str = "f", *_: Any, **__: Any) -> Named:
        self.names[label] = assigned_name(sys._getframe(1))
        return Named(self, label)


class Named:
    """What a recorded call returns: it can be chained, entered, awaited, compared, unpacked."""

    def __init__(self, recorder: Recorder, label: str) -> None:
        self.recorder = recorder
        self.label = label

    def then(self, label: str = "then", **_: Any) -> Named:
        self.recorder.names[label] = assigned_name(sys._getframe(1))
        return Named(self.recorder, label)

    def __enter__(self) -> Self:
        self.recorder.names["enter"] = assigned_name(sys._getframe(1))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.recorder.names["exit"] = assigned_name(sys._getframe(1))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None: ...

    def __await__(self) -> Any:
        yield from ()
        return self

    def __gt__(self, other: object) -> Named:
        self.recorder.names["gt"] = assigned_name(sys._getframe(1))
        return self

    def __getitem__(self, key: object) -> Named:
        self.recorder.names["item"] = assigned_name(sys._getframe(1))
        return self

    def __add__(self, other: object) -> Named:
        self.recorder.names["add"] = assigned_name(sys._getframe(1))
        return self

    def __iter__(self) -> Any:
        self.recorder.names["iter"] = assigned_name(sys._getframe(1))
        return iter([1, 2])


def run(source: str, scope: str) -> dict[str, str | None]:
    """Run statements at module level, in a function, a closure or a class body."""
    body = textwrap.dedent(source)
    if scope == "function":
        body = "def outer():\n" + textwrap.indent(body, "    ") + "\nouter()\n"
    elif scope == "closure":  # every variable is a cell
        body += "\ndef inner(): return a, b, c, x, y\n"
        body = "def outer():\n" + textwrap.indent(body, "    ") + "\nouter()\n"
    elif scope == "global":
        body = "def outer():\n    global a, b, c, x, y\n" + textwrap.indent(body, "    ")
        body += "\nouter()\n"
    elif scope == "class":
        body = "class Outer:\n" + textwrap.indent(body, "    ")
    recorder = Recorder()
    code = compile(body, "<no source>", "exec")
    exec(code, {"f": recorder, "yes": True, "no": False, "ns": types.SimpleNamespace(d={})})
    return recorder.names


SCOPES = ["module", "function", "closure", "global", "class"]
CASES: list[tuple[str, dict[str, str | None]]] = [
    ("a = f()", {"f": "a"}),
    ("a = f('f', 1, *[2], **{})", {"f": "a"}),
    ("a = f(label='f', k=1)", {"f": "a"}),
    ("a = (\n  f(\n  )\n)", {"f": "a"}),
    ("a = f('1'); b = f('2')", {"1": "a", "2": "b"}),
    ("a = b = f()", {"f": "a"}),
    ("a = b = c = f()", {"f": "a"}),
    ("a = ns.z = f()", {"f": "a"}),
    ("print(end='') if (a := f()) is None else 0", {"f": "a"}),
    ("b = [a := f()]", {"f": "a"}),
    ("a = (b := f())", {"f": "b"}),
    ("with f() as a: pass", {"f": "a", "enter": "a", "exit": None}),
    ("with f('1') as a, f('2') as b: pass", {"1": "a", "2": "b", "enter": "b", "exit": None}),
    ("with f(): pass", {"f": None, "enter": None, "exit": None}),
    ("with f() as (a, b): pass", {"f": None, "enter": None, "iter": None, "exit": None}),
    ("a = f('1').then('2').then('3')", {"1": None, "2": None, "3": "a"}),
    ("a = f('1').then(c=f('2'))", {"1": None, "2": None, "then": "a"}),
    ("a = f('1') > f('2')", {"1": None, "2": None, "gt": "a"}),
    ("a = f()['k']", {"f": None, "item": "a"}),
    ("a = f() + 1", {"f": None, "add": "a"}),
    ("a = f('1') if yes else f('2')", {"1": "a"}),
    ("a = f('1') if no else f('2')", {"2": "a"}),
    ("a = b = f('1') if yes else f('2')", {"1": "a"}),
    ("a = 0 or f()", {"f": "a"}),
    ("a = f() or 1", {"f": None}),
    ("a = f('1') and f('2')", {"1": None, "2": "a"}),
    ("f()", {"f": None}),
    ("a = str(f())", {"f": None}),
    ("a = f('1', f('2'))", {"1": "a", "2": None}),
    ("a = f('1', k=f('2'))", {"1": "a", "2": None}),
    ("a = [f()]", {"f": None}),
    ("a = (f(), 1)", {"f": None}),
    ("a = {'k': f()}", {"f": None}),
    ("a = {f()}", {"f": None}),
    ("a = [*f()]", {"f": None, "iter": None}),
    ("a = f'{f()}'", {"f": None}),
    ("a = -1 if f() else 2", {"f": None}),
    ("a = not f()", {"f": None}),
    ("a, b = f()", {"f": None, "iter": None}),
    ("a, b = f('1'), f('2')", {"1": None, "2": None}),
    ("a, b, c = f('1'), f('2'), f('3')", {"1": None, "2": None, "3": None}),
    ("a, b, c, x = f('1'), f('2'), f('3'), f('4')", dict.fromkeys("1234")),
    ("a, ns.z = f('1'), f('2')", {"1": None, "2": None}),
    ("ns.z, a = f('1'), f('2')", {"1": None, "2": None}),
    ("a = b, c = f()", {"f": "a", "iter": None}),
    ("a, b = c = f()", {"f": None, "iter": None}),
    ("ns.z = f()", {"f": None}),
    ("ns.d['a'] = f()", {"f": None}),
    ("a = f('1')\na += f('2')", {"1": "a", "2": None, "add": "a"}),
    ("for a in f(): pass", {"f": None, "iter": None}),
    ("assert f()", {"f": None}),
    ("del f().label", {"f": None}),
    ("a = (lambda: f())()", {"f": None}),
    ("match f():\n  case a: pass", {"f": "a"}),
    ("if yes: a = f('1')\nelse: b = f('2')\nc = f('3')", {"1": "a", "3": "c"}),
    ("for b in (1, 2): a = f()", {"f": "a"}),
    ("try: a = f('1')\nfinally: b = f('2')", {"1": "a", "2": "b"}),
    ("while True:\n  a = f()\n  break", {"f": "a"}),
]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("source", "expected"), CASES, ids=[source for source, _ in CASES])
def test_name_found_in_scope(source: str, expected: dict[str, str | None], scope: str) -> None:
    assert run(source, scope) == expected


@pytest.mark.parametrize("scope", ["module", "function", "class"])
def test_annotated_assignment_gives_its_name(scope: str) -> None:
    assert run("a: object = f()", scope) == {"f": "a"}


@pytest.mark.parametrize("scope", ["module", "function", "class"])
@pytest.mark.parametrize(
    "source",
    [
        "a = [f() for b in (1, 2)]",
        "a = {f() for b in (1, 2)}",
        "a = {b: f() for b in (1, 2)}",
        "a = list(f() for b in (1, 2))",
        "a = [b for b in (f(), f())]",
    ],
)
def test_call_in_comprehension_has_no_name(source: str, scope: str) -> None:
    assert run(source, scope) == {"f": None}


@pytest.mark.parametrize("scope", ["module", "function"])
def test_walrus_in_comprehension_gives_its_name(scope: str) -> None:
    assert run("[a := f() for _ in (1, 2)]", scope) == {"f": "a"}


def test_returned_call_has_no_name() -> None:
    assert run("def g(): return f()\na = g()", "module") == {"f": None}


def test_yielded_call_has_no_name() -> None:
    assert run("def g(): yield f()\na = list(g())", "module") == {"f": None}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("a = await f()", "a"),
        ("a = b = await f()", "a"),
        ("a = (await f()).label", None),
        ("a = (await f(), 1)", None),
        ("a = [(await f(), (b := 1))]", None),
        ("await f()", None),
        ("return await f()", None),
        ("async with f() as a: pass", "a"),
        ("async with f(): pass", None),
        ("a = await f() if yes else 1", "a"),
        ("a = [await f() for b in (1, 2)]", None),
    ],
)
def test_awaited_call_gives_name_of_result(statement: str, expected: str | None) -> None:
    recorder = Recorder()
    namespace: dict[str, Any] = {"f": recorder, "yes": True}
    exec(f"async def main():\n    {statement}\n", namespace)
    asyncio.run(namespace["main"]())
    assert recorder.names == {"f": expected}


def test_decorator_call_gives_name_of_function() -> None:
    recorder = Recorder()

    def decorate(function: object) -> object:
        recorder.names["f"] = assigned_name(sys._getframe(1))
        return function

    @decorate
    def decorated() -> None: ...

    assert recorder.names == {"f": "decorated"}


def test_call_from_builtin_gives_name() -> None:
    """A C function that calls back leaves the frame at its own call."""
    recorder = Recorder()
    mapped = list(map(recorder, ["f"]))
    assert mapped
    assert recorder.names == {"f": "mapped"}


@pytest.mark.parametrize("scope", ["module", "function", "class"])
def test_many_variables_need_extended_arguments(scope: str) -> None:
    lines = [f"v{i} = f('{i}')" for i in range(600)]
    assert run("\n".join(lines), scope) == {str(i): f"v{i}" for i in range(600)}


def test_many_cells_need_extended_arguments() -> None:
    lines = [f"v{i} = f('{i}')" for i in range(300)]
    reads = "def inner(): return " + ", ".join(f"v{i}" for i in range(300))
    assert run("\n".join([*lines, reads]), "function") == {str(i): f"v{i}" for i in range(300)}


def test_parameter_that_is_a_cell_is_named() -> None:
    source = """
        def g(first, a, b):
            a = f('1')
            x = f('2')
            b = f('3')
            def inner(): return a, x
        g(1, 2, 3)
    """
    assert run(source, "module") == {"1": "a", "2": "x", "3": "b"}


def test_free_variable_is_named() -> None:
    source = """
        def g():
            a = b = None
            def inner():
                nonlocal b
                own = f('1')
                b = f('2')
            inner()
        g()
    """
    assert run(source, "module") == {"1": "own", "2": "b"}


def test_name_is_found_under_a_tracer() -> None:
    """Debuggers and coverage rewrite the bytecode; the names stay."""
    before = sys.gettrace()

    def trace(*_: object) -> Any:
        return trace

    sys.settrace(trace)
    try:
        names = run("a = f('1')\nb = f('2').then()", "function")
    finally:
        sys.settrace(before)
    assert names == {"1": "a", "2": None, "then": "b"}


def test_name_is_found_in_specialised_code() -> None:
    """The interpreter replaces instructions of code that ran often."""
    namespace: dict[str, Any] = {"f": Recorder()}
    exec("def g():\n    a = f('1')\n    b = f('2')\n    return a, b", namespace)
    for _ in range(100):
        namespace["g"]()
        naming._found.clear()
    assert namespace["f"].names == {"1": "a", "2": "b"}


def test_finished_and_unstarted_frames_have_no_name() -> None:
    def generator() -> Any:
        yield

    frame = generator().gi_frame
    assert assigned_name(frame) is None


def test_frame_that_is_not_calling_has_no_name() -> None:
    def generator() -> Any:
        a = yield
        return a

    suspended = generator()
    next(suspended)
    assert assigned_name(suspended.gi_frame) is None


def test_names_of_collected_code_are_forgotten() -> None:
    run("a = f()", "function")
    gc.collect()
    known = len(naming._found)
    for _ in range(50):
        run("a = f()", "function")
    gc.collect()
    assert len(naming._found) <= known


def test_unknown_version_gives_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_KNOWN_BYTECODE", False)
    assert run("a = f()", "function") == {"f": None}


def _code_objects(code: types.CodeType) -> list[types.CodeType]:
    nested = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return [code, *(inner for one in nested for inner in _code_objects(one))]


@pytest.mark.parametrize("module", [asyncio.base_events, dis, textwrap, types])
def test_names_agree_with_dis_on_real_code(module: types.ModuleType) -> None:
    """Wherever a call is followed by a store, the name is the one that `dis` shows."""
    root = compile(inspect.getsource(module), "<m>", "exec")
    checked = 0
    for code in _code_objects(root):
        real = [i for i in dis.get_instructions(code) if i.opname != "CACHE"]
        for call, store, after in zip(real, real[1:], real[2:], strict=False):
            plain = store.opname in ("STORE_NAME", "STORE_FAST", "STORE_DEREF", "STORE_GLOBAL")
            if call.opname == "CALL" and plain and not after.opname.startswith("STORE_"):
                assert naming._find(code, call.offset) == store.argval
                checked += 1
    assert checked > 5


@pytest.mark.parametrize("module", [asyncio.base_events, textwrap])
def test_no_offset_of_real_code_raises(module: types.ModuleType) -> None:
    root = compile(inspect.getsource(module), "<m>", "exec")
    for code in _code_objects(root):
        for offset in range(-1, len(code.co_code), 1):
            naming._find(code, offset)
