"""Files that XLA can still compile: open sizes, platforms, what cannot be compiled, what tells little."""

import gzip
import importlib
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax import export

from jitinspect.errors import CompileError, LoadError, UnavailableError, UsageError
from jitinspect.files.opening import opened
from jitinspect.readings.profile import read as profile
from jitinspect.stages import inspection

X = jax.ShapeDtypeStruct((3,), "float32")


def shaped(*texts, constraints=()):
    scope = export.SymbolicScope(constraints)
    return [jax.ShapeDtypeStruct(export.symbolic_shape(text, scope=scope), "float32") for text in texts]


@pytest.fixture
def exported(tmp_path):
    def write(function, *call, **how):
        file = tmp_path / "step.jaxexport"
        file.write_bytes(export.export(jax.jit(function), **how)(*call).serialize())
        return str(file)

    return write


@pytest.fixture
def module(tmp_path):
    def write(text):
        file = tmp_path / "module.mlir"
        file.write_text(text if isinstance(text, str) else text.as_text(debug_info=True))
        return str(file)

    return write


def inspect(file, *stages, **asked):
    notes = []
    request = inspection.Request("show", file, stages, **asked)
    report = inspection.inspect(request, inspection.Listeners(on_note=notes.append), opener=opened)
    return report, notes


def read(command, file, **asked):
    reader = importlib.import_module(f"jitinspect.readings.{command}").read
    return inspection.read(inspection.Request(command, file, (), **asked), reader, opener=opened)


def opcodes(report):
    return re.findall(r"= \S+ ([\w-]+)\(", report.artifacts[0].text)


def product(x, y):
    return jnp.tanh(x @ y)


def test_sizes_that_an_export_leaves_open(exported):
    file = exported(product, *shaped("b,784", "784,10"))
    report = read("cost", file, dims={"b": (8, 16)})
    assert [cost.dims for cost in report.sweep] == [{"b": 8}, {"b": 16}]
    assert [cost.flops for cost in report.sweep] == [8 * 784 * 10 * 2, 16 * 784 * 10 * 2]
    of_file, notes = inspect(file, "hlo", dims={"b": (8,), "c": (2,)})
    call = jax.ShapeDtypeStruct((8, 784), "float32"), jax.ShapeDtypeStruct((784, 10), "float32")
    of_function = inspection.inspect_call(product, (call, {}), inspection.Request("hlo", "", ("hlo",)))
    assert opcodes(of_file) == opcodes(of_function)
    assert notes == ["no argument has a dimension c: --dim c changes nothing"]
    with pytest.raises(UsageError, match="no size for dimension b") as caught:
        inspect(file, "stablehlo")
    assert caught.value.hint == "add --dim b=8"


def test_sizes_that_an_export_does_not_take(exported):
    file = exported(jnp.sin, *shaped("b", constraints=["b >= 8"]))
    assert "tensor<8xf32>" in inspect(file, "stablehlo", dims={"b": (8,)})[0].artifacts[0].text
    with pytest.raises(UsageError, match="does not take these sizes"):
        inspect(file, "stablehlo", dims={"b": (4,)})


def test_sizes_that_are_computed_from_others(exported):
    file = exported(product, *shaped("b, 2*b", "2*b, 3"))
    report, _ = inspect(file, "stablehlo", dims={"b": (4,)})
    assert report.target.signature == "product(f32[4,8], f32[8,3])"


def test_an_export_for_several_platforms(exported):
    def chosen(x):
        return jax.lax.platform_dependent(x, cpu=jnp.sin, tpu=jnp.cos)

    file = exported(chosen, X, platforms=["tpu", "cpu"])
    hlo = inspect(file, "hlo")[0].artifacts[0].text
    assert "sine(" in hlo and "cosine(" not in hlo
    with pytest.raises(UsageError, match=r"--platform cuda: .* it is for tpu, cpu"):
        inspect(file, "stablehlo", platforms=("cuda",))


def test_an_export_for_another_platform(exported):
    file = exported(jnp.sin, X, platforms=["tpu"])
    assert "stablehlo.sine" in inspect(file, "stablehlo")[0].artifacts[0].text
    with pytest.raises(UnavailableError, match="exported for tpu, not for cpu") as caught:
        inspect(file, "hlo")
    assert caught.value.hint == "--target v5e"


def test_arguments_that_are_not_used_are_those_of_the_function(exported):
    file = exported(lambda x, unused, y: {"sum": x + y}, X, {"a": X}, X)
    rows = read("donation", file).donation
    assert [row.path for row in rows] == ["x", "arg1['a']", "y"]


def test_keys_and_other_trees_keep_their_types(exported):
    key = jax.eval_shape(lambda: jax.random.key(0))
    report, _ = inspect(exported(lambda key, *xs: [jax.random.normal(key, (3,)), *xs], key, X, X), "hlo")
    assert report.target.signature == "<lambda>(key<fry>[], (f32[3], f32[3]))".replace(
        "<lambda>", report.target.qualname
    )


def test_it_runs_on_sample_values(exported):
    file = exported(
        lambda x: {"y": jnp.linalg.cholesky(x @ x.T + jnp.eye(4))}, jax.ShapeDtypeStruct((4, 4), "float32")
    )
    request = inspection.Request("profile", file, ())
    report = inspection.read(
        request, lambda target, subjects: profile(target, subjects, calls=1), opener=opened
    )
    assert report.profile.calls == 1 and report.profile.by_op


def test_a_file_has_no_jaxpr(exported):
    file = exported(jnp.sin, X)
    with pytest.raises(UnavailableError, match="a file has no jaxpr"):
        inspect(file, "jaxpr")
    report, _ = inspect(file, "jaxpr", "stablehlo")
    assert [one.unavailable for one in report.artifacts] == ["a file has no jaxpr", None]


def test_calls_of_python_are_read_but_not_compiled(module):
    def tells(x, ordered):
        jax.debug.print("{}", x, ordered=ordered)
        return x

    for ordered, why in ((False, "it calls Python back"), (True, "it has ordered effects")):
        file = module(jax.jit(tells, static_argnums=1).lower(X, ordered))
        for stage in ("hlo", "asm"):
            with pytest.raises(UnavailableError, match=why):
                inspect(file, stage)
    assert "custom_call" in inspect(file, "stablehlo")[0].artifacts[0].text


def test_custom_calls_that_this_xla_does_not_have(module):
    file = module(
        "module @jit_f { func.func public @main(%a: tensor<3xf32>) -> tensor<3xf32> {\n"
        "%0 = stablehlo.custom_call @nowhere(%a) : (tensor<3xf32>) -> tensor<3xf32>\n"
        "return %0 : tensor<3xf32> } }"
    )
    with pytest.raises(CompileError, match="nowhere"):
        inspect(file, "hlo")


def test_a_module_without_locations_has_no_file_and_no_names(module):
    report, _ = inspect(module(jax.jit(product).lower(X, X).as_text()), "hlo")
    assert (report.target.file, report.target.signature) == (None, "product(f32[3], f32[3])")
    assert "%arg0" in inspect(report.target.ref, "stablehlo")[0].artifacts[0].text


def test_shapes_that_nobody_can_name_are_refused(module):
    file = module(
        "module { func.func public @main(%a: tensor<?xf32>) -> tensor<?xf32> { return %a : tensor<?xf32> } }"
    )
    with pytest.raises(LoadError, match="shapes that are not static"):
        inspect(file, "stablehlo")


EXPORTED = Path(__file__).parents[2] / "support" / "exported"


@pytest.mark.parametrize("name", ["step.jaxexport", "step.mlir", "step.hlo", "step.vhlo"])
def test_files_of_jax_0_10_2(tmp_path, name):
    """Made by `tests/support/exported/make.py`, and read by every JAX."""
    file = tmp_path / name
    file.write_bytes(gzip.decompress((EXPORTED / f"{name}.gz").read_bytes()))
    report, _ = inspect(str(file), "hlo")
    assert report.target.signature == "step({'b': f32[8], 'w': f32[16,8]}, f32[4,16])"
    assert (report.target.file, report.target.donated) == ("make.py", ("params",))
    assert [one.aliased is not None for one in read("donation", str(file)).donation] == [True, True, False]
    assert read("cost", str(file)).cost.flops > 2 * 2 * 4 * 16 * 8


def test_open_sizes_of_jax_0_10_2(tmp_path):
    file = tmp_path / "any name"
    file.write_bytes(gzip.decompress((EXPORTED / "open_sizes.jaxexport.gz").read_bytes()))
    report, _ = inspect(str(file), "hlo", dims={"b": (3,)})
    assert report.target.signature == "product(f32[3,16], f32[16,8])"
