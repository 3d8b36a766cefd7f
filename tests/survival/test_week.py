"""What counts as flat; `make test-week` lets a service run for a simulated week."""

import pytest

from tests.survival.week import Week

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("kind", "values", "is_flat"),
    [
        ("memory", [100, 200, 300, 310, 310, 300, 312, 310, 311], True),
        ("memory", [100, 110, 120, 130, 140, 150, 160, 170, 180], False),
        ("open files", [10, 12, 14, 14, 14, 13, 13, 14, 14], True),
        ("open files", [10, 11, 12, 13, 14, 15, 15, 15, 16], False),
        ("disk", [500, 400, 500, 410, 510, 400, 410, 510, 400], True),
        ("disk", [500, 500, 500, 500, 500, 500, 500, 500, 600], False),
    ],
)
def test_growth_is_distinguished_from_fluctuation(
    kind: str, values: list[int], is_flat: bool
) -> None:
    week = Week()
    for value in values:
        week.add(kind, "made up", value)
    assert (week.growing() == []) is is_flat
