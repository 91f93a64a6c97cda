"""The language server: the only layer that knows the protocol. Handlers convert, ask the workspace, and convert back."""

from importlib import import_module

from nnreuse.lsp.compiled import remembered

with remembered():
    import_module("lsprotocol.types")
