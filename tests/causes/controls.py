"""What is no cause: the last call of each is CACHED, or at most looked up."""

from tests.causes.case import case

ADD = """
    @jax.jit
    def add(x, y):
        return x + y

    x, y = np.ones(4, np.float32), np.ones(4, np.float32)
"""

SHARDED = """
    from jax.sharding import NamedSharding, PartitionSpec as P

    @jax.jit
    def double(x):
        return x * 2

    x = np.ones((8, 8), np.float32)
"""

CASES = [
    case(
        "another thread",
        ADD
        + """
    import threading

    add(x, y)
    thread = threading.Thread(target=add, args=(x, y))
    thread.start()
    thread.join()
        """,
        "COMPILED CACHED",
    ),
    case(
        "order of a dict's keys",
        """
        @jax.jit
        def total(params):
            return params["w"] + params["b"]

        x = np.ones(3, np.float32)
        total({"w": x, "b": x})
        total({"b": x, "w": x})
        """,
        "COMPILED CACHED",
    ),
    case(
        "order of keywords",
        ADD
        + """
    add(x=x, y=y)
    add(y=y, x=x)
        """,
        "COMPILED CACHED",
    ),
    case(
        "an equal mesh made again",
        SHARDED
        + """
    for _ in range(2):
        mesh = jax.make_mesh((4,), ("data",))
        double(jax.device_put(x, NamedSharding(mesh, P("data"))))
        """,
        "COMPILED CACHED",
        devices=True,
    ),
    case(
        "P('d') and P(('d',))",
        SHARDED
        + """
    mesh = jax.make_mesh((4,), ("d",))
    double(jax.device_put(x, NamedSharding(mesh, P("d"))))
    double(jax.device_put(x, NamedSharding(mesh, P(("d",)))))
        """,
        "COMPILED CACHED",
        devices=True,
    ),
    case(
        "NumPy instead of an uncommitted array",
        ADD
        + """
    add(jnp.asarray(x), jnp.asarray(y))
    add(x, y)
        """,
        "COMPILED CACHED",
    ),
    case(
        "NumPy float64 while x64 is off",
        ADD
        + """
    add(x, y)
    add(x.astype(np.float64), y)
        """,
        "COMPILED CACHED",
    ),
    case(
        "back on the first device",
        ADD
        + """
    for device in (0, 1, 0):
        add(*jax.device_put((x, y), jax.devices()[device]))
        """,
        "COMPILED COMPILED CACHED",
        devices=True,
    ),
    case(
        "jit of the same function again",
        """
        def double(x):
            return x * 2

        x = np.ones(3, np.float32)
        first, second = jax.jit(double), jax.jit(double)
        first(x)
        second(x)
        """,
        "COMPILED CACHED",
    ),
    case(
        "a named function jitted in a loop",
        """
        def double(x):
            return x * 2

        x = np.ones(3, np.float32)
        for _ in range(3):
            jax.jit(double)(x)
        """,
        "COMPILED CACHED CACHED",
    ),
    case(
        "compiled ahead of time, then called",
        ADD
        + """
    add.lower(x, y).compile()
    add(x, y)
    add(x, y)
        """,
        "CACHED CACHED",
    ),
    case(
        "debug_nans",
        ADD
        + """
    add(x, y)
    with jax.debug_nans(True):
        add(x, y)
        """,
        "COMPILED CACHED",
    ),
]

LOOKED_UP = {"0.8.": "COMPILED CACHED", "": "COMPILED TRACED"}
LOOK_UPS = [
    case(
        "an option of another jit that changes nothing",
        """
        def scale(x, factor=2.0):
            return x * factor

        x = np.ones(3, np.float32)
        jax.jit(scale)(x)
        jax.jit(scale, donate_argnames="factor")(x)
        """,
        LOOKED_UP,
    ),
    case(
        "another jit of the function, and JAX's array instead of NumPy's",
        """
        def double(x):
            return x * 2

        x = np.ones(3, np.float32)
        jax.jit(double)(x)
        jax.jit(double)(jnp.asarray(x))
        """,
        LOOKED_UP,
    ),
    case(
        "another jit of the function, and a 0-d array of weak type",
        """
        def double(x):
            return x * 2

        jax.jit(double)(1.0)
        jax.jit(double)(jnp.asarray(1.0))
        """,
        LOOKED_UP,
    ),
]
"""JAX tells of a trace in the last call, but only looks one up: the function's body does not run, nothing
is lowered, nothing compiled. Seen from 0.9.2 to 0.12.0.1 where a second jit of a function meets a call
that the fast path of neither has met; 0.8.3 tells of nothing then."""
