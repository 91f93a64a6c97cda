"""Refinement: the process that infers what our own index leaves open, started when there is something to ask."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import cast

from nnreuse.types.questions import NameQuestion, Question, Target

log = logging.getLogger(__name__)

_SECONDS = 20
"""For one question, the time to read torch's own sources among it. Whoever takes longer is ended, and begins anew."""

_FAILURES = 3
"""So many questions in a row without any answer, not even "unknown", and no more are asked."""

Asked = tuple[Question, dict[str, object]]
"""A question, and the snapshot of it that another process or thread may read."""


def snapshot(questions: dict[Question, Target | None], search_path: Iterable[Path]) -> list[Asked]:
    """The questions with the texts they are about, as they stand now, and the folders that imports lead to."""
    folders = [str(folder) for folder in search_path]
    requests = ((question, _request(question, target)) for question, target in questions.items())
    return [(question, {"search_path": folders, **request}) for question, request in requests if request is not None]


def _request(question: Question, target: Target | None) -> dict[str, object] | None:
    if isinstance(question, NameQuestion):
        return {"name": question.dotted}
    if target is None or not target.is_current:
        return None
    text = target.file.index.source.text
    return {"path": target.file.path, "text": text, "line": target.line + 1, "column": target.column}


class Inference:
    """Asks one question after the other. Blocks, and so belongs on a thread wherever anyone waits."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._failures = 0
        self._stopped = False

    def answers(self, asked: Iterable[Asked]) -> Iterator[tuple[Question, str | None]]:
        """The answer to each question, in order; None where there is none."""
        for question, request in asked:
            yield question, self._answer(request) if self._failures < _FAILURES else None

    def close(self) -> None:
        """Ends the process, if one runs. Another question starts a new one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def stop(self) -> None:
        """Ends the process for good; from any thread, while another waits for an answer too."""
        self._stopped = True
        process = self._process
        if process is not None:
            process.kill()

    def _answer(self, request: dict[str, object]) -> str | None:
        process = None if self._stopped else self._process or self._start()
        if process is None or process.stdin is None or process.stdout is None:
            return None
        deadline = Timer(_SECONDS, process.kill)
        deadline.start()
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer = cast(object, json.loads(process.stdout.readline()))
            self._failures = 0
            return answer if isinstance(answer, str) else None
        except (OSError, ValueError) as error:
            if not self._stopped:
                log.info("no answer about %s: %r", request.get("name") or request.get("path"), error)
            self.close()
            self._failures += 1
            return None
        finally:
            deadline.cancel()

    def _start(self) -> subprocess.Popen[str] | None:
        command = [sys.executable, "-I", str(Path(__file__).with_name("inference.py"))]
        pipe = subprocess.PIPE
        with suppress(OSError):
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
            )
        if self._stopped and self._process is not None:
            self._process.kill()
        return self._process
