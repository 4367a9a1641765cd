"""The arithmetic behind every figure of the benchmarks."""

import pytest

from benchmarks.statistics import Spread, growth_exponent, slope, spread


def test_spread_holds_the_median_and_both_ends() -> None:
    assert Spread(median=2.0, low=1.0, high=9.0) == spread([9.0, 1.0, 2.0])


def test_spread_of_an_even_number_takes_the_middle_of_the_middle_two() -> None:
    assert Spread(median=2.5, low=1.0, high=4.0) == spread([4.0, 1.0, 3.0, 2.0])


def test_spread_of_nothing_raises() -> None:
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_slope_is_what_one_more_costs_whatever_the_fixed_cost() -> None:
    assert slope([10, 100, 500], [7 + 3 * n for n in (10, 100, 500)]) == pytest.approx(3.0)


def test_slope_fits_points_that_lie_on_no_line() -> None:
    assert slope([0, 1, 2], [0.0, 2.0, 1.0]) == pytest.approx(0.5)


@pytest.mark.parametrize(("sizes", "values"), [([5, 5], [1.0, 2.0]), ([1], [1.0]), ([1, 2], [1.0])])
def test_slope_needs_two_sizes_and_as_many_values(sizes: list[int], values: list[float]) -> None:
    with pytest.raises(ValueError, match="two sizes"):
        slope(sizes, values)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_growth_exponent_finds_the_power(power: float) -> None:
    sizes = [10, 100, 1_000, 10_000]
    assert growth_exponent(sizes, [3 * n**power for n in sizes]) == pytest.approx(power)


def test_growth_exponent_of_a_fixed_cost_beside_a_linear_one_is_below_one() -> None:
    sizes = [10, 100, 1_000]
    assert growth_exponent(sizes, [50 + n for n in sizes]) < 1
