"""LangGraph: a state graph run in supersteps."""

TITLE = "langgraph"
REQUIREMENTS = ["langgraph"]
IMPORT = "import langgraph.graph"

WORKLOADS = {
    "chain": "chains:chain",
    "nested": "chains:nested",
    "branches": "chains:branches",
    "loop": "chains:loop",
    "concurrent": "chains:concurrent",
    "fan_def": "fans:fan_def",
    "fan_async": "fans:fan_async",
    "wait_async": "fans:wait_async",
    "wait_def": "fans:wait_def",
    "blocking": "fans:blocking",
    "stream": "streams:stream",
    "drain": "streams:drain",
    "mix": "mix:mix",
}

MISSING: dict[str, str] = {}
