"""Nothing that the developer's own runs have kept is seen by a test."""

import os
import tempfile

from hypothesis import settings

_CACHE = tempfile.TemporaryDirectory(prefix="nnreuse-tests-", ignore_cleanup_errors=True)
os.environ["NNREUSE_CACHE_DIR"] = _CACHE.name

# A slow machine is no failure: no test asserts how long an example takes.
settings.register_profile("nnreuse", deadline=None)
settings.load_profile("nnreuse")
