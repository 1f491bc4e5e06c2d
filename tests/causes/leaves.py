"""The type of one array: shape, dtype, weak type."""

from tests.causes.case import Reason, case

DOUBLE = """
    @jax.jit
    def double(x):
        return x * 2
"""

SAMPLE = """
    @jax.jit
    def sample(key):
        return jax.random.uniform(key, (3,))
"""

CASES = [
    case(
        "last batch smaller",
        """
        @jax.jit
        def loss(w, x, y):
            return jnp.mean((x @ w - y) ** 2)

        w, data, labels = np.ones(4, np.float32), np.ones((10, 4), np.float32), np.ones(10, np.float32)
        for start in range(0, 10, 4):
            loss(w, data[start:start + 4], labels[start:start + 4])
        """,
        "COMPILED CACHED COMPILED",
        Reason("shape", "x", "f32[4,4]", "f32[2,4]"),
        Reason("shape", "y", "f32[4]", "f32[2]"),
    ),
    case(
        "shape",
        DOUBLE
        + """
    double(np.ones((128, 784), np.float32))
    double(np.ones((64, 784), np.float32))
        """,
        "COMPILED COMPILED",
        Reason("shape", "x", "f32[128,784]", "f32[64,784]"),
    ),
    case(
        "dtype",
        DOUBLE
        + """
    double(np.ones(3, np.float32))
    double(jnp.ones(3, jnp.bfloat16))
        """,
        "COMPILED COMPILED",
        Reason("dtype", "x", "f32[3]", "bf16[3]"),
    ),
    case(
        "weak type",
        """
        @jax.jit
        def decay(rate, x):
            return rate * x

        decay(0.5, np.ones(3, np.float32))
        decay(np.float32(0.5), np.ones(3, np.float32))
        """,
        "COMPILED COMPILED",
        Reason("weak_type", "rate", "f32[]{weak}", "f32[]"),
    ),
    case(
        "weak type by what the function returns",
        """
        @jax.jit
        def step(count, x):
            return count + jnp.sum(x)

        count = 0.0
        for _ in range(2):
            count = step(count, np.ones(3, np.float32))
        """,
        "COMPILED COMPILED",
        Reason("weak_type", "count", "f32[]{weak}", "f32[]"),
    ),
    case(
        "0-d array, then a Python float",
        DOUBLE
        + """
    double(jnp.float32(1.0))
    double(1.0)
        """,
        "COMPILED COMPILED",
        Reason("weak_type", "x", "f32[]", "f32[]{weak}"),
    ),
    case(
        "Python int, then float",
        DOUBLE
        + """
    double(1)
    double(2)
    double(2.5)
        """,
        "COMPILED CACHED COMPILED",
        Reason("dtype", "x", "i32[]{weak}", "f32[]{weak}"),
    ),
    case(
        "NumPy scalars of two dtypes",
        DOUBLE
        + """
    double(np.float32(1))
    double(np.float16(1))
        """,
        "COMPILED COMPILED",
        Reason("dtype", "x", "f32[]", "f16[]"),
    ),
    case(
        "Python int, then a NumPy integer",
        DOUBLE
        + """
    double(1)
    double(np.int32(1))
        """,
        "COMPILED COMPILED",
        Reason("weak_type", "x", "i32[]{weak}", "i32[]"),
    ),
    case(
        "PRNG implementation",
        SAMPLE
        + """
    sample(jax.random.key(0))
    sample(jax.random.key(0, impl="rbg"))
        """,
        "COMPILED COMPILED",
        Reason("dtype", "key", "key<fry>[]", "key<rbg>[]"),
    ),
    # `u32[2]` and `key<fry>[]` are both one key: that the shapes differ, too, tells nothing new
    case(
        "old uint32 key, then a typed key",
        SAMPLE
        + """
    sample(jax.random.PRNGKey(0))
    sample(jax.random.key(0))
        """,
        "COMPILED COMPILED",
        Reason("dtype", "key", "u32[2]", "key<fry>[]"),
    ),
    case(
        "shape and dtype of one array",
        DOUBLE
        + """
    double(np.ones(3, np.float32))
    double(np.ones(4, np.int32))
        """,
        "COMPILED COMPILED",
        Reason("shape", "x", "f32[3]", "i32[4]"),
        Reason("dtype", "x", "f32[3]", "i32[4]"),
    ),
]
