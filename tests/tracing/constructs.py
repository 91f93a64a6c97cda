"""Each construct of Python and torch that the tracer follows, in a class that torch runs as well.

`flag`, `mode`, `n` and `opt` among parameters are what `torch_truth.CHOICES` says; any other parameter is a tensor.
"""

import textwrap
from dataclasses import dataclass

TWO = "self.a = nn.Linear(2, 2)\nself.b = nn.LayerNorm(2)"
PAIR = "self.l = nn.ModuleList([nn.Linear(2, 2), nn.LayerNorm(2)])"
"""Constructors that most of them share."""


@dataclass(frozen=True)
class Construct:
    """Bodies of `__init__` and `forward`, and what else the class needs: code before it, methods, bases, parameters.

    `wraps`: torch names the type of a wrapper, we that of what is wrapped.
    """

    init: str
    forward: str
    before: str = ""
    methods: str = ""
    bases: str = "nn.Module"
    parameters: str = ""
    arguments: str = "x"
    wraps: bool = False


def source(one: Construct, name: str) -> str:
    """The class, and what stands before it."""

    def body(text: str, columns: int) -> str:
        return textwrap.indent(text.strip(), " " * columns)

    return (
        f"{one.before}\nclass {name}({one.bases}):\n"
        f"    def __init__(self{one.parameters}):\n        super().__init__()\n{body(one.init, 8)}\n\n"
        f"    def forward(self, {one.arguments}):\n{body(one.forward, 8)}\n\n{body(one.methods, 4)}\n\n"
    )


CONSTRUCTS = {
    "setattr": Construct(
        "for i in range(2):\n    setattr(self, 'a' + str(i), nn.Linear(2, 2))", "return self.a1(self.a0(self.a0(x)))"
    ),
    "setattr with an f-string": Construct(
        "for i in range(2):\n    setattr(self, f'a{i}', nn.Linear(2, 2))", "return self.a1(self.a0(self.a0(x)))"
    ),
    "getattr with an f-string": Construct(
        "self.a0 = nn.Linear(2, 2)\nself.a1 = nn.Linear(2, 2)",
        "for i in range(2):\n    x = getattr(self, f'a{i}')(x)\nreturn self.a0(x)",
    ),
    "getattr with %": Construct(
        "self.a0 = nn.Linear(2, 2)\nself.a1 = nn.Linear(2, 2)",
        "for i in range(2):\n    x = getattr(self, 'a%d' % i)(x)\nreturn self.a0(x)",
    ),
    "getattr with format": Construct(
        "self.a0 = nn.Linear(2, 2)\nself.a1 = nn.Linear(2, 2)",
        "for i in range(2):\n    x = getattr(self, 'a{}'.format(i))(x)\nreturn self.a0(x)",
    ),
    "add_module": Construct(
        "for i in range(2):\n    self.add_module('a%d' % i, nn.Linear(2, 2))", "return self.a1(self.a0(self.a0(x)))"
    ),
    "register_module": Construct("self.register_module('a', nn.Linear(2, 2))", "return self.a(self.a(x))"),
    "_modules by key": Construct(TWO, "return self._modules['a'](self._modules['a'](x))"),
    "_modules stored into": Construct("self._modules['a'] = nn.Linear(2, 2)", "return self.a(self.a(x))"),
    "children": Construct(TWO, "for child in self.children():\n    x = child(x)\nreturn x"),
    "named_children": Construct(TWO, "for name, child in self.named_children():\n    x = child(x)\nreturn self.b(x)"),
    "list +": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2)] + [nn.LayerNorm(2)])",
        "for m in self.l:\n    x = m(x)\nreturn self.l[0](x)",
    ),
    "list *": Construct("self.l = nn.ModuleList([nn.Linear(2, 2)] * 3)", "for m in self.l:\n    x = m(x)\nreturn x"),
    "slices": Construct(
        "self.l = nn.ModuleList(nn.Linear(2, 2) for _ in range(4))",
        "for m in self.l[1:3]:\n    x = m(x)\nreturn self.l[1](x)",
    ),
    "a slice from the end": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2), nn.LayerNorm(2), nn.PReLU()])",
        "for m in self.l[:-1]:\n    x = m(x)\nreturn self.l[-1](x)",
    ),
    "a slice with a step": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2), nn.LayerNorm(2), nn.PReLU()])",
        "for m in self.l[::2]:\n    x = m(x)\nreturn x",
    ),
    "reversed": Construct(PAIR, "for m in reversed(self.l):\n    x = m(x)\nreturn self.l[0](x)"),
    "zip": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])\nself.m = nn.ModuleList([nn.LayerNorm(2), nn.LayerNorm(2)])",
        "for a, b in zip(self.l, self.m):\n    x = b(a(x))\nreturn x",
    ),
    "zip of the same list": Construct(
        "a = nn.Linear(2, 2)\nself.l = nn.ModuleList([a, a])\nself.m = nn.ModuleList([nn.LayerNorm(2), nn.LayerNorm(2)])",
        "for a, b in zip(self.l, self.m):\n    x = b(a(x))\nreturn x",
    ),
    "enumerate": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])\nself.n = nn.LayerNorm(2)",
        "for i, m in enumerate(self.l):\n    x = m(x)\n    if i > 0:\n        x = self.n(x)\nreturn x",
    ),
    "star-unpacking": Construct(
        "self.l = nn.Sequential(*[nn.Linear(2, 2), nn.LayerNorm(2)])", "return self.l(self.l(x))"
    ),
    "star-unpacking into names": Construct(
        "first, *rest = [nn.Linear(2, 2), nn.LayerNorm(2), nn.PReLU()]\nself.a = first\nself.l = nn.ModuleList(rest)",
        "for m in self.l:\n    x = m(x)\nreturn self.a(self.a(x))",
    ),
    "extend": Construct(
        "l = [nn.Linear(2, 2)]\nl.extend([nn.LayerNorm(2), nn.PReLU()])\nself.l = nn.Sequential(*l)", "return self.l(x)"
    ),
    "extend of a ModuleList": Construct(
        "self.l = nn.ModuleList()\nself.l.extend(nn.Linear(2, 2) for _ in range(2))",
        "for m in self.l:\n    x = m(x)\nreturn self.l[1](x)",
    ),
    "insert": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2)])\nself.l.insert(0, nn.LayerNorm(2))",
        "x = self.l[0](x)\nreturn self.l[0](self.l[1](x))",
    ),
    "append": Construct(
        "self.l = nn.ModuleList()\nfor _ in range(2):\n    self.l.append(nn.Linear(2, 2))",
        "for m in self.l:\n    x = m(x)\nreturn x",
    ),
    "pop": Construct(
        "l = [nn.Linear(2, 2), nn.LayerNorm(2)]\nself.a = l.pop()\nself.b = l.pop(0)",
        "return self.a(self.b(self.a(x)))",
    ),
    "nested comprehensions": Construct(
        "self.l = nn.ModuleList([nn.ModuleList([nn.Linear(2, 2) for _ in range(2)]) for _ in range(2)])",
        "for row in self.l:\n    for m in row:\n        x = m(x)\nreturn self.l[0][1](x)",
    ),
    "a comprehension with a condition": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2) if i else nn.LayerNorm(2) for i in range(3)])",
        "for m in self.l:\n    x = m(x)\nreturn self.l[0](x)",
    ),
    "a dict comprehension": Construct(
        "self.d = nn.ModuleDict({k: nn.Linear(2, 2) for k in ('a', 'b')})",
        "return self.d['a'](self.d['b'](self.d['a'](x)))",
    ),
    "ModuleDict by key": Construct(
        "self.d = nn.ModuleDict({'a': nn.Linear(2, 2), 'b': nn.LayerNorm(2)})", "return self.d['a'](self.d['a'](x))"
    ),
    "ModuleDict by loop": Construct(
        "self.d = nn.ModuleDict({'a': nn.Linear(2, 2), 'b': nn.LayerNorm(2)})",
        "for key in self.d:\n    x = self.d[key](x)\nreturn x",
    ),
    "ModuleDict items and update": Construct(
        "self.d = nn.ModuleDict()\nself.d.update({'a': nn.Linear(2, 2)})\nself.d['b'] = nn.LayerNorm(2)",
        "for name, m in self.d.items():\n    x = m(x)\nreturn self.d.b(x)",
    ),
    "nested Sequential": Construct(
        "self.s = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.LayerNorm(2))",
        "return self.s(self.s[0](x))",
    ),
    "a slice of a Sequential": Construct(
        "self.s = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.PReLU())", "return self.s[0](self.s[:2](x))"
    ),
    "a Sequential with names": Construct(
        "self.s = nn.Sequential(OrderedDict([('a', nn.Linear(2, 2)), ('b', nn.LayerNorm(2))]))",
        "return self.s.a(self.s(x))",
    ),
    "a Sequential that is iterated": Construct(
        "self.s = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))", "for m in self.s:\n    x = m(x)\nreturn x"
    ),
    "checkpoint": Construct(
        TWO,
        "x = checkpoint(self.a, x, use_reentrant=False)\nreturn checkpoint(self.a, x, use_reentrant=False)",
        before="from torch.utils.checkpoint import checkpoint\n",
    ),
    "checkpoint of a closure": Construct(
        TWO,
        "def run(y):\n    return self.b(self.a(y))\nreturn checkpoint(run, self.a(x), use_reentrant=False)",
        before="from torch.utils.checkpoint import checkpoint\n",
    ),
    "checkpoint_sequential": Construct(
        "self.s = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))",
        "return checkpoint_sequential(self.s, 1, x, use_reentrant=False)",
        before="from torch.utils.checkpoint import checkpoint_sequential\n",
    ),
    "DataParallel": Construct("self.a = nn.DataParallel(nn.Linear(2, 2))", "return self.a(self.a(x))", wraps=True),
    "functional_call": Construct(
        "self.a = nn.Linear(2, 2)",
        "state = dict(self.a.named_parameters())\nx = torch.func.functional_call(self.a, state, (x,))\nreturn torch.func.functional_call(self.a, state, (x,))",
    ),
    "partial": Construct(TWO, "f = partial(self.a)\nreturn f(f(x))"),
    "map": Construct(PAIR, "return sum(map(lambda m: m(x), self.l))"),
    "map over inputs": Construct(TWO, "return sum(map(self.a, [x, x + 1]))"),
    "reduce": Construct(PAIR, "return reduce(lambda y, m: m(y), self.l, x)"),
    "filter": Construct(
        PAIR, "for m in filter(lambda m: isinstance(m, nn.Linear), self.l):\n    x = m(m(x))\nreturn x"
    ),
    "apply with __call__": Construct(TWO, "return self.a.__call__(self.a.forward(x))"),
    "a property": Construct(
        TWO, "return self.norm(self.norm(x))", methods="@property\ndef norm(self):\n    return self.b"
    ),
    "a cached property": Construct(
        TWO, "return self.norm(self.norm(x))", methods="@functools.cached_property\ndef norm(self):\n    return self.b"
    ),
    "a static method": Construct(
        TWO, "return self.twice(self.a, x)", methods="@staticmethod\ndef twice(f, x):\n    return f(f(x))"
    ),
    "a class method": Construct(
        "self.a = self.make(2)\nself.b = self.make(2)",
        "return self.a(self.b(self.a(x)))",
        methods="@classmethod\ndef make(cls, n):\n    return nn.Linear(n, n)",
    ),
    "a nested function": Construct(TWO, "def twice(f, y):\n    return f(f(y))\nreturn twice(self.a, x)"),
    "a closure that changes a name": Construct(
        TWO,
        "count = 0\ndef step(y):\n    nonlocal count\n    count += 1\n    return self.a(y)\nx = step(step(x))\nreturn self.b(x) if count > 1 else x",
    ),
    "lambdas": Construct(TWO, "f = lambda y: self.a(y)\nreturn f(f(x))"),
    "a lambda with a default": Construct(
        TWO, "fs = [lambda y, m=m: m(y) for m in (self.a, self.b)]\nfor f in fs:\n    x = f(x)\nreturn fs[0](x)"
    ),
    "a generator": Construct(
        TWO,
        "for m in self.stages():\n    x = m(x)\nreturn x",
        methods="def stages(self):\n    yield self.a\n    yield self.b\n    yield self.a",
    ),
    "yield from": Construct(
        TWO,
        "for m in self.stages():\n    x = m(x)\nreturn x",
        methods="def stages(self):\n    yield from (self.a, self.b, self.a)",
    ),
    "a decorator of ours": Construct(
        TWO,
        "return self.step(self.step(x))",
        before="def noted(f):\n    @functools.wraps(f)\n    def run(*args, **kwargs):\n        return f(*args, **kwargs)\n    return run\n",
        methods="@noted\ndef step(self, x):\n    return self.a(x)",
    ),
    "no_grad as a decorator": Construct(
        TWO, "return self.step(self.step(x))", methods="@torch.no_grad()\ndef step(self, x):\n    return self.a(x)"
    ),
    "star arguments": Construct(
        TWO,
        "return self.step(*[x], **{'again': True})",
        methods="def step(self, x, again=False):\n    return self.a(self.a(x)) if again else x",
    ),
    "match": Construct(
        TWO,
        "match flag:\n    case True:\n        return self.a(x)\n    case _:\n        return self.a(self.a(x))",
        arguments="x, flag",
    ),
    "with": Construct(TWO, "with torch.no_grad():\n    x = self.a(x)\nreturn self.a(x)"),
    "while": Construct(TWO, "i = 0\nwhile i < 2:\n    x = self.a(x)\n    i += 1\nreturn x"),
    "while true with a break": Construct(
        TWO, "i = 0\nwhile True:\n    x = self.a(x)\n    i += 1\n    if i == 3:\n        break\nreturn x"
    ),
    "early return": Construct(TWO, "x = self.a(x)\nif flag:\n    return x\nreturn self.a(x)", arguments="x, flag"),
    "continue": Construct(
        PAIR, "for i, m in enumerate(self.l):\n    if i == 0:\n        continue\n    x = m(x)\nreturn x"
    ),
    "break": Construct(PAIR, "for i, m in enumerate(self.l):\n    x = m(x)\n    if i == 0:\n        break\nreturn x"),
    "raise": Construct(TWO, "if x is None:\n    raise ValueError('no input')\nreturn self.a(self.a(x))"),
    "correlated conditions": Construct(
        TWO, "if flag:\n    x = self.a(x)\nif not flag:\n    x = self.a(x)\nreturn x", arguments="x, flag"
    ),
    "is None, is not None": Construct(
        TWO, "if opt is None:\n    x = self.a(x)\nif opt is not None:\n    x = self.a(x)\nreturn x", arguments="x, opt"
    ),
    "a condition of the constructor": Construct(
        "self.flag = flag\nif flag:\n    self.a = nn.Linear(2, 2)\nelse:\n    self.a = nn.Bilinear(2, 2, 2)",
        "if self.flag:\n    return self.a(self.a(x))\nreturn self.a(x, x)",
        parameters=", flag",
    ),
    "an attribute that may be None": Construct(
        "self.a = nn.Linear(2, 2) if flag else None",
        "if self.a is not None:\n    x = self.a(x)\nreturn x",
        parameters=", flag",
    ),
    "training": Construct(TWO, "if self.training:\n    x = self.a(x)\nelse:\n    x = self.b(x)\nreturn self.a(x)"),
    "recursion": Construct(
        TWO,
        "return self.go(x, 2)",
        methods="def go(self, x, depth):\n    if depth == 0:\n        return self.b(x)\n    return self.go(self.a(x), depth - 1)",
    ),
    "a conditional expression": Construct(TWO, "m = self.a if flag else self.b\nreturn m(m(x))", arguments="x, flag"),
    "and, or": Construct(TWO, "m = flag and self.a or self.b\nreturn m(x)", arguments="x, flag"),
    "a chained assignment": Construct("self.a = self.b = nn.Linear(2, 2)", "return self.a(self.b(x))"),
    "a swap": Construct(TWO, "a, b = self.a, self.b\na, b = b, a\nreturn a(a(b(x)))"),
    "super": Construct(
        "self.b = nn.LayerNorm(2)",
        "return self.b(super().forward(x))",
        before="class Base(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(2, 2)\n    def forward(self, x):\n        return self.a(self.a(x))\n",
        bases="Base",
    ),
    "super with arguments": Construct(
        "self.b = nn.LayerNorm(2)",
        "return self.b(super(Net, self).forward(x))",
        before="class Base(nn.Module):\n    def __init__(self):\n        super(Base, self).__init__()\n        self.a = nn.Linear(2, 2)\n    def forward(self, x):\n        return self.a(x)\n",
        bases="Base",
    ),
    "a cooperative MRO": Construct(
        "self.b = nn.LayerNorm(2)",
        "return super().forward(self.b(x))",
        before="class Left(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.left = nn.Linear(2, 2)\n    def forward(self, x):\n        return super().forward(self.left(x))\nclass Right(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.right = nn.Linear(2, 2)\n    def forward(self, x):\n        return self.right(self.right(x))\n",
        bases="Left, Right",
    ),
    "a mixin": Construct(
        "self.a = nn.Linear(2, 2)",
        "return self.twice(x)",
        before="class Twice:\n    def twice(self, x):\n        return self.a(self.a(x))\n",
        bases="Twice, nn.Module",
    ),
    "a hook method": Construct(
        "self.build()",
        "return self.a(self.a(x))",
        before="class Base(nn.Module):\n    def build(self):\n        raise NotImplementedError\n",
        methods="def build(self):\n    self.a = nn.Linear(2, 2)",
        bases="Base",
    ),
    "a class attribute": Construct(
        "self.a = self.layer(2, 2)", "return self.a(self.a(x))", methods="layer = nn.Linear"
    ),
    "a config that is made inside": Construct(
        "config = Config()\nself.l = nn.ModuleList(nn.Linear(config.dim, config.dim) for _ in range(config.depth))",
        "for m in self.l:\n    x = m(x)\nreturn self.l[2](x)",
        before="import dataclasses\n@dataclasses.dataclass\nclass Config:\n    dim: int = 2\n    depth: int = 3\n",
    ),
    "a block of ours": Construct(
        "self.a = Block()\nself.b = Block()",
        "return self.b(self.a(self.a(x)))",
        before="class Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.n = nn.BatchNorm1d(2)\n    def forward(self, x):\n        return self.n(x)\n",
    ),
    "a call of a block's part": Construct(
        "self.a = Block()",
        "return self.a.n(self.a(x))",
        before="class Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.n = nn.BatchNorm1d(2)\n    def forward(self, x):\n        return self.n(x)\n",
    ),
    "BatchNorm1d(affine=False)": Construct("self.a = nn.BatchNorm1d(2, affine=False)", "return self.a(self.a(x))"),
    "BatchNorm1d(track_running_stats=False)": Construct(
        "self.a = nn.BatchNorm1d(2, track_running_stats=False)", "return self.a(self.a(x))"
    ),
    "BatchNorm1d(affine=False, track_running_stats=False)": Construct(
        "self.a = nn.BatchNorm1d(2, affine=False, track_running_stats=False)", "return self.a(self.a(x))"
    ),
    "LayerNorm(elementwise_affine=False)": Construct(
        "self.a = nn.LayerNorm(2, elementwise_affine=False)", "return self.a(self.a(x))"
    ),
    "a subclass of torch's LayerNorm without a constructor": Construct(
        "self.a = Plain(2, elementwise_affine=False)\nself.b = Plain(2)",
        "return self.b(self.a(self.a(x)))",
        before="class Plain(nn.LayerNorm):\n    def forward(self, x):\n        return super().forward(x.float())\n",
    ),
    "a subclass that hands its arguments up": Construct(
        "self.a = Norm(2, affine=False)\nself.b = Norm(2)",
        "return self.b(self.a(self.a(x)))",
        before="class Norm(nn.BatchNorm1d):\n    def __init__(self, size, affine=True):\n"
        "        super().__init__(size, affine=affine, track_running_stats=affine)\n",
    ),
    "a subclass that hands everything up": Construct(
        "self.a = Any(2, elementwise_affine=False)\nself.b = Any(2)",
        "return self.b(self.a(self.a(x)))",
        before="class Any(nn.LayerNorm):\n    def __init__(self, *args, **kwargs):\n        super().__init__(*args, **kwargs)\n",
    ),
    "classes that make no modules": Construct(
        "self.a = Block((2,))",
        "return self.a(self.a(x))",
        before="import threading\nclass Block(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n"
        "        self.size = torch.Size(size)\n        self.lock = threading.Lock()\n"
        "    def forward(self, x):\n        return x.reshape(-1, *self.size)\n",
    ),
    "__getattr__ beside a called attribute": Construct(
        TWO,
        "return self.b(self.a(x)) * self.scale",
        methods="def __getattr__(self, name):\n    return 2 if name == 'scale' else super().__getattr__(name)",
    ),
    "a callable object given the module": Construct(
        TWO + "\nself.process = Process()",
        "return self.process(self, x)",
        before="class Process:\n    def __call__(self, net, x):\n        return net.b(net.a(net.a(x)))\n",
    ),
    "a list cut in two at a number": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2) for _ in range(5)])\nself.n = n",
        "for m in self.l[:self.n]:\n    x = m(x)\nx = x + 1\nfor m in self.l[self.n:]:\n    x = m(x)\nreturn x",
        parameters=", n",
    ),
    "a Sequential cut in two at a number": Construct(
        "self.l = nn.Sequential(*[nn.Linear(2, 2) for _ in range(5)])\nself.n = n",
        "y = self.l[self.n:](x)\nreturn self.l[:self.n](y + 1)",
        parameters=", n",
    ),
    "every other element of a list of unknown length": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2) for _ in range(2 * n)])\nself.k = nn.ModuleList([nn.PReLU() for _ in range(n)])",
        "for p, k, q in zip(self.l[::2], self.k, self.l[1::2]):\n    x = q(k(p(x)))\nreturn x",
        parameters=", n",
    ),
    "LayerNorm(bias=False)": Construct("self.a = nn.LayerNorm(2, bias=False)", "return self.a(self.a(x))"),
    "Dropout(p=0)": Construct("self.a = nn.Dropout(p=0)", "return self.a(self.a(x))"),
    "a block without parameters": Construct(
        "self.a = Block()",
        "return self.a(self.a(x))",
        before="class Block(nn.Module):\n    def forward(self, x):\n        return x * 2\n",
    ),
    "a block with a parameter": Construct(
        "self.a = Block()",
        "return self.a(self.a(x))",
        before="class Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.w = nn.Parameter(torch.ones(2))\n    def forward(self, x):\n        return x * self.w\n",
    ),
    "a block with a parameter that may be None": Construct(
        "self.a = Block(True)\nself.b = Block(False)",
        "return self.a(self.b(x))",
        before="class Block(nn.Module):\n    def __init__(self, affine):\n        super().__init__()\n        if affine:\n            self.w = nn.Parameter(torch.ones(2))\n        else:\n            self.register_parameter('w', None)\n    def forward(self, x):\n        return x\n",
    ),
    "running statistics of our own": Construct(
        "self.a = Block()",
        "return self.a(self.a(x))",
        before="class Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.register_buffer('running_mean', torch.zeros(2))\n    def forward(self, x):\n        return x\n",
    ),
    "spectral_norm": Construct(
        "self.a = parametrizations.spectral_norm(nn.Linear(2, 2))",
        "return self.a(self.a(x))",
        before="from torch.nn.utils import parametrizations\n",
        wraps=True,
    ),
    "weight_norm": Construct(
        "self.a = parametrizations.weight_norm(nn.Linear(2, 2))",
        "return self.a(self.a(x))",
        before="from torch.nn.utils import parametrizations\n",
        wraps=True,
    ),
    "partial as a layer": Construct(
        "norm = partial(nn.LayerNorm, eps=1e-6)\nself.a = norm(2)", "return self.a(self.a(x))"
    ),
    "a registry": Construct(
        "self.a = ACTS['gelu']()", "return self.a(self.a(x))", before="ACTS = {'relu': nn.ReLU, 'gelu': nn.GELU}\n"
    ),
    "a registry by decorator": Construct(
        "self.a = LAYERS['block']()",
        "return self.a(self.a(x))",
        before="LAYERS = {}\ndef register(name):\n    def note(cls):\n        LAYERS[name] = cls\n        return cls\n    return note\n@register('block')\nclass Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.n = nn.Linear(2, 2)\n    def forward(self, x):\n        return self.n(x)\n",
    ),
    "a factory with several returns": Construct(
        "self.a = get_norm('layer')\nself.b = get_norm('none')",
        "return self.a(self.b(self.a(x)))",
        before="def get_norm(kind):\n    if kind == 'layer':\n        return nn.LayerNorm(2)\n    return nn.Identity()\n",
    ),
    "getattr of nn": Construct("self.a = getattr(nn, 'Linear')(2, 2)", "return self.a(self.a(x))"),
    "deepcopy": Construct(
        "layer = nn.Linear(2, 2)\nself.l = nn.ModuleList(copy.deepcopy(layer) for _ in range(2))",
        "for m in self.l:\n    x = m(x)\nreturn x",
    ),
    "clones of a function": Construct(
        "self.l = clones(nn.Linear(2, 2), 2)",
        "for m in self.l:\n    x = m(x)\nreturn self.l[0](x)",
        before="def clones(m, n):\n    return nn.ModuleList([copy.deepcopy(m) for _ in range(n)])\n",
    ),
    "jit.script": Construct(
        "self.a = nn.Linear(2, 2)\nself.b = torch.jit.script(nn.LayerNorm(2))",
        "return self.b(self.a(self.a(x)))",
        wraps=True,
    ),
    "compile": Construct(
        "self.a = torch.compile(nn.Linear(2, 2), backend='eager')", "return self.a(self.a(x))", wraps=True
    ),
    "del": Construct("self.a = nn.Linear(2, 2)\nself.b = nn.LayerNorm(2)\ndel self.b", "return self.a(self.a(x))"),
    "a module made again": Construct("self.a = nn.Linear(2, 2)\nself.a = nn.LayerNorm(2)", "return self.a(self.a(x))"),
    "a list in a plain attribute": Construct(
        "a = nn.Linear(2, 2)\nself.a = a\nself.order = [a, a]", "for m in self.order:\n    x = m(x)\nreturn x"
    ),
    "a dict of methods": Construct(
        TWO,
        "table = {'one': self.one, 'two': self.two}\nreturn table['two'](table['one'](x))",
        methods="def one(self, x):\n    return self.a(x)\ndef two(self, x):\n    return self.a(self.b(x))",
    ),
    "sum of calls": Construct(TWO, "return sum(self.a(x + i) for i in range(2))"),
    "any over modules": Construct(PAIR, "ys = [m(x) for m in self.l]\nreturn self.l[0](ys[0] + ys[1])"),
    "itertools.chain": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2)])\nself.m = nn.ModuleList([nn.LayerNorm(2)])",
        "for m in itertools.chain(self.l, self.m, self.l):\n    x = m(x)\nreturn x",
        before="import itertools\n",
    ),
    "iter and next": Construct(PAIR, "it = iter(self.l)\nx = next(it)(x)\nreturn next(it)(x)"),
    "walrus": Construct(TWO, "x = (y := self.a(x)) + self.a(y)\nreturn self.b(y)"),
    "and with a call": Construct(TWO, "y = flag and self.a(x)\nreturn self.b(x)", arguments="x, flag"),
    "a test with a call behind and": Construct(
        TWO, "if flag and self.a(x).sum() > 100:\n    x = x + 1\nreturn self.b(self.a(x))", arguments="x, flag"
    ),
    "or with a call": Construct(TWO, "y = flag or self.a(x)\nreturn self.b(x)", arguments="x, flag"),
    "and of modules": Construct(TWO, "m = flag and self.a\nreturn m(x) if m else self.b(x)", arguments="x, flag"),
    "or of an attribute that may be None": Construct(
        "self.a = nn.Linear(2, 2) if flag else None\nself.b = nn.LayerNorm(2)",
        "m = self.a or self.b\nreturn m(x)",
        parameters=", flag",
    ),
    "index by range of len": Construct(PAIR, "for i in range(len(self.l)):\n    x = self.l[i](x)\nreturn x"),
    "index modulo": Construct(PAIR, "for i in range(4):\n    x = self.l[i % 2](x)\nreturn x"),
    "pairs": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2), nn.LayerNorm(2), nn.PReLU()])",
        "for a, b in zip(self.l, self.l[1:]):\n    x = b(a(x))\nreturn x",
    ),
    "star in a list": Construct(PAIR, "for m in [*self.l, self.l[0]]:\n    x = m(x)\nreturn x"),
    "children in a Sequential": Construct(
        "self.l = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.PReLU())\nself.s = nn.Sequential(*list(self.l.children())[:-1])",
        "return self.s(x)",
    ),
    "a dict of zip": Construct(
        "self.d = nn.ModuleDict(dict(zip(('a', 'b'), (nn.Linear(2, 2), nn.LayerNorm(2)))))",
        "return self.d['b'](self.d['a'](self.d['a'](x)))",
    ),
    "copies times two": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)] * 2)", "for m in self.l:\n    x = m(x)\nreturn x"
    ),
    "deepcopy of a list": Construct(
        "l = nn.ModuleList([nn.Linear(2, 2)])\nself.l = l\nself.m = copy.deepcopy(l)",
        "return self.m[0](self.l[0](self.l[0](x)))",
    ),
    "+= of a ModuleList": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2), nn.LayerNorm(2)])\nself.l += [nn.PReLU()]",
        "for m in self.l:\n    x = m(x)\nreturn self.l[2](x)",
    ),
    "an element that is replaced": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2), nn.LayerNorm(2)])\nself.l[0] = nn.PReLU()",
        "for m in self.l:\n    x = m(x)\nreturn self.l[0](x)",
    ),
    "an element that is deleted": Construct(
        "self.l = nn.ModuleList([nn.Linear(2, 2), nn.LayerNorm(2), nn.PReLU()])\ndel self.l[0]",
        "for m in self.l:\n    x = m(x)\nreturn self.l[0](x)",
    ),
    "reversed by a slice": Construct(PAIR, "for m in self.l[::-1]:\n    x = m(x)\nreturn x"),
    "values of a ModuleDict": Construct(
        "self.d = nn.ModuleDict({'a': nn.Linear(2, 2), 'b': nn.LayerNorm(2)})",
        "for m in self.d.values():\n    x = m(x)\nreturn x",
    ),
    "keys with f-strings": Construct(
        "self.d = nn.ModuleDict({f'k{i}': nn.Linear(2, 2) for i in range(2)})",
        "for i in range(2):\n    x = self.d[f'k{i}'](x)\nreturn x",
    ),
    "in a ModuleDict": Construct(
        "self.d = nn.ModuleDict({'a': nn.Linear(2, 2)})",
        "if 'a' in self.d:\n    x = self.d['a'](x)\nif 'b' in self.d:\n    x = self.d['b'](x)\nreturn x",
    ),
    "pop of a ModuleDict": Construct(
        "self.d = nn.ModuleDict({'a': nn.Linear(2, 2), 'b': nn.PReLU()})\nself.a = self.d.pop('a')",
        "return self.a(self.a(x))",
    ),
    "forward that is another method": Construct(
        TWO, "return x", methods="def go(self, x):\n    return self.a(self.a(x))\nforward = go"
    ),
    "a local class": Construct(
        "class Inner(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.n = nn.Linear(2, 2)\n    def forward(self, x):\n        return self.n(x)\nself.a = Inner()",
        "return self.a(self.a(x))",
    ),
    "nullcontext": Construct(
        TWO, "with contextlib.nullcontext():\n    x = self.a(x)\nreturn self.a(x)", before="import contextlib\n"
    ),
    "a try that raises": Construct(
        TWO,
        "try:\n    if flag:\n        raise ValueError\n    x = self.a(x)\nexcept ValueError:\n    x = self.b(x)\nreturn x",
        arguments="x, flag",
    ),
    "assert": Construct(TWO, "assert x is not None\nreturn self.a(self.a(x))"),
    "elif": Construct(
        TWO,
        "if mode == 'a':\n    x = self.a(x)\nelif mode == 'b':\n    x = self.b(x)\nelse:\n    x = self.a(self.b(x))\nreturn x",
        arguments="x, mode",
    ),
    "mode twice": Construct(
        TWO, "if mode == 'a':\n    x = self.a(x)\nif mode == 'b':\n    x = self.a(x)\nreturn x", arguments="x, mode"
    ),
    "a dict by mode": Construct(
        TWO, "m = {'a': self.a, 'b': self.b, 'c': self.a}[mode]\nreturn m(x)", arguments="x, mode"
    ),
    "a tuple of layers": Construct(
        "self.a, self.b = nn.Linear(2, 2), nn.LayerNorm(2)", "return self.b(self.a(self.a(x)))"
    ),
    "layers from a generator": Construct(
        "self.a, self.b = (nn.Linear(2, 2) for _ in range(2))", "return self.b(self.a(self.a(x)))"
    ),
    "setattr of a dict": Construct(
        "for name, layer in {'a': nn.Linear(2, 2), 'b': nn.LayerNorm(2)}.items():\n    setattr(self, name, layer)",
        "return self.b(self.a(self.a(x)))",
    ),
    "a property with a branch": Construct(
        "self.a = nn.Linear(2, 2)\nself.b = nn.LayerNorm(2)\nself.flag = flag",
        "return self.m(self.m(x))",
        methods="@property\ndef m(self):\n    return self.a if self.flag else self.b",
        parameters=", flag",
    ),
    "a static method that makes": Construct(
        "self.a = self.make()\nself.b = self.make()",
        "return self.b(self.a(self.a(x)))",
        methods="@staticmethod\ndef make():\n    return nn.Linear(2, 2)",
    ),
    "a cached function": Construct(
        "self.a = make()\nself.b = make()",
        "return self.b(self.a(x))",
        before="@functools.lru_cache\ndef make():\n    return nn.Linear(2, 2)\n",
    ),
    "kwargs to a block": Construct(
        "self.a = Block(**dict(norm=True))\nself.b = Block(norm=False)",
        "return self.b(self.a(self.a(x)))",
        before="class Block(nn.Module):\n    def __init__(self, norm):\n        super().__init__()\n        self.n = nn.BatchNorm1d(2) if norm else nn.Identity()\n    def forward(self, x):\n        return self.n(x)\n",
    ),
    "a norm_layer of a block": Construct(
        "self.a = Block()\nself.b = Block(nn.BatchNorm1d)",
        "return self.b(self.a(self.a(x)))",
        before="class Block(nn.Module):\n    def __init__(self, norm_layer=nn.LayerNorm):\n        super().__init__()\n        self.n = norm_layer(2)\n    def forward(self, x):\n        return self.n(x)\n",
    ),
    "norm_layer or a default": Construct(
        "self.a = Block()\nself.b = Block(nn.BatchNorm1d)",
        "return self.b(self.a(self.a(x)))",
        before="class Block(nn.Module):\n    def __init__(self, norm_layer=None):\n        super().__init__()\n        norm_layer = norm_layer or nn.LayerNorm\n        self.n = norm_layer(2)\n    def forward(self, x):\n        return self.n(x)\n",
    ),
    "two levels of blocks": Construct(
        "self.a = Outer()",
        "return self.a(self.a(x))",
        before="class Inner(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.n = nn.BatchNorm1d(2)\n    def forward(self, x):\n        return self.n(x)\nclass Outer(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.i = nn.ModuleList([Inner()])\n    def forward(self, x):\n        return self.i[0](x)\n",
    ),
    "a subclass of a container": Construct(
        "self.s = Stack(nn.Linear(2, 2), nn.LayerNorm(2))",
        "return self.s(self.s(x))",
        before="class Stack(nn.Sequential):\n    pass\n",
    ),
    "a Sequential with its own forward": Construct(
        "self.s = Stack(nn.Linear(2, 2), nn.LayerNorm(2))",
        "return self.s(x)",
        before="class Stack(nn.Sequential):\n    def forward(self, x):\n        for m in self:\n            x = m(m(x))\n        return x\n",
    ),
    "a loop that breaks on a flag": Construct(
        PAIR, "for m in self.l:\n    x = m(x)\n    if flag:\n        break\nreturn x", arguments="x, flag"
    ),
    "a loop with an unknown length": Construct(
        TWO, "for _ in range(n):\n    x = self.a(x)\nreturn self.b(x)", arguments="x, n"
    ),
    "calls in a list comprehension": Construct(
        TWO, "ys = [self.a(y) for y in (x, x + 1)]\nreturn self.b(ys[0] + ys[1])"
    ),
    "calls in a dict comprehension": Construct(
        PAIR, "ys = {i: m(x) for i, m in enumerate(self.l)}\nreturn ys[0] + ys[1]"
    ),
    "an early exit in a loop": Construct(
        PAIR,
        "for i, m in enumerate(self.l):\n    if flag and i == 1:\n        return x\n    x = m(x)\nreturn self.l[0](x)",
        arguments="x, flag",
    ),
    "a nested function with a default": Construct(TWO, "def step(y, m=self.a):\n    return m(y)\nreturn step(step(x))"),
    "functions in a loop": Construct(
        PAIR,
        "steps = []\nfor m in self.l:\n    def step(y, m=m):\n        return m(y)\n    steps.append(step)\nfor step in steps:\n    x = step(x)\nreturn x",
    ),
    "a function that returns a function": Construct(
        TWO, "def make(m):\n    def run(y):\n        return m(m(y))\n    return run\nreturn make(self.a)(x)"
    ),
    "a method as a value": Construct(
        TWO, "f = self.step\nreturn f(f(x))", methods="def step(self, x):\n    return self.a(x)"
    ),
    "methods in a list": Construct(
        TWO,
        "for f in (self.one, self.two):\n    x = f(x)\nreturn x",
        methods="def one(self, x):\n    return self.a(x)\ndef two(self, x):\n    return self.a(self.b(x))",
    ),
    "MultiheadAttention": Construct(
        "self.a = nn.MultiheadAttention(2, 1)", "y, _ = self.a(x, x, x)\nreturn self.a(y, y, y)[0]"
    ),
    "LSTM with a state": Construct(
        "self.a = nn.LSTM(2, 2)", "y, state = self.a(x)\ny, state = self.a(y, state)\nreturn y"
    ),
    "LSTMCell in a loop": Construct(
        "self.a = nn.LSTMCell(2, 2)", "h, k = x, x\nfor _ in range(3):\n    h, k = self.a(x, (h, k))\nreturn h"
    ),
    "tuple results": Construct(
        "self.a = Block()\nself.b = nn.Linear(2, 2)",
        "y, z = self.a(x)\nreturn self.b(y) + self.b(z)",
        before="class Block(nn.Module):\n    def forward(self, x):\n        return x, x\n",
    ),
    "residual": Construct(TWO, "x = x + self.a(x)\nx = x + self.a(x)\nreturn x"),
    "parallel branches": Construct(TWO, "return self.a(x) + self.a(x.flip(0))"),
    "torch.cat of calls": Construct(TWO, "return torch.cat([self.a(x), self.a(x)])[:2]"),
    "in place operations": Construct(TWO, "y = x.clone()\ny += self.a(x)\nreturn self.a(y)"),
    "index assignment": Construct(TWO, "y = torch.zeros(2, 2)\ny[0] = self.a(x)[0]\nreturn self.a(y)"),
    "a flag in a tuple": Construct(
        TWO,
        "for m, again in ((self.a, True), (self.b, False)):\n    x = m(x)\n    if again:\n        x = m(x)\nreturn x",
    ),
    "string dispatch": Construct(
        "self.kind = 'a'\nself.a = nn.Linear(2, 2)\nself.b = nn.LayerNorm(2)",
        "return getattr(self, self.kind)(getattr(self, self.kind)(x))",
    ),
    "a registered buffer": Construct(
        "self.register_buffer('scale', torch.ones(2))\nself.a = nn.Linear(2, 2)",
        "return self.a(self.a(x)) * self.scale",
    ),
    "apply of an init": Construct(
        "self.a = nn.Linear(2, 2)\nself.b = nn.LayerNorm(2)\nself.apply(self._init)",
        "return self.a(self.a(x))",
        methods="def _init(self, m):\n    if isinstance(m, nn.Linear):\n        nn.init.zeros_(m.weight)",
    ),
    "a module in a dict attribute": Construct(
        "self.table = {'a': nn.Linear(2, 2)}\nself.b = nn.PReLU()", "return self.b(x)"
    ),
    "global write": Construct(
        "self.a = nn.Linear(2, 2)",
        "global COUNT\nCOUNT = 2\nfor _ in range(COUNT):\n    x = self.a(x)\nreturn x",
        before="COUNT = 0\n",
    ),
    "a counter on self": Construct(
        "self.a = nn.Linear(2, 2)\nself.b = nn.LayerNorm(2)\nself.count = 0",
        "self.count = 0\nfor _ in range(3):\n    self.count += 1\n    x = self.a(x)\nreturn self.b(x) if self.count == 3 else x",
    ),
    "any and all": Construct(
        PAIR, "if any(isinstance(m, nn.LayerNorm) for m in self.l):\n    x = self.l[0](x)\nreturn self.l[0](x)"
    ),
    "max depth of nesting": Construct(
        TWO,
        "for _ in range(2):\n    for _ in range(2):\n        with torch.no_grad():\n            if flag:\n                x = self.a(x)\nreturn x",
        arguments="x, flag",
    ),
    "flatten": Construct(
        "layers = []\nfor i in range(2):\n    layers += [nn.Linear(2, 2), nn.ReLU()]\nself.s = nn.Sequential(*layers)",
        "return self.s(self.s[0](x))",
    ),
    "a generator of calls": Construct(PAIR, "return sum(m(x) for m in self.l)"),
    "a generator method with a condition": Construct(
        TWO,
        "for m in self.stages(flag):\n    x = m(x)\nreturn x",
        methods="def stages(self, flag):\n    yield self.a\n    if flag:\n        yield self.b",
        arguments="x, flag",
    ),
    "a generator in a loop": Construct(
        PAIR,
        "for m in self.stages():\n    x = m(x)\nreturn x",
        methods="def stages(self):\n    for m in self.l:\n        yield m\n        yield m",
    ),
    "a generator in an unknown loop": Construct(
        TWO,
        "for m in self.stages(n):\n    x = m(x)\nreturn x",
        methods="def stages(self, n):\n    for _ in range(n):\n        yield self.a",
        arguments="x, n",
    ),
    "recursion without numbers": Construct(
        PAIR,
        "return self.go(x, list(self.l))",
        methods="def go(self, x, rest):\n    if not rest:\n        return x\n    return self.go(rest[0](x), rest[1:])",
    ),
}
