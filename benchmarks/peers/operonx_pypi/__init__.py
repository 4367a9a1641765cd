"""The distribution `operonx` on PyPI: another team's engine that happens to bear our name.

Written from its description on PyPI and its `help()` alone. Its environment has nothing of ours.
"""

TITLE = "operonx (PyPI)"
REQUIREMENTS = ["operonx"]
IMPORT = "import operonx"

WORKLOADS = {
    "chain": "graphs:chain",
    "nested": "graphs:nested",
    "branches": "graphs:branches",
    "concurrent": "graphs:concurrent",
    "fan_def": "graphs:fan_def",
    "fan_async": "graphs:fan_async",
    "wait_async": "graphs:wait_async",
    "wait_def": "graphs:wait_def",
    "blocking": "graphs:blocking",
    "stream": "graphs:stream",
    "drain": "graphs:drain",
}

MISSING = {
    "loop": "its public description does not show one",
    "mix": "its public description does not show a loop",
}
