"""Pages: a rule's documentation as a reader sees it, on the command line, on hover and on the web."""

import inspect
import re

from nnreuse.rules import registry

_MARKS = re.compile(r"^ *#[ ^-]*[\^-] *\n", re.MULTILINE)
"""What an example has under its code: `^^^` where the finding stands, `---` at the other calls of its instance."""


def url(rule: str) -> str:
    """Where a rule's page stands on the web."""
    return f"https://github.com/nnreuse/nnreuse/blob/main/docs/rules/{rule}.md"


def page(rule: str) -> str:
    """A rule's page in Markdown. Raises KeyError for a name that is no rule."""
    return f"# {rule}\n\n{_MARKS.sub('', inspect.cleandoc(registry.documentation(rule)))}\n"
