"""pydantic-graph: a builder of steps, decisions, forks and joins."""

TITLE = "pydantic-graph"
REQUIREMENTS = ["pydantic-graph"]
IMPORT = "import pydantic_graph"

WORKLOADS = {
    "chain": "steps:chain",
    "nested": "steps:nested",
    "branches": "steps:branches",
    "loop": "steps:loop",
    "concurrent": "steps:concurrent",
    "fan_def": "forks:fan_def",
    "fan_async": "forks:fan_async",
    "wait_async": "forks:wait_async",
    "wait_def": "forks:wait_def",
    "blocking": "forks:blocking",
    "stream": "forks:stream",
    "drain": "forks:drain",
    "mix": "mix:mix",
}

MISSING: dict[str, str] = {}
