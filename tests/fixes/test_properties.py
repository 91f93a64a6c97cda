"""Whatever the class looks like: a fix gives Python, changes nothing outside its edits, and does what it says."""

import ast

from fixing import Text, net
from hypothesis import given
from hypothesis import strategies as st

from nnreuse.fixes.comprehension import repeat_to_comprehension
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.fixes.naming import free_names
from nnreuse.fixes.split import split
from nnreuse.fixes.writing import Build

CONSTRUCTORS = st.sampled_from(
    [
        "nn.BatchNorm2d(64)",
        "Norm(\n    64,  # é𝄞\n)",
        "norm(int(dim * 2), **dd)",
        "nn.Sequential(A(), B('𝄞'))",
        "(nn.PReLU())",
    ]
)
STATEMENTS = st.sampled_from(
    [
        "self.conv = nn.Conv2d(3, 8, 3)  # bn",
        "nn.init.ones_(self.bn.weight)",
        "self.bn.eps = 1e-3  # small",
        "if deep:\n    nn.init.zeros_(\n        self.bn.bias,\n    )",
        "layers.append(self.bn)",
        "'''self.bn\n   in a string'''",
        "# self.bn alone",
        "self.a = [\n    self.bn,\n]",
        "for m in (self.bn, self.conv):\n    m.reset_parameters()",
        "print(f'{self.bn}')",
        "x = '\x0c'; y = 1",
    ]
)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def unchanged_outside(text: Text, build: Build) -> str | None:
    """The text after a fix, whose edits are in order, change something, and lie apart."""
    edits = Fix("", Applicability.UNSAFE, build).edits(text.index)
    if edits is None:
        return None
    ends = [0, *(edit.span.end for edit in edits)]
    assert all(edit.span.start >= end for edit, end in zip(edits, ends, strict=False))
    assert all(text.text[e.span.start : e.span.end] != e.content for e in edits)
    fixed = text.fixed(build)
    assert fixed is not None
    kept = [text.text[end : edit.span.start] for edit, end in zip(edits, ends, strict=False)] + [text.text[ends[-1] :]]
    assert fixed == "".join(
        part + content for part, content in zip(kept, [*(e.content for e in edits), ""], strict=True)
    )
    ast.parse(fixed)
    return fixed


@given(
    CONSTRUCTORS,
    st.lists(STATEMENTS, max_size=4),
    st.lists(STATEMENTS, max_size=4),
    LINE_ENDS,
    st.integers(2, 4),
    st.booleans(),
)
def test_split(made: str, above: list[str], below: list[str], ending: str, count: int, hook: bool) -> None:
    init = "\n".join(["pass", *above, f"self.bn = {made}", *below])
    text = Text(net(init, "\n".join(["x = self.bn(x)"] * count)).replace("\n", ending))
    names = ["bn", *free_names(text.cls(), "bn", count - 1, ())]
    [definition] = [place for place, _ in text.nodes() if place.text.startswith("self.bn =")]
    build = split(text.cls(), "bn", definition, text.calls("self.bn"), names, checkpoint=hook)
    fixed = unchanged_outside(text, build)
    assert fixed is not None
    after = Text(fixed)
    assert [len(after.calls(f"self.{name}")) for name in names] == [1] * count
    written = [definition.text.replace("self.bn", f"self.{name}", 1) for name in names]
    assert [len(after.places(statement)) for statement in written] == [1] * count
    for statement in ("nn.init.ones_(self.bn.weight)", "self.bn.eps = 1e-3"):
        expected = sum(line.startswith(statement) for line in above + below)
        assert [fixed.count(statement.replace("self.bn", f"self.{name}")) for name in names] == [expected] * count


@given(
    CONSTRUCTORS,
    st.sampled_from(["n", "(n - 1)", "len(\n    dims\n)", "self.n"]),
    LINE_ENDS,
    st.booleans(),
    st.booleans(),
)
def test_comprehension(made: str, number: str, ending: str, comma: bool, left: bool) -> None:
    display = f"[\n    {made}{',' if comma else ''}\n]"
    expression = f"{number} * {display}" if left else f"{display} * {number}"
    text = Text(net(f"self.x = f({expression}, é)").replace("\n", ending))
    place = next(p for p, node in text.nodes() if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult))
    if not left:
        place = max((p for p, n in text.nodes() if isinstance(n, ast.BinOp)), key=lambda p: p.span.end - p.span.start)
    fixed = unchanged_outside(text, repeat_to_comprehension(place))
    assert fixed is not None
    [loop] = [n for n in ast.walk(ast.parse(fixed)) if isinstance(n, ast.ListComp)]
    assert ast.dump(loop.elt) == ast.dump(ast.parse(f"({made})", mode="eval").body)
    assert ast.unparse(loop.generators[0].iter) == f"range({ast.unparse(ast.parse(number, mode='eval'))})"
