"""What a project keeps between analyses, and what an edit makes it forget."""

from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, Source
from nnreuse.tracing import construction
from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Instance, Value
from nnreuse.workspace import project
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.project import Project

BASE = "import torch.nn as nn\nclass Base(nn.Module):\n    def forward(self, x):\n        return {}\n"
HEIR = """import torch.nn as nn
from base import Base
class Net(Base):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)
"""


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are parsed as whole files from now on."""
    texts: list[str] = []
    real = FileIndex.of

    def counting(source: Source) -> FileIndex:
        texts.append(source.text)
        return real(source)

    monkeypatch.setattr(FileIndex, "of", staticmethod(counting))
    return texts


def counted(one: Project, path: Path, text: str) -> list[object]:
    one.admit(path, text)
    return [row["calls"] for row in one.facts(path)]


def test_a_file_that_was_imported_is_not_parsed_again_when_its_turn_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, heir = tmp_path / "base.py", tmp_path / "heir.py"
    base.write_text(BASE.format("self.a(x)"))
    texts = parsed(monkeypatch)
    one = Project(Settings())
    one.check(heir, HEIR)
    one.check(base, base.read_text())
    assert texts == [HEIR, base.read_text()]


def test_an_edited_base_changes_the_classes_of_other_files(tmp_path: Path) -> None:
    base, heir = tmp_path / "base.py", tmp_path / "heir.py"
    base.write_text(BASE.format("self.a(x)"))
    one = Project(Settings())
    assert counted(one, heir, HEIR) == [1]
    one.admit(base, BASE.format("self.a(self.a(x))"))
    assert counted(one, heir, HEIR) == [2]


def test_an_open_file_is_traced_once_and_a_checked_one_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced: list[str] = []
    real = project.trace
    monkeypatch.setattr(
        project, "trace", lambda program, cls, begun: traced.append(cls.name) or real(program, cls, begun)
    )
    one, path = Project(Settings()), tmp_path / "net.py"
    text = HEIR.replace("(Base)", "(nn.Module)").replace("from base import Base\n", "")
    index = FileIndex.of(Source(text))
    one.analyse(path, index)
    one.analyse(path, index)
    assert traced == ["Net"]
    one.release(path)
    one.check(path, text)
    one.check(path, text)
    assert traced == ["Net"] * 3


def places(analysis: Analysis) -> list[tuple[str, str, int, int]]:
    return [
        (one.rule, one.message, *(getattr(analysis.index.span(one.place), end) for end in ("start", "end")))
        for one in analysis.findings
    ]


DOCUMENTED = '''import torch.nn as nn
class Block(nn.Module):
    """A block."""
    def __init__(self):
        super().__init__()
        self.a = nn.BatchNorm2d(2)
    def forward(self, x):
        return self.a(self.a(x))
class Net(nn.Module):
    """A net."""
    class Inner(nn.Module):
        """Inside."""
        def __init__(self):
            super().__init__()
            self.b = nn.BatchNorm2d(2)
        def forward(self, x):
            return self.b(self.b(x))
    def __init__(self):
        super().__init__()
        self.block = Block()
    def forward(self, x):
        return self.block(x)
'''


@pytest.mark.parametrize(
    ("old", "new", "anew"),
    [
        ('"""A block."""', '"""A\n    long block."""', []),
        ('"""Inside."""', '"""Within."""', []),
        ('"""A net."""', '"""A net."""  # of blocks', []),
        ("return self.block(x)", "return self.block(x)  # now", ["Net"]),
        ("self.a(self.a(x))", "self.a(x)", ["Block"]),
        ("self.b(self.b(x))", "self.b(x)", ["Net.Inner"]),
        ("self.a = nn.BatchNorm2d(2)", "self.a = nn.BatchNorm2d(3)", ["Block"]),
        ("import torch.nn as nn", "import torch.nn as nn, math", []),
        ("import torch.nn as nn", "from torch import nn", ["Block", "Net", "Net.Inner"]),
        ("class Block(nn.Module)", "class Block(nn.ReLU)", ["Block", "Net"]),
    ],
)  # fmt: skip
def test_an_edit_traces_anew_the_classes_that_read_it_and_no_others(
    old: str, new: str, anew: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced: list[str] = []
    real = project.trace
    monkeypatch.setattr(
        project, "trace", lambda program, cls, begun: traced.append(cls.name) or real(program, cls, begun)
    )
    one, path = Project(Settings()), tmp_path / "net.py"
    source = Source(DOCUMENTED)
    index = FileIndex.of(source)
    one.analyse(path, index)
    traced.clear()
    revisions: list[tuple[Source, Analysis]] = []
    for before, after in ((old, new), (new, old)):
        at = source.text.index(before)
        source, change = source.edited(source.position(at), source.position(at + len(before)), after, Encoding.UTF32)
        index = index.updated(source, change)
        revisions.append((source, one.analyse(path, index)))
    assert sorted(set(traced)) == anew
    for text, edited in revisions:
        assert places(edited) == places(Project(Settings()).analyse(path, FileIndex.of(text))) != []


SHARED = """import torch.nn as nn
class Net{}(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)
    def forward(self, x):
        return self.a(self.a(x))
"""


def calls_of_last(one: Project, path: Path, text: str) -> int:
    return len(one.traces(one.file(path, FileIndex.of(Source(text))))[-1].calls)


def test_of_many_files_those_that_others_import_are_kept_and_the_rest_is_forgotten(tmp_path: Path) -> None:
    one = Project(Settings())
    base = tmp_path / "base.py"
    base.write_text(BASE.format("self.a(self.a(x))"))
    one.check(base, base.read_text())
    for number in range(300):
        path = tmp_path / f"net{number}.py"
        text = SHARED.format(number) + HEIR.partition("\n")[2]
        assert len(one.check(path, text).findings) == 1
        assert calls_of_last(one, path, text) == 2
        one.release(path)
    known = one.library.known(base)
    assert known is not None
    assert one.size[0] < 100
    assert len(one.classes(known)[0].heirs) < 100


def test_a_forgotten_file_is_read_again_when_it_is_imported_or_opened(tmp_path: Path) -> None:
    base, heir, again = (tmp_path / name for name in ("base.py", "heir.py", "net0.py"))
    base.write_text(BASE.format("self.a(self.a(x))"))
    one = Project(Settings())
    one.check(base, base.read_text())
    opened = one.analyse(again, FileIndex.of(Source(SHARED.format(0))))
    for number in range(1, 200):
        one.check(tmp_path / f"net{number}.py", SHARED.format(number))
    assert one.library.known(base) is None
    assert calls_of_last(one, heir, HEIR) == 2
    assert one.library.known(again) is not None, "nobody has released it"
    one.release(again)
    for number in range(1, 200):
        one.check(tmp_path / f"net{number}.py", SHARED.format(number))
    assert one.library.known(again) is None
    reopened = one.analyse(again, opened.index)
    assert [(f.message, f.place) for f in reopened.findings] == [(f.message, f.place) for f in opened.findings]


PROCESSED = """import torch.nn as nn
class Processor:
    def run(self, net, x):
        return net.a(net.a(x))
class Net(nn.Module):
    def __init__(self, process: Processor):
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.process = process
    def forward(self, x):
        return self.process(self, x)
"""


def test_a_class_that_becomes_callable_is_called_where_it_is_annotated(tmp_path: Path) -> None:
    one, path, source = Project(Settings()), tmp_path / "net.py", Source(PROCESSED)
    index = FileIndex.of(source)
    assert len(one.traces(one.file(path, index))[-1].calls) == 1  # of `process`, whatever it is
    at = source.text.index("run")
    source, change = source.edited(source.position(at), source.position(at + 3), "__call__", Encoding.UTF32)
    edited = one.file(path, index.updated(source, change))
    assert len(one.traces(edited)[-1].calls) == calls_of_last(Project(Settings()), path, source.text) == 2


_HELD = """import torch.nn as nn
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.{}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
    def forward(self, x):
        return self.block(self.block(x))
"""


def test_what_a_part_carries_is_not_worked_out_again_after_an_edit_of_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, path, text = Project(Settings()), tmp_path / "net.py", _HELD.format("Linear(2, 2)")
    run: list[str] = []
    real = construction.run_constructor

    def noting(m: Machine, made: Instance, positional: tuple[Value, ...], keywords: dict[str, Value]) -> None:
        run.append(made.cls.name if made.cls else "")
        real(m, made, positional, keywords)

    monkeypatch.setattr(construction, "run_constructor", noting)

    def analysed(text: str) -> list[str]:
        run.clear()
        analysis = one.analyse(path, one.index(path, text))
        made, found = list(run), sorted({finding.rule for finding in analysis.findings})
        one.prepare()
        return found + made

    assert analysed(text) == ["shared-parameters", "Block", "Net", "Block"]
    assert analysed(text.replace("(x))", "(x + 1))")) == ["shared-parameters"]
    assert analysed(text.replace("(x))", "(x + 2))")) == ["shared-parameters"]
    assert "shared-parameters" not in analysed(_HELD.format("ReLU()").replace("(x))", "(x + 2))"))


_PARTS = """import torch.nn as nn
from blocks import Inner
class One(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.a = Inner(width)
class Two(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.a = Inner(width)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = One({one})
        self.two = Two({two})
    def forward(self, x):
        {forward}
"""
_INNER = """import torch.nn as nn
class Inner(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a = {}
"""


@pytest.mark.parametrize(
    "edits",
    [
        # An answer from the trace before is untrue once what it was made from changes, also what others had asked first.
        [
            ("", "x = One()(x); x = self.two(self.two(x)); return x", "nn.BatchNorm1d(4)"),
            ("", "x = self.two(self.two(x)); return x", "nn.BatchNorm1d(4)"),
            ("", "x = self.two(self.two(x)); return x + 1", "nn.BatchNorm1d(4)"),
            ("", "x = self.two(self.two(x)); return x + 1", "nn.ReLU()"),
            ("", "x = self.two(self.two(x)); return x + 2", "nn.ReLU()"),
        ],
        [
            ("", "y = self.two.a.a; x = self.two(self.two(x)); return x", "nn.BatchNorm1d(4)"),
            ("", "y = self.two.a.a; x = self.two(self.two(x)); return x + 1", "nn.BatchNorm1d(4)"),
            ("", "y = self.two.a.a; x = self.two(self.two(x)); return x + 1", "nn.ReLU()"),
        ],
        # Sizes decide.
        [
            (
                "8",
                "x = self.one(self.one(x)); x = self.two(self.two(x)); return x",
                "nn.ReLU() if width > 4 else nn.PReLU()",
            ),
            (
                "8",
                "x = self.two(self.two(x)); x = self.one(self.one(x)); return x",
                "nn.ReLU() if width > 4 else nn.PReLU()",
            ),
            ("8", "x = self.two(self.two(x)); return x", "nn.ReLU() if width > 4 else nn.PReLU()"),
        ],
        # What forward adds is gone with its line.
        [
            ("", "nn.utils.weight_norm(self.two.a); x = self.two(self.two(x)); return x", "nn.ReLU()"),
            ("", "x = self.two(self.two(x)); return x", "nn.ReLU()"),
        ],
    ],
)
def test_what_parts_carry_is_after_each_edit_what_a_fresh_project_says(
    tmp_path: Path, edits: list[tuple[str, str, str]]
) -> None:
    kept, net, blocks = Project(Settings()), tmp_path / "net.py", tmp_path / "blocks.py"

    def analysed(one: Project, made: str, forward: str, inner: str) -> list[str]:
        one.analyse(blocks, one.index(blocks, _INNER.format(inner)))
        text = _PARTS.format(one=made, two="", forward=forward)
        return [finding.message for finding in one.analyse(net, one.index(net, text)).findings]

    for edit in edits:
        assert analysed(kept, *edit) == analysed(Project(Settings()), *edit)
        kept.prepare()
