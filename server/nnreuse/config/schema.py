"""The JSON schema of the settings, made from their dataclasses, in the form that SchemaStore takes."""

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field, fields
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from nnreuse.config.editor import Editor, camel
from nnreuse.config.settings import Settings

Schema = dict[str, object]
_ID = "https://raw.githubusercontent.com/nnreuse/nnreuse/main/docs/nnreuse.schema.json"

_RULE: Schema = {"$ref": "#/definitions/rule"}


def of_files(rules: Sequence[str]) -> Schema:
    """The schema of `nnreuse.toml`, and of the table `tool.nnreuse` in `pyproject.toml`."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": _ID,
        "title": "Settings of nnreuse",
        "description": "`nnreuse.toml`, or `[tool.nnreuse]` in `pyproject.toml`. Options of the command line override them.",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _property(Settings, one) for key, one in _written(Settings)},
        "definitions": {"rule": {"type": "string", "enum": sorted(rules)}},
    }


def of_client() -> Schema:
    """The settings a client may send, each under its name there."""
    found: Schema = {}
    for owner in (Editor, Settings):
        for key, one in _written(owner):
            found[camel(key)] = _property(owner, one)
    return found


def _written(owner: type) -> Iterable[tuple[str, "Field[Any]"]]:
    """The fields that have a sentence for readers: the others are not written by users."""
    for one in fields(owner):
        if "says" in one.metadata:
            yield one.metadata.get("key") or one.name.replace("_", "-"), one


def _property(owner: type, one: "Field[Any]") -> Schema:
    found: Schema = {"description": one.metadata["says"], **_type(get_type_hints(owner)[one.name])}
    default = one.default if one.default is not MISSING else None
    if isinstance(default, Enum):
        found["default"] = default.value
    elif isinstance(default, bool | str):
        found["default"] = default
    return found


def _type(hint: Any) -> Schema:
    arguments = [one for one in get_args(hint) if one is not type(None)]
    if get_origin(hint) is UnionType and len(arguments) == 1:
        return _type(arguments[0])
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(arguments)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [level.value for level in hint]}
    if get_origin(hint) is frozenset:
        inner = arguments[0]
        if get_origin(inner) is tuple:
            return {"type": "object", "propertyNames": _RULE, "additionalProperties": _type(get_args(inner)[1])}
        items = _type(inner) if get_origin(inner) is Literal else _RULE
        return {"type": "array", "uniqueItems": True, "items": items}
    return {"type": {bool: "boolean", str: "string", Path: "string", int: "integer"}[hint]}
