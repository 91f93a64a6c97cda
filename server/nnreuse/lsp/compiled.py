"""Remembers what attrs compiles while the protocol's types are imported.

attrs writes the methods of lsprotocol's 554 classes as text and compiles them at every start: 0.2 s of CPU, measured, of the 0.5 s
that a start takes. Python remembers what it compiles in `__pycache__`; this does so for them, in the same folder, under the same
switches, and is nothing but a cache: without it the import is slower.
"""

import builtins
import marshal
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import CodeType
from typing import Any

import attr


@contextmanager
def remembered() -> Generator[None]:
    """Within it, texts that attrs has compiled before are not compiled again."""
    maker: Any = getattr(attr, "_make", None)
    file = Path(cache_from_source(__file__)).with_suffix(".attrs")
    known = _read(file)
    new: dict[bytes, CodeType] = {}

    def compiled(text: str, filename: str, mode: str) -> CodeType:
        key = blake2b(f"{filename}\0{mode}\0{text}".encode(), digest_size=16).digest()
        code = known.get(key) or new.get(key)
        if code is None:
            code = new[key] = builtins.compile(text, filename, mode)
        return code

    if maker is None:
        yield
        return
    maker.compile = compiled
    try:
        yield
    finally:
        del maker.compile
    if new and not sys.dont_write_bytecode:
        _write(file, known | new)


def _read(file: Path) -> dict[bytes, CodeType]:
    """What an earlier start compiled; nothing where that is none of this Python's, or damaged."""
    with suppress(OSError, ValueError, EOFError, TypeError):
        content = file.read_bytes()
        if content.startswith(MAGIC_NUMBER):
            return marshal.loads(memoryview(content)[len(MAGIC_NUMBER) :])
    return {}


def _write(file: Path, codes: dict[bytes, CodeType]) -> None:
    """Whole or not at all: another server may start just now."""
    own = file.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(MAGIC_NUMBER + marshal.dumps(codes))
        own.replace(file)
