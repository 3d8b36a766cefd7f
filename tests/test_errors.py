from dagster_project.errors import BadInput


def test_the_message_names_everything_in_order() -> None:
    problem = BadInput("W", where="here", expected="this", found="that", fix="do")
    assert str(problem) == "W | where: here | expected: this | found: that | what to do: do"
    assert vars(problem) == {
        "what": "W",
        "where": "here",
        "expected": "this",
        "found": "that",
        "fix": "do",
    }
