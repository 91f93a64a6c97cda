"""Random constructors: the ways in which real code makes, names and groups modules."""

from random_writer import Lines, Writer, under

_LEAVES = (
    "nn.Linear(2, 2)",
    "nn.Linear(2, 2)",
    "nn.Linear(2, 2, bias=False)",
    "nn.LayerNorm(2)",
    "nn.LayerNorm(2, elementwise_affine=False)",
    "nn.BatchNorm1d(2)",
    "nn.BatchNorm1d(2, affine=False)",
    "nn.BatchNorm1d(2, affine=False, track_running_stats=False)",
    "nn.GroupNorm(1, 2)",
    "nn.ReLU()",
    "nn.PReLU()",
    "nn.Dropout(0.1)",
    "nn.Identity()",
    "nn.ModuleList([nn.Linear(2, 2)])[0]",
    "make_layer(2)",
    "make_layer(norm=True)",
    "conv_bn(2)",
    "conv_bn(2, act=nn.PReLU)",
    'ACTIVATIONS["prelu"]()',
    "partial(nn.Linear, 2)(2)",
    "(lambda: nn.Linear(2, 2))()",
)


def leaf(w: Writer, depth: int = 0) -> str:
    """An expression that makes one module."""
    dice = w.rng.randrange(100)
    if dice < 8 and depth < 2:
        return f"nn.Sequential({leaf(w, depth + 1)}, {leaf(w, depth + 1)})"
    if dice < 11 and depth < 2:
        return f"nn.Sequential(*[{leaf(w, 2)} for _ in range(2)])"
    if dice < 13 and depth < 2:
        return f"nn.Sequential(OrderedDict([('p', {leaf(w, 2)}), ('q', {leaf(w, 2)})]))"
    if dice < 25 and w.blocks:
        return f"{w.rng.choice(w.blocks)}()"
    if dice < 30 and w.known.modules:
        return f"copy.deepcopy({w.rng.choice(w.known.modules)})"
    return w.rng.choice(_LEAVES)


def constructor(w: Writer, size: int) -> Lines:
    """The body after `super().__init__()`."""
    lines: Lines = []
    for _ in range(w.rng.randrange(3)):
        lines += _parameter(w)
    for _ in range(size):
        made = w.one_of(_CONSTRUCTS)
        lines += made
    return lines


def _parameter(w: Writer) -> Lines:
    name = w.rng.choice(["flag", "flag", "mode", "n"])
    if name == "flag":
        name = f"flag{len(w.known.flags)}"
    if any(p.startswith(f"{name}=") for p in w.parameters):
        return []
    w.parameters.append({"m": f"{name}='a'", "n": "n=3"}.get(name[0], f"{name}={w.chance(50)}"))
    {"m": w.known.modes, "n": w.known.counts}.get(name[0], w.known.flags).append(f"self.{name}")
    return [f"self.{name} = {name}"]


def _single(w: Writer) -> Lines:
    name = w.fresh("m")
    made = leaf(w)
    w.known.modules.append(f"self.{name}")
    return [f"self.{name} = {made}"]


def _local(w: Writer) -> Lines:
    name, local = w.fresh("m"), w.fresh("made")
    lines = [f"{local} = {leaf(w)}", f"self.{name} = {local}"]
    w.known.modules.append(f"self.{name}")
    return lines


def _alias(w: Writer) -> Lines | None:
    if not w.known.modules:
        return None
    name = w.fresh("same")
    lines = [f"self.{name} = {w.rng.choice(w.known.modules)}"]
    w.known.modules.append(f"self.{name}")
    return lines


def _several(w: Writer) -> Lines:
    a, b = w.fresh("m"), w.fresh("m")
    first, second = leaf(w), leaf(w)
    w.known.modules += [f"self.{a}", f"self.{b}"]
    if w.chance(30):
        return [f"self.{a} = self.{b} = {first}"]
    return [f"self.{a}, self.{b} = {first}, {second}"]


def _pair(w: Writer) -> Lines:
    name = w.fresh("pair")
    w.known.pairs.append(f"self.{name}")
    return [f"self.{name} = {w.rng.choice(['nn.GRUCell(2, 2)', 'nn.Bilinear(2, 2, 2)'])}"]


def _attention(w: Writer) -> Lines:
    name = w.fresh("att")
    w.known.attentions.append(f"self.{name}")
    return [f"self.{name} = nn.MultiheadAttention(2, 1)"]


def _listed(w: Writer) -> Lines:
    """A list in one expression."""
    name, n = w.fresh("ms"), w.rng.randint(2, 4)
    shapes = [
        f"[{leaf(w)} for _ in range({n})]",
        f"[{leaf(w)} if i % 2 == 0 else {leaf(w)} for i in range({n})]",
        f"[{', '.join(leaf(w) for _ in range(n))}]",
        f"[{leaf(w)}] * {n}",
        f"make_layers({n})",
        f"make_layers({n}, make=partial(nn.LayerNorm, 2))",
        f"make_layers({n}, lambda: {leaf(w, 2)})",
        f"list(map(lambda i: {leaf(w, 2)}, range({n})))",
        f"[{leaf(w)}, *make_layers({n - 1})]",
        f"[{leaf(w)}] + [{leaf(w)} for _ in range({n - 1})]",
        f"[copy.deepcopy(shared) for shared in [{leaf(w)}] * {n}]",
        f"[{leaf(w)} for _, _ in zip(range({n}), range(5))]",
        f"[a for a, _ in [({leaf(w, 2)}, k) for k in range({n})]]",
    ]
    expression = w.rng.choice(shapes)
    if w.known.counts and w.chance(60):
        expression, n = f"[{leaf(w)} for _ in range(n)]", None
    w.known.sequences.append((f"self.{name}", n))
    return [f"self.{name} = {_container(w, expression)}"]


def _container(w: Writer, expression: str) -> str:
    kind = w.rng.choice(["nn.ModuleList", "nn.ModuleList", "nn.ModuleList", "nn.Sequential", "list", "tuple"])
    return f"nn.Sequential(*{expression})" if kind == "nn.Sequential" else f"{kind}({expression})"


def _grown(w: Writer) -> Lines:
    """A list that statements fill."""
    name, n = w.fresh("ms"), w.rng.randint(2, 3)
    start = w.rng.choice(["nn.ModuleList()", "nn.ModuleList([])", "[]", "nn.Sequential()"])
    target = f"self.{name}"
    w.known.sequences.append((target, n))
    loop = f"for i in range({n}):"
    if start == "nn.Sequential()":
        return [
            f"{target} = {start}",
            *under(loop, [f"{target}.{w.rng.choice(['append(', 'add_module(str(i), '])}{leaf(w)})"]),
        ]
    ways = [
        under(loop, [f"{target}.append({leaf(w)})"]),
        under(loop, [f"layer = {leaf(w)}", f"{target}.append(layer)"]),
        [f"layer = {leaf(w)}", *under(loop, [f"{target}.append(layer)"])],
        under(
            loop, under("if i == 0:", [f"{target}.append({leaf(w)})"]) + under("else:", [f"{target}.append({leaf(w)})"])
        ),
        [f"{target}.extend([{leaf(w)} for _ in range({n})])"],
        [f"{target} += [{leaf(w)} for _ in range({n})]"],
        [*under(f"for _ in range({n - 1}):", [f"{target}.append({leaf(w)})"]), f"{target}.insert(0, {leaf(w)})"],
        ["i = 0", *under(f"while i < {n}:", [f"{target}.append({leaf(w)})", "i += 1"])],
    ]
    return [f"{target} = {start}", *w.rng.choice(ways)]


def _selected(w: Writer) -> Lines | None:
    """A list made of one that is there."""
    if not w.known.sequences:
        return None
    source, n = w.rng.choice(w.known.sequences)
    if n is None:
        return None
    name = w.fresh("part")
    part, size = w.rng.choice(
        [
            (f"{source}[1:]", n - 1),
            (f"{source}[:2]", 2),
            (f"list({source})[::-1]", n),
            (f"reversed({source})", n),
            (f"[m for i, m in enumerate({source}) if i > 0]", n - 1),
            (f"[{source}[0], {source}[1]]", 2),
            (f"[*{source}]", n),
            (f"[copy.deepcopy(m) for m in {source}]", n),
        ]
    )
    if size < 2:
        return None
    w.known.sequences.append((f"self.{name}", size))
    return [f"self.{name} = nn.ModuleList({part})"]


def _numbered(w: Writer) -> Lines:
    name, n = w.fresh("num"), w.rng.randint(2, 3)
    w.known.numbered.append((name, n))
    way = w.rng.choice(
        [
            f"setattr(self, f'{name}{{i}}', {leaf(w)})",
            f"self.add_module(f'{name}{{i}}', {leaf(w)})",
            f"self.add_module('{name}%d' % i, {leaf(w)})",
            f"self.add_module('{name}{{}}'.format(i), {leaf(w)})",
            f"self.register_module('{name}' + str(i), {leaf(w)})",
        ]
    )
    return under(f"for i in range({n}):", [way])


def _mapped(w: Writer) -> Lines:
    name, keys = w.fresh("by"), ["p", "q", "r"][: w.rng.randint(2, 3)]
    target = f"self.{name}"
    w.known.mappings.append((target, keys))
    pairs = ", ".join(f"'{k}': {leaf(w)}" for k in keys)
    ways = [
        [f"{target} = nn.ModuleDict({{{pairs}}})"],
        [f"{target} = {{{pairs}}}"],
        [f"{target} = nn.ModuleDict({{k: {leaf(w)} for k in {keys}}})"],
        [f"{target} = nn.ModuleDict()", *under(f"for k in {keys}:", [f"{target}[k] = {leaf(w)}"])],
        [f"{target} = nn.ModuleDict()", f"{target}.update({{{pairs}}})"],
        [f"{target} = nn.ModuleDict([{', '.join(f'({k!r}, {leaf(w)})' for k in keys)}])"],
        [f"shared = {leaf(w)}", f"{target} = nn.ModuleDict({{k: shared for k in {keys}}})"],
        [f"{target} = nn.ModuleDict(dict({', '.join(f'{k}={leaf(w)}' for k in keys)}))"],
    ]
    return w.rng.choice(ways)


def _nested(w: Writer) -> Lines:
    name = w.fresh("grid")
    target = f"self.{name}"
    w.known.nested.append((target, 2))
    ways = [
        [f"{target} = nn.ModuleList([nn.ModuleList([{leaf(w)} for _ in range(2)]) for _ in range(2)])"],
        [
            f"{target} = nn.ModuleList()",
            *under("for i in range(2):", [f"row = nn.ModuleList([{leaf(w)}, {leaf(w)}])", f"{target}.append(row)"]),
        ],
        [f"{target} = nn.ModuleList([nn.Sequential({leaf(w)}, {leaf(w)}), nn.Sequential({leaf(w)}, {leaf(w)})])"],
        [f"{target} = [[{leaf(w)} for _ in range(2)] for _ in range(2)]"],
    ]
    return w.rng.choice(ways)


def _chosen(w: Writer) -> Lines | None:
    """A module that a flag decides about."""
    if not w.known.flags:
        return None
    name = w.fresh("opt")
    flag = w.rng.choice(w.known.flags)
    if w.chance(30):
        flag = flag.removeprefix("self.")
    first, second = leaf(w), leaf(w)
    w.known.modules.append(f"self.{name}")
    if w.chance(50):
        return [f"self.{name} = {first} if {flag} else {second}"]
    return [*under(f"if {flag}:", [f"self.{name} = {first}"]), *under("else:", [f"self.{name} = {second}"])]


def _helper(w: Writer) -> Lines:
    """A method that makes modules."""
    method, name = w.fresh("_make"), w.fresh("ms")
    n = w.rng.randint(2, 3)
    ways = [
        [
            "layers = []",
            *under("for _ in range(n):", [f"layers.append({leaf(w, 2)})"]),
            "return nn.Sequential(*layers)",
        ],
        [f"return nn.ModuleList([{leaf(w, 2)} for _ in range(n)])"],
        [f"return [{leaf(w, 2)}] + [{leaf(w, 2)} for _ in range(n - 1)]"],
    ]
    body = w.rng.choice(ways)
    static = w.chance(25) and not any("self" in line for line in body)
    head = f"def {method}({'' if static else 'self, '}n=2):"
    w.methods.append([*(["@staticmethod"] if static else []), *under(head, body)])
    w.known.sequences.append((f"self.{name}", n))
    return [f"self.{name} = self.{method}({n})"]


def _builder(w: Writer) -> Lines:
    """A method that sets attributes, called by the constructor."""
    method = w.fresh("_build")
    w.methods.append(under(f"def {method}(self):", _single(w) + (_single(w) if w.chance(50) else [])))
    return [f"self.{method}()"]


_CONSTRUCTS = [
    (30, _single),
    (5, _local),
    (7, _alias),
    (5, _several),
    (4, _pair),
    (2, _attention),
    (16, _listed),
    (10, _grown),
    (6, _selected),
    (7, _numbered),
    (8, _mapped),
    (4, _nested),
    (8, _chosen),
    (6, _helper),
    (4, _builder),
]
