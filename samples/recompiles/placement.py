"""Where an array lies is part of the key: committed or not, on which device, sharded how."""

import os

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")

import jax
import numpy as np
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P


@jax.jit
def double(x):
    return x * 2


x = np.ones((8, 8), np.float32)
mesh = jax.make_mesh((4,), ("data",))

double(x)
double(jax.device_put(x))  # not committed: as good as NumPy's
double(jax.device_put(x, jax.devices()[0]))  # committed to the device on which it was anyway
double(jax.device_put(x, jax.devices()[1]))
double(jax.device_put(x, NamedSharding(mesh, P("data", None))))
double(jax.device_put(x, NamedSharding(mesh, P(None, "data"))))
double(jax.device_put(x, SingleDeviceSharding(jax.devices()[1], memory_kind="pinned_host")))
