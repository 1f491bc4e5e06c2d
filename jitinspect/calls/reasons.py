"""Differences → reasons: a sentence for each, and a hint for that very case."""

from __future__ import annotations

import math
import re
import shlex
import types
from collections.abc import Callable, Iterable, Iterator

from jitinspect.calls.explain import Difference, KnownSettings, MadeFunction, Node, Static
from jitinspect.calls.explain.modules import Attribute, made_at
from jitinspect.calls.explain.values import has_equality, holds
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import CapturedValue, Reason, ReasonKind, Snapshot
from jitinspect.process.paths import with_cell_named


def first_call(name: str) -> Reason:
    return Reason("first_call", None, None, None, None, f"first call of {name}")


def reasons(
    differences: Iterable[Difference],
    facts: JitFacts,
    made_at: str | None,
    plannable: bool = False,
) -> tuple[Reason, ...]:
    """A reason for each difference; if there is none, it is unknown.

    `made_at` is the line where the called jit was made; with `plannable` the calls come from a script
    that `--plan` accepts.
    """
    found = tuple(_reason(diff, facts, made_at, plannable) for diff in differences)
    return found or (_unknown(facts),)


def avoidable(reasons: Iterable[Reason]) -> bool:
    """Whether a compilation for these reasons was unnecessary: each can be avoided with the same result."""
    listed = list(reasons)
    return bool(listed) and all(reason.avoidable for reason in listed)


_ALWAYS: frozenset[ReasonKind] = frozenset(("committed", "layout"))
"""Causes that do not change what is computed."""


def _is_avoidable(diff: Difference) -> bool:
    """Whether the program is known to get the same results without this difference. A value may decide what
    is computed, a dtype how precisely: only what JAX takes for different and is alike can be avoided, and a
    size, which can be padded and masked.
    """
    if diff.kind == "shape":
        return _can_be_padded(diff)
    if diff.kind == "call_form":  # a default may be a value that cannot be passed
        return "default" not in (diff.before, diff.now)
    return diff.alike or diff.kind in _ALWAYS


def _can_be_padded(diff: Difference) -> bool:
    """Of a size of 0 or 1 nothing is known: it may stand for no dimension at all."""
    old, new = diff.old, diff.new
    if not (isinstance(old, tuple) and isinstance(new, tuple)) or len(old) != len(new):
        return False
    return all(before == now or min(before, now) > 1 for before, now in zip(old, new, strict=True))


def caches_cleared(facts: JitFacts, captured_differs: bool) -> Reason:
    """Some clear the caches for a function to see a value that it captures and that has changed."""
    text = "called like this before: the caches were cleared in between"
    hint = "leave out jax.clear_caches() and clear_cache(), or call them once"
    if captured_differs or facts.left_out:
        hint = f"{hint}; what {facts.name} captures may have changed: pass that as an argument"
    avoidable = not (captured_differs or facts.left_out)
    return Reason("cache_cleared", facts.name, None, None, hint, text, avoidable)


def _unknown(facts: JitFacts) -> Reason:
    text = f"{facts.name} was called like this before, as far as can be seen; its entry may have been evicted"
    return unknown(text)


def unread(name: str, seen: str) -> Reason:
    """For a call that cannot be compared with earlier ones; `seen` says what was seen of it."""
    return unknown(f"{name} was called before, but how this call differs cannot be read: {seen}")


def unknown(text: str) -> Reason:
    return Reason("unknown", None, None, None, None, text)


def stale(name: str, at: str | None, changed: Iterable[Difference]) -> Iterator[str]:
    """A warning for each static value that was changed in place without JAX having noticed."""
    for diff in changed:
        owner, place = str(diff.where).partition(".")[0], f" at {at}" if at else ""
        yield (
            f"stale result: {name}{place} returned what was compiled for {diff.where} = {diff.before}, "
            f"which is {diff.now} now: {owner} was changed in place; make a new object for each value"
        )


def after_failure(facts: JitFacts) -> Reason:
    """For a call like an earlier one that raised."""
    text = f"no call of {facts.name} with this signature has succeeded: JAX caches nothing if a call raises"
    return Reason("first_call", None, None, None, None, text)


def _reason(diff: Difference, facts: JitFacts, made_at: str | None, plannable: bool) -> Reason:
    if diff.kind == "new_function":
        return _new_function(diff, facts, made_at)
    hint = _hint(diff, facts)
    if plannable and (dimension := _resized(diff)) is not None:
        hint = f"{hint}; --plan --pad {_quoted(f'{dimension}=pow2')} counts what that saves"
    text = f"{_place(diff)}: {f'{diff.of} ' if diff.of else ''}{_change(diff)}"
    if diff.kind == "closure" and facts.left_out:
        text = f"{text} (not compared: {_listed([*facts.left_out])})"
    return Reason(diff.kind, diff.where, diff.before, diff.now, hint, text, _is_avoidable(diff))


def _hint(diff: Difference, facts: JitFacts) -> str | None:
    if diff.in_place:
        return _IN_PLACE.format(where=str(diff.where).partition(".")[0])
    if diff.kind == "static_value":
        return _static_value(diff, facts)
    return _HINTS[diff.kind](diff) if diff.kind in _HINTS else None


_IN_PLACE = (
    "{where} is one object that was changed: make a new one for each value, as JAX keeps a reference to it, "
    "and may return what it compiled for an earlier value"
)


def _change(diff: Difference) -> str:
    if isinstance(diff.new, Attribute):
        at = made_at(diff.new)
        return f"{diff.now} appeared" + (f", made at {at}" if at else "")
    if isinstance(diff.old, Attribute):
        return f"{diff.before} disappeared"
    if diff.alike and isinstance(diff.new, Static | Node) and holds(diff.new.seen, "function"):
        return f"{diff.before}, made again"
    return f"{diff.before} → {diff.now}{' (changed in place)' if diff.in_place else ''}"


def _place(diff: Difference) -> str:
    """Where the difference is, in the words for its kind."""
    names: dict[ReasonKind, str] = {
        "closure": f"captured {diff.where}",
        "jit_options": f"jax.jit({diff.where}=…)",
        "transformation": "called under",
        "mesh": "mesh in context",
    }
    return names.get(diff.kind, str(diff.where))


def _new_function(diff: Difference, facts: JitFacts, made_at: str | None) -> Reason:
    """Names the wrapper that made the new function, where both functions are defined, and the line that
    jitted the new one.
    """
    by = f"{facts.wrapper} of {facts.name}" if facts.wrapper else facts.name
    place = f" at {made_at}" if made_at else ""
    old, new = diff.old, diff.new
    assert isinstance(old, MadeFunction) and isinstance(new, MadeFunction)
    both = new.place is not None and new.place == old.place and not made_at
    defined = f" (both defined at {new.place})" if both else ""
    left_out = [*dict.fromkeys((*old.left_out, *new.left_out))]
    hidden = f"; not compared: captured {_listed(left_out)}" if left_out else ""
    text = f"{by} is a new function object, jitted again{place}{defined}{hidden}"
    before, now = (f"{facts.name}{f' ({one.place})' if one.place else ''}" for one in (old, new))
    hint = _remedy(old, new, facts) if diff.alike else _MAYBE_OTHER
    return Reason("new_function", facts.name, before, f"{now}, made again{place}", hint, text, diff.alike)


def _remedy(old: MadeFunction, new: MadeFunction, facts: JitFacts) -> str:
    if old.bound_to != new.bound_to:
        return "make its object once, and use that in every call: each object's method is a new function"
    if old.place != new.place and facts.definition and with_cell_named(facts.definition) != facts.definition:
        return "define and jit it in a cell of its own: a cell that is run again makes it anew"
    return _REMEDIES.get(facts.wrapper or "", _MAKE_ONCE)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


_MAKE_ONCE = "define and jit it once, outside of the loop or function"
_MAYBE_OTHER = (
    "if what it captures is the same each time, define and jit it once; otherwise pass that as an argument"
)
_REMEDIES = {
    "functools.partial": "make and jit the partial once, or pass what it binds as an argument",
    "bound method": "jit the method once, and keep that: each obj.method is a new object",
    "jax.grad": "jit it once, outside of the loop: step = jax.jit(jax.grad(f))",
    "jax.value_and_grad": "jit it once, outside of the loop: step = jax.jit(jax.value_and_grad(f))",
    "jax.vmap": "jit it once, outside of the loop: batched = jax.jit(jax.vmap(f))",
}


def _shape(diff: Difference) -> str:
    old, new = diff.old, diff.new
    assert isinstance(old, tuple) and isinstance(new, tuple)
    if len(old) != len(new):
        other = f"{diff.where} had {_dimensions(old)} and now has {len(new)}"
        same_size = math.prod(old) == math.prod(new)
        return f"{other}: reshape it before the call" if same_size else f"{other}: each compiles once"
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
    return _metadata(diff, old, new)


def _metadata(diff: Difference, old: Node, new: Node) -> str:
    """For trees of one class with different metadata."""
    name = _type_name(new)
    if diff.alike and holds(new.seen, "function"):
        return f"the metadata of {name} hold a function that was made again: define it once"
    if diff.alike and not has_equality(new.aux):
        remedy = _equality(new.aux, new.seen)
        return f"the metadata of {name} has no __eq__: each instance is a different tree; {remedy}"
    if diff.alike:
        return f"the metadata of {name} are not equal to JAX, though they look alike: keep one object"
    before, now = old.seen.parts if old.seen else {}, new.seen.parts if new.seen else {}
    changed = [
        part
        for path in before.keys() & now
        for part in (before[path], now[path])
        if before[path] != now[path]
    ]
    if changed and all(map(_is_number, changed)):
        return f"the metadata of {name} differ: make what differs a leaf, an array, or keep it the same"
    return f"each value of the metadata of {name} compiles once: keep them the same"


def _type_name(node: Node) -> str:
    return node.type.__name__ if node.type is not None else "an array"


def _root(seen: Snapshot | None) -> CapturedValue | None:
    return seen.parts.get("") if seen else None


def _is_number(value: object) -> bool:
    """Whether it could as well be traced."""
    if not isinstance(value, CapturedValue):
        return False
    plain = value.sort == "plain" and isinstance(value.identity, tuple)
    return value.sort == "array" or (plain and value.identity[0] in (int, float, complex))  # type: ignore[index]


def _static_value(diff: Difference, facts: JitFacts) -> str:
    old, new = diff.old, diff.new
    if isinstance(old, Node) or isinstance(new, Node):
        return f"always pass {diff.where} as an array, or never: in equinox anything else is static"
    if isinstance(old, Static) and isinstance(new, Static):
        if diff.alike:
            return _made_again(diff, new)
        if old.type is not new.type and _are_equal(old.value, new.value):
            both = f"{old.type.__name__} and {new.type.__name__}"
            return (
                f"JAX also distinguishes static values by type: pass {diff.where} as one type, not as {both}"
            )
        if isinstance(old.value, bool) and isinstance(new.value, bool):
            return f"{diff.where} compiles once for True and once for False"
    return _each_value(diff, facts)


def _made_again(diff: Difference, new: Static) -> str:
    """For a value that is like an earlier one, and not equal to it."""
    value = new.value
    if isinstance(value, float) and value != value:
        return "NaN is not equal to itself: use None, or one object such as math.nan"
    root = re.split(r"[.\[]", str(diff.where))[0]
    if isinstance(value, types.FunctionType) and root == diff.where:
        return f"each lambda or nested def is a new value: define it once, and pass that for {diff.where}"
    if root != diff.where:
        return f"each new {type(value).__name__} is a new value: make {root} once, and pass that"
    if callable(value) or holds(new.seen, "function") or has_equality(value):
        return f"each new {type(value).__name__} is a new value: make it once, and pass that for {diff.where}"
    name = type(value).__qualname__
    return f"{name} has no __eq__, so each instance is a different value: {_equality(value, new.seen)}"


def _equality(value: object, seen: Snapshot | None) -> str:
    """How a class without `__eq__` gets by: arrays cannot be compared, nor lists and dicts be hashed."""
    name = type(value).__qualname__
    paths = list(seen.parts) if seen else []
    plain = [path[1:] for path in paths if path.startswith(".") and path[1:].isidentifier()]
    if holds(seen, "array") or holds(seen, "container") or len(plain) != len(paths) - 1:
        return f"make one {name}, and use that in every call"
    listed = f" ({', '.join(plain[:3])})" if plain else ""
    return f"give it __eq__ and __hash__ by its fields{listed}, as @dataclass(frozen=True) does"


def _each_value(diff: Difference, facts: JitFacts) -> str:
    """For values that do differ."""
    values = [_root(one.seen) if isinstance(one, Static) else one for one in (diff.old, diff.new)]
    each = f"each value of {diff.where} compiles once"
    if any(isinstance(one, CapturedValue) and one.sort == "array" for one in values):
        return f"{diff.where} is an array in a static value, so a constant: pass it as an argument of its own"
    if not all(map(_is_number, values)) or str(diff.where).count(".") > 1:
        return each
    if not (facts.static_nums or facts.static_names):  # the metadata of a tree, or equinox
        return f"{each}; if there are many, and it is only computed with, make it an array"
    if str(diff.where).isidentifier():
        return f"{each}; if there are many, and it is only computed with, make the argument not static"
    return (
        f"{each}; if there are many, and it is only computed with, pass it as an argument that is not static"
    )


def _are_equal(first: object, second: object) -> bool:
    """`==`, which a class may implement for its own instances only."""
    try:
        return bool(first == second)
    except Exception:
        return False


def _closure(diff: Difference) -> str:
    values = (diff.old, diff.new)
    constant = "a captured value is a constant of the trace"
    if all(map(_is_number, values)):
        return f"{constant}: pass {diff.where} as an argument"
    return f"{constant}: each value of {diff.where} compiles once"


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
    if isinstance(diff.new, KnownSettings):
        return "import before the first call what adds them, such as jax.experimental.pallas"
    return f"set {diff.where} once at the start: jax.config.update({diff.where!r}, …)"


def _always(text: str) -> Callable[[Difference], str]:
    return lambda diff: text.format(where=diff.where)


_HINTS: dict[ReasonKind, Callable[[Difference], str]] = {
    "shape": _shape,
    "dtype": _dtype,
    "weak_type": _weak_type,
    "structure": _structure,
    "call_form": _call_form,
    "committed": _committed,
    "device": _always("keep {where} on one device: jax.device_put it once, at the start"),
    "sharding": _always("give {where} one sharding: jax.device_put it once, or in_shardings on the jit"),
    "memory_kind": _always("keep {where} in one memory: jax.device_put it once, at the start"),
    "layout": _always("give {where} one layout: jax.device_put it once, or a Format in in_shardings"),
    "config": _config,
    "mesh": _always("enter the mesh once, around all calls: with jax.set_mesh(mesh)"),
    "closure": _closure,
    "jit_options": _option,
    "transformation": _always("a transformed jit is a new program: jit the outside, jax.jit(jax.grad(f))"),
}
