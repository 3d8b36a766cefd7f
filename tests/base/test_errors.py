from dagster_project.base.errors import BadInput


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


def test_a_message_is_one_line_that_can_be_printed_and_stored() -> None:
    hostile = "a\nREFUSED b\x1b[31m\udcff\u202e\x00"
    problem = BadInput("W", where=hostile, expected=hostile, found=hostile, fix="do")
    assert problem.where == "a\\nREFUSED b\\x1b[31m\\udcff\\u202e\\x00"
    assert str(problem).isprintable()
    str(problem).encode()


def test_a_message_quotes_no_megabytes() -> None:
    problem = BadInput("W", where="here", expected="this", found="x" * 3_000_000, fix="do")
    assert problem.found.endswith("… (3,000,000 characters)")
    assert len(str(problem)) < 30_000


def test_printable_text_is_left_as_it_is() -> None:
    text = r"知识产权 £ 'a' \n é"
    assert BadInput("W", where=text, expected="", found="", fix="").where == text
