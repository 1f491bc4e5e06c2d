"""What `proxies`, `facts`, `leaves`, `explanations`, `zeros` and the body hook lean on in this JAX."""

import functools
import logging
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from jitinspect.jaxapi.arrays.leaves import leaf_facts, leaf_key, leaf_keys, leaf_sort, transformation
from jitinspect.jaxapi.arrays.zeros import zeros
from jitinspect.jaxapi.calls import events, explanations, proxies
from jitinspect.jaxapi.jits.facts import KEYWORDS_HAVE_TYPES, FunctionNumbers, facts
from jitinspect.jaxapi.keys.context import setting

IS_0_8 = jax.__version_info__ < (0, 9)


class Recorder:
    """Notes who is told of what."""

    most = 1000

    def __init__(self):
        self.fired, self.log, self.told, self.clearings = [0], [], [], 0

    def __getattr__(self, name):
        return lambda *args: self.told.append(name)

    def identify(self, frame):
        return 1

    def ahead_of_time(self):
        return jax.ensure_compile_time_eval()


def body(x):
    """Adds one."""
    return x + 1


def test_a_front_looks_and_works_like_the_jit():
    recorder, jit = Recorder(), jax.jit(body)
    proxy = proxies.proxy_for(jit, None, recorder)
    assert proxies.unwrapped(proxy) is jit and proxies.is_jit(jit) and not proxies.is_jit(proxy)
    assert proxy(1) == 2 and [len(entry) for entry in recorder.log] == [4]
    assert isinstance(proxy, jax.stages.Wrapped)
    assert (proxy.__name__, proxy.__doc__, proxy.__wrapped__) == ("body", "Adds one.", body)
    assert proxy.lower(1).compile()(1) == 2 and proxy.trace(1).jaxpr and proxy.eval_shape(1).shape == ()
    proxy.clear_cache()
    assert recorder.told == ["prepared", "prepared", "cleared"]


def test_jax_own_jits_stay_as_they_are():
    with proxies.watch(Recorder()):
        assert proxies.unwrapped(jax.jit(body)) is not jax.jit(body)
        assert any(map(proxies.is_jit, vars(jax.nn).values()))
    assert proxies.is_jit(jax.jit(body))


def test_staging_is_told_from_evaluating():
    seen = {}

    def look(name):
        def inner(x):
            seen[name] = events.being_staged(), transformation([("x", x)])
            return x * 1.0

        return inner

    look("plain")(1.0)
    jax.jit(look("jit"))(1.0)
    jax.grad(look("grad"))(1.0)
    jax.vmap(look("vmap"))(np.ones((5, 2)))
    jax.jit(jax.grad(look("jit of grad")))(1.0)
    jax.linearize(look("linearize"), 1.0)
    jax.jvp(look("jvp"), (1.0,), (1.0,))
    jax.jacfwd(look("jacfwd"))(jnp.ones(3))
    jax.vmap(look("vmap of axis 1"), in_axes=1)(jnp.ones((2, 5)))
    with jax.ensure_compile_time_eval():
        look("compile-time")(1.0)
    linearize = "grad" if IS_0_8 else "linearize"  # 0.8 has one and the same trace for both
    assert seen == {
        "plain": (False, None), "jit": (True, "DynamicJaxprTracer"), "grad": (False, "grad"),
        "vmap": (False, "vmap over 5"), "jit of grad": (True, "grad, DynamicJaxprTracer"),
        "linearize": (False, linearize), "jvp": (False, "jvp"), "jacfwd": (False, "jvp along vmap over 3"),
        "vmap of axis 1": (False, "vmap over 5 on axis 1"),
        "compile-time": (False, None),
    }  # fmt: skip


def test_bodies_are_told_from_look_ups():
    told = []
    unsubscribe = events.subscribe(
        lambda phase, name: told.append(f"<{phase}"),
        lambda phase, name, seconds: told.append(phase),
        lambda: None,
        lambda: told.append("body"),
    )
    function = functools.partial(body)
    try:
        jax.jit(function)(np.ones(3))
        first = list(told)
        told.clear()
        jax.jit(function, donate_argnums=0)(np.ones(3))
    finally:
        unsubscribe()
    assert "body" in first and "body" not in told
    assert ("trace" in told) == (not IS_0_8)  # in 0.8 a look-up that finds a trace is no event


def test_what_a_static_value_is_compared_by():
    """By keyword 0.8 compares by `==` alone."""
    told = []

    def double(x, n):
        told.append(n)
        return x * 2

    by_position, by_keyword = jax.jit(double, static_argnums=1), jax.jit(double, static_argnames="n")
    for n in (1, True):
        by_position(np.ones(3), n)
    for n in (1, True):
        by_keyword(np.ones(3), n=n)
    assert (not IS_0_8) == KEYWORDS_HAVE_TYPES
    assert list(map(type, told)) == [int, bool] + ([int, bool] if KEYWORDS_HAVE_TYPES else [int])


def test_facts_of_a_jit():
    numbers = FunctionNumbers()
    k = 2.5

    def closed(x, n=1, *rest, flag=False):
        return x * k

    one = facts(jax.jit(closed, static_argnames=("n", "flag"), donate_argnums=0), numbers)
    two = facts(jax.jit(closed), numbers)
    other = facts(jax.jit(lambda x: x), numbers)
    assert one.name == "closed" and one.definition.endswith(f":{closed.__code__.co_firstlineno}")
    assert list(one.parameters) == ["x", "n", "rest", "flag"]
    assert one.static_nums == {1} and one.static_names == {"n", "flag"}
    assert one.options["donate_argnums"] == (0,)
    assert one.function == two.function != other.function and one.group != two.group
    assert two.group == facts(jax.jit(closed), numbers).group
    assert dict(one.closure)["k"].text == "2.5"


@pytest.mark.parametrize(
    ("wrap", "wrapper"),
    [
        (lambda f: functools.partial(f, n=2), "functools.partial"),
        (jax.grad, "jax.grad"),
        (jax.value_and_grad, "jax.value_and_grad"),
        (jax.vmap, "jax.vmap"),
        (lambda f: f, None),
    ],
)
def test_the_wrapper_is_named_and_the_definition_is_the_function_under_it(wrap, wrapper):
    def inner(x, n=1):
        return x * n

    told = facts(jax.jit(wrap(inner)), FunctionNumbers())
    assert told.wrapper == wrapper and told.definition.endswith(f":{inner.__code__.co_firstlineno}")
    assert told.lineage == facts(jax.jit(wrap(inner)), FunctionNumbers()).lineage


def test_numbers_of_functions_follow_jax():
    """Two bound methods of one object are equal, as long as both are there; a collected function is gone."""

    class Model:
        def step(self, x):
            return x

    numbers, model = FunctionNumbers(), Model()
    one, two = model.step, model.step
    assert numbers(one) == numbers(two) != numbers(Model().step)
    first = numbers(lambda x: x)
    assert numbers(lambda x: x) != first


def test_leaves_of_one_sort_differ_in_their_sizes_alone():
    mesh = jax.make_mesh((1,), ("data",))
    kinds = [jnp.asarray, np.asarray, lambda x: jax.device_put(x, jax.devices()[0])]
    kinds += [
        lambda x, spec=spec: jax.device_put(x, NamedSharding(mesh, P(*spec))) for spec in ((), ("data",))
    ]
    dtypes = ("float32", "int32", "bfloat16", "bool")
    shapes = [(), (2,), (3,), (3, 4), (4, 3)]
    leaves = [
        kind(np.ones(shape, dtype))
        for kind, dtype, shape in product(kinds, dtypes, shapes)
        if shape or kind is not kinds[-1]
    ]
    leaves += [jnp.sin(2.0), jax.random.split(jax.random.key(0), 2), jax.random.split(jax.random.key(0), 3)]
    by_sort = {}
    for leaf in leaves:
        by_sort.setdefault(leaf_sort(leaf), set()).add(leaf_facts(leaf)._replace(shape=()))
    assert all(len(facts) == 1 for facts in by_sort.values()) and len(by_sort) < len(leaves)
    assert leaf_sort(2.0) is None


def test_leaves():
    assert leaf_facts(np.ones(3))[:4] == ((3,), "f32", False, False)
    assert leaf_facts(2.0)[:3] == ((), "f32", True)
    array = jax.device_put(np.ones(3), jax.devices()[0])
    assert leaf_facts(array)[3:5] == (True, "cpu:0")
    assert leaf_facts(jax.ShapeDtypeStruct((3,), "bfloat16"))[:4] == ((3,), "bf16", False, False)
    assert leaf_facts(jax.random.key(0)).dtype == "key<fry>"
    assert leaf_key(array) != leaf_key(jnp.ones(3)) != leaf_key(jnp.ones(4))
    assert leaf_key(jnp.ones(3)) == leaf_key(jnp.zeros(3))
    assert leaf_keys([array, array]) == leaf_keys([array, np.ones(3)])[:1] * 2 == [leaf_key(array)] * 2
    jax.jit(lambda a: a, donate_argnums=0)(array)
    assert array.is_deleted() and leaf_facts(array)[:4] == ((3,), "f32", False, True)


@pytest.mark.parametrize(
    "struct",
    [
        jax.ShapeDtypeStruct((2,), "float32"),
        jax.ShapeDtypeStruct((), "float32", weak_type=True),
        jax.ShapeDtypeStruct((2,), "int32", weak_type=True),
        jax.ShapeDtypeStruct((2,), "bfloat16", weak_type=True),
        jax.eval_shape(lambda: jax.random.key(0)),
        jax.eval_shape(lambda: jax.random.split(jax.random.key(0, impl="rbg"), 3)),
    ],
)
def test_zeros_have_the_type_asked_for(struct):
    made = jax.typeof(zeros(struct))
    assert (made.shape, made.dtype) == (struct.shape, struct.dtype)
    assert getattr(made, "weak_type", False) == struct.weak_type


def test_jax_explains_and_nothing_is_left_behind():
    loggers = [logging.getLogger(name) for name in explanations.LOGGERS]
    before = [list(logger.filters) for logger in loggers], jax.config.jax_explain_cache_misses
    said = []
    jit = jax.jit(lambda x: x + 2)
    with explanations.explanations(said.append):
        jit(np.ones(3))
        jit(np.ones(4))
    assert "never seen function" in said[0] and "now f32[4] and before f32[3]" in said[-1]
    assert ([list(logger.filters) for logger in loggers], jax.config.jax_explain_cache_misses) == before


def test_any_setting_can_hold_for_a_while():
    with setting("jax_enable_x64", True), setting("default_matmul_precision", "float32"):
        assert jax.config.jax_enable_x64 and jax.config.jax_default_matmul_precision == "float32"
    assert not jax.config.jax_enable_x64
