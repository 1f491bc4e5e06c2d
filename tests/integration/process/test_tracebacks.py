"""Tracebacks of real errors, from JAX and from plain Python."""

import concurrent.futures
import contextlib
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from jitinspect.errors import LoadError
from jitinspect.jaxapi.jits import recognition
from jitinspect.process.tracebacks import user_traceback

HERE = Path(__file__).name
X = jax.ShapeDtypeStruct((3,), "float32")


def inner(x):
    return x @ jnp.ones(4)


@jax.jit
def outer(x):
    return jax.vmap(inner)(x[None])


def branch(x):
    if x.sum() > 0:
        return x
    return -x


def chained(x):
    try:
        return inner(x)
    except TypeError as error:
        raise ValueError("the layer does not fit") from error


def noted(x):
    try:
        return {}[x]
    except KeyError as error:
        error.add_note("a note of the user's")
        raise


def caught(function, *args):
    with pytest.raises(Exception) as info:
        function(*args)
    return user_traceback(info.value)


@contextlib.contextmanager
def filtering(mode):
    before = jax.config.jax_traceback_filtering
    jax.config.update("jax_traceback_filtering", mode)
    try:
        yield
    finally:
        jax.config.update("jax_traceback_filtering", before)


def frames(text):
    return [line.split(", in ")[1] for line in text.splitlines() if line.startswith("  File")]


def files(text):
    return {Path(line.split('"')[1]).name for line in text.splitlines() if line.startswith("  File")}


def test_a_shape_mismatch_in_nested_functions():
    text = caught(lambda: recognition.trace(outer, (X,), {}))
    assert files(text) == {HERE}
    assert frames(text)[-2:] == ["outer", "inner"]
    assert "return x @ jnp.ones(4)" in text
    assert text.splitlines()[-1].startswith("TypeError: ")
    assert "JAX_TRACEBACK_FILTERING" not in text and "----" not in text


class EqxModel(eqx.Module):
    @eqx.filter_jit
    def __call__(self, x):
        return inner(x)


class NnxModel(nnx.Module):
    @nnx.jit
    def __call__(self, x):
        return inner(x)


@pytest.mark.parametrize("model", [EqxModel(), NnxModel()], ids=["equinox", "flax"])
def test_the_jit_frames_of_libraries_are_dropped(model):
    text = caught(recognition.trace, model, (X,), {})
    assert files(text) == {HERE}
    assert frames(text)[-2:] == ["__call__", "inner"]


def test_the_branch_on_a_tracer():
    text = caught(jax.jit(branch).trace, X)
    assert files(text) == {HERE}
    assert "if x.sum() > 0:" in text
    assert "jax.errors.TracerBoolConversionError: Attempted boolean conversion" in text


@pytest.mark.parametrize("mode", ["off", "remove_frames", "tracebackhide", "quiet_remove_frames"])
def test_whatever_filtering_jax_does(mode):
    with filtering(mode):
        text = caught(jax.jit(branch).trace, X)
    assert files(text) == {HERE}
    assert frames(text)[-1] == "branch"
    assert "UnfilteredStackTrace" not in text and "The above exception" not in text


@pytest.mark.parametrize("mode", ["auto", "remove_frames", "off"])
def test_causes_and_notes_of_the_users_stay(mode):
    with filtering(mode):
        text = caught(jax.jit(chained).trace, X)
    assert "The above exception was the direct cause of the following exception:" in text
    assert text.index("TypeError: ") < text.index("ValueError: the layer does not fit")
    assert files(text) == {HERE}
    assert "a note of the user's" in caught(noted, 1)


def test_a_context_is_shown_if_it_has_user_frames():
    def handling():
        try:
            inner(jnp.ones(3))
        except TypeError:
            return {}["missing"]

    text = caught(handling)
    assert "During handling of the above exception" in text
    assert frames(text)[-1].endswith("handling")


@pytest.mark.parametrize("filtered", ["auto", "off"])
@pytest.mark.parametrize("function", [jnp.asarray, jax.vmap(inner)], ids=["context", "cause"])
def test_what_only_jax_raised_and_caught_is_hidden(filtered, function):
    with filtering(filtered), pytest.raises((TypeError, ValueError)) as info:
        function(object() if function is jnp.asarray else 1.0)
    assert info.value.__context__ is not None
    text = user_traceback(info.value)
    assert text.count("Traceback (most recent call last)") == 1 and files(text) == {HERE}


def test_a_cause_that_was_never_raised_is_shown():
    def rebuked():
        raise ValueError("told") from KeyError("why")

    assert caught(rebuked).startswith("KeyError: 'why'\n\nThe above exception was the direct cause")


def test_groups_are_stripped_too():
    def group():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            try:
                pool.submit(jax.jit(branch), jnp.ones(3)).result()
            except TypeError as error:
                raise ExceptionGroup("workers", [error]) from None

    text = caught(group)
    assert "TracerBoolConversionError" in text and "if x.sum() > 0:" in text
    assert "concurrent" not in text and "site-packages" not in text


def test_only_the_exception_is_left_where_no_frame_is_the_users():
    assert user_traceback(LoadError("bare")) == "jitinspect.errors.LoadError: bare"


def test_without_jax():
    code = (
        "import sys\nfrom jitinspect.process.tracebacks import user_traceback\n"
        "try: 1 / 0\nexcept ZeroDivisionError as e: text = user_traceback(e)\n"
        "assert text.endswith('ZeroDivisionError: division by zero'), text\nassert 'jax' not in sys.modules"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
