"""Medians with their spread, slopes and growth: no more statistics than the tables need."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """A median with the lowest and highest value beside it."""

    median: float
    """The middle value."""
    low: float
    """The lowest value."""
    high: float
    """The highest value."""


def spread(values: Sequence[float]) -> Spread:
    """Summarise the values of all rounds.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        msg = "no values to summarise"
        raise ValueError(msg)
    return Spread(median(values), min(values), max(values))


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return what one more unit of size costs: the least-squares line's slope.

    Raises:
        ValueError: Fewer than two different sizes, or lengths that differ.
    """
    if len(sizes) != len(values) or len(set(sizes)) < 2:
        msg = f"a slope needs two sizes and as many values, got {sizes} and {values}"
        raise ValueError(msg)
    mean_size = sum(sizes) / len(sizes)
    mean_value = sum(values) / len(values)
    covariance = sum((s - mean_size) * (v - mean_value) for s, v in zip(sizes, values, strict=True))
    return covariance / sum((s - mean_size) ** 2 for s in sizes)


def growth_exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return `p` of the fit `value ~ size ** p`: 1 is linear, 2 quadratic.

    A fixed cost makes it smaller than 1, so only what is above 1 means anything.

    Raises:
        ValueError: As for `slope`, or a size or value that is not above zero.
    """
    return slope([math.log(s) for s in sizes], [math.log(v) for v in values])
