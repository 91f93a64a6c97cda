"""A reuse whose instance is named for one of its results is a slip; heads and encoders named for all of them are not."""

import textwrap

import pytest
from judging import said

NET = """
class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        {definitions}

    def forward(self, x, y):
{forward}
"""


def reported(names: str, forward: str) -> set[str]:
    definitions = "; ".join(f"self.{name} = nn.Linear(d, d)" for name in names.split())
    body = textwrap.indent(textwrap.dedent(forward).strip(), " " * 8)
    return {severity for _, severity in said("shared-parameters", NET.format(definitions=definitions, forward=body))}


@pytest.mark.parametrize(
    ("names", "forward"),
    [
        ("q_proj v_proj", "q = self.q_proj(x)\nk = self.q_proj(y)\nreturn q @ k @ self.v_proj(x)"),
        ("q_proj", "query_states = self.q_proj(x)\nkey_states = self.q_proj(y)\nreturn query_states @ key_states"),
        ("wq wv", "q, k, v = self.wq(x), self.wq(y), self.wv(y)\nreturn q @ k @ v"),
        ("to_queries", "query = self.to_queries(x)\nkey = self.to_queries(y)\nreturn query @ key"),
        ("conv_h", "a_h = self.conv_h(x).sigmoid()\na_w = self.conv_h(y).sigmoid()\nreturn a_h * a_w"),
    ],
)
def test_named_for_one_result_and_used_for_another(names: str, forward: str) -> None:
    assert reported(names, forward) == {"warning"}


def test_a_name_that_only_fits_one_input_and_result_is_a_hint() -> None:
    forward = "prompt = x.mean(0)\nproj_prompt = self.prompt_proj(prompt)\nproj_hs = self.prompt_proj(y)\nreturn proj_hs @ proj_prompt"
    assert reported("prompt_proj", forward) <= {"hint"}


@pytest.mark.parametrize("forward", ["return self.fc(self.fc(x))", "x = self.fc(x).softmax(-1)\nreturn self.fc(x)"])
def test_its_own_result_comes_back(forward: str) -> None:
    assert reported("fc", forward) == {"warning"}


@pytest.mark.parametrize(
    ("names", "forward"),
    [
        ("encoder", "a = self.encoder(x)\nb = self.encoder(y)\nreturn a - b"),
        ("encoder", "left = self.encoder(x)\nright = self.encoder(y)\nreturn left @ right"),
        ("text_encoder", "text = self.text_encoder(x)\nother_text = self.text_encoder(y)\nreturn text - other_text"),
        ("cls_head", "cls_score = self.cls_head(x)\naux_score = self.cls_head(y)\nreturn cls_score, aux_score"),
        ("image_net", "image = self.image_net(x)\nother = self.image_net(y)\nreturn image - other"),
        ("step", "for _ in range(9):\n    x = self.step(x)\nreturn x"),
    ],
)
def test_siamese_encoders_heads_and_repeated_steps_are_no_slips(names: str, forward: str) -> None:
    assert "warning" not in reported(names, forward)


def test_several_names_for_one_instance_are_a_design() -> None:
    text = NET.format(
        definitions="self.fc2 = self.fc3 = nn.Linear(d, d)",
        forward="        x2 = self.fc2(x)\n        x3 = self.fc3(y)\n        return x2 + x3",
    )
    assert "warning" not in {severity for _, severity in said("shared-parameters", text)}
