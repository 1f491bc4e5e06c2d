"""Sequences of calls, drawn: the same one as a Python program, step by step, and as a `.calls` script."""

from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

PRELUDE = (Path(__file__).parent / "drawn_functions.py").read_text()


@dataclass(frozen=True)
class Value:
    """An argument: as Python makes it, and in the grammar of call scripts, where that can say it."""

    code: str
    spec: str | None


@dataclass(frozen=True)
class Function:
    """`takes` tells for each parameter what it is given: an `array`, a `tree`, a static `value`, a `key`; it
    ends in `=` for one with a default, begins with a `*` for one given by name alone. `event` is the name in
    JAX's events, `shared` alike for jits that share executables, `ref` what a call script calls, if it can.
    """

    name: str
    takes: tuple[tuple[str, str], ...]
    event: str
    shared: str
    ref: str | None


def _function(name, event=None, shared=None, ref="", **takes):
    return Function(name, tuple(takes.items()), event or name, shared or name, name if ref == "" else ref)


ONE = {"x": "array"}
TWO = {"x": "array", "y": "array"}
FUNCTIONS = [
    _function("add", **TWO),
    _function("scale", x="array", n="value="),
    _function("last", x="array", n="value"),
    _function("formed", x="array", y="array=", flag="*value="),
    _function("grow", tree="tree"),
    _function("variadic"),
    _function("donating", **TWO),
    _function("ignoring", **TWO),
    _function("forwarding", **ONE),
    _function("summing", **ONE),
    _function("multiplying", **ONE),
    _function("inner", **ONE),
    _function("outer", **ONE),
    _function("calling_back", **ONE),
    _function("refusing", **ONE),
    _function("ahead", **ONE),
    _function("constant", **ONE),
    _function("keyed", key="key"),
    _function("nothing"),
    _function("first", "base", "base", **TWO),
    _function("second", "base", "base", **TWO),
    _function("third", "base", **TWO),
    _function("fourth", "base", **TWO),
    _function("fifth", "base", **TWO),
    _function("sixth", "base", **TWO),
    _function("partially", "base", **ONE),
    _function("plainly", "plain", ref="plain", **ONE),
    _function("instance", "<unnamed function>", **ONE),
    _function("bound", "step", **ONE),
    _function("model.held", "held", **ONE),
]
IN_PROGRAMS_ONLY = [
    _function("fresh()", "<lambda>", ref=None, **ONE),
    _function("remade", ref=None, **ONE),
    _function("again", "base", "base", ref=None, **TWO),
]
BASES = [function for function in FUNCTIONS if function.event == "base"]

_DTYPES = {
    "f32": "np.float32", "f64": "np.float64", "i32": "np.int32", "bf16": "jnp.bfloat16", "bool": "np.bool_",
}  # fmt: skip


types = st.tuples(
    st.sampled_from(["f32"] * 5 + list(_DTYPES)),
    st.sampled_from([(4,), (8,), (4,), (2,), (), (4, 4), (1,)]),
)


@st.composite
def arrays(draw, scripted, alike):
    """An array, most often of one of the types in `alike`, or a Python scalar."""
    scalar = draw(st.sampled_from([None] * 7 + ["2", "2.5", "True", "3", "0.5"]))
    if scalar is not None:
        return Value(scalar, scalar)
    dtype, shape = draw(st.sampled_from(alike) if draw(st.integers(0, 4)) else types)
    zeros = f"np.zeros({shape}, {_DTYPES[dtype]})"
    spec = f"{dtype}[{','.join(map(str, shape))}]"
    placed = draw(st.sampled_from(["", "", "", "jnp", "weak", "device", "mesh"]))
    if placed == "jnp" and not scripted:  # a script's calls are made on NumPy arrays
        return Value(f"jnp.asarray({zeros})", spec)
    if placed == "weak" and dtype in ("f32", "i32"):
        return Value(f"weak({zeros})", f"{spec}{{weak}}")
    if placed == "device":
        device = draw(st.integers(0, 3))
        return Value(f"at({device}, {zeros})", f"{spec}@cpu:{device}")
    if placed == "mesh" and shape and shape[0] % 4 == 0:
        axis = draw(st.sampled_from(["'d'", "None"]))
        size = 2 if scripted else draw(st.sampled_from([2, 4]))
        return Value(f"over({size}, {axis}, {zeros})", f"{spec}@P({axis})")
    return Value(zeros, spec)


_TREES = [
    "{{'a': {0}, 'b': {1}}}", "{{'b': {1}, 'a': {0}}}", "{{'a': {0}}}", "{{'a': {0}, 'c': {1}}}", "[{0}]",
    "[{0}, {1}]", "({0}, {1})", "({0}, None)", "({0},)", "None", "{{'a': [{0}], 'c': None}}", "{0}", "[]",
]  # fmt: skip
_OWN_TREES = ["Point({0}, {1})", "collections.OrderedDict(a={0}, b={1})", "jax.tree_util.Partial(plain, {0})"]
_VALUES = ["1", "2", "3", "True", "False", "1.0", "'a'", "'b'", "None", "(1, 2)", "(1, True)", "0.0", "-0.0"]
_OWN_VALUES = [
    "float('nan')", "NAN", "Config(1)", "Config(2)", "Config(1, 'b')", "OPAQUE", "Opaque()", "plain",
    "np.float32(1)", "np.int32(1)", "lambda: 1",
]  # fmt: skip
_KEYS = [("key[]", "jax.random.key(0)"), ("key[2]", "jax.random.split(jax.random.key(0))"),
         ("key<rbg>[]", "jax.random.key(0, impl='rbg')")]  # fmt: skip


class Pool:
    """What one program draws from, so that its calls have much in common."""

    def __init__(self, draw, scripted):
        self.draw, self.scripted = draw, scripted
        alike = draw(st.lists(types, min_size=1, max_size=2))
        self.arrays = draw(st.lists(arrays(scripted, alike), min_size=1, max_size=5))
        trees = st.sampled_from(_TREES if scripted else _TREES + _OWN_TREES)
        self.trees = draw(st.lists(trees, min_size=1, max_size=3))
        values = st.sampled_from(_VALUES if scripted else _VALUES + _OWN_VALUES)
        self.values = draw(st.lists(values, min_size=1, max_size=4))
        own = [] if scripted else IN_PROGRAMS_ONLY
        some = st.lists(st.sampled_from(FUNCTIONS + own), min_size=1, max_size=3)
        self.functions = draw(some | st.just(BASES + own[-1:]))
        self.settings = [{}, *draw(st.lists(settings(scripted), max_size=2))]
        self.clearings = 0

    def shared(self, function):
        """`again` makes its jit in the call: it shares with jits that no clearing parts it from."""
        made_after = self.clearings if function.name == "again" else 0
        return f"{function.shared} after {made_after}" if made_after else function.shared

    def value(self, kind):
        draw = self.draw
        if kind == "array":
            return draw(st.sampled_from(self.arrays))
        if kind == "tree":
            leaves = [draw(st.sampled_from(self.arrays)) for _ in range(2)]
            tree = draw(st.sampled_from(self.trees))
            return Value(tree.format(*(v.code for v in leaves)), tree.format(*(v.spec for v in leaves)))
        if kind == "key":
            return Value(*reversed(draw(st.sampled_from(_KEYS))))
        code = draw(st.sampled_from(self.values))
        return Value(code, code)

    def arguments(self, function):
        """Pairs of a name, None by position, and a value."""
        draw, found, named = self.draw, [], False
        if function.name == "variadic":
            found = [(None, self.value("array")) for _ in range(draw(st.integers(0, 2)))]
            names = draw(st.lists(st.sampled_from("uvw"), unique=True, max_size=2))
            return found + [(name, self.value("array")) for name in names]
        for name, kind in function.takes:
            if kind.endswith("=") and draw(st.booleans()):
                named = True
                continue
            named = named or kind.startswith("*") or draw(st.integers(0, 3)) == 3
            found.append((name if named else None, self.value(kind.strip("*="))))
        positional = [pair for pair in found if pair[0] is None]
        return positional + draw(st.permutations([pair for pair in found if pair[0] is not None]))


@st.composite
def settings(draw, scripted):
    """One setting that holds for a call, or two."""
    choices = {
        "jax_enable_x64": ["True", "False"],
        "jax_default_matmul_precision": ["'float32'", "'bfloat16'"],
        "jax_numpy_rank_promotion": ["'warn'", "'raise'"],
        "jax_debug_nans": ["True"],
    }
    if not scripted:
        choices |= {"jax_default_device": ["0", "1"], "mesh": ["2"]}
    names = draw(st.lists(st.sampled_from(sorted(choices)), min_size=1, max_size=2, unique=True))
    return {name: draw(st.sampled_from(choices[name])) for name in names}


@dataclass(frozen=True)
class Step:
    """One step of a program. `calls` tells whether it makes a row; `shared` is None where the executable is
    not to be compared; `line` is the step in a `.calls` script.
    """

    code: str
    calls: bool = False
    event: str = ""
    shared: str | None = None
    line: str | None = None


def _indented(text):
    return "\n".join(f"    {line}" for line in text.splitlines())


def _within(settings, code):
    if not settings:
        return code
    inside = ", ".join(f"{name}={value}" for name, value in settings.items())
    return f"with setting({inside}):\n{_indented(code)}"


_TRIED = """
try:
    out = {}
except Exception as error:
    out = f"{{type(error).__name__}}: {{error}}"
"""


def _program_step(code, arguments, settings):
    """The step's arguments, then `note`, then what it does; a failure is its result."""
    args = "".join(f"{value.code}, " for name, value in arguments if name is None)
    kwargs = ", ".join(f"{name!r}: {value.code}" for name, value in arguments if name is not None)
    made = f"args, kwargs = ({args}), {{{kwargs}}}\nnote(args, kwargs)"
    return _within(settings, made + _TRIED.rstrip().format(code))


def _line(function, arguments, settings):
    told = [value.spec if name is None else f"{name}={value.spec}" for name, value in arguments]
    call = f"{function.ref}({', '.join(told)})"
    if not settings:
        return call
    inside = ", ".join(f"{name}={value}" for name, value in settings.items())
    return f"with config({inside}):\n    {call}"


_CALLS = {
    "call": "{0}(*args, **kwargs)",
    "thread": "in_thread(lambda: {0}(*args, **kwargs))",
    "gradient": "gradient(lambda value: {0}(value, *args[1:], **kwargs), np.ones(4, np.float32))",
    "mapped": "mapped(lambda value: {0}(value, *args[1:], **kwargs), np.ones((2, 4), np.float32))",
}
_KINDS = ["call"] * 14 + ["besides", "besides", "thread", "gradient", "mapped", "aot"]
_BESIDES = ["jax.clear_caches()", "{0}.clear_cache()", "remade = remake()", "collect()"]


def _step(draw, pool):
    function = draw(st.sampled_from(pool.functions))
    arguments = pool.arguments(function)
    settings = draw(st.sampled_from(pool.settings))
    if pool.scripted:
        code = _program_step(f"{function.name}(*args, **kwargs)", arguments, settings)
        return Step(code, True, function.event, function.shared, _line(function, arguments, settings))
    return _program_step_of(draw, pool, function, arguments, settings)


def _program_step_of(draw, pool, function, arguments, settings):
    kind = draw(st.sampled_from(_KINDS))
    if kind == "besides":
        code = draw(st.sampled_from(_BESIDES))
        pool.clearings += code == "jax.clear_caches()"
        one_off = function.name in ("fresh()", "again")
        return Step("collect()" if one_off and "{0}" in code else code.format(function.name))
    if kind == "aot" and function.name not in ("fresh()", "again"):
        code = _program_step(f"{function.name}.lower(*args, **kwargs).compile()", arguments, settings)
        return Step(f"{code}\ncompiled, out = out, None")
    by_position = bool(arguments) and arguments[0][0] is None and function.takes
    if kind in ("gradient", "mapped") and not (by_position and function.takes[0][1] == "array"):
        kind = "call"
    code = _program_step(_CALLS.get(kind, _CALLS["call"]).format(function.name), arguments, settings)
    elsewhere = kind in ("gradient", "mapped") or (kind == "thread" and settings)  # a thread has its own
    shared = None if elsewhere else pool.shared(function)
    return Step(code, True, function.event, shared)


@st.composite
def programs(draw, scripted):
    """Steps, most of them calls; those of a script can be written as `.calls`."""
    pool = Pool(draw, scripted)
    return [_step(draw, pool) for _ in range(draw(st.integers(1, 40)))]


def as_program(steps):
    return "\n".join([PRELUDE, *(step.code for step in steps), ""])


def as_script(steps, module):
    refs = sorted({function.ref.partition(".")[0] for function in FUNCTIONS if function.ref})
    return "\n".join([f"from {module} import {', '.join(refs)}", *(step.line for step in steps), ""])
