"""What a function captures: containers by path, functions by what they capture themselves, global names."""

from tests.causes.case import Reason, case


def made(name, parameters, body, values, *reasons, before=""):
    """A function that is made and jitted for each of the values of its parameters."""
    program = f"""
    {before}
    def make({parameters}):
        def step(x):
            return {body}

        return jax.jit(step)

    x = np.ones(3, np.float32)
    """
    calls = "".join(f"\n    make({one})(x)" for one in values)
    return case(name, program + calls, " ".join("COMPILED" for _ in values), *reasons)


CASES = [
    made("captured dict", "d", "x * d['lr']", ("{'lr': 0.1}", "{'lr': 0.2}"),
         Reason("closure", "d['lr']", "0.1", "0.2")),
    made("captured tuple with None", "args", "x * args[0]", ("(0.1, None)", "(0.2, None)"),
         Reason("closure", "args[0]", "0.1", "0.2")),
    made("captured tuple with a function", "args", "args[1](x) * args[0]",
         ("(0.1, jnp.sin)", "(0.2, jnp.sin)"), Reason("closure", "args[0]", "0.1", "0.2")),
    made("captured list of another length", "args", "x * sum(args)", ("[1.0]", "[1.0, 2.0]"),
         Reason("closure", "args", "[1.0]", "[1.0, 2.0]")),
    made("captured function", "f", "f(x)", ("jnp.sin", "jnp.cos"), Reason("closure", "f", "sin", "cos")),
    made("captured function that captures", "f", "f(x)", ("scale(0.1)", "scale(0.2)"),
         Reason("closure", "f.by", "0.1", "0.2"), before="scale = lambda by: lambda x: x * by"),
    made("captured object", "c", "x * c.lr", ("SimpleNamespace(lr=0.1)", "SimpleNamespace(lr=0.2)"),
         Reason("closure", "c.lr", "0.1", "0.2"), before="from types import SimpleNamespace"),
    made("captured array with other contents", "w", "x * w", ("jnp.ones(3)", "jnp.zeros(3)"),
         Reason("closure", "w", "f32[3]", "f32[3]")),
    made("captured array with equal contents", "w", "x * w", ("jnp.ones(3)", "jnp.ones(3)"),
         Reason("new_function")),
    made("captured object that cannot be compared", "r", "x * 2",
         ("np.random.default_rng(0)", "np.random.default_rng(0)"), Reason("new_function")),
    made("captured value beside one that cannot be compared", "args", "x * args[0]",
         ("(0.1, np.random.default_rng(0))", "(0.2, np.random.default_rng(0))"),
         Reason("closure", "args[0]", "0.1", "0.2")),
    case(
        "global name",
        """
        x = np.ones(3, np.float32)
        for rate in (0.1, 0.2):
            jax.jit(lambda v: v * rate)(x)
        """,
        "COMPILED COMPILED",
        Reason("closure", "rate", "0.1", "0.2"),
    ),
    case(
        "global name that a called function reads",
        """
        def scaled(v):
            return v * rate

        x = np.ones(3, np.float32)
        for rate in (0.1, 0.2):
            jax.jit(lambda v: scaled(v))(x)
        """,
        "COMPILED COMPILED",
        Reason("closure", "scaled.rate", "0.1", "0.2"),
    ),
    case(
        "global counter and list that a function changes itself",
        """
        traces, bodies = 0, []

        def make():
            def step(x):
                global traces
                traces += 1
                bodies.append(x.shape)
                return x * 2

            return jax.jit(step)

        x = np.ones(3, np.float32)
        make()(x)
        make()(x)
        """,
        "COMPILED COMPILED",
        Reason("new_function"),
    ),
    case(
        "captured value that changed without a new function",
        """
        config = {"lr": 0.1}

        @jax.jit
        def step(x):
            return x * config["lr"]

        step(np.ones(3, np.float32))
        config["lr"] = 0.2
        step(np.ones(4, np.float32))
        """,
        "COMPILED COMPILED",
        Reason("shape", "x", "f32[3]", "f32[4]"),
    ),
    case(
        "bound method of an object with another array",
        """
        class Objective:
            def __init__(self, target):
                self.target = jnp.full(3, target)
                self.compute = jax.jit(self._compute)

            def _compute(self, x):
                return x - self.target

        x = np.ones(3, np.float32)
        for target in (1.0, 2.0):
            Objective(target).compute(x)
        """,
        "COMPILED COMPILED",
        Reason("closure", "self.target", "f32[3]", "f32[3]"),
    ),
]  # fmt: skip
