"""What a file holds, read as the function is from which it came: all that a module can tell is equal."""

import json
import os
import subprocess
import sys

import equinox as eqx
import jax
import optax
import pytest
from flax import linen

from jitinspect.files.opening import opened
from jitinspect.stages import inspection
from samples import mlp
from tests.support.file_readings import read, read_call, told, write


def array(*shape):
    return jax.ShapeDtypeStruct(shape, "float32")


class Net(linen.Module):
    @linen.compact
    def __call__(self, x):
        return linen.Dense(3)(linen.relu(linen.Dense(5)(x)))


def with_linen():
    net = Net()

    @jax.jit
    def apply(variables, x):
        return net.apply(variables, x)

    return apply, (jax.eval_shape(net.init, jax.random.key(0), array(2, 4)), array(2, 4))


def with_optax():
    optimizer = optax.adam(1e-3)
    params = {"w": array(4, 3)}

    @jax.jit
    def update(grads, state):
        return optimizer.update(grads, state)

    return update, (params, jax.eval_shape(optimizer.init, params))


def with_equinox():
    model = eqx.filter_eval_shape(eqx.nn.Linear, 4, 3, key=jax.random.key(0))

    @jax.jit
    def apply(model, x):
        return jax.vmap(model)(x)

    return apply, (model, array(2, 4))


CASES = {
    "mlp": lambda: (mlp.loss_fn, (array(128, 784), array(784, 10))),
    "donated": lambda: (mlp.sgd_step, jax.eval_shape(mlp.make_args)),
    "linen": with_linen,
    "optax": with_optax,
    "equinox": with_equinox,
}
NOT_SERIALIZED = {"optax", "equinox"}
"""Whose trees JAX writes only if their types are registered for it."""


def texts(report):
    return {one.stage: one.text for one in report.artifacts}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["mlir", "jaxexport"])
def test_a_file_becomes_what_the_function_becomes(tmp_path, case, kind):
    if kind == "jaxexport" and case in NOT_SERIALIZED:
        pytest.skip("its trees are not serialized")
    function, call = CASES[case]()
    stages = ("stablehlo", "hlo-before", "hlo") if kind == "mlir" else ("hlo-before", "hlo")
    file = write(tmp_path, kind, function, call)
    of_file = inspection.inspect(inspection.Request("show", file, stages), opener=opened)
    of_function = inspection.inspect_call(function, (call, {}), inspection.Request("show", "", stages))
    assert texts(of_file) == texts(of_function)
    assert {one.phase for one in of_file.events} == {"compile"}
    assert (of_file.target.file, of_file.target.line) == (of_function.target.file, of_function.target.line)
    if case in ("mlp", "donated"):
        assert of_file.target.signature == of_function.target.signature
    for command, but in (("cost", ()), ("source", ("equations", "unrolled", "stages"))):
        assert told(read(command, file), *but) == told(read_call(command, function, call), *but)


@pytest.mark.parametrize("kind", ["mlir", "jaxexport"])
def test_what_becomes_of_donated_arguments(tmp_path, kind):
    call = jax.eval_shape(mlp.make_args)
    of_file = read("donation", write(tmp_path, kind, mlp.sgd_step, call))
    assert told(of_file) == told(read_call("donation", mlp.sgd_step, call))
    assert of_file.target.donated == ("params",) and of_file.savings[0].saved > 0


def test_hlo_before_optimization_costs_the_same(tmp_path):
    call = jax.eval_shape(mlp.make_args)
    file = write(tmp_path, "hlo", mlp.sgd_step, call)
    assert told(read("cost", file)) == told(read_call("cost", mlp.sgd_step, call))
    savings = ("saved", "moved", "could_save")
    of_file, of_function = (
        read("donation", file).savings[0],
        read_call("donation", mlp.sgd_step, call).savings[0],
    )
    assert all(getattr(of_file, one) == getattr(of_function, one) for one in savings)


@pytest.fixture(scope="module")
def over_a_mesh(tmp_path_factory):
    """What differs between files and functions of programs over a mesh; in a process with eight devices."""
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
    }
    folder = tmp_path_factory.mktemp("over_a_mesh")
    program = "from tests.support.file_readings import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["mlir", "jaxexport"])
@pytest.mark.parametrize("command", ["collectives", "sharding", "cost", "hlo"])
def test_programs_over_a_mesh(over_a_mesh, kind, command):
    of_file, of_function = over_a_mesh[f"{kind} {command}"]
    assert of_file == of_function and len(of_file) == 2


def test_the_programs_own_collectives_are_told_apart(over_a_mesh):
    _, (own, *_) = over_a_mesh["mlir collectives"]
    assert {one["asked_by"] for one in own["collectives"]} >= {"user"}
