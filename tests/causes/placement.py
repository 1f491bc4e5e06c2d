"""Where arrays lie: committed or not, device, sharding, memory, layout."""

from tests.causes.case import Reason, case

DOUBLE = """
    @jax.jit
    def double(x):
        return x * 2

    x = np.ones((8, 8), np.float32)
    cpu = jax.devices()
"""

SHARDED = (
    DOUBLE
    + """
    from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
"""
)

CASES = [
    case(
        "committed on the same device",
        DOUBLE
        + """
    double(jnp.asarray(x))
    double(jax.device_put(x, cpu[0]))
        """,
        "COMPILED COMPILED",
        Reason("committed", "x", "uncommitted", "committed"),
    ),
    case(
        "committed by out_shardings of its own output",
        """
        from functools import partial
        from jax.sharding import SingleDeviceSharding

        @partial(jax.jit, out_shardings=SingleDeviceSharding(jax.devices()[0]))
        def step(state):
            return state * 2

        state = jnp.ones(3)
        for _ in range(2):
            state = step(state)
        """,
        "COMPILED COMPILED",
        Reason("committed", "state", "uncommitted", "committed"),
    ),
    case(
        "other device",
        DOUBLE
        + """
    double(jax.device_put(x, cpu[0]))
    double(jax.device_put(x, cpu[1]))
        """,
        "COMPILED COMPILED",
        Reason("device", "x", "cpu:0", "cpu:1"),
        devices=True,
    ),
    case(
        "committed on another device",
        DOUBLE
        + """
    double(jnp.asarray(x))
    double(jax.device_put(x, cpu[1]))
        """,
        "COMPILED COMPILED",
        Reason("committed", "x", "uncommitted", "committed"),
        Reason("device", "x", "cpu:0", "cpu:1"),
        devices=True,
    ),
    case(
        "sharding over Auto axes",
        SHARDED
        + """
    mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
    double(jax.device_put(x, NamedSharding(mesh, P("data", None))))
    double(jax.device_put(x, NamedSharding(mesh, P(None, "data"))))
        """,
        "COMPILED COMPILED",
        Reason("sharding", "x", "'data'", "None, 'data'"),
        devices=True,
    ),
    case(
        "sharding over Explicit axes",
        SHARDED
        + """
    mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Explicit,))
    double(jax.device_put(x, NamedSharding(mesh, P("data", None))))
    double(jax.device_put(x, NamedSharding(mesh, P(None, "data"))))
        """,
        "COMPILED COMPILED",
        Reason("sharding", "x", "'data'", "None, 'data'"),
        devices=True,
    ),
    case(
        "memory kind",
        DOUBLE
        + """
    from jax.sharding import SingleDeviceSharding  # over several devices 0.9 does not compile it for CPUs

    double(jax.device_put(x, SingleDeviceSharding(cpu[0], memory_kind="device")))
    double(jax.device_put(x, SingleDeviceSharding(cpu[0], memory_kind="pinned_host")))
        """,
        "COMPILED COMPILED",
        Reason("memory_kind", "x", "device", "pinned_host"),
    ),
    case(
        "layout",
        DOUBLE
        + """
    from jax.experimental.layout import Format, Layout
    from jax.sharding import SingleDeviceSharding

    sharding = SingleDeviceSharding(cpu[0])
    double(jax.device_put(x, Format(Layout(major_to_minor=(0, 1)), sharding)))
    double(jax.device_put(x, Format(Layout(major_to_minor=(1, 0)), sharding)))
        """,
        "COMPILED COMPILED",
        Reason("layout", "x", "0, 1", "1, 0"),
    ),
]
