"""JAX's dtype names, short ⇄ long (`f32` ⇄ `float32`), and those of PRNG keys.

Seen on jax 0.8.3 to 0.12.0.1; a contract test checks the tables against JAX. `float0`, which
no argument has, and strings are left out.
"""

_LONG_NAMES = (
    *("float32", "bfloat16", "float16", "float64", "int32", "int64", "int8", "int16", "bool"),
    *("uint32", "uint8", "uint16", "uint64", "complex64", "complex128"),
    *("int4", "int2", "int1", "uint4", "uint2", "uint1"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3", "float8_e3m4", "float8_e8m0fnu", "float8_e4m3b11fnuz"),
    *("float8_e4m3fnuz", "float8_e5m2fnuz", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"),
)  # fmt: skip


def _shortened(long: str) -> str:
    """By the same rule as JAX's `short_dtype_name`."""
    return long.replace("float", "f").replace("uint", "u").replace("int", "i").replace("complex", "c")


LONG: dict[str, str] = {_shortened(long): long for long in _LONG_NAMES}
"""short → long."""

SHORT: dict[str, str] = {long: short for short, long in LONG.items()}
"""long → short."""

KEY_IMPLS: dict[str, str] = {"threefry2x32": "fry", "rbg": "rbg", "unsafe_rbg": "urbg"}
"""`jax.random.key(impl=…)` → the tag of its dtype: `key<fry>`."""

_TAGS = {tag: impl for impl, tag in KEY_IMPLS.items()}

# Names from elsewhere (NumPy and C, torch, HLO), used only for hints.
_FOREIGN = {
    "float": "f32", "double": "f64", "half": "f16", "int": "i32", "long": "i64", "uint": "u32",
    "pred": "bool", "complex": "c64", "f8": "f8_e4m3fn", "fp8": "f8_e4m3fn",
    "float8": "f8_e4m3fn", "byte": "u8",
    **{f"s{bits}": f"i{bits}" for bits in (2, 4, 8, 16, 32, 64)},
}  # fmt: skip


def long_dtype(short: str) -> str:
    """`float32` for `f32`. Raises `KeyError` for a name that is not a dtype."""
    return LONG[short]


def short_dtype(name: str) -> str:
    """`f32` for `float32` and for `f32`; any other name (`key<fry>`) is returned as it is."""
    return SHORT.get(name, name)


def is_dtype(name: str) -> bool:
    """Whether `name` is a dtype's short or long name."""
    return name in LONG or name in SHORT


def key_impl(name: str) -> str | None:
    """The name that `jax.random.key` takes, given that name or its tag; None for an unknown one."""
    return name if name in KEY_IMPLS else _TAGS.get(name)


def nearest_dtype(name: str) -> str | None:
    """What someone who wrote `name` most likely meant."""
    lower = name.lower()
    return lower if is_dtype(lower) else _FOREIGN.get(lower) or nearest(lower, [*LONG, *SHORT, "key"])


def nearest(name: str, names: list[str]) -> str | None:
    """The one of `names` that `name` looks most like, if any does."""
    from difflib import get_close_matches  # takes 3 ms, which only errors pay for

    return next(iter(get_close_matches(name, names, n=1)), None)
