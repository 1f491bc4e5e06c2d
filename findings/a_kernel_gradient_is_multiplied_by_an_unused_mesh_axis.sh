#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): the gradient of a convolution's kernel is too large by a factor
# where the rows of the images are sharded over one axis of a mesh that has another axis, over which the images are
# replicated: by 2 on a mesh of 4 x 2, by 4 on one of 2 x 4. XLA's partitioner adds up the devices' parts over all
# devices and not over those of the one axis. Nothing is raised, and the gradient of the images, the loss and a
# convolution whose batch is sharded as well are right. libtpu's compiler makes the same all-reduce for a v5e slice.
# One would expect a replicated axis to cost time at most; the learning rate of these weights is another one instead.
# Prints an element of the gradient on one device, on 8 x 1, on 4 x 2, on 2 x 4, and on 4 x 2 with a sharded batch.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P


def loss(kernel, images):
    return jax.lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    ).sum()


kernel, images = jnp.ones((3, 3, 1, 1)), jnp.ones((2, 16, 16, 1))


def on(rows, other, spec):
    mesh = Mesh(np.reshape(jax.devices(), (rows, other)), ("rows", "other"))
    sharded = jax.device_put(images, NamedSharding(mesh, spec))
    return int(jax.jit(jax.grad(loss))(kernel, sharded)[1, 1, 0, 0])


rows = P(None, "rows")
print(int(jax.grad(loss)(kernel, images)[1, 1, 0, 0]), on(8, 1, rows), on(4, 2, rows), on(2, 4, rows), on(4, 2, P("other", "rows")))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "gradient on one device, 8 x 1, 4 x 2, 2 x 4, 4 x 2 with the batch sharded: $seen"
[ "$seen" = "512 512 1024 2048 512" ] || { echo "XLA does something else now"; exit 1; }
