"""Recurrent state kept with its graph: found where it comes back; detached in the shape that each module returns."""

import pytest
import torch
from judging import HEADER, fixed, said

RULE = "kept-hidden-state"


def net(made: str, forward: str, rest: str = "") -> str:
    body = forward.replace("\n", "\n        ")
    return (
        f"\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.rnn = {made}\n"
        f"        self.state = None\n\n    def forward(self, x):\n        {body}\n        return y\n{rest}"
    )


KEPT = {
    "same statement": ("nn.GRU(2, 2)", "y, self.state = self.rnn(x, self.state)"),
    "keyword": ("nn.RNN(2, 2)", "y, self.state = self.rnn(x, hx=self.state)"),
    "LSTM": ("nn.LSTM(2, 2)", "y, self.state = self.rnn(x, self.state)"),
    "by a local": ("nn.LSTM(2, 2)", "h = self.state\ny, h = self.rnn(x, h)\nself.state = h"),
    "two locals": ("nn.LSTM(2, 2)", "y, (h, c) = self.rnn(x, self.state)\nself.state = (h, c)"),
    "cell": ("nn.GRUCell(2, 2)", "y = self.rnn(x[0], self.state)\nself.state = y"),
    "LSTM cell": ("nn.LSTMCell(2, 2)", "h, c = self.rnn(x[0], self.state)\nself.state = (h, c)\ny = h"),
}


@pytest.mark.parametrize("form", KEPT)
def test_state_that_comes_back_is_worth_a_look(form: str) -> None:
    assert said(RULE, net(*KEPT[form])) == [("self.state", "information")]


@pytest.mark.parametrize("form", KEPT)
def test_detached_state_lets_torch_go_backward_at_every_call(form: str) -> None:
    before = net(*KEPT[form])
    after = fixed(RULE, before)
    assert after is not None
    outputs: list[torch.Tensor] = []
    for text in (before, after):
        scope: dict[str, object] = {}
        exec(HEADER + text, scope)
        torch.manual_seed(0)
        model = scope["Net"]()  # type: ignore[operator]
        model(torch.ones(3, 1, 2)).sum().backward()
        outputs.append(model(torch.ones(3, 1, 2)))
    assert torch.equal(*outputs)
    outputs[1].sum().backward()


@pytest.mark.parametrize(
    ("made", "forward", "rest"),
    [
        ("nn.GRU(2, 2)", "y, h = self.rnn(x, self.state)", ""),
        ("nn.GRU(2, 2)", "y, self.state = self.rnn(x)", ""),
        ("nn.GRU(2, 2)", "y, self.state = self.rnn(x, self.state)\nself.state = self.state.detach()", ""),
        (
            "nn.GRU(2, 2)",
            "y, h = self.rnn(x, self.state)\nself.state = cut(h)",
            "\ndef cut(h):\n    return h.detach()\n",
        ),
        ("nn.GRU(2, 2)", "with torch.no_grad():\n    y, self.state = self.rnn(x, self.state)", ""),
        ("nn.Linear(2, 2)", "self.state = y = self.rnn(x)", ""),
    ],
)
def test_state_that_does_not_come_back_or_is_cut_off_is_silent(made: str, forward: str, rest: str) -> None:
    assert said(RULE, net(made, forward, rest)) == []


@pytest.mark.parametrize(
    ("made", "forward"),
    [
        ("nn.LSTM(2, 2)", "y, h = self.rnn(x, self.state)\nself.state = [h]"),
        ("nn.LSTMCell(2, 2)", "self.state = self.rnn(x[0], self.state)\ny = self.state[0]"),
        ("nn.GRUCell(2, 2)", "for t in x:\n    y = self.rnn(t, self.state)\n    self.state = y"),
    ],
)
def test_no_fix_where_it_is_not_plain_what_is_stored_or_this_call_needs_the_graph(made: str, forward: str) -> None:
    assert fixed(RULE, net(made, forward)) is None


HELPERS = """
    def restart(self, n):
        zero = torch.zeros(1, n, 2)
        self.state = zero

    def fresh(self, n):
        return torch.zeros(1, n, 2)
"""
CALL = "\ny, self.state = self.rnn(x, self.state)"


@pytest.mark.parametrize(
    "reset",
    [
        "self.state = torch.zeros(1, x.shape[1], 2)",
        "self.state = None",
        "self.state = self.fresh(x.shape[1])",
        "self.restart(x.shape[1])",
        "if x.shape[1] > 1:\n    self.state = self.fresh(x.shape[1])\nelse:\n    self.restart(1)",
    ],
)
def test_a_state_that_each_call_begins_anew_is_not_kept(reset: str) -> None:
    assert said(RULE, net("nn.GRU(2, 2)", reset + CALL, HELPERS)) == []


@pytest.mark.parametrize(
    "reset",
    [
        "if self.state is None:\n    self.state = self.fresh(x.shape[1])",
        "if self.state is None:\n    self.restart(x.shape[1])",
        "if x.shape[1] > 1:\n    self.state = self.fresh(x.shape[1])",
        "self.state = self.state.to(x.device)",
        "self.state = tuple(part.to(x.device) for part in self.state)",
    ],
)
def test_a_state_that_only_some_calls_begin_anew_is_kept(reset: str) -> None:
    found = said(RULE, net("nn.GRU(2, 2)", reset + CALL, HELPERS))
    assert [severity for _, severity in found] == ["information"]
