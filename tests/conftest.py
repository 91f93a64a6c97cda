"""Nothing that the developer's own runs have kept is seen by a test."""

import os
import tempfile

_CACHE = tempfile.TemporaryDirectory(prefix="nnreuse-tests-", ignore_cleanup_errors=True)
os.environ["NNREUSE_CACHE_DIR"] = _CACHE.name
