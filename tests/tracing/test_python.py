"""Python as models use it: wrapped methods, dataclasses, generators, attributes that come later."""

import pytest
from traced import calls, facts


def test_a_method_wrapped_by_a_function_of_the_file_is_that_wrapper() -> None:
    row = facts("""
from functools import wraps
def once(key):
    def decorate(function):
        @wraps(function)
        def wrapper(self, *args, **kwargs):
            made = getattr(self, key)
            if made is not None:
                return made
            made = function(self, *args, **kwargs)
            setattr(self, key, made)
            return made
        return wrapper
    return decorate
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = None
    @once("head")
    def _head(self):
        return nn.Linear(2, 2)
    def forward(self, x, y):
        head = self._head()
        return head(x), head(y)
""")["head"]
    assert (row["calls"], row["relation"], row["type"]) == (2, "parallel", "torch.nn.modules.linear.Linear")


def test_a_list_that_a_generator_extends_grows_while_it_is_read() -> None:
    body = (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.m = nn.MaxPool2d(5)\n"
    )
    body += "    def forward(self, x):\n        y = [x]\n        y.extend(self.m(y[-1]) for _ in range(3))\n        return y\n"
    assert facts(body)["m"]["relation"] == "chained"
    assert (
        facts(body.replace("(self.m(y[-1]) for _ in range(3))", "([self.m(y[-1]) for _ in range(3)])"))["m"]["relation"]
        == "parallel"
    )


def test_asking_for_an_attribute_hands_nothing_to_unknown_code() -> None:
    body = (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(1, 1)\n"
    )
    body += "    def forward(self, x):\n        if hasattr(self, 'extra'):\n            return x\n        return self.a(x)\n"
    assert calls(body) == {"a": 1}


def test_fields_of_a_dataclass_are_what_its_constructor_was_given() -> None:
    rows = facts("""
from dataclasses import dataclass
@dataclass
class Base:
    width: int
    block: type = nn.Linear
@dataclass
class Config(Base):
    depth: int = 2
    def __init__(self, width, depth):
        super().__init__(width, nn.Conv2d)
        self.depth = depth
def build(config):
    return config.block(config.width, config.width)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = build(Base(3))
        self.b = build(Config(3, 2))
        self.c = build(Base(3, block=nn.LSTM))
    def forward(self, x):
        return self.a(self.b(self.c(x)))
""")
    kinds = [str(rows[name]["type"]).rsplit(".", 1)[-1] for name in "abc"]
    assert kinds == ["Linear", "Conv2d", "LSTM"]


def test_what_is_set_on_a_block_after_its_constructor_stays() -> None:
    rows = facts("""
class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.mask = None
    def forward(self, x):
        return self.mask(x)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = Head()
        self.head.mask = nn.BatchNorm2d(3)
    def forward(self, x):
        return self.head(x)
""")
    assert (rows["head"]["parameters"], rows["head"]["running_stats"]) == (True, True)


def test_a_block_that_calls_what_it_was_given_carries_we_do_not_know_what() -> None:
    rows = facts("""
class Wrapper(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net
    def forward(self, x):
        return self.net(x)
class Net(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.a = Wrapper(net)
        self.b = Wrapper(nn.Linear(1, 1))
    def forward(self, x):
        return self.b(self.a(x))
""")
    assert (rows["a"]["parameters"], rows["b"]["parameters"]) == (None, True)


def test_the_same_unknown_number_is_equal_to_itself_and_to_itself_times_one() -> None:
    rows = facts("""
class Net(nn.Module):
    def __init__(self, width: int, ratio=1.0):
        super().__init__()
        hidden = int(width * 1.0)
        self.a = nn.Conv2d(width, hidden, 1) if hidden != width else nn.Identity()
    def forward(self, x):
        return self.a(x)
""")
    assert rows["a"]["type"] == "torch.nn.modules.linear.Identity"


def test_blocks_past_the_bound_of_a_trace_are_not_looked_into_and_carry_we_do_not_know_what() -> None:
    blocks = "".join(
        f"class B{n}(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.a = [k * i for i in range(12) for k in range(12)]\n"
        f"        self.n = nn.Linear(1, 1)\n    def forward(self, x):\n        return self.n(x)\n"
        for n in range(90)
    )
    made = "".join(f"        self.b{n} = B{n}()\n        self.c{n} = self.b{n}.n\n" for n in range(90))
    rows = facts(f"{blocks}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{made}")
    assert rows["b0"]["parameters"] is True
    assert "c0" in rows
    assert "c89" not in rows


def test_the_modules_of_a_class_include_what_either_arm_of_a_branch_made() -> None:
    assert calls("""
class Net(nn.Module):
    def __init__(self, flag=False):
        super().__init__()
        if flag:
            self.a = nn.Linear(2, 2)
        else:
            self.a = nn.Linear(2, 3)
    def forward(self, x):
        return self._modules["a"](x)
""") == {"a": 1}


@pytest.mark.parametrize("second", ["None", "nn.ReLU()"])
def test_filter_keeps_what_its_function_says(second: str) -> None:
    found = facts(
        f"""
        def exists(value):
            return value is not None
        def sequential(*modules):
            return nn.Sequential(*filter(exists, modules))
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = sequential(nn.Linear(2, 2), {second}, nn.Dropout(0.1))
                self.one = sequential({second}, nn.PReLU())
            def forward(self, x):
                return self.one(self.layers(x))
        """
    )
    assert found["layers"]["parameters"] is True
    assert found["layers"]["running_stats"] is False
    assert found["one.*"]["calls"] == 1


def test_filter_by_something_unknown_may_keep_each() -> None:
    found = facts(
        """
        class Net(nn.Module):
            def __init__(self, wanted):
                super().__init__()
                self.layers = nn.ModuleList(filter(wanted, [nn.Linear(2, 2)]))
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
        """
    )
    assert found["layers.*"]["must"] is False
