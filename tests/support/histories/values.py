"""Changes of an argument's value: of a traced one, and of a static one."""

import random
from dataclasses import replace

from tests.support.histories.model import Cause, Change


def shape(draw: random.Random, where: str) -> Change:
    rows, columns = draw.sample(range(2, 9), 2), draw.choice(["", ", 2"])
    before, now = (f"{size}{columns}" for size in sorted(rows, reverse=True))
    written = [f"f32[{text.replace(' ', '')}]" for text in (before, now)]
    padded = f"np.pad(array(({now},)), [(0, {max(rows) - min(rows)})]{' + [(0, 0)]' if columns else ''})"
    return Change(
        f"array(({before},))", f"array(({now},))",
        (Cause("shape", where, *written),), (f"array(({before},))", padded),
    )  # fmt: skip


def dtype(draw: random.Random, where: str) -> Change:
    names = {"float32": "f32", "int32": "i32", "bfloat16": "bf16", "float16": "f16", "uint8": "u8"}
    before, now = draw.sample(list(names), 2)
    size = draw.randint(2, 5)
    return Change(
        f"array(({size},), '{before}')", f"array(({size},), '{now}')",
        (Cause("dtype", where, f"{names[before]}[{size}]", f"{names[now]}[{size}]"),),
        (f"array(({size},), 'float32')",) * 2,
    )  # fmt: skip


def weak_type(draw: random.Random, where: str) -> Change:
    number = draw.choice(["2.0", "0.5"])
    both = [f"np.float32({number})", number]
    draw.shuffle(both)
    return Change(both[0], both[1], (Cause("weak_type", where),), (f"np.float32({number})",) * 2)


def python_type(draw: random.Random, where: str) -> Change:
    return Change("2", "2.0", (Cause("dtype", where, "i32[]", "f32[]"),), ("2.0", "2.0"))


def structure(draw: random.Random, where: str) -> Change:
    before, now, inside = draw.choice(
        [
            ("{'w': A3}", "{'w': A3, 'b': A2}", ""), ("[A3, A2]", "(A3, A2)", ""), ("[A3]", "[A3, A3]", ""),
            ("{'w': None}", "{'w': A3}", "['w']"), ("{'w': [A3]}", "{'w': [A3, A2]}", "['w']"),
            ("{'w': A3}", "{'v': A3}", ""), ("(A3, {'b': A2})", "(A3, {'b': {'c': A2}})", "[1]['b']"),
        ]
    )  # fmt: skip
    return Change(before, now, (Cause("structure", where + inside),))


def deep_leaf(draw: random.Random, where: str) -> Change:
    path, template = draw.choice(
        [("['w']", "{{'w': {}, 'b': A2}}"), ("[1]", "(A2, {})"), ("['a'][0]", "{{'a': [{}, A2]}}")]
    )
    change = draw.choice([shape, dtype])(draw, where + path)
    instead = change.instead and tuple(map(template.format, change.instead))
    return replace(
        change, before=template.format(change.before), now=template.format(change.now), instead=instead
    )


def unhashable_aux(draw: random.Random, where: str) -> Change:
    before, now = draw.sample(["2", "3", "[1, 2]", "'relu'", "{'a': 1}", "math.nan"], 2)
    return Change(
        f"Scaled(A3, mul={before})",
        f"Scaled(A3, mul={now})",
        (Cause("structure", where, *_bare(before, now)),),
    )


def array_in_aux(draw: random.Random, where: str) -> Change:
    sizes = draw.sample(range(2, 9), 2)
    before, now = (f"Neighbors(A2, CUTOFF, {size})" for size in sizes)
    return Change(before, now, (Cause("structure", where, *map(str, sizes)),))


def _bare(*texts: str) -> tuple[str, ...]:
    return tuple(text.replace("math.", "") for text in texts)


# Static values


def static_number(draw: random.Random, where: str) -> Change:
    before, now = map(str, draw.sample(draw.choice([[1, 2, 3], [0.5, 0.25, 1.5]]), 2))
    return Change(
        before, now, (Cause("static_value", where, before, now),), (f"traced {before}", f"traced {now}")
    )


def static_value(draw: random.Random, where: str) -> Change:
    pool = draw.choice(
        [
            ["'relu'", "'gelu'", "'tanh'"], ["True", "False"], ["Color.RED", "Color.BLUE"], ["None", "'x'"],
            ["(1, 'a')", "(2, 'a')", "(1, 'b')"], ["jnp.sin", "jnp.cos"], ["'3'", "3"], ["1", "True"],
            ["frozenset({1})", "frozenset({2})"], ["range(3)", "range(4)"], ["1 + 2j", "1 - 2j"],
        ]
    )  # fmt: skip
    before, now = draw.sample(pool, 2)
    return Change(before, now, (Cause("static_value", where),))


def static_field(draw: random.Random, where: str) -> Change:
    template, inside, values = draw.choice(
        [
            ("Outer(Inner({}, 'n'), 0.1)", ".inner.width", ("1", "2")),
            ("Outer(Inner(1, {}), 0.1)", ".inner.name", ("'n'", "'m'")),
            ("Outer(Inner(1, 'n'), {})", ".rate", ("0.1", "0.2")),
            ("Inner({}, 'n')", ".width", ("1", "2")),
        ]
    )
    return Change(*map(template.format, values), (Cause("static_value", where + inside, *values),))


def static_nan(draw: random.Random, where: str) -> Change:
    return Change("float('nan')", "float('nan')", (Cause("static_value", where),), ("math.nan", "math.nan"))


def static_identity(draw: random.Random, where: str) -> Change:
    if draw.random() < 0.5:
        return Change("Plain(1)", "Plain(2)", (Cause("static_value", f"{where}.gain", "1", "2"),))
    cause = Cause("static_value", where, "Plain(1)", "Plain(1)")
    return Change("Plain(1)", "Plain(1)", (cause,), ("PLAIN", "PLAIN"))


def static_function(draw: random.Random, where: str) -> Change:
    text, kept = draw.choice([("(lambda v: v * 3)", "KEPT"), ("functools.partial(max, 1.0)", "PARTIAL")])
    return Change(text, text, (Cause("static_value", where),), (kept, kept))


TRACED = [shape, dtype, weak_type, python_type, structure, deep_leaf, unhashable_aux, array_in_aux]
STATIC = [static_number, static_value, static_field, static_nan, static_identity, static_function]
