"""The command line: what `nnreuse` prints and how it exits. Modules are imported when a command needs them."""
