"""The language server: the only place that knows pygls and lsprotocol. Handlers convert, ask the workspace, convert back."""
