"""The language server: the only layer that knows the protocol. Handlers convert, ask the workspace, and convert back."""

from nnreuse.lsp.compiled import remember
from nnreuse.lsp.unlisted import import_unlisted

MEMORY = remember()
import_unlisted("lsprotocol.types")
