"""Plain functions that constructors call are run once for equal arguments, and what is remembered changes no fact."""

import textwrap
from pathlib import Path

import pytest
from traced import HEADER

from nnreuse.config.settings import Settings
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.tracing import calls as calling
from nnreuse.tracing.trace import Trace
from nnreuse.types.reads import Named
from nnreuse.workspace.project import Project

PATH = Path("model.py")


def traces(body: str, project: Project | None = None) -> list[Trace]:
    project = project or Project(Settings())
    return project.traces(project.file(PATH, FileIndex.of(Source(HEADER + textwrap.dedent(body)))))


def net(name: str, *init: str, forward: str = "return self.a(x)") -> str:
    """A class whose constructor makes these statements."""
    lines = "\n".join(f"        {line}" for line in ("super().__init__()", *init))
    return f"\nclass {name}(nn.Module):\n    def __init__(self, n=None):\n{lines}\n    def forward(self, x):\n        {forward}\n"


def counts(one: Trace) -> dict[str, int]:
    return {name: len(one.calls_of(held[0])) for name, held in one.held.items()}


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions whose bodies are run."""
    names: list[str] = []
    original = calling._run  # pyright: ignore[reportPrivateUsage]

    def run(m, f, callee):  # type: ignore[no-untyped-def]
        names.append(getattr(callee.node, "name", "<lambda>"))
        return original(m, f, callee)

    monkeypatch.setattr(calling, "_run", run)
    return names


def test_a_function_is_run_once_for_all_classes_that_give_it_equal_arguments(entered: list[str]) -> None:
    helper = "def pad(k):\n    return k // 2\n"
    first, second = traces(
        helper + net("A", "self.a = nn.Linear(pad(3), 2)") + net("B", "self.a = nn.Linear(pad(3), 2)")
    )
    assert entered.count("pad") == 1
    assert counts(first) == counts(second) == {"a": 1}


def test_other_arguments_have_an_answer_of_their_own() -> None:
    helper = "def pick(deep):\n    return nn.BatchNorm1d if deep else nn.Linear\n"
    inits = ("self.a = pick(True)(2)", "self.a = pick(False)(2, 2)", "self.a = pick(1.0)(2)", "self.a = pick(0)(2, 2)")
    found = traces(helper + "".join(net(f"N{i}", init) for i, init in enumerate(inits)))
    kinds = [one.held["a"][0].type_name.rsplit(".", 1)[-1] for one in found]  # type: ignore[union-attr]
    assert kinds == ["BatchNorm1d", "Linear", "BatchNorm1d", "Linear"]


def test_a_function_that_makes_modules_makes_new_ones_each_time(entered: list[str]) -> None:
    helper = "def make(n):\n    return nn.Linear(n, n)\n"
    (one,) = traces(helper + net("A", "self.a, self.b = make(2), make(2)"))
    assert entered.count("make") == 2
    assert one.held["a"][0] is not one.held["b"][0]


def test_a_function_that_changes_its_argument_changes_each() -> None:
    helper = "def fill(into, kind):\n    into.append(kind)\n    return 1\n"
    init = "one, two = [], []; fill(one, nn.ReLU); fill(two, nn.ReLU); self.a, self.b = one[0](), two[0]()"
    (one,) = traces(helper + net("A", init))
    assert [one.held[name][0].type_name for name in "ab"] == [one.held["a"][0].type_name] * 2
    assert one.held["a"][0].type_name == "torch.nn.modules.activation.ReLU"


def test_a_returned_list_is_another_list_each_time() -> None:
    helper = "def kinds(n):\n    return [nn.Linear] * n\n"
    init = "one, two = kinds(2), kinds(2); one[0] = nn.Identity; self.a, self.b = one[0](2, 2), two[0](2, 2)"
    (one,) = traces(helper + net("A", init))
    assert one.held["a"][0].type_name != one.held["b"][0].type_name


def test_equal_unknown_arguments_give_answers_that_know_of_each_other() -> None:
    """What an unknown argument decides in one answer, it decides in another: both arms exclude each other."""
    helper = "def deep(n):\n    return n.depth > 3\n"
    forward = "if self.first:\n            x = self.a(x)\n        if not self.second:\n            x = self.a(x)\n        return x"
    source = net("A", "self.a = nn.Linear(2, 2)", "self.first = deep(n)", "self.second = deep(n)", forward=forward)
    (one,) = traces(helper + source)
    first, second = one.calls_of(one.held["a"][0])
    assert {literal.subject for literal in first.path.literals} == {literal.subject for literal in second.path.literals}


def test_what_is_remembered_is_charged_its_steps_again() -> None:
    """A constructor out of bounds is so whether or not another class ran its functions before."""
    steps = "\n".join("    n = n + 1" for _ in range(150))
    helper = f"def count(n):\n{steps}\n    return n\n"
    long = "self.a = nn.ReLU()\n" + "\n".join("        n = count(1)" for _ in range(300))
    first, second = traces(helper + net("A", long) + net("B", long))
    assert not first.complete
    assert (first.complete, counts(first)) == (second.complete, counts(second))


def test_a_changed_function_is_run_anew() -> None:
    project = Project(Settings())
    helper = "def pick():\n    return nn.Linear\n"
    (before,) = traces(helper + net("A", "self.a = pick()(2, 2)"), project)
    (after,) = traces(helper.replace("nn.Linear", "nn.Identity") + net("A", "self.a = pick()(2, 2)"), project)
    assert [one.held["a"][0].type_name.rsplit(".", 1)[-1] for one in (before, after)] == ["Linear", "Identity"]  # type: ignore[union-attr]


def test_a_class_that_an_answer_names_is_the_one_of_today() -> None:
    project = Project(Settings())
    block = net("Block", "self.a = nn.Linear(2, 2)")
    helper = "def pick():\n    return Block\n"
    source = block + helper + net("A", "self.a = pick()()")
    traces(source, project)
    after = traces(source.replace("nn.Linear(2, 2)", "nn.Identity()"), project)[-1]
    assert after.carries(after.held["a"][0]).parameters is False


def test_what_a_function_reads_is_read_by_all_that_recall_it() -> None:
    """So an edit of the file it stands in makes every trace anew that came by its answer."""
    helper = "def pad(k):\n    return k // 2\n"
    found = traces(helper + net("A", "self.a = nn.Linear(pad(3), 2)") + net("B", "self.a = nn.Linear(pad(3), 2)"))
    assert all(Named(str(PATH.absolute()), "pad") in one.read for one in found)


def test_a_function_that_writes_only_to_what_it_makes_is_run_once(entered: list[str]) -> None:
    helper = "class Box:\n    pass\n\n\ndef pick(n):\n    box = Box()\n    box.width = n * 2\n    return box.width\n"
    found = traces(helper + net("A", "self.a = nn.Linear(pick(3), 2)") + net("B", "self.a = nn.Linear(pick(3), 2)"))
    assert [one.held["a"][0].positional[0].value for one in found] == [6, 6]  # type: ignore[union-attr]
    assert entered.count("pick") == 1


def test_a_function_that_writes_to_what_others_hold_is_run_each_time(entered: list[str]) -> None:
    box = "class Box:\n    def __init__(self):\n        self.width = 1\n\n\nBOX = Box()\n"
    helper = box + "\n\ndef fill(n):\n    BOX.width = n\n    return n\n"
    init = "fill(3)", "self.a = nn.Linear(BOX.width, 2)"
    found = traces(helper + net("A", *init) + net("B", *init))
    assert [one.held["a"][0].positional[0].value for one in found] == [3, 3]  # type: ignore[union-attr]
    assert entered.count("fill") == 2


def test_the_answer_of_a_lambda_argument_is_not_mistaken_for_another() -> None:
    helper = "def call(make):\n    return make()\n"
    found = traces(
        helper + net("A", "self.a = call(lambda: nn.Linear(2, 2))") + net("B", "self.a = call(lambda: nn.ReLU())")
    )
    assert found[0].held["a"][0].type_name != found[1].held["a"][0].type_name


def test_a_function_that_fills_a_table_inside_a_table_fills_it_each_time() -> None:
    helper = 'TABLE = {"kinds": {}}\ndef add(kind):\n    TABLE["kinds"]["k"] = kind\n    return 1\n'
    init = 'self.a = TABLE["kinds"]["k"](2, 2)'
    found = traces(helper + net("A", "add(nn.Linear)", init) + net("B", "add(nn.Linear)", init))
    assert len({one.held["a"][0].type_name for one in found}) == 1


def test_answers_of_functions_that_are_edited_are_not_kept() -> None:
    project, path = Project(Settings()), Path("model.py").absolute()
    text = HEADER + (
        "def width(n):\n    return n * 2\n\n\nclass Net(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
        "        self.a = nn.Linear(width(3), width(n))\n\n    def forward(self, x):\n        return self.a(x)\n"
    )
    kept = []
    for number in range(6):
        project.analyse(path, FileIndex.of(Source(text.replace("n * 2", f"n * {number}"))))
        kept.append(len(project.program.recalled))
    assert kept[0] > 0
    assert len(set(kept)) == 1
