"""What `jits.recognition` leans on: the types, attributes and manners of three libraries' jits."""

import functools
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from jitinspect.jaxapi.calls import proxies
from jitinspect.jaxapi.jits import recognition
from jitinspect.jaxapi.jits.recognition import JitOptions

X = jax.ShapeDtypeStruct((3,), "float32")


def scale(x, factor, *, power=1):
    return x * factor**power


scaled = jax.jit(scale, static_argnames=("power", "factor"), donate_argnums=0)
filtered = eqx.filter_jit(scale, donate="all-except-first")
flaxed = nnx.jit(scale, static_argnames="factor", donate_argnames="x")


class Plain:
    @functools.partial(jax.jit, static_argnums=0, static_argnames="n")
    def step(self, x, n=2):
        return x * n

    @staticmethod
    @jax.jit
    def free(x):
        return x + 1

    @functools.partial(jax.jit, static_argnums=0)
    def __call__(self, x):
        return x - 1

    def unjitted(self, x):
        return x


class EqxModel(eqx.Module):
    weight: jax.Array

    @jax.jit
    def jitted(self, x):
        return self.weight * x

    @functools.partial(eqx.filter_jit, donate="all")
    def filtered(self, x, activation=jnp.tanh):
        return activation(self.weight * x)

    @eqx.filter_jit
    def __call__(self, x):
        return self.weight + x


class NnxModel(nnx.Module):
    def __init__(self):
        self.weight = nnx.Param(jnp.ones(3))

    @nnx.jit
    def step(self, x):
        return self.weight * x


plain, eqx_model, nnx_model = Plain(), EqxModel(jnp.ones(3)), NnxModel()


@functools.wraps(scaled)
def wrapper(*args, **kwargs):
    return scaled(*args, **kwargs)


JITS = {
    "decorated": (scaled, "jax.jit"),
    "of_partial": (jax.jit(functools.partial(scale, factor=2)), "jax.jit"),
    "of_lambda": (jax.jit(lambda x: x), "jax.jit"),
    "of_method": (jax.jit(plain.unjitted), "jax.jit"),
    "of_jit": (jax.jit(scaled, static_argnames=("factor", "power")), "jax.jit"),
    "unbound_method": (Plain.step, "jax.jit"),
    "bound_method": (plain.step, "jax.jit"),
    "staticmethod": (plain.free, "jax.jit"),
    "instance": (plain, "jax.jit"),
    "partial_of": (functools.partial(scaled, factor=2), "jax.jit"),
    "partial_of_partial": (functools.partial(functools.partial(scaled, power=3), factor=2), "jax.jit"),
    "equinox_method": (eqx_model.jitted, "jax.jit"),
    "library": (jnp.tanh, "jax.jit"),
    "filter_jit": (filtered, "equinox.filter_jit"),
    "filter_jit_bound": (eqx_model.filtered, "equinox.filter_jit"),
    "filter_jit_instance": (eqx_model, "equinox.filter_jit"),
    "nnx": (flaxed, "flax.nnx.jit"),
    "nnx_simple": (nnx.jit(scale, graph=False, graph_updates=False), "flax.nnx.jit"),
    "nnx_bound": (nnx_model.step, "flax.nnx.jit"),
    "nnx_partial": (nnx.jit_partial(scale, jnp.ones(3), graph=False, graph_updates=False), "flax.nnx.jit"),
}


@pytest.mark.parametrize("name", JITS)
def test_kind_of_a_jit(name):
    obj, kind = JITS[name]
    assert recognition.kind(obj) == kind
    assert recognition.is_jitted(obj)


@pytest.mark.parametrize(
    "obj",
    [scale, wrapper, plain.unjitted, Plain, EqxModel, jnp, 3, None, functools.partial(scale, factor=1),
     jax.grad(scaled), jax.vmap(scale), jax.pmap(scale), jnp.add, eqx.nn.Identity()],
    ids=repr,
)  # fmt: skip
def test_no_jit(obj):
    assert recognition.kind(obj) is None
    assert recognition.jit_options(obj) is None
    with pytest.raises(TypeError, match="not a jitted function"):
        recognition.trace(obj, (X,), {})


def test_wraps_copies_the_private_attributes_of_a_jit():
    """The reason to tell a jit by its type, not by its attributes."""
    assert hasattr(wrapper, "_jit_info") and hasattr(wrapper, "__wrapped__")


def test_pmap_is_told_apart():
    assert recognition.is_pmapped(jax.pmap(scale))
    assert not any(recognition.is_pmapped(obj) for obj in (scale, scaled, wrapper, jax.vmap(scale), 3))


OPTIONS = [
    (scaled, ("factor", "power"), ("x",)),
    (jax.jit(scale, static_argnums=1), ("factor",), ()),
    (jax.jit(scale, static_argnums=-1), ("factor",), ()),
    (jax.jit(lambda *xs: xs, static_argnums=2, donate_argnums=0), (2,), (0,)),
    (functools.partial(jax.jit(lambda *xs: xs, static_argnums=2), 1), (1,), ()),
    (functools.partial(scaled, factor=2), ("power",), ("x",)),
    (functools.partial(scaled, jnp.ones(3)), ("factor", "power"), ()),
    (Plain.step, ("self", "n"), ()),
    (plain.step, ("n",), ()),
    (filtered, (), ("factor", "power")),
    (eqx_model.filtered, (), ("x", "activation")),
    (flaxed, ("factor",), ("x",)),
    (nnx_model.step, (), ()),
]


@pytest.mark.parametrize(("obj", "static", "donated"), OPTIONS)
def test_options_are_as_the_caller_sees_them(obj, static, donated):
    assert recognition.jit_options(obj) == JitOptions(static, donated)


def test_options_are_unknown_without_jit_info():
    """As it would be if a later JAX dropped or renamed the private attribute."""
    other = jax.jit(scale)
    del other._jit_info
    assert recognition.is_jitted(other)
    assert recognition.jit_options(other) is None


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (scaled, "(x, factor, *, power=1)"),
        (functools.partial(scaled, factor=2), "(x, *, factor=2, power=1)"),
        (Plain.step, "(self, x, n=2)"),
        (plain.step, "(x, n=2)"),
        (plain, "(x)"),
        (eqx_model, "(x)"),
        (eqx_model.jitted, "(x)"),
        (filtered, "(x, factor, *, power=1)"),
        (flaxed, "(x, factor, *, power=1)"),
        (nnx_model.step, "(x)"),
        (scale, "(x, factor, *, power=1)"),
    ],
)
def test_signature_is_what_the_caller_still_gives(obj, expected):
    assert str(recognition.signature(obj)) == expected


@pytest.mark.parametrize(
    ("obj", "function"),
    [
        (scaled, scale),
        (wrapper, scale),
        (JITS["of_jit"][0], scale),
        (functools.partial(scaled, factor=2), scale),
        (jax.vmap(scaled), scale),
        (filtered, scale),
        (flaxed, scale),
        (plain.step, Plain.step.__wrapped__),
        (plain, Plain.__call__.__wrapped__),
        (eqx_model.filtered, EqxModel.filtered.__wrapped__),
        (eqx_model, EqxModel.__call__.__wrapped__),
        (nnx_model.step, NnxModel.step.__wrapped__),
        (len, None),
        (3, None),
    ],
)
def test_wrapped_is_the_python_function_at_the_bottom(obj, function):
    assert recognition.wrapped(obj) is function


def test_trace_is_the_traced_of_the_jit_itself():
    traced = recognition.trace(scaled, (X, 2), {"power": 3})
    assert isinstance(traced, jax.stages.Traced)
    assert str(traced.jaxpr) == str(scaled.trace(X, 2, power=3).jaxpr)


@pytest.mark.parametrize(
    ("obj", "args"),
    [
        (plain.step, (X,)),
        (plain, (X,)),
        (functools.partial(scaled, factor=2), (X,)),
        (eqx_model.jitted, (X,)),
        (eqx_model.filtered, (X,)),
        (eqx_model.filtered, (X, jnp.sin)),
        (eqx_model, (X,)),
        (EqxModel.filtered, (eqx_model, X)),
        (filtered, (X, 2)),
        (filtered, (X, X)),
        (flaxed, (X, 2)),
        (nnx_model.step, (X,)),
        (NnxModel.step, (nnx_model, X)),
        (JITS["nnx_simple"][0], (X, X)),
        (JITS["nnx_partial"][0], (X,)),
    ],
)
@pytest.mark.filterwarnings("ignore:Some donated buffers were not usable")
def test_trace_goes_all_the_way(obj, args):
    traced = recognition.trace(obj, args, {})
    assert isinstance(traced, jax.stages.Traced)
    assert "f32[3]" in str(traced.jaxpr)
    assert "stablehlo." in traced.lower().as_text()


@pytest.mark.parametrize("factor", [2, X], ids=["static", "traced"])
def test_filter_jit_traces_what_it_would_lower(factor):
    """From shapes the same program as equinox itself makes of arrays; and the wrapper is as it was."""
    before = filtered._cached
    traced = recognition.trace(filtered, (X, factor), {})
    arrays = [jnp.ones(3), jnp.ones(3) if factor is X else factor]
    assert traced.lower().as_text() == filtered.lower(*arrays).as_text()
    assert filtered._cached is before


def test_filter_jit_takes_the_shapes_of_a_whole_model():
    model = eqx.filter_eval_shape(eqx.nn.MLP, 3, 2, 4, 1, key=jax.random.key(0))
    traced = recognition.trace(eqx.filter_jit(lambda model, x: model(x)), (model, X), {})
    assert [str(aval) for aval in traced.jaxpr.out_avals][1] == "float32[2]"


def test_filter_jit_keeps_weak_types():
    traced = recognition.trace(filtered, (X, jax.ShapeDtypeStruct((), "float32", weak_type=True)), {})
    assert any(aval.weak_type for aval in traced.jaxpr.in_avals)


def test_a_front_wraps_the_function_that_its_jit_wraps():
    proxy = proxies.proxy_for(scaled, None, Recording())
    assert proxy.__wrapped__ is scaled.__wrapped__ is scale


class Recording:
    """As much of a `proxies.Recorder` as a proxy needs when it is made."""

    log: ClassVar = []
    fired, most, clearings, identify, fold = (0,), 1000, 0, None, None


def test_a_method_of_a_front_is_no_front():
    class Model:
        step = proxies.proxy_for(jax.jit(lambda self, x: x, static_argnums=0), None, Recording())

    model = Model()
    assert proxies.unwrapped(Model.step) is not Model.step
    assert proxies.unwrapped(model.step) == model.step
    assert recognition.full_call(model.step, (), {})[1:] == ((model,), {})
