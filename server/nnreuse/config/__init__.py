"""Settings and the words they are written in. The lowest layer: knows nothing of code."""
