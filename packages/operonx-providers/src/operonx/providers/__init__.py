"""Models for graphs: language models, embeddings and rerankers.

This version is the beginning of the distribution and offers nothing but its version. The folders
that are to come, in the order to read them:

- `llm`, `embeddings`, `rerank`: one module per vendor;
- `_http`: the one client that they share, with its retries and its server-sent events;
- `ops`: the ops that call them.

It depends on `operonx.core` only, and never on `operonx.telemetry`.
"""

__all__ = ["__version__"]

__version__: str = "0.1.0.dev0"
"""The version of the distribution operonx-providers."""
