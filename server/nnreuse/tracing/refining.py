"""Refining: the instances that stand for unknown values, and their classes where another tool has found them out."""

from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Instance
from nnreuse.types.meaning import External, ModuleClass
from nnreuse.types.refinement import attribute_question, declared, meant


def unknown_instance(m: Machine, ident: int) -> Instance:
    """The instance that stands for an unknown value that is called like a module."""
    if ident not in m.unknowns:
        m.unknowns[ident] = Instance(ident, None, None, None, None, constructed=True)
        _refine(m, m.unknowns[ident])
    return m.unknowns[ident]


def _refine(m: Machine, unknown: Instance) -> None:
    """Gives it a class, if one is declared or has been inferred; what it was built with stays unknown."""
    attribute = m.origins.get(unknown.ident)
    meaning = _class_of(m, m.root.cls, attribute) if m.root and m.root.cls and attribute else None
    facts = m.program.facts(meaning) if isinstance(meaning, External) else None
    if isinstance(meaning, ModuleClass):
        m.program.reads.note(meaning)
        unknown.cls, unknown.file, unknown.constructed = meaning, meaning.file, False
        unknown.keywords = {"**": m.opaque()}
    elif facts is not None and facts.container is None:
        unknown.facts = facts
        unknown.keywords = {parameter.name: m.opaque() for parameter in facts.parameters_in_order}
    elif facts is not None:
        unknown.external = facts.name  # a container of unknown members: all that is known is its name


def _class_of(m: Machine, cls: ModuleClass, attribute: str) -> ModuleClass | External | None:
    meaning = declared(m.program, cls, attribute)
    asked = attribute_question(cls, attribute) if meaning is None else None
    if asked is None:
        return meaning
    m.program.reads.note(asked[0])
    return meant(m.program, m.program.answers.about(*asked))
