"""Whether data has the shape of a spec: what is wrong is named with its place."""

from __future__ import annotations

from typing import Any, cast

from pydantic import ValidationError

from operonx.core.errors import SpecError, did_you_mean
from operonx.core.spec.model.base import Model
from operonx.core.spec.model.graphs import Spec
from operonx.core.spec.version import require_version

__all__ = ["validated"]

_MOST_SHOWN = 5


def validated(spec: object) -> dict[str, Any]:
    """Return a spec that has the shape of one.

    Raises:
        SpecError: If it has not; names the first places, and what would be right there.
    """
    if not isinstance(spec, dict):
        raise SpecError(
            f"a spec is a dict, got `{type(spec).__name__}`",
            hint="from a file: `json.loads(path.read_text())`",
        )
    data = cast("dict[str, Any]", spec)
    require_version(data)
    try:
        Spec.model_validate(data)
    except ValidationError as error:
        raise SpecError(_described(error), hint=_hint(error)) from None
    return data


def _described(error: ValidationError) -> str:
    found = error.errors(include_url=False)
    lines = [f"  {_place(one['loc'])}: {_said(one)}" for one in found[:_MOST_SHOWN]]
    if len(found) > _MOST_SHOWN:
        lines.append(f"  and {len(found) - _MOST_SHOWN} more")
    return "this is no spec:\n" + "\n".join(lines)


def _said(one: Any) -> str:
    # Pydantic says it in words of its own, which differ from version to version.
    return "nested too deeply" if one["type"].startswith("recursion") else str(one["msg"])


def _place(steps: tuple[int | str, ...]) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)[1:]
    return place if len(place) <= 200 else f"{place[:150]} ... {place[-40:]}"


def _hint(error: ValidationError) -> str | None:
    for one in error.errors(include_url=False):
        if one["type"] == "extra_forbidden":
            return did_you_mean(str(one["loc"][-1]), _fields())
    return None


def _fields() -> set[str]:
    """Return what a misspelt field may have been meant for: the fields of all models."""
    models: list[type[Model]] = [Model]
    for model in models:  # it grows meanwhile
        models += model.__subclasses__()
    return {field.alias or name for one in models for name, field in one.model_fields.items()}
