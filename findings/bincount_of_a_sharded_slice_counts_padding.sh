#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): labels of a batch of 64 are sharded over "data" of the mesh
# data=4, model=2. jnp.bincount(labels[1:]) counts 64 of 63, a zero too many: XLA pads the slice to 64 and counts the
# padding as label 0; of labels[3:], 61, it counts 64 as well. So do jax.ops.segment_sum and .at[labels[1:]].add(1), and
# jnp.nonzero, which counts in the same way, gives wrong indices. On a mesh of one axis all is right, as is
# jax.nn.one_hot(labels[1:], 3).sum(0) on either. There is no warning.
# One would expect the sharding not to change a result. Prints the sum of the counts of labels[1:] on one device, on
# two axes, of labels[3:] on two axes, of labels[1:] on one axis; the first index not 0 of labels[1:], on one device
# and on two axes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

labels = jnp.arange(64) % 3
plane = jax.make_mesh((4, 2), ("data", "model"), axis_types=(AxisType.Auto,) * 2)
line = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))


def sharded(mesh):
    return jax.device_put(labels, NamedSharding(mesh, P("data")))


def counted(labels, start):
    return jax.jit(lambda labels: jnp.bincount(labels[start:], length=3))(labels).sum()


def first(labels):
    return jax.jit(lambda labels: jnp.nonzero(labels[1:], size=1)[0])(labels)[0]


print(counted(labels, 1), counted(sharded(plane), 1), counted(sharded(plane), 3), counted(sharded(line), 1), end=" ")
print(first(labels), first(sharded(plane)))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "counts of 63, 63 on two axes, 61 on two axes, 63 on one axis; first index, and on two axes: $seen"
[ "$seen" = "63 64 64 63 0 1" ] || { echo "XLA does something else now"; exit 1; }
