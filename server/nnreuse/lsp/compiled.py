"""Remembers, from one start to the next, what libraries compile from text of their own making.

attrs writes the methods of lsprotocol's 554 classes as text and compiles them at every start; dataclasses does so for 600 methods of
ours, cattrs for what the first messages are made of, typing for types that are strings: together as long as all the rest of a start.
Python remembers in `__pycache__` what it compiles; this does so for them, and is nothing but a cache: without it a start is slower.
"""

import builtins
import marshal
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from importlib import import_module
from importlib.util import MAGIC_NUMBER, cache_from_source
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import Any, cast

from nnreuse.workspace import cache

Codes = dict[bytes, CodeType]

_MOST = 5_000
"""How many codes are kept. Some 1,600 are in use; what other versions of the libraries left would grow without end."""

# cattrs is imported before attrs is given the memory: a class of its own has another text at each start, with a random hash in it.
_COMPILING = {"cattrs.gen": "compile", "attr._make": "compile", "dataclasses": "exec", "typing": "compile"}


class Memory:
    """Code by what it was compiled from."""

    def __init__(self, known: Codes) -> None:
        self._known = known
        self._new: Codes = {}

    def compile(self, text: Any, filename: str, mode: str, *options: Any, **named: Any) -> Any:
        """What the builtin gives. It inherits no `from __future__`, which generated text has no use for."""
        if options or named or not isinstance(text, str):
            return cast(Any, builtins.compile(text, filename, mode, *options, **named))
        key = blake2b(f"{filename}\0{mode}\0{text}".encode(), digest_size=16).digest()
        code = self._known.get(key) or self._new.get(key)
        if code is None:
            code = self._new[key] = builtins.compile(text, filename, mode, dont_inherit=True)
        return code

    def exec(self, text: Any, *namespaces: Any, **named: Any) -> None:
        """What the builtin does."""
        builtins.exec(self.compile(text, "<string>", "exec") if isinstance(text, str) else text, *namespaces, **named)

    def keep(self) -> None:
        """Writes what is new: a matter of 20 ms after the first start, and as a rule of nothing after others."""
        if self._new:
            is_small = len(self._known) + len(self._new) <= _MOST
            self._known, self._new = (self._known | self._new if is_small else self._new), {}
            writable = islice(_places(), 1 if sys.dont_write_bytecode else None)
            any(_write(place, self._known) for place in writable)


def remember() -> Memory:
    """What earlier starts compiled, consulted from here on."""
    known = next((codes for codes in map(_read, _places()) if codes), Codes())
    memory = Memory(known)
    for name, builtin in _COMPILING.items():
        with suppress(ImportError):
            setattr(import_module(name), builtin, getattr(memory, builtin))  # a global goes before a builtin
    return memory


def _places() -> Iterator[Path]:
    """Where the memory may stand, best first: with Python's own, unless that is told to write none; and in the cache folder."""
    beside = Path(cache_from_source(__file__)).with_suffix(".codes")
    if not sys.dont_write_bytecode:
        yield beside
    whose = blake2b(f"{sys.prefix}\0{__file__}".encode(), digest_size=12).hexdigest()
    yield cache.folder("start") / f"{whose}.{sys.implementation.cache_tag}.codes"
    if sys.dont_write_bytecode:
        yield beside


def _read(file: Path) -> Codes:
    """What an earlier start compiled; nothing where that is none of this Python's, not to be trusted, or damaged."""
    with suppress(OSError, ValueError, EOFError, TypeError):
        content = file.read_bytes()
        if content.startswith(MAGIC_NUMBER) and _is_trusted(file):
            return cast(Codes, marshal.loads(memoryview(content)[len(MAGIC_NUMBER) :]))
    return {}


def _is_trusted(file: Path) -> bool:
    """Whether this user wrote it, or whoever wrote this source: what it says is run. On Windows all have one owner, 0."""
    owner = file.stat().st_uid
    return owner == Path(__file__).stat().st_uid or owner == os.geteuid()


def _write(file: Path, codes: Codes) -> bool:
    """Whole or not at all: another server may start just now."""
    own = file.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(MAGIC_NUMBER + marshal.dumps(codes))
        own.replace(file)
        return True
    return False
