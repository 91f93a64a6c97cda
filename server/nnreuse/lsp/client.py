"""What the client at the other end can do, read once from `initialize`."""

from dataclasses import dataclass

from lsprotocol import types as lsp
from pygls.capabilities import get_capability

from nnreuse.syntax.source import Encoding


@dataclass(frozen=True, slots=True)
class Client:
    """The abilities that change what is sent; a client that declares nothing gets the plainest form of everything."""

    encoding: Encoding = Encoding.UTF16
    related_information: bool = False
    resolves_edits: bool = False
    knows_preferred: bool = False
    shows_disabled: bool = False
    document_changes: bool = False
    annotates_changes: bool = False
    markdown: bool = False
    configuration: bool = False
    registers_configuration: bool = False
    watches_files: bool = False
    pulls: bool = False
    tags: bool = False
    refreshes_diagnostics: bool = False
    refreshes_lenses: bool = False
    refreshes_hints: bool = False
    shows_progress: bool = False
    shows_documents: bool = False

    @staticmethod
    def of(capabilities: lsp.ClientCapabilities) -> "Client":
        """The client that declared these capabilities."""
        resolvable = get_capability(capabilities, "text_document.code_action.resolve_support.properties", [])
        formats = get_capability(capabilities, "text_document.hover.content_format", [])
        return Client(
            encoding=_encoding(capabilities),
            related_information=get_capability(
                capabilities, "text_document.publish_diagnostics.related_information", False
            ),
            resolves_edits="edit" in resolvable,
            knows_preferred=get_capability(capabilities, "text_document.code_action.is_preferred_support", False),
            annotates_changes=get_capability(capabilities, "workspace.workspace_edit.change_annotation_support", None)
            is not None,
            document_changes=get_capability(capabilities, "workspace.workspace_edit.document_changes", False),
            configuration=get_capability(capabilities, "workspace.configuration", False),
            registers_configuration=get_capability(
                capabilities, "workspace.did_change_configuration.dynamic_registration", False
            ),
            watches_files=get_capability(
                capabilities, "workspace.did_change_watched_files.dynamic_registration", False
            ),
            pulls=get_capability(capabilities, "text_document.diagnostic", None) is not None,
            refreshes_diagnostics=get_capability(capabilities, "workspace.diagnostics.refresh_support", False),
            refreshes_lenses=get_capability(capabilities, "workspace.code_lens.refresh_support", False),
            refreshes_hints=get_capability(capabilities, "workspace.inlay_hint.refresh_support", False),
            shows_documents=get_capability(capabilities, "window.show_document.support", False),
            shows_progress=get_capability(capabilities, "window.work_done_progress", False),
            shows_disabled=get_capability(capabilities, "text_document.code_action.disabled_support", False),
            tags=get_capability(capabilities, "text_document.publish_diagnostics.tag_support", None) is not None,
            markdown=lsp.MarkupKind.Markdown in formats,
        )


def _encoding(capabilities: lsp.ClientCapabilities) -> Encoding:
    """The first that we know of those offered, as pygls announces it.

    An encoding costs us something on lines with other than ASCII only, so the client's own order decides.
    """
    known = {encoding.value: encoding for encoding in Encoding}
    for offered in get_capability(capabilities, "general.position_encodings", []):
        if offered in known:
            return known[offered]
    return Encoding.UTF16
