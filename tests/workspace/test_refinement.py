"""What our own index leaves open is inferred by jedi, in a process of its own; and both agree on what an import means."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nnreuse
from nnreuse.config.settings import Settings
from nnreuse.types.meaning import External, ModuleClass
from nnreuse.types.questions import NameQuestion, Question
from nnreuse.workspace import refinement
from nnreuse.workspace.environment import Environment
from nnreuse.workspace.project import Project
from nnreuse.workspace.refinement import Inference, snapshot


@pytest.fixture(scope="module")
def inference() -> Iterator[Inference]:
    one = Inference()
    yield one
    one.close()


def project(*packages: Path) -> Project:
    return Project(Settings(), Environment(Path(sys.executable), packages, False))


BLOCK = (
    "from torch import nn\nclass {}(nn.Module):\n"
    "    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(2, 2)\n"
)
SHAPES = {
    "shapes/__init__.py": (
        "from .base import Base as Renamed\nfrom . import deep\nfrom .deep import *\nimport shapes.base as whole\n"
        "from torch import nn\nfrom torch.nn import Conv2d as Convolution\nAlias = Renamed\nchained = whole.Base\n"
        "try:\n    from missing_package import Fast\nexcept ImportError:\n    from .base import Slow as Fast\n"
        "if True:\n    from .base import Slow as Conditional\n"
    ),
    "shapes/base.py": BLOCK.format("Base")
    + "class Slow(Base): pass\nclass Outer(nn.Module):\n    class Inner(nn.Module): pass\n",
    "shapes/deep/__init__.py": "from ..base import Base as Relative\nfrom .deeper import *\n__all__ = ['Relative', 'Deepest']\n",
    "shapes/deep/deeper.py": "from ...shapes.base import Slow\n" + BLOCK.format("Deepest"),
    "shapes/one.py": "from .two import Two\n" + BLOCK.format("One"),
    "shapes/two.py": "from .one import One\nclass Two(One): pass\n",
}
MEANT = {
    "shapes.base.Base": "shapes.base.Base",
    "shapes.Renamed": "shapes.base.Base",
    "shapes.Alias": "shapes.base.Base",
    "shapes.chained": "shapes.base.Base",
    "shapes.whole.Slow": "shapes.base.Slow",
    "shapes.deep.Relative": "shapes.base.Base",
    "shapes.Relative": "shapes.base.Base",
    "shapes.Deepest": "shapes.deep.deeper.Deepest",
    "shapes.deep.deeper.Deepest": "shapes.deep.deeper.Deepest",
    "shapes.base.Outer.Inner": "shapes.base.Outer.Inner",
    "shapes.Conditional": "shapes.base.Slow",
    "shapes.Fast": "shapes.base.Slow",
    "shapes.one.Two": "shapes.two.Two",
    "shapes.two.One": "shapes.one.One",
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    for name, text in SHAPES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("...shapes", "shapes"))
    return folder


@pytest.mark.parametrize("dotted", MEANT)
def test_our_index_and_jedi_agree_on_what_an_import_means(shapes: Path, inference: Inference, dotted: str):
    meaning = project(shapes).program.follow(dotted)
    asked: dict[Question, None] = {NameQuestion(dotted): None}
    [(_, inferred)] = inference.answers(snapshot(dict(asked), [shapes]))
    ours = meaning.qualified if isinstance(meaning, ModuleClass) else meaning
    if dotted == "shapes.Fast":  # where it is conditional which one it is, jedi may leave it open
        assert inferred in (None, MEANT[dotted])
    else:
        assert inferred == MEANT[dotted]
    assert ours == MEANT[dotted] or isinstance(ours, External)


MODEL = """
from torch import nn
from lib import Block, made, Table, lazy

class Declared(nn.Module):
    def __init__(self, block: Block, act: nn.PReLU, bare, module: nn.Module):
        super().__init__()
        self.block = block
        self.act = act
        self.bare = bare
        self.module = module
        self.made = made("block")
        self.either = made("block") if bare else nn.Identity()

    def forward(self, x):
        x = self.act(self.block(x))
        x = self.act(self.block(x))
        return self.bare(self.module(self.made(self.either(x))))

Base = Table["block"]

class Named(Base):
    def forward(self, x):
        return self.fc(self.fc(x))

class Late(lazy.Thing):
    def forward(self, x):
        return self.fc(x)
"""
LIB = {
    "lib/__init__.py": BLOCK.format("Block") + "from . import lazy\nTable = {'block': Block}\n"
    "def made(name) -> Block:\n    return globals()[name]()\n",
    "lib/lazy.py": "import lib\ndef __getattr__(name):\n    return lib.Block\n",
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name, text in LIB.items():
        file = tmp_path / "site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    file = tmp_path / "src" / "model.py"
    file.parent.mkdir()
    file.write_text(MODEL)
    return file


def facts(one: Project, path: Path) -> list[dict[str, object]]:
    one.admit(path, MODEL)
    return one.facts(path)


def types(rows: list[dict[str, object]], cls: str) -> dict[object, object]:
    return {row["attribute"]: row["type"] for row in rows if row["class"] == cls}


def test_what_is_declared_or_returned_is_inferred_and_what_has_alternatives_is_not(model: Path, tmp_path: Path):
    rows = facts(project(tmp_path / "site"), model)
    assert types(rows, "Declared") == {
        "block": "lib.Block",
        "act": "torch.nn.modules.activation.PReLU",
        "made": "lib.Block",
        "bare": None,
        "module": None,
        "either": "torch.nn.modules.linear.Identity",
    }
    carried = {row["attribute"]: row["parameters"] for row in rows if row["class"] == "Declared"}
    assert (carried["block"], carried["act"], carried["module"], carried["bare"]) == (True, True, None, None)


def test_bases_that_are_values_or_made_on_demand_are_inferred(model: Path, tmp_path: Path):
    rows = facts(project(tmp_path / "site"), model)
    assert types(rows, "Named") == {"fc": "torch.nn.modules.linear.Linear"}
    assert types(rows, "Late") == {"fc": "torch.nn.modules.linear.Linear"}


def test_a_finding_can_rest_on_what_was_inferred(model: Path, tmp_path: Path):
    with_answers = {f.attribute for f in project(tmp_path / "site").check(model, MODEL).findings}
    without = {f.attribute for f in Project(Settings()).check(model, MODEL).findings}
    assert with_answers - without == {"block", "fc"}


def test_the_first_answer_does_not_wait_and_an_answer_changes_only_what_asked(model: Path, tmp_path: Path):
    one = project(tmp_path / "site")
    file = one.file(model, one.index(model, MODEL))
    before = {trace.cls.name: trace for trace in one.traces(file)}
    asked = [question for question, _ in one.open_questions()]
    assert asked
    assert not one.open_questions()
    made = next(q for q in asked if getattr(q, "attribute", "") == "made")
    one.learn(made, None)
    assert one.traces(file)[0] is before["Declared"]
    one.learn(made, "lib.Block")
    after = {trace.cls.name: trace for trace in one.traces(file)}
    assert after["Declared"] is not before["Declared"]
    assert after["Declared"].held["made"][0].type_name == "lib.Block"
    assert all(after[name] is trace for name, trace in before.items() if name != "Declared")


def test_an_answer_holds_while_the_texts_that_decide_it_do(model: Path, tmp_path: Path):
    one = project(tmp_path / "site")

    def questions(text: str) -> set[Question]:
        one.analyse(model, one.index(model, text))
        return {question for question, _ in one.open_questions()}

    for question in questions(MODEL):
        one.learn(question, None)
    assert not questions(MODEL.replace("return self.fc(x)", "y = self.fc(x)\n        return y"))
    assert not questions("# a comment above\n" + MODEL)
    assert {getattr(q, "attribute", None) for q in questions(MODEL.replace('made("block")\n', 'made("other")\n'))} == {
        "made"
    }


def test_an_inference_that_dies_is_no_error(monkeypatch: pytest.MonkeyPatch, shapes: Path):
    one = Inference()
    monkeypatch.setattr(refinement.sys, "executable", str(shapes / "no-python"))
    asked: dict[Question, None] = {NameQuestion(dotted): None for dotted in MEANT}
    assert {answer for _, answer in one.answers(snapshot(dict(asked), [shapes]))} == {None}


def test_nothing_of_the_users_is_imported_by_inferring(tmp_path: Path, inference: Inference):
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Here: pass\n")
    shutil.copy(tmp_path / "evil" / "__init__.py", tmp_path / "sitecustomize.py")
    asked: dict[Question, None] = {NameQuestion("evil.Here"): None}
    assert [answer for _, answer in inference.answers(snapshot(dict(asked), [tmp_path]))] == ["evil.Here"]
    assert not (tmp_path / "ran").exists()


def test_jedi_is_not_loaded_where_nothing_is_asked():
    code = "import sys, nnreuse.cli.check, nnreuse.workspace.project; print({'jedi', 'parso'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(nnreuse.__file__).parents[1], capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()"
