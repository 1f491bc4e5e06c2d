"""`donation`, compared with what JAX really does: whether an output is in the memory of an argument."""

import functools
import json
import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables import aliasing
from jitinspect.model import Target
from jitinspect.readings import donation
from jitinspect.readings.donation_savings import module
from jitinspect.specs import parse_argument
from jitinspect.stages import inspection
from jitinspect.stages.observer import Observer
from jitinspect.stages.pipeline import Pipeline
from jitinspect.targets.jitting import jitted
from jitinspect.targets.loading import named
from tests.support.compiling import UNOPTIMIZED
from tests.support.prefork import printed

TARGET = Target("t", "t", "t", None, None, (), (), "")


def report(fn, *args, muted=nullcontext, **kwargs):
    """The report as the command makes it."""
    jit = jitted(named(fn))
    pipeline = Pipeline(functools.partial(jit.trace, *args, **kwargs))
    subject = inspection.Subject(pipeline, jit, (args, kwargs), "f()", {}, None, muted)
    return donation.read(TARGET, iter([subject]))


def rows(fn, *args, **kwargs):
    """path → (what became of it, why not or what donating it would save)."""
    leaves = report(fn, *args, **kwargs).donation
    return {leaf.path: (leaf.aliased, leaf.why or leaf.could_save) for leaf in leaves}


def buffer(array):
    """Where the memory of an array begins; for a key, that of its key data."""
    return getattr(array, "_base_array", array).unsafe_buffer_pointer()


def reused(fn, *args):
    """For each array argument, the output of a real call that is in its memory, or None."""
    before = [buffer(leaf) for leaf in jax.tree.leaves(args)]
    outputs, _ = jax.tree_util.tree_flatten_with_path(fn(*args))
    after = {buffer(leaf): f"result{jax.tree_util.keystr(path)}" for path, leaf in reversed(outputs)}
    return [after.get(pointer) for pointer in before]


def f32(*shape):
    return jnp.arange(np.prod(shape, dtype=int), dtype="float32").reshape(shape) + 1


def params():
    return {"b": f32(64), "w": f32(64, 64)}


def shift(tree):
    return jax.tree.map(lambda leaf: leaf + 1, tree)


def give(fn, *nums, **options):
    return jax.jit(fn, donate_argnums=nums, **options)


def scanned(closed_over):
    def fn(carry, x):
        return lax.scan(lambda c, _: (c * 2 + x if closed_over else c * 2, None), carry, length=3)[0]

    return fn


def loop(x):
    return lax.while_loop(lambda c: c[0, 0] < 100, lambda c: c * 2, x)


def either(p, x):
    return lax.cond(p, lambda x: x + 1, lambda x: x * 2, x)


def loss(params, x):
    return jnp.sum((x @ params["w"] + params["b"]) ** 2)


def descend(params, x):
    return jax.tree.map(lambda a, b: a - 0.1 * b, params, jax.grad(loss)(params, x))


def bits(x):
    return lax.bitcast_convert_type(x, jnp.int32)


M = (64, 64)
CASES = {
    # what: the jit, its arguments, and for each leaf its output and why not
    "same shape": (give(shift, 0), lambda: [f32(*M)], {"tree": ("result", 0)}),
    "pytree": (
        give(shift, 0), lambda: [params()],
        {"tree['b']": ("result['b']", 0), "tree['w']": ("result['w']", 0)},
    ),
    "scan carry": (
        give(scanned(False), 0), lambda: [f32(*M), f32(*M)], {"carry": ("result", 0), "x": (None, 0)},
    ),
    "identity": (give(lambda x: x, 0), lambda: [f32(*M)], {"x": ("result", 0)}),
    "transpose": (give(lambda x: x.T + 1, 0), lambda: [f32(*M)], {"x": ("result", 0)}),
    "bitcast": (give(bits, 0), lambda: [f32(*M)], {"x": ("result", 0)}),
    "bitcast of four": (give(bits, 0), lambda: [f32(4)], {"x": ("result", 0)}),
    "reshape": (give(lambda x: (x + 1).reshape(-1), 0), lambda: [f32(*M)], {"x": ("result", 0)}),
    "reduced": (give(lambda x: jnp.sum(x, 0), 0), lambda: [f32(*M)], {"x": (None, "no_output")}),
    "two donated, one output": (
        give(lambda x, y: x + y, 0, 1), lambda: [f32(*M), f32(*M)],
        {"x": ("result", 0), "y": (None, "no_output")},
    ),
    "two donated, two outputs": (
        give(lambda x, y: (x + y, x - y), 0, 1), lambda: [f32(*M), f32(*M)],
        {"x": ("result[0]", 0), "y": ("result[1]", 0)},
    ),
    "to bf16": (give(lambda x: x.astype("bfloat16"), 0), lambda: [f32(*M)], {"x": (None, "dtype")}),
    "unused": (
        give(lambda x, y: y + 1, 0), lambda: [f32(*M), f32(*M)], {"x": (None, "unused"), "y": (None, 16384)},
    ),
    "kept unused": (
        give(lambda x, y: y + 1, 0, keep_unused=True), lambda: [f32(*M), f32(*M)],
        {"x": ("result", 0), "y": (None, 0)},
    ),
    "kept unused, no output": (
        give(lambda x, y: y.sum(), 0, keep_unused=True), lambda: [f32(*M), f32(*M)],
        {"x": (None, "no_output"), "y": (None, 0)},
    ),
    "nested jit": (
        jax.jit(lambda x: give(lambda a: a + 1, 0)(x)), lambda: [f32(*M)], {"x": (None, "nested_jit")},
    ),
    "one leaf used": (
        give(lambda tree: tree["w"] + 1, 0), lambda: [params()],
        {"tree['b']": (None, "unused"), "tree['w']": ("result", 0)},
    ),
    "by name": (
        jax.jit(lambda x, y: (x + 1, y + 1), donate_argnames="y"), lambda: [f32(*M), f32(*M)],
        {"x": (None, 16384), "y": ("result[0]", 0)},
    ),
    "returned twice": (give(lambda x: (x + 1,) * 2, 0), lambda: [f32(*M)], {"x": ("result[0]", 0)}),
    "closed over in a scan": (
        give(scanned(True), 1), lambda: [f32(*M), f32(*M)], {"carry": (None, 0), "x": ("result", 0)},
    ),
    "while": (give(loop, 0), lambda: [f32(*M)], {"x": ("result", 0)}),
    "cond": (give(either, 1), lambda: [jnp.array(True), f32(*M)], {"p": (None, 0), "x": ("result", 0)}),
    "scalar": (give(lambda x: x + 1, 0), lambda: [f32()], {"x": ("result", 0)}),
    "bool": (give(lambda x: ~x, 0), lambda: [f32(*M) > 5], {"x": ("result", 0)}),
    "int8": (give(lambda x: x * 2, 0), lambda: [f32(8, 8).astype("int8")], {"x": ("result", 0)}),
    "key": (give(lambda k: jax.random.fold_in(k, 1), 0), lambda: [jax.random.key(3)], {"k": ("result", 0)}),
    "keys": (
        give(lambda k: jax.vmap(jax.random.fold_in)(k, jnp.arange(8)), 0),
        lambda: [jax.random.split(jax.random.key(3), 8)], {"k": ("result", 0)},
    ),
    "with grad": (
        give(descend, 0), lambda: [params(), f32(8, 64)],
        {"params['b']": ("result['b']", 0), "params['w']": ("result['w']", 0), "x": (None, 0)},
    ),
    "of a partial": (
        jax.jit(functools.partial(descend), donate_argnames="x"), lambda: [params(), f32(64, 64)],
        {"params['b']": (None, 0), "params['w']": (None, 0), "x": ("result['w']", 0)},
    ),
    "nothing donated": (jax.jit(shift), lambda: [f32(*M)], {"tree": (None, 16384)}),
    "ordered effect": (
        give(lambda x: (jax.debug.print("{}", x[0, 0], ordered=True), x + 1)[1], 0), lambda: [f32(*M)],
        {"x": ("result", 0)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_the_report_is_what_jax_does(what):
    fn, make, expected = CASES[what]
    args = make()
    reported = report(fn, *args)
    found = {leaf.path: (leaf.aliased, leaf.why or leaf.could_save) for leaf in reported.donation}
    assert found == expected
    assert reported.bytes_aliased == sum(leaf.bytes for leaf in reported.donation if leaf.aliased)
    assert [leaf.aliased for leaf in reported.donation] == reused(fn, *args)


@pytest.mark.parametrize("what", CASES)
def test_what_follows_without_donation_is_what_compiling_without_it_gives(what):
    fn, make, _ = CASES[what]
    traced = fn.trace(*make())
    lowered = traced.lower()
    now = module(lowered, lowered.compile())
    assert (now.alone is not None) is (what in FOLLOWS)
    if now.alone is not None:
        base = module(*aliasing.recompiled(traced, [False] * len(aliasing.donated(traced))))
        assert (now.alone, now.bytes) == (base.peak, base.bytes) and not base.copied | base.made_by_copy


FOLLOWS = {
    "same shape", "pytree", "two donated, one output", "kept unused", "one leaf used", "scalar", "bool",
    "int8",
    "reduced", "to bf16", "unused", "kept unused, no output", "nested jit", "nothing donated",  # no aliases
}  # fmt: skip


@pytest.mark.parametrize(
    ("fn", "compilations"),
    [
        (give(lambda x, y: x + y, 0, 1), 0),  # it follows
        (give(lambda x, y: (x + y).sum(0), 0, 1), 0),  # nothing is donated that could be
        (give(lambda x, y: (x @ y) @ x, 0), 1),  # and y no output has a use for
        (give(lambda x, y: (x @ y, (y @ x) @ y), 0), 2),
    ],
)
def test_it_is_compiled_again_only_where_that_may_make_a_difference(fn, compilations, monkeypatch):
    made, inner = [], aliasing.recompiled
    monkeypatch.setattr(aliasing, "recompiled", lambda *given: made.append(inner(*given)) or made[-1])
    report(fn, f32(*M), f32(*M))
    assert len([one for one in made if one is not None]) == compilations


def test_donating_saves_what_could_be_saved():
    def fn(x, y, z):
        return x + y, z.sum()

    args = [f32(*M), f32(*M), f32(*M)]
    could = [leaf.could_save for leaf in report(jax.jit(fn), *args).donation]
    assert sorted(could) == [0, 0, 16384]
    kept = report(give(fn, 1), *args).donation
    assert [leaf.could_save for leaf in kept] == [0, 0, 0]  # y has the only output of that size
    saved = report(give(fn, 0, 1, 2), *args)
    assert saved.bytes_aliased == 16384


SHARDED = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P

def like(x):
    return x + 1

def whole(x):
    return jax.lax.with_sharding_constraint(x + 1, NamedSharding(mesh, P()))

def second(x, y):
    return y + 1

def buffers(x):
    return [shard.data.unsafe_buffer_pointer() for shard in x.addressable_shards]

mesh = Mesh(np.array(jax.devices()[:2]), ("data",))
if __name__ == "__main__":
    for fn in like, whole:
        x = jax.device_put(jnp.arange(32.0).reshape(8, 4), NamedSharding(mesh, P("data", None)))
        before = buffers(x)
        print(buffers(jax.jit(fn, donate_argnums=0)(x)) == before)
"""
FLAGS = f"--xla_force_host_platform_device_count=2 {UNOPTIMIZED}"
SPLIT = "f32[8,4]@P('data',None)"


def test_sharded_arrays_count_by_device(write):
    write("sharded.py", SHARDED)
    assert python("sharded.py").split() == ["True", "False"]
    (leaf,) = leaves_by_command("sharded:like", "--arg", SPLIT, "--mesh", "data=2", "--donate", "x")
    assert (leaf["bytes"], leaf["aliased"], leaf["type"]) == (64, "result", SPLIT)
    (leaf,) = leaves_by_command("sharded:whole", "--arg", SPLIT, "--mesh", "data=2", "--donate", "x")
    assert (leaf["aliased"], leaf["why"], leaf["nearest"]) == (None, "sharding", "result is f32[8,4]@P()")
    dropped, used = leaves_by_command(
        "sharded:second", *["--arg", SPLIT] * 2, "--mesh", "data=2", "--donate", "0"
    )
    assert (dropped["bytes"], dropped["why"]) == (64, "unused") and used["could_save"] == 64


def python(*words, **environment):
    """The output of another Python, in the current folder, with two devices: this one may have only one."""
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)}
    environment |= {"XLA_FLAGS": FLAGS}
    done = subprocess.run(
        [sys.executable, *words], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def leaves_by_command(*words, **environment):
    command = ["donation", *words, "--json"]
    report = json.loads(
        python("-m", "jitinspect", *command, **environment)
        if environment
        else printed(command, Path.cwd(), FLAGS)
    )
    assert report["bytes_aliased"] == sum(leaf["bytes"] for leaf in report["donation"] if leaf["aliased"])
    return report["donation"]


def test_the_second_compilation_leaves_nothing_on_disk(write, tmp_path):
    write("plain.py", "def fn(x):\n    return x * 2\n")
    settings = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    (leaf,) = leaves_by_command("plain:fn", "--shape", "8,8", **settings)
    assert leaf["could_save"] == 256 and len(list((tmp_path / "cache").glob("*-cache"))) == 1


def test_static_arguments_have_no_leaf():
    fn = jax.jit(lambda n, x: x * n, static_argnums=0, donate_argnums=1)
    assert rows(fn, 3, f32(*M)) == {"x": ("result", 0)}


HOISTING = """
import jax.numpy as jnp
BIG = jnp.ones((64, 64))
def fn(x, unused, y):
    return x.sum(), y @ BIG
"""


def test_constants_that_jax_adds_as_arguments_do_not_shift_the_others(write):
    write("hoisting.py", HOISTING)
    words = "hoisting:fn --shape 8 --shape 9 --shape 64,64 --donate x --donate y"
    leaves = leaves_by_command(*words.split(), JAX_USE_SIMPLIFIED_JAXPR_CONSTANTS="1")
    reported = [(leaf["path"], leaf["aliased"], leaf["why"]) for leaf in leaves]
    assert reported == [("x", None, "no_output"), ("unused", None, None), ("y", "result[1]", None)]


class Net(eqx.Module):
    w: jax.Array

    def __call__(self, x):
        return self.w * x


def test_equinox_arguments_have_the_users_names():
    @eqx.filter_jit(donate="all")
    def step(net, x):
        return eqx.tree_at(lambda net: net.w, net, net(x)), {"out": net(x)}

    net, x = Net(f32(64)), f32(64)
    assert rows(step, net, x) == {"net.w": ("result[0].w", 0), "x": ("result[1]['out']", 0)}
    assert reused(lambda *args: eqx.filter(step(*args), eqx.is_array), net, x) == [
        "result[0].w", "result[1]['out']",
    ]  # fmt: skip


class Linear(nnx.Module):
    def __init__(self):
        self.w = nnx.Param(f32(64))


def test_flax_updates_a_module_in_place():
    @functools.partial(nnx.jit, donate_argnums=0)
    def step(model, x):
        model.w[...] = model.w[...] * 2 + x
        return {"loss": model.w[...].sum()}

    model, x = Linear(), f32(64)
    assert rows(step, model, x) == {"model.w": ("model.w", 0), "x": (None, 0)}
    before = buffer(model.w[...])
    step(model, x)
    assert buffer(model.w[...]) == before


def test_flax_returns_what_may_be_donated():
    @nnx.jit
    def step(model, x):
        return {"out": model.w[...] + x}

    assert rows(step, Linear(), f32(64)) == {"model.w": (None, 256), "x": (None, 256)}


@contextmanager
def muted(observer):
    observer.muted = True
    yield
    observer.muted = False


def test_the_second_compilation_is_not_an_event_and_changes_no_cache():
    fn = jax.jit(lambda x: x * 7)
    x = f32(*M)
    with Observer() as observer:
        assert report(fn, x, muted=lambda: muted(observer)).donation[0].could_save
    assert [event.phase for event in observer.events] == ["trace", "lower", "compile"]
    assert fn._cache_size() == 0 and not fn.lower(x).compile().as_text().count("input_output_alias")


def test_savings_are_unknown_if_jax_cannot_compile_with_all_donated(monkeypatch):
    def refused(*_):
        raise UnavailableError("not here")

    monkeypatch.setattr(aliasing, "recompiled", refused)
    reported = report(jax.jit(shift), f32(3))
    assert reported.unknown == "not here" and [leaf.could_save for leaf in reported.donation] == [0]


def test_a_sweep_reports_each_call(write):
    write("swept.py", "def double(x):\n    return x * 2\n")
    request = inspection.Request(
        "donation", "swept:double", (), (parse_argument("f32[B,8]"),), donate=("x",), dims={"B": (1, 2)}
    )
    reported = inspection.read(request, donation.read)
    assert [(leaf.signature, leaf.bytes) for leaf in reported.donation] == [
        ("double(f32[1,8])", 32), ("double(f32[2,8])", 64),
    ]  # fmt: skip
    assert reported.bytes_aliased == 96 and reported.target.signature == "double(f32[1,8])"


def momentum_first(p, m, g):
    m2 = 0.9 * m + g
    return m2, p - m2


def parameters_first(p, m, g):
    m2 = 0.9 * m + g
    return p - m2, m2


def cross(a, b):
    return b * 2, a


def straight(a, b):
    return a, b * 2


def adam(params, state, grads):
    """The state before the parameters."""
    mu = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["mu"], grads)
    nu = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, state["nu"], grads)
    new = jax.tree.map(lambda p, m, v: p - m / (jnp.sqrt(v) + 1e-8), params, mu, nu)
    return {"mu": mu, "nu": nu}, new, sum(map(jnp.sum, jax.tree.leaves(grads)))


def adam_in_order(params, state, grads):
    new_state, new, total = adam(params, state, grads)
    return new, new_state, total


def held(fn, *nums):
    """The memory of a jitted function, by plain JAX."""

    def of(*args):
        stats = jax.jit(fn, donate_argnums=nums).lower(*args).compile().memory_analysis()
        sizes = stats.argument_size_in_bytes + stats.output_size_in_bytes + stats.temp_size_in_bytes
        return sizes - stats.alias_size_in_bytes

    return of


BIG = jax.ShapeDtypeStruct((256, 256), "float32")
TREE = {"b": jax.ShapeDtypeStruct((256,), "float32"), "w": BIG}
STATE = {"mu": TREE, "nu": TREE}
OUT_OF_ORDER = {
    # what: as it is, in order, what is donated, its arguments, and the order
    "momentum first": (
        momentum_first, parameters_first, (0, 1), (BIG, BIG, BIG), ("result[1]", "result[0]"),
    ),
    "one of them": (cross, straight, (0,), (BIG, BIG), ("result[1]", "result[0]")),
    "a forwarded argument": (cross, straight, (0, 1), (BIG, BIG), ("result[1]", "result[0]")),
    "swapped": (
        lambda a, b: (b, a), lambda a, b: (a, b), (0, 1), (BIG, BIG), ("result[1]", "result[0]"),
    ),
    "trees": (adam, adam_in_order, (0, 1), (TREE, STATE, TREE), ("result[1]", "result[0]", "result[2]")),
    "in a tuple": (
        lambda p, m, g: (momentum_first(p, m, g), g.sum()),
        lambda p, m, g: (parameters_first(p, m, g), g.sum()),
        (0, 1), (BIG, BIG, BIG), ("result[0][1]", "result[0][0]"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", OUT_OF_ORDER)
def test_what_is_saved_is_what_the_module_holds_less_of(what):
    fn, ordered, nums, args, order = OUT_OF_ORDER[what]
    (found,) = report(give(fn, *nums), *args).savings
    plain = held(fn)(*args)
    assert found.saved == plain - held(fn, *nums)(*args)
    assert found.order == order
    assert found.order_saves == plain - held(ordered, *nums)(*args) > found.saved
    (found,) = report(give(ordered, *nums), *args).savings
    assert found.saved == held(ordered)(*args) - held(ordered, *nums)(*args) and found.order == ()


def test_copies_that_donation_causes_are_told():
    found = report(give(momentum_first, 0, 1), BIG, BIG, BIG)
    assert [leaf.copied for leaf in found.donation] == [True, False, False]
    assert found.savings[0].saved == 0 and found.savings[0].moved == 2 * 2 * 4 * 256**2  # two copies
    assert found.savings[0].order_moved == 0
    found = report(give(parameters_first, 0, 1), BIG, BIG, BIG)
    assert not any(leaf.copied for leaf in found.donation) and found.savings[0].moved == 0


def test_what_would_be_copied_is_not_told_as_savings():
    found = report(jax.jit(momentum_first), BIG, BIG, BIG)
    could = {leaf.path: leaf.could_save for leaf in found.donation}
    assert could == {"p": 0, "m": 4 * 256**2, "g": 0}
    (saved,) = found.savings
    assert saved.could_save == held(momentum_first)(BIG, BIG, BIG) - held(momentum_first, 1)(BIG, BIG, BIG)
    assert saved.order == ("result[1]", "result[0]") and saved.order_donates == ("p", "m")
    assert saved.order_saves == 2 * 4 * 256**2


def test_temporaries_that_lay_in_the_memory_of_results_are_counted():
    args = params(), f32(64, 64)
    (found,) = report(give(descend, 0), *args).savings
    assert found.saved == held(descend)(*args) - held(descend, 0)(*args) < 4 * 64 * 65


HALVES = {
    "half": (lambda a, b: (a + 1, b.astype("bfloat16")), {"b": ("dtype", "result[1] is bf16[64,64]")}),
    "two": (
        lambda a, b: (a + b, a.astype("float16"), b.astype("bfloat16")),
        {"b": ("dtype", "result[1] is f16[64,64]")},
    ),
    "another shape": (lambda a, b: (a + b, b.sum()), {"b": ("no_output", None)}),
}


@pytest.mark.parametrize("what", HALVES)
def test_a_result_of_the_same_shape_is_named_where_another_took_that_of_the_same_type(what):
    fn, expected = HALVES[what]
    leaves = report(give(fn, 0, 1), f32(*M), f32(*M)).donation
    assert {leaf.path: (leaf.why, leaf.nearest) for leaf in leaves if not leaf.aliased} == expected


SHARED = """
import functools, jax, jax.numpy as jnp
@functools.partial(jax.jit, donate_argnames="state")
def step(state, g):
    return jax.tree.map(lambda a: a - 0.1 * g, state)
def plain(state, g):
    return jax.tree.map(lambda a: a - 0.1 * g, state)
@functools.partial(jax.jit, donate_argnums=(0, 1))
def summed(a, b):
    return (a + b).sum()
def one():
    zero = jnp.zeros((128, 128))
    return {"m": zero, "v": zero}, jnp.float32(1)
def another_object():
    zero = jnp.zeros((128, 128))
    return {"m": zero, "v": jax.device_put(zero)}, jnp.float32(1)
def with_another_argument():
    zero = jnp.zeros(())
    return {"m": zero, "v": jnp.ones(())}, zero
def two():
    return {"m": jnp.zeros((128, 128)), "v": jnp.zeros((128, 128))}, jnp.float32(1)
def types():
    one = jax.ShapeDtypeStruct((128, 128), "float32")
    return {"m": one, "v": one}, jnp.float32(1)
def both():
    one = jnp.zeros((8, 8))
    return one, one
"""


def of_arguments(target, maker, values=False):
    request = inspection.Request(
        "donation", f"sharing:{target}", (), args_from=f"sharing:{maker}", values=values
    )
    return inspection.read(request, donation.read)


@pytest.mark.parametrize(
    ("maker", "shared"),
    [
        ("one", {"state['m']": "state['v']", "state['v']": "state['m']"}),
        ("another_object", {"state['m']": "state['v']", "state['v']": "state['m']"}),
        ("with_another_argument", {"state['m']": "g", "g": "state['m']"}),
        ("two", {}),
        ("types", {}),
    ],
)
@pytest.mark.parametrize("values", [False, True])
def test_a_buffer_that_two_arguments_have_is_refused_as_by_jax(write, maker, shared, values):
    write("sharing.py", SHARED)
    found = of_arguments("step", maker, values and maker != "types")
    assert {leaf.path: leaf.shared_with for leaf in found.donation if leaf.shared_with} == shared
    assert [one.saved is not None for one in found.savings] == [not shared][: len(found.savings)]
    import sharing

    args = getattr(sharing, maker)()
    if maker == "types":
        return
    if shared:
        with pytest.raises(jax.errors.JaxRuntimeError, match="donate"):
            sharing.step(*args)
    else:
        sharing.step(*args)


def test_a_shared_buffer_is_not_advised_to_be_donated(write):
    write("sharing.py", SHARED)
    found = of_arguments("plain", "one")
    assert [leaf.could_save for leaf in found.donation] == [0, 0, 0] and found.savings[0].saved == 0
    assert [leaf.could_save for leaf in of_arguments("plain", "two").donation[:2]] == [4 * 128**2] * 2


def test_a_shared_buffer_that_is_not_overwritten_is_not_refused(write):
    write("sharing.py", SHARED)
    found = of_arguments("summed", "both")
    assert [leaf.why for leaf in found.donation] == ["no_output"] * 2 and found.savings[0].saved == 0
