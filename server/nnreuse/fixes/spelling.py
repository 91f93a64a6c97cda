"""Spelling: how a file writes a name of `torch.nn`: `nn.ModuleList`, `torch.nn.ModuleList`, or the bare name it imports."""

from nnreuse.syntax.index import FileIndex, Import

_NN = "torch.nn"


def of_torch_nn(index: FileIndex, name: str) -> str | None:
    """A class of `torch.nn` as the file's imports allow it to be written; None where they do not."""
    forms = {f"{_NN}.{name}": "{0}", _NN: f"{{0}}.{name}", "torch": f"{{0}}.nn.{name}"}
    found = {
        binding.node.target: forms[binding.node.target].format(bound)
        for bound, binding in index.bindings.items()
        if isinstance(binding.node, Import) and binding.node.target in forms and not binding.node.level
    }
    return next((found[target] for target in forms if target in found), None)
