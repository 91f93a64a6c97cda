"""Documents are named by URI in the protocol and by path everywhere else."""

from pathlib import Path
from urllib.parse import quote

from pygls import uris


def path_of(uri: str) -> Path:
    """The path of a document; a buffer that is no file (`untitled:`) gets a relative path of its own that does not exist."""
    path = uris.to_fs_path(uri)
    return Path(quote(uri, safe=":")) if path is None else Path(path)


def uri_of(path: Path) -> str:
    """The URI of a file."""
    return path.as_uri()
