"""A loaded target → a jitted function: its own jit if it has one, otherwise a new one."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jitinspect.errors import LoadError, UnavailableError, UsageError
from jitinspect.jaxapi.jits import recognition
from jitinspect.targets.loading import Loaded
from jitinspect.targets.parameters import Label, Selection, select
from jitinspect.targets.transforms import transformed

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True, slots=True, eq=False)
class Jitted:
    """A jitted function, whichever library jitted it.

    `call` is what a program would call. `function` is the Python function under it, None
    if there is no Python source. `name` includes the transforms: `vmap(grad(loss))`.
    `static` and `donated` hold parameter names, or positions if there is no name; None
    means that this version of the library does not say. `kind` is the library's own name
    for its jit, and `jax.jit` for what was jitted here.
    """

    call: Callable[..., Any]
    kind: recognition.Kind
    name: str
    function: Callable[..., Any] | None
    signature: inspect.Signature | None
    static: tuple[Label, ...] | None
    donated: tuple[Label, ...] | None

    def trace(self, *args: Any, **kwargs: Any) -> jax.stages.Traced:
        """Trace a call with these arguments, each an array, a `ShapeDtypeStruct` or a value.

        Raises what the user's function raises. The trace stays in JAX's cache, as it would
        after a call by the user.
        """
        return recognition.trace(self.call, args, kwargs)


def jitted(
    loaded: Loaded,
    static: Sequence[Label] = (),
    donate: Sequence[Label] = (),
    transforms: Sequence[str] = (),
) -> Jitted:
    """The target as a jitted function; the object itself if it is already jitted.

    `static` and `donate` are names or positions (`-1` is the last; a string of digits counts
    as a position). With `transforms` the result is a new function: the static arguments of a
    jitted target stay static, but its donated ones are not donated, as in
    `jax.jit(jax.grad(step))`. Raises `UsageError` if a parameter does not exist, or if options
    are given for a function that is already jitted; `UnavailableError` for a `jax.pmap`.
    """
    obj = loaded.object
    if recognition.is_pmapped(obj):
        hint = "inspect the function under it, or write it with jax.jit and jax.shard_map"
        raise UnavailableError(f"{loaded.ref} is a jax.pmap, which has no stages to read", hint=hint)
    own = recognition.kind(obj)
    if own and not transforms:
        _refuse_options(loaded, own, static, donate)
        return _existing_jit(loaded, own)
    options = recognition.jit_options(obj)
    return _new_jit(loaded, (*(options.static if options else ()), *static), donate, transforms)


def _refuse_options(
    loaded: Loaded, own: recognition.Kind, static: Sequence[Label], donate: Sequence[Label]
) -> None:
    """The program runs with the options its author chose; with other options it is another function."""
    for flag, given in (("--static", static), ("--donate", donate)):
        if given:
            raise UsageError(
                f"{flag} {given[0]}: {loaded.ref} is already a {own}, whose own options apply",
                hint=f"leave {flag} out, or inspect the function under it: {loaded.ref}.__wrapped__",
            )


def _existing_jit(loaded: Loaded, own: recognition.Kind) -> Jitted:
    options = recognition.jit_options(loaded.object)
    return Jitted(
        call=loaded.object,
        kind=own,
        name=loaded.qualname,
        function=recognition.wrapped(loaded.object),
        signature=recognition.signature(loaded.object),
        static=options.static if options else None,
        donated=options.donated if options else None,
    )


def _new_jit(
    loaded: Loaded, static: Sequence[Label], donate: Sequence[Label], transforms: Sequence[str]
) -> Jitted:
    signature = recognition.signature(loaded.object)
    static_params = select("--static", static, signature, loaded.ref)
    donated = select("--donate", donate, signature, loaded.ref)
    if both := set(static_params.labels) & set(donated.labels):
        message = f"{min(map(str, both))} is both static and donated: only arrays are donated"
        raise UsageError(message, hint="leave out its --static or its --donate")
    function = transformed(
        _jittable(loaded.object),
        transforms,
        static_argnums=static_params.nums,
        static_argnames=static_params.names,
    )
    return Jitted(
        call=_jit(function, static_params, donated, loaded.ref),
        kind="jax.jit",
        name=functools.reduce(lambda inner, outer: f"{outer}({inner})", transforms, loaded.qualname),
        function=recognition.wrapped(loaded.object),
        signature=signature,
        static=static_params.labels,
        donated=donated.labels,
    )


def _jit(function: Callable[..., Any], static: Selection, donated: Selection, ref: str) -> Callable[..., Any]:
    """Raises `LoadError` for what `jax.jit` refuses, such as a generator function."""
    import jax

    try:
        jit: Callable[..., Any] = jax.jit(
            function,
            static_argnums=static.nums or None,
            static_argnames=static.names or None,
            donate_argnums=donated.nums or None,
            donate_argnames=donated.names or None,
        )
    except (TypeError, ValueError) as error:
        raise LoadError(f"jax.jit does not accept {ref}: {error}") from None
    return jit


def _jittable(obj: Callable[..., Any]) -> Callable[..., Any]:
    """`obj` itself if `jax.jit` accepts it, so that names and cache keys are the user's own.

    JAX hashes a function and keeps a weak reference to it, which a module that holds arrays
    does not allow. Such a module is called through a function of the same name, and its
    arrays become constants.
    """
    try:
        hash(obj)
        weakref.ref(obj)
        return obj
    except TypeError:
        return _through_function(obj)


def _through_function(obj: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return obj(*args, **kwargs)

    call.__name__ = call.__qualname__ = getattr(obj, "__name__", type(obj).__name__)
    if (signature := recognition.signature(obj)) is not None:
        call.__signature__ = signature  # type: ignore[attr-defined]
    return call
