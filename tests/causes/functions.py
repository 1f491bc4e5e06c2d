"""The function itself: made anew, closing over another value, transformed, jitted otherwise, forgotten."""

from tests.causes.case import Reason, case

SQUARES = """
    @jax.jit
    def squares(x):
        return jnp.sum(x ** 2)

    x = np.ones(3, np.float32)
"""

CASES = [
    case(
        "new lambda each call",
        """
        x = np.ones(3, np.float32)
        for _ in range(3):
            jax.jit(lambda v: v * 2)(x)
        """,
        "COMPILED COMPILED COMPILED",
        Reason("new_function"),
    ),
    case(
        "new partial each call",
        """
        from functools import partial

        def scale(factor, x):
            return factor * x

        x = np.ones(3, np.float32)
        for _ in range(2):
            jax.jit(partial(scale, 2.0))(x)
        """,
        "COMPILED COMPILED",
        Reason("new_function"),
    ),
    case(
        "nested def",
        """
        def train(x):
            @jax.jit
            def step(x):
                return x * 2

            return step(x)

        x = np.ones(3, np.float32)
        train(x)
        train(x)
        """,
        "COMPILED COMPILED",
        Reason("new_function"),
    ),
    case(
        "jit(grad(f)) in a loop",
        """
        def loss(w):
            return jnp.sum(w ** 2)

        w = np.ones(3, np.float32)
        for _ in range(2):
            jax.jit(jax.grad(loss))(w)
        """,
        "COMPILED COMPILED",
        Reason("new_function"),
    ),
    case(
        "bound method of the same object",
        """
        class Model:
            def step(self, x):
                return x * 2

        model, x = Model(), np.ones(3, np.float32)
        for _ in range(2):
            jax.jit(model.step)(x)
        """,
        "COMPILED COMPILED",
        Reason("new_function"),
    ),
    case(
        "bound method of another object",
        """
        class Model:
            def step(self, x):
                return x * 2

        x = np.ones(3, np.float32)
        for _ in range(2):
            jax.jit(Model().step)(x)
        """,
        "COMPILED COMPILED",
        Reason("new_function"),
    ),
    case(
        "callable instance",
        """
        class Scale:
            def __call__(self, x):
                return x * 2

        x = np.ones(3, np.float32)
        for _ in range(2):
            jax.jit(Scale())(x)
        """,
        "COMPILED COMPILED",
        Reason("new_function"),
    ),
    case(
        "closure value",
        """
        def scaler(factor):
            def scale(x):
                return x * factor

            return jax.jit(scale)

        x = np.ones(3, np.float32)
        scaler(2.0)(x)
        scaler(3.0)(x)
        """,
        "COMPILED COMPILED",
        Reason("closure", "factor", "2.0", "3.0"),
    ),
    case(
        "function collected and made again",
        """
        import gc

        def build():
            @jax.jit
            def step(x):
                return x * 2

            return step

        x = np.ones(3, np.float32)
        step = build()
        step(x)
        step(x)
        del step
        gc.collect()
        step = build()
        step(x)
        """,
        "COMPILED CACHED COMPILED",
        Reason("new_function"),
    ),
    case(
        "jax.clear_caches",
        SQUARES
        + """
    squares(x)
    squares(x)
    jax.clear_caches()
    squares(x)
        """,
        "COMPILED CACHED COMPILED",
        Reason("cache_cleared"),
    ),
    case(
        "clear_cache of the function",
        SQUARES
        + """
    squares(x)
    squares.clear_cache()
    squares(x)
        """,
        "COMPILED COMPILED",
        Reason("cache_cleared"),
    ),
    case(
        "clear_cache of another jit of the same function",
        """
        def double(x):
            return x * 2

        x = np.ones(3, np.float32)
        first, second = jax.jit(double), jax.jit(double)
        first(x)
        second.clear_cache()
        first(x)
        """,
        "COMPILED COMPILED",
        Reason("cache_cleared"),
    ),
    case(
        "grad of a compiled function",
        SQUARES
        + """
    squares(x)
    jax.grad(squares)(x)
        """,
        "COMPILED COMPILED",
        Reason("transformation", None, None, "grad"),
    ),
    case(
        "vmap of a compiled function",
        SQUARES
        + """
    squares(x)
    jax.vmap(squares)(np.ones((4, 3), np.float32))
        """,
        "COMPILED COMPILED",
        Reason("transformation", None, None, "vmap"),
    ),
    case(
        "a compiled function after its grad",
        SQUARES
        + """
    jax.grad(squares)(x)
    squares(x)
        """,
        "COMPILED COMPILED",
        Reason("transformation", None, "grad"),
    ),
    case(
        "donate_argnums of another jit",
        """
        def step(x):
            return x * 2

        jax.jit(step)(jnp.ones(3))
        jax.jit(step, donate_argnums=0)(jnp.ones(3))
        """,
        "COMPILED COMPILED",
        Reason("jit_options", "donate_argnums", None, "0"),
    ),
    case(
        "compiler_options of another jit",
        """
        def step(x):
            return x * 2

        x = np.ones(3, np.float32)
        jax.jit(step)(x)
        jax.jit(step, compiler_options={"xla_cpu_enable_fast_math": True})(x)
        """,
        "COMPILED COMPILED",
        Reason("jit_options", "compiler_options", None, "xla_cpu_enable_fast_math"),
    ),
    case(
        "out_shardings of another jit",
        """
        from jax.sharding import SingleDeviceSharding

        def step(x):
            return x * 2

        x = np.ones(3, np.float32)
        jax.jit(step)(x)
        jax.jit(step, out_shardings=SingleDeviceSharding(jax.devices()[0]))(x)
        """,
        "COMPILED COMPILED",
        Reason("jit_options", "out_shardings"),
    ),
    case(
        "jit of a library function",
        """
        softmax = jax.jit(jax.nn.softmax)
        softmax(np.ones((8, 10), np.float32))
        softmax(np.ones((4, 10), np.float32))
        """,
        "COMPILED COMPILED",
        Reason("shape", "x", "f32[8,10]", "f32[4,10]"),
    ),
    case(
        "jit(vmap(f))",
        """
        def predict(w, x):
            return jnp.dot(w, x)

        batched = jax.jit(jax.vmap(predict, in_axes=(None, 0)))
        w = np.ones(3, np.float32)
        batched(w, np.ones((8, 3), np.float32))
        batched(w, np.ones((4, 3), np.float32))
        """,
        "COMPILED COMPILED",
        Reason("shape", "x", "f32[8,3]", "f32[4,3]"),
    ),
    case(
        "jit(partial(f, 2))",
        """
        from functools import partial

        def scale(factor, x):
            return factor * x

        double = jax.jit(partial(scale, 2.0))
        double(np.ones(3, np.float32))
        double(np.ones(4, np.float32))
        """,
        "COMPILED COMPILED",
        Reason("shape", "x", "f32[3]", "f32[4]"),
    ),
]
