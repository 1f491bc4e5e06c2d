"""Containers of arrays: their types, their keys, and what they carry beside arrays."""

from tests.causes.case import Reason, case

TOTAL = """
    @jax.jit
    def total(params):
        return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(params))

    a, b, c = (np.full(3, n, np.float32) for n in range(3))
"""

CASES = [
    case(
        "None, then an array",
        """
        @jax.jit
        def mean(x, mask):
            return jnp.mean(x if mask is None else x * mask)

        x = np.ones(3, np.float32)
        mean(x, None)
        mean(x, x)
        """,
        "COMPILED COMPILED",
        Reason("structure", "mask", "None", "f32[3]"),
    ),
    case(
        "dict key added",
        TOTAL
        + """
    total({"w": a})
    total({"w": a, "b": b})
        """,
        "COMPILED COMPILED",
        Reason("structure", "params", "'w'", "'b'"),
    ),
    case(
        "dict key renamed",
        TOTAL
        + """
    total({"w": a, "bias": b})
    total({"w": a, "b": b})
        """,
        "COMPILED COMPILED",
        Reason("structure", "params", "'bias'", "'b'"),
    ),
    case(
        "dict key added deep inside",
        TOTAL
        + """
    total({"dense": [{"w": a}, {"w": a}], "out": c})
    total({"dense": [{"w": a}, {"w": a, "b": b}], "out": c})
        """,
        "COMPILED COMPILED",
        Reason("structure", "params['dense'][1]", "'w'", "'b'"),
    ),
    case(
        "list length",
        TOTAL
        + """
    total([a, b])
    total([a, b, c])
        """,
        "COMPILED COMPILED",
        Reason("structure", "params", "list of 2", "list of 3"),
    ),
    case(
        "list, then tuple",
        TOTAL
        + """
    total([a, b])
    total((a, b))
        """,
        "COMPILED COMPILED",
        Reason("structure", "params", "list", "tuple"),
    ),
    case(
        "dict, then OrderedDict",
        TOTAL
        + """
    from collections import OrderedDict

    total({"b": b, "w": a})
    total(OrderedDict(b=b, w=a))
        """,
        "COMPILED COMPILED",
        Reason("structure", "params", "dict", "OrderedDict"),
    ),
    case(
        "namedtuple of another class",
        TOTAL
        + """
    from collections import namedtuple

    Batch, Example = namedtuple("Batch", "image label"), namedtuple("Example", "image label")
    total(Batch(a, b))
    total(Example(a, b))
        """,
        "COMPILED COMPILED",
        Reason("structure", "params", "Batch", "Example"),
    ),
    case(
        "dataclass of another class",
        TOTAL
        + """
    import dataclasses

    @jax.tree_util.register_dataclass
    @dataclasses.dataclass
    class Dense:
        w: jax.Array

    @jax.tree_util.register_dataclass
    @dataclasses.dataclass
    class Conv:
        w: jax.Array

    total(Dense(a))
    total(Conv(a))
        """,
        "COMPILED COMPILED",
        Reason("structure", "params", "Dense", "Conv"),
    ),
    # a metadata field is a static value in a tree: its name and values say it all
    case(
        "metadata of a dataclass",
        """
        import dataclasses

        @jax.tree_util.register_dataclass
        @dataclasses.dataclass
        class Layer:
            w: jax.Array
            activation: str = dataclasses.field(metadata={"static": True})

        @jax.jit
        def apply(layer, x):
            return getattr(jax.nn, layer.activation)(x * layer.w)

        x = np.ones(3, np.float32)
        apply(Layer(x, "relu"), x)
        apply(Layer(x, "gelu"), x)
        """,
        "COMPILED COMPILED",
        Reason("static_value", "layer.activation", "relu", "gelu"),
    ),
    case(
        "auxiliary data without __eq__",
        TOTAL
        + """
    class Meta:
        pass

    @jax.tree_util.register_pytree_node_class
    class Box:
        def __init__(self, value, meta):
            self.value, self.meta = value, meta

        def tree_flatten(self):
            return [self.value], self.meta

        @classmethod
        def tree_unflatten(cls, meta, children):
            return cls(*children, meta)

    total([Box(a, Meta())])
    total([Box(a, Meta())])
        """,
        "COMPILED COMPILED",
        Reason("structure", "params[0]", "Meta", "Meta"),
    ),
    # the lambda is what the argument's tree carries beside arrays: the function that is jitted is the same
    case(
        "Partial of a new lambda as an argument",
        """
        @jax.jit
        def apply(fn, x):
            return fn(x)

        x = np.ones(3, np.float32)
        for _ in range(2):
            apply(jax.tree_util.Partial(lambda w, v: w * v, x), x)
        """,
        "COMPILED COMPILED",
        Reason("structure", "fn", "<lambda>", "<lambda>"),
    ),
    case(
        "*args grows",
        """
        @jax.jit
        def total(*xs):
            return sum(xs)

        x = np.ones(3, np.float32)
        total(x, x)
        total(x, x, x)
        """,
        "COMPILED COMPILED",
        Reason("structure", "xs", "2", "3"),
    ),
    case(
        "shape of one of *args",
        """
        @jax.jit
        def total(first, *rest):
            return jnp.sum(first) + sum(map(jnp.sum, rest))

        x, y = np.ones(3, np.float32), np.ones(4, np.float32)
        total(x, x, x)
        total(x, x, y)
        """,
        "COMPILED COMPILED",
        Reason("shape", "rest[1]", "f32[3]", "f32[4]"),
    ),
    case(
        "shape of one of **kwargs",
        """
        @jax.jit
        def total(**features):
            return sum(map(jnp.sum, features.values()))

        x, y = np.ones(3, np.float32), np.ones(4, np.float32)
        total(age=x, height=x)
        total(height=y, age=x)
        """,
        "COMPILED COMPILED",
        Reason("shape", "features['height']", "f32[3]", "f32[4]"),
    ),
    case(
        "dtype of a leaf deep inside",
        TOTAL
        + """
    layers = [{"w": a, "b": b}, {"w": b, "b": c}]
    total({"layers": layers, "out": c})
    total({"layers": [layers[0], {"w": jnp.asarray(b, jnp.bfloat16), "b": c}], "out": c})
        """,
        "COMPILED COMPILED",
        Reason("dtype", "params['layers'][1]['w']", "f32[3]", "bf16[3]"),
    ),
    case(
        "shape of a namedtuple's field",
        TOTAL
        + """
    from typing import NamedTuple

    class Batch(NamedTuple):
        image: jax.Array
        label: jax.Array

    total(Batch(a, b))
    total(Batch(np.ones((2, 3), np.float32), b))
        """,
        "COMPILED COMPILED",
        Reason("shape", "params.image", "f32[3]", "f32[2,3]"),
    ),
]
