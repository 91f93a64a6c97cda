"""What each rule says about its own example, word for word: the instance, the count, and what is shared."""

import pytest
from test_documentation import block, found, marked

from nnreuse.rules import registry

EXPECTED = {
    "aliased-attribute": [
        (
            "information",
            "`self.decoder` and `self.encoder` are one `Linear`: both names call the same instance, with the same weights",
        )
    ],
    "class-level-module": [
        (
            "warning",
            "`act` is one `PReLU`, made in the class body: every `Block` has the same instance, and none registers its parameters",
        )
    ],
    "duplicate-stateless-module": [
        ("information", "`self.relu2` is constructed like `self.relu1`, and a `ReLU` holds nothing: one would do")
    ],
    "global-module": [
        (
            "warning",
            "`_ACTIVATIONS` holds a `PReLU` that is made once, at module level: every `Block` keeps the same instance",
        )
    ],
    "incompatible-features": [
        ("error", "`self.bn` takes 64 features and is given 128 by `self.conv2`: torch raises here")
    ],
    "kept-hidden-state": [
        (
            "information",
            "`self.state` keeps the graph of every earlier call: nothing detaches the state that `self.rnn` returns",
        )
    ],
    "mixed-purpose-module": [
        (
            "information",
            "`self.drop` serves two purposes, behind `Embedding` and `Linear`: a `Dropout` for each would read better",
        )
    ],
    "module-created-in-forward": [
        (
            "warning",
            "each call of `forward` makes a new `Linear`: it never trains, and its weights are drawn anew at every call",
        )
    ],
    "module-default-argument": [
        (
            "warning",
            "`act` defaults to one `PReLU`, made when the class is defined: every `Block` given none keeps that instance",
        )
    ],
    "overwritten-module": [
        ("warning", "`self.conv1` is given a second module here: the `Conv2d` it held is lost before anything used it")
    ],
    "repeated-instance": [
        (
            "warning",
            "the list holds one `Linear` several times: every position is the same instance, with the same weights",
        )
    ],
    "reused-activation": [
        (
            "warning",
            "`self.relu` is called twice in one forward: quantization and attribution need a `ReLU` for each call",
        )
    ],
    "reused-quantization-stub": [
        ("warning", "`self.skip` is used at two places: the one observer of this `FloatFunctional` mixes their ranges")
    ],
    "same-input-twice": [("warning", "`self.q_proj` is called twice on the identical input: the results are equal")],
    "same-instance-twice": [
        (
            "warning",
            (
                "this `BatchNorm2d` already stands in `self.layers`: both places are one instance, "
                "with the same weights and running statistics"
            ),
        )
    ],
    "shared-across-groups": [
        ("warning", "`head` is one `Linear`, kept by several submodules: FSDP cannot shard them as groups of their own")
    ],
    "shared-batch-norm": [
        ("warning", "`self.bn` is called twice: it normalises different features with one set of running statistics")
    ],
    "shared-between-submodules": [
        ("warning", "`act` is one `PReLU`, kept by every `Block` of a loop: they share its weights")
    ],
    "shared-embedding": [
        ("information", "`self.embed` is called twice: all ids index one table, whatever they stand for")
    ],
    "shared-layer-norm": [
        ("warning", "`self.norm` is called twice: different features share its learnable scale and shift")
    ],
    "shared-parameters": [("warning", "`self.fc` is called twice: every call uses the same weights")],
    "shared-prelu": [
        ("warning", "`self.act` is called twice: it is an activation with parameters, and all calls share its slope")
    ],
    "shared-recurrent": [
        (
            "warning",
            "`self.lstm` is called twice: every call uses the same weights, and starts at zero unless it is given a hidden state",
        )
    ],
    "stale-shared-note": [
        ("information", "`self.head` is called once and held under one name: nothing is shared any more")
    ],
    "undefined-module": [
        (
            "error",
            "`self.unary1` is called here, and nothing sets it: did you mean `self.reduce1`, which is never called?",
        )
    ],
    "uncalled-module": [
        ("information", "`self.norm` is never called: the parameters of this `LayerNorm` get no gradient")
    ],
    "unregistered-module": [
        (
            "warning",
            "`self.layers` is a plain list: torch does not register the `Linear` in it, so `parameters()` and `.to()` miss it",
        )
    ],
    "unused-suppression": [("information", "nothing to suppress here: `shared-batch-norm` has no finding")],
    "unused-twin": [
        ("warning", "`self.bn1` is called twice, and `self.bn2`, constructed just like it, is never called")
    ],
}


@pytest.mark.parametrize("rule", registry.names())
def test_message_is_exact(rule: str) -> None:
    text, _ = marked(block(rule, "Example"))
    said = [(one.severity.value, one.message) for one in found(rule, text).findings]
    assert list(dict.fromkeys(said)) == EXPECTED[rule]


def test_one_instance_is_named_by_all_names_that_call_it() -> None:
    text, _ = marked(block("aliased-attribute", "Example"))
    assert [(one.place.text, one.message) for one in found("shared-parameters", text).findings] == [
        (
            "self.encoder",
            "`self.encoder`, the same instance as `self.decoder`, is called twice: every call uses the same weights",
        ),
    ]
