"""Six packages of PyPI: each warning has been read, so that precision and recall cannot slip unseen.

The packages are pinned in the Makefile, which installs their sources. Their labels stand in `packages.tsv`; `commit` is the release.
"""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
ROOT = Path(os.environ.get("NNREUSE_WILD", HERE.parent.parent / "build" / "wild-data")).absolute()


def _bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wild_bench", HERE / "bench.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wild_bench"] = module
    spec.loader.exec_module(module)
    return module


BENCH = _bench()
LABELS = BENCH.read_labels(HERE / "packages.tsv")


def _warned(package: str) -> set[object]:
    folder = ROOT / package
    if not folder.is_dir():
        pytest.skip("`make test` installs the sources of these packages")
    found = BENCH.places(folder, BENCH.checked(folder, [sys.executable, "-m", "nnreuse"]))
    return {place for place, one in found.items() if one.severity != "information"}


@pytest.mark.parametrize("package", sorted({place.repository for place in LABELS}))
def test_what_is_warned_of_is_what_was_read(package: str) -> None:
    labelled = {place for place in LABELS if place.repository == package}
    assert _warned(package) == labelled, "read what is new, label it in packages.tsv, and say why what is gone is gone"


def test_most_of_these_warnings_are_slips() -> None:
    slips = sum(label.verdict == "slip" for label in LABELS.values())
    assert slips >= 0.85 * len(LABELS)


def test_labels_of_wild_code_have_known_verdicts_and_places_of_their_own() -> None:
    labels = BENCH.read_labels(HERE / "labels.tsv")
    assert len(labels) > 200
    assert {label.verdict for label in labels.values()} <= set(BENCH.VERDICTS)
