"""The pipeline from trace to executable, on real JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jitinspect.errors import CompileError, UnavailableError, UserFunctionError
from jitinspect.stages.observer import Observer
from jitinspect.stages.pipeline import STAGE_READERS, Options, Pipeline, artifact, platform_error

X = jax.ShapeDtypeStruct((8, 4), "float32")


def pipeline(function, *args, platform=None):
    return Pipeline(lambda: jax.jit(function).trace(*args), platform)


def double(x):
    return x * 2


@pytest.mark.parametrize(
    ("stage", "phases"),
    [
        ("jaxpr", ["trace"]),
        ("stablehlo", ["trace", "lower"]),
        ("hlo-before", ["trace", "lower"]),
        ("hlo", ["trace", "lower", "compile"]),
    ],
)
def test_a_stage_runs_no_step_that_it_does_not_need(stage, phases):
    def fresh(x):
        return x * 3

    with Observer() as observer:
        STAGE_READERS[stage](pipeline(fresh, X), Options())
    assert [event.phase for event in observer.events] == phases


def test_each_step_is_run_once():
    def fresh(x):
        return x * 5

    with Observer() as observer:
        path = pipeline(fresh, X)
        for stage in ("hlo", "stablehlo", "jaxpr", "hlo"):
            STAGE_READERS[stage](path, Options())
    assert len(observer.events) == 3


@pytest.mark.parametrize("platform", ["tpu", "cuda", "rocm"])
def test_a_module_lowered_for_another_platform_is_never_compiled(platform):
    path = pipeline(double, X, platform=platform)
    assert "stablehlo.multiply" in STAGE_READERS["stablehlo"](path, Options()).text
    with Observer() as observer, pytest.raises(UnavailableError, match=platform):
        STAGE_READERS["hlo"](path, Options())
    assert observer.events == []
    with pytest.raises(UnavailableError):
        STAGE_READERS["llvm"](path, Options())


def test_a_kernel_for_tpu_is_lowered_with_what_tpu_has():
    def where_am_i(x):
        return jax.lax.platform_dependent(x, cpu=lambda x: x + 1, tpu=lambda x: x - 1)

    assert (
        "stablehlo.subtract"
        in STAGE_READERS["stablehlo"](pipeline(where_am_i, X, platform="tpu"), Options()).text
    )


def test_platforms_that_jax_cannot_lower_for_are_errors():
    assert all(platform_error(name) is None for name in ("cpu", "cuda", "rocm", "tpu"))
    assert platform_error("gpu").hint == "cuda or rocm"
    assert platform_error("abacus").exit_code == 2


def test_stablehlo_is_that_of_as_text_except_for_large_constants():
    weights = np.arange(4096, dtype="float32")

    def small(x):
        return x + jnp.arange(4.0)

    def large(x):
        return x + jnp.asarray(weights)

    path = pipeline(small, X)
    assert STAGE_READERS["stablehlo"](path, Options()).text == path.lowered.as_text()
    elided = STAGE_READERS["stablehlo"](pipeline(large, jax.ShapeDtypeStruct((4096,), "float32")), Options())
    assert len(elided.text) < 2000 and "--raw prints" in elided.notes[0]


def test_failures_are_distinguished():
    def broken(x):
        return x @ x

    with pytest.raises(UserFunctionError) as raised:
        STAGE_READERS["jaxpr"](pipeline(broken, X), Options())
    assert "in broken" in raised.value.detail and raised.value.exit_code == 4

    class Failing:
        def lower(self):
            raise NotImplementedError("no rule")

    with pytest.raises(CompileError, match="lowering failed: NotImplementedError: no rule"):
        STAGE_READERS["stablehlo"](Pipeline(Failing), Options())


def test_an_artifact_has_the_digest_of_its_text():
    reading = STAGE_READERS["jaxpr"](pipeline(double, X), Options())
    made = artifact("jaxpr", reading)
    assert len(made.sha256) == 64 and made.text == str(jax.make_jaxpr(double)(X))
