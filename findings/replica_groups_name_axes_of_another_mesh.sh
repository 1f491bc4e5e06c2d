#!/usr/bin/env bash
# jax 0.12.0.1 (CPU with 8 devices; 0.10.2 prints ids, or axis_0): compiled HLO names mesh axes in replica_groups. A
# psum over "model", of the mesh data=4, model=2, is printed as over 'c' of the mesh a=2, b=2, c=2 if another line of
# the program has a sharding on that mesh, and the all-gather of a weight over "data" as over 'axis_0' of a mesh that
# nobody made. The groups are right, the names are not: one would read off the text which axis a collective runs over.
# Prints the replica_groups of the psum by itself, of the psum beside the other mesh, and of the all-gather.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# jax 0.12 wants Python 3.12 or newer.
for python in python3 python3.13 python3.12 ~/.pyenv/versions/3.1[23].*/bin/python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2> /dev/null && break
done
"$python" -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.12.0.1 jaxlib==0.12.0.1

cat > "$work/program.py" <<'PYTHON'
import re

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

mesh = jax.make_mesh((4, 2), ("data", "model"), axis_types=(AxisType.Auto,) * 2)
other = jax.make_mesh((2, 2, 2), ("a", "b", "c"), axis_types=(AxisType.Auto,) * 3)
x = jax.ShapeDtypeStruct((8, 8), "float32", sharding=NamedSharding(mesh, P("data", "model")))
weights = jax.ShapeDtypeStruct((4, 8, 8), "float32", sharding=NamedSharding(mesh, P(None, "data")))


@jax.shard_map(mesh=mesh, in_specs=P("data", "model"), out_specs=P("data"))
def summed(x):
    return jax.lax.psum(x, "model")


def beside_another(x):
    return summed(jax.lax.with_sharding_constraint(x, NamedSharding(other, P(("a", "b"), "c"))))


def layers(weights):
    return jax.lax.scan(lambda x, weight: (x @ weight, None), jnp.ones((8, 8)), weights)[0]


def groups(f, argument):
    hlo = jax.jit(f).lower(argument).compile().as_text()
    return re.search(r"replica_groups=(.*?), [a-z]", hlo)[1].replace("'", "").replace(" ", "")


print(groups(summed, x), groups(beside_another, x), groups(layers, weights))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "groups of the psum, of the psum beside another mesh, of the all-gather: $seen"
expected="mesh[data=4,model=2]{model} mesh[a=2,b=2,c=2]{c} mesh[axis_0=4,axis_1=2]{axis_0}"
[ "$seen" = "$expected" ] || { echo "XLA does something else now"; exit 1; }
