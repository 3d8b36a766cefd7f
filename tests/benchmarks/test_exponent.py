"""The exponent fitted to cost against rows."""

import pytest

from benchmarks.exponent import exponent


@pytest.mark.parametrize("power", [0.9, 1.0, 1.05, 1.2])
def test_the_exponent_describes_the_cost_beyond_startup(power: float) -> None:
    sizes = (100_000, 1_000_000, 3_000_000, 10_000_000, 25_000_000, 49_604_340)
    cost = [55 + 100 * (rows / 50_000_000) ** power for rows in sizes]
    assert exponent(sizes, cost) == pytest.approx(power, abs=0.005)
