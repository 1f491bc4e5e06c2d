"""Static arguments, and the form in which arguments are given."""

from tests.causes.case import Reason, case

APPLY = """
    from functools import partial

    @partial(jax.jit, static_argnames="how")
    def apply(x, how):
        return x + 1

    x = np.ones(3, np.float32)
"""

CASES = [
    case(
        "static value by keyword",
        """
        from functools import partial

        @partial(jax.jit, static_argnames="kind")
        def activate(x, kind):
            return getattr(jax.nn, kind)(x)

        x = np.ones(3, np.float32)
        activate(x, kind="relu")
        activate(x, kind="gelu")
        """,
        "COMPILED COMPILED",
        Reason("static_value", "kind", "'relu'", "'gelu'"),
    ),
    case(
        "static value by position",
        """
        from functools import partial

        @partial(jax.jit, static_argnums=1)
        def repeat(x, times):
            return jnp.tile(x, times)

        x = np.ones(3, np.float32)
        repeat(x, 2)
        repeat(x, 5)
        """,
        "COMPILED COMPILED",
        Reason("static_value", "times", "2", "5"),
    ),
    case(
        "static 1, then True",
        APPLY
        + """
    apply(x, how=1)
    apply(x, how=True)
        """,
        {"0.8.": "COMPILED CACHED", "": "COMPILED COMPILED"},  # by keyword 0.8 compares by == alone
        Reason("static_value", "how", "1", "True"),
    ),
    case(
        "static object without __eq__",
        APPLY
        + """
    class Options:
        def __init__(self, v):
            self.v = v

        def __repr__(self):
            return f"Options(v={self.v})"

    apply(x, how=Options(1))
    apply(x, how=Options(1))
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how", "Options", "Options"),
    ),
    case(
        "static lambda",
        APPLY
        + """
    for _ in range(2):
        apply(x, how=lambda v: v * 2)
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how", "<lambda>", "<lambda>"),
    ),
    case(
        "static NaN",
        APPLY
        + """
    apply(x, how=float("nan"))
    apply(x, how=float("nan"))
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how", "nan", "nan"),
    ),
    case(
        "static frozen dataclass",
        APPLY
        + """
    import dataclasses

    @dataclasses.dataclass(frozen=True)
    class Config:
        layers: int = 2
        hidden: int = 128

    apply(x, how=Config())
    apply(x, how=Config(hidden=256))
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how.hidden", "128", "256"),
    ),
    case(
        "static namedtuple",
        APPLY
        + """
    from typing import NamedTuple

    class Config(NamedTuple):
        layers: int = 2
        hidden: int = 128

    apply(x, how=Config())
    apply(x, how=Config(layers=3, hidden=256))
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how.layers", "2", "3"),
        Reason("static_value", "how.hidden", "128", "256"),
    ),
    case(
        "static enum",
        APPLY
        + """
    import enum

    class Mode(enum.Enum):
        TRAIN = 1
        EVAL = 2

    apply(x, how=Mode.TRAIN)
    apply(x, how=Mode.EVAL)
        """,
        "COMPILED COMPILED",
        Reason("static_value", "how", "TRAIN", "EVAL"),
    ),
    case(
        "static self",
        """
        from functools import partial

        class Model:
            @partial(jax.jit, static_argnums=0)
            def step(self, x):
                return x * 2

        x = np.ones(3, np.float32)
        Model().step(x)
        Model().step(x)
        """,
        "COMPILED COMPILED",
        Reason("static_value", "self", "Model", "Model"),
    ),
    case(
        "default of a static argument passed by keyword",
        """
        from functools import partial

        @partial(jax.jit, static_argnames="training")
        def predict(x, training=False):
            return x * 2 if training else x

        x = np.ones(3, np.float32)
        predict(x)
        predict(x, training=False)
        """,
        "COMPILED COMPILED",
        Reason("call_form", "training", "default", "by keyword"),
    ),
    case(
        "default of an array argument passed by position",
        """
        @jax.jit
        def scale(x, factor=2.0):
            return x * factor

        x = np.ones(3, np.float32)
        scale(x)
        scale(x, 2.0)
        """,
        "COMPILED COMPILED",
        Reason("call_form", "factor", "default", "by position"),
    ),
    case(
        "by position, then by keyword",
        """
        @jax.jit
        def add(x, y):
            return x + y

        x, y = np.ones(3, np.float32), np.ones(3, np.float32)
        add(x, y)
        add(x, y=y)
        """,
        "COMPILED COMPILED",
        Reason("call_form", "y", "by position", "by keyword"),
    ),
    case(
        "static argument by keyword, then by position",
        APPLY
        + """
    apply(x, how="relu")
    apply(x, "relu")
        """,
        "COMPILED COMPILED",
        Reason("call_form", "how", "by keyword", "by position"),
    ),
    case(
        "default of a static argument, then another value by keyword",
        """
        from functools import partial

        @partial(jax.jit, static_argnames="training")
        def predict(x, training=False):
            return x * 2 if training else x

        x = np.ones(3, np.float32)
        predict(x)
        predict(x, training=True)
        """,
        "COMPILED COMPILED",
        Reason("static_value", "training", "False", "True"),
    ),
    case(
        "default of an array argument, then an array by keyword",
        """
        @jax.jit
        def scale(x, factor=2.0):
            return x * factor

        x = np.ones(3, np.float32)
        scale(x)
        scale(x, factor=x)
        """,
        "COMPILED COMPILED",
        Reason("shape", "factor", "f32[]{weak}", "f32[3]"),
        Reason("weak_type", "factor", "f32[]{weak}", "f32[3]"),
        Reason("call_form", "factor", "default", "by keyword"),
    ),
    case(
        "default None, then an array",
        """
        @jax.jit
        def scale(x, mask=None):
            return x if mask is None else x * mask

        x = np.ones(3, np.float32)
        scale(x)
        scale(x, x)
        """,
        "COMPILED COMPILED",
        Reason("structure", "mask", "None", "f32[3]"),
        Reason("call_form", "mask", "default", "by position"),
    ),
    case(
        "a default that cannot be traced, then an array",
        """
        @jax.jit
        def scale(x, activation=jnp.tanh):
            return activation(x) if callable(activation) else x * activation

        x = np.ones(3, np.float32)
        scale(x)
        scale(x, x)
        """,
        "COMPILED COMPILED",
        Reason("call_form", "activation", "default", "by position"),
    ),
]
