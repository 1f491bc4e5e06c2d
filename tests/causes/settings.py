"""Settings of JAX, and the mesh, that a trace hangs on."""

from tests.causes.case import Reason, case

PRODUCT = """
    @jax.jit
    def product(a, b):
        return a @ b

    a = np.ones((3, 3), np.float32)
"""

CASES = [
    case(
        "x64",
        PRODUCT
        + """
    product(a, a)
    with jax.enable_x64(True):
        product(a, a)
        """,
        "COMPILED COMPILED",
        Reason("config", "jax_enable_x64", "False", "True"),
    ),
    case(
        "x64 by an update, and arrays of twice the width",
        PRODUCT
        + """
    product(a, a.astype(np.float64))
    jax.config.update("jax_enable_x64", True)
    product(a, a.astype(np.float64))
        """,
        "COMPILED COMPILED",
        Reason("config", "jax_enable_x64", "False", "True"),
        Reason("dtype", "b", "f32[3,3]", "f64[3,3]"),
    ),
    case(
        "matmul precision",
        PRODUCT
        + """
    product(a, a)
    with jax.default_matmul_precision("float32"):
        product(a, a)
        """,
        "COMPILED COMPILED",
        Reason("config", "jax_default_matmul_precision", "None", "float32"),
    ),
    case(
        "rank promotion",
        PRODUCT
        + """
    product(a, a)
    jax.config.update("jax_numpy_rank_promotion", "warn")
    product(a, a)
        """,
        "COMPILED COMPILED",
        Reason("config", "jax_numpy_rank_promotion", "allow", "warn"),
    ),
    case(
        "default device",
        PRODUCT
        + """
    product(a, a)
    with jax.default_device(jax.devices()[1]):
        product(a, a)
        """,
        "COMPILED COMPILED",
        Reason("config", "jax_default_device", "None", "1"),
        devices=True,
    ),
    case(
        "set_mesh",
        PRODUCT
        + """
    product(a, a)
    with jax.set_mesh(jax.make_mesh((4,), ("data",))):
        product(a, a)
        """,
        "COMPILED COMPILED",
        Reason("mesh", None, None, "data"),
        devices=True,
    ),
]
