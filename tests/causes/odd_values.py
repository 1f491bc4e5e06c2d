"""Values whose hash, comparison or repr is not what one expects, and values that are changed in place."""

from tests.causes.case import Reason, case

BOX = """
    class Box:
        def __init__(self, x, meta):
            self.x, self.meta = x, meta

    jax.tree_util.register_pytree_node(
        Box, lambda box: ((box.x,), box.meta), lambda meta, children: Box(*children, meta)
    )

    @jax.jit
    def total(box):
        return jnp.sum(box.x)

    x = np.ones(3, np.float32)
"""
STATIC = """
    from functools import partial

    @partial(jax.jit, static_argnames="how")
    def apply(x, how):
        return x + 1

    x = np.ones(3, np.float32)
"""


def boxes(name, meta, *reasons, helpers=""):
    """The same box with another `meta`, twice."""
    calls = "".join(f"    total(Box(x, {one}))\n" for one in meta)
    return case(name, BOX + helpers + calls, "COMPILED COMPILED", *reasons)


CASES = [
    boxes("metadata in a dict", ("{'mul': 2}", "{'mul': 3}"), Reason("structure", "box", "2}", "3}")),
    boxes("metadata in a list", ("['relu']", "['gelu']"), Reason("structure", "box", "relu", "gelu")),
    boxes("metadata in a set", ("{1}", "{2}"), Reason("structure", "box", "{1}", "{2}")),
    boxes(
        "metadata with an array",
        ("(jnp.float32(3), 3)", "(jnp.float32(3), 4)"),
        Reason("structure", "box", "(3.0, 3)", "(3.0, 4)"),
    ),
    boxes(
        "metadata that are an array of NumPy",
        ("np.zeros(1)", "np.ones(1)"),
        Reason("structure", "box", "f64[1]", "f64[1]"),
    ),
    boxes(
        "metadata that are NaN",
        ("float('nan')", "float('nan')"),
        Reason("structure", "box", "nan", "nan"),
    ),
    boxes(
        "metadata whose repr fails",
        ("Meta()", "Meta()"),
        Reason("structure", "box", "Meta", "Meta"),
        helpers="""
    class Meta:
        def __repr__(self):
            raise RuntimeError("no repr")

""",
    ),
    boxes(
        "metadata whose hash fails",
        ("Meta(1)", "Meta(2)"),
        Reason("structure", "box"),
        helpers="""
    class Meta:
        def __init__(self, v):
            self.v = v

        def __hash__(self):
            raise RuntimeError("no hash")

        def __eq__(self, other):
            return self.v == other.v

""",
    ),
    case(
        "a shape, beside metadata that cannot be hashed",
        BOX
        + """
    total(Box(x, {"mul": 2}))
    total(Box(x, {"mul": 2}))
    total(Box(x[1:], {"mul": 2}))
        """,
        "COMPILED CACHED COMPILED",
        Reason("shape", "box[0]", "f32[3]", "f32[2]"),
    ),
    case(
        "static value whose == fails",
        STATIC
        + """
    class Odd:
        def __init__(self, v):
            self.v = v

        def __hash__(self):
            return self.v

        def __eq__(self, other):
            raise RuntimeError("no ==")

    apply(x, how=Odd(1))
    apply(x[1:], how=Odd(5))
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how.v", "1", "5"),
        Reason("shape", "x"),
    ),
    case(
        "static value whose properties fail",
        STATIC
        + """
    class Odd:
        @property
        def dtype(self):
            raise RuntimeError("no dtype")

        @property
        def __name__(self):
            raise RuntimeError("no name")

    apply(x, how=Odd())
    apply(x, how=Odd())
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how", "Odd", "Odd"),
    ),
    case(
        "field of a static object without __eq__",
        STATIC
        + """
    class Options:
        def __init__(self, v):
            self.v = v

    apply(x, how=Options(1))
    apply(x, how=Options(2))
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how.v", "1", "2"),
    ),
    case(
        "static object that was changed in place",
        STATIC
        + """
    import dataclasses

    @dataclasses.dataclass(unsafe_hash=True)
    class Config:
        gain: float
        mode: str = "a"

    config = Config(1.0)
    apply(x, how=config)
    config.gain = 2.0
    apply(x, how=config)
    config.gain = 3.0
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how.gain", "1.0", "2.0"),
        only="0.12",  # 0.10 returns the stale result
    ),
]
