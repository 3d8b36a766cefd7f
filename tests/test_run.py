from tests.support import Scenario


def test_x(template: Scenario) -> None:
    print(template.outcome)
    assert template.outcome.code == 0
