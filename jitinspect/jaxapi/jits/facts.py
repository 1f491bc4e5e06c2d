"""What a `jax.jit` object consists of: its function, its options, and what the function closes over.

`_jit_info` and `_fun` hold these (private; 0.8.3 to 0.12.0.1). Nothing here keeps the function alive:
JAX's trace cache holds it weakly, and drops its traces when it is collected.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import pathlib
import types
import weakref
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
from jax._src import api_util as _api_util

from jitinspect.jaxapi.jits.identities import Same
from jitinspect.jaxapi.jits.options import options_of
from jitinspect.jaxapi.jits.snapshots import snapshot_of_function
from jitinspect.model import CapturedValue
from jitinspect.process.paths import is_cell

_NOT_IN_THE_FAST_PATH = ("static_argnums", "static_argnames", "keep_unused", "inline")
"""Options that are not in the key of JAX's fast path (`JitGlobalCppCacheKeys`, 0.8.3 to 0.12.0.1): a call
finds what another jit of the function compiled, even if that has a different `keep_unused`.
"""
_NOT_IN_A_LOWERING = ("static_argnums", "static_argnames", "inline", "compiler_options")
"""Two jits may differ in these and still share a lowering: the call's form has its static arguments."""
_DONATION = ("donate_argnums", "donate_argnames")
_BY_NAME: Any = getattr(_api_util, "argnames_partial_except", None)
KEYWORDS_HAVE_TYPES = _BY_NAME is None or "Hashable" not in _BY_NAME.__code__.co_names
"""Whether a static True by keyword is another value than a static 1. To the trace cache of 0.8 it is not,
while by position it is.
"""
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NONE = inspect.Parameter.empty
_DEEPEST = 64


@dataclass(frozen=True, eq=False)
class JitFacts:
    """A jit, without the function itself.

    `definition` is `file:line` of the function under all wrappers; `lineage` identifies a definition: the
    code objects, with their files, from the outermost wrapper down to it, which stay the same when it is made
    again.
    `function` is the number of the function object, as JAX's trace cache distinguishes them; `group` is the
    key of the jit itself, and `fast` is equal for jits that share a fast path: `jax.clear_caches()` empties
    it, but a jit that is made later gets another one. `closure` holds path → value of what the function
    closes over or is bound to, `left_out` the paths of such values that cannot be compared.
    """

    name: str
    definition: str | None
    lineage: Hashable
    function: int
    group: Hashable
    fast: Hashable
    parameters: Mapping[str, inspect.Parameter]
    static_nums: frozenset[int]
    static_names: frozenset[str]
    options: Mapping[str, Hashable]
    closure: tuple[tuple[str, CapturedValue], ...]
    left_out: tuple[str, ...]
    wrapper: str | None
    """What makes a new function each time, if not the definition: `partial`, `grad`, `bound method`."""
    bound_to: Hashable = None
    """Equal for methods of the same object."""
    read: int = 0
    """How often all functions had been read anew when this one was read."""

    @cached_property
    def positional(self) -> tuple[tuple[str, bool], ...]:
        """The parameters by position that have a name, and whether they are static."""
        names = [name for name, one in self.parameters.items() if one.kind in _POSITIONAL]
        return tuple((name, self._is_static(name, index)) for index, name in enumerate(names))

    @cached_property
    def variadic(self) -> str | None:
        """The name of `*args`."""
        return self._first(inspect.Parameter.VAR_POSITIONAL)

    @cached_property
    def keywords(self) -> str | None:
        """The name of `**kwargs`."""
        return self._first(inspect.Parameter.VAR_KEYWORD)

    @cached_property
    def defaults(self) -> tuple[tuple[str, bool, Any], ...]:
        """The parameters that have a default: whether they are static, and the default."""
        static = {**dict.fromkeys(self.static_names, True), **dict(self.positional)}
        found = ((name, one.default) for name, one in self.parameters.items())
        return tuple((name, static.get(name, False), value) for name, value in found if value is not _NONE)

    @cached_property
    def options_to_lower(self) -> tuple[Hashable, ...]:
        """The options that a lowering depends on."""
        return self._options_but(_NOT_IN_A_LOWERING)

    @cached_property
    def options_to_lower_undonated(self) -> tuple[Hashable, ...]:
        """The same, while JAX donates nothing."""
        return self._options_but(_NOT_IN_A_LOWERING + _DONATION)

    def _options_but(self, left_out: tuple[str, ...]) -> tuple[Hashable, ...]:
        return tuple(() if name in left_out else value for name, value in self.options.items())

    def _is_static(self, name: str, index: int) -> bool:
        return index in self.static_nums or name in self.static_names

    def _first(self, kind: Any) -> str | None:
        return next((name for name, one in self.parameters.items() if one.kind is kind), None)


def facts(jit: Any, functions: FunctionNumbers, made_after: int = 0) -> JitFacts:
    """The facts of a `jax.jit` object that was made after so many clearings of all caches. Raises
    AttributeError if this JAX keeps them elsewhere.
    """
    info, fun = jit._jit_info, jit._fun
    options = options_of(jit)
    signature = info.fun_signature
    number = functions(fun)
    shared = tuple(value for name, value in options.items() if name not in _NOT_IN_THE_FAST_PATH)
    return JitFacts(
        name=getattr(jit, "__name__", None) or type(fun).__name__,
        function=number,
        group=(number, tuple(options.values())),
        fast=(number, shared, made_after),
        parameters=dict(signature.parameters) if signature else {},
        static_nums=frozenset(_positions(info.static_argnums, signature)),
        static_names=frozenset(info.static_argnames),
        options=options,
        read=functions.times_forgotten,
        **functions.facts_of(fun, number),
    )


def facts_of_function(fun: Any) -> dict[str, Any]:
    """The facts that come from the function of a jit, and from the wrappers around that function."""
    chain = list(_chain(fun))
    captured = snapshot_of_function(chain)
    return {
        "definition": _definition(chain[-1]),
        "lineage": tuple(_link(link) for link in chain),
        "closure": tuple(captured.parts.items()),
        "left_out": captured.left_out,
        "wrapper": _wrapper(chain),
        "bound_to": next(
            (_same(link.__self__) for link in chain if isinstance(link, types.MethodType)), None
        ),
    }


def _same(value: Any) -> Hashable:
    try:
        return Same(value)
    except TypeError:  # it cannot be referred to weakly
        return id(value)


def accepted(jit: Any) -> inspect.Signature | None:
    """The signature that a call of the jit must fit; None if not known. JAX's own transformations take the
    arguments that they pass on; other wrappers have their own signature, whatever they wrap.
    """
    for link in _chain(jit._fun):
        if not (_code_file(link).startswith(_JAX) and hasattr(link, "__wrapped__")):
            try:
                return inspect.signature(link, follow_wrapped=False)
            except (TypeError, ValueError):
                return None
    return None


_JAX = str(pathlib.Path(jax.__file__).parent)


def _code_file(fun: Any) -> str:
    return str(getattr(getattr(fun, "__code__", None), "co_filename", ""))


class FunctionNumbers:
    """Numbers for function objects, equal if JAX's weakly keyed caches consider two the same; and what was
    read of each when it got its number, which is what JAX traces: later changes go unnoticed.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._facts: dict[int, dict[str, Any]] = {}
        self.times_forgotten = 0
        self._count = itertools.count()

    def __call__(self, fun: Any) -> int:
        try:
            key = weakref.ref(fun, self._forget)
            number = self._numbers.get(key)
        except Exception:  # not hashable, or not weakly referable: each is a new one to JAX
            return next(self._count)
        if number is None:
            number = self._numbers[key] = next(self._count)
        return number

    def equal(self, key: Hashable) -> int:
        """The number for a key that is compared by `==` and kept alive, as static arguments are."""
        try:
            return self._numbers.setdefault(key, next(self._count))
        except TypeError:  # not hashable: JAX refuses the call
            return next(self._count)

    def facts_of(self, fun: Any, number: int) -> dict[str, Any]:
        """`facts_of_function`, read once for each number."""
        known = self._facts.get(number)
        if known is None:
            known = self._facts[number] = facts_of_function(fun)
        return known

    def forget_facts(self) -> None:
        """JAX's caches were cleared: functions are traced again, with what they capture now."""
        self._facts.clear()
        self.times_forgotten += 1

    def _forget(self, key: Hashable) -> None:
        self._facts.pop(self._numbers.pop(key, -1), None)


def _chain(fun: Any) -> Iterator[Any]:
    """The function, and what each wrapper wraps, down to the one that the user wrote."""
    for _ in range(_DEEPEST):
        yield fun
        if isinstance(fun, functools.partial):
            fun = fun.func
        elif isinstance(fun, types.MethodType):
            fun = fun.__func__
        elif hasattr(fun, "__wrapped__"):
            fun = fun.__wrapped__
        elif not isinstance(fun, types.FunctionType) and isinstance(_call_of(fun), types.FunctionType):
            fun = _call_of(fun)
        else:
            return


def _call_of(obj: Any) -> Any:
    return getattr(type(obj), "__call__", None)  # noqa: B004 (the function, not a yes or no)


def _link(link: Any) -> Hashable:
    """The code object and its file; without one, the type and the object's own name, as built-in functions
    have it.
    """
    code = getattr(link, "__code__", None)
    if isinstance(code, types.CodeType):
        return code, _file(code)
    own = getattr(link, "__module__", None), getattr(link, "__qualname__", None)
    return type(link).__module__, type(link).__qualname__, str(own)


def _file(code: types.CodeType) -> str:
    """Code objects of equal text are equal in any file. Those of a cell that is run again, whose file has
    another name each time (`<cell 4>`), or once another line of it was changed, are one definition.
    """
    return "" if is_cell(code.co_filename) else code.co_filename


def _definition(fun: Any) -> str | None:
    code = getattr(fun, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if isinstance(code, types.CodeType) else None


def _wrapper(chain: list[Any]) -> str | None:
    outermost = chain[0]
    if isinstance(outermost, functools.partial):
        return "functools.partial"
    if isinstance(outermost, types.MethodType):
        return "bound method"
    if not isinstance(outermost, types.FunctionType):
        return type(outermost).__name__
    name = _inside_boundary(outermost).__code__.co_qualname.partition(".")[0]
    return f"jax.{name}" if chain[1:] and hasattr(jax, name) else None


def _inside_boundary(fun: types.FunctionType) -> types.FunctionType:
    """JAX wraps what `grad` and the like return in a function of its own (`api_boundary`)."""
    if fun.__code__.co_qualname.startswith("api_boundary."):
        for name, cell in zip(fun.__code__.co_freevars, fun.__closure__ or (), strict=False):
            if name == "fun" and isinstance(cell.cell_contents, types.FunctionType):
                return cell.cell_contents
    return fun


def _positions(nums: Any, signature: inspect.Signature | None) -> Iterator[int]:
    """jax 0.10 keeps negative positions, which count from the last positional parameter."""
    count = 0
    if signature:
        count = sum(parameter.kind in _POSITIONAL for parameter in signature.parameters.values())
    yield from (num + count if num < 0 else num for num in nums)


def facts_of_compiled(compiled: Any, functions: FunctionNumbers) -> JitFacts:
    """All that is known of a `jax.stages.Compiled` of unknown origin: the name of its module, `jit_f`."""
    try:
        name = str(compiled.runtime_executable().hlo_modules()[0].name).removeprefix("jit_")
    except (AttributeError, IndexError, RuntimeError, NotImplementedError):
        name = "compiled"
    number = functions(compiled)
    return JitFacts(
        name=name,
        definition=None,
        lineage=("compiled", number),
        function=number,
        group=("compiled", number),
        fast=("compiled", number),
        parameters={},
        static_nums=frozenset(),
        static_names=frozenset(),
        options={},
        closure=(),
        left_out=(),
        wrapper=None,
    )
