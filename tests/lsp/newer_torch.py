"""An interpreter whose torch is newer than ours: the installed one with one class more, and few others for the probe's time."""

import os
import sys
import sysconfig
from pathlib import Path

import torch

REAL = Path(torch.__file__).parents[1]
SHOWN = "torch printed this while it was imported"

_NEWER = f"""
import importlib, sys
print({SHOWN!r})
sys.path[:] = [each for each in sys.path if each != __path__[0].rpartition("torch")[0].rstrip("/")] + [{str(REAL)!r}]
del sys.modules["torch"]
torch = importlib.import_module("torch")
nn = torch.nn
class Novel(nn.Module):
    def __init__(self, width, affine=True):
        super().__init__()
        if affine:
            self.weight = nn.Parameter(torch.ones(width))
    def forward(self, x):
        return x * 2
Novel.__module__, Novel.__qualname__ = "torch.nn.modules.novel", "Novel"
nn.Novel = Novel
torch.__version__ = "99.0.1"
kept = "Novel Module Sequential ModuleList ModuleDict ParameterList ParameterDict Linear ReLU BatchNorm1d Parameter DataParallel".split()
for name in [name for name, value in vars(nn).items() if isinstance(value, type) and name not in kept]:
    delattr(nn, name)
nn.__path__ = []
for name in ("torch.ao.nn", "torch.quantization", "torch.ao.quantization"):
    sys.modules[name] = None
"""


def environment_with(folder: Path, init: str = _NEWER, version: str = "99.0.1") -> Path:
    """The interpreter of a virtual environment whose torch is this."""
    base = Path(os.path.realpath(sys.executable))
    scripts = folder / "bin"
    scripts.mkdir(parents=True)
    (scripts / "python").symlink_to(base)
    number = sysconfig.get_python_version()
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\nversion = {number}.0\n")
    package = folder / "lib" / f"python{number}" / "site-packages" / "torch"
    package.mkdir(parents=True)
    (package / "version.py").write_text(f"__version__ = {version!r}\n")
    (package / "__init__.py").write_text(init)
    return scripts / "python"
