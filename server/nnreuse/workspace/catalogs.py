"""Catalogs: the facts of the torch that an interpreter has, asked of it once by the probe and kept on disk.

Kept per interpreter and per build of torch. What is not kept yet, or cannot be had, is answered by the shipped catalog.
"""

import hashlib
import logging
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nnreuse
from nnreuse.types.catalog import SCHEMA, Catalog
from nnreuse.workspace import cache
from nnreuse.workspace.apart import Apart, Unended
from nnreuse.workspace.environment import Environment

log = logging.getLogger(__name__)

_SECONDS = 300
"""For a probe: it takes 20 s of processor time, at a low priority."""

_RELEASE = re.compile(r"\d+(\.\d+)*")


class NoCatalog(Exception):
    """The interpreter's torch could not be asked. The message says why."""


@dataclass(frozen=True, slots=True)
class Torch:
    """The torch of an interpreter, named precisely enough for its facts to be kept."""

    interpreter: Path
    version: str
    build: tuple[int, int]
    """Of the file that tells the version: when it was written, and its size."""

    @property
    def is_shipped(self) -> bool:
        """Whether it is the release whose facts are shipped, however it was compiled."""
        release = _RELEASE.fullmatch(self.version.partition("+")[0])
        return release is not None and release[0] == Catalog.shipped().torch.partition("+")[0]

    @property
    def file(self) -> Path:
        """Where its catalog is kept."""
        told = repr((SCHEMA, nnreuse.__version__, str(self.interpreter), self.version, self.build))
        return folder() / f"{hashlib.sha256(told.encode()).hexdigest()[:24]}.json"


def torch_of(environment: Environment | None) -> Torch | None:
    """The torch that is installed for an interpreter."""
    found = environment.torch if environment is not None else None
    if environment is None or found is None:
        return None
    with suppress(OSError):
        stat = (found[1] / "version.py").stat()
        return Torch(environment.interpreter, found[0], (stat.st_mtime_ns, stat.st_size))
    return None


def folder() -> Path:
    """Where catalogs are kept."""
    return cache.folder("catalogs")


def kept(torch: Torch | None) -> Catalog | None:
    """The catalog that a probe has left for a torch. Runs nothing."""
    if torch is None or torch.is_shipped:
        return None
    try:
        return Catalog.from_json(torch.file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s is not used: %s", torch.file, error)
        return None


def size() -> dict[str, int]:
    """How many catalogs are kept, and their bytes."""
    sizes = list[int]()
    with suppress(OSError):
        sizes = [file.stat().st_size for file in folder().glob("*.json")]
    return {"files": len(sizes), "bytes": sum(sizes)}


def catalog_for(environment: Environment | None) -> Catalog:
    """The best that is known of an interpreter's torch without running it."""
    return kept(torch_of(environment)) or Catalog.shipped()


class Probing(Apart):
    """One run of the probe in a user's interpreter; `cancel` ends it, from any thread."""

    def catalog(self, torch: Torch, seconds: float = _SECONDS) -> Catalog:
        """Asks torch, and keeps the answer. Blocks. Raises NoCatalog. Whether the interpreter may run, the caller knows."""
        try:
            torch.file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=torch.file.parent) as scratch:
                written = Path(scratch) / "catalog.json"
                self._probe(torch, written, seconds)
                catalog = Catalog.from_json(written.read_text("utf-8"))
                os.replace(written, torch.file)
                return catalog
        except (OSError, ValueError, Unended) as error:
            raise NoCatalog(f"torch {torch.version} of {torch.interpreter} gave no catalog: {error}") from None

    def _probe(self, torch: Torch, written: Path, seconds: float) -> None:
        """What torch prints goes nowhere; the document goes to a file. Isolated: no variables, no current folder, no user site."""
        probe = Path(nnreuse.__file__).with_name("probe.py")
        command = [str(torch.interpreter), "-I", "-B", str(probe), "--write", str(written)]
        quiet = {"TORCH_DEVICE_BACKEND_AUTOLOAD": "0", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
        ended = self.run(command, seconds, written.parent, quiet, politeness=10)
        if ended.code:
            raise Unended((ended.complaints.strip().splitlines() or [f"it ended with code {ended.code}"])[-1])
