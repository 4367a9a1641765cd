"""The floor: what a careful person would write by hand in asyncio, with no engine at all."""

TITLE = "floor"
REQUIREMENTS: list[str] = []
IMPORT = "pass"

WORKLOADS = {
    "chain": "arithmetic:chain",
    "fan_def": "arithmetic:fan_def",
    "fan_async": "arithmetic:fan_async",
    "nested": "arithmetic:nested",
    "branches": "arithmetic:branches",
    "loop": "arithmetic:loop",
    "concurrent": "arithmetic:concurrent",
    "mix": "mix:mix",
    "stream": "streams:stream",
    "drain": "streams:drain",
    "wait_async": "waiting:wait_async",
    "wait_def": "waiting:wait_def",
    "blocking": "waiting:blocking",
}

MISSING = {"build": "it builds nothing", "installed": "it installs nothing"}
