"""Jitted objects: how to recognise, trace and describe one without jitting it again.

Three libraries make them, and each is recognised by the name of its type, so that nothing
here imports a library that the user's program did not. Seen on jax 0.8.3 to 0.12.0.1,
equinox 0.13.8, flax 0.12.8 and 0.12.12.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jitinspect.errors import UnavailableError

if TYPE_CHECKING:
    import jax

Kind = Literal["jax.jit", "equinox.filter_jit", "flax.nnx.jit"]
Label = str | int
_DEEPEST = 64  # wrappers around wrappers; a longer chain is a cycle


def _unproxied(obj: Any) -> Any:
    """The jit that a proxy stands for (`proxies.unwrapped`); while that module, which imports JAX, is not
    loaded, nothing is watched.
    """
    module = sys.modules.get("jitinspect.jaxapi.calls.proxies")
    return module.unwrapped(obj) if module else obj


@dataclass(frozen=True, slots=True)
class JitOptions:
    """Static and donated parameters, as the caller of the object sees them.

    Names, or positions where there is no name. `equinox.filter_jit` has no static
    parameters: there each value that is not an array is static.
    """

    static: tuple[Label, ...]
    donated: tuple[Label, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A jit, and the arguments that methods and partials around it already hold."""

    jit: Any
    kind: Kind
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]


def kind(obj: object) -> Kind | None:
    """Which library's jit `obj` is, also as a bound method, a partial, or an instance
    whose `__call__` is one; None for anything else.

    A `functools.wraps` wrapper around a jit is a plain function: its body runs on every
    call, though it carries copies of the jit's private attributes.
    """
    found = _find(obj)
    return found.kind if found else None


def is_jitted(obj: object) -> bool:
    """Whether calling `obj` just calls a jit."""
    return kind(obj) is not None


def is_pmapped(obj: object) -> bool:
    """Whether `obj` is a `jax.pmap`, a plain function that has a `lower` but no `trace`."""
    code = getattr(obj, "__code__", None)
    return code is not None and hasattr(obj, "lower") and code.co_qualname.startswith("pmap.<locals>")


def trace(obj: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> jax.stages.Traced:
    """The `jax.stages.Traced` of the jit `obj`, for a call with these arguments.

    Raises what the user's function raises, `UnavailableError` if this version of the
    library cannot trace without lowering, and TypeError if `obj` is not a jit.
    """
    if (own := kind(obj)) is None:
        raise TypeError(f"not a jitted function: {obj!r}")
    jit, args, kwargs = full_call(obj, args, kwargs)
    if own == "equinox.filter_jit":  # which can lower but not trace
        from jitinspect.jaxapi.jits import filter_jit_parts  # imports JAX, which `ls` must not wait for

        jit, args, kwargs = jit._cached, filter_jit_parts.parts(jit, args, kwargs), {}
    if not callable(getattr(jit, "trace", None)):
        raise UnavailableError(f"this {own} has no trace()", hint="a newer version of it has")
    traced = jit.trace(*args, **kwargs)
    inner: jax.stages.Traced = getattr(traced, "traced", traced)  # flax wraps JAX's own
    return inner


def jit_options(obj: object) -> JitOptions | None:
    """The static and donated parameters of the jit `obj`; None if they are not known."""
    found = _find(obj)
    if found is None:
        return None
    if found.kind == "equinox.filter_jit":
        options = _filter_jit_options(found.jit)
    else:
        options = _pjit_options(getattr(found.jit, "jitted_fn", found.jit))
    return options and JitOptions(_unbound(options.static, found), _unbound(options.donated, found))


def signature(obj: Any) -> inspect.Signature | None:
    """The parameters that a caller of `obj` still has to pass; None if the callable has no signature."""
    found = _find(obj)
    try:
        if found is None:
            return inspect.signature(obj)
        stand_in: Any = lambda: None  # noqa: E731
        stand_in.__signature__ = inspect.signature(found.jit)
        return inspect.signature(functools.partial(stand_in, *found.args, **found.keywords))
    except (ValueError, TypeError):
        return None


def wrapped(obj: object) -> types.FunctionType | None:
    """The Python function at the bottom of jits, partials, methods and `functools.wraps`
    wrappers, or of a callable instance's `__call__`; None if there is no Python source.
    """
    for _ in range(_DEEPEST):
        if hasattr(obj, "__wrapped__"):
            obj = obj.__wrapped__
        elif (step := unwrap_once(obj)) is not None:
            obj = step[0]
        elif isinstance(obj, types.FunctionType):
            return obj
        else:
            call = getattr(type(obj), "__call__", None)  # noqa: B004 (the function, not a yes or no)
            if not (isinstance(call, types.FunctionType) or hasattr(call, "__wrapped__")):
                return None
            obj = call
    return None


def underlying(obj: object) -> tuple[Any, Any] | None:
    """The `jax.jit` object that a call of `obj` reaches, and the `equinox.filter_jit` around it, if any.

    None if `obj` is not a jit, or keeps it elsewhere than equinox 0.13 and flax 0.12 do.
    """
    found = _find(obj)
    if found is None:
        return None
    if found.kind == "jax.jit":
        return _unproxied(found.jit), None
    inner = getattr(found.jit, "_cached" if found.kind == "equinox.filter_jit" else "jitted_fn", None)
    wrapper = found.jit if found.kind == "equinox.filter_jit" else None
    return (_unproxied(inner), wrapper) if _own_kind(inner) == "jax.jit" else None


def full_call(
    obj: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Any, tuple[Any, ...], Mapping[str, Any]]:
    """The jit that a call of `obj` reaches, with all of its arguments: first those that methods and partials
    around it hold. Anything but a jit is returned as it is.
    """
    found = _find(obj)
    if found is None:
        return obj, args, kwargs
    return found.jit, found.args + args, {**found.keywords, **kwargs}


def _find(obj: object) -> _Found | None:
    args: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    for _ in range(_DEEPEST):
        if (own := _own_kind(obj)) is not None:
            return _Found(obj, own, args, keywords)
        step = unwrap_once(obj)
        if step is None:
            call = getattr(type(obj), "__call__", None)  # noqa: B004
            own = _own_kind(call)
            return _Found(call, own, (obj, *args), keywords) if own else None
        obj, args, keywords = step[0], step[1] + args, {**step[2], **keywords}
    return None


def _own_kind(obj: object) -> Kind | None:
    """The kind of `obj` itself. flax has several classes for its jits, which all have `jitted_fn`."""
    obj = _unproxied(obj)
    module, name = type(obj).__module__, type(obj).__name__
    if name == "PjitFunction" and module.startswith("jaxlib"):
        return "jax.jit"
    if name == "_JitWrapper" and module.startswith("equinox."):
        return "equinox.filter_jit"
    if module.startswith("flax.nnx.") and _own_kind(getattr(obj, "jitted_fn", None)) == "jax.jit":
        return "flax.nnx.jit"
    return None


def unwrap_once(obj: Any) -> tuple[Any, tuple[Any, ...], Mapping[str, Any]] | None:
    """What a method or partial calls, and the arguments that it holds; None for anything else.

    equinox has its own versions of both, which are pytrees.
    """
    of_equinox = type(obj).__module__.startswith("equinox.")
    if isinstance(obj, types.MethodType) or (of_equinox and type(obj).__name__ == "BoundMethod"):
        return obj.__func__, (obj.__self__,), {}
    if isinstance(obj, functools.partial) or (of_equinox and type(obj).__name__ == "Partial"):
        return obj.func, tuple(obj.args), obj.keywords
    return None


def _pjit_options(jit: object) -> JitOptions | None:
    """From `_jit_info`, where JAX keeps positions and names; it infers each from the other."""
    info = getattr(jit, "_jit_info", None)
    try:
        parameters = _positional(info.fun_signature)  # type: ignore[union-attr]
        static = _labels(info.static_argnums, info.static_argnames, parameters)  # type: ignore[union-attr]
        donated = _labels(info.donate_argnums, info.donate_argnames, parameters)  # type: ignore[union-attr]
    except AttributeError:
        return None
    return JitOptions(static, donated)


def _positional(signature: inspect.Signature | None) -> list[str]:
    parameters = signature.parameters.values() if signature else ()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _labels(nums: Iterable[int], names: Iterable[str], parameters: list[str]) -> tuple[Label, ...]:
    """Names where there are any. jax 0.10 keeps negative positions, which count from the last."""
    counts = [i + len(parameters) if i < 0 <= i + len(parameters) else i for i in nums]
    labels: list[Label] = [parameters[i] if 0 <= i < len(parameters) else i for i in sorted(counts)]
    return (*labels, *(name for name in names if name not in labels))


def _unbound(labels: tuple[Label, ...], found: _Found) -> tuple[Label, ...]:
    """The labels of parameters that the caller still has to pass, with positions counted among those."""
    bound_count = len(found.args)
    bound = {*_positional(signature(found.jit))[:bound_count], *found.keywords}
    kept = (
        label - bound_count if isinstance(label, int) else label for label in labels if label not in bound
    )
    return tuple(label for label in kept if isinstance(label, str) or label >= 0)


def _filter_jit_options(wrapper: Any) -> JitOptions | None:
    """equinox donates the arrays of the first argument, of all the others, or both."""
    first, rest = getattr(wrapper, "donate_first", None), getattr(wrapper, "donate_rest", None)
    called = signature(wrapper)
    if first is None or rest is None or called is None:
        return None
    names = tuple(called.parameters)
    return JitOptions((), (names[:1] if first else ()) + (names[1:] if rest else ()))
