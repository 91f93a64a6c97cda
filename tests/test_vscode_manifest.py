"""The extension's manifest offers what the server reads: the same settings, with the same values and defaults."""

import json
from pathlib import Path
from typing import cast

import nnreuse
from nnreuse.config import schema

MANIFEST = json.loads((Path(__file__).parent.parent / "package.json").read_text(encoding="utf-8"))
SETTINGS = {
    name.removeprefix("nnreuse."): setting
    for name, setting in MANIFEST["contributes"]["configuration"]["properties"].items()
}
OF_THE_EXTENSION = {"server.path", "trace.server"}
FROM_TRUST = {"trusted"}


def test_the_settings_are_those_of_the_server():
    assert set(SETTINGS) - OF_THE_EXTENSION == set(schema.of_client()) - FROM_TRUST


def test_values_and_defaults_are_those_of_the_server():
    for key, wanted in cast("dict[str, dict[str, object]]", schema.of_client()).items():
        if key not in FROM_TRUST:
            assert SETTINGS[key].get("enum") == wanted.get("enum"), key
            nothing = SETTINGS[key]["default"] in (None, [], {}, "")
            assert nothing if "default" not in wanted else SETTINGS[key]["default"] == wanted["default"], key


def test_the_versions_agree():
    assert MANIFEST["version"] == nnreuse.__version__
