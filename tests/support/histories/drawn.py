"""Short histories of calls whose last call compiles for known causes: a history is built from them.

`history(number)` draws one by its number alone.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.support.histories.model import Cause, Change, History
from tests.support.histories.values import STATIC, TRACED

# Functions


@dataclass
class Signature:
    """Parameters in order: each with the texts that it is given as, before and now."""

    names: list[str]
    static: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)

    def define(self, name: str, traced: frozenset[str] = frozenset(), jit: str = "jax.jit") -> list[str]:
        """A jitted function; what it has as `traced` is not static."""
        static = [one for one in self.static if one not in traced]
        arrays = [one for one in self.names if one not in self.static]
        fixed = ", ".join(self.static)
        options = f", static_argnames={static}" if static else ""
        return [
            f"@functools.partial({jit}{options})",
            f"def {name}({', '.join(self.names)}):",
            f"    return outcome([{', '.join(arrays)}], {fixed})",
        ]

    def call(self, name: str, by_keyword: frozenset[str] = frozenset(), **values: str) -> str:
        given = {**self.values, **values}
        parts = [f"{one}={given[one]}" if one in by_keyword else given[one] for one in self.names]
        return f"{name}({', '.join(parts)})"


def signature(draw: random.Random) -> Signature:
    """One to three arguments of arrays, up to two static ones."""
    arrays = ["x", "y", "params"][: draw.randint(1, 3)]
    static = ["mode", "count"][: draw.randint(0, 2)]
    values = {"x": "A3", "y": "A2", "params": "{'w': A3, 'b': A2}", "mode": "'relu'", "count": "4"}
    return Signature(arrays + static, static, values)


OTHERS = {"x": ["array((11,))", "array((12,))"], "y": ["array((13,))"], "params": ["{'w': array((14,))}"],
          "mode": ["'other'"], "count": ["71", "72"]}  # fmt: skip
"""What no change gives to an argument."""


def before_it(draw: random.Random, made: Signature, name: str, base: str, changed: list[str]) -> list[str]:
    """Other calls, in any order, each of which differs from the last call in more than what changed."""
    calls = []
    for _ in range(draw.randint(0, 2)):
        other = draw.choice([one for one in made.names if one not in changed] or [""])
        if other:
            calls.append(made.call(name, **{other: draw.choice(OTHERS[other])}))
    return [*calls, *[base] * draw.randint(1, 2)]


def of_values(draw: random.Random, name: str) -> History:
    """One argument changes, or two of them."""
    made = signature(draw)
    wanted = draw.sample(made.names, min(len(made.names), draw.choice([1, 1, 2])))
    changes = {one: draw.choice(STATIC if one in made.static else TRACED)(draw, one) for one in wanted}
    before = {one: change.before for one, change in changes.items()}
    now = {one: change.now for one, change in changes.items()}
    base = replace(made, values={**made.values, **before})
    return History(
        f"{', '.join(changes)}: {now}",
        made.define(name),
        before_it(draw, base, name, base.call(name), wanted),
        base.call(name, **now),
        tuple(cause for change in changes.values() for cause in change.causes),
        without(made, name, changes),
    )


def without(made: Signature, name: str, changes: dict[str, Change]) -> list[str] | None:
    """The program in which all those changes are avoided, if all can be."""
    instead = {one: change.instead for one, change in changes.items()}
    if not all(instead.values()):
        return None
    traced = frozenset(one for one, both in instead.items() if both and both[0].startswith("traced "))
    texts = [
        {one: both[turn].removeprefix("traced ") for one, both in instead.items() if both} for turn in (0, 1)
    ]
    kept = replace(made, values={**made.values, **texts[0]})
    definitions = kept.define(f"{name}a", traced)
    return [*definitions, kept.call(f"{name}a"), kept.call(f"{name}a", **texts[1])]


def of_forms(draw: random.Random, name: str) -> History:
    """The same values, given in another form; or another form and another value."""
    default, other = draw.choice([("'a'", "'b'"), ("1", "2"), ("None", "'c'")])
    static = draw.random() < 0.7
    if not static:
        default, other = "1.0", "np.float32(3.0)"
    options = ", static_argnames=['mode']" if static else ""
    body = "outcome([x], mode)" if static else "outcome([x, mode])"
    definitions = [
        f"@functools.partial(jax.jit{options})", f"def {name}(x, mode={default}):", f"    return {body}",
    ]  # fmt: skip
    forms = [f"{name}(A3)", f"{name}(A3, {default})", f"{name}(A3, mode={default})"]
    before, now = draw.sample(forms, 2)
    if draw.random() < 0.5:
        form = (Cause("call_form", "mode"),)
        has_default = f"{name}(A3)" in (before, now)
        title, advised = f"{before}, then {now}", [*definitions, now, now]
        return History(title, definitions, [before], now, form, advised, has_default=has_default)
    now = now.replace(f"(A3, {default}", f"(A3, {other}").replace(f"={default}", f"={other}")
    if now == f"{name}(A3)":
        now = f"{name}(A3, mode={other})"
    value = Cause("static_value", "mode", default, other) if static else Cause("weak_type", "mode")
    return History(f"{before}, then {now}", definitions, [before], now, (value,), also=("call_form",))


# Functions made anew, and what they capture


def of_captured(draw: random.Random, name: str) -> History:
    """The same definition, evaluated again: with another captured value, or with the same."""
    template, inside = draw.choice(
        [
            ("{}", ""), ("{{'lr': {}}}", "['lr']"), ("({}, None)", "[0]"), ("({}, jnp.sin)", "[0]"),
            ("[A2.shape, {}]", "[1]"), ("Settings({}, jnp.sin)", ".rate"),
            ("{{'a': {{'b': {}}}}}", "['a']['b']"),
            ("Outer(Inner(1, 'n'), {})", ".rate"),
        ]
    )  # fmt: skip
    values = draw.choice([("0.1", "0.2"), ("1", "3"), ("'p'", "'q'")])
    definitions = [
        f"def make_{name}(held):", "    @jax.jit", f"    def {name}(x):", "        return outcome([x], held)",
        f"    return {name}",
    ]  # fmt: skip
    if draw.random() < 0.4:
        same = template.format(values[0])
        again = [f"made_{name} = make_{name}({same})", f"made_{name}(A3)", f"made_{name}(A3)"]
        return History(
            f"made again with {same}", definitions, [f"make_{name}({same})(A3)"], f"make_{name}({same})(A3)",
            (Cause("new_function"),), [*definitions, *again],
        )  # fmt: skip
    before, now = (f"make_{name}({template.format(value)})(A3)" for value in values)
    return History(
        f"captured {template}", definitions, [before], now, (Cause("closure", f"held{inside}", *values),)
    )


def of_new_functions(draw: random.Random, name: str) -> History:
    """Each call makes its function."""
    made = draw.choice(
        [
            f"jax.jit(lambda x: outcome([x], {draw.randint(0, 99)}))",
            "jax.jit(functools.partial(outcome, fixed_by_name))",
            "jax.jit(jax.vmap(lambda x: x))",
        ]
    )
    definitions = [f"def make_{name}():", f"    return {made}".replace("fixed_by_name", "A2")]
    call = f"make_{name}()(A3)"
    kept = [*definitions, f"made_{name} = make_{name}()", f"made_{name}(A3)", f"made_{name}(A3)"]
    return History(made, definitions, [call] * draw.randint(1, 2), call, (Cause("new_function"),), kept)


# Settings, placement, caches


def of_settings(draw: random.Random, name: str) -> History:
    setting, value = draw.choice(
        [
            ("jax_default_matmul_precision", "'highest'"), ("jax_numpy_rank_promotion", "'raise'"),
            ("jax_numpy_dtype_promotion", "'strict'"),
            ("jax_threefry_partitionable", "False"), ("jax_enable_x64", "True"),
        ]
    )  # fmt: skip
    made = signature(draw)
    call = made.call(name)
    return History(
        f"{setting} = {value}", made.define(name), before_it(draw, made, name, call, []),
        f"under({setting!r}, {value}, lambda: {call})", (Cause("config", setting),),
    )  # fmt: skip


def of_placement(draw: random.Random, name: str) -> History:
    made = signature(draw)
    texts, kind = draw.choice(
        [
            (("jnp.asarray(A3)", "jax.device_put(A3, jax.devices()[0])"), "committed"),
            (("jax.device_put(A3, jax.devices()[0])", "jax.device_put(A3, jax.devices()[1])"), "device"),
        ]
    )
    base = replace(made, values={**made.values, "x": texts[0]})
    call = base.call(name)
    instead = [*base.define(f"{name}a"), *[base.call(f"{name}a", x=texts[1])] * 2]
    return History(
        f"{kind}", made.define(name), before_it(draw, base, name, call, ["x"]), base.call(name, x=texts[1]),
        (Cause(kind, "x"),), instead,
    )  # fmt: skip


def of_options(draw: random.Random, name: str) -> History:
    option, text = draw.choice(
        [
            ("donate_argnums", "donate_argnums=0"),
            ("compiler_options", "compiler_options={'xla_cpu_enable_fast_math': True}"),
        ]
    )
    definitions = [
        f"def {name}(x):", "    return outcome([x])", f"one_{name} = jax.jit({name})",
        f"two_{name} = jax.jit({name}, {text})",
    ]  # fmt: skip
    return History(
        text, definitions, [f"one_{name}(jnp.asarray(A3))"] * 2, f"two_{name}(jnp.asarray(A3))",
        (Cause("jit_options", option),),
    )  # fmt: skip


def of_cleared_caches(draw: random.Random, name: str) -> History:
    made = signature(draw)
    call = made.call(name)
    kept = [*made.define(f"{name}a"), *[made.call(f"{name}a")] * 2]
    return History(
        "cleared",
        made.define(name),
        [call],
        f"({name}.clear_cache(), {call})[1]",
        (Cause("cache_cleared"),),
        kept,
    )


# Loops outside a jit, and libraries


def of_loops(draw: random.Random, name: str) -> History:
    """JAX keeps what it compiles for a loop by its functions' identity, and some loops make their own."""
    count = draw.randint(2, 5)
    loop, body = draw.choice(
        [
            (f"jax.lax.scan({{}}, 0.0, array(({count},)))", "lambda c, v: (c + v, v)"),
            (f"jax.lax.fori_loop(0, {count}, {{}}, np.float32(1))", "lambda i, c: c * 2.0"),
            (f"jax.lax.map({{}}, array(({count},)))", "lambda v: v * 3"),
            (f"jax.lax.map(double, array(({count},)))", "double"),
            ("jax.lax.while_loop(below_3, {}, np.float32(0))", "lambda c: c + 1"),
        ]
    )
    definitions = [f"def body_{name}():", f"    return {body}"]
    call = loop.format(f"body_{name}()")
    kept = [*definitions, f"jitted_{name} = jax.jit(lambda: {call})", *[f"jitted_{name}()"] * 2]
    return History(loop, definitions, [call] * draw.randint(1, 2), call, (Cause("new_function"),), kept)


def of_filter_jit(draw: random.Random, name: str) -> History:
    definitions = [
        "@eqx.filter_jit",
        f"def {name}(x, mode='a', scale=1.0):",
        "    return outcome([x], mode, scale)",
    ]
    before, now, cause = draw.choice(
        [
            ("A3, mode='b'", "A3", Cause("static_value", "mode", "'b'", "'a'")),
            ("A3", "A3, mode='c'", Cause("static_value", "mode", "'a'", "'c'")),
            ("A3", "A3, 'c'", Cause("static_value", "mode", "'a'", "'c'")),
            ("A3, scale=1.0", "A3, scale=2.0", Cause("static_value", "scale", "1.0", "2.0")),
            ("jax.device_put(A3)", "jax.device_put(A2)", Cause("shape", "x", "f32[3]", "f32[2]")),
        ]
    )
    instead = {
        "scale": ("A3, scale=jnp.float32(1.0)", "A3, scale=jnp.float32(2.0)"),
        "x": ("jax.device_put(A3)", "jax.device_put(np.pad(A2, (0, 1)))"),
    }
    calls = [f"{name}a({one})" for one in instead.get(cause.where or "", ())]
    advised = [*[line.replace(name, f"{name}a") for line in definitions], *calls] if calls else None
    return History(
        f"{before}, then {now}",
        definitions,
        [f"{name}({before})"],
        f"{name}({now})",
        (cause,),
        advised,
    )


def of_nnx(draw: random.Random, name: str) -> History:
    module = [
        f"class Net_{name}(nnx.Module):", "    def __init__(self, rate):",
        "        self.w = nnx.Param(np.ones(3, np.float32))", "        self.rate = rate",
        "        self.training = True", f"net_{name} = Net_{name}(0.5)", "@nnx.jit", f"def {name}(m, x):",
        "    return outcome([m.w[...], x], m.rate, m.training)",
    ]  # fmt: skip
    attribute, value, cause = draw.choice(
        [
            ("rate", "0.25", Cause("static_value", "m.rate", "0.5", "0.25")),
            ("training", "False", Cause("static_value", "m.training", "True", "False")),
        ]
    )
    call = f"{name}(net_{name}, A3)"
    changed = f"(setattr(net_{name}, {attribute!r}, {value}), {call})[1]"
    return History(f"nnx {attribute}", module, [call] * 2, changed, (cause,))


KINDS: list[tuple[int, Callable[[random.Random, str], History]]] = [
    (40, of_values), (10, of_forms), (12, of_captured), (8, of_new_functions), (6, of_settings),
    (6, of_placement), (4, of_options), (4, of_cleared_caches), (5, of_loops), (4, of_filter_jit),
    (1, of_nnx),
]  # fmt: skip


SURE = {"new_function", "cache_cleared", "committed"}
"""Kinds of causes that can always be avoided with the same result."""


def can_be_avoided(drawn: History) -> bool:
    """Whether that is certain: also for another form, unless JAX would take a default where it was not."""
    kinds = {cause.kind for cause in drawn.causes}
    passed = "call_form" in kinds and not drawn.has_default
    return kinds <= SURE or (passed and kinds <= {*SURE, "call_form"})


def history(number: int) -> History:
    draw = random.Random(number)
    weights, kinds = zip(*KINDS, strict=True)
    return replace(draw.choices(kinds, weights)[0](draw, f"f{number}"), number=number)
