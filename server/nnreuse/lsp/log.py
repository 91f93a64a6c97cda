"""Log: where it goes, for the server and for the processes that it starts."""

import logging

Log = tuple[str | None, int | str]
"""The file that the log goes to, None for standard error, and its level."""
_LINE = "%(asctime)s %(name)s %(levelname)s %(message)s"


def write_to(log: Log) -> None:
    """Has this process write its log there. Raises OSError."""
    file, level = log
    handlers = [logging.FileHandler(file, encoding="utf-8")] if file is not None else None
    logging.basicConfig(level=level, format=_LINE, handlers=handlers, force=True)


def written_to() -> Log:
    """Where this process writes its log."""
    root = logging.getLogger()
    files = (handler.baseFilename for handler in root.handlers if isinstance(handler, logging.FileHandler))
    return next(files, None), root.level
