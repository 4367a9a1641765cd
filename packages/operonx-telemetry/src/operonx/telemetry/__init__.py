"""Traces of runs: where they are kept, shown and sent.

This version is the beginning of the distribution and offers nothing but its version. The folders
that are to come, in the order to read them:

- `local`: a store in one file, and questions to it;
- `viewer`: a web page over that store;
- `otel`, `langfuse`: exporters.

The tracer protocol itself is core's. This package depends on `operonx.core` only, and never on
`operonx.providers`.
"""

__all__ = ["__version__"]

__version__: str = "0.1.0.dev0"
"""The version of the distribution operonx-telemetry."""
