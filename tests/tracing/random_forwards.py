"""Random forwards: the ways in which real code calls the modules it holds."""

from random_writer import Lines, Writer, under

# ---- expressions


def tensor(w: Writer, depth: int = 0) -> str:
    """An expression whose value is a tensor."""
    if depth > 2:
        return w.rng.choice(w.known.tensors)
    made = w.one_of(_PLAIN if w.chance(45) else _TENSORS if depth else _CALLS)
    return made.replace("@", str(depth)) if "@" in made else made


def module(w: Writer) -> str | None:
    """An expression whose value is a module that takes a tensor."""
    return w.one_of(_MODULES) if _any(w) else None


def _any(w: Writer) -> bool:
    return bool(w.known.modules or w.known.sequences or w.known.mappings or w.known.numbered)


def _variable(w: Writer) -> str:
    return w.rng.choice(w.known.tensors)


def _operation(w: Writer) -> str:
    a, b = _variable(w), _variable(w)
    return w.rng.choice(
        [
            f"{a} + {b}",
            f"F.relu({a})",
            f"{a} * 2",
            f"{a}.t()",
            f"torch.stack([{a}, {b}]).mean(0)",
            f"torch.cat([{a}, {b}])[:2]",
            f"({a}, {b})[0]",
            f"{a}.clone()",
        ]
    )


def _called(w: Writer) -> str | None:
    callee = module(w)
    return callee and f"{callee}({tensor(w, 1)})"


def _twofold(w: Writer) -> str | None:
    callee, second = module(w), module(w)
    return callee and f"{callee}({second}({tensor(w, 2)}))"


def _sum_of_calls(w: Writer) -> str | None:
    a, b = module(w), module(w)
    return a and f"{a}({_variable(w)}) + {b}({_variable(w)})"


def _pair_called(w: Writer) -> str | None:
    return f"{w.rng.choice(w.known.pairs)}({tensor(w, 2)}, {tensor(w, 2)})" if w.known.pairs else None


def _attended(w: Writer) -> str | None:
    if not w.known.attentions:
        return None
    a = _variable(w)
    return f"{w.rng.choice(w.known.attentions)}({a}, {w.rng.choice([a, _variable(w)])}, {a})[0]"


def _helped(w: Writer) -> str | None:
    return f"{w.rng.choice(w.known.helpers)}({tensor(w, 2)})" if w.known.helpers else None


def _handed(w: Writer) -> str | None:
    callee = module(w)
    if callee is None:
        return None
    return f"{w.rng.choice([*w.known.callers, 'apply_to'])}({callee}, {_variable(w)})"


def _checkpointed(w: Writer) -> str | None:
    callee = module(w)
    return f"checkpoint({callee}, {_variable(w)}, use_reentrant=False)" if callee is not None else None


def _ternary(w: Writer) -> str | None:
    if not w.known.flags:
        return None
    return f"({tensor(w, 2)} if {condition(w)} else {tensor(w, 2)})"


def _reduced(w: Writer) -> str | None:
    if not w.known.sequences:
        return None
    many, _ = w.rng.choice(w.known.sequences)
    return w.rng.choice(
        [
            f"reduce(lambda h, f: f(h), {many}, {_variable(w)})",
            f"functools.reduce(lambda h, f: h + f(h), {many}, {_variable(w)})",
            f"apply_all({many}, {_variable(w)})",
            f"sum(f({_variable(w)}) for f in {many})",
            f"torch.stack([f({_variable(w)}) for f in {many}]).mean(0)",
            f"sum([f({_variable(w)}) for f in {many}])",
        ]
    )


def _mapped(w: Writer) -> str | None:
    callee = module(w)
    return callee and f"sum(map({callee}, [{_variable(w)}, {_variable(w)}]))"


def _lambda(w: Writer) -> str | None:
    callee = module(w)
    return callee and f"(lambda t: {callee}(t))({_variable(w)})"


_PLAIN = [(4, _variable), (3, _operation)]
_CALLS = [
    (12, _called),
    (5, _twofold),
    (3, _sum_of_calls),
    (3, _pair_called),
    (2, _attended),
    (4, _helped),
    (3, _handed),
    (2, _checkpointed),
    (3, _ternary),
    (4, _reduced),
    (2, _mapped),
    (1, _lambda),
    (1, _operation),
]
_TENSORS = [*_CALLS, (6, _variable), (4, _operation)]


def _module_name(w: Writer) -> str | None:
    return w.rng.choice(w.known.modules) if w.known.modules else None


def _element(w: Writer) -> str | None:
    if not w.known.sequences:
        return None
    many, n = w.rng.choice(w.known.sequences)
    return f"{many}[{w.rng.choice([0, 1, -1] if n else [0])}]"


def _entry(w: Writer) -> str | None:
    if not w.known.mappings:
        return None
    many, keys = w.rng.choice(w.known.mappings)
    return f"{many}[{w.rng.choice(keys)!r}]"


def _numbered(w: Writer) -> str | None:
    if not w.known.numbered:
        return None
    name, n = w.rng.choice(w.known.numbered)
    number = w.rng.randrange(n)
    return w.rng.choice([f"self.{name}{number}", f"getattr(self, '{name}{number}')"])


def _cell(w: Writer) -> str | None:
    if not w.known.nested:
        return None
    many, n = w.rng.choice(w.known.nested)
    return f"{many}[{w.rng.randrange(n)}][{w.rng.choice([0, 1, -1])}]"


def _either(w: Writer) -> str | None:
    if not w.known.flags or len(w.known.modules) < 2:
        return None
    a, b = w.rng.sample(w.known.modules, 2)
    return f"({a} if {w.rng.choice(w.known.flags)} else {b})"


_MODULES = [(14, _module_name), (4, _element), (3, _entry), (3, _numbered), (2, _cell), (1, _either)]


def condition(w: Writer) -> str:
    """A test that a configuration decides."""
    tests = [*w.known.flags, *w.known.flags]
    tests += [f"not {one}" for one in w.known.flags]
    tests += [f"{one} {op} '{c}'" for one in w.known.modes for op, c in (("==", "a"), ("!=", "b"))]
    if w.chance(8):
        tests = ["self.training", "not self.training"]
    tests += [f"{one} is not None" for one in w.known.optional] + [f"{one} is None" for one in w.known.optional]
    if len(w.known.flags) > 1 and w.chance(20):
        a, b = w.rng.sample(w.known.flags, 2)
        tests = [f"{a} and {b}", f"{a} or not {b}", f"not ({a} and {b})"]
    return w.rng.choice(tests) if tests else "self.training"


# ---- statements


def forward(w: Writer, size: int) -> Lines:
    """The body of a forward."""
    lines = block(w, size)
    return [*lines, w.rng.choice([f"return {tensor(w)}", f"return {' + '.join(sorted(set(w.known.tensors)))}"])]


def block(w: Writer, size: int) -> Lines:
    """Statements; the names they bind may be used by those that follow in the block."""
    lines: Lines = []
    for _ in range(size):
        made = w.one_of(_STATEMENTS)
        lines += made
    return lines


def _inner(w: Writer, most: int = 2) -> Lines:
    """A block under a compound statement: new names stay inside, since it may not run."""
    w.loops += 1
    with w.scope():
        lines = block(w, w.rng.randint(1, most))
    w.loops -= 1
    return lines


def _assigned(w: Writer) -> Lines:
    value = tensor(w)
    if w.chance(65):
        return [f"{_target(w)} = {value}"]
    name = w.fresh("t")
    w.known.tensors.append(name)
    return [f"{name} = {value}"]


def _target(w: Writer) -> str:
    return w.rng.choice([t for t in w.known.tensors if t.isidentifier()])


def _augmented(w: Writer) -> Lines:
    x = _target(w)
    if w.chance(60):
        return [f"{x} = {x} + {tensor(w)}"]
    return [f"{x} = {x}.clone()", f"{x} {w.rng.choice(['+=', '*='])} {tensor(w)} * 1"]


def _unpacked(w: Writer) -> Lines:
    a, b = _target(w), w.fresh("t")
    callee = module(w)
    if callee and w.chance(40):
        line = f"{a}, {b} = [{callee}(t) for t in ({_variable(w)}, {a})]"
    else:
        line = f"{a}, {b} = {tensor(w)}, {tensor(w)}"
    w.known.tensors.append(b)
    return [line]


def _alias(w: Writer) -> Lines | None:
    callee = module(w)
    if callee is None:
        return None
    name = w.fresh("f")
    w.known.modules.append(name)
    return [f"{name} = {callee}"]


def _for_modules(w: Writer) -> Lines | None:
    if not w.known.sequences or w.loops > 1:
        return None
    many, n = w.rng.choice(w.known.sequences)
    parts = [many, many, many, f"{many}[1:]", f"reversed({many})", f"{many}[:2]", f"list({many})[::-1]"]
    part = w.rng.choice(parts) if n else many
    with w.scope(modules=["f"]):
        body = _inner(w, 1) if w.chance(30) else [f"{_target(w)} = f({_variable(w)})"]
    if n is not None and w.chance(25):
        skip = w.rng.choice(["i == 0", "i == 1", "i > 0", "i < 1", "i % 2 == 0"])
        return under(
            f"for i, f in enumerate({part}):", [*under(f"if {skip}:", [w.rng.choice(["continue", "break"])]), *body]
        )
    return under(f"for f in {part}:", [*_leaving(w), *body])


def _leaving(w: Writer) -> Lines:
    """A way out of a loop's pass."""
    if not w.chance(15):
        return []
    way = w.rng.choice(["continue", "continue", "break", "break", f"return {tensor(w)}"])
    x = _target(w)
    return under(f"if {condition(w)}:", ([f"{x} = {tensor(w)}"] if w.chance(50) else []) + [way])


def _for_stage(w: Writer) -> Lines | None:
    if not w.known.streams:
        return None
    name, stage = _target(w), w.fresh("stage")
    return under(f"for {stage} in {w.rng.choice(w.known.streams)}:", [f"{name} = {stage}({_variable(w)})"])


def _for_index(w: Writer) -> Lines | None:
    if not w.known.sequences or w.loops > 1:
        return None
    many, n = w.rng.choice(w.known.sequences)
    x = _target(w)
    length = n if n is not None and w.chance(60) else f"len({many})"
    extra = module(w)
    body = [f"{x} = {many}[i]({_variable(w)})"]
    if extra and w.chance(50):
        body.append(f"{x} = {extra}({x})")
    if n is None and w.known.counts and w.chance(50):
        length = w.rng.choice(w.known.counts)
    return under(f"for i in range({length}):", body)


def _for_zip(w: Writer) -> Lines | None:
    same = [(a, n) for a, n in w.known.sequences if n is not None]
    if not same or w.loops > 1:
        return None
    (a, _), (b, _) = w.rng.choice(same), w.rng.choice(same)
    x = _target(w)
    return under(f"for f, g in zip({a}, {b}):", [f"{x} = g(f({_variable(w)}))"])


def _for_inputs(w: Writer) -> Lines | None:
    callee = module(w)
    if callee is None or w.loops > 1:
        return None
    name = w.fresh("ts")
    inputs = ", ".join(w.rng.choices(w.known.tensors, k=w.rng.randint(2, 3)))
    w.known.tensors.append(f"{name}[0]")
    return [f"{name} = []", *under(f"for t in [{inputs}]:", [f"{name}.append({callee}(t))"])]


def _for_numbered(w: Writer) -> Lines | None:
    if not w.known.numbered or w.loops > 1:
        return None
    name, n = w.rng.choice(w.known.numbered)
    x = _target(w)
    got = w.rng.choice(
        [f"getattr(self, f'{name}{{i}}')", f"getattr(self, '{name}%d' % i)", f"self._modules[f'{name}{{i}}']"]
    )
    return under(f"for i in range({n}):", [f"{x} = {got}({_variable(w)})"])


def _for_mapping(w: Writer) -> Lines | None:
    if not w.known.mappings or w.loops > 1:
        return None
    many, _ = w.rng.choice(w.known.mappings)
    x = _target(w)
    return w.rng.choice(
        [
            under(f"for f in {many}.values():", [f"{x} = f({_variable(w)})"]),
            under(f"for k, f in {many}.items():", [f"{x} = f({_variable(w)})"]),
            under(f"for k in {many}:", [f"{x} = {many}[k]({_variable(w)})"]),
            under(f"for k in {many}.keys():", [f"{x} = {x} + {many}[k]({_variable(w)})"]),
            under(f"for k, f in {many}.items():", [*under("if k == 'p':", ["continue"]), f"{x} = f({_variable(w)})"]),
        ]
    )


def _for_nested(w: Writer) -> Lines | None:
    if not w.known.nested or w.loops > 1:
        return None
    many, _ = w.rng.choice(w.known.nested)
    x = _target(w)
    return w.rng.choice(
        [
            under(f"for row in {many}:", under("for f in row:", [f"{x} = f({_variable(w)})"])),
            under(f"for a, b in {many}:", [f"{x} = b(a({x}))"]),
            under("for i in range(2):", under("for j in range(2):", [f"{x} = {many}[i][j]({x})"])),
            [f"{x} = sum(f({x}) for row in {many} for f in row)"],
        ]
    )


def _repeat(w: Writer) -> Lines | None:
    if w.loops > 1:
        return None
    count = w.rng.choice(w.known.counts) if w.known.counts and w.chance(40) else w.rng.randint(2, 3)
    lines = under(f"for _ in range({count}):", [*_inner(w), *_leaving(w)])
    return lines + under("else:", _inner(w, 1)) if w.chance(15) else lines


def _while(w: Writer) -> Lines | None:
    if w.loops > 1:
        return None
    name = w.fresh("k")
    return [f"{name} = 0", *under(f"while {name} < {w.rng.randint(2, 3)}:", [f"{name} += 1", *_leaving(w), *_inner(w)])]


def _if(w: Writer) -> Lines:
    lines = under(f"if {condition(w)}:", _inner(w))
    if w.known.modes and w.chance(25):
        mode = w.known.modes[0]
        lines = under(f"if {mode} == 'a':", _inner(w)) + under(f"elif {mode} == 'b':", _inner(w))
    return lines + under("else:", _inner(w)) if w.chance(45) else lines


def _match(w: Writer) -> Lines | None:
    if not w.known.modes:
        return None
    cases = under("case 'a':", _inner(w)) + under("case 'b':", _inner(w))
    if w.chance(50):
        cases += under("case _:", _inner(w))
    return under(f"match {w.known.modes[0]}:", cases)


def _early(w: Writer) -> Lines | None:
    if w.loops:
        return None
    return under(f"if {condition(w)}:", [f"return {tensor(w)}"])


def _try(w: Writer) -> Lines:
    lines = under("try:", _inner(w, 1))
    end = w.rng.choice([under("finally:", _inner(w, 1)), under("except RuntimeError:", ["raise"])])
    return lines + end


def _with(w: Writer) -> Lines:
    return under(w.rng.choice(["with torch.no_grad():", "with torch.enable_grad():"]), _inner(w))


def _walrus(w: Writer) -> Lines | None:
    callee = module(w)
    if callee is None:
        return None
    name, x = w.fresh("t"), _target(w)
    lines = [f"{x} = ({name} := {callee}({_variable(w)})) + {name}"]
    w.known.tensors.append(name)
    return lines


def _stack(w: Writer) -> Lines | None:
    a, b = module(w), module(w)
    if a is None:
        return None
    name, x = w.fresh("hs"), _target(w)
    return [f"{name} = [{_variable(w)}]", f"{name}.append({a}({name}[-1]))", f"{x} = {b}({name}.pop())"]


def _table(w: Writer) -> Lines | None:
    a = module(w)
    if a is None:
        return None
    name = w.fresh("out")
    lines = [f"{name} = {{'p': {_variable(w)}}}", f"{name}['q'] = {a}({name}['p'])"]
    w.known.tensors += [f"{name}['p']", f"{name}['q']"]
    return lines


def _local_function(w: Writer) -> Lines | None:
    if w.loops:
        return None
    name = w.fresh("local")
    with w.scope(["t", w.rng.choice(w.known.tensors)]):
        body = f"return {tensor(w)}"
    w.known.helpers.append(name)
    if w.chance(40):
        return (
            [f"{name} = lambda t: {body.removeprefix('return ')}"]
            if ":=" not in body
            else under(f"def {name}(t):", [body])
        )
    return under(f"def {name}(t):", [body])


def _counting(w: Writer) -> Lines | None:
    """A local function that counts its calls, and a branch on how many there were."""
    called = module(w)
    if w.loops or called is None:
        return None
    count, name, out = w.fresh("count"), w.fresh("local"), w.fresh("t")
    body = [f"nonlocal {count}", f"{count} += 1", f"return {called}(t)"]
    lines = [f"{count} = 0", *under(f"def {name}(t):", body), f"{out} = {name}({_variable(w)})"]
    lines += [f"{out} = {name}({out})"] if w.chance(50) else []
    w.known.tensors.append(out)
    return [*lines, *under(f"if {count} == {w.rng.randint(1, 2)}:", [f"{out} = {tensor(w)}"])]


def _in_place(w: Writer) -> Lines:
    name = w.fresh("t")
    value = tensor(w)
    way = w.rng.choice([f"{name}[0] = ({value})[0]", f"{name}.add_({value})", f"{name}[:, 0] = ({value})[:, 0]"])
    made = [f"{name} = torch.zeros(2, 2)", way]
    w.known.tensors.append(name)
    return made


def _kept(w: Writer) -> Lines:
    name = w.fresh("kept")
    lines = [f"self.{name} = {tensor(w)}"]
    w.known.tensors.append(f"self.{name}")
    return lines


_STATEMENTS = [
    (26, _assigned),
    (4, _augmented),
    (5, _unpacked),
    (5, _alias),
    (9, _for_modules),
    (6, _for_index),
    (4, _for_stage),
    (3, _for_zip),
    (4, _for_inputs),
    (4, _for_numbered),
    (4, _for_mapping),
    (3, _for_nested),
    (4, _repeat),
    (2, _while),
    (9, _if),
    (3, _match),
    (4, _early),
    (2, _try),
    (2, _with),
    (3, _walrus),
    (3, _stack),
    (2, _table),
    (3, _local_function),
    (3, _counting),
    (3, _in_place),
    (2, _kept),
]
