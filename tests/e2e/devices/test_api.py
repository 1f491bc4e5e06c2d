"""`jitinspect.inspect(…, target=…)`: in a process that itself never loads a compiler of another device."""

import pytest

PROGRAM = """
import os
os.environ["JAX_PLATFORMS"] = "cpu"
import jax, jitinspect
from jitinspect.errors import UnavailableError
from samples.mlp import loss_fn

def double(x):
    return x * 2

if __name__ == "__main__":
    types = [jax.ShapeDtypeStruct(shape, "float32") for shape in ((128, 784), (784, 256))]
    found = jitinspect.inspect(loss_fn, *types, target="v5e")
    print(found.hlo.text.split(",")[0], found.target.devices[0].kind, [event.phase for event in found.events])
    print(jitinspect.inspect(double, types[0], target="v6e", stages=["hlo"]).hlo.text.split(",")[0])
    fit = jitinspect.read("fit", loss_fn, *types, target="v5e")
    print(fit.report.fit[0].fits, str(fit).splitlines()[1][:12])
    print(jitinspect.read("cost", loss_fn, *types, target="h100").report.cost.roofline.device)
    mesh = jax.make_mesh((4,), ("data",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    sharded = jax.ShapeDtypeStruct((8, 8), "float32", sharding=sharding)
    print("num_partitions=4" in jitinspect.inspect(double, sharded, target="v5e:2x2").hlo.text)
    only_here = lambda x: x
    for made in (lambda: [jax.jit(lambda x: x)], lambda: [only_here]):
        try:
            jitinspect.inspect(made()[0], types[0], target="v5e")
        except UnavailableError as error:
            print(error.message.split(": ")[0].replace(os.getcwd(), ""))
    print([name for name in ("libtpu.so",) if name in open("/proc/self/maps").read()])
"""


@pytest.mark.parametrize("flags", ["--xla_force_host_platform_device_count=4"])
def test_a_function_is_compiled_for_a_device(shell, tpu, needs, flags):
    needs("h100")
    shell.write("program.py", PROGRAM)
    finished = shell.run([shell.interpreter, "program.py"], XLA_FLAGS=flags)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [
        "HloModule jit_loss_fn TPU v5 lite ['trace', 'lower', 'compile']",
        "HloModule jit_double",
        "True fits on v5e:",
        "h100",
        "True",
        "a worker cannot import <lambda>.<locals>.<lambda>",
        "a worker cannot import /program.py:only_here",
        "[]",
    ]
