"""Tests find their support module, `judging`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
