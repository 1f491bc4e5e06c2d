"""What `traced_leaves`, `computation` and `disk_cache` read of a traced and a lowered call."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src import compiler, distributed

from jitinspect.jaxapi.jits.argument_names import argument_names
from jitinspect.jaxapi.keys.computation import computation_inputs, short
from jitinspect.jaxapi.keys.context import changed_context, trace_context
from jitinspect.jaxapi.keys.disk_cache import entry
from jitinspect.jaxapi.keys.traced_leaves import leaves, mesh_of

X = jax.ShapeDtypeStruct((3,), "float32")
CALLBACKS_HINDER = jax.__version_info__ < (0, 11)


def told(*args, **kwargs):
    traced = jax.jit(lambda p, s=1.0: p["w"] * s).trace(*args, **kwargs)
    return [
        (leaf.path, leaf.aval.weak_type, leaf.placement) for leaf in leaves(traced, argument_names(traced))
    ]


def test_leaves_have_the_paths_of_their_parameters():
    assert told({"w": X}, s=jax.ShapeDtypeStruct((), "float32", weak_type=True)) == [
        ("p['w']", False, ""), ("s", True, ""),
    ]  # fmt: skip


def test_arrays_are_placed_where_they_are_committed_to():
    device = jax.devices()[0]
    assert told({"w": jnp.ones(3)}) == [("p['w']", False, "")]
    assert told({"w": np.ones(3, "float32")}) == [("p['w']", False, "")]
    assert told({"w": jax.device_put(jnp.ones(3), device)}) == [("p['w']", False, "@cpu:0")]


def test_a_sharded_array_tells_its_spec_and_mesh():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("d",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("d", None))
    traced = jax.jit(lambda x: x).trace(jax.ShapeDtypeStruct((8, 2), "float32", sharding=sharding))
    assert [leaf.placement for leaf in leaves(traced, argument_names(traced))] == ["@P('d', None)"]
    assert mesh_of(traced) == {"mesh": "d=1"}


def test_a_module_tells_its_constants_operations_donation_and_results():
    table = np.arange(100, dtype="float32")

    def fun(x, y):
        return {"a": jnp.sin(x) * 2 + table[:3], "b": y + jnp.asarray(table)}

    traced = jax.jit(fun, donate_argnames="y").trace(X, jax.ShapeDtypeStruct((100,), "float32"))
    inputs = computation_inputs(traced, traced.lower(), argument_names(traced))
    about = inputs["computation"]
    assert about["module"] == "jit_fun" and about["donated"] == "y" and about["jax"] == jax.__version__
    assert about["results"] == "result['a'], result['b']"
    assert inputs["operations"]["stablehlo.sine"] == "1"
    assert inputs["constants"]["tensor<100xf32>"].startswith("sha256:")
    assert "2.000000e+00" in inputs["constants"]["tensor<f32>"]


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "int4", "bool", "complex64"])
def test_constants_of_any_dtype_are_told(dtype):
    def digest(last):
        table = jnp.arange(65).at[-1].set(last).astype(dtype)
        traced = jax.jit(lambda: table).trace()
        (value,) = computation_inputs(traced, traced.lower(), argument_names(traced))["constants"].values()
        return value

    assert digest(0) == digest(0) != digest(1)


def test_long_texts_are_equal_only_where_the_whole_is():
    assert short("a") == "a" and len(short("a" * 9999)) < 200
    assert short("a" * 9999) == short("a" * 9999) != short("a" * 9998)


def test_host_callbacks_are_found_in_a_lowering():
    def fun(x):
        jax.debug.print("{}", x)
        return x

    lowered = jax.jit(fun).trace(X).lower()
    assert lowered._lowering.compile_args["host_callbacks"]
    assert ("host_callbacks" in inspect.signature(compiler._cache_write).parameters) == CALLBACKS_HINDER
    assert any("calls back" in text for text in entry("k", lowered).obstacles) == CALLBACKS_HINDER


def test_only_process_0_writes(monkeypatch):
    lowered = jax.jit(jnp.cos).trace(X).lower()
    assert distributed.global_state.process_id == 0
    monkeypatch.setattr(distributed.global_state, "process_id", 3)
    assert "only process 0 writes, and this is process 3" in entry("k", lowered).obstacles


def test_settings_at_their_defaults_are_no_part_of_the_changed_ones(monkeypatch):
    jax.jit(jnp.cos).trace(X).lower()  # imports more of JAX, which may add to the context
    assert trace_context() and changed_context() == {}
    with jax.numpy_rank_promotion("warn"):
        assert changed_context() == {"jax_numpy_rank_promotion": "warn"}
    monkeypatch.setenv("JAX_ENABLE_X64", "0")
    assert changed_context() == {"jax_enable_x64": "False"}
