from collections.abc import Iterator

import pytest

from dagster_project.layouts.zip_layout import unpacked_once


@pytest.fixture(autouse=True)
def unpacked() -> Iterator[None]:
    """The block size in which archives are read."""
    with unpacked_once():
        yield
