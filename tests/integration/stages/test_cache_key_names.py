"""Keys use the user's names, whichever library jits the function and whatever gave the arguments."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jitinspect.specs import parse_argument
from jitinspect.stages.inspection import Request, inspect

ROOT = Path(__file__).resolve().parent.parent.parent.parent
MODULE = """
    import functools
    import equinox as eqx, jax, jax.numpy as jnp, optax
    from flax import nnx

    def scaled(x, n, *rest, flag=False, **options):
        return x * n
    filtered = eqx.filter_jit(scaled)
    given = functools.partial(filtered, n=3)
    donating = eqx.filter_jit(scaled, donate="all-except-first")

    class Model(eqx.Module):
        w: jax.Array
        def plain(self, x):
            return self.w * x
        @eqx.filter_jit
        def __call__(self, x, n=2):
            return self.w * x * n
        @eqx.filter_jit
        def named(self, x, act=jnp.tanh):
            return act(self.w * x)
    model = Model(jnp.ones(3))
    jitted_module = eqx.filter_jit(Model(jnp.ones(3)))
    jitted_method = eqx.filter_jit(model.plain)

    @eqx.filter_jit
    def loss(params, x):
        return params["a"][0].w * x
    def loss_args():
        return {"a": [model], "mode": "train"}, jnp.ones(3)

    class Net(nnx.Module):
        def __init__(self):
            self.layers = nnx.List([nnx.Linear(2, 2, rngs=nnx.Rngs(0)) for _ in range(2)])
            self.same = self.layers[0]
        @nnx.jit
        def step(self, x):
            return self.layers[0](x)
    net = Net()
    @functools.partial(nnx.jit, static_argnames="k")
    def train(net, optimizer, x, k=2):
        return net.layers[0](x) * k
    def train_args():
        return net, nnx.Optimizer(net, optax.sgd(0.1, momentum=0.9), wrt=nnx.Param), jnp.ones((1, 2))

    class Plain:
        @functools.partial(jax.jit, static_argnums=0, static_argnames="n")
        def step(self, x, n=2):
            return x * n
        def __repr__(self):
            return "Plain()"
    plain = Plain()
    three = functools.partial(plain.step, n=3)

    @jax.jit
    def naïve(x):
        return x + 1
"""


@pytest.fixture
def key(write):
    def key(function, *args, **request):
        write("worded.py", MODULE)
        arguments = tuple(map(parse_argument, args))
        (made,) = inspect(Request("key", f"worded:{function}", (), arguments, key=True, **request)).keys
        return made

    return key


def words(key):
    return [argument.partition(":")[0] for argument in key.memory.args], dict(key.memory.static)


@pytest.mark.parametrize(
    ("function", "args", "names", "static"),
    [
        ("filtered", ["f32[3]", "2"], ["x"], {"n": "2", "flag": "False (its default)"}),
        ("filtered", ["n=2", "x=f32[3]"], ["x"], {"n": "2", "flag": "False (its default)"}),
        ("given", ["f32[3]"], ["x"], {"n": "3", "flag": "False (its default)"}),
        (
            "filtered",
            ["f32[3]", "2", "f32[4]", "'a'", "flag=True", "p=f32[]", "q='b'"],
            ["x", "rest[0]", "options['p']"],
            {"n": "2", "rest[1]": "'a'", "flag": "True", "options['q']": "'b'"},
        ),
        ("model", ["f32[3]"], ["self.w", "x"], {"n": "2 (its default)"}),
        ("model.named", ["f32[3]"], ["self.w", "x"], {"act": "<tanh> (its default)"}),
        ("jitted_method", ["f32[3]"], ["x", "self.w"], {}),
        ("plain.step", ["f32[3]"], ["x"], {"self": "Plain()", "n": "2 (its default)"}),
        ("three", ["f32[3]"], ["x"], {"self": "Plain()", "n": "3"}),
    ],
)
def test_arguments_and_statics_have_the_users_names(key, function, args, names, static):
    found, known = words(key(function, *args))
    assert (found, known) == (names, static)


def test_a_tree_of_modules_has_their_paths(key):
    found, known = words(key("loss", args_from="worded:loss_args"))
    assert found == ["params['a'][0].w", "x"] and known == {"params['mode']": "'train'"}


def test_flax_modules_have_the_names_of_their_attributes(key):
    found, known = words(key("train", args_from="worded:train_args"))
    layers = [f"net.layers[{index}].{name}" for index in (0, 1) for name in ("bias", "kernel")]
    assert sorted(found[:4]) == layers and found[-1] == "x" and known == {"k": "2 (its default)"}
    assert any(name.startswith("optimizer.opt_state") for name in found)
    assert not any("states[" in name for name in found)


def test_a_bound_module_has_the_names_of_its_attributes(key):
    found, known = words(key("net.step", "f32[1,2]"))
    layers = [f"self.layers[{index}].{name}" for index in (0, 1) for name in ("bias", "kernel")]
    assert (found, known) == ([*layers, "x"], {})


def test_what_filter_jit_donates_has_its_name(key):
    made = key("donating", "f32[3]", "2", "f32[3]")
    assert words(made)[0] == ["rest[0]", "x"]
    assert made.disk.inputs["computation"]["donated"] == "rest[0]"


def test_a_name_with_special_characters_is_that_of_jaxs_file(write, tmp_path):
    write("worded.py", "import jax\n@jax.jit\ndef naïve(x):\n    return x + 1\n")
    environ = {
        **os.environ, "PYTHONPATH": str(ROOT), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }  # fmt: skip

    def python(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], env=environ, capture_output=True, text=True, check=True, timeout=300
        ).stdout

    python("-c", "import worded, numpy; worded.naïve(numpy.ones(3, 'float32'))")
    disk = json.loads(python("-m", "jitinspect", "key", "worded:naïve", "--shape", "3", "--json"))["key"][
        "disk"
    ]
    assert disk["module"] == "jit_naïve" and disk["entry"]["present"]
    assert disk["inputs"]["computation"]["module"] == "jit_naïve"
