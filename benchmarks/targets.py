"""Compares figures with the promises of `targets.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Bounds = Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """What came of one row."""

    target: str
    """The promise, as the table shows it."""
    used: float
    """The figure in parts of what is allowed: 1 is the bound, more is a miss."""

    @property
    def passed(self) -> bool:
        """Whether the promise is kept."""
        return self.used <= 1


class Targets:
    """The promises, by shape and row."""

    def __init__(self, bounds: Mapping[str, Mapping[str, Bounds]]) -> None:
        """Take the parsed file."""
        self._bounds = bounds

    @classmethod
    def load(cls) -> "Targets":
        """Read `targets.toml` beside this module."""
        return cls(tomllib.loads(Path(__file__).with_name("targets.toml").read_text()))

    def bounds(self, shape: str, row: str) -> Bounds:
        """Return the bounds of a row, empty if it has none."""
        return self._bounds.get(shape, {}).get(row, {})

    def judge(
        self, shape: str, row: str, value: float, floor_ratio: float | None
    ) -> Verdict | None:
        """Judge our Python engine's figure; `None` where nothing was promised or measured."""
        bounds = self.bounds(shape, row)
        if "at_most" in bounds:
            return Verdict(f"≤ {bounds['at_most']:g}", value / bounds["at_most"])
        if "at_least" in bounds:
            return Verdict(f"≥ {bounds['at_least']:g}", bounds["at_least"] / value)
        limit = bounds.get("floor_ratio_at_most")
        if limit is not None and floor_ratio is not None:
            return Verdict(f"≤ {limit:g} x floor", floor_ratio / limit)
        return None

    def judge_native(self, shape: str, row: str, speedup: float) -> Verdict:
        """Judge how many times faster the native engine was with the same Python ops."""
        bounds = {**self.bounds("native", "default"), **self.bounds(shape, row)}
        limit = bounds["native_speedup_at_least"]
        return Verdict(f"≥ {limit:g} x python", limit / speedup)
