"""Argument specs as JAX sees them."""

import jax
import numpy as np
import pytest

from jitinspect.errors import UnavailableError, UsageError
from jitinspect.specs import parse_argument, parse_spec
from jitinspect.specs.describe import describe, describe_call
from jitinspect.targets.arguments.annotations import spec_of
from jitinspect.targets.arguments.build import build, build_call, devices_needed, make_mesh
from jitinspect.targets.arguments.types import as_types, changed_dtypes


def built(text, mesh=None):
    return build(parse_spec(text), mesh)


@pytest.mark.parametrize(
    "text",
    ["f32[128,784]", "bf16[8]", "i32[]", "bool[3]", "c64[2,2]", "f8_e4m3fn[4]", "f32[]{weak}", "u4[2]"],
)
def test_an_array_has_the_requested_type(text):
    struct = built(text)
    assert isinstance(struct, jax.ShapeDtypeStruct) and describe(struct) == text
    assert struct.weak_type == ("weak" in text)


def test_a_weak_type_is_that_of_a_python_scalar():
    weak = jax.jit(lambda x: x + 1).trace(built("f32[]{weak}")).jaxpr
    assert str(weak) == str(jax.jit(lambda x: x + 1).trace(2.0).jaxpr)


@pytest.mark.parametrize(("text", "impl"), [("key[]", None), ("key<rbg>[4]", "rbg")])
def test_a_key_is_what_jax_random_makes(text, impl):
    made = jax.random.key(0, impl=impl)
    assert built(text).dtype == made.dtype and built(text).shape == ((4,) if "4" in text else ())
    assert "random_bits" in str(jax.make_jaxpr(jax.random.bits)(built("key[]")))


def test_pytrees_and_python_values():
    assert built("{'w': f32[2], 'n': (1, 'a', None, True)}") == {
        "w": jax.ShapeDtypeStruct((2,), "float32"),
        "n": (1, "a", None, True),
    }
    assert built("[f32[2]]") == [jax.ShapeDtypeStruct((2,), "float32")]


def test_placements():
    assert built("f32[8]@cpu:0").sharding == jax.sharding.SingleDeviceSharding(jax.devices("cpu")[0])
    mesh = make_mesh((("data", 1),))
    assert built("f32[8,4]@P('data',None)", mesh).sharding.spec == jax.sharding.PartitionSpec("data", None)
    with pytest.raises(UsageError, match="needs a mesh"):
        built("f32[8]@P('data')")
    with pytest.raises(UsageError, match="model"):
        built("f32[8]@P('model')", mesh)
    with pytest.raises(UnavailableError, match="cpu:99"):
        built("f32[8]@cpu:99")
    with pytest.raises(UnavailableError, match="65536 devices"):
        make_mesh((("data", 65536),))


def test_devices_are_counted_before_the_backend_starts():
    call = [parse_argument("f32[8]@cpu:3"), parse_argument("x={'a': f32[8]@cpu:5}")]
    assert devices_needed((), call) == 6
    assert devices_needed((("data", 4), ("model", 2)), []) == 8
    assert devices_needed((), []) == 1


def test_a_call_has_positions_and_names():
    args, kwargs = build_call([parse_argument("f32[3]"), parse_argument("n=2")], None)
    assert args == (jax.ShapeDtypeStruct((3,), "float32"),) and kwargs == {"n": 2}
    with pytest.raises(UsageError, match="twice"):
        build_call([parse_argument("n=1"), parse_argument("n=2")], None)
    with pytest.raises(UsageError, match="no size for dimension B"):
        build_call([parse_argument("f32[B]")], None)


def test_values_become_types_and_keep_what_matters():
    on_device = jax.device_put(np.ones(3, "float32"), jax.devices()[0])
    (committed, loose, weak, number, key), _ = as_types(
        ((on_device, np.ones(2), jax.numpy.asarray(1.0) * 1, 3, jax.random.key(0)), {})
    )
    assert committed.sharding == on_device.sharding and loose.sharding is None
    assert number == 3 and str(key.dtype) == "key<fry>" and isinstance(weak, jax.ShapeDtypeStruct)


def number(dtype):
    """Of 64 bits and more, made with x64 on."""
    with jax.enable_x64(True):
        return jax.numpy.ones(3, dtype)


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64", "complex128"])
@pytest.mark.parametrize("x64", [False, True])
def test_an_array_of_64_bits_is_traced_as_by_jax(dtype, x64):
    made = number(dtype)
    with jax.enable_x64(x64):
        (array,), tree = as_types(((made,), {"tree": {"a": made}}))
        assert isinstance(array, jax.ShapeDtypeStruct) == x64
        traced = [jax.jit(lambda x: x + 1).trace(one).jaxpr for one in (made, array, tree["tree"]["a"])]
    assert str(traced[0]) == str(traced[1]) == str(traced[2])
    assert f"{traced[0].in_avals[0].dtype}" == dtype


def test_narrowed_dtypes_are_noted():
    call = [parse_argument("{'a': f64[2], 'b': i32[2]}"), parse_argument("c128[1]")]
    assert changed_dtypes(call) == [("c128", "c64"), ("f64", "f32")]
    with jax.enable_x64(True):
        assert changed_dtypes(call) == []


def test_descriptions_parse_back():
    call = describe_call("f", (built("f32[3]"), {"a": built("i32[]")}), {"training": True})
    assert call == "f(f32[3], {'a': i32[]}, training=True)"
    assert describe([built("f32[1]")] * 9) == "[9 leaves]"
    assert describe(np.float64) == "<float64>"


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ('Float[Array, "batch 784"]', "f32[8,784]"),
        ('Int[Array, ""]', "i32[]"),
        ('BFloat16[Array, "batch+1 #n"]', "bf16[9,n]"),
        ('Bool[Array, "... 2*batch"]', "bool[16]"),
        ('Key[Array, ""]', "key[]"),
        ('UInt8[Array, "k=3"]', "u8[3]"),
        ('Float[Array, "3"] | None', "f32[3]"),
        ('Shaped[Array, "*b 2"]', "f32[2]"),
    ],
)
def test_jaxtyping_annotations_are_specs(annotation, text):
    jaxtyping = pytest.importorskip("jaxtyping")
    names = {**vars(jaxtyping), "Array": jax.Array, "Key": jaxtyping.Key, "Float": jaxtyping.Float}
    names.update({name: getattr(jaxtyping, name) for name in ("Int", "BFloat16", "Bool", "UInt8", "Shaped")})
    assert str(spec_of(eval(annotation, names), {"batch": 8})) == text


def test_other_annotations_give_no_spec():
    assert spec_of(int, {}) is None and spec_of(jax.Array, {}) is None and spec_of("x", {}) is None
