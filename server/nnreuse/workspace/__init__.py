"""The outside world: files, open buffers, settings, caches. Hands immutable analyses to the command line and the server."""
