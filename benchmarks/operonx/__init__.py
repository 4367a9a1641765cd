"""Our engine, as its users write for it. Imports `operonx.core`, absolutely, from the tree."""

TITLE = "operonx"
REQUIREMENTS = ["operonx-core"]
IMPORT = "import operonx.core"

WORKLOADS = {
    "chain": "chains:chain",
    "nested": "chains:nested",
    "concurrent": "chains:concurrent",
    "fan_def": "fans:fan_def",
    "fan_async": "fans:fan_async",
    "wait_async": "fans:wait_async",
    "wait_def": "fans:wait_def",
    "blocking": "fans:blocking",
    "branches": "branches:branches",
    "loop": "loops:loop",
    "stream": "streams:stream",
    "drain": "streams:drain",
    "mix": "mix:mix",
}

MISSING: dict[str, str] = {}
