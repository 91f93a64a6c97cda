"""Where things are kept that can be made anew: in the user's cache folder."""

import os
from pathlib import Path

FOLDER = "NNREUSE_CACHE_DIR"
"""The environment variable that names another folder than the system's for caches."""


def folder(kind: str) -> Path:
    """Where things of a kind are kept. It need not exist."""
    named = os.environ.get(FOLDER)
    if named:
        return Path(named) / kind
    from platformdirs import user_cache_path  # 15 ms that a start has a use for only where it finds nothing nearer

    return user_cache_path("nnreuse") / kind
