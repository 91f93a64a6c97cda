"""The language server: the only layer that knows the protocol. Handlers convert, ask the workspace, and convert back."""
