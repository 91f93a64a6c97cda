"""Holding: the access paths under which a class holds its instances."""

from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Instance, Items, Mapping, Value, alternatives

_MAX_HELD = 4_000


def held_under(m: Machine, this: Instance, deep: bool = True) -> dict[str, list[Instance]]:
    """Every access path of the class, and the instances found there: names made in loops and integer indices written `*`.

    With `deep` the attributes of blocks count as well, else only members of containers.
    """
    held: dict[str, list[Instance]] = {}
    queue: list[tuple[str, Value, tuple[int, ...]]] = [("", this, ())]
    queue += [(path, value, (this.ident,)) for path, value in (m.planted if this is m.root else ())]
    visited = 0
    while queue and visited < _MAX_HELD:
        visited += 1
        path, value, above = queue.pop(0)
        for one in alternatives(value):
            if isinstance(one, Instance) and one.ident not in above:
                if path and one.is_module:
                    held.setdefault(path, []).append(one)
                if one.is_module and (deep or one.cls is None or not path):
                    queue += [(p, v, (*above, one.ident)) for p, v in _below(path, one)]
            elif isinstance(one, Items | Mapping) and path.count(".") < 3:
                plain = path if "(unregistered)" in path else f"{path}(unregistered)"
                queue += [(f"{plain}.{name}", v, above) for name, v in _elements(one)]
    for name, instance in m.late if this is m.root else ():
        if instance.is_module and not any(known is instance for known in held.get(name, ())):
            held.setdefault(name, []).append(instance)
    for ident, instance in m.unknowns.items():
        held.setdefault(m.origins.get(ident, "*"), []).append(instance)
    return held


def _below(path: str, owner: Instance) -> list[tuple[str, Value]]:
    prefix = f"{path}." if path else ""
    rows = [(prefix + owner.shown.get(k, k), v) for k, v in owner.attrs.items() if not k.startswith("<")]
    if owner.elements is not None:
        rows += [(prefix + name, v) for name, v in _elements(owner.elements)]
    return rows


def _elements(container: Items | Mapping) -> list[tuple[str, Value]]:
    if isinstance(container, Items):
        return [("*", v) for v in (*container.content.items, *container.more.values())]
    rows = [(_shown(container, k), v) for k, v in container.entries.items()]
    return [*rows, *(("*", v) for v in container.more.values())]


def _shown(container: Mapping, key: object) -> str:
    name = container.shown.get(key, str(key))
    return "*" if name.isdigit() else name
