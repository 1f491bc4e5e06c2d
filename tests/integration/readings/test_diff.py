"""`diff` on what JAX makes: names alone are not a difference, everything else is."""

import functools

import pytest

from jitinspect.model.differences import STAGES
from jitinspect.readings.diff.stage_texts import difference
from jitinspect.stages.pipeline import STAGE_READERS, Options, Pipeline
from tests.integration.stages.test_parsing import pipeline
from tests.support.program_samples import CASES


def text(stage, path):
    return STAGE_READERS[stage](path, Options()).text


@functools.cache
def texts_twice(name):
    """Stage → its text, and its text when all is made again."""
    import jax

    before = {stage: text(stage, pipeline(name)) for stage in STAGES}
    jax.clear_caches()
    again = pipeline.__wrapped__(name)
    return {stage: (before[stage], text(stage, again)) for stage in STAGES}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", CASES)
def test_a_function_does_not_differ_from_itself_traced_again(name, stage):
    found = difference(stage, *texts_twice(name)[stage])
    assert found.same and not found.changes


NET = """
import jax, jax.numpy as jnp

@jax.jit
def {function}({x}, {w}, scale={scale}):
    {h} = jnp.tanh({x} @ {w}) * scale
    def body({c}, _):
        return jnp.sin({c}) {op} {h}, None
    return jax.lax.scan(body, {x}, None, length={length})[0]
"""
PLAIN = dict(function="net", x="x", w="w", h="h", c="c", scale=2.0, op="*", length=7)
SAME = {
    "renamed variables": dict(h="hidden", c="carry"),
    "renamed arguments": dict(x="inputs", w="weights"),
}
OTHER = {"a constant": dict(scale=3.0), "an operation": dict(op="+"), "a length": dict(length=8)}


@pytest.fixture
def made(write):
    """The pipeline of the function with this text, `above` lines further down, in a module of that name."""
    import importlib
    import sys

    import jax

    def made(above=0, module="net", **words):
        sys.modules.pop(module, None)
        write(f"{module}.py", "\n" * above + NET.format(**{**PLAIN, **words}))
        function = importlib.import_module(module).net
        spec = jax.ShapeDtypeStruct((8, 8), "float32")
        path = Pipeline(lambda: function.trace(spec, spec))
        assert path.traced
        return path

    return made


@pytest.fixture(autouse=True)
def importable(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize("stage", ["stablehlo", "hlo"])
def test_names_lines_and_modules_are_not_a_difference(made, stage):
    before = text(stage, made())
    for words in SAME.values():
        assert difference(stage, before, text(stage, made(**words))).same, words
    assert difference(stage, before, text(stage, made(above=20))).same
    assert difference(stage, before, text(stage, made(module="elsewhere"))).same


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("words", OTHER.values(), ids=OTHER)
def test_what_is_computed_is_a_difference(made, words, stage):
    found = difference(stage, text(stage, made()), text(stage, made(**words)))
    assert not found.same and found.changes
    assert any(line.startswith("+") for hunk in found.changes for line in hunk.lines)
    assert found.summary.changed or found.summary.ops


def test_metadata_and_default_layouts_are_not_a_difference(made):
    """JAX's own text contains Python lines, which move."""
    before, after = (STAGE_READERS["hlo"](path, Options(raw=True)).text for path in (made(), made(above=20)))
    assert before != after and "metadata={" in before
    assert difference("hlo", before, after).same
    assert difference("hlo", before, text("hlo", made())).same
    assert not difference("hlo", before, text("hlo", made(scale=3.0))).same
