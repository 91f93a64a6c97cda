"""Apart: a process in an interpreter of the user's. It ends in time, when it is cancelled, and with everything that it started."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Lock


class Unended(Exception):
    """A process was ended before it was done. The message says why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, and what it wrote to standard output and standard error."""

    code: int
    output: str
    complaints: str


class Apart:
    """One process; `cancel` ends it, from any thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = Event()
        self._lock = Lock()

    def cancel(self) -> None:
        with self._lock:
            self._cancelled.set()
            if self._process is not None:
                _end(self._process)

    def run(
        self, command: Sequence[str], seconds: float, folder: Path, variables: Mapping[str, str], politeness: int = 0
    ) -> Ended:
        """Runs a command in a folder, with these variables besides ours. Blocks. Raises Unended and OSError."""
        with TemporaryFile() as output, TemporaryFile() as complaints:
            with self._lock:
                if self._cancelled.is_set():
                    raise Unended("cancelled")
                self._process = process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=complaints,
                    cwd=folder,
                    env={**os.environ, **variables},
                    start_new_session=True,
                )
            try:
                with suppress(AttributeError, OSError):
                    os.setpriority(os.PRIO_PROCESS, process.pid, politeness)
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise Unended(f"not done within {seconds:g} s") from None
            finally:
                _end(process)
            if self._cancelled.is_set():
                raise Unended("cancelled")
            output.seek(0)
            complaints.seek(0)
            said = complaints.read().decode("utf-8", "replace")
            return Ended(code, output.read().decode("utf-8", "replace"), said)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and those it has started."""
    if process.poll() is None:
        with suppress(AttributeError, OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
