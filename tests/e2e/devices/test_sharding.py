"""`sharding --target`: XLA's dump says of a compilation that is stopped what it answers at the end of one."""

import json
import sys

import pytest

CALL = (
    "samples.sharded:train_step", "--mesh", "data=2,model=2",
    "-a", "{'w1': f32[64,512]@P(None,'model'), 'b1': f32[512], 'w2': f32[512,16]@P('model'), 'b2': f32[16]}",
    "-a", "f32[128,64]@P('data')", "-a", "f32[128,16]@P('data')",
)  # fmt: skip


def rows(shell, *words):
    finished = shell("sharding", *CALL, "--json", "-q", *words)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)["sharding"]


@pytest.mark.parametrize("target", ["v5e:2x2", "h100:4"])
def test_the_results_are_those_of_the_whole_compilation(shell, needs, target):
    needs(target)
    stopped, whole = rows(shell, "--target", target), rows(shell, "--target", target, "--full")
    assert stopped == whole
    results = {row["path"]: (row["spec"], row["device_bytes"]) for row in whole if row["kind"] == "result"}
    assert results["result[0]['w1']"] == ("P(None, 'model')", 64 * 256 * 4)
    assert results["result[0]['b1']"] == ("P('model')", 1024) and results["result[1]"] == ("P()", 4)


def test_values_of_lines_are_known_too(shell, tpu):
    found = rows(shell, "--target", "v5e:2x2", "--source")
    hidden = [row for row in found if row["kind"] == "value" and row["path"] == "dot_general"]
    assert {row["line"] for row in hidden} >= {"samples/sharded.py:12", "samples/sharded.py:13"}
    assert ["P('data', 'model')", [64, 256]] in [[row["spec"], row["device_shape"]] for row in hidden]


def test_a_picture_has_the_ids_of_the_slice(shell, tpu):
    told = shell("sharding", *CALL, "--target", "v5e:2x2", "-q", COLUMNS="80").stdout
    assert "       model →\ndata ↓ 0 1\n       3 2\n" in told and "no device was involved" in told


EXPLICIT = """
import jax, jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
import jitinspect

def product(x, w):
    return jnp.einsum("bd,df->bf", x, w, out_sharding=P("data", None))

if __name__ == "__main__":
    from explicit import product
    mesh = jax.make_mesh((2, 2), ("data", "model"), axis_types=(AxisType.Explicit,) * 2)
    x, w = (
        jax.ShapeDtypeStruct((128, 128), "float32", sharding=NamedSharding(mesh, spec))
        for spec in (P("data", "model"), P("model", None))
    )
    print(jitinspect.read("collectives", product, x, w, target="v5e:2x2").to_json())
"""


def test_an_explicit_mesh_is_explicit_on_the_slice_too(shell):
    shell.write("explicit.py", EXPLICIT)
    environ = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    printed = shell.run([sys.executable, "explicit.py"], **environ)
    (row,) = json.loads(printed.stdout)["collectives"]
    assert (row["kind"], row["axes"], row["line"]) == ("all-reduce", ["model"], 7)
    assert (row["before"], row["after"]) == ("P('data', None, unreduced={'model'})", "P('data', None)")
