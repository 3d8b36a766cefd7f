"""The protections that `mutations.py` takes out are still where it looks for them."""

import pytest

from tests.security.mutations import PROJECT_ROOT, Mutation, mutations


@pytest.mark.parametrize("each", mutations(), ids=lambda each: each.kind)
def test_a_protection_is_in_its_file_once(each: Mutation) -> None:
    source = (PROJECT_ROOT / each.file).read_text("utf-8")
    assert source.count(each.text) == 1
    compile(source.replace(each.text, each.without), each.file, "exec")
