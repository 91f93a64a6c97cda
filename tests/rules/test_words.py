"""Words of names, comments and flags that say whether sharing is meant."""

import pytest
from judging import analysis, said

MODEL = """
class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        {made}
        self.mix = nn.Linear(8, 8)

    def forward(self, x):
        return self.fc(self.mix(self.fc(x)).relu())
"""
FLAGS = [
    "config.tie_word_embeddings",
    "config.weight_sharing_on",
    "config.share",
    "config.shareWeights",
    "not config.tied",
]
SAID = ["shared by both", "tied weights", "siamese", "weight sharing", "sharing_is_meant", "两个分支共享", "孪生网络"]
NOT_SAID = ["not shared", "must not be shared", "unshared", "non-shared", "untied", "identities", "emptying", "不共享"]


def severities(made: str) -> set[str]:
    return {severity for _, severity in said("shared-parameters", MODEL.format(made=made))}


def kinds(flag: str) -> set[str]:
    made = f"if {flag}:\n            self.fc = nn.Linear(8, 8)"
    return {one.kind for f in analysis("shared-parameters", MODEL.format(made=made)).findings for one in f.evidence}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_sharing_flag_speaks_for_a_design(flag: str) -> None:
    assert "flag" in kinds(flag)


@pytest.mark.parametrize("flag", ["config.deep", "config.identities", "config.shareable"])
def test_other_flags_say_nothing(flag: str) -> None:
    assert kinds(flag) and "flag" not in kinds(flag)


@pytest.mark.parametrize("comment", SAID)
def test_a_comment_says_that_sharing_is_meant(comment: str) -> None:
    assert severities(f"self.fc = nn.Linear(8, 8)  # {comment}") <= {"information", "hint"}


@pytest.mark.parametrize("comment", NOT_SAID)
def test_a_comment_that_denies_sharing_is_no_excuse(comment: str) -> None:
    assert severities(f"self.fc = nn.Linear(8, 8)  # {comment}") == {"warning"}
