"""Which earlier call is compared with: the nearest, and of equally near ones the newest."""

from tests.causes.case import Reason, case

ACTIVATE = """
    from functools import partial

    @partial(jax.jit, static_argnames="kind")
    def activate(x, kind):
        return getattr(jax.nn, kind)(x)

    x, longer = np.ones(3, np.float32), np.ones(4, np.float32)
"""

TOTAL = """
    @jax.jit
    def total(params):
        return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(params))

    x, longer = np.ones(3, np.float32), np.ones(4, np.float32)
"""

CASES = [
    case(
        "a static value flipped earlier, now a shape",
        ACTIVATE
        + """
    activate(x, kind="relu")
    activate(x, kind="gelu")
    activate(longer, kind="relu")
        """,
        "COMPILED COMPILED COMPILED",
        Reason("shape", "x", "f32[3]", "f32[4]"),
    ),
    case(
        "a setting flipped earlier, now a shape",
        TOTAL
        + """
    total(x)
    with jax.default_matmul_precision("float32"):
        total(x)
    total(longer)
        """,
        "COMPILED COMPILED COMPILED",
        Reason("shape", "params", "f32[3]", "f32[4]"),
    ),
    case(
        "a dict's keys flipped earlier, now a shape",
        TOTAL
        + """
    total({"w": x})
    total({"w": x, "b": x})
    total({"w": longer})
        """,
        "COMPILED COMPILED COMPILED",
        Reason("shape", "params['w']", "f32[3]", "f32[4]"),
    ),
    case(
        "of equally near calls the newest",
        TOTAL
        + """
    for size in (3, 4, 5):
        total(np.ones(size, np.float32))
        """,
        "COMPILED COMPILED COMPILED",
        Reason("shape", "params", "f32[4]", "f32[5]"),
    ),
    case(
        "two differences at once",
        ACTIVATE
        + """
    activate(x, kind="relu")
    activate(longer, kind="gelu")
        """,
        "COMPILED COMPILED",
        Reason("shape", "x", "f32[3]", "f32[4]"),
        Reason("static_value", "kind", "'relu'", "'gelu'"),
    ),
    case(
        "a shape and a setting at once",
        TOTAL
        + """
    total(x)
    with jax.default_matmul_precision("float32"):
        total(longer)
        """,
        "COMPILED COMPILED",
        Reason("shape", "params", "f32[3]", "f32[4]"),
        Reason("config", "jax_default_matmul_precision", "None", "float32"),
    ),
    case(
        "another function of the same name is no earlier call",
        """
        def build():
            @jax.jit
            def step(x):
                return x * 2

            return step

        @jax.jit
        def step(x):
            return x * 3

        x = np.ones(3, np.float32)
        step(x)
        build()(np.ones(4, np.float32))
        step(np.ones(5, np.float32))
        """,
        "COMPILED COMPILED COMPILED",
        Reason("shape", "x", "f32[3]", "f32[5]"),
    ),
]
