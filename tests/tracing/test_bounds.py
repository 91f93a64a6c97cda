"""Every bound ends in an unknown count, never in a count that is too small, and never in an exception."""

import pytest
from test_tracer import net
from traced import calls, facts

from nnreuse.tracing import conditions, lineage, machine, tracer

A = "self.a = nn.Linear(2, 2)"


def test_a_forward_of_too_many_steps_is_unknown() -> None:
    steps = "\n".join("x = x + 1" for _ in range(machine.FORWARD_STEPS // 3))
    assert calls(net(A, f"{steps}\nreturn self.a(x)")) == {"a": None}


def test_a_constructor_of_too_many_steps_leaves_counts_unknown() -> None:
    steps = "\n".join("y = 1 + 1" for _ in range(machine.CONSTRUCTOR_STEPS // 3))
    assert calls(net(f"{A}\nself.b = nn.ReLU()\n{steps}", "return self.a(x)"))["b"] is None


def test_a_function_that_takes_too_long_in_a_constructor_is_left_and_the_rest_goes_on() -> None:
    steps = "\n".join("    n = n + 1" for _ in range(machine.HELPER_STEPS * 4))
    helper = f"def count(n):\n{steps}\n    return n\n"
    row = facts(helper + net(f"n = count(0)\n{A}", "return self.a(self.a(x))"))["a"]
    assert (row["calls"], row["must"]) == (2, True)


def test_a_method_that_makes_no_module_for_long_is_left_and_the_rest_goes_on() -> None:
    steps = "\n".join("        n = n + 1" for _ in range(machine.IDLE_STEPS))
    method = f"    def count(self, n):\n{steps}\n        return n\n"
    row = facts(net(f"n = self.count(0)\n{A}", "return self.a(self.a(x))") + method)["a"]
    assert (row["calls"], row["must"]) == (2, True)


def test_a_method_inside_an_idle_one_leaves_it_half_of_what_is_left() -> None:
    steps = "\n".join("        n = n + 1" for _ in range(machine.IDLE_STEPS))
    count = f"    def count(self, n):\n{steps}\n        return n\n"
    build = "    def build(self):\n        self.count(0)\n        self.a = nn.Linear(2, 2)\n"
    assert calls(net("self.build()", "return self.a(self.a(x))") + build + count) == {"a": 2}


def test_what_a_method_makes_after_a_long_while_is_found_where_it_is_called() -> None:
    steps = "\n".join("        n = n + 1" for _ in range(machine.IDLE_STEPS))
    build = f"    def build(self, n):\n{steps}\n        self.a = nn.Linear(2, 2)\n"
    row = facts(net("self.b = nn.ReLU()\nself.build(0)", "return self.a(self.b(x))") + build)["a"]
    assert (row["calls"], row["type"]) == (1, "torch.nn.modules.linear.Linear")


def test_a_constructor_that_seems_to_make_nothing_is_run_to_its_end() -> None:
    steps = "\n".join("        n = n + 1" for _ in range(machine.IDLE_STEPS))
    build = f"    def build(self, n):\n{steps}\n        self.a = nn.Linear(2, 2)\n"
    assert calls(net("self.a = None\nself.build(0)", "return self.a(x)") + build) == {"a": 1}


def _patient(source: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a class is traced again, with its methods run to their ends."""
    made: list[bool] = []
    constructed = tracer._constructed
    monkeypatch.setattr(
        tracer, "_constructed", lambda *a, patient: made.append(patient) or constructed(*a, patient=patient)
    )
    facts(source)
    return any(made)


@pytest.mark.parametrize(
    ("leads", "patient"),
    [
        ("self.late()", True),
        ("getattr(self, 'late')()", True),
        ("getattr(self, name)()", True),
        ("finish(self)", True),
        ("print(self)", False),
    ],
)
def test_it_is_run_to_its_end_where_it_leads_to_what_is_missing(leads, patient, monkeypatch) -> None:
    steps = "\n".join("        n = n + 1" for _ in range(machine.IDLE_STEPS))
    methods = (
        f"    def build(self, n, name):\n{steps}\n        {leads}\n"
        "    def late(self):\n        self.a = nn.Linear(2, 2)\n"
    )
    helper = "def finish(net):\n    net.late()\n"
    source = helper + net("self.b = nn.ReLU()\nself.build(0, n)", "return self.a(self.b(x))") + methods
    assert _patient(source, monkeypatch) is patient


def test_a_block_whose_constructor_was_given_up_may_carry_anything() -> None:
    steps = "\n".join("        n = n + 1" for _ in range(machine.IDLE_STEPS))
    init = "    def __init__(self):\n        super().__init__()\n        self.build(0)\n"
    block = f"class Block(nn.Module):\n{init}    def build(self, n):\n{steps}\n        self.a = nn.Linear(2, 2)\n"
    row = facts(block + net("self.block = Block()", "return self.block(x)"))["block"]
    assert row["parameters"] is not False


def test_a_method_that_goes_on_making_modules_is_run_to_its_end() -> None:
    steps = "\n".join("        n = n + 1" for _ in range(machine.IDLE_STEPS // 6))
    made = "".join(f"{steps}\n        self.{name} = nn.Linear(2, 2)\n" for name in "abcdefgh")
    found = calls(net("self.build(0)", "return self.h(self.a(x))") + f"    def build(self, n):\n{made}")
    assert found == {**dict.fromkeys("bcdefg", 0), "a": 1, "h": 1}


def test_helpers_below_helpers_end_in_unknown() -> None:
    depth = machine.MAX_DEPTH + 2
    helpers = "".join(f"    def h{n}(self, x):\n        return self.h{n + 1}(x)\n" for n in range(depth))
    last = f"    def h{depth}(self, x):\n        return self.a(x)\n"
    assert calls(net(A, "return self.h0(x)") + helpers + last) == {"a": None}


def test_a_recursion_is_followed_twice() -> None:
    helper = "    def down(self, x, n):\n        x = self.a(x)\n        return self.down(x, n - 1) if n else x\n"
    assert calls(net(f"{A}\nself.b = nn.ReLU()", "return self.down(x, 3)") + helper) == {"a": 2, "b": 0}


def test_calls_past_the_most_are_unknown() -> None:
    forward = "\n".join("x = self.a(x)" for _ in range(lineage.MAX_CALLS)) + "\nreturn self.b(x)"
    assert calls(net(f"{A}\nself.b = nn.ReLU()", forward)) == {"a": 2, "b": None}


@pytest.mark.parametrize("number", [2 * machine.MAX_EXACT + 1, machine.MAX_ITEMS + 1])
def test_of_a_list_that_is_too_long_what_is_not_run_is_unknown(number: int) -> None:
    init = "\n".join(f"self.{chr(97 + n % 26)}{chr(97 + n // 26)} = nn.Linear(2, 2)" for n in range(number))
    names = ", ".join(f"self.{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(number))
    found = calls(net(init, f"for f in [{names}]:\n    x = f(x)\nreturn x"))
    assert set(found.values()) <= {1, None}


def test_a_list_that_statements_make_too_long_is_open() -> None:
    init = "self.m = nn.ModuleList()\n" + "\n".join(
        "self.m.append(nn.Linear(2, 2))" for _ in range(machine.MAX_ITEMS + 1)
    )
    found = calls(net(init, "return self.m[0](x) + self.m[-1](x)"))
    assert found["m.*"] in (1, None)


def test_more_alternatives_than_are_kept_apart_are_unknown() -> None:
    number = machine.MAX_OPTIONS + 1
    init = "\n".join(f"self.{chr(97 + n)} = nn.Linear(2, 2)" for n in range(number))
    arms = "\n".join(f"{'el' if n else ''}if mode == '{n}':\n    f = self.{chr(97 + n)}" for n in range(number))
    found = calls(net(init, f"{arms}\nreturn f(x)", arguments="x, mode"))
    assert set(found.values()) <= {1, None}


def test_more_tests_than_are_weighed_together_are_never_must() -> None:
    flags = [f"flag_{chr(97 + n)}" for n in range(conditions._MAX_ATOMS + 1)]
    forward = "\n".join(f"if {flag}:\n    x = self.a(x)" for flag in flags) + "\nreturn x"
    row = facts(net(A, forward, arguments=", ".join(["x", *flags])))["a"]
    assert (row["calls"], row["must"]) == (2, False)


def test_more_merges_than_are_kept_apart_are_united() -> None:
    merges = "\n".join("y = self.b(y) if flag else y" for _ in range(lineage.MAX_MERGES // 2))
    forward = f"y = self.a(x)\n{merges}\nreturn self.a(y)"
    assert facts(net(f"{A}\nself.b = nn.ReLU()", forward, arguments="x, flag"))["a"]["relation"] == "chained"


def test_a_counting_loop_that_runs_too_often_leaves_counts_unknown() -> None:
    forward = "k = 0\nwhile k < 100:\n    k += 1\n    if k == 50:\n        x = self.a(x)\nreturn x"
    assert calls(net(A, forward)) == {"a": None}


def test_blocks_in_blocks_end_in_unknown_weight() -> None:
    blocks = (
        "class B0(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(2, 2)\n"
    )
    for n in range(1, 12):
        blocks += f"class B{n}(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.b = B{n - 1}()\n"
    row = facts(blocks + net("self.b = B11()", "return self.b(x)"))["b"]
    assert (row["calls"], row["parameters"]) == (1, None)


def test_more_methods_than_are_run_leave_counts_unknown() -> None:
    methods = "".join(f"    def m{n}(self, x):\n        return x\n" for n in range(tracer.MAX_ENTRIES))
    text = f"class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {A}\n{methods}"
    assert calls(text + "    def last(self, x):\n        return self.a(x)\n") == {"a": None}


def test_one_of_several_entry_points_that_takes_more_than_its_share_is_unknown() -> None:
    def entry(name: str) -> str:
        steps = "".join("        x = x + 1\n" for _ in range(machine.FORWARD_STEPS // 6))
        return f"    def {name}(self, x):\n{steps}        return self.a(x)\n"

    source = net(A, "pass").replace("def forward", "def encode")
    assert calls(source + entry("decode")) == {"a": None}
    assert calls(net(A, "pass").replace("    def forward(self, x):\n        pass\n", entry("decode"))) == {"a": 1}
