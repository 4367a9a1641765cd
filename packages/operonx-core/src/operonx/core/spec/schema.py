"""The JSON Schema of a spec, made from the models; `schema.json` is what is published.

Whoever changes a model runs `python -m operonx.core.spec.schema`; a test looks whether it was done.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, cast

from operonx.core.spec.model.graphs import Spec

__all__ = ["SCHEMA_FILE", "json_schema"]

SCHEMA_FILE: Final = Path(__file__).with_name("schema.json")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a spec (draft 2020-12)."""
    schema = Spec.model_json_schema(by_alias=True)
    decided = _decided(schema, schema["$defs"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **decided}


def _decided(part: Any, definitions: dict[str, Any]) -> Any:
    """Let `kind` decide which of several objects it is.

    By `oneOf` a validator would try each of them, and each of those within: exponential in the
    depth of an expression.
    """
    if isinstance(part, list):
        parts = cast("list[object]", part)
        return [_decided(one, definitions) for one in parts]
    if not isinstance(part, dict):
        return part
    fields: dict[str, Any] = {
        key: _decided(value, definitions) for key, value in cast("dict[str, Any]", part).items()
    }
    options = fields.get("oneOf") or fields.get("anyOf")
    if not options:
        return fields
    by_kind = {
        kind: option for option in options for kind in _kinds(definitions.get(_name(option), {}))
    }
    others = [option for option in options if not _kinds(definitions.get(_name(option), {}))]
    if len(by_kind) < 2:
        return fields
    kept = {
        key: value
        for key, value in fields.items()
        if key not in ("oneOf", "anyOf", "discriminator")
    }
    objects = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": sorted(by_kind)}},
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind}}}, "then": option}
            for kind, option in by_kind.items()
        ],
    }
    if not others:
        return {**kept, **objects}
    return {**kept, "if": {"type": "object"}, "then": objects, "else": {"anyOf": others}}


def _name(option: dict[str, Any]) -> str:
    return str(option.get("$ref", "")).rpartition("/")[2]


def _kinds(definition: dict[str, Any]) -> list[str]:
    kind = definition.get("properties", {}).get("kind", {})
    return [kind["const"]] if "const" in kind else list(kind.get("enum", ()))


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json.dumps(json_schema(), indent=2) + "\n")
