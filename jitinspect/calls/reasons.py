"""Differences → reasons: a sentence for each, and a hint for that very case."""

from __future__ import annotations

import inspect
import re
import shlex
import types
from collections.abc import Callable, Iterable

from jitinspect.calls.explain import Difference, Node
from jitinspect.calls.explain.modules import Attribute, made_at
from jitinspect.calls.explain.values import has_equality
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Reason, ReasonKind


def first_call(facts: JitFacts) -> Reason:
    return Reason("first_call", None, None, None, None, f"first call of {facts.name}")


def reasons(
    differences: Iterable[Difference],
    facts: JitFacts,
    made_at: str | None,
    cleared: bool,
    plannable: bool = False,
) -> tuple[Reason, ...]:
    """A reason for each difference; if there is none, that the caches were `cleared`, or unknown.

    `made_at` is the line where the called jit was made; with `plannable` the calls come from a script
    that `--plan` accepts.
    """
    found = tuple(_reason(diff, facts, made_at, plannable) for diff in differences)
    return found or ((_cleared(facts) if cleared else _unknown(facts)),)


_SAME_PROGRAM: frozenset[ReasonKind] = frozenset(
    (
        "shape",
        "dtype",
        "weak_type",
        "call_form",
        "committed",
        "layout",
        "new_function",
        "closure",
        "cache_cleared",
    )
)
"""Causes that can be avoided with the same result: sizes can be padded, functions made once."""


def avoidable(reasons: Iterable[Reason]) -> bool:
    """Whether a compilation for these reasons was unnecessary: each can be avoided with the same result. A
    reason that calls for a different program (a different static value that is not a number, tree, device,
    setting or transformation) cannot, nor can an unknown one.
    """
    listed = list(reasons)
    return bool(listed) and all(reason.kind in _SAME_PROGRAM or _is_number(reason) for reason in listed)


def _is_number(reason: Reason) -> bool:
    """A static argument that is a number could be traced; with equinox it may be an array in one call and a
    number in the next.
    """
    values = (reason.before, reason.now)
    return reason.kind == "static_value" and all(value and _NUMBER.fullmatch(value) for value in values)


_NUMBER = re.compile(r"-?\d+(\.\d*)?(e[+-]?\d+)?|\w+\[[\d,]*\](\{weak\})?")


def _cleared(facts: JitFacts) -> Reason:
    text = "called like this before: the caches were cleared in between"
    hint = "leave out jax.clear_caches() and clear_cache(), or call them once"
    return Reason("cache_cleared", facts.name, None, None, hint, text)


def _unknown(facts: JitFacts) -> Reason:
    text = f"{facts.name} was called like this before, as far as can be seen; its entry may have been evicted"
    return Reason("unknown", None, None, None, None, text)


def after_failure(facts: JitFacts) -> Reason:
    """For a call like an earlier one that raised."""
    text = f"no call of {facts.name} with this signature has succeeded: JAX caches nothing if a call raises"
    return Reason("first_call", None, None, None, None, text)


def _reason(diff: Difference, facts: JitFacts, made_at: str | None, plannable: bool) -> Reason:
    if diff.kind == "new_function":
        return _new_function(facts, made_at)
    hint = _HINTS[diff.kind](diff) if diff.kind in _HINTS else None
    if plannable and (dimension := _resized(diff)) is not None:
        hint = f"{hint}; --plan --pad {_quoted(f'{dimension}=pow2')} counts what that saves"
    text = f"{_place(diff)}: {_change(diff)}"
    return Reason(diff.kind, diff.where, diff.before, diff.now, hint, text)


def _change(diff: Difference) -> str:
    if isinstance(diff.new, Attribute):
        at = made_at(diff.new)
        return f"{diff.now} appeared" + (f", made at {at}" if at else "")
    return f"{diff.before} disappeared" if isinstance(diff.old, Attribute) else f"{diff.before} → {diff.now}"


def _place(diff: Difference) -> str:
    """Where the difference is, in the words for its kind."""
    names: dict[ReasonKind, str] = {
        "closure": f"captured {diff.where}",
        "jit_options": f"jax.jit({diff.where}=…)",
        "transformation": "called under",
        "mesh": "mesh in context",
    }
    return names.get(diff.kind, str(diff.where))


def _new_function(facts: JitFacts, made_at: str | None) -> Reason:
    """Names the wrapper that made the new function, and the line."""
    by = f"{facts.wrapper} of {facts.name}" if facts.wrapper else facts.name
    place = f" at {made_at}" if made_at else ""
    text = f"{by} is a new function object, jitted again{place}"
    hint = _REMEDIES.get(facts.wrapper or "", "define and jit it once, outside of the loop or function")
    return Reason("new_function", facts.name, "an earlier function", f"made again{place}", hint, text)


_REMEDIES = {
    "functools.partial": "make and jit the partial once, or pass what it binds as an argument",
    "bound method": "jit the method once, in the class or in __init__: each obj.method is a new object",
    "jax.grad": "jit it once, outside of the loop: step = jax.jit(jax.grad(f))",
    "jax.value_and_grad": "jit it once, outside of the loop: step = jax.jit(jax.value_and_grad(f))",
    "jax.vmap": "jit it once, outside of the loop: batched = jax.jit(jax.vmap(f))",
}


def _shape(diff: Difference) -> str:
    old, new = diff.old, diff.new
    assert isinstance(old, tuple) and isinstance(new, tuple)
    if len(old) != len(new):
        return f"{diff.where} had {_dimensions(old)} and now has {len(new)}: reshape it before the call"
    axis = _first_unequal(old, new)
    if axis == 0 and new[0] < old[0]:
        return f"a smaller batch? drop the last one, or pad {diff.where} to {old[0]} and mask"
    return f"pad {diff.where} to a few sizes in dimension {axis} ({old[axis]} → {new[axis]})"


def _dimensions(shape: tuple[int, ...]) -> str:
    return f"{len(shape)} dimension{'' if len(shape) == 1 else 's'}"


def _first_unequal(old: tuple[int, ...], new: tuple[int, ...]) -> int:
    return next(axis for axis, (before, now) in enumerate(zip(old, new, strict=True)) if before != now)


def _resized(diff: Difference) -> str | None:
    """`x.0`, as `--pad` takes it, if the size of a dimension changed."""
    old, new = diff.old, diff.new
    if diff.kind != "shape" or not (isinstance(old, tuple) and isinstance(new, tuple)):
        return None
    return f"{diff.where}.{_first_unequal(old, new)}" if len(old) == len(new) else None


def _quoted(word: str) -> str:
    """For a shell, readable where possible."""
    if "'" not in word:
        return f"'{word}'"
    return shlex.quote(word) if set(word) & set('"$`\\!') else f'"{word}"'


def _dtype(diff: Difference) -> str:
    old, new = str(diff.old), str(diff.new)
    if "key<" in new or "key<" in old:
        if "key<" in new and "key<" in old:
            return "make all keys with one implementation: jax.random.key(seed, impl=…)"
        return "use typed keys everywhere: jax.random.key(seed), not jax.random.PRNGKey(seed)"
    if "{weak}" in diff.before and "{weak}" in diff.now:
        return (
            f"pass {diff.where} as one Python type in every call: {_python(_wider(old, new))}({_leaf(diff)})"
        )
    return f"give {diff.where} one dtype: jnp.asarray({_leaf(diff)}, '{_long(_wider(old, new))}')"


def _wider(old: str, new: str) -> str:
    """Of `i32` and `f32` the one that holds the values of both; the old one if neither does."""
    order = "biufc"
    kinds = [order.find(name[0]) if name[0] in order else 0 for name in (old, new)]
    return new if kinds[1] > kinds[0] else old


def _weak_type(diff: Difference) -> str:
    weak = "is now" if diff.new else "was before"
    dtype = _long(diff.now.partition("[")[0])
    return (
        f"{diff.where} {weak} a Python scalar, or computed only from such: "
        f"give it a dtype, jnp.asarray({_leaf(diff)}, '{dtype}')"
    )


def _python(dtype: str) -> str:
    return {"i": "int", "f": "float", "c": "complex"}.get(dtype[0], "bool")


def _long(dtype: str) -> str:
    from jitinspect.specs.dtypes import LONG

    return LONG.get(dtype, dtype)


def _leaf(diff: Difference) -> str:
    return diff.where or "x"


def _structure(diff: Difference) -> str:
    old, new = diff.old, diff.new
    if isinstance(old, Attribute) or isinstance(new, Attribute):
        return f"have {diff.where} in every call, or in none: make it in __init__, or remove it (nnx.pop)"
    assert isinstance(old, Node) and isinstance(new, Node)
    if type(None) in (old.type, new.type):
        return f"None is not an array: always pass an array for {diff.where}, or write two functions"
    if old.type is not new.type and not {old.type, new.type} & {list, tuple, dict, None}:
        return (
            f"each class of {diff.where} compiles once: "
            f"{_type_name(old)} and {_type_name(new)} are different trees"
        )
    if old.type is not new.type:
        return (
            f"pass {diff.where} in one container type: "
            f"{_type_name(old)} and {_type_name(new)} are different trees"
        )
    if old.keys != new.keys and isinstance(new.keys, tuple):
        return f"give {diff.where} the same keys in every call"
    if old.keys != new.keys:
        return f"give {diff.where} one length: stack it into one array, or pad it"
    if not has_equality(new.aux):
        return f"the metadata of {_type_name(new)} has no __eq__: each instance is a different tree"
    return f"the metadata of {_type_name(new)} differs: make it an array, or keep it the same"


def _type_name(node: Node) -> str:
    return node.type.__name__ if node.type is not None else "an array"


def _static_value(diff: Difference) -> str:
    old, new = diff.old, diff.new
    if isinstance(old, Node) or isinstance(new, Node):
        return f"always pass {diff.where} as an array, or never: in equinox anything else is static"
    if isinstance(new, float) and new != new:
        return "NaN is not equal to itself: use None, or one object such as math.nan"
    if isinstance(old, bool) and isinstance(new, bool):
        return f"{diff.where} compiles once for True and once for False"
    if isinstance(new, types.FunctionType):
        return f"each lambda or nested def is a new value: define it once, and pass that for {diff.where}"
    if callable(new) or _holds_functions(new):
        return f"each new {type(new).__name__} is a new value: make it once, and pass that for {diff.where}"
    if not has_equality(new):
        return _no_equality(type(new))
    if type(old) is not type(new) and _are_equal(old, new):
        both = f"{type(old).__name__} and {type(new).__name__}"
        return f"JAX also distinguishes static values by type: pass {diff.where} as one type, not as {both}"
    return f"each value of {diff.where} compiles once; if there are many, make the argument not static"


def _are_equal(first: object, second: object) -> bool:
    """`==`, which a class may implement for its own instances only."""
    try:
        return bool(first == second)
    except Exception:
        return False


def _holds_functions(value: object) -> bool:
    """For example an optax optimizer: a tuple of functions that are created together with it."""
    return isinstance(value, tuple) and any(map(callable, value))


def _no_equality(cls: type) -> str:
    try:
        fields = [name for name in inspect.signature(cls).parameters][:3]
    except (TypeError, ValueError):
        fields = []
    listed = f" ({', '.join(fields)})" if fields else ""
    return (
        f"{cls.__qualname__} has no __eq__, so each instance is a different value: "
        f"give it __eq__ and __hash__ by its fields{listed}, as @dataclass(frozen=True) does"
    )


def _call_form(diff: Difference) -> str:
    if "default" in (diff.old, diff.new):
        return f"pass {diff.where} in every call: JAX does not look at defaults"
    return f"pass {diff.where} the same way in every call: by position, or by keyword"


def _committed(diff: Difference) -> str:
    return (
        f"always commit {diff.where}, or never: jax.device_put(x, device) once at the start; "
        "results of committed arrays, or with out_shardings, are committed, too"
    )


def _option(diff: Difference) -> str:
    return f"make one jit, with one {diff.where}, and use that everywhere"


def _config(diff: Difference) -> str:
    return f"set {diff.where} once at the start: jax.config.update({diff.where!r}, …)"


def _always(text: str) -> Callable[[Difference], str]:
    return lambda diff: text.format(where=diff.where)


_HINTS: dict[ReasonKind, Callable[[Difference], str]] = {
    "shape": _shape,
    "dtype": _dtype,
    "weak_type": _weak_type,
    "structure": _structure,
    "static_value": _static_value,
    "call_form": _call_form,
    "committed": _committed,
    "device": _always("keep {where} on one device: jax.device_put it once, at the start"),
    "sharding": _always("give {where} one sharding: jax.device_put it once, or in_shardings on the jit"),
    "memory_kind": _always("keep {where} in one memory: jax.device_put it once, at the start"),
    "layout": _always("give {where} one layout: jax.device_put it once, or a Format in in_shardings"),
    "config": _config,
    "mesh": _always("enter the mesh once, around all calls: with jax.set_mesh(mesh)"),
    "closure": _always("a captured value is a constant of the trace: pass {where} as an argument"),
    "jit_options": _option,
    "transformation": _always("a transformed jit is a new program: jit the outside, jax.jit(jax.grad(f))"),
}
