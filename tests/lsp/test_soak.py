"""A short day of a server: nothing is left open, nothing is logged, and memory does not grow."""

from soak import soak
from talking import NET


def test_opening_editing_and_closing_leaves_nothing_behind(tmp_path):
    files = [tmp_path / f"net{number}.py" for number in range(4)]
    for number, file in enumerate(files):
        file.write_text(NET.replace("Net", f"Net{number}") * 3, encoding="utf-8")
    found = soak(files, opens=60, edits=600)
    assert found.errors == []
    assert found.open_files == 0
    assert len(found.latencies) == 600
    assert len(found.memory) == 15
    assert found.growth() < 0.1
