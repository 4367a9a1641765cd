"""The Mermaid text of a graph: what it says of every feature, and that no name breaks it.

`nox -s interop` hands the `GRAPHS` to Mermaid's own parser.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypedDict

import pytest

import operonx.core as core
from operonx.core import (
    END,
    PARENT,
    GraphOp,
    Rate,
    Retry,
    State,
    each,
    first_of,
    if_,
    race,
    switch,
    zip_streams,
)

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op

NODE = re.compile(r'^(n\d+)(\["[^"]*"\]|\{"[^"]*"\}|\[/"[^"]*"[/\\]\])$')
STOP = re.compile(r'^((?:g|n\d+)_(?:start|end))\(\["[^"]*"\]\)$')
BOX = re.compile(r'^subgraph (g|n\d+)\["[^"]*"\]$')
EDGE = re.compile(r'^((?:g|n\d+)(?:_start)?) (?:-->|-\.->)(?:\|"[^"]*"\|)? ((?:g|n\d+)(?:_end)?)$')
ODD: Final = [
    *("end", "graph", "subgraph", "style", "class", "click", "default", "o", "x"),
    *("#35;", "#quot;", "&amp;", "<b>bold</b>", "<script>alert(1)</script>", "<br>"),
    *("**bold**", "_under_ *star*", "`code`", "```x```", "1) one", "- item", "# title", "> quote"),
    *("[link](http)", "fa:fa-bell", ":::cls", "style a:b#c;", "---", "%%{init: {}}%%", "$$x^2$$"),
    *("größe 日本語 😀", "עברית", "a\\nb", "a\nb", "tab\there", "\x07", "\u202eabc", " padded "),
    *(f"a{char}b" for char in string.punctuation if char != "."),
    *(char for char in string.punctuation if char != "."),
]
"""Names with what means something to Mermaid, Markdown, HTML or a terminal."""


class Pair(NamedTuple):
    text: str
    score: float


class Y(TypedDict):
    y: Any


@op
def kept(x: Any) -> Y:
    return {"y": x}


@op
def ask(q: Any) -> Pair:
    return Pair(q, 1.0)


@op
def parts(x: Any) -> Iterator[Y]:
    yield {"y": x}


def every_kind() -> GraphOp:
    with GraphOp("every kind") as g:
        item = each(PARENT["items"])["item"]
        a = ask.with_(timeout=2, on_error="skip")(q=item)
        b = kept.with_(retry=Retry(3, on=(OSError,)), rate=Rate(10, per=60))(x=a["text"])
        pair = zip_streams(one=a["score"], two=b)
        other = kept(x=item)
        if_(a["score"] > 0.5, b).elif_(a["text"] == "x", other)
        cure = kept(x=a.error["message"])
        with GraphOp("outer", x=item, timeout=3) as outer:
            with GraphOp("inner", x=PARENT["x"]) as inner:
                deepest = parts(x=PARENT["x"])
                deepest["y"].collect() >> PARENT["y"]
            inner >> END
        route = switch(PARENT["kind"], {"refund": "late", 2: "soon"}, default="never")
        late = kept(x=1)
        soon = kept(x=2)
        never = kept.with_(concurrency=1)(x=3)
        first = kept(x=race(late, soon, first_of(soon, never)))
        late >> ~first
        with GraphOp.loop(
            until="n >= 3", max_iterations=9, n=first, log=State([], reducer="append")
        ) as loop:
            step = kept(x=PARENT["n"] + PARENT.iteration)
            step["y"] >> PARENT["n"]
            step["y"] >> PARENT["log"]
        a >> loop
        kept.with_(name="live")(x=loop.iterations["n"])["y"].collect() >> PARENT["live"]
        kept.with_(name="packs")(x=b["y"].batch(10))["y"].collect() >> PARENT["packs"]
        pair["one"].collect() >> PARENT["pairs"]
        other["y"].or_else(0).collect() >> PARENT["others"]
        cure["y"].collect() >> PARENT["cured"]
        outer["y"].collect() >> PARENT["all"]
        route["y"] >> PARENT["routed"]
        loop >> END
    return g


def odd_names() -> GraphOp:
    with GraphOp('odd "names" <script>alert(1)</script>') as g:
        for name in ODD:
            with GraphOp(name, x=PARENT["x"]) as inner:
                kept.with_(name=name)(x=PARENT["x"])["y"] >> PARENT[name]
            inner[name] >> PARENT[name]
    return g


def odd_values() -> GraphOp:
    with GraphOp("odd values") as g:
        targets = {
            value: kept.with_(name=f"t{number}", fallback=value)(x=1)
            for number, value in enumerate(ODD)
        }
        switch(PARENT["x"], targets)
        for target in targets.values():
            target["y"] >> PARENT[target.name]
    return g


def long_names() -> GraphOp:
    with GraphOp("word " * 50) as g:
        letters = kept.with_(name="letters" * 50)(x=1)
        if_(PARENT["condition" * 20] == "text " * 50, letters)
        letters >> END
    return g


DRAWN: Final = """\
flowchart TB
  subgraph g["every kind"]
    direction TB
    g_start(["START"])
    n0[/"each"/]
    n1["a<br/>for each [each]<br/>timeout=2<br/>on_error='skip'"]
    n2["b<br/>for each [each]<br/>retry=Retry(attempts=3, on=(OSError,))<br/>rate=Rate(10, per=60)"]
    n3[/"pair"\\]
    n4["other<br/>for each [each]"]
    n5{"branch<br/>for each [each]"}
    n6["cure<br/>for each [each]"]
    subgraph n7["outer"]
      direction TB
      n7_start(["START<br/>for each [each]<br/>timeout=3"])
      subgraph n8["inner"]
        direction TB
        n8_start(["START"])
        n9[/"deepest"/]
        n8_end(["END"])
        n8_start -->|"x"| n9
        n9 -->|"y from collect()"| n8_end
      end
      n7_end(["END"])
      n7_start -->|"x"| n8
      n8 -->|"y"| n7_end
    end
    n10{"route<br/>PARENT[#34;kind#34;]"}
    n11["late"]
    n12["soon"]
    n13["never<br/>concurrency=1"]
    n14["first"]
    subgraph n15["loop"]
      direction TB
      n15_start(["START"])
      n16["step"]
      n15_end(["END<br/>loop until PARENT[#34;n#34;] #62;= 3<br/>max_iterations=9"])
      n15_start -->|"n, iteration"| n16
      n16 -->|"n, log"| n15_end
    end
    n17["live<br/>for each [loop]"]
    n18["packs<br/>for each [packs_x]"]
    g_end(["END"])
    g_start -->|"items"| n0
    n0 -->|"item"| n1
    n1 -->|"text"| n2
    n1 -->|"score"| n3
    n2 --> n3
    n0 -->|"item"| n4
    n1 -->|"score, text"| n5
    n1 -->|"error"| n6
    n0 -->|"item"| n7
    g_start -->|"kind"| n10
    n11 -.->|"race"| n14
    n12 -.->|"race, first_of.race"| n14
    n13 -.->|"first_of.race"| n14
    n14 --> n15
    n15 -->|"iterations[n]"| n17
    n2 -->|"batch(10)"| n18
    n1 --> n15
    n17 -->|"live from collect()"| g_end
    n18 -->|"packs from collect()"| g_end
    n3 -->|"pairs from one.collect()"| g_end
    n4 -.->|"others from or_else.collect()"| g_end
    n6 -->|"cured from collect()"| g_end
    n7 -->|"all from collect()"| g_end
    n11 -.->|"routed from first_of"| g_end
    n12 -.->|"routed from first_of"| g_end
    n13 -.->|"routed from first_of"| g_end
    n15 -->|"n, log"| g_end
    n5 -->|"if a[#34;score#34;] #62; 0.5"| n2
    n5 -->|"elif a[#34;text#34;] == 'x'"| n4
    n10 -->|"#39;refund'"| n11
    n10 -->|"#50;"| n12
    n10 -->|"else"| n13
  end"""
PRINTED: Final = """\
graph every kind(items: Iterable[Any], kind)
  each(list=PARENT["items"]) -> item[each], index: int[each]
  route: switch PARENT["kind"]:
      if PARENT["kind"] == 'refund': late;
      if PARENT["kind"] == 2: soon;
      else never
  a(q=each["item"]) -> text: str[each], score: float[each] timeout=2 on_error='skip'
  graph outer(x) for each [each] timeout=3
    graph inner(x)
      deepest(x=PARENT["x"]) -> y[deepest]
      deepest["y"].collect() >> y
      x = PARENT["x"]
    inner["y"] >> y
    x = each["item"]
  late(x=1) -> y
  soon(x=2) -> y
  never(x=3) -> y concurrency=1
  branch for each [each]: if a["score"] > 0.5: b; if a["text"] == 'x': other
  cure(x=a.error["message"]) -> y[each]
  first(x=race(late, soon, first_of(soon, never))) -> y
  b(x=a["text"]) -> y[each] retry=Retry(attempts=3, on=(OSError,)) rate=Rate(10, per=60)
  other(x=each["item"]) -> y[each]
  loop loop(n, log) until PARENT["n"] >= 3 max_iterations=9
    step(x=PARENT["n"] + PARENT.iteration) -> y
    step["y"] >> n
    step["y"] >> log
    n = first["y"]
    log = State([], reducer='append')
  pair(one=a["score"], two=b["y"]) -> one[pair], two[pair]
  packs(x=b["y"].batch(10)) -> y[packs_x]
  live(x=loop.iterations["n"]) -> y[loop]
  late >> ~first
  a >> loop
  live["y"].collect() >> live
  packs["y"].collect() >> packs
  pair["one"].collect() >> pairs
  other["y"].or_else(0).collect() >> others
  cure["y"].collect() >> cured
  outer["y"].collect() >> all
  first_of(late, soon, never)["y"] >> routed
  loop["n"] >> n
  loop["log"] >> log"""
GRAPHS: Final[list[Callable[[], GraphOp]]] = [every_kind, odd_names, odd_values, long_names]


def problems(text: str) -> list[str]:
    """Check the part of Mermaid's flowchart grammar that is used."""
    lines = [line.strip() for line in text.splitlines()]
    if lines[0] != "flowchart TB":
        return ["the first line"]
    declared = {m[1] for line in lines if (m := NODE.match(line) or BOX.match(line))}
    declared |= {m[1] for line in lines if (m := STOP.match(line))}
    found: list[str] = []
    depth = 0
    for line in lines[1:]:
        depth += bool(BOX.match(line)) - (line == "end")
        edge = EDGE.match(line)
        known = any(one.match(line) for one in (NODE, STOP, BOX))
        known = known or line in ("end", "direction TB")
        if not (known or (edge and {edge[1], edge[2]} <= declared)) or depth < 0:
            found.append(line)
    return found + (["unbalanced"] if depth else [])


def labels(text: str) -> list[str]:
    """Return what a reader sees of the quoted labels: Mermaid's codes are put back."""
    found = re.findall(r'"([^"]*)"', text)
    return [re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label) for label in found]


def test_every_feature_is_drawn() -> None:
    assert DRAWN == every_kind().to_mermaid()


def test_every_feature_is_printed() -> None:
    assert PRINTED == str(every_kind())


@pytest.mark.parametrize("make", GRAPHS)
def test_a_graph_is_a_flowchart(make: Callable[[], GraphOp]) -> None:
    assert [] == problems(make().to_mermaid())


@pytest.mark.parametrize("text", ['flowchart TB\n  n1["a"b"]', "flowchart TB\n  n1 --> n2"])
def test_the_check_sees_what_is_wrong(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    with GraphOp("g") as g:
        kept.with_(name=name)(x=1) >> END
    shown = name if name.isprintable() else repr(name)[1:-1]
    assert ["g", "START", shown, "END", "y"] == labels(g.to_mermaid())


@pytest.mark.parametrize("char", '"#`<>&:;*~\\$%^\n\x07\u202e')
def test_what_means_something_to_a_reader_of_mermaid_is_a_code(char: str) -> None:
    with GraphOp("g") as g:
        kept.with_(name=f"a{char}b")(x=1) >> END
    name = re.search(r'n0\["(.*)"\]', g.to_mermaid())
    assert name is not None
    assert char not in re.sub(r"#\d+;", "", name[1])


@pytest.mark.parametrize("first", ["1", "-", "+", " ", "_", "(", "["])
def test_only_a_letter_starts_a_label_as_it_is(first: str) -> None:
    with GraphOp("g") as g:
        kept.with_(name=f"{first}) a")(x=1) >> END
    assert f'n0["#{ord(first)};) a"]' in g.to_mermaid()


def test_long_names_are_cut() -> None:
    assert all(len(label) <= 100 for label in labels(long_names().to_mermaid()))
    assert f"{'letters' * 7}\N{HORIZONTAL ELLIPSIS}" in labels(long_names().to_mermaid())


def test_a_notebook_is_given_the_drawing_and_the_text() -> None:
    g = every_kind()
    assert {"text/vnd.mermaid": g.to_mermaid(), "text/plain": str(g)} == bundle(g)


def test_a_notebook_is_given_only_the_text_of_what_mermaid_refuses_to_draw() -> None:
    g = chain(500)
    assert {"text/plain": str(g)} == bundle(g)
    assert {"text/plain", "text/vnd.mermaid"} == set(bundle(chain(498)))


def bundle(g: GraphOp) -> dict[str, str]:
    return g._repr_mimebundle_(include=None, exclude=None)  # pyright: ignore[reportPrivateUsage] - IPython calls it


def chain(length: int) -> GraphOp:
    with GraphOp("g") as g:
        last = kept(x=1)
        for _ in range(length - 1):
            last = kept(x=last)
        last >> END
    return g


def test_soft_edges_are_dotted() -> None:
    with GraphOp("g") as g:
        a = kept(x=1)
        b = kept(x=2)
        a >> ~b >> END
    assert "n0 -.-> n1" in g.to_mermaid()


def test_an_edge_beside_a_read_is_not_drawn_twice() -> None:
    with GraphOp("g") as g:
        a = kept(x=1)
        b = kept(x=a)
        a >> b >> END
    assert 1 == g.to_mermaid().count("n0 --> n1")


def test_an_output_that_reads_no_op_comes_from_start() -> None:
    with GraphOp("g") as g:
        PARENT["x"] >> PARENT["same"]
        kept(x=1) >> END
    assert 'g_start -->|"same from x"| g_end' in g.to_mermaid()


def test_an_expression_that_uses_itself_over_and_over_is_drawn() -> None:
    with GraphOp("g") as g:
        doubled = kept(x=1)["y"]
        for _ in range(12):
            doubled = doubled + doubled
        kept(x=doubled) >> END
    assert 1 == g.to_mermaid().count("n0 --> n1")


def test_what_does_not_fit_a_line_goes_on_below() -> None:
    with GraphOp("g") as g:
        a = ask.with_(retry=Retry(3, backoff=0.5, jitter=0.25, on=(OSError, ValueError)))(
            q=[PARENT[f"input_{number}"] for number in range(5)]
        )
        a >> END
    lines = str(g).splitlines()[1:5]
    assert [
        '  a(q=[PARENT["input_0"], PARENT["input_1"], PARENT["input_2"], PARENT["input_3"],',
        '      PARENT["input_4"]])',
        "      -> text: str, score: float",
        "      retry=Retry(attempts=3, backoff=0.5, jitter=0.25, on=(OSError, ValueError))",
    ] == lines


def test_a_line_break_in_a_name_does_not_break_the_line() -> None:
    with GraphOp("g") as g:
        kept.with_(name="a\nb\x07")(x=1) >> END
    assert ["graph g()", r"  a\nb\x07(x=1) -> y", r'  a\nb\x07["y"] >> y'] == str(g).splitlines()


def test_what_is_compared_in_an_output_is_in_brackets() -> None:
    with GraphOp("g") as g:
        a = kept(x=1)
        (a["y"] > 1) >> PARENT["more"]
        (a["y"] + 1) >> PARENT["next"]
    assert ['  (a["y"] > 1) >> more', '  a["y"] + 1 >> next'] == str(g).splitlines()[-2:]
