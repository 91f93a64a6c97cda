"""The pages in docs/rules are what the rules' docstrings say; `make docs` writes them."""

from pathlib import Path

import pytest

from nnreuse.rules import pages, registry

PAGES = Path(__file__).parent.parent / "docs" / "rules"


def test_every_rule_has_a_page_and_no_page_is_left_over():
    assert sorted(page.name for page in PAGES.iterdir()) == [f"{name}.md" for name in registry.names()]


@pytest.mark.parametrize("rule", registry.names())
def test_page_is_fresh(rule: str):
    assert (PAGES / f"{rule}.md").read_bytes().decode() == pages.page(rule), "stale: run `make docs`"
