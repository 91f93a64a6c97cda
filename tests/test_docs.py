"""The pages in docs/rules are what the rules' docstrings say, and the schema what the settings are; `make docs` writes both."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from nnreuse.cli.schema import text
from nnreuse.config import schema
from nnreuse.config.editor import Editor
from nnreuse.rules import pages, registry

DOCS = Path(__file__).parent.parent / "docs"
PAGES = DOCS / "rules"


def test_every_rule_has_a_page_and_no_page_is_left_over():
    assert sorted(page.name for page in PAGES.iterdir()) == [f"{name}.md" for name in registry.names()]


@pytest.mark.parametrize("rule", registry.names())
def test_page_is_fresh(rule: str):
    assert (PAGES / f"{rule}.md").read_bytes().decode() == pages.page(rule), "stale: run `make docs`"


def test_the_schema_is_fresh():
    assert (DOCS / "nnreuse.schema.json").read_text() == text(), (
        "stale: run `nnreuse schema > docs/nnreuse.schema.json`"
    )


def test_every_setting_is_described():
    described = re.findall(r"^\| `(\w+)` \|", (DOCS / "settings.md").read_text(), re.MULTILINE)
    assert sorted(described) == sorted(schema.of_client())
    assert {one.name for one in fields(Editor)} <= {re.sub("([A-Z])", r"_\1", key).lower() for key in described}
