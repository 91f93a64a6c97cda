"""The static tracer says of random programs what torch's own calls say.

NNREUSE_PROGRAMS is how many are tried, NNREUSE_SEED the number of the first, or `random`.
"""

import os
import random

import pytest
import torch
from agreement import disagreements, smallest
from random_programs import program
from torch_truth import watching

_PROGRAMS = int(os.environ.get("NNREUSE_PROGRAMS", "300"))
_GIVEN = os.environ.get("NNREUSE_SEED", "5000")
_SEED = random.randrange(10**9) if _GIVEN == "random" else int(_GIVEN)
_PARTS = 10


@pytest.mark.parametrize("part", range(_PARTS))
def test_random_programs_have_the_facts_that_torch_records(part: int) -> None:
    torch.set_num_threads(1)
    with watching():
        for seed in range(_SEED + part, _SEED + _PROGRAMS, _PARTS):
            made = program(seed)
            for name in made.classes:
                if disagreements(made.source, name):
                    raise AssertionError(_told(seed, made.source, name))


def _told(seed: int, source: str, name: str) -> str:
    short = smallest(source, lambda shorter: _disagree(shorter, name))
    differences = "\n".join(disagreements(short, name))
    return f"NNREUSE_SEED={seed}, class {name}:\n{differences}\n\n{short}"


def _disagree(source: str, name: str) -> bool:
    try:
        return bool(disagreements(source, name))
    except Exception:  # noqa: BLE001 (a program from which too much was taken away)
        return False
