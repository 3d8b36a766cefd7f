from tests.layouts.conftest import unpacked  # noqa: F401 - a fixture
