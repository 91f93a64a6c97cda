"""Garbage: when to look for it. A full collection stops everything, half a second for the million objects of a large library.

What reading a file leaves behind lives on. What edits leave behind hangs together in cycles, and adds up slowly: where it is dear to
look for it, that is done in a pause, or when a tenth may be garbage.
"""

import gc

PAUSE = 5.0
"""Seconds without a message."""
CHEAP = 300_000
"""So many objects are looked through in a tenth of a second or two."""
_GROWN = 1.1


class Garbage:
    """For one process, whose young objects Python collects by itself: `gc.set_threshold` keeps it from the old ones."""

    def __init__(self) -> None:
        self._alive = 0
        """How many old objects were found alive the last time, 0 before."""
        self._seen = 0

    def look(self, paused: bool) -> None:
        """Collects what is garbage, where there may be enough of it. Costs next to nothing where nothing has become old."""
        aging = gc.get_count()[2]
        if aging == self._seen and not paused or not aging:
            return
        self._seen, size = aging, len(gc.get_objects(generation=2))
        if not self._alive:
            self._alive = size
        elif paused or size < CHEAP or size > self._alive * _GROWN:
            gc.collect()
            self._seen, self._alive = 0, len(gc.get_objects(generation=2))
