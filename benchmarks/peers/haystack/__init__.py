"""Haystack: a pipeline of components with typed sockets."""

TITLE = "haystack"
REQUIREMENTS = ["haystack-ai"]
IMPORT = "import haystack"

WORKLOADS = {
    "chain": "pipelines:chain",
    "nested": "pipelines:nested",
    "branches": "pipelines:branches",
    "loop": "pipelines:loop",
    "concurrent": "pipelines:concurrent",
    "fan_def": "pipelines:fan_def",
    "fan_async": "pipelines:fan_async",
    "wait_async": "pipelines:wait_async",
    "wait_def": "pipelines:wait_def",
    "blocking": "pipelines:blocking",
}

MISSING = {
    "stream": "no stream of items between components",
    "drain": "no stream of items between components",
    "mix": "no component for each item of a list",
}
