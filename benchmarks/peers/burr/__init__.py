"""Burr: a state machine of actions; parallel actions run sub-applications."""

TITLE = "burr"
#: `burr.core.parallelism` imports pydantic, which burr alone does not bring.
REQUIREMENTS = ["burr", "pydantic"]
IMPORT = "import burr.core"

WORKLOADS = {
    "chain": "machines:chain",
    "nested": "machines:nested",
    "branches": "machines:branches",
    "loop": "machines:loop",
    "concurrent": "machines:concurrent",
    "stream": "machines:stream",
    "drain": "machines:drain",
    "fan_def": "maps:fan_def",
    "fan_async": "maps:fan_async",
    "wait_async": "maps:wait_async",
    "wait_def": "maps:wait_def",
    "blocking": "maps:blocking",
    "mix": "mix:mix",
}

MISSING: dict[str, str] = {}
