"""docs/servers.md says of our server what our server says."""

import os
import sys
from pathlib import Path

from capabilities import ROWS, Server, table

ROOT = Path(__file__).parents[2]


def test_our_column_of_the_table_is_what_the_server_declares(monkeypatch):
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(ROOT / "server"))
    answer = Server([sys.executable, "-m", "nnreuse", "server"]).answer()
    said = [line.split(" | ", 1)[1].removesuffix(" |") for line in table({"nnreuse": answer}) if " | " in line]
    document = (ROOT / "docs" / "servers.md").read_text(encoding="utf-8")
    written = [line.split(" | ")[1] for line in document.splitlines() if line.startswith("| ")]
    assert len(written) == len(ROWS) + 1
    assert written == said
