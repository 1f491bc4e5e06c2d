"""Modules of a user's, written for one test and forgotten after it."""

import importlib
import sys
import textwrap
from pathlib import Path

import pytest

FUNCTIONS = """
    import functools
    import jax
    import jax.numpy as jnp
    import equinox as eqx
    from flax import nnx

    def decorated(fn):
        @functools.wraps(fn)
        def call(*args, **kwargs):
            return fn(*args, **kwargs)
        return call

    def plain(x, n=2, *, flag=False):
        return jnp.sum(x * n) if flag else jnp.sum(x)

    @jax.jit
    def step(x):
        return jnp.sin(x)

    @functools.partial(jax.jit, static_argnames="n", donate_argnames="x")
    def powered(x, n):
        return jnp.sum(x ** n)

    @decorated
    @jax.jit
    def wrapped(x):
        return x + 1

    class Model:
        @jax.jit
        def free(self, x):
            return x
        @functools.partial(jax.jit, static_argnums=0)
        def step(self, x):
            return x * 3
        def plain(self, x):
            return x * 4
        @staticmethod
        def static(x):
            return x * 5
        broken = property(lambda self: 1 / 0)

    class Stepper(eqx.Module):
        weight: jax.Array
        def __call__(self, x):
            return self.weight * x
        def twice(self, x):
            return self(self(x))
        @eqx.filter_jit
        def fast(self, x, *, activation=jnp.tanh):
            return activation(self(x))

    class Linear(nnx.Module):
        def __init__(self):
            self.weight = nnx.Param(jnp.ones(3))
        def __call__(self, x):
            return self.weight * x
        @nnx.jit
        def fast(self, x):
            return self(x) + 1

    def by_position(x, n, /, *rest, **options):
        return x * n

    def first(n, x):
        return jnp.sum(x ** n)

    model, stepper, linear = Model(), Stepper(jnp.ones(3)), Linear()
    bound = functools.partial(powered, n=3)
    over = jax.jit(functools.partial(plain, n=3))
    pmapped = jax.pmap(lambda x: x)
    length, SIZE, _hidden = len, 3, plain
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A fresh current folder, and an interpreter that afterwards knows nothing of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    if (
        "equinox" in sys.modules
    ):  # which keeps jits by the names of functions: one that no watch has seen made
        sys.modules["equinox"].clear_caches()
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write(folder):
    def write(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        return path

    return write


@pytest.fixture
def funcs(write):
    return write("funcs.py", FUNCTIONS)
