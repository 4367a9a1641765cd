"""Hamilton: functions whose parameters name other functions; the async driver where it can."""

TITLE = "hamilton"
REQUIREMENTS = ["sf-hamilton"]
IMPORT = "import hamilton.async_driver"

WORKLOADS = {
    "chain": "dataflows:chain",
    "nested": "dataflows:nested",
    "concurrent": "dataflows:concurrent",
    "fan_def": "dataflows:fan_def",
    "fan_async": "dataflows:fan_async",
    "wait_async": "dataflows:wait_async",
    "wait_def": "dataflows:wait_def",
    "blocking": "dataflows:blocking",
    "stream": "dataflows:stream",
}

MISSING = {
    "branches": "branches are chosen when the graph is built",
    "loop": "graphs have no cycles",
    "drain": "what `Parallelizable` starts, `Collect` must end",
    "mix": "no branch at run time, no loop",
}
